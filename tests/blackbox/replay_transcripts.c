/*
 * Replays proto/transcripts against the running daemon, and checks every message, the examples of
 * proto/protocol.md included, against proto/schema. The form of a transcript is told in
 * proto/transcripts/README.md. With arguments, only the transcripts named are replayed.
 */
#include <glob.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/file.h"
#include "daemon.h"
#include "dragoman/client.h"
#include "json_match.h"
#include "schemas.h"

#define MAX_FILE (16u << 20)
#define MAX_GROUP 512 /* answers expected together */
#define SKIPPED 77
#define DECODE (JSON_DECODE_ANY | JSON_ALLOW_NUL)

struct replay {
    const char *path;
    size_t line; /* of the transcript, from 1 */
    char *at;    /* what is left of it */
    struct daemon daemon;
    bool started, skipped;
    struct dragoman_client *client;
    struct schemas *schemas;
    json_t *names; /* what "$=NAME" stands for */
    json_t *texts; /* by id, as JSON: what notifications brought */
    json_t *group[MAX_GROUP];
    size_t group_lines[MAX_GROUP], group_count;
    const char *models;
    char *arguments[DAEMON_MAX_ARGUMENTS + 1];
};

static bool complain(const struct replay *replay, size_t line, const char *what, const char *detail)
{
    fprintf(stderr, "%s:%zu: %s%s%.2000s\n", replay->path, line, what, *detail ? ": " : "", detail);
    return false;
}

static bool client_failed(const struct replay *replay, const char *what)
{
    return complain(replay, replay->line, what, dragoman_client_message(replay->client));
}

/* Starts daemon and connection, when the first line needs them. */
static bool ensure_connected(struct replay *replay)
{
    if (dragoman_client_fd(replay->client) >= 0)
        return true;
    if (!replay->started && !daemon_start(&replay->daemon, replay->models, replay->arguments))
        return false;
    replay->started = true;
    schemas_forget(replay->schemas);
    return dragoman_client_connect(replay->client, replay->daemon.address, DAEMON_PATIENCE_MS) ==
               0 ||
           client_failed(replay, "cannot connect");
}

/* One received line against the patterns that are still open, in any order. */
static bool match_answer(struct replay *replay, const json_t *answer, const char *line)
{
    char why[1024] = "no answer was expected";
    for (size_t i = 0; i < replay->group_count; i++) {
        json_t *names = json_copy(replay->names);
        bool good = json_match(replay->group[i], answer, names, why, sizeof why);
        if (good)
            json_object_update(replay->names, names);
        json_decref(names);
        if (!good)
            continue;
        json_decref(replay->group[i]);
        replay->group_count--;
        memmove(replay->group + i, replay->group + i + 1,
                (replay->group_count - i) * sizeof *replay->group);
        return true;
    }
    complain(replay, replay->line, "unexpected answer", line);
    return complain(replay, replay->line, "it differs from the last that was expected", why);
}

/* Keeps the text of a generate.delta behind that of those before. */
static void keep_delta(struct replay *replay, const json_t *params)
{
    char *id = json_dumps(json_object_get(params, "id"), JSON_ENCODE_ANY);
    const char *before = json_string_value(json_object_get(replay->texts, id));
    json_object_set_new(replay->texts, id,
                        json_sprintf("%s%s", before ? before : "",
                                     json_string_value(json_object_get(params, "text"))));
    free(id);
}

/* What came in pieces must be what the result has as a whole; after an error it is forgotten. */
static bool check_deltas(struct replay *replay, const json_t *answer, const char *line)
{
    char *id = json_dumps(json_object_get(answer, "id"), JSON_ENCODE_ANY);
    const json_t *pieces = json_object_get(replay->texts, id);
    const json_t *result = json_object_get(answer, "result");
    bool good = !pieces || !result || json_equal(pieces, json_object_get(result, "text"));
    if (!good)
        complain(replay, replay->line, json_string_value(pieces), line);
    json_object_del(replay->texts, id);
    free(id);
    return good;
}

static bool check_all_deltas(struct replay *replay, const json_t *answer, const char *line)
{
    size_t i;
    json_t *part;
    if (!json_is_array(answer))
        return check_deltas(replay, answer, line);
    json_array_foreach((json_t *)answer, i, part)
    {
        if (!check_deltas(replay, part, line))
            return false;
    }
    return true;
}

/* A line from the server: an answer, or a notification, which answers nothing. */
static bool take_line(struct replay *replay, const json_t *answer, const char *line)
{
    if (json_object_get(answer, "method")) {
        keep_delta(replay, json_object_get(answer, "params"));
        return true;
    }
    return check_all_deltas(replay, answer, line) && match_answer(replay, answer, line);
}

static bool receive_one(struct replay *replay)
{
    const char *line;
    size_t len;
    char why[1024];
    if (dragoman_client_receive(replay->client, &line, &len, DAEMON_PATIENCE_MS) < 0)
        return client_failed(replay, "no answer");
    json_t *answer = json_loadb(line, len, DECODE, NULL);
    bool good = answer || complain(replay, replay->line, "the answer is not JSON", line);
    if (good && !schemas_check_answer(replay->schemas, answer, why, sizeof why))
        good = complain(replay, replay->line, why, line);
    good = good && take_line(replay, answer, line);
    json_decref(answer);
    return good;
}

