/*
 * hostile SCENARIO ADDRESS [PID]: a client that behaves badly, or meets a daemon that is being
 * stopped, and says what it saw. Exit status 0 where the daemon kept the protocol's promises.
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "dragoman/client.h"

#define PATIENCE_MS 60000
#define MIB (1u << 20)

/* A sanitizer keeps freed memory for a while: then its amount says nothing. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_COUNTS false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MEMORY_COUNTS false
#endif
#endif
#ifndef MEMORY_COUNTS
#define MEMORY_COUNTS true
#endif

struct target {
    const char *address;
    pid_t pid; /* of the daemon, 0 where it was not given */
};

static bool complain(const char *what)
{
    fprintf(stderr, "hostile: %s\n", what);
    return false;
}

static struct dragoman_client *connect_to(const struct target *target)
{
    struct dragoman_client *client = dragoman_client_new();
    if (client && dragoman_client_connect(client, target->address, PATIENCE_MS) == 0)
        return client;
    complain(client ? dragoman_client_message(client) : "out of memory");
    dragoman_client_free(client);
    return NULL;
}

static bool send_line(struct dragoman_client *client, const char *line)
{
    return dragoman_client_send(client, line, strlen(line)) == 0;
}

/* The next answer, or NULL at the end of the connection. */
static json_t *receive(struct dragoman_client *client)
{
    const char *line;
    size_t len;
    if (dragoman_client_receive(client, &line, &len, PATIENCE_MS) < 0)
        return NULL;
    json_t *answer = json_loadb(line, len, 0, NULL);
    if (!answer)
        complain("an answer is not JSON");
    return answer;
}

static json_int_t code_of(const json_t *answer)
{
    return json_integer_value(json_object_get(json_object_get(answer, "error"), "code"));
}

static const char *reason_of(const json_t *answer)
{
    const json_t *error = json_object_get(answer, "error");
    return json_string_value(json_object_get(json_object_get(error, "data"), "reason"));
}

/* Receives one answer and checks its code, and its reason where one is given. */
static bool expect(struct dragoman_client *client, json_int_t code, const char *reason)
{
    json_t *answer = receive(client);
    if (!answer)
        return complain(dragoman_client_message(client));
    bool good = code_of(answer) == code && (!reason || strcmp(reason_of(answer), reason) == 0);
    if (!good)
        json_dumpf(answer, stderr, 0);
    json_decref(answer);
    return good || complain("not the answer that was expected");
}

static bool expect_end(struct dragoman_client *client)
{
    const char *line;
    size_t len;
    int rc = dragoman_client_receive(client, &line, &len, PATIENCE_MS);
    return rc == DRAGOMAN_CLIENT_LOST || complain("the connection did not end");
}

static bool healthy(const struct target *target)
{
    struct dragoman_client *client = connect_to(target);
    bool good = client &&
                send_line(client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"health\"}") &&
                expect(client, 0, NULL);
    dragoman_client_free(client);
    return good;
}

/* A number of the daemon's stats; -1 on failure. */
static json_int_t stat_of(const struct target *target, const char *group, const char *name)
{
    json_int_t value = -1;
    struct dragoman_client *client = connect_to(target);
    if (client && send_line(client, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stats\"}")) {
        json_t *answer = receive(client);
        const json_t *result = json_object_get(answer, "result");
        value = json_integer_value(json_object_get(json_object_get(result, group), name));
        json_decref(answer);
    }
    dragoman_client_free(client);
    return value;
}

/* Asks again and again until the number is at least `minimum` and at most `maximum`. */
static bool wait_for_stat(const struct target *target, const char *group, const char *name,
                          json_int_t minimum, json_int_t maximum)
{
    int64_t end = clock_ns() + PATIENCE_MS * INT64_C(1000000);
    json_int_t value = 0;
    while (clock_ns() < end) {
        value = stat_of(target, group, name);
        if (value >= minimum && value <= maximum)
            return true;
    }
    fprintf(stderr, "hostile: %s.%s stays %lld\n", group, name, (long long)value);
    return false;
}

