/* The results of the methods that tell about the server itself. */
#include <stdio.h>
#include <string.h>

#include "serve/admit.h"
#include "serve/proto_answer.h"
#include "text/json.h"

static void write_labels(struct buf *out, const struct spec *spec, struct err *err)
{
    json_write_name(out, "labels", err);
    buf_char(out, '[', err);
    for (size_t i = 0; i < spec->label_count; i++) {
        json_write_comma(out, err);
        json_write_text(out, spec->labels[i], strlen(spec->labels[i]), err);
    }
    buf_char(out, ']', err);
}

/* What the caller must give as a condition, where it is numbers. */
static void write_features(struct buf *out, const struct spec *spec, struct err *err)
{
    const size_t features = admit_features(spec);
    if (features == 0)
        return;
    json_write_integer(out, "features", (int64_t)features, err);
    json_write_boolean(out, "grid", spec->kind == SPEC_SEQ2SEQ, err);
}

static void write_model(struct buf *out, const struct model *model, struct err *err)
{
    const struct spec *spec = &model->spec;
    size_t parameters = 0;
    for (size_t i = 0; i < model->weights.count; i++)
        parameters += model->weights.tensors[i].count;
    json_write_comma(out, err);
    buf_char(out, '{', err);
    json_write_string(out, "name", spec->name, err);
    json_write_string(out, "task", spec_task_name(spec->task), err);
    json_write_string(out, "kind", spec_kind_name(spec->kind), err);
    switch (spec->task) {
    case SPEC_TRANSLATION:
        json_write_string(out, "source", spec->source, err);
        json_write_string(out, "target", spec->target, err);
        json_write_integer(out, "beam", (int64_t)spec->beam, err);
        break;
    case SPEC_GENERATION:
        write_features(out, spec, err);
        break;
    case SPEC_CLASSIFICATION:
    case SPEC_TAGGING:
    case SPEC_REGRESSION:
        if (spec->row > 0)
            json_write_integer(out, "row", (int64_t)spec->row, err);
        break;
    }
    if (spec->label_count > 0)
        write_labels(out, spec, err);
    json_write_integer(out, "parameters", (int64_t)parameters, err);
    json_write_integer(out, "bytes", (int64_t)model->weights.copy.size, err);
    buf_char(out, '}', err);
}

void proto_result_models(struct buf *out, const struct registry *registry, struct err *err)
{
    buf_text(out, "{\"models\":[", err);
    for (size_t i = 0; i < registry->count; i++)
        write_model(out, registry->models[i], err);
    buf_text(out, "],\"faults\":[", err);
    for (size_t i = 0; i < registry->fault_count; i++) {
        json_write_comma(out, err);
        buf_char(out, '{', err);
        json_write_string(out, "folder", registry->faults[i].folder, err);
        json_write_string(out, "reason", registry->faults[i].err.message, err);
        buf_char(out, '}', err);
    }
    buf_text(out, "]}", err);
}

void proto_result_health(struct buf *out, const struct registry *registry, bool draining,
                         struct err *err)
{
    bool degraded = registry->count == 0 || registry->fault_count > 0;
    buf_char(out, '{', err);
    json_write_string(out, "status", draining ? "draining" : degraded ? "degraded" : "ok", err);
    json_write_integer(out, "models", (int64_t)registry->count, err);
    json_write_integer(out, "faults", (int64_t)registry->fault_count, err);
    buf_char(out, '}', err);
}

void proto_result_version(struct buf *out, struct err *err)
{
    buf_char(out, '{', err);
    json_write_string(out, "name", "dragomand", err);
    json_write_string(out, "version", DRAGOMAN_VERSION, err);
    json_write_integer(out, "protocol", PROTO_VERSION, err);
    json_write_name(out, "methods", err);
    buf_char(out, '[', err);
    for (size_t i = 0; i < PROTO_METHODS; i++) {
        json_write_comma(out, err);
        json_write_text(out, proto_method_names[i], strlen(proto_method_names[i]), err);
    }
    buf_text(out, "]}", err);
}

static void write_counts(struct buf *out, const struct stats *stats,
                         const struct stats_moment *moment, struct err *err)
{
    json_write_name(out, "connections", err);
    buf_char(out, '{', err);
    json_write_integer(out, "open", (int64_t)moment->connections, err);
    json_write_integer(out, "accepted", (int64_t)stats->accepted, err);
    json_write_integer(out, "refused", (int64_t)stats->refused, err);
    buf_char(out, '}', err);
    json_write_name(out, "requests", err);
    buf_char(out, '{', err);
    json_write_integer(out, "received", (int64_t)stats->received, err);
    json_write_integer(out, "succeeded", (int64_t)stats->succeeded, err);
    json_write_integer(out, "failed", (int64_t)stats->failed, err);
    json_write_integer(out, "in_flight", (int64_t)moment->in_flight, err);
    json_write_integer(out, "queued", (int64_t)moment->queued, err);
    buf_char(out, '}', err);
}

