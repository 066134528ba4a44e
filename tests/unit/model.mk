# Unit tests of the model layer.
model_test_libs = tests/support/libsupport.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)

# Decoding
check_PROGRAMS += tests/unit/test_decode
TESTS += tests/unit/test_decode
tests_unit_test_decode_SOURCES = tests/unit/test_decode.c tests/unit/decode_model.h \
	tests/unit/decode_reference.h
tests_unit_test_decode_CPPFLAGS = $(unit_cppflags)
tests_unit_test_decode_LDADD = libmodel.a libnn.a libtext.a libbase.a $(unit_libs) $(DRAGOMAN_LIBS)