/* 10 MB without a line feed: an error, the end, and no memory spent on it. */
static bool long_line(const struct target *target)
{
    static char block[MIB];
    json_int_t before = stat_of(target, "memory", "resident_bytes");
    struct dragoman_client *client = connect_to(target);
    if (!client)
        return false;
    memset(block, 'x', sizeof block);
    bool good = true;
    for (int i = 0; i < 10 && good; i++)
        good = dragoman_client_send_raw(client, block, sizeof block) == 0;
    good = good && expect(client, -32002, "line_too_long") && expect_end(client);
    json_int_t after = stat_of(target, "memory", "resident_bytes");
    if (good && MEMORY_COUNTS && after - before > 6 * (json_int_t)MIB)
        good = complain("a long line took memory");
    dragoman_client_free(client);
    return good;
}

/* Random bytes, line by line: each line that is not blank gets one error. */
static bool garbage(const struct target *target)
{
    struct rng rng;
    struct dragoman_client *client = connect_to(target);
    bool good = client != NULL;
    rng_seed(&rng, 7, 0);
    for (int line = 0; line < 500 && good; line++) {
        char bytes[1000];
        size_t len = 1 + rng_below(&rng, sizeof bytes - 1);
        bytes[0] = 'x'; /* never blank */
        for (size_t i = 1; i < len; i++) {
            bytes[i] = (char)rng_below(&rng, 256);
            if (bytes[i] == '\n')
                bytes[i] = 0;
        }
        good = dragoman_client_send(client, bytes, len) == 0 && expect(client, -32700, NULL);
    }
    dragoman_client_free(client);
    return good && healthy(target);
}

/* A client that goes in the middle of a line. */
static bool half_line(const struct target *target)
{
    for (int i = 0; i < 100; i++) {
        static const char half[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"translate\",\"par";
        struct dragoman_client *client = connect_to(target);
        bool sent = client && dragoman_client_send_raw(client, half, sizeof half - 1) == 0 &&
                    dragoman_client_flush(client, PATIENCE_MS) == 0;
        dragoman_client_free(client);
        if (!sent)
            return false;
    }
    return wait_for_stat(target, "connections", "open", 1, 1);
}

#define IDLE_CLIENTS 1000

static bool idle(const struct target *target)
{
    static struct dragoman_client *clients[IDLE_CLIENTS];
    struct rlimit limit;
    bool good = true;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < IDLE_CLIENTS + 50)
        return complain("not enough file descriptors here");
    for (int i = 0; i < IDLE_CLIENTS && good; i++)
        good = (clients[i] = connect_to(target)) != NULL;
    good = good && wait_for_stat(target, "connections", "open", IDLE_CLIENTS + 1, IDLE_CLIENTS + 1);
    for (int i = 0; i < IDLE_CLIENTS && good; i += 37)
        good = send_line(clients[i], "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"health\"}") &&
               expect(clients[i], 0, NULL);
    for (int i = 0; i < IDLE_CLIENTS; i++)
        dragoman_client_free(clients[i]);
    return good && wait_for_stat(target, "connections", "open", 1, 1);
}

#define DEAF_REQUESTS 20000

/* Sends without reading: the daemon stops reading, keeps its memory, serves others, and in the end
   has lost nothing. */
static bool deaf(const struct target *target)
{
    json_int_t before = stat_of(target, "memory", "resident_bytes");
    struct dragoman_client *client = connect_to(target);
    bool good = client != NULL;
    for (int i = 0; i < DEAF_REQUESTS && good; i++) {
        char line[100];
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"models\"}", i);
        good = send_line(client, line);
    }
    good = good && healthy(target);
    json_int_t after = stat_of(target, "memory", "resident_bytes");
    if (good && MEMORY_COUNTS && after - before > 16 * (json_int_t)MIB)
        good = complain("a client that does not read took memory");
    for (int i = 0; i < DEAF_REQUESTS && good; i++)
        good = expect(client, 0, NULL);
    dragoman_client_free(client);
    return good;
}

#define TRANSLATE                                                                                  \
    "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"translate\",\"params\":{\"model\":\"tiny-en-"     \
    "fr\","                                                                                        \
    "\"timeout_ms\":600000,\"text\":\"I see the cat, the dog and the house number %d\"}}"

