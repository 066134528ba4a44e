noinst_LIBRARIES += libtext.a
libtext_a_SOURCES = \
	src/text/utf8.c src/text/utf8.h \
	src/text/norm.c src/text/norm.h \
	src/text/piece.c src/text/piece.h \
	src/text/corpus.c src/text/corpus.h
