/* The commands that ask one question: status, models, log, ping. With --json each prints the
   server's own objects, one a line. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "cmd/ctl.h"

#define MS_PER_S 1000

static void print_line(const json_t *value)
{
    json_dumpf(value, stdout, CTL_DUMP);
    putchar('\n');
}

/* A text or number that `path`, names joined by dots, leads to inside `object`; "" and 0 if none.
 */
static const json_t *find(const json_t *object, const char *path)
{
    char name[64];
    while (object && *path) {
        size_t len = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)len, path);
        object = json_object_get(object, name);
        path += len + (path[len] == '.');
    }
    return object;
}

static const char *text_at(const json_t *object, const char *path)
{
    const char *text = json_string_value(find(object, path));
    return text ? text : "";
}

static double number_at(const json_t *object, const char *path)
{
    return json_number_value(find(object, path));
}

static long long integer_at(const json_t *object, const char *path)
{
    return json_integer_value(find(object, path));
}

static void print_age(long long ms)
{
    long long s = ms / MS_PER_S;
    if (s < 60)
        printf("%lld s", s);
    else if (s < 3600)
        printf("%lld min %lld s", s / 60, s % 60);
    else if (s < 86400)
        printf("%lld h %lld min", s / 3600, s % 3600 / 60);
    else
        printf("%lld d %lld h", s / 86400, s % 86400 / 3600);
}

static void print_stats(const json_t *stats)
{
    const char *name;
    json_t *used;
    printf("connections  %lld open, %lld accepted, %lld refused\n",
           integer_at(stats, "connections.open"), integer_at(stats, "connections.accepted"),
           integer_at(stats, "connections.refused"));
    printf("requests     %lld received, %lld succeeded, %lld failed; %lld in flight, %lld queued\n",
           integer_at(stats, "requests.received"), integer_at(stats, "requests.succeeded"),
           integer_at(stats, "requests.failed"), integer_at(stats, "requests.in_flight"),
           integer_at(stats, "requests.queued"));
    printf("latency      p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, max %.1f ms\n",
           number_at(stats, "latency_ms.p50"), number_at(stats, "latency_ms.p90"),
           number_at(stats, "latency_ms.p99"), number_at(stats, "latency_ms.max"));
    printf("memory       %.1f MB resident\n", number_at(stats, "memory.resident_bytes") / 1e6);
    printf("request log  %lld rows written, %lld dropped\n", integer_at(stats, "log.rows"),
           integer_at(stats, "log.dropped"));
    json_object_foreach((json_t *)find(stats, "models"), name, used)
    {
        printf("used         %s: %lld requests, %lld texts\n", name, integer_at(used, "requests"),
               integer_at(used, "texts"));
    }
}

static void print_status(const json_t *version, const json_t *health, const json_t *stats)
{
    printf("%s %s: %s, up ", text_at(version, "name"), text_at(version, "version"),
           text_at(health, "status"));
    print_age(integer_at(stats, "uptime_ms"));
    printf("\nmodels       %lld loaded, %lld refused\n", integer_at(health, "models"),
           integer_at(health, "faults"));
    print_stats(stats);
}

int ctl_status(struct ctl *ctl)
{
    json_t *version = NULL, *health = NULL, *stats = NULL;
    int status = ctl_ask(ctl, "version", NULL, &version);
    if (status == CTL_FINE)
        status = ctl_ask(ctl, "health", NULL, &health);
    if (status == CTL_FINE)
        status = ctl_ask(ctl, "stats", NULL, &stats);
    if (status == CTL_FINE && ctl->settings.json) {
        json_t *all =
            json_pack("{s:O, s:O, s:O}", "version", version, "health", health, "stats", stats);
        print_line(all);
        json_decref(all);
    } else if (status == CTL_FINE) {
        print_status(version, health, stats);
    }
    json_decref(version);
    json_decref(health);
    json_decref(stats);
    return status;
}

/* "en > fr" of a translation model, labels, or what it reads. */
static void print_purpose(const json_t *model)
{
    size_t i;
    const json_t *label, *labels = find(model, "labels");
    if (find(model, "source"))
        printf("%s > %s", text_at(model, "source"), text_at(model, "target"));
    if (find(model, "features"))
        printf("%s %lld features", json_is_true(find(model, "grid")) ? "rows of" : "from",
               integer_at(model, "features"));
    if (find(model, "row"))
        printf("rows of %lld numbers", integer_at(model, "row"));
    json_array_foreach((json_t *)labels, i, label)
    {
        printf("%s%s", i ? ", " : "", json_is_string(label) ? json_string_value(label) : "");
    }
    putchar('\n');
}

