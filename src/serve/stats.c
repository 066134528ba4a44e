/* Percentiles are exact: the latest latencies are kept and sorted when somebody asks. */
#include "serve/stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

const int stats_codes[STATS_CODES] = {-32700, -32600, -32601, -32602, -32603, -32000, -32001,
                                      -32002, -32003, -32004, -32005, -32006, -32007};

void stats_init(struct stats *stats, int64_t now_ns)
{
    *stats = (struct stats){.start_ns = now_ns};
}

void stats_release(struct stats *stats)
{
    mem_free(stats->models);
    stats->models = NULL;
    stats->model_count = 0;
}

void stats_error(struct stats *stats, int code)
{
    stats->failed++;
    for (size_t i = 0; i < STATS_CODES; i++)
        if (stats_codes[i] == code)
            stats->errors[i]++;
}

void stats_latency(struct stats *stats, int64_t latency_ns)
{
    stats->latencies_ns[stats->latency_count++ % STATS_LATENCIES] = latency_ns;
}

void stats_model_used(struct stats *stats, const char *name, size_t texts)
{
    size_t i = 0;
    while (i < stats->model_count && strcmp(stats->models[i].name, name) != 0)
        i++;
    if (i == stats->model_count) {
        struct stats_model *models = mem_resize(stats->models, i, i + 1, sizeof *models, NULL);
        if (!models)
            return;
        stats->models = models;
        stats->model_count++;
        snprintf(models[i].name, sizeof models[i].name, "%s", name);
    }
    stats->models[i].requests++;
    stats->models[i].texts += texts;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The smallest value that at least `percent` of 100 values do not exceed. */
static double percentile(const int64_t *sorted, size_t count, size_t percent)
{
    size_t rank = (count * percent + 99) / 100;
    return (double)sorted[rank - 1] / 1e6;
}

struct stats_percentiles stats_percentiles(const struct stats *stats)
{
    int64_t sorted[STATS_LATENCIES];
    size_t count =
        stats->latency_count < STATS_LATENCIES ? (size_t)stats->latency_count : STATS_LATENCIES;
    if (count == 0)
        return (struct stats_percentiles){0};
    memcpy(sorted, stats->latencies_ns, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    return (struct stats_percentiles){
        .p50 = percentile(sorted, count, 50),
        .p90 = percentile(sorted, count, 90),
        .p99 = percentile(sorted, count, 99),
        .max = percentile(sorted, count, 100),
    };
}

size_t stats_resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    unsigned long total, resident = 0;
    if (fscanf(file, "%lu %lu", &total, &resident) != 2)
        resident = 0;
    fclose(file);
    return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}