/* Takes the answers that the lines so far have asked for. */
static bool settle(struct replay *replay)
{
    bool good = true;
    while (good && replay->group_count > 0)
        good = receive_one(replay);
    while (replay->group_count > 0)
        json_decref(replay->group[--replay->group_count]);
    return good;
}

/* The server must close now, without a further line. */
static bool expect_end(struct replay *replay)
{
    const char *line;
    size_t len;
    if (dragoman_client_fd(replay->client) < 0)
        return true;
    int code = dragoman_client_receive(replay->client, &line, &len, DAEMON_PATIENCE_MS);
    if (code == 0)
        return complain(replay, replay->line, "unexpected line before the end", line);
    if (code != DRAGOMAN_CLIENT_LOST)
        return client_failed(replay, "the server did not close");
    dragoman_client_close(replay->client);
    return true;
}

/* Closes the sending side; the server must answer what it has and close. */
static bool finish(struct replay *replay)
{
    if (dragoman_client_fd(replay->client) < 0)
        return true;
    dragoman_client_flush(replay->client, DAEMON_PATIENCE_MS);
    dragoman_client_finish(replay->client);
    return expect_end(replay);
}

static bool send_line(struct replay *replay, const char *text)
{
    if (!ensure_connected(replay))
        return false;
    schemas_note_request(replay->schemas, text, strlen(text));
    return dragoman_client_send(replay->client, text, strlen(text)) == 0 ||
           client_failed(replay, "cannot send");
}

/* One escape sequence after its backslash; returns where it ends, NULL when it is none. */
static const char *unescape(const char *at, char *c)
{
    static const char letters[] = "n\nr\rt\t\\\\\"\"0\0";
    unsigned value;
    if (*at == 'x' && sscanf(at + 1, "%2x", &value) == 1) {
        *c = (char)value;
        return at + 3;
    }
    for (size_t i = 0; i + 1 < sizeof letters - 1; i += 2) {
        if (*at == letters[i]) {
            *c = letters[i + 1];
            return at + 1;
        }
    }
    return NULL;
}

/* Appends `"TEXT"` or `"TEXT"*COUNT`; returns where it ends, NULL on a mistake. */
static const char *append_string(struct buf *out, const char *at)
{
    size_t begin = out->len, len, count = 1;
    if (*at++ != '"')
        return NULL;
    for (char c; *at && *at != '"'; buf_char(out, c, NULL)) {
        c = *at++;
        if (c == '\\' && !(at = unescape(at, &c)))
            return NULL;
    }
    if (*at++ != '"')
        return NULL;
    len = out->len - begin;
    if (*at == '*')
        count = strtoul(at + 1, (char **)&at, 10);
    if (count == 0 || buf_reserve(out, count * len, NULL) < 0)
        return NULL;
    for (size_t i = 1; i < count; i++)
        buf_append(out, out->data + begin, len, NULL);
    return at;
}

static bool send_bytes(struct replay *replay, const char *text)
{
    struct buf bytes = BUF_INIT;
    bool good = ensure_connected(replay);
    for (const char *at = text; good && *at; at += *at == ' ') {
        at = append_string(&bytes, at);
        if (!at) {
            good = complain(replay, replay->line, "bad bytes", text);
            break;
        }
    }
    if (good && bytes.len > 0 && bytes.data[bytes.len - 1] == '\n')
        schemas_note_request(replay->schemas, bytes.data, bytes.len);
    if (good && dragoman_client_send_raw(replay->client, bytes.data, bytes.len) < 0)
        good = client_failed(replay, "cannot send");
    buf_release(&bytes);
    return good;
}

static bool expect(struct replay *replay, const char *text)
{
    json_error_t where;
    json_t *pattern = json_loads(text, DECODE, &where);
    if (!pattern)
        return complain(replay, replay->line, "the pattern is not JSON", where.text);
    if (replay->group_count == MAX_GROUP) {
        json_decref(pattern);
        return complain(replay, replay->line, "too many answers at once", "");
    }
    replay->group[replay->group_count++] = pattern;
    return true;
}

static bool choose_models(struct replay *replay, const char *text)
{
    static char folder[512], model[600];
    if (strcmp(text, "shipped") != 0)
        return complain(replay, replay->line, "unknown models", text);
    snprintf(folder, sizeof folder, "%s/models", daemon_source_folder());
    snprintf(model, sizeof model, "%s/en-fr/model.json", folder);
    replay->models = folder;
    replay->skipped = access(model, R_OK) != 0;
    return true;
}

static bool add_arguments(struct replay *replay, char *text)
{
    size_t count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        if (count == DAEMON_MAX_ARGUMENTS)
            return complain(replay, replay->line, "too many arguments", "");
        replay->arguments[count++] = word;
    }
    replay->arguments[count] = NULL;
    return true;
}

/* Tells the daemon to stop, and asks until it says that it is draining. A request that keeps the
   connection open must be under way: the first answer shows that the daemon has read it. */
