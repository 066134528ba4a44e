/* Answers of the protocol as JSON: the frame around a result, errors, and each method's result.
   Lack of memory is noted in `err`, where the first error wins: look at it once at the end. */
#ifndef DRAGOMAN_SERVE_PROTO_ANSWER_H
#define DRAGOMAN_SERVE_PROTO_ANSWER_H

#include "model/registry.h"
#include "serve/job.h"
#include "serve/proto.h"
#include "serve/reqlog.h"
#include "serve/stats.h"

/* {"jsonrpc":"2.0","id":ID,"result": and its closing brace; a result is written in between. */
void proto_answer_begin(struct buf *out, const char *id, struct err *err);
void proto_answer_end(struct buf *out, struct err *err);
void proto_answer_error(struct buf *out, const char *id, const struct proto_error *error,
                        struct err *err);

/* {"model":NAME, to which the rest of a result is added. */
void proto_write_model_name(struct buf *out, const struct model *model, struct err *err);
/* jobs[0..count) are done; nbest 1: no alternatives. */
void proto_result_translate(struct buf *out, const struct model *model, const struct job *jobs,
                            size_t count, size_t nbest, struct err *err);
/* top 0: all labels. */
void proto_result_classify(struct buf *out, const struct model *model, const struct job *jobs,
                           size_t count, size_t top, struct err *err);
void proto_result_generate(struct buf *out, const struct model *model, const struct job *job,
                           struct err *err);
void proto_result_regress(struct buf *out, const struct model *model, const struct job *jobs,
                          size_t count, struct err *err);
void proto_result_tag(struct buf *out, const struct model *model, const struct job *jobs,
                      size_t count, struct err *err);
/* The notification generate.delta, a whole line: `text` is what `id` has got since the last. */
void proto_delta(struct buf *out, const char *id, const struct buf *text, struct err *err);
void proto_result_models(struct buf *out, const struct registry *registry, struct err *err);
void proto_result_health(struct buf *out, const struct registry *registry, bool draining,
                         struct err *err);
void proto_result_version(struct buf *out, struct err *err);
void proto_result_stats(struct buf *out, const struct stats *stats,
                        const struct stats_moment *moment, struct err *err);
void proto_result_log(struct buf *out, const char *logging, const struct reqlog_row *rows,
                      size_t count, struct err *err);

#endif
