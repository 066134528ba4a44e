# What all tests share.
unit_cppflags = $(AM_CPPFLAGS) $(CMOCKA_CFLAGS)
unit_libs = $(CMOCKA_LIBS)
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	DRAGOMAN_DATA="$${DRAGOMAN_DATA:-$(abs_top_srcdir)/../shared/data}"; export DRAGOMAN_DATA;
EXTRA_DIST += tests/unit/without-cmocka.sh
