# Tests that make every allocation fail once.
check_PROGRAMS += tests/fault/test_fault_base
TESTS += tests/fault/test_fault_base
tests_fault_test_fault_base_SOURCES = tests/fault/test_fault_base.c tests/fault/fault.h
tests_fault_test_fault_base_CPPFLAGS = $(unit_cppflags)
tests_fault_test_fault_base_LDADD = libbase.a $(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/fault/test_fault_text
TESTS += tests/fault/test_fault_text
tests_fault_test_fault_text_SOURCES = tests/fault/test_fault_text.c tests/fault/fault.h
tests_fault_test_fault_text_CPPFLAGS = $(unit_cppflags)
tests_fault_test_fault_text_LDADD = libtext.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/fault/test_fault_recurrent
TESTS += tests/fault/test_fault_recurrent
tests_fault_test_fault_recurrent_SOURCES = tests/fault/test_fault_recurrent.c tests/fault/fault.h
tests_fault_test_fault_recurrent_CPPFLAGS = $(unit_cppflags)
tests_fault_test_fault_recurrent_LDADD = libnn.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/fault/test_fault_model
TESTS += tests/fault/test_fault_model
tests_fault_test_fault_model_SOURCES = tests/fault/test_fault_model.c tests/fault/fault.h
tests_fault_test_fault_model_CPPFLAGS = $(unit_cppflags) -I$(top_srcdir)/tests
tests_fault_test_fault_model_LDADD = tests/support/libsupport.a libmodel.a libnn.a libtext.a \
	libbase.a $(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/fault/test_fault_generate
TESTS += tests/fault/test_fault_generate
tests_fault_test_fault_generate_SOURCES = tests/fault/test_fault_generate.c tests/fault/fault.h \
	tests/unit/language_fixture.h tests/unit/unit.h
tests_fault_test_fault_generate_CPPFLAGS = $(unit_cppflags) -I$(top_srcdir)/tests
tests_fault_test_fault_generate_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/fault/test_fault_decode
TESTS += tests/fault/test_fault_decode
tests_fault_test_fault_decode_SOURCES = tests/fault/test_fault_decode.c tests/fault/fault.h
tests_fault_test_fault_decode_CPPFLAGS = $(unit_cppflags) -I$(top_srcdir)/tests
tests_fault_test_fault_decode_LDADD = libmodel.a libnn.a libtext.a libbase.a $(unit_libs) \
	$(DRAGOMAN_LIBS)

check_PROGRAMS += tests/fault/test_fault_serve
TESTS += tests/fault/test_fault_serve
tests_fault_test_fault_serve_SOURCES = tests/fault/test_fault_serve.c tests/fault/fault.h
tests_fault_test_fault_serve_CPPFLAGS = $(unit_cppflags) -I$(top_srcdir)/tests
tests_fault_test_fault_serve_LDADD = tests/support/libsupport.a libserve.a libmodel.a libnn.a \
	libtext.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/fault/test_fault_train
TESTS += tests/fault/test_fault_train
tests_fault_test_fault_train_SOURCES = tests/fault/test_fault_train.c tests/fault/fault.h
tests_fault_test_fault_train_CPPFLAGS = $(unit_cppflags) -I$(top_srcdir)/tests
tests_fault_test_fault_train_LDADD = tests/support/libmarkup.a libtrain.a libmodel.a libnn.a \
	libtext.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)
