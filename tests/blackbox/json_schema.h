/*
 * JSON Schema 2020-12, the part that proto/schema uses. A keyword that is not known here is a
 * failure, not a pass, so that no rule can be written that nobody checks.
 */
#ifndef DRAGOMAN_TESTS_JSON_SCHEMA_H
#define DRAGOMAN_TESTS_JSON_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Whether `value` obeys `schema`, which is a whole document. Where not, `why` says where and why.
 */
bool schema_check(const json_t *schema, const json_t *value, char *why, size_t size);

#endif
