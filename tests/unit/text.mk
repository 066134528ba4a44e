# Unit tests of the text layer: one program a module.
text_tests = \
	tests/unit/test_utf8 \
	tests/unit/test_norm \
	tests/unit/test_piece \
	tests/unit/test_grapheme \
	tests/unit/test_vocab \
	tests/unit/test_token \
	tests/unit/test_bpe_dropout \
	tests/unit/test_corpus \
	tests/unit/test_stream \
	tests/unit/test_rows \
	tests/unit/test_words \
	tests/unit/test_stop \
	tests/unit/test_json \
	tests/unit/test_feature \
	tests/unit/test_sentence \
	tests/unit/test_vectors \
	tests/unit/test_tatoeba \
	tests/unit/test_property
check_PROGRAMS += $(text_tests)
TESTS += $(text_tests)
text_test_cppflags = $(unit_cppflags) -I$(top_srcdir)/tests
text_test_libs = tests/support/libnasty.a libtext.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)

tests_unit_test_utf8_SOURCES = tests/unit/test_utf8.c tests/unit/unit.h
tests_unit_test_utf8_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_utf8_LDADD = $(text_test_libs)

tests_unit_test_norm_SOURCES = tests/unit/test_norm.c tests/unit/unit.h
tests_unit_test_norm_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_norm_LDADD = $(text_test_libs)

tests_unit_test_piece_SOURCES = tests/unit/test_piece.c tests/unit/unit.h
tests_unit_test_piece_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_piece_LDADD = $(text_test_libs)

tests_unit_test_grapheme_SOURCES = tests/unit/test_grapheme.c tests/unit/unit.h
tests_unit_test_grapheme_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_grapheme_LDADD = $(text_test_libs)

tests_unit_test_vocab_SOURCES = tests/unit/test_vocab.c tests/unit/vocab_fixture.h \
	tests/unit/unit.h
tests_unit_test_vocab_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_vocab_LDADD = $(text_test_libs)

tests_unit_test_token_SOURCES = tests/unit/test_token.c tests/unit/vocab_fixture.h \
	tests/unit/unit.h
tests_unit_test_token_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_token_LDADD = $(text_test_libs)

tests_unit_test_bpe_dropout_SOURCES = tests/unit/test_bpe_dropout.c tests/unit/vocab_fixture.h \
	tests/unit/unit.h
tests_unit_test_bpe_dropout_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_bpe_dropout_LDADD = $(text_test_libs) -lm

tests_unit_test_corpus_SOURCES = tests/unit/test_corpus.c tests/unit/unit.h
tests_unit_test_corpus_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_corpus_LDADD = $(text_test_libs)

tests_unit_test_stream_SOURCES = tests/unit/test_stream.c tests/unit/unit.h
tests_unit_test_stream_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_stream_LDADD = $(text_test_libs)

tests_unit_test_words_SOURCES = tests/unit/test_words.c tests/unit/vocab_fixture.h \
	tests/unit/unit.h
tests_unit_test_words_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_words_LDADD = $(text_test_libs)

tests_unit_test_stop_SOURCES = tests/unit/test_stop.c tests/unit/unit.h
tests_unit_test_stop_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_stop_LDADD = $(text_test_libs)

tests_unit_test_rows_SOURCES = tests/unit/test_rows.c tests/unit/unit.h
tests_unit_test_rows_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_rows_LDADD = $(text_test_libs) -lm

tests_unit_test_feature_SOURCES = tests/unit/test_feature.c tests/unit/unit.h
tests_unit_test_feature_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_feature_LDADD = $(text_test_libs)

tests_unit_test_sentence_SOURCES = tests/unit/test_sentence.c tests/unit/unit.h
tests_unit_test_sentence_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_sentence_LDADD = $(text_test_libs)

tests_unit_test_vectors_SOURCES = tests/unit/test_vectors.c tests/unit/vocab_fixture.h \
	tests/unit/unit.h
tests_unit_test_vectors_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_vectors_LDADD = $(text_test_libs)

tests_unit_test_tatoeba_SOURCES = tests/unit/test_tatoeba.c tests/unit/unit.h
tests_unit_test_tatoeba_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_tatoeba_LDADD = $(text_test_libs)

check_LIBRARIES += tests/support/libnasty.a
tests_support_libnasty_a_SOURCES = tests/support/nasty_text.c tests/support/nasty_text.h
tests_support_libnasty_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests

tests_unit_test_json_SOURCES = tests/unit/test_json.c tests/unit/unit.h
tests_unit_test_json_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_json_LDADD = $(text_test_libs)

tests_unit_test_property_SOURCES = tests/unit/test_property.c tests/unit/unit.h
tests_unit_test_property_CPPFLAGS = $(text_test_cppflags)
tests_unit_test_property_LDADD = $(text_test_libs)
