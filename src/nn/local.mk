nn_sources = \
	src/nn/real.h \
	src/nn/mat.c src/nn/mat.h \
	src/nn/layer.c src/nn/layer.h \
	src/nn/cell_gru.c src/nn/cell_gru.h \
	src/nn/softmax.c src/nn/softmax.h \
	src/nn/attention.c src/nn/attention.h \
	src/nn/loss.c src/nn/loss.h \
	src/nn/optim.c src/nn/optim.h \
	src/nn/init.c src/nn/init.h

noinst_LIBRARIES += libnn.a
libnn_a_SOURCES = $(nn_sources)

# The same layer in double precision, for the finite-difference tests.
check_LIBRARIES += libnn_double.a
libnn_double_a_SOURCES = $(nn_sources)
libnn_double_a_CPPFLAGS = $(AM_CPPFLAGS) -DDRAGOMAN_DOUBLE
