# Tests of the sources themselves.
lint_tests = \
	tests/lint/layers.sh \
	tests/lint/calls.sh \
	tests/lint/headers.sh \
	tests/lint/sizes.sh \
	tests/lint/words.sh \
	tests/lint/shell.sh \
	tests/lint/man.sh \
	tests/lint/format.sh
dist_check_SCRIPTS += $(lint_tests)
TESTS += $(lint_tests)
EXTRA_DIST += tests/lint/common.sh
