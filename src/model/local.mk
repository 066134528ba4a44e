noinst_LIBRARIES += libmodel.a
libmodel_a_SOURCES = \
	src/model/spec.c src/model/spec.h src/model/spec_names.h \
	src/model/spec_write.c src/model/spec_card.c \
	src/model/safetensors.c src/model/safetensors.h \
	src/model/bundle.c src/model/bundle.h \
	src/model/parameter.c src/model/parameter.h \
	src/model/seq2seq.c src/model/seq2seq.h src/model/seq2seq_learn.c
libmodel_a_SOURCES += src/model/batch.c src/model/batch.h
