nn_sources = \
	src/nn/real.h src/nn/half.h \
	src/nn/cpu.c src/nn/cpu.h \
	src/nn/mat.c src/nn/mat.h \
	src/nn/mat_rows.c src/nn/mat_tile.h \
	src/nn/mat_packed.c src/nn/mat_panel.h \
	src/nn/dense.c src/nn/dense.h \
	src/nn/layer.c src/nn/layer.h \
	src/nn/layer_norm.c src/nn/layer_norm.h \
	src/nn/cell.c src/nn/cell.h src/nn/cell_parts.h \
	src/nn/cell_finish.c \
	src/nn/cell_run.c \
	src/nn/cell_back.c \
	src/nn/cell_step.c \
	src/nn/cell_init.c \
	src/nn/cell_rnn.c \
	src/nn/cell_lstm.c \
	src/nn/cell_gru.c \
	src/nn/cell_gru_cho.c \
	src/nn/cell_mut.c \
	src/nn/recurrent.c src/nn/recurrent.h \
	src/nn/softmax.c src/nn/softmax.h \
	src/nn/attention.c src/nn/attention.h \
	src/nn/attention_parts.h src/nn/attention_additive.c \
	src/nn/attention_infer.c \
	src/nn/loss.c src/nn/loss.h \
	src/nn/optim.c src/nn/optim.h \
	src/nn/init.c src/nn/init.h

# Inference in single precision whose results must be the same bytes on every processor: products
# and sums are not contracted to one rounding there.
noinst_LIBRARIES += libnn_exact.a
libnn_exact_a_SOURCES = \
	src/nn/int8.c src/nn/int8.h src/nn/int8_tile.h src/nn/int8_x86.h src/nn/int8_neon.h \
	src/nn/int8_pack.c \
	src/nn/int8_rows.c \
	src/nn/pointwise.c src/nn/pointwise.h src/nn/pointwise_loops.h
libnn_exact_a_CFLAGS = $(nn_cflags) -ffp-contract=off

noinst_LIBRARIES += libnn.a
libnn_a_SOURCES = $(nn_sources)
libnn_a_LIBADD = $(libnn_exact_a_OBJECTS)
libnn_a_DEPENDENCIES = $(libnn_exact_a_OBJECTS)
# Nobody here reads errno or the floating-point exception flags of a root or a comparison; while the
# compiler must keep them, it leaves such loops unvectorised. Neither option changes a result.
nn_cflags = $(AM_CFLAGS) -fno-math-errno -fno-trapping-math
libnn_a_CFLAGS = $(nn_cflags)

# The same layer in double precision, for the finite-difference tests.
check_LIBRARIES += libnn_double.a
libnn_double_a_SOURCES = $(nn_sources)
libnn_double_a_CFLAGS = $(nn_cflags)
libnn_double_a_CPPFLAGS = $(AM_CPPFLAGS) -DDRAGOMAN_DOUBLE
