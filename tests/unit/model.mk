# Unit tests of the model layer.
model_test_libs = tests/support/libsupport.a libmodel.a libnn.a libtext.a libbase.a \
	$(unit_libs) $(DRAGOMAN_LIBS)
