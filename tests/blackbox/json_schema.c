/* See json_schema.h: one function a keyword, looked up in a table. */
#include "json_schema.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

struct check {
    const json_t *root; /* where "#/..." starts */
    char *why;
    size_t size;
    char path[512]; /* of the value under check */
};

static bool check_value(struct check *check, const json_t *schema, const json_t *value);

static bool fail(struct check *check, const char *what, const json_t *wanted)
{
    char *text = wanted ? json_dumps(wanted, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    snprintf(check->why, check->size, "%s: %s%.200s", *check->path ? check->path : "(top)", what,
             text ? text : "");
    free(text);
    return false;
}

/* Checks a part of the value, with its name put behind the path. */
static bool check_part(struct check *check, const char *name, const json_t *schema,
                       const json_t *value)
{
    size_t len = strlen(check->path);
    snprintf(check->path + len, sizeof check->path - len, "/%s", name);
    bool good = check_value(check, schema, value);
    if (good)
        check->path[len] = '\0';
    return good;
}

static bool is_whole(const json_t *value)
{
    double number = json_number_value(value);
    return json_is_integer(value) || (json_is_real(value) && number == floor(number));
}

static bool has_type(const json_t *value, const char *type)
{
    return (strcmp(type, "object") == 0 && json_is_object(value)) ||
           (strcmp(type, "array") == 0 && json_is_array(value)) ||
           (strcmp(type, "string") == 0 && json_is_string(value)) ||
           (strcmp(type, "number") == 0 && json_is_number(value)) ||
           (strcmp(type, "integer") == 0 && is_whole(value)) ||
           (strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
           (strcmp(type, "null") == 0 && json_is_null(value));
}

static bool check_type(struct check *check, const json_t *rule, const json_t *schema,
                       const json_t *value)
{
    (void)schema;
    size_t i;
    json_t *type;
    if (json_is_string(rule))
        return has_type(value, json_string_value(rule)) || fail(check, "type is not ", rule);
    json_array_foreach(rule, i, type)
    {
        if (has_type(value, json_string_value(type)))
            return true;
    }
    return fail(check, "type is none of ", rule);
}

static bool check_const(struct check *check, const json_t *rule, const json_t *schema,
                        const json_t *value)
{
    (void)schema;
    return json_equal(rule, value) || fail(check, "is not ", rule);
}

static bool check_enum(struct check *check, const json_t *rule, const json_t *schema,
                       const json_t *value)
{
    (void)schema;
    size_t i;
    json_t *word;
    json_array_foreach(rule, i, word)
    {
        if (json_equal(word, value))
            return true;
    }
    return fail(check, "is none of ", rule);
}

static bool check_required(struct check *check, const json_t *rule, const json_t *schema,
                           const json_t *value)
{
    (void)schema;
    size_t i;
    json_t *name;
    json_array_foreach(rule, i, name)
    {
        if (json_is_object(value) && !json_object_get(value, json_string_value(name)))
            return fail(check, "lacks ", name);
    }
    return true;
}

static bool check_properties(struct check *check, const json_t *rule, const json_t *schema,
                             const json_t *value)
{
    (void)schema;
    const char *name;
    json_t *part;
    json_object_foreach((json_t *)rule, name, part)
    {
        const json_t *member = json_object_get(value, name);
        if (member && !check_part(check, name, part, member))
            return false;
    }
    return true;
}

static bool check_additional(struct check *check, const json_t *rule, const json_t *schema,
                             const json_t *value)
{
    const json_t *known = json_object_get(schema, "properties");
    const char *name;
    json_t *member;
    if (!json_is_object(value))
        return true;
    json_object_foreach((json_t *)value, name, member)
    {
        if (json_object_get(known, name))
            continue;
        if (json_is_false(rule)) {
            json_t *text = json_string(name);
            fail(check, "has a member that is not allowed: ", text);
            json_decref(text);
            return false;
        }
        if (json_is_object(rule) && !check_part(check, name, rule, member))
            return false;
    }
    return true;
}

static bool check_items(struct check *check, const json_t *rule, const json_t *schema,
                        const json_t *value)
{
    (void)schema;
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        char name[32];
        snprintf(name, sizeof name, "%zu", i);
        if (!check_part(check, name, rule, item))
            return false;
    }
    return true;
}

/* minItems, maxItems, minimum, maximum: `low` says which side. */
static bool check_bound(struct check *check, const json_t *rule, bool applies, double have,
                        bool low)
{
    double bound = json_number_value(rule);
    if (!applies || (low ? have >= bound : have <= bound))
        return true;
    return fail(check, low ? "is less than " : "is more than ", rule);
}

static bool check_min_items(struct check *check, const json_t *rule, const json_t *schema,
                            const json_t *value)
{
    (void)schema;
    return check_bound(check, rule, json_is_array(value), (double)json_array_size(value), true);
}

static bool check_max_items(struct check *check, const json_t *rule, const json_t *schema,
                            const json_t *value)
{
    (void)schema;
    return check_bound(check, rule, json_is_array(value), (double)json_array_size(value), false);
}

static bool check_minimum(struct check *check, const json_t *rule, const json_t *schema,
                          const json_t *value)
{
    (void)schema;
    return check_bound(check, rule, json_is_number(value), json_number_value(value), true);
}

static bool check_maximum(struct check *check, const json_t *rule, const json_t *schema,
                          const json_t *value)
{
    (void)schema;
    return check_bound(check, rule, json_is_number(value), json_number_value(value), false);
}

static bool check_one_of(struct check *check, const json_t *rule, const json_t *schema,
                         const json_t *value)
{
    (void)schema;
    size_t i, matches = 0, len = strlen(check->path);
    json_t *choice;
    char why[512] = "";
    json_array_foreach(rule, i, choice)
    {
        struct check attempt = *check;
        attempt.why = why;
        attempt.size = sizeof why;
        matches += check_value(&attempt, choice, value);
    }
    check->path[len] = '\0';
    if (matches == 1)
        return true;
    if (matches > 1)
        return fail(check, "obeys more than one of oneOf", NULL);
    snprintf(check->why, check->size, "%s: obeys none of oneOf; the last: %s", check->path, why);
    return false;
}

/* "#/$defs/name" only. */
static bool check_ref(struct check *check, const json_t *rule, const json_t *schema,
                      const json_t *value)
{
    (void)schema;
    static const char start[] = "#/$defs/";
    const char *text = json_string_value(rule);
    const json_t *found = NULL;
    if (text && strncmp(text, start, sizeof start - 1) == 0)
        found = json_object_get(json_object_get(check->root, "$defs"), text + sizeof start - 1);
    return found ? check_value(check, found, value) : fail(check, "unknown reference ", rule);
}

static bool check_nothing(struct check *check, const json_t *rule, const json_t *schema,
                          const json_t *value)
{
    (void)check, (void)rule, (void)schema, (void)value;
    return true;
}

static const struct {
    const char *name;
    bool (*run)(struct check *check, const json_t *rule, const json_t *schema, const json_t *value);
} keywords[] = {
    {"$schema", check_nothing},
    {"title", check_nothing},
    {"$defs", check_nothing},
    {"$ref", check_ref},
    {"type", check_type},
    {"const", check_const},
    {"enum", check_enum},
    {"required", check_required},
    {"properties", check_properties},
    {"additionalProperties", check_additional},
    {"items", check_items},
    {"minItems", check_min_items},
    {"maxItems", check_max_items},
    {"minimum", check_minimum},
    {"maximum", check_maximum},
    {"oneOf", check_one_of},
};

static bool check_value(struct check *check, const json_t *schema, const json_t *value)
{
    const char *name;
    json_t *rule;
    json_object_foreach((json_t *)schema, name, rule)
    {
        size_t i = 0, count = sizeof keywords / sizeof keywords[0];
        while (i < count && strcmp(keywords[i].name, name) != 0)
            i++;
        if (i == count) {
            snprintf(check->why, check->size, "the schema uses '%s', which is not known", name);
            return false;
        }
        if (!keywords[i].run(check, rule, schema, value))
            return false;
    }
    return true;
}

bool schema_check(const json_t *schema, const json_t *value, char *why, size_t size)
{
    struct check check = {.root = schema, .why = why, .size = size, .path = ""};
    snprintf(why, size, "not a schema");
    return json_is_object(schema) && check_value(&check, schema, value);
}
