# What all tests share.
unit_cppflags = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
unit_libs = $(CMOCKA_LIBS)
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	DRAGOMAN_DATA="$${DRAGOMAN_DATA:-$(abs_top_srcdir)/../shared/data}"; export DRAGOMAN_DATA;
EXTRA_DIST += tests/unit/without-cmocka.sh

# Tiny bundles with random weights, for tests of whatever stands on models.
check_LIBRARIES += tests/support/libsupport.a
tests_support_libsupport_a_SOURCES = tests/support/tiny_bundle.c tests/support/tiny_bundle.h
check_PROGRAMS += tests/support/make_tiny_bundle
tests_support_make_tiny_bundle_SOURCES = tests/support/make_tiny_bundle.c
tests_support_make_tiny_bundle_LDADD = tests/support/libsupport.a \
	libmodel.a libnn.a libtext.a libbase.a $(DRAGOMAN_LIBS)

# Are a training run's records whole?
check_LIBRARIES += tests/support/libmarkup.a
tests_support_libmarkup_a_SOURCES = tests/support/markup.c tests/support/markup.h
tests_support_libmarkup_a_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
check_PROGRAMS += tests/support/check_records
tests_support_check_records_SOURCES = tests/support/check_records.c
tests_support_check_records_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_support_check_records_LDADD = tests/support/libmarkup.a libbase.a $(DRAGOMAN_LIBS)

# Every test program under valgrind; what the shell tests start is not.
check-valgrind: all
	OPENBLAS_NUM_THREADS=1 $(MAKE) $(AM_MAKEFLAGS) check TESTS='$(filter-out %.sh,$(TESTS))' \
	  LOG_COMPILER=valgrind \
	  LOG_FLAGS='-q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite'
.PHONY: check-valgrind
