/*
 * Load generator: N connections, each of which sends M requests, one after the other's answer.
 * Every sentence is first sent alone on an idle server, and every later answer must equal that one,
 * to the last digit; so it is a test of the promise that company changes nothing, and a measurement
 * of throughput and latency. Exits with 1 when an answer differs, fails or is missing.
 *
 *     load --connect ADDR [--connections N] [--requests M] [--method translate|classify]
 *          [--source L --target L | --model NAME] [--beam N] [--sentences N] FILE
 */
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/opt.h"
#include "dragoman/client.h"

#define MAX_FILE (256u << 20)
#define PATIENCE_MS 600000 /* longest time without any answer */

struct settings {
    char *connect, *source, *target, *model;
    int64_t connections, requests, beam, sentences, timeout_ms;
    int method;
    bool help;
};

#define AT(member) offsetof(struct settings, member)
static const struct opt table[] = {
    {"connect", 'c', OPT_TEXT, OPT_ONLY_ARGUMENT, NULL, AT(connect), DRAGOMAN_CLIENT_ADDRESS, 0, 0,
     NULL, "ADDR", NULL, "server"},
    {"connections", 'n', OPT_INT, OPT_ONLY_ARGUMENT, NULL, AT(connections), "200", 1, 10000, NULL,
     "N", NULL, "connections at the same time"},
    {"requests", 'r', OPT_INT, OPT_ONLY_ARGUMENT, NULL, AT(requests), "10", 1, 1e6, NULL, "N", NULL,
     "requests of each connection"},
    {"sentences", 0, OPT_INT, OPT_ONLY_ARGUMENT, NULL, AT(sentences), "100", 1, 1e6, NULL, "N",
     NULL, "use the first N lines of the file"},
    {"method", 0, OPT_CHOICE, OPT_ONLY_ARGUMENT, NULL, AT(method), "translate", 0, 0,
     "translate|classify", "NAME", NULL, "what to ask for"},
    {"source", 's', OPT_TEXT, OPT_ONLY_ARGUMENT, NULL, AT(source), NULL, 0, 0, NULL, "LANG", NULL,
     "language of the sentences"},
    {"target", 't', OPT_TEXT, OPT_ONLY_ARGUMENT, NULL, AT(target), NULL, 0, 0, NULL, "LANG", NULL,
     "language wanted"},
    {"model", 'm', OPT_TEXT, OPT_ONLY_ARGUMENT, NULL, AT(model), NULL, 0, 0, NULL, "NAME", NULL,
     "model to use"},
    {"beam", 'b', OPT_INT, OPT_ONLY_ARGUMENT, NULL, AT(beam), NULL, 1, 16, NULL, "N", NULL,
     "hypotheses; the model's own number where not given"},
    {"timeout-ms", 0, OPT_INT, OPT_ONLY_ARGUMENT, NULL, AT(timeout_ms), "600000", 1, 600000, NULL,
     "N", "ms", "how long the server may take for a request"},
    {"help", 'h', OPT_FLAG, OPT_ONLY_ARGUMENT, NULL, AT(help), NULL, 0, 0, NULL, NULL, NULL,
     "print this text"},
    {.name = NULL},
};

struct sentence {
    json_t *text;
    json_t *alone; /* the result when it was sent alone */
};

struct connection {
    struct dragoman_client *client;
    size_t asked, answered;
    int64_t begin_ns; /* of the request that is under way */
};

struct load {
    struct settings settings;
    struct sentence *sentences;
    size_t sentence_count;
    struct connection *connections;
    struct pollfd *polls;
    double *latency_ms;
    size_t answers, mismatches, errors;
};

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "load: %s: %s\n", what, why);
    return -1;
}

/* The sentence of the n-th request of a connection: neighbours ask for different ones. */
static const struct sentence *sentence_of(const struct load *load, size_t connection, size_t n)
{
    size_t number = connection * (size_t)load->settings.requests + n;
    return &load->sentences[number * 7919 % load->sentence_count];
}

static int add_sentence(struct load *load, const char *line, size_t len)
{
    json_t *text = json_stringn(line, len);
    if (!text)
        return complain("not UTF-8", line);
    struct sentence *grown = mem_resize(load->sentences, load->sentence_count,
                                        load->sentence_count + 1, sizeof *grown, NULL);
    if (!grown)
        return complain("reading", "out of memory");
    load->sentences = grown;
    load->sentences[load->sentence_count++].text = text;
    return 0;
}

