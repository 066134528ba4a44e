# Unit tests of the train layer.
check_PROGRAMS += tests/unit/test_metric
TESTS += tests/unit/test_metric
EXTRA_DIST += tests/golden/metric.json tests/golden/make_metric_golden.py
tests_unit_test_metric_SOURCES = tests/unit/test_metric.c
tests_unit_test_metric_CPPFLAGS = $(unit_cppflags)
tests_unit_test_metric_LDADD = libtrain.a libtext.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_calibration
TESTS += tests/unit/test_calibration
tests_unit_test_calibration_SOURCES = tests/unit/test_calibration.c
tests_unit_test_calibration_CPPFLAGS = $(unit_cppflags)
tests_unit_test_calibration_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_bayes
TESTS += tests/unit/test_bayes
tests_unit_test_bayes_SOURCES = tests/unit/test_bayes.c
tests_unit_test_bayes_CPPFLAGS = $(unit_cppflags)
tests_unit_test_bayes_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_classification
TESTS += tests/unit/test_classification
tests_unit_test_classification_SOURCES = tests/unit/test_classification.c
tests_unit_test_classification_CPPFLAGS = $(unit_cppflags)
tests_unit_test_classification_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_bag_train
TESTS += tests/unit/test_bag_train
tests_unit_test_bag_train_SOURCES = tests/unit/test_bag_train.c
tests_unit_test_bag_train_CPPFLAGS = $(unit_cppflags)
tests_unit_test_bag_train_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_trainer
TESTS += tests/unit/test_trainer
tests_unit_test_trainer_SOURCES = tests/unit/test_trainer.c tests/unit/trainer_fixture.h
tests_unit_test_trainer_CPPFLAGS = $(unit_cppflags)
tests_unit_test_trainer_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_trainer_weights
TESTS += tests/unit/test_trainer_weights
tests_unit_test_trainer_weights_SOURCES = tests/unit/test_trainer_weights.c \
	tests/unit/trainer_fixture.h
tests_unit_test_trainer_weights_CPPFLAGS = $(unit_cppflags)
tests_unit_test_trainer_weights_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_training_plan
TESTS += tests/unit/test_training_plan
tests_unit_test_training_plan_SOURCES = tests/unit/test_training_plan.c
tests_unit_test_training_plan_CPPFLAGS = $(unit_cppflags)
tests_unit_test_training_plan_LDADD = libtrain.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_training_texts
TESTS += tests/unit/test_training_texts
tests_unit_test_training_texts_SOURCES = tests/unit/test_training_texts.c
tests_unit_test_training_texts_CPPFLAGS = $(unit_cppflags)
tests_unit_test_training_texts_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_chart
TESTS += tests/unit/test_chart
tests_unit_test_chart_SOURCES = tests/unit/test_chart.c tests/unit/unit.h
tests_unit_test_chart_CPPFLAGS = $(unit_cppflags) -I$(top_srcdir)/tests
tests_unit_test_chart_LDADD = tests/support/libmarkup.a libtrain.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_journal
TESTS += tests/unit/test_journal
tests_unit_test_journal_SOURCES = tests/unit/test_journal.c tests/unit/unit.h
tests_unit_test_journal_CPPFLAGS = $(unit_cppflags) -I$(top_srcdir)/tests
tests_unit_test_journal_LDADD = tests/support/libmarkup.a libtrain.a libmodel.a libnn.a libtext.a \
	libbase.a $(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_generation
TESTS += tests/unit/test_generation
tests_unit_test_generation_SOURCES = tests/unit/test_generation.c
tests_unit_test_generation_CPPFLAGS = $(unit_cppflags)
tests_unit_test_generation_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_tagging
TESTS += tests/unit/test_tagging
tests_unit_test_tagging_SOURCES = tests/unit/test_tagging.c tests/unit/task_fixture.h \
	tests/fault/fault.h
tests_unit_test_tagging_CPPFLAGS = $(unit_cppflags)
tests_unit_test_tagging_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_regression
TESTS += tests/unit/test_regression
tests_unit_test_regression_SOURCES = tests/unit/test_regression.c tests/unit/task_fixture.h \
	tests/fault/fault.h
tests_unit_test_regression_CPPFLAGS = $(unit_cppflags)
tests_unit_test_regression_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_captions
TESTS += tests/unit/test_captions
tests_unit_test_captions_SOURCES = tests/unit/test_captions.c tests/unit/task_fixture.h \
	tests/fault/fault.h
tests_unit_test_captions_CPPFLAGS = $(unit_cppflags)
tests_unit_test_captions_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_metric_rank
TESTS += tests/unit/test_metric_rank
tests_unit_test_metric_rank_SOURCES = tests/unit/test_metric_rank.c tests/unit/unit.h
tests_unit_test_metric_rank_CPPFLAGS = $(unit_cppflags)
tests_unit_test_metric_rank_LDADD = libtrain.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)
