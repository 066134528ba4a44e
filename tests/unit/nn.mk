# Unit tests of the nn layer, and of the translation network that stands on it.
nn_test_libs = libmodel.a libnn.a libtext.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)
nn_double_libs = libnn_double.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)
nn_double_cppflags = $(unit_cppflags) -I$(top_srcdir)/tests -DDRAGOMAN_DOUBLE
finite_difference = tests/support/finite_difference.c tests/support/finite_difference.h

nn_tests = \
	tests/unit/test_init \
	tests/unit/test_nn_mat \
	tests/unit/test_nn_layer \
	tests/unit/test_attention \
	tests/unit/test_attention_double \
	tests/unit/test_optim \
	tests/unit/test_cell_double \
	tests/unit/test_cell_equations \
	tests/unit/test_cell_step \
	tests/unit/test_recurrent_double \
	tests/unit/test_recurrent_golden \
	tests/unit/test_optim_golden \
	tests/unit/test_seq2seq_golden \
	tests/unit/test_seq2seq_double
check_PROGRAMS += $(nn_tests)
TESTS += $(nn_tests)

# Every path of the kernels that this processor has; and AArch64's under an emulator.
check_PROGRAMS += tests/unit/test_kernels
TESTS += tests/unit/test_kernels
tests_unit_test_kernels_SOURCES = tests/unit/test_kernels.c
tests_unit_test_kernels_LDADD = libnn.a libbase.a $(DRAGOMAN_LIBS)
dist_check_SCRIPTS += tests/unit/test_kernels_aarch64.sh
TESTS += tests/unit/test_kernels_aarch64.sh

tests_unit_test_init_SOURCES = tests/unit/test_init.c
tests_unit_test_init_CPPFLAGS = $(unit_cppflags)
tests_unit_test_init_LDADD = $(nn_test_libs)
tests_unit_test_nn_mat_SOURCES = tests/unit/test_nn_mat.c
tests_unit_test_nn_mat_CPPFLAGS = $(unit_cppflags)
tests_unit_test_nn_mat_LDADD = $(nn_test_libs)

# Backward passes against finite differences, in double precision.
tests_unit_test_nn_layer_SOURCES = tests/unit/test_nn_layer.c $(finite_difference)
tests_unit_test_nn_layer_CPPFLAGS = $(nn_double_cppflags)
tests_unit_test_nn_layer_LDADD = $(nn_double_libs)
tests_unit_test_attention_double_SOURCES = tests/unit/test_attention_double.c $(finite_difference)
tests_unit_test_attention_double_CPPFLAGS = $(nn_double_cppflags)
tests_unit_test_attention_double_LDADD = $(nn_double_libs)
tests_unit_test_optim_SOURCES = tests/unit/test_optim.c $(finite_difference)
tests_unit_test_optim_CPPFLAGS = $(nn_double_cppflags)
tests_unit_test_optim_LDADD = $(nn_double_libs)
tests_unit_test_cell_double_SOURCES = tests/unit/test_cell_double.c $(finite_difference)
tests_unit_test_cell_double_CPPFLAGS = $(nn_double_cppflags)
tests_unit_test_cell_double_LDADD = $(nn_double_libs)
tests_unit_test_recurrent_double_SOURCES = tests/unit/test_recurrent_double.c $(finite_difference)
tests_unit_test_recurrent_double_CPPFLAGS = $(nn_double_cppflags)
tests_unit_test_recurrent_double_LDADD = $(nn_double_libs)
# libmodel.a only resolves the names of what opens a bundle, which this test does not do.
tests_unit_test_seq2seq_double_SOURCES = tests/unit/test_seq2seq_double.c $(finite_difference) \
	src/model/parameter.c src/model/seq2seq.c src/model/seq2seq_learn.c \
	src/model/seq2seq_decoder.c
tests_unit_test_seq2seq_double_CPPFLAGS = $(nn_double_cppflags)
tests_unit_test_seq2seq_double_LDADD = libnn_double.a libmodel.a $(nn_double_libs)

# Against the equations; and inference against training.
tests_unit_test_cell_equations_SOURCES = tests/unit/test_cell_equations.c $(finite_difference)
tests_unit_test_cell_equations_CPPFLAGS = $(nn_double_cppflags)
tests_unit_test_cell_equations_LDADD = $(nn_double_libs)
tests_unit_test_cell_step_SOURCES = tests/unit/test_cell_step.c
tests_unit_test_cell_step_CPPFLAGS = $(unit_cppflags)
tests_unit_test_cell_step_LDADD = libnn.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)

# Against PyTorch's numbers.
golden = tests/support/golden.c tests/support/golden.h
golden_cppflags = $(unit_cppflags) -I$(top_srcdir)/tests
tests_unit_test_attention_SOURCES = tests/unit/test_attention.c $(golden)
tests_unit_test_attention_CPPFLAGS = $(golden_cppflags)
tests_unit_test_attention_LDADD = $(nn_test_libs)
tests_unit_test_recurrent_golden_SOURCES = tests/unit/test_recurrent_golden.c $(golden)
tests_unit_test_recurrent_golden_CPPFLAGS = $(golden_cppflags)
tests_unit_test_recurrent_golden_LDADD = $(nn_test_libs)
tests_unit_test_optim_golden_SOURCES = tests/unit/test_optim_golden.c $(golden)
tests_unit_test_optim_golden_CPPFLAGS = $(golden_cppflags)
tests_unit_test_optim_golden_LDADD = $(nn_test_libs)
tests_unit_test_seq2seq_golden_SOURCES = tests/unit/test_seq2seq_golden.c $(golden)
tests_unit_test_seq2seq_golden_CPPFLAGS = $(golden_cppflags)
tests_unit_test_seq2seq_golden_LDADD = $(nn_test_libs)

# The golden numbers and what made them (needs PyTorch; the tests only read the files).
EXTRA_DIST += \
	tests/golden/golden_tensors.py \
	tests/golden/make_attention.py \
	tests/golden/make_optim.py \
	tests/golden/make_recurrent.py \
	tests/golden/make_seq2seq.py \
	tests/golden/attention/golden.safetensors \
	tests/golden/optim.safetensors \
	tests/golden/recurrent \
	tests/golden/seq2seq
