# Unit tests of the train layer.
check_PROGRAMS += tests/unit/test_metric
TESTS += tests/unit/test_metric
EXTRA_DIST += tests/golden/metric.json tests/golden/make_metric_golden.py
tests_unit_test_metric_SOURCES = tests/unit/test_metric.c
tests_unit_test_metric_CPPFLAGS = $(unit_cppflags)
tests_unit_test_metric_LDADD = libtrain.a libtext.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_classification
TESTS += tests/unit/test_classification
tests_unit_test_classification_SOURCES = tests/unit/test_classification.c
tests_unit_test_classification_CPPFLAGS = $(unit_cppflags)
tests_unit_test_classification_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)