static bool send_translate(struct dragoman_client *client, int id)
{
    char line[300];
    snprintf(line, sizeof line, TRANSLATE, id, id);
    return send_line(client, line);
}

/* Clients that ask much and are gone at once, with a reset: their requests end too. */
static bool gone(const struct target *target)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    for (int i = 0; i < 20; i++) {
        struct dragoman_client *client = connect_to(target);
        bool sent = client != NULL;
        for (int id = 0; id < 100 && sent; id++)
            sent = send_translate(client, id);
        sent = sent && dragoman_client_flush(client, PATIENCE_MS) == 0;
        if (client)
            setsockopt(dragoman_client_fd(client), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        dragoman_client_free(client);
        if (!sent)
            return false;
    }
    return wait_for_stat(target, "requests", "in_flight", 0, 0) &&
           wait_for_stat(target, "connections", "open", 1, 1) && healthy(target);
}

#define STREAMS 200
#define STREAM_TOKENS 100
#define STREAM_SEEDS 5

static bool send_generate(struct dragoman_client *client, int id, int seed, int tokens)
{
    char line[200];
    snprintf(line, sizeof line,
             "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"generate\",\"params\":{\"seed\":%d,"
             "\"max_tokens\":%d,\"stream\":true,\"timeout_ms\":600000}}",
             id, seed, tokens);
    return send_line(client, line);
}

/* Receives pieces until the first result, whose text, equal to theirs, becomes *text; its id too.
   pieces: what came of each id so far. */
static bool receive_stream(struct dragoman_client *client, json_t *pieces, json_t **text,
                           json_int_t *id)
{
    char key[32];
    for (;;) {
        json_t *line = receive(client);
        const json_t *params = json_object_get(line, "params");
        if (!line)
            return complain(dragoman_client_message(client));
        *id = json_integer_value(json_object_get(params ? params : line, "id"));
        snprintf(key, sizeof key, "%lld", (long long)*id);
        const char *before = json_string_value(json_object_get(pieces, key));
        *text = json_incref(json_object_get(json_object_get(line, "result"), "text"));
        if (params)
            json_object_set_new(pieces, key,
                                json_sprintf("%s%s", before ? before : "",
                                             json_string_value(json_object_get(params, "text"))));
        json_decref(line);
        if (!params)
            break;
    }
    bool good = *text && json_equal(*text, json_object_get(pieces, key));
    json_object_del(pieces, key);
    return good || complain("the pieces are not the text");
}

/* 200 clients that are written to at once: with one seed all get one text. */
static bool streams(const struct target *target)
{
    static struct dragoman_client *clients[STREAMS];
    json_t *texts[STREAM_SEEDS] = {NULL};
    json_t *pieces = json_object();
    bool good = true;
    for (int i = 0; i < STREAMS && good; i++) {
        clients[i] = connect_to(target);
        good = clients[i] && send_generate(clients[i], 0, i % STREAM_SEEDS, STREAM_TOKENS);
    }
    for (int i = 0; i < STREAMS && good; i++) {
        json_t *text = NULL;
        json_int_t id;
        json_t **first = &texts[i % STREAM_SEEDS];
        good = receive_stream(clients[i], pieces, &text, &id);
        if (good && !*first)
            *first = json_incref(text);
        if (good && !json_equal(text, *first))
            good = complain("one seed gave two texts");
        json_decref(text);
    }
    if (good && json_equal(texts[0], texts[1]))
        good = complain("two seeds gave one text");
    for (int i = 0; i < STREAMS; i++)
        dragoman_client_free(clients[i]);
    for (int i = 0; i < STREAM_SEEDS; i++)
        json_decref(texts[i]);
    json_decref(pieces);
    return good && wait_for_stat(target, "requests", "in_flight", 0, 0);
}

#define LONG_TOKENS 4096

/* While many long texts are being written a classification does not wait for any of them; when
   their client hangs up they end. */
