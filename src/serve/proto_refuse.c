/* What is wrong with a parameter, as the protocol says it: a reason, the path of the parameter, and
   what was expected. */
#include <string.h>

#include "serve/proto.h"

static void add_path(struct proto_error *error, const char *path)
{
    proto_error_text(error, "path", path, strlen(path));
}

static void add_limit(struct proto_error *error, const char *path, size_t limit, size_t actual)
{
    add_path(error, path);
    proto_error_integer(error, "limit", (int64_t)limit);
    proto_error_integer(error, "actual", (int64_t)actual);
}

void proto_refuse_missing(struct proto_error *error, const char *path)
{
    if (error->code)
        return;
    proto_error_set(error, PROTO_INVALID_PARAMS, "missing", "%s is missing", path);
    add_path(error, path);
}

void proto_refuse_type(struct proto_error *error, const char *path, const char *expected)
{
    if (error->code)
        return;
    const char *article = expected[0] == 'i' || expected[0] == 'a' ? "an" : "a";
    proto_error_set(error, PROTO_INVALID_PARAMS, "type", "%s must be %s %s", path, article,
                    expected);
    add_path(error, path);
    proto_error_text(error, "expected", expected, strlen(expected));
}

void proto_refuse_range(struct proto_error *error, const char *name, int64_t min, int64_t max)
{
    if (error->code)
        return;
    proto_error_set(error, PROTO_INVALID_PARAMS, "range", "%s must be between %lld and %lld", name,
                    (long long)min, (long long)max);
    add_path(error, name);
    proto_error_integer(error, "min", min);
    proto_error_integer(error, "max", max);
}

void proto_refuse_conflict(struct proto_error *error, const char *path, const char *why)
{
    if (error->code)
        return;
    proto_error_set(error, PROTO_INVALID_PARAMS, "conflict", "%s", why);
    add_path(error, path);
}

void proto_refuse_empty(struct proto_error *error, const char *path)
{
    if (error->code)
        return;
    proto_error_set(error, PROTO_INVALID_PARAMS, "empty", "%s must not be empty", path);
    add_path(error, path);
}

void proto_refuse_length(struct proto_error *error, const char *path, size_t wanted, size_t actual)
{
    if (error->code)
        return;
    proto_error_set(error, PROTO_INVALID_PARAMS, "wrong_length",
                    "%s has %zu numbers, and %zu are wanted", path, actual, wanted);
    add_path(error, path);
    proto_error_integer(error, "wanted", (int64_t)wanted);
    proto_error_integer(error, "actual", (int64_t)actual);
}

void proto_refuse_count(struct proto_error *error, const char *reason, const char *path,
                        size_t count, size_t limit)
{
    if (error->code)
        return;
    proto_error_set(error, PROTO_TOO_LONG, reason, "%s has %zu items, and at most %zu are allowed",
                    path, count, limit);
    add_limit(error, path, limit, count);
}

void proto_check_text_length(struct proto_error *error, const char *path, size_t len, size_t limit)
{
    if (error->code || len <= limit)
        return;
    proto_error_set(error, PROTO_TOO_LONG, "text_too_long",
                    "%s has %zu bytes, and at most %zu are allowed", path, len, limit);
    add_limit(error, path, limit, len);
}
