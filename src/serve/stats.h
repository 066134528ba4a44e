/* What the server has done so far. Belongs to the event thread. */
#ifndef DRAGOMAN_SERVE_STATS_H
#define DRAGOMAN_SERVE_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define STATS_LATENCIES 1024 /* the latest requests that percentiles are taken of */
#define STATS_CODES 13

struct stats_model {
    char name[65];
    uint64_t requests, texts;
};
struct stats {
    int64_t start_ns;
    uint64_t accepted, refused;            /* connections */
    uint64_t received, succeeded, failed;  /* requests of every method */
    uint64_t errors[STATS_CODES];          /* by stats_codes */
    int64_t latencies_ns[STATS_LATENCIES]; /* a ring */
    uint64_t latency_count;                /* since the start */
    struct stats_model *models;
    size_t model_count;
};
extern const int stats_codes[STATS_CODES];

void stats_init(struct stats *stats, int64_t now_ns);
void stats_release(struct stats *stats);
void stats_error(struct stats *stats, int code); /* a failed request */
void stats_latency(struct stats *stats, int64_t latency_ns);
/* Lack of memory leaves the model uncounted. */
void stats_model_used(struct stats *stats, const char *name, size_t texts);

struct stats_percentiles { /* milliseconds */
    double p50, p90, p99, max;
};
struct stats_percentiles stats_percentiles(const struct stats *stats);

/* What is counted elsewhere, at the moment of asking. */
struct stats_moment {
    int64_t now_ns;
    size_t connections, in_flight, queued, resident_bytes;
    uint64_t log_rows, log_dropped, steps, sentences, encoded, encodings, rows, tokens;
};
size_t stats_resident_bytes(void); /* of this process; 0 where it cannot be known */

#endif
