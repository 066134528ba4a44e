noinst_LIBRARIES += libtrain.a
libtrain_a_SOURCES = \
	src/train/metric.c src/train/metric.h \
	src/train/metric_ngram.c src/train/metric_ngram.h \
	src/train/metric_text.c src/train/metric_text.h
