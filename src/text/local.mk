noinst_LIBRARIES += libtext.a
libtext_a_SOURCES = \
	src/text/utf8.c src/text/utf8.h \
	src/text/norm.c src/text/norm.h \
	src/text/lower.c src/text/lower.h \
	src/text/property.c src/text/property.h \
	src/text/piece.c src/text/piece.h \
	src/text/grapheme.c src/text/grapheme.h \
	src/text/intern.c src/text/intern.h \
	src/text/vocab_table.c src/text/vocab_table.h \
	src/text/vocab_learn.c src/text/vocab.h \
	src/text/vocab_read.c \
	src/text/vocab_write.c \
	src/text/bpe_learn.c src/text/bpe_learn.h \
	src/text/bpe.c src/text/bpe.h \
	src/text/token.c src/text/token.h \
	src/text/feature.c src/text/feature.h \
	src/text/sentence.c src/text/sentence.h \
	src/text/rows.c src/text/rows.h \
	src/text/corpus.c src/text/corpus.h \
	src/text/stream.c src/text/stream.h \
	src/text/words.c src/text/words.h \
	src/text/stop.c src/text/stop.h \
	src/text/vectors.c src/text/vectors.h \
	src/text/json.c src/text/json.h
