noinst_LIBRARIES += libserve.a
libserve_a_SOURCES = \
	src/serve/conf.c src/serve/conf.h \
	src/serve/proto.c src/serve/proto.h \
	src/serve/proto_params.c src/serve/proto_params.h \
	src/serve/proto_texts.c src/serve/proto_numbers.c \
	src/serve/proto_error.c src/serve/proto_refuse.c \
	src/serve/proto_answer.c src/serve/proto_answer.h src/serve/proto_result.c \
	src/serve/proto_report.c \
	src/serve/mailbox.c src/serve/mailbox.h \
	src/serve/thread.c src/serve/thread.h \
	src/serve/job.c src/serve/job.h \
	src/serve/batcher.c src/serve/batcher.h \
	src/serve/task.c src/serve/task.h \
	src/serve/align.c src/serve/align.h \
	src/serve/stream.c src/serve/stream.h \
	src/serve/writing.c src/serve/writing.h \
	src/serve/instant.c src/serve/instant.h \
	src/serve/translating.c src/serve/translating.h \
	src/serve/lane.c src/serve/lane.h src/serve/work.h \
	src/serve/worker.c src/serve/worker.h \
	src/serve/reqlog.c src/serve/reqlog.h \
	src/serve/reqlog_db.c src/serve/reqlog_db.h \
	src/serve/stats.c src/serve/stats.h \
	src/serve/conn.c src/serve/conn.h \
	src/serve/listen.c src/serve/listen.h \
	src/serve/reply.c src/serve/reply.h \
	src/serve/admit.c src/serve/admit.h \
	src/serve/request.c src/serve/request.h \
	src/serve/request_job.c src/serve/request_job.h \
	src/serve/request_log.c src/serve/request_log.h \
	src/serve/reload.c src/serve/reload.h \
	src/serve/method.c src/serve/method.h \
	src/serve/admin.c src/serve/admin.h \
	src/serve/server.c src/serve/server.h src/serve/server_parts.h