/* Takes the first column of each line. */
static int read_sentences(struct load *load, const char *path)
{
    struct err err = ERR_INIT;
    struct buf text = BUF_INIT;
    if (file_read(path, MAX_FILE, &text, &err) < 0)
        return complain(path, err.message);
    int code = 0;
    for (char *at = text.data; at && *at && code == 0;) {
        size_t len = strcspn(at, "\n"), column = strcspn(at, "\t\r\n");
        at[column] = '\0';
        if (column > 0)
            code = add_sentence(load, at, column);
        at += len + 1;
        if (at >= text.data + text.len || load->sentence_count == (size_t)load->settings.sentences)
            break;
    }
    buf_release(&text);
    if (code == 0 && load->sentence_count == 0)
        return complain(path, "no sentences");
    return code;
}

static int ask(struct load *load, struct connection *connection, const struct sentence *sentence)
{
    const struct settings *s = &load->settings;
    json_t *request =
        json_pack("{s:s, s:I, s:s, s:{s:O, s:I, s:s*, s:s*, s:s*}}", "jsonrpc", "2.0", "id",
                  (json_int_t)connection->asked, "method", s->method ? "classify" : "translate",
                  "params", "text", sentence->text, "timeout_ms", (json_int_t)s->timeout_ms,
                  "source", s->source, "target", s->target, "model", s->model);
    if (s->beam)
        json_object_set_new(json_object_get(request, "params"), "beam", json_integer(s->beam));
    char *line = request ? json_dumps(request, JSON_COMPACT) : NULL;
    connection->begin_ns = clock_ns();
    connection->asked++;
    int code = line ? dragoman_client_send(connection->client, line, strlen(line)) : -1;
    free(line);
    json_decref(request);
    return code < 0 ? complain("sending", dragoman_client_message(connection->client)) : 0;
}

static int open_connection(const struct load *load, struct connection *connection)
{
    connection->client = dragoman_client_new();
    if (!connection->client)
        return complain("connecting", "out of memory");
    if (dragoman_client_connect(connection->client, load->settings.connect, PATIENCE_MS) < 0)
        return complain("connecting", dragoman_client_message(connection->client));
    return 0;
}

/* Sends every sentence on its own and keeps the results. */
static int ask_alone(struct load *load)
{
    struct connection connection = {.client = NULL};
    int code = open_connection(load, &connection);
    for (size_t i = 0; i < load->sentence_count && code == 0; i++) {
        const char *line;
        size_t len;
        code = ask(load, &connection, &load->sentences[i]);
        if (code == 0 && dragoman_client_receive(connection.client, &line, &len, PATIENCE_MS) < 0)
            code = complain("receiving", dragoman_client_message(connection.client));
        json_t *answer = code == 0 ? json_loadb(line, len, 0, NULL) : NULL;
        load->sentences[i].alone = json_incref(json_object_get(answer, "result"));
        if (code == 0 && !load->sentences[i].alone)
            code = complain("sent alone, it is refused", line);
        json_decref(answer);
    }
    dragoman_client_free(connection.client);
    return code;
}

static void check_answer(struct load *load, size_t index, const char *line, size_t len)
{
    struct connection *connection = &load->connections[index];
    json_t *answer = json_loadb(line, len, 0, NULL);
    const json_t *result = json_object_get(answer, "result");
    const struct sentence *sentence = sentence_of(load, index, connection->answered);
    if (json_integer_value(json_object_get(answer, "id")) + 1 != (json_int_t)connection->asked ||
        !result) {
        if (load->errors++ == 0)
            complain("the first error", line);
    } else if (!json_equal(result, sentence->alone)) {
        if (load->mismatches++ == 0)
            complain("the first answer that differs from the one when sent alone", line);
    }
    json_decref(answer);
    load->latency_ms[load->answers++] = (double)(clock_ns() - connection->begin_ns) / 1e6;
    connection->answered++;
}

/* Takes what has come and asks again; a connection with nothing left is no longer polled. */
static int serve_connection(struct load *load, size_t index)
{
    struct connection *connection = &load->connections[index];
    const char *line;
    size_t len;
    int code;
    while ((code = dragoman_client_receive(connection->client, &line, &len, 0)) == 0) {
        check_answer(load, index, line, len);
        if (connection->asked == (size_t)load->settings.requests) {
            load->polls[index].fd = -1;
            return 0;
        }
        if (ask(load, connection, sentence_of(load, index, connection->asked)) < 0)
            return -1;
    }
    if (code != DRAGOMAN_CLIENT_TIMEOUT)
        return complain("receiving", dragoman_client_message(connection->client));
    load->polls[index].events = dragoman_client_events(connection->client);
    return 0;
}

