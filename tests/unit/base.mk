# Unit tests of the base layer: one program a module.
base_tests = \
	tests/unit/test_err \
	tests/unit/test_mem \
	tests/unit/test_buf \
	tests/unit/test_file \
	tests/unit/test_rng \
	tests/unit/test_clock \
	tests/unit/test_log \
	tests/unit/test_queue \
	tests/unit/test_pool \
	tests/unit/test_turn \
	tests/unit/test_opt
check_PROGRAMS += $(base_tests)
TESTS += $(base_tests)
base_test_libs = libbase.a $(unit_libs) $(DRAGOMAN_LIBS)

tests_unit_test_err_SOURCES = tests/unit/test_err.c tests/unit/unit.h
tests_unit_test_err_CPPFLAGS = $(unit_cppflags)
tests_unit_test_err_LDADD = $(base_test_libs)

tests_unit_test_mem_SOURCES = tests/unit/test_mem.c tests/unit/unit.h
tests_unit_test_mem_CPPFLAGS = $(unit_cppflags)
tests_unit_test_mem_LDADD = $(base_test_libs)

tests_unit_test_buf_SOURCES = tests/unit/test_buf.c tests/unit/unit.h
tests_unit_test_buf_CPPFLAGS = $(unit_cppflags)
tests_unit_test_buf_LDADD = $(base_test_libs)

tests_unit_test_file_SOURCES = tests/unit/test_file.c tests/unit/unit.h
tests_unit_test_file_CPPFLAGS = $(unit_cppflags)
tests_unit_test_file_LDADD = $(base_test_libs)

tests_unit_test_rng_SOURCES = tests/unit/test_rng.c tests/unit/unit.h
tests_unit_test_rng_CPPFLAGS = $(unit_cppflags)
tests_unit_test_rng_LDADD = $(base_test_libs)

tests_unit_test_clock_SOURCES = tests/unit/test_clock.c tests/unit/unit.h
tests_unit_test_clock_CPPFLAGS = $(unit_cppflags)
tests_unit_test_clock_LDADD = $(base_test_libs)

tests_unit_test_log_SOURCES = tests/unit/test_log.c tests/unit/unit.h
tests_unit_test_log_CPPFLAGS = $(unit_cppflags)
tests_unit_test_log_LDADD = $(base_test_libs)

tests_unit_test_queue_SOURCES = tests/unit/test_queue.c tests/unit/unit.h
tests_unit_test_queue_CPPFLAGS = $(unit_cppflags)
tests_unit_test_queue_LDADD = $(base_test_libs)

tests_unit_test_pool_SOURCES = tests/unit/test_pool.c tests/unit/unit.h
tests_unit_test_pool_CPPFLAGS = $(unit_cppflags)
tests_unit_test_pool_LDADD = $(base_test_libs)

tests_unit_test_turn_SOURCES = tests/unit/test_turn.c tests/unit/unit.h
tests_unit_test_turn_CPPFLAGS = $(unit_cppflags)
tests_unit_test_turn_LDADD = $(base_test_libs)

tests_unit_test_opt_SOURCES = tests/unit/test_opt.c tests/unit/unit.h
tests_unit_test_opt_CPPFLAGS = $(unit_cppflags)
tests_unit_test_opt_LDADD = $(base_test_libs)
