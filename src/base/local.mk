noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	src/base/err.c src/base/err.h \
	src/base/mem.c src/base/mem.h \
	src/base/buf.c src/base/buf.h \
	src/base/file.c src/base/file.h \
	src/base/rng.c src/base/rng.h \
	src/base/clock.c src/base/clock.h \
	src/base/log.c src/base/log.h \
	src/base/queue.c src/base/queue.h \
	src/base/pool.c src/base/pool.h \
	src/base/turn.c src/base/turn.h \
	src/base/opt.c src/base/opt_source.c src/base/opt_text.c src/base/opt.h