static int run_together(struct load *load)
{
    size_t count = (size_t)load->settings.connections;
    size_t expected = count * (size_t)load->settings.requests;
    int code = 0;
    for (size_t i = 0; i < count && code == 0; i++) {
        code = ask(load, &load->connections[i], sentence_of(load, i, 0));
        load->polls[i].fd = dragoman_client_fd(load->connections[i].client);
        load->polls[i].events = dragoman_client_events(load->connections[i].client);
    }
    while (code == 0 && load->answers < expected) {
        int ready = poll(load->polls, count, PATIENCE_MS);
        if (ready <= 0)
            code = complain("waiting", "no answer came for ten minutes");
        for (size_t i = 0; i < count && code == 0; i++)
            if (load->polls[i].fd >= 0 && load->polls[i].revents)
                code = serve_connection(load, i);
    }
    return code;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void report(struct load *load, double seconds)
{
    size_t n = load->answers;
    qsort(load->latency_ms, n, sizeof *load->latency_ms, compare);
    printf("connections  %lld with %lld requests each, %zu different sentences\n",
           (long long)load->settings.connections, (long long)load->settings.requests,
           load->sentence_count);
    printf("answers      %zu in %.2f s, %.1f a second\n", n, seconds, (double)n / seconds);
    printf("latency      p50 %.1f ms, p99 %.1f ms, max %.1f ms\n", n ? load->latency_ms[n / 2] : 0,
           n ? load->latency_ms[n * 99 / 100] : 0, n ? load->latency_ms[n - 1] : 0);
    printf("errors       %zu\n", load->errors);
    printf("different    %zu from the answer when sent alone\n", load->mismatches);
}

/* Connects, runs and reports. */
static int measure(struct load *load)
{
    size_t count = (size_t)load->settings.connections;
    size_t expected = count * (size_t)load->settings.requests;
    int code = 0;
    load->connections = mem_alloc(count, sizeof *load->connections, NULL);
    load->polls = mem_alloc(count, sizeof *load->polls, NULL);
    load->latency_ms = mem_alloc(expected, sizeof *load->latency_ms, NULL);
    if (!load->connections || !load->polls || !load->latency_ms)
        return complain("starting", "out of memory");
    for (size_t i = 0; i < count && code == 0; i++)
        code = open_connection(load, &load->connections[i]);
    int64_t begin = clock_ns();
    if (code == 0)
        code = run_together(load);
    report(load, (double)(clock_ns() - begin) / 1e9);
    if (load->answers != expected)
        code = complain("answers are missing", "see above");
    return code < 0 || load->errors || load->mismatches ? -1 : 0;
}

static void release(struct load *load)
{
    for (size_t i = 0; load->connections && i < (size_t)load->settings.connections; i++)
        dragoman_client_free(load->connections[i].client);
    for (size_t i = 0; i < load->sentence_count; i++) {
        json_decref(load->sentences[i].text);
        json_decref(load->sentences[i].alone);
    }
    mem_free(load->sentences);
    mem_free(load->connections);
    mem_free(load->polls);
    mem_free(load->latency_ms);
}

static int run(struct load *load, int argc, char **argv)
{
    struct err err = ERR_INIT;
    int positional = 0;
    if (opt_defaults(table, &load->settings, &err) < 0 ||
        opt_parse_arguments(table, &load->settings, argc, argv, &positional, &err) < 0) {
        complain("arguments", err.message);
        return 2;
    }
    if (load->settings.help || positional != 1) {
        struct buf text = BUF_INIT;
        opt_help(table, &text, NULL);
        printf("usage: load [OPTION]... FILE\n%s", text.data ? text.data : "");
        buf_release(&text);
        return load->settings.help ? 0 : 2;
    }
    int code = read_sentences(load, argv[1]);
    if (code == 0)
        code = ask_alone(load);
    if (code == 0)
        code = measure(load);
    return code == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct load load = {.sentences = NULL};
    int status = run(&load, argc, argv);
    release(&load);
    opt_release(table, &load.settings);
    return status;
}
