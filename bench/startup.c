/*
 * How long from starting dragomand to its first translation, and how much memory it holds once
 * every model has been used. Starts the daemon RUNS times on MODELS and prints the median.
 *
 *     startup [MODELS [RUNS]]      default: the models of the sources, 11 runs
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "daemon.h"
#include "dragoman/client.h"

#define MAX_RUNS 1000
#define MB 1e6

struct measurement {
    double listening_ms, first_ms;  /* since the start */
    double computing_ms;            /* processor time until the first answer */
    double resident, peak, weights; /* bytes */
};

/* Sends a request and gives its result, NULL after a complaint. */
static json_t *ask(struct dragoman_client *client, const char *method, json_t *params)
{
    const char *line = "";
    size_t len;
    json_t *request = json_pack("{s:s, s:i, s:s, s:o*}", "jsonrpc", "2.0", "id", 1, "method",
                                method, "params", params);
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    bool good = text && dragoman_client_send(client, text, strlen(text)) == 0 &&
                dragoman_client_receive(client, &line, &len, DAEMON_PATIENCE_MS) == 0;
    free(text);
    json_decref(request);
    json_t *answer = good ? json_loads(line, 0, NULL) : NULL;
    json_t *result = json_incref(json_object_get(answer, "result"));
    if (!result)
        fprintf(stderr, "startup: %s: %s\n", method, good ? line : dragoman_client_message(client));
    json_decref(answer);
    return result;
}

/* A line "NAME:   N kB" of a file in /proc, in bytes. */
static double read_kb(pid_t pid, const char *file, const char *name)
{
    char path[64];
    struct buf text = BUF_INIT;
    double value = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    if (file_read(path, 1u << 20, &text, NULL) == 0) {
        const char *at = strstr(text.data, name);
        value = at ? strtod(at + strlen(name), NULL) * 1024 : 0;
    }
    buf_release(&text);
    return value;
}

/* Processor time that the process has used, in milliseconds. */
static double computing_ms(pid_t pid)
{
    clockid_t clock;
    struct timespec used = {.tv_sec = 0};
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (double)used.tv_sec * 1e3 + (double)used.tv_nsec / 1e6;
}

/* Uses each model once, so that all weights that are ever touched are, and adds up their files. */
static bool use_all(struct dragoman_client *client, double *weights)
{
    size_t i;
    json_t *model;
    json_t *models = ask(client, "models", NULL);
    bool good = models != NULL;
    *weights = 0;
    json_array_foreach(json_object_get(models, "models"), i, model)
    {
        const char *task = json_string_value(json_object_get(model, "task"));
        bool translates = task && strcmp(task, "translation") == 0;
        json_t *result = ask(client, translates ? "translate" : "classify",
                             json_pack("{s:s, s:O}", "text", "I want to know why.", "model",
                                       json_object_get(model, "name")));
        *weights += json_number_value(json_object_get(model, "bytes"));
        good = good && result;
        json_decref(result);
    }
    json_decref(models);
    return good;
}

static bool measure(const char *models, struct measurement *m)
{
    struct daemon daemon;
    struct dragoman_client *client = dragoman_client_new();
    int64_t begin = clock_ns();
    if (!client || !daemon_start(&daemon, models, NULL)) {
        dragoman_client_free(client);
        return false;
    }
    m->listening_ms = (double)(clock_ns() - begin) / 1e6;
    bool good = dragoman_client_connect(client, daemon.address, DAEMON_PATIENCE_MS) == 0;
    json_t *result = good ? ask(client, "translate",
                                json_pack("{s:s, s:s, s:s}", "text", "I want to know why.",
                                          "source", "en", "target", "fr"))
                          : NULL;
    m->first_ms = (double)(clock_ns() - begin) / 1e6;
    m->computing_ms = computing_ms(daemon.pid);
    good = result && use_all(client, &m->weights);
    m->resident = read_kb(daemon.pid, "smaps_rollup", "Rss:");
    m->peak = read_kb(daemon.pid, "status", "VmHWM:");
    json_decref(result);
    dragoman_client_free(client);
    return daemon_stop(&daemon) && good;
}

static int compare(const void *a, const void *b)
{
    double x = ((const struct measurement *)a)->first_ms;
    double y = ((const struct measurement *)b)->first_ms;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    static struct measurement runs[MAX_RUNS];
    char models[512];
    size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 11;
    snprintf(models, sizeof models, "%s/models", daemon_source_folder());
    if (argc > 3 || count == 0 || count > MAX_RUNS) {
        fprintf(stderr, "usage: startup [MODELS [RUNS]]\n");
        return 2;
    }
    for (size_t i = 0; i < count; i++)
        if (!measure(argc > 1 ? argv[1] : models, &runs[i]))
            return 1;
    qsort(runs, count, sizeof runs[0], compare);
    const struct measurement *m = &runs[count / 2];
    printf("runs           %zu; first answer %.1f to %.1f ms\n", count, runs[0].first_ms,
           runs[count - 1].first_ms);
    printf("listening      %.1f ms after the start (run of the median)\n", m->listening_ms);
    printf("first answer   %.1f ms after the start, %.1f ms of them computing\n", m->first_ms,
           m->computing_ms);
    printf("resident       %.1f MB when every model was used, %.1f MB at most\n", m->resident / MB,
           m->peak / MB);
    printf("weight files   %.1f MB; twice that and 40 MB are %.1f MB\n", m->weights / MB,
           2 * m->weights / MB + 40);
    return 0;
}
