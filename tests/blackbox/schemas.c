/* See schemas.h. The schemas are one object, by file name without ".json". */
#include "schemas.h"
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "json_schema.h"

#define MAX_FILE (1u << 20)
#define DECODE (JSON_DECODE_ANY | JSON_ALLOW_NUL)

struct schemas {
    char folder[512];
    json_t *all;
    json_t *requests; /* by id, as JSON text */
};

static bool load(struct schemas *schemas, const char *path)
{
    json_error_t where;
    const char *name = strrchr(path, '/') + 1;
    json_t *schema = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (!schema) {
        fprintf(stderr, "%s:%d: %s\n", path, where.line, where.text);
        return false;
    }
    char key[256];
    snprintf(key, sizeof key, "%.*s", (int)(strlen(name) - strlen(".json")), name);
    return json_object_set_new(schemas->all, key, schema) == 0;
}

struct schemas *schemas_open(const char *folder)
{
    glob_t found;
    char pattern[600];
    struct schemas *schemas = mem_alloc(1, sizeof *schemas, NULL);
    if (!schemas)
        return NULL;
    snprintf(schemas->folder, sizeof schemas->folder, "%s", folder);
    snprintf(pattern, sizeof pattern, "%s/schema/*.json", folder);
    schemas->all = json_object();
    schemas->requests = json_object();
    bool good = glob(pattern, 0, NULL, &found) == 0;
    if (!good)
        fprintf(stderr, "no schemas: %s\n", pattern);
    for (size_t i = 0; good && i < found.gl_pathc; i++)
        good = load(schemas, found.gl_pathv[i]);
    if (good)
        globfree(&found);
    if (good)
        return schemas;
    schemas_free(schemas);
    return NULL;
}

void schemas_free(struct schemas *schemas)
{
    json_decref(schemas->all);
    json_decref(schemas->requests);
    mem_free(schemas);
}

void schemas_forget(struct schemas *schemas)
{
    json_object_clear(schemas->requests);
}

static void note(struct schemas *schemas, json_t *request)
{
    json_t *id = json_object_get(request, "id");
    char *key = id ? json_dumps(id, JSON_ENCODE_ANY) : NULL;
    if (key)
        json_object_set(schemas->requests, key, request);
    free(key);
}

void schemas_note_request(struct schemas *schemas, const char *line, size_t len)
{
    size_t i;
    json_t *part;
    json_t *message = json_loadb(line, len, DECODE, NULL);
    json_array_foreach(message, i, part)
    {
        note(schemas, part);
    }
    if (json_is_object(message))
        note(schemas, message);
    json_decref(message);
}

static bool check_named(struct schemas *schemas, const char *name, const json_t *value, char *why,
                        size_t size)
{
    char detail[700] = "";
    if (schema_check(json_object_get(schemas->all, name), value, detail, sizeof detail))
        return true;
    snprintf(why, size, "does not obey %s.json: %s", name, detail);
    return false;
}

/* The parameters of a request against its answer: a result needs good ones, and an error about a
   type or an unknown name needs bad ones. */
static bool check_params(struct schemas *schemas, const json_t *request, const json_t *answer,
                         char *why, size_t size)
{
    char name[256];
    json_t *none = json_object();
    const json_t *params = json_object_get(request, "params");
    const json_t *data = json_object_get(json_object_get(answer, "error"), "data");
    const char *reason = json_string_value(json_object_get(data, "reason"));
    snprintf(name, sizeof name, "%s.params", json_string_value(json_object_get(request, "method")));
    bool obeys = check_named(schemas, name, params ? params : none, why, size);
    json_decref(none);
    if (!reason)
        return obeys;
    if (!obeys || (strcmp(reason, "type") != 0 && strcmp(reason, "unknown") != 0))
        return true;
    snprintf(why, size, "refused, but the request obeys %s.json", name);
    return false;
}

/* The request that the answer belongs to, NULL where none was noted. */
static const json_t *request_of(const struct schemas *schemas, const json_t *answer)
{
    char *key = json_dumps(json_object_get(answer, "id"), JSON_ENCODE_ANY);
    const json_t *request = key ? json_object_get(schemas->requests, key) : NULL;
    free(key);
    return request;
}

/* A notification from the server. */
static bool check_notification(struct schemas *schemas, const json_t *line, char *why, size_t size)
{
    char name[256];
    const char *method = json_string_value(json_object_get(line, "method"));
    snprintf(name, sizeof name, "%s.params", method ? method : "");
    return check_named(schemas, "notification", line, why, size) &&
           check_named(schemas, name, json_object_get(line, "params"), why, size);
}

static bool check_one(struct schemas *schemas, const json_t *answer, char *why, size_t size)
{
    char name[256];
    if (json_object_get(answer, "method"))
        return check_notification(schemas, answer, why, size);
    const json_t *result = json_object_get(answer, "result");
    const json_t *request = request_of(schemas, answer);
    if (!check_named(schemas, "answer", answer, why, size))
        return false;
    if (!result && !check_named(schemas, "error", json_object_get(answer, "error"), why, size))
        return false;
    if (!request || (!result && !json_is_object(json_object_get(request, "params"))))
        return true;
    const char *method = json_string_value(json_object_get(request, "method"));
    snprintf(name, sizeof name, "%s.result", method ? method : "");
    if (result && (!check_named(schemas, "request", request, why, size) ||
                   !check_named(schemas, name, result, why, size)))
        return false;
    return check_params(schemas, request, answer, why, size);
}

bool schemas_check_answer(struct schemas *schemas, const json_t *line, char *why, size_t size)
{
    size_t i;
    json_t *answer;
    if (!json_is_array(line))
        return check_one(schemas, line, why, size);
    json_array_foreach(line, i, answer)
    {
        if (!check_one(schemas, answer, why, size))
            return false;
    }
    return true;
}

static bool check_example(struct schemas *schemas, const char *text, size_t number)
{
    char why[1024] = "is not JSON";
    if (strncmp(text, "--> ", 4) == 0)
        schemas_note_request(schemas, text + 4, strlen(text + 4));
    if (strncmp(text, "<-- ", 4) != 0)
        return true;
    json_t *answer = json_loads(text + 4, DECODE, NULL);
    bool good = answer && schemas_check_answer(schemas, answer, why, sizeof why);
    json_decref(answer);
    if (!good)
        fprintf(stderr, "protocol.md:%zu: %s\n", number, why);
    return good;
}

bool schemas_check_document(struct schemas *schemas)
{
    char path[600];
    struct buf text = BUF_INIT;
    size_t number = 0, examples = 0;
    char *rest = NULL;
    bool good = true;
    snprintf(path, sizeof path, "%s/protocol.md", schemas->folder);
    if (file_read(path, MAX_FILE, &text, NULL) < 0)
        return false;
    for (char *at = text.data; *at; at = rest, number++) {
        size_t len = strcspn(at, "\n");
        rest = at + len + (at[len] == '\n');
        at[len] = '\0';
        examples += strncmp(at, "<-- {", 5) == 0;
        good = check_example(schemas, at, number + 1) && good;
    }
    buf_release(&text);
    schemas_forget(schemas);
    if (examples == 0)
        fprintf(stderr, "%s: no examples found\n", path);
    return good && examples > 0;
}
