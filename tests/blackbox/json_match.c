/* See json_match.h. */
#include "json_match.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TOLERANCE 1e-3

struct match {
    json_t *names;
    char *why;
    size_t size;
};

static bool match_value(struct match *match, const json_t *pattern, const json_t *value);

static bool fail(struct match *match, const char *what, const json_t *wanted, const json_t *found)
{
    char *a = wanted ? json_dumps(wanted, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    char *b = found ? json_dumps(found, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    snprintf(match->why, match->size, "%s: expected %.300s, got %.300s", what, a ? a : "nothing",
             b ? b : "nothing");
    free(a);
    free(b);
    return false;
}

static bool is_kind(const char *kind, const json_t *value)
{
    return strcmp(kind, "any") == 0 || (strcmp(kind, "string") == 0 && json_is_string(value)) ||
           (strcmp(kind, "number") == 0 && json_is_number(value)) ||
           (strcmp(kind, "integer") == 0 && json_is_integer(value)) ||
           (strcmp(kind, "boolean") == 0 && json_is_boolean(value)) ||
           (strcmp(kind, "array") == 0 && json_is_array(value)) ||
           (strcmp(kind, "object") == 0 && json_is_object(value));
}

static bool match_variable(struct match *match, const json_t *pattern, const json_t *value)
{
    const char *word = json_string_value(pattern) + 1;
    if (*word != '=')
        return is_kind(word, value) || fail(match, "wrong kind", pattern, value);
    const json_t *before = json_object_get(match->names, word + 1);
    if (!before)
        return json_object_set(match->names, word + 1, (json_t *)value) == 0;
    return json_equal(before, value) || fail(match, word + 1, before, value);
}

static bool match_object(struct match *match, const json_t *pattern, const json_t *value)
{
    const char *name;
    json_t *part;
    bool more = json_object_get(pattern, "$more") != NULL;
    json_object_foreach((json_t *)pattern, name, part)
    {
        const json_t *member = json_object_get(value, name);
        if (strcmp(name, "$more") == 0)
            continue;
        if (!member)
            return fail(match, name, part, NULL);
        if (!match_value(match, part, member))
            return false;
    }
    json_object_foreach((json_t *)value, name, part)
    {
        if (!more && !json_object_get(pattern, name))
            return fail(match, name, NULL, part);
    }
    return true;
}

static bool match_array(struct match *match, const json_t *pattern, const json_t *value)
{
    size_t i;
    json_t *part;
    if (json_array_size(pattern) != json_array_size(value))
        return fail(match, "array of another length", pattern, value);
    json_array_foreach(pattern, i, part)
    {
        if (!match_value(match, part, json_array_get(value, i)))
            return false;
    }
    return true;
}

static bool match_number(struct match *match, const json_t *pattern, const json_t *value)
{
    double a = json_number_value(pattern), b = json_number_value(value);
    return fabs(a - b) <= TOLERANCE * fmax(fabs(a), fabs(b)) ||
           fail(match, "another number", pattern, value);
}

static bool match_value(struct match *match, const json_t *pattern, const json_t *value)
{
    if (json_is_string(pattern) && json_string_value(pattern)[0] == '$')
        return match_variable(match, pattern, value);
    if (json_is_object(pattern) && json_is_object(value))
        return match_object(match, pattern, value);
    if (json_is_array(pattern) && json_is_array(value))
        return match_array(match, pattern, value);
    if (json_is_real(pattern) && json_is_number(value))
        return match_number(match, pattern, value);
    return json_equal(pattern, value) || fail(match, "another value", pattern, value);
}

bool json_match(const json_t *pattern, const json_t *value, json_t *names, char *why, size_t size)
{
    struct match match = {.names = names, .why = why, .size = size};
    return match_value(&match, pattern, value);
}
