# Tests that talk to the programs from outside.

# dragoman
dragoman_tests = \
	tests/blackbox/test_dragoman.sh \
	tests/blackbox/test_dragoman_evaluate.sh \
	tests/blackbox/test_inspect.sh \
	tests/blackbox/test_train.sh \
	tests/blackbox/test_train_bad.sh \
	tests/blackbox/test_generate.sh \
	tests/blackbox/test_quantize.sh \
	tests/blackbox/test_shapes.sh \
	tests/blackbox/test_models.sh
dist_check_SCRIPTS += $(dragoman_tests)
EXTRA_DIST += tests/blackbox/dragoman.sh
TESTS += $(dragoman_tests)

# The protocol: transcripts against the running daemon.
check_PROGRAMS += tests/blackbox/replay_transcripts
TESTS += tests/blackbox/replay_transcripts
tests_blackbox_replay_transcripts_SOURCES = \
	tests/blackbox/replay_transcripts.c \
	tests/blackbox/daemon.c tests/blackbox/daemon.h \
	tests/blackbox/json_match.c tests/blackbox/json_match.h \
	tests/blackbox/json_schema.c tests/blackbox/json_schema.h \
	tests/blackbox/schemas.c tests/blackbox/schemas.h \
	src/cmd/client.c include/dragoman/client.h
tests_blackbox_replay_transcripts_LDADD = libbase.a $(DRAGOMAN_LIBS)

# dragomanctl, and the daemon under load
dist_check_SCRIPTS += tests/blackbox/test_ctl.sh tests/blackbox/test_load.sh
EXTRA_DIST += tests/blackbox/daemon.sh
TESTS += tests/blackbox/test_ctl.sh tests/blackbox/test_load.sh

# dragomand: clients that behave badly; how it starts, reloads and ends
dist_check_SCRIPTS += tests/blackbox/test_hostile.sh tests/blackbox/test_stop.sh
TESTS += tests/blackbox/test_hostile.sh tests/blackbox/test_stop.sh
check_PROGRAMS += tests/blackbox/hostile tests/blackbox/count_rows
tests_blackbox_hostile_SOURCES = tests/blackbox/hostile.c src/cmd/client.c \
	include/dragoman/client.h
tests_blackbox_hostile_LDADD = libbase.a $(DRAGOMAN_LIBS)
tests_blackbox_count_rows_SOURCES = tests/blackbox/count_rows.c
tests_blackbox_count_rows_LDADD = $(DRAGOMAN_LIBS)
