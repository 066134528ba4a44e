noinst_LIBRARIES += libmodel.a
libmodel_a_SOURCES = \
	src/model/spec.c src/model/spec.h src/model/spec_names.h \
	src/model/spec_write.c src/model/spec_card.c src/model/spec_bag.c src/model/spec_parts.h \
	src/model/safetensors.c src/model/safetensors.h \
	src/model/bundle.c src/model/bundle.h \
	src/model/bag.c src/model/bag.h src/model/bag_network.c src/model/bag_use.c \
	src/model/rnn.c src/model/rnn.h src/model/rnn_parts.h \
	src/model/rnn_pool.c src/model/rnn_learn.c src/model/rnn_predict.c \
	src/model/explain.c src/model/explain.h src/model/explain_parts.h \
	src/model/explain_rnn.c \
	src/model/model.c src/model/model.h \
	src/model/reading.c src/model/reading.h src/model/tag.c src/model/tag.h \
	src/model/cells.c src/model/cells.h \
	src/model/registry.c src/model/registry.h \
	src/model/parameter.c src/model/parameter.h \
	src/model/quantize.c src/model/quantize.h \
	src/model/model_parameters.c src/model/model_parameters.h \
	src/model/seq2seq.c src/model/seq2seq.h src/model/seq2seq_parts.h \
	src/model/seq2seq_forms.c \
	src/model/seq2seq_batch.c src/model/seq2seq_learn.c src/model/seq2seq_decoder.c
libmodel_a_SOURCES += src/model/batch.c src/model/batch.h \
	src/model/likelihood.c src/model/likelihood.h \
	src/model/language.c src/model/language.h \
	src/model/sample.c src/model/sample.h \
	src/model/generate.c src/model/generate.h \
	src/model/generate_score.c src/model/generate_parts.h
libmodel_a_SOURCES += \
	src/model/decode.c src/model/decode.h src/model/decode_parts.h \
	src/model/decode_network.c src/model/decode_encode.c \
	src/model/decode_step.c src/model/decode_beam.c
