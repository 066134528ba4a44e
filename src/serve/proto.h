/*
 * The protocol, version 1 (proto/protocol.md): one line of bytes becomes a message of checked
 * calls. Pure: no sockets, no clock, no models; so it is tested and fuzzed alone. What a line did
 * wrong is not an error of proto_parse but stands in the call that did it, ready to be answered.
 *
 * A message owns its calls and every text they point to. It belongs to the event thread; the
 * texts may be read by any thread as long as the message lives.
 */
#ifndef DRAGOMAN_SERVE_PROTO_H
#define DRAGOMAN_SERVE_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "text/rows.h"

#define PROTO_VERSION 1
#define PROTO_MAX_DEPTH 32          /* levels of JSON */
#define PROTO_MAX_VALUES (1u << 17) /* JSON values in a line, so that a line's tree stays small */
#define PROTO_MAX_ID 256            /* bytes of an id that is a string */
#define PROTO_MAX_ECHO 64           /* bytes of a client's text in an error's data */
#define PROTO_MAX_TIMEOUT_MS 600000
#define PROTO_MAX_TEMPERATURE 100
#define PROTO_MAX_TOP_K 1000000
#define PROTO_MAX_STOPS 16
#define PROTO_MAX_EXPLAINED 2000     /* bytes of a text whose label an rnn is to explain */
#define PROTO_MAX_STOP 256           /* bytes of a stop string */
#define PROTO_MAX_NUMBER 1000000000  /* of features and rows, either sign */
#define PROTO_DEFAULT_MAX_TOKENS 256 /* of generate, where the server allows so many */

enum proto_code {
    PROTO_OK = 0,
    PROTO_PARSE_ERROR = -32700,
    PROTO_INVALID_REQUEST = -32600,
    PROTO_UNKNOWN_METHOD = -32601,
    PROTO_INVALID_PARAMS = -32602,
    PROTO_OVERLOADED = -32000,
    PROTO_DEADLINE = -32001,
    PROTO_TOO_LONG = -32002,
    PROTO_MODEL_NOT_FOUND = -32003,
    PROTO_UNAUTHORIZED = -32004,
    PROTO_RATE_LIMITED = -32005,
    PROTO_DRAINING = -32006,
    PROTO_INTERNAL = -32007,
};

struct proto_error {
    enum proto_code code;
    char message[256]; /* for people */
    struct buf data;   /* members of `data` without braces: "reason":"range","path":"beam" */
};

/* Sets code and message and starts `data` with the reason; a held error is kept, the first wins. */
void proto_error_set(struct proto_error *error, enum proto_code code, const char *reason,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Further members of `data`. Lack of memory leaves a member out. */
void proto_error_integer(struct proto_error *error, const char *name, int64_t value);
/* Cut to PROTO_MAX_ECHO bytes, at a character. */
void proto_error_text(struct proto_error *error, const char *name, const char *text, size_t len);
void proto_error_names(struct proto_error *error, const char *name, const char *const *names,
                       size_t count);
/* What is wrong with the parameter that `path` names; a held error is kept. -32602 but for the last
   two, -32002. `missing`, `type`, `empty`: */
void proto_refuse_missing(struct proto_error *error, const char *path);
void proto_refuse_type(struct proto_error *error, const char *path, const char *expected);
void proto_refuse_empty(struct proto_error *error, const char *path);
/* `range`: it is not within [min, max]. */
void proto_refuse_range(struct proto_error *error, const char *name, int64_t min, int64_t max);
/* `conflict`: it does not go with what else was asked; `why` says it. */
void proto_refuse_conflict(struct proto_error *error, const char *path, const char *why);
/* `wrong_length`: so many numbers are wanted. */
void proto_refuse_length(struct proto_error *error, const char *path, size_t wanted, size_t actual);
/* It has too many items. */
void proto_refuse_count(struct proto_error *error, const char *reason, const char *path,
                        size_t count, size_t limit);
/* `text_too_long` where it has more than `limit` bytes. */
void proto_check_text_length(struct proto_error *error, const char *path, size_t len, size_t limit);
void proto_error_release(struct proto_error *error);

enum proto_method { /* sorted by name */
                    PROTO_ADMIN_LOG,
                    PROTO_ADMIN_RELOAD,
                    PROTO_CLASSIFY,
                    PROTO_GENERATE,
                    PROTO_HEALTH,
                    PROTO_MODELS,
                    PROTO_REGRESS,
                    PROTO_STATS,
                    PROTO_TAG,
                    PROTO_TRANSLATE,
                    PROTO_VERSION_METHOD,
                    PROTO_METHODS, /* how many */
};
extern const char *const proto_method_names[PROTO_METHODS];
/* Whether the method needs a model, which makes it a request that is queued and logged. */
bool proto_needs_model(enum proto_method method);

struct proto_text {
    const char *data; /* UTF-8, not NUL-terminated by promise; may be empty */
    size_t len;
};
struct proto_params {         /* 0 and NULL: not given, unless said otherwise */
    struct proto_text *texts; /* of `text`, or the one `prompt` */
    size_t text_count;
    bool is_list; /* of texts, even of one: paths in errors say text[0] */
    const char *model, *source, *target, *label;
    int64_t beam, nbest, top, timeout_ms, limit, since_ms;
    bool alignment, explain, stream;
    int64_t max_tokens, top_k, seed; /* max_tokens: filled in; seed: -1 where not given */
    double temperature, top_p;       /* 1 where not given */
    const char **stops;              /* NUL-terminated */
    size_t stop_count;
    struct rows rows; /* of `features` (a vector is one row) or `rows` */
    bool has_rows;
};
struct proto_call {
    char *id; /* as JSON; NULL: a notification, which is never answered */
    bool has_method;
    enum proto_method method; /* where has_method */
    struct proto_params params;
    struct proto_error error; /* code PROTO_OK: the call can be carried out */
};
struct proto_message {
    bool batch;   /* answered by an array */
    size_t count; /* at least 1 */
    struct proto_call *calls;
    size_t size;    /* bytes of the line */
    int references; /* event thread only; proto_message_release gives one back */
    void *tree;     /* the parsed JSON, which the texts are part of */
};

struct proto_context {
    size_t max_text, max_texts, max_batch;
    size_t max_tokens; /* of one generate */
    size_t max_rows;   /* of `rows` and `features` */
    bool local;        /* the client may use admin.* */
    bool draining;     /* whatever needs a model is refused */
};

/* Parses a line without its line feed. Returns 0 with *message NULL for a blank line, 0 with a
   message, or ERR_MEMORY. */
int proto_parse(struct proto_message **message, const char *line, size_t len,
                const struct proto_context *context, struct err *err);
struct proto_message *proto_message_retain(struct proto_message *message);
void proto_message_release(struct proto_message *message); /* the last frees; NULL is ignored */

#endif
