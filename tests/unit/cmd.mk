# Unit tests of what the programs are made of, and of the tools that judge the protocol.
cmd_tests = tests/unit/test_client tests/unit/test_ctl_input tests/unit/test_json_tools
check_PROGRAMS += $(cmd_tests)
TESTS += $(cmd_tests)
cmd_test_libs = libbase.a $(unit_libs) $(DRAGOMAN_LIBS)

tests_unit_test_client_SOURCES = tests/unit/test_client.c tests/unit/unit.h \
	src/cmd/client.c include/dragoman/client.h
tests_unit_test_client_CPPFLAGS = $(unit_cppflags)
tests_unit_test_client_LDADD = $(cmd_test_libs)

tests_unit_test_ctl_input_SOURCES = tests/unit/test_ctl_input.c tests/unit/unit.h \
	src/cmd/ctl_input.c src/cmd/ctl_input.h
tests_unit_test_ctl_input_CPPFLAGS = $(unit_cppflags)
tests_unit_test_ctl_input_LDADD = $(cmd_test_libs)

tests_unit_test_json_tools_SOURCES = tests/unit/test_json_tools.c tests/unit/unit.h \
	tests/blackbox/json_match.c tests/blackbox/json_match.h \
	tests/blackbox/json_schema.c tests/blackbox/json_schema.h
tests_unit_test_json_tools_CPPFLAGS = $(unit_cppflags)
tests_unit_test_json_tools_LDADD = $(cmd_test_libs)

check_PROGRAMS += tests/unit/test_cells
TESTS += tests/unit/test_cells
tests_unit_test_cells_SOURCES = tests/unit/test_cells.c tests/unit/unit.h \
	src/cmd/cells_rank.c src/cmd/cells_rank.h \
	src/cmd/cells_page.c src/cmd/cells_page.h src/cmd/cells_script.c
tests_unit_test_cells_CPPFLAGS = $(unit_cppflags) -I$(top_srcdir)/tests
tests_unit_test_cells_LDADD = tests/support/libsupport.a tests/support/libmarkup.a \
	libtrain.a libmodel.a libnn.a libtext.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)
