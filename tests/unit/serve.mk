# Unit tests of the serve layer: one program a module.
serve_test_cppflags = $(unit_cppflags) -I$(top_srcdir)/tests
serve_test_libs = tests/support/libsupport.a libserve.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)
serve_tests = \
	tests/unit/test_proto \
	tests/unit/test_batcher \
	tests/unit/test_conf \
	tests/unit/test_reqlog \
	tests/unit/test_conn \
	tests/unit/test_task \
	tests/unit/test_serve_parts
check_PROGRAMS += $(serve_tests)
TESTS += $(serve_tests)

tests_unit_test_proto_SOURCES = tests/unit/test_proto.c tests/unit/unit.h
tests_unit_test_proto_CPPFLAGS = $(serve_test_cppflags)
tests_unit_test_proto_LDADD = $(serve_test_libs)
tests_unit_test_batcher_SOURCES = tests/unit/test_batcher.c tests/unit/unit.h
tests_unit_test_batcher_CPPFLAGS = $(serve_test_cppflags)
tests_unit_test_batcher_LDADD = $(serve_test_libs)
tests_unit_test_conf_SOURCES = tests/unit/test_conf.c tests/unit/unit.h
tests_unit_test_conf_CPPFLAGS = $(serve_test_cppflags)
tests_unit_test_conf_LDADD = $(serve_test_libs)
tests_unit_test_reqlog_SOURCES = tests/unit/test_reqlog.c tests/unit/unit.h
tests_unit_test_reqlog_CPPFLAGS = $(serve_test_cppflags)
tests_unit_test_reqlog_LDADD = $(serve_test_libs)
tests_unit_test_conn_SOURCES = tests/unit/test_conn.c tests/unit/unit.h
tests_unit_test_conn_CPPFLAGS = $(serve_test_cppflags)
tests_unit_test_conn_LDADD = $(serve_test_libs)
tests_unit_test_task_SOURCES = tests/unit/test_task.c tests/unit/unit.h
tests_unit_test_task_CPPFLAGS = $(serve_test_cppflags)
tests_unit_test_task_LDADD = $(serve_test_libs)
tests_unit_test_serve_parts_SOURCES = tests/unit/test_serve_parts.c tests/unit/unit.h
tests_unit_test_serve_parts_CPPFLAGS = $(serve_test_cppflags)
tests_unit_test_serve_parts_LDADD = $(serve_test_libs)
