# Tests that make every allocation fail once.
check_PROGRAMS += tests/fault/test_fault_base
TESTS += tests/fault/test_fault_base
tests_fault_test_fault_base_SOURCES = tests/fault/test_fault_base.c tests/fault/fault.h
tests_fault_test_fault_base_CPPFLAGS = $(unit_cppflags)
tests_fault_test_fault_base_LDADD = libbase.a $(unit_libs) $(DRAGOMAN_LIBS)
