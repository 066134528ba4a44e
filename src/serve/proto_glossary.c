/* `glossary`: an array of objects, each a term's `source` and its `target`. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "serve/proto_params.h"

#define PATH_SIZE 64

static void path_of(char path[PATH_SIZE], const char *name, size_t index, const char *member)
{
    snprintf(path, PATH_SIZE, "%s[%zu]%s%.32s", name, index, *member ? "." : "", member);
}

static void check_member(struct proto_error *error, const char *name, size_t index,
                         const json_t *term, const char *member)
{
    char path[PATH_SIZE];
    const json_t *value = json_object_get(term, member);
    path_of(path, name, index, member);
    if (!value)
        proto_refuse_missing(error, path);
    else if (!json_is_string(value))
        proto_refuse_type(error, path, "string");
}

static void check_term(struct proto_error *error, const char *name, size_t index,
                       const json_t *term)
{
    char path[PATH_SIZE];
    const char *member;
    json_t *value;
    path_of(path, name, index, "");
    if (!json_is_object(term))
        proto_refuse_type(error, path, "object");
    json_object_foreach((json_t *)term, member, value)
    {
        path_of(path, name, index, member);
        if (strcmp(member, "source") != 0 && strcmp(member, "target") != 0)
            proto_refuse_unknown(error, path, "a term of a glossary");
    }
    check_member(error, name, index, term, "source");
    check_member(error, name, index, term, "target");
}

void proto_check_glossary(struct proto_error *error, const char *name, const json_t *value)
{
    size_t index;
    json_t *term;
    if (!json_is_array(value))
        proto_refuse_type(error, name, "array of objects");
    json_array_foreach((json_t *)value, index, term)
    {
        if (!error->code)
            check_term(error, name, index, term);
    }
}

/* A member of a term: its text in *text and *len. */
static void take_member(struct proto_error *error, const char *name, size_t index,
                        const json_t *value, const char *member, const char **text, size_t *len)
{
    const json_t *own = json_object_get(json_array_get(value, index), member);
    char path[PATH_SIZE];
    path_of(path, name, index, member);
    *text = json_string_value(own);
    *len = json_string_length(own);
    proto_check_text(error, &(struct proto_text){.data = *text, .len = *len}, path,
                     GLOSSARY_MAX_TERM);
}

int proto_take_glossary(struct proto_call *call, const char *name, const json_t *value,
                        struct err *err)
{
    const size_t count = json_array_size(value);
    if (count > GLOSSARY_MAX_TERMS) {
        proto_refuse_count(&call->error, "too_many_terms", name, count, GLOSSARY_MAX_TERMS);
        return 0;
    }
    struct glossary_term *terms = mem_alloc(count, sizeof *terms, err);
    if (!terms)
        return ERR_MEMORY;
    call->params.glossary = (struct glossary){.terms = terms, .count = count};
    for (size_t i = 0; i < count && !call->error.code; i++) {
        take_member(&call->error, name, i, value, "source", &terms[i].source, &terms[i].source_len);
        take_member(&call->error, name, i, value, "target", &terms[i].target, &terms[i].target_len);
        if (terms[i].source_len == 0) {
            char path[PATH_SIZE];
            path_of(path, name, i, "source");
            proto_refuse_empty(&call->error, path);
        }
    }
    return 0;
}
