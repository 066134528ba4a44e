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

# Bags of words: the speed of training and of answers.
noinst_PROGRAMS += bench/bag
bench_bag_SOURCES = bench/bag.c
bench_bag_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a $(DRAGOMAN_LIBS)

# The speed of translation on one core.
noinst_PROGRAMS += bench/decode
bench_decode_SOURCES = bench/decode.c
bench_decode_LDADD = libmodel.a libnn.a libtext.a libbase.a $(DRAGOMAN_LIBS)

# The kernels of inference beside the limits of the machine.
noinst_PROGRAMS += bench/kernels
bench_kernels_SOURCES = bench/kernels.c bench/kernels_limits.c bench/kernels_limits.h
bench_kernels_LDADD = libnn.a libbase.a $(DRAGOMAN_LIBS)

# What each cell learns to remember, gradients over time, clipping: a table and a page.
noinst_PROGRAMS += bench/diagnostics
bench_diagnostics_SOURCES = bench/diagnostics.c \
	bench/diagnostics_task.c bench/diagnostics_task.h \
	bench/diagnostics_layer.c bench/diagnostics_layer.h \
	bench/diagnostics_learner.c bench/diagnostics_learner.h \
	bench/diagnostics_gradient.c bench/diagnostics_gradient.h \
	bench/diagnostics_trials.c bench/diagnostics_trials.h \
	bench/diagnostics_page.c bench/diagnostics_page.h
bench_diagnostics_LDADD = libtrain.a libnn.a libtext.a libbase.a $(DRAGOMAN_LIBS)
dist_check_SCRIPTS += bench/test_diagnostics.sh
TESTS += bench/test_diagnostics.sh
check_PROGRAMS += tests/support/check_page
tests_support_check_page_SOURCES = tests/support/check_page.c
tests_support_check_page_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_support_check_page_LDADD = tests/support/libmarkup.a libbase.a $(DRAGOMAN_LIBS)

EXTRA_DIST += bench/torch_twin.py bench/figures.sh bench/scaling.sh bench/results.md \
	bench/classify.sh bench/classify-rnn.sh bench/classify-splits.sh