static void print_models(const json_t *result)
{
    size_t i;
    const json_t *one;
    printf("%-20s %-15s %-15s %12s %9s  %s\n", "name", "task", "kind", "parameters", "MB",
           "purpose");
    json_array_foreach((json_t *)find(result, "models"), i, one)
    {
        printf("%-20s %-15s %-15s %12lld %9.1f  ", text_at(one, "name"), text_at(one, "task"),
               text_at(one, "kind"), integer_at(one, "parameters"), number_at(one, "bytes") / 1e6);
        print_purpose(one);
    }
    json_array_foreach((json_t *)find(result, "faults"), i, one)
    {
        printf("refused: %s: %s\n", text_at(one, "folder"), text_at(one, "reason"));
    }
}

static void print_each(const json_t *array)
{
    size_t i;
    const json_t *one;
    json_array_foreach((json_t *)array, i, one)
    {
        print_line(one);
    }
}

int ctl_models(struct ctl *ctl)
{
    json_t *result = NULL;
    int status = ctl_ask(ctl, "models", NULL, &result);
    if (status == CTL_FINE && ctl->settings.json) {
        print_each(find(result, "models"));
        print_each(find(result, "faults"));
    } else if (status == CTL_FINE) {
        print_models(result);
    }
    json_decref(result);
    return status;
}

/* "2026-01-31 12:00:00.123", local time. */
static void print_time(long long ms)
{
    char text[32] = "";
    time_t s = (time_t)(ms / MS_PER_S);
    struct tm parts;
    if (localtime_r(&s, &parts))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
    printf("%s.%03lld", text, ms % MS_PER_S);
}

/* The server sends the newest first; a terminal reads better with the newest last. */
static void print_rows(const json_t *rows)
{
    printf("%-23s %-9s %-20s %5s %8s %9s %7s  %s\n", "time", "method", "model", "texts", "bytes",
           "ms", "code", "peer");
    for (size_t i = json_array_size(rows); i-- > 0;) {
        const json_t *row = json_array_get(rows, i);
        const char *model = text_at(row, "model");
        print_time(integer_at(row, "time_ms"));
        printf(" %-9s %-20s %5lld %8lld %9.1f %7lld  %s\n", text_at(row, "method"),
               *model ? model : "-", integer_at(row, "texts"), integer_at(row, "bytes_in"),
               number_at(row, "latency_ms"), integer_at(row, "code"), text_at(row, "peer"));
    }
}

int ctl_log(struct ctl *ctl)
{
    json_t *result = NULL;
    json_t *params = json_pack("{s:I}", "limit", (json_int_t)ctl->settings.limit);
    if (ctl->settings.since) {
        int64_t since = clock_wall_ms() - ctl->settings.since * MS_PER_S;
        json_object_set_new(params, "since_ms", json_integer(since < 0 ? 0 : since));
    }
    int status = ctl_ask(ctl, "admin.log", params, &result);
    if (status == CTL_FINE && ctl->settings.json) {
        print_each(find(result, "rows"));
    } else if (status == CTL_FINE) {
        print_rows(find(result, "rows"));
        if (strcmp(text_at(result, "logging"), "off") == 0)
            ctl_complain("the server's request log is switched off");
    }
    json_decref(result);
    return status;
}

int ctl_ping(struct ctl *ctl)
{
    for (int64_t i = 0; i < ctl->settings.count; i++) {
        json_t *result = NULL;
        int64_t begin = clock_ns();
        int status = ctl_ask(ctl, "health", NULL, &result);
        double ms = (double)(clock_ns() - begin) / 1e6;
        if (status != CTL_FINE)
            return status;
        if (ctl->settings.json)
            printf("{\"status\":\"%s\",\"rtt_ms\":%.3f}\n", text_at(result, "status"), ms);
        else
            printf("%s, answered in %.3f ms\n", text_at(result, "status"), ms);
        json_decref(result);
    }
    return CTL_FINE;
}
