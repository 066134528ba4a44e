# Unit tests of the model layer.
model_test_libs = tests/support/libsupport.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)
model_test_cppflags = $(unit_cppflags) -I$(top_srcdir)/tests

model_tests = \
	tests/unit/test_spec \
	tests/unit/test_safetensors \
	tests/unit/test_bundle \
	tests/unit/test_quantize \
	tests/unit/test_registry \
	tests/unit/test_bag \
	tests/unit/test_bag_double \
	tests/unit/test_rnn \
	tests/unit/test_rnn_double
check_PROGRAMS += $(model_tests)
TESTS += $(model_tests)

tests_unit_test_spec_SOURCES = tests/unit/test_spec.c
tests_unit_test_spec_CPPFLAGS = $(model_test_cppflags)
tests_unit_test_spec_LDADD = $(model_test_libs)
tests_unit_test_safetensors_SOURCES = tests/unit/test_safetensors.c
tests_unit_test_safetensors_CPPFLAGS = $(model_test_cppflags)
tests_unit_test_safetensors_LDADD = $(model_test_libs)
tests_unit_test_bundle_SOURCES = tests/unit/test_bundle.c
tests_unit_test_bundle_CPPFLAGS = $(model_test_cppflags)
tests_unit_test_bundle_LDADD = $(model_test_libs)
tests_unit_test_bundle_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=renameat2
tests_unit_test_quantize_SOURCES = tests/unit/test_quantize.c
tests_unit_test_quantize_CPPFLAGS = $(model_test_cppflags)
tests_unit_test_quantize_LDADD = $(model_test_libs)
tests_unit_test_registry_SOURCES = tests/unit/test_registry.c
tests_unit_test_registry_CPPFLAGS = $(model_test_cppflags)
tests_unit_test_registry_LDADD = $(model_test_libs)
tests_unit_test_bag_SOURCES = tests/unit/test_bag.c
tests_unit_test_bag_CPPFLAGS = $(model_test_cppflags)
tests_unit_test_bag_LDADD = $(model_test_libs)

# Backward passes against finite differences, in double precision. libmodel.a only resolves the
# names of what opens a bundle, which this test does not do.
tests_unit_test_bag_double_SOURCES = tests/unit/test_bag_double.c $(finite_difference) \
	src/model/bag_network.c
tests_unit_test_bag_double_CPPFLAGS = $(nn_double_cppflags)
tests_unit_test_bag_double_LDADD = libnn_double.a libmodel.a libtext.a $(nn_double_libs)

tests_unit_test_rnn_SOURCES = tests/unit/test_rnn.c
tests_unit_test_rnn_CPPFLAGS = $(model_test_cppflags)
tests_unit_test_rnn_LDADD = $(model_test_libs)
tests_unit_test_rnn_double_SOURCES = tests/unit/test_rnn_double.c $(finite_difference) \
	src/model/rnn.c src/model/rnn_pool.c src/model/rnn_learn.c src/model/parameter.c
tests_unit_test_rnn_double_CPPFLAGS = $(nn_double_cppflags)
tests_unit_test_rnn_double_LDADD = libnn_double.a libmodel.a libtext.a $(nn_double_libs)

# Whole corpora through the translator.
check_PROGRAMS += tests/unit/test_batch
TESTS += tests/unit/test_batch
tests_unit_test_batch_SOURCES = tests/unit/test_batch.c
tests_unit_test_batch_CPPFLAGS = $(model_test_cppflags)
tests_unit_test_batch_LDADD = $(model_test_libs)

# Models that decode together.
check_PROGRAMS += tests/unit/test_ensemble
TESTS += tests/unit/test_ensemble
tests_unit_test_ensemble_SOURCES = tests/unit/test_ensemble.c
tests_unit_test_ensemble_CPPFLAGS = $(model_test_cppflags)
tests_unit_test_ensemble_LDADD = $(model_test_libs)

# Given translations through the model.
check_PROGRAMS += tests/unit/test_likelihood
TESTS += tests/unit/test_likelihood
tests_unit_test_likelihood_SOURCES = tests/unit/test_likelihood.c \
	tests/unit/decode_model.h
tests_unit_test_likelihood_CPPFLAGS = $(model_test_cppflags)
tests_unit_test_likelihood_LDADD = $(model_test_libs)

decode_tests = tests/unit/test_decode tests/unit/test_decode_kinds tests/unit/test_decode_forms
check_PROGRAMS += $(decode_tests)
TESTS += $(decode_tests)
decode_test_headers = tests/unit/decode_checks.h tests/unit/decode_model.h \
	tests/unit/decode_reference.h
decode_test_libs = libmodel.a libnn.a libtext.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)
tests_unit_test_decode_SOURCES = tests/unit/test_decode.c $(decode_test_headers)
tests_unit_test_decode_CPPFLAGS = $(unit_cppflags)
tests_unit_test_decode_LDADD = $(decode_test_libs)
tests_unit_test_decode_kinds_SOURCES = tests/unit/test_decode_kinds.c $(decode_test_headers)
tests_unit_test_decode_kinds_CPPFLAGS = $(unit_cppflags)
tests_unit_test_decode_kinds_LDADD = $(decode_test_libs)
tests_unit_test_decode_forms_SOURCES = tests/unit/test_decode_forms.c $(decode_test_headers)
tests_unit_test_decode_forms_CPPFLAGS = $(unit_cppflags)
tests_unit_test_decode_forms_LDADD = $(decode_test_libs)

# Language models.
check_PROGRAMS += tests/unit/test_generate
TESTS += tests/unit/test_generate
tests_unit_test_generate_SOURCES = tests/unit/test_generate.c tests/unit/language_fixture.h
tests_unit_test_generate_CPPFLAGS = $(model_test_cppflags)
tests_unit_test_generate_LDADD = $(model_test_libs)

check_PROGRAMS += tests/unit/test_decode_rows
TESTS += tests/unit/test_decode_rows
tests_unit_test_decode_rows_SOURCES = tests/unit/test_decode_rows.c tests/unit/decode_model.h
tests_unit_test_decode_rows_CPPFLAGS = $(unit_cppflags)
tests_unit_test_decode_rows_LDADD = libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

check_PROGRAMS += tests/unit/test_explain_rnn
TESTS += tests/unit/test_explain_rnn
tests_unit_test_explain_rnn_SOURCES = tests/unit/test_explain_rnn.c tests/unit/unit.h
tests_unit_test_explain_rnn_CPPFLAGS = $(model_test_cppflags)
tests_unit_test_explain_rnn_LDADD = $(model_test_libs)