static bool writers(const struct target *target)
{
    struct dragoman_client *writer = connect_to(target), *other = connect_to(target);
    bool good = writer && other;
    for (int id = 0; id < STREAMS && good; id++)
        good = send_generate(writer, id, id, LONG_TOKENS);
    good = good && dragoman_client_flush(writer, PATIENCE_MS) == 0 &&
           wait_for_stat(target, "requests", "in_flight", STREAMS, STREAMS) &&
           send_line(other, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"classify\",\"params\":{"
                            "\"text\":\"Great fun.\"}}") &&
           expect(other, 0, NULL);
    if (good && stat_of(target, "requests", "in_flight") != STREAMS)
        good = complain("the classification came after a long text");
    dragoman_client_free(writer);
    dragoman_client_free(other);
    return good && wait_for_stat(target, "requests", "in_flight", 0, 0) && healthy(target);
}

#define DEAF_STREAMS 64

/* Asks for long texts and does not read them: they are written, take little memory, hold up nobody,
   and are whole when they are read at last. */
static bool deaf_stream(const struct target *target)
{
    json_int_t before = stat_of(target, "memory", "resident_bytes");
    json_t *pieces = json_object();
    struct dragoman_client *client = connect_to(target);
    bool good = client != NULL;
    for (int id = 0; id < DEAF_STREAMS && good; id++)
        good = send_generate(client, id, id, LONG_TOKENS);
    good = good && dragoman_client_flush(client, PATIENCE_MS) == 0 &&
           wait_for_stat(target, "generation", "tokens", DEAF_STREAMS * LONG_TOKENS, INT64_MAX) &&
           wait_for_stat(target, "requests", "in_flight", 0, 0);
    json_int_t after = stat_of(target, "memory", "resident_bytes");
    if (good && MEMORY_COUNTS && after - before > 16 * (json_int_t)MIB)
        good = complain("a stream that nobody reads took memory");
    for (int i = 0; i < DEAF_STREAMS && good; i++) {
        json_t *text = NULL;
        json_int_t id;
        good = receive_stream(client, pieces, &text, &id);
        json_decref(text);
    }
    dragoman_client_free(client);
    json_decref(pieces);
    return good;
}

#define FLOOD_REQUESTS 300

/* More than the queue holds (the daemon has a small one): what does not fit is refused at once, the
   rest is done. */
static bool flood(const struct target *target)
{
    struct dragoman_client *client = connect_to(target);
    int done = 0, refused = 0;
    bool good = client != NULL;
    for (int id = 0; id < FLOOD_REQUESTS && good; id++)
        good = send_translate(client, id);
    for (int id = 0; id < FLOOD_REQUESTS && good; id++) {
        json_t *answer = receive(client);
        const char *reason = reason_of(answer);
        if (reason && strcmp(reason, "queue_full") == 0 && code_of(answer) == -32000)
            refused++;
        else if (json_object_get(answer, "result"))
            done++;
        else
            good = complain("neither done nor refused");
        json_decref(answer);
    }
    dragoman_client_free(client);
    printf("done %d\nrefused %d\n", done, refused);
    return good && done > 0 && refused > 0 && healthy(target);
}

#define HOARDERS 8

/* Lines that never end, of many clients (the daemon has little memory for them): some are cut off
   and told why, and nobody else suffers. */
static bool hoard(const struct target *target)
{
    static char block[MIB / 2];
    struct dragoman_client *clients[HOARDERS] = {NULL};
    json_int_t failed = stat_of(target, "requests", "failed");
    int told = 0;
    bool good = true;
    memset(block, 'x', sizeof block);
    for (int i = 0; i < HOARDERS && good; i++) {
        clients[i] = connect_to(target);
        good = clients[i] && dragoman_client_send_raw(clients[i], block, sizeof block) == 0 &&
               dragoman_client_flush(clients[i], PATIENCE_MS) == 0;
    }
    good = good && wait_for_stat(target, "requests", "failed", failed + HOARDERS / 2, INT64_MAX);
    for (int i = 0; i < HOARDERS && good; i++) {
        const char *line;
        size_t len;
        if (dragoman_client_receive(clients[i], &line, &len, 0) == 0)
            told += strstr(line, "\"memory\"") != NULL;
    }
    for (int i = 0; i < HOARDERS; i++)
        dragoman_client_free(clients[i]);
    printf("told %d\n", told);
    return good && told >= HOARDERS / 2 && healthy(target);
}