static void write_errors(struct buf *out, const struct stats *stats, struct err *err)
{
    json_write_name(out, "errors", err);
    buf_char(out, '{', err);
    for (size_t i = 0; i < STATS_CODES; i++) {
        char code[16];
        snprintf(code, sizeof code, "%d", stats_codes[i]);
        if (stats->errors[i] > 0)
            json_write_integer(out, code, (int64_t)stats->errors[i], err);
    }
    buf_char(out, '}', err);
}

static void write_latency(struct buf *out, const struct stats *stats, struct err *err)
{
    struct stats_percentiles percentiles = stats_percentiles(stats);
    const struct {
        const char *name;
        double value;
    } members[] = {{"p50", percentiles.p50},
                   {"p90", percentiles.p90},
                   {"p99", percentiles.p99},
                   {"max", percentiles.max}};
    json_write_name(out, "latency_ms", err);
    buf_char(out, '{', err);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_write_name(out, members[i].name, err);
        json_write_number(out, members[i].value, err);
    }
    buf_char(out, '}', err);
}

static void write_used_models(struct buf *out, const struct stats *stats, struct err *err)
{
    json_write_name(out, "models", err);
    buf_char(out, '{', err);
    for (size_t i = 0; i < stats->model_count; i++) {
        json_write_name(out, stats->models[i].name, err);
        buf_char(out, '{', err);
        json_write_integer(out, "requests", (int64_t)stats->models[i].requests, err);
        json_write_integer(out, "texts", (int64_t)stats->models[i].texts, err);
        buf_char(out, '}', err);
    }
    buf_char(out, '}', err);
}

void proto_result_stats(struct buf *out, const struct stats *stats,
                        const struct stats_moment *moment, struct err *err)
{
    buf_char(out, '{', err);
    json_write_integer(out, "uptime_ms", (moment->now_ns - stats->start_ns) / 1000000, err);
    write_counts(out, stats, moment, err);
    write_errors(out, stats, err);
    write_latency(out, stats, err);
    write_used_models(out, stats, err);
    json_write_name(out, "decoding", err);
    buf_char(out, '{', err);
    json_write_integer(out, "steps", (int64_t)moment->steps, err);
    json_write_integer(out, "sentences", (int64_t)moment->sentences, err);
    json_write_integer(out, "encoded", (int64_t)moment->encoded, err);
    json_write_integer(out, "encodings", (int64_t)moment->encodings, err);
    json_write_integer(out, "rows", (int64_t)moment->rows, err);
    buf_char(out, '}', err);
    json_write_name(out, "generation", err);
    buf_char(out, '{', err);
    json_write_integer(out, "tokens", (int64_t)moment->tokens, err);
    buf_char(out, '}', err);
    json_write_name(out, "memory", err);
    buf_char(out, '{', err);
    json_write_integer(out, "resident_bytes", (int64_t)moment->resident_bytes, err);
    buf_char(out, '}', err);
    json_write_name(out, "log", err);
    buf_char(out, '{', err);
    json_write_integer(out, "rows", (int64_t)moment->log_rows, err);
    json_write_integer(out, "dropped", (int64_t)moment->log_dropped, err);
    buf_text(out, "}}", err);
}

static void write_row(struct buf *out, const struct reqlog_row *row, struct err *err)
{
    json_write_comma(out, err);
    buf_char(out, '{', err);
    json_write_integer(out, "time_ms", row->time_ms, err);
    json_write_string(out, "peer", row->peer, err);
    json_write_string(out, "method", row->method, err);
    json_write_name(out, "model", err);
    if (row->model[0])
        json_write_text(out, row->model, strlen(row->model), err);
    else
        buf_text(out, "null", err);
    json_write_integer(out, "texts", row->texts, err);
    json_write_integer(out, "bytes_in", row->bytes_in, err);
    json_write_integer(out, "bytes_out", row->bytes_out, err);
    json_write_name(out, "latency_ms", err);
    json_write_number(out, (double)row->total_us / 1000, err);
    json_write_integer(out, "code", row->code, err);
    if (row->input) { /* JSON already */
        json_write_name(out, "input", err);
        buf_text(out, row->input, err);
    }
    if (row->output) {
        json_write_name(out, "output", err);
        buf_text(out, row->output, err);
    }
    buf_char(out, '}', err);
}

void proto_result_log(struct buf *out, const char *logging, const struct reqlog_row *rows,
                      size_t count, struct err *err)
{
    buf_char(out, '{', err);
    json_write_string(out, "logging", logging, err);
    json_write_name(out, "rows", err);
    buf_char(out, '[', err);
    for (size_t i = 0; i < count; i++)
        write_row(out, &rows[i], err);
    buf_text(out, "]}", err);
}
