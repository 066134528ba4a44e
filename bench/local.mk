# Benchmarks.

# Load, and the time from start to first answer.
noinst_PROGRAMS += bench/load bench/startup
bench_load_SOURCES = bench/load.c src/cmd/client.c include/dragoman/client.h
bench_load_LDADD = libbase.a $(DRAGOMAN_LIBS)
bench_startup_SOURCES = bench/startup.c src/cmd/client.c include/dragoman/client.h \
	tests/blackbox/daemon.c tests/blackbox/daemon.h
bench_startup_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/blackbox
bench_startup_LDADD = libbase.a $(DRAGOMAN_LIBS)

# The translation network beside its PyTorch twin: the same numbers, and the speed of training.
noinst_PROGRAMS += bench/seq2seq
bench_seq2seq_SOURCES = bench/seq2seq.c
bench_seq2seq_LDADD = libmodel.a libnn.a libtext.a libbase.a $(DRAGOMAN_LIBS)
dist_check_SCRIPTS += bench/test_torch_twin.sh
TESTS += bench/test_torch_twin.sh
EXTRA_DIST += bench/torch_twin.py bench/figures.sh bench/results.md