#define STOP_CLIENTS 20
#define STOP_REQUESTS 200

/* Receives until the connection ends; false where an answer came twice or not at all. */
static bool all_answered(struct dragoman_client *client, int *drained)
{
    bool seen[STOP_REQUESTS] = {false};
    int count = 0;
    json_t *answer;
    while ((answer = receive(client))) {
        json_int_t id = json_integer_value(json_object_get(answer, "id"));
        bool good = id >= 0 && id < STOP_REQUESTS && !seen[id] &&
                    (code_of(answer) == 0 || code_of(answer) == -32006);
        *drained += code_of(answer) == -32006;
        if (good)
            seen[id] = true;
        json_decref(answer);
        if (!good)
            return complain("an answer is wrong");
        count++;
    }
    if (count != STOP_REQUESTS)
        fprintf(stderr, "hostile: %d of %d answers\n", count, STOP_REQUESTS);
    return count == STOP_REQUESTS;
}

/* SIGTERM while thousands of requests are on their way: each is answered. */
static bool stop(const struct target *target)
{
    struct dragoman_client *clients[STOP_CLIENTS] = {NULL};
    bool good = true;
    int drained = 0;
    for (int i = 0; i < STOP_CLIENTS && good; i++)
        good = (clients[i] = connect_to(target)) != NULL;
    for (int i = 0; i < STOP_CLIENTS && good; i++)
        for (int id = 0; id < STOP_REQUESTS && good; id++)
            good = send_translate(clients[i], id);
    for (int i = 0; i < STOP_CLIENTS && good; i++)
        good = dragoman_client_flush(clients[i], PATIENCE_MS) == 0;
    if (good && kill(target->pid, SIGTERM) < 0)
        good = complain(strerror(errno));
    for (int i = 0; i < STOP_CLIENTS && good; i++)
        good = all_answered(clients[i], &drained);
    for (int i = 0; i < STOP_CLIENTS; i++)
        dragoman_client_free(clients[i]);
    printf("drained %d\n", drained);
    return good;
}

#define KILL_LEAST 500

/* SIGKILL under load. Prints how many rows the daemon had said were in its log. */
static bool kill_under_load(const struct target *target)
{
    struct dragoman_client *client = connect_to(target);
    json_int_t rows = 0;
    int next = 0, answered = 0;
    bool good = client != NULL;
    for (; next < 100 && good; next++)
        good = send_translate(client, next);
    while (good && rows < KILL_LEAST) {
        good = expect(client, 0, NULL) && send_translate(client, next++);
        if (++answered % 50 == 0)
            rows = stat_of(target, "log", "rows");
    }
    if (good && kill(target->pid, SIGKILL) < 0)
        good = complain(strerror(errno));
    for (json_t *answer; client && (answer = receive(client)); json_decref(answer))
        answered++;
    dragoman_client_free(client);
    printf("rows %lld\nanswered %d\n", (long long)rows, answered);
    return good;
}

static const struct scenario {
    const char *name;
    bool (*run)(const struct target *target);
} scenarios[] = {
    {"long-line", long_line},
    {"garbage", garbage},
    {"half-line", half_line},
    {"idle", idle},
    {"deaf", deaf},
    {"gone", gone},
    {"flood", flood},
    {"hoard", hoard},
    {"stop", stop},
    {"kill", kill_under_load},
    {"streams", streams},
    {"writers", writers},
    {"deaf-stream", deaf_stream},
};

int main(int argc, char **argv)
{
    struct target target = {.address = argc > 2 ? argv[2] : NULL,
                            .pid = argc > 3 ? (pid_t)strtol(argv[3], NULL, 10) : 0};
    for (size_t i = 0; target.address && i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (strcmp(argv[1], scenarios[i].name) == 0)
            return scenarios[i].run(&target) ? EXIT_SUCCESS : EXIT_FAILURE;
    fprintf(stderr, "usage: hostile SCENARIO ADDRESS [PID]\n");
    return 2;
}
