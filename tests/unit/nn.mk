# Unit tests of the nn layer, and of the translation network that stands on it.
nn_test_libs = libmodel.a libnn.a libtext.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)
check_PROGRAMS += tests/unit/test_seq2seq_golden
TESTS += tests/unit/test_seq2seq_golden
tests_unit_test_seq2seq_golden_SOURCES = tests/unit/test_seq2seq_golden.c
tests_unit_test_seq2seq_golden_CPPFLAGS = $(unit_cppflags)
tests_unit_test_seq2seq_golden_LDADD = $(nn_test_libs)

# The golden numbers and what made them (needs PyTorch; the tests only read the files).
EXTRA_DIST += \
	tests/golden/golden_tensors.py \
	tests/golden/make_seq2seq.py \
	tests/golden/seq2seq/tied/golden.safetensors \
	tests/golden/seq2seq/tied/weights.safetensors \
	tests/golden/seq2seq/untied/golden.safetensors \
	tests/golden/seq2seq/untied/weights.safetensors
