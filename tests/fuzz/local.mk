# Fuzz targets: tests/fuzz/fuzz_NAME.c defines LLVMFuzzerTestOneInput, and tests/fuzz/corpus/NAME
# holds its inputs. Ordinary builds replay the corpus as a test; with --enable-fuzzing,
# "make fuzz FUZZ_SECONDS=60" lets libFuzzer search, and keeps what it finds in fuzz/NAME.
if FUZZING
fuzz_main =
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer
else
fuzz_main = tests/fuzz/replay.c
fuzz_ldflags = $(AM_LDFLAGS)
endif

FUZZ_TARGETS += tests/fuzz/fuzz_opt
tests_fuzz_fuzz_opt_SOURCES = tests/fuzz/fuzz_opt.c $(fuzz_main)
tests_fuzz_fuzz_opt_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_opt_LDADD = libbase.a $(DRAGOMAN_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_text
tests_fuzz_fuzz_text_SOURCES = tests/fuzz/fuzz_text.c $(fuzz_main)
tests_fuzz_fuzz_text_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_text_LDADD = libtext.a libbase.a $(DRAGOMAN_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_spec
tests_fuzz_fuzz_spec_SOURCES = tests/fuzz/fuzz_spec.c $(fuzz_main)
tests_fuzz_fuzz_spec_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_spec_LDADD = libmodel.a libnn.a libtext.a libbase.a $(DRAGOMAN_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_safetensors
tests_fuzz_fuzz_safetensors_SOURCES = tests/fuzz/fuzz_safetensors.c $(fuzz_main)
tests_fuzz_fuzz_safetensors_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_safetensors_LDADD = libmodel.a libnn.a libtext.a libbase.a $(DRAGOMAN_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_metric
tests_fuzz_fuzz_metric_SOURCES = tests/fuzz/fuzz_metric.c $(fuzz_main)
tests_fuzz_fuzz_metric_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_metric_LDADD = libtrain.a libtext.a libbase.a $(DRAGOMAN_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_token
tests_fuzz_fuzz_token_SOURCES = tests/fuzz/fuzz_token.c $(fuzz_main)
tests_fuzz_fuzz_token_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_token_LDADD = libtext.a libbase.a $(DRAGOMAN_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_vocab
tests_fuzz_fuzz_vocab_SOURCES = tests/fuzz/fuzz_vocab.c $(fuzz_main)
tests_fuzz_fuzz_vocab_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_vocab_LDADD = libtext.a libbase.a $(DRAGOMAN_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_vectors
tests_fuzz_fuzz_vectors_SOURCES = tests/fuzz/fuzz_vectors.c $(fuzz_main)
tests_fuzz_fuzz_vectors_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_vectors_LDADD = libtext.a libbase.a $(DRAGOMAN_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_corpus
tests_fuzz_fuzz_corpus_SOURCES = tests/fuzz/fuzz_corpus.c $(fuzz_main)
tests_fuzz_fuzz_corpus_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_corpus_LDADD = libtext.a libbase.a $(DRAGOMAN_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_rows
tests_fuzz_fuzz_rows_SOURCES = tests/fuzz/fuzz_rows.c $(fuzz_main)
tests_fuzz_fuzz_rows_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_rows_LDADD = libtext.a libbase.a $(DRAGOMAN_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_proto
tests_fuzz_fuzz_proto_SOURCES = tests/fuzz/fuzz_proto.c $(fuzz_main)
tests_fuzz_fuzz_proto_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_proto_LDADD = libserve.a libmodel.a libnn.a libtext.a libbase.a $(DRAGOMAN_LIBS)

EXTRA_DIST += tests/fuzz/corpus
check_PROGRAMS += $(FUZZ_TARGETS)
FUZZ_SECONDS = 60
if FUZZING
fuzz: $(FUZZ_TARGETS)
	@for target in $(FUZZ_TARGETS); do \
	  name=$${target##*/fuzz_}; \
	  $(MKDIR_P) fuzz/$$name || exit 1; \
	  echo "==> $$name"; \
	  $$target -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=3000 \
	    -artifact_prefix=fuzz/$$name- -print_final_stats=1 \
	    fuzz/$$name $(top_srcdir)/tests/fuzz/corpus/$$name || exit 1; \
	done
else
TESTS += $(FUZZ_TARGETS)
fuzz:
	@echo "fuzzing needs: configure --enable-fuzzing --enable-sanitizers CC=clang" >&2; exit 1
endif
