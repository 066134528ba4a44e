noinst_LIBRARIES += libserve.a
libserve_a_SOURCES = src/serve/conf.h 
