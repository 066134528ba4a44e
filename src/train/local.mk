noinst_LIBRARIES += libtrain.a
libtrain_a_SOURCES = src/train/metric.h src/train/metric_ngram.h src/train/metric_text.h 