static bool drain(struct replay *replay)
{
    static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":\"drain\",\"method\":\"health\"}";
    const char *line;
    size_t len;
    for (bool told = false;; told = true) {
        if (dragoman_client_send(replay->client, request, strlen(request)) < 0 ||
            dragoman_client_receive(replay->client, &line, &len, DAEMON_PATIENCE_MS) < 0)
            return client_failed(replay, "no answer while draining");
        if (!strstr(line, "\"id\":\"drain\""))
            return complain(replay, replay->line, "answered before it was draining", line);
        if (strstr(line, "\"draining\""))
            return true;
        if (!told)
            kill(replay->daemon.pid, SIGTERM);
    }
}

static bool command(struct replay *replay, char *text)
{
    if (strncmp(text, "models ", 7) == 0)
        return choose_models(replay, text + 7);
    if (strncmp(text, "daemon ", 7) == 0)
        return add_arguments(replay, text + 7);
    if (strcmp(text, "connect") == 0) {
        bool good = finish(replay);
        dragoman_client_close(replay->client);
        return good;
    }
    if (strcmp(text, "finish") == 0)
        return ensure_connected(replay) && finish(replay);
    if (strcmp(text, "drain") == 0)
        return drain(replay);
    if (strcmp(text, "terminate") == 0)
        return dragoman_client_flush(replay->client, DAEMON_PATIENCE_MS) == 0 &&
               kill(replay->daemon.pid, SIGTERM) == 0;
    if (strcmp(text, "half-close") == 0)
        return dragoman_client_flush(replay->client, DAEMON_PATIENCE_MS) == 0 &&
               dragoman_client_finish(replay->client) == 0;
    if (strcmp(text, "closed") == 0)
        return expect_end(replay);
    return complain(replay, replay->line, "unknown command", text);
}

static bool replay_line(struct replay *replay, char *text)
{
    if (strncmp(text, "<-- ", 4) == 0)
        return expect(replay, text + 4);
    if (!settle(replay))
        return false;
    if (*text == '\0' || *text == '#')
        return true;
    if (strncmp(text, "--> ", 4) == 0)
        return send_line(replay, text + 4);
    if (strncmp(text, "==> ", 4) == 0)
        return send_bytes(replay, text + 4);
    if (strncmp(text, "--- ", 4) == 0)
        return command(replay, text + 4);
    return complain(replay, replay->line, "not a transcript's line", text);
}

static bool replay_text(struct replay *replay)
{
    bool good = true;
    while (good && !replay->skipped && *replay->at) {
        char *text = replay->at;
        char *feed = strchr(text, '\n');
        replay->at = feed ? feed + 1 : text + strlen(text);
        if (feed)
            *feed = '\0';
        replay->line++;
        good = replay_line(replay, text);
    }
    return good && settle(replay) && finish(replay);
}

/* Replays one file; false when it failed. */
static bool replay_file(struct schemas *schemas, const char *path, bool *skipped)
{
    struct err err = ERR_INIT;
    struct buf text = BUF_INIT;
    struct replay replay = {.path = path, .schemas = schemas, .names = json_object()};
    replay.texts = json_object();
    replay.client = dragoman_client_new();
    if (file_read(path, MAX_FILE, &text, &err) < 0 || !replay.client) {
        fprintf(stderr, "%s\n", err.message);
        return false;
    }
    replay.at = text.data;
    bool good = replay_text(&replay);
    while (replay.group_count > 0)
        json_decref(replay.group[--replay.group_count]);
    dragoman_client_free(replay.client);
    if (replay.started && !daemon_stop(&replay.daemon))
        good = complain(&replay, replay.line, "the daemon did not stop well", "");
    json_decref(replay.names);
    json_decref(replay.texts);
    buf_release(&text);
    *skipped = replay.skipped;
    printf("%s: %s\n", path, replay.skipped ? "skipped" : good ? "passed" : "FAILED");
    return good;
}

static bool replay_all(struct schemas *schemas)
{
    char pattern[512];
    glob_t found;
    bool good = true, skipped;
    snprintf(pattern, sizeof pattern, "%s/proto/transcripts/*.ndjson", daemon_source_folder());
    if (glob(pattern, 0, NULL, &found) != 0) {
        fprintf(stderr, "no transcripts: %s\n", pattern);
        return false;
    }
    for (size_t i = 0; i < found.gl_pathc; i++)
        good = replay_file(schemas, found.gl_pathv[i], &skipped) && good;
    globfree(&found);
    return good;
}

int main(int argc, char **argv)
{
    char path[512];
    bool good = true, skipped = false;
    snprintf(path, sizeof path, "%s/proto", daemon_source_folder());
    struct schemas *schemas = schemas_open(path);
    if (!schemas)
        return EXIT_FAILURE;
    good = schemas_check_document(schemas);
    if (!daemon_exists()) {
        schemas_free(schemas);
        return good ? SKIPPED : EXIT_FAILURE;
    }
    for (int i = 1; i < argc; i++)
        good = replay_file(schemas, argv[i], &skipped) && good;
    if (argc == 1)
        good = replay_all(schemas) && good;
    schemas_free(schemas);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
