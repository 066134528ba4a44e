/*
 * Patterns of JSON for transcripts. A pattern is JSON; it matches what is equal to it, except that
 * a string that begins with '$' stands for values that vary:
 *
 *   "$any" "$string" "$number" "$integer" "$boolean" "$array" "$object"   any value of that type
 *   "$=NAME"     any value the first time, afterwards the same value as then
 *   "$more":true as a member of an object: it may have further members
 *
 * Members stand in any order. Real numbers are equal within one part in a thousand.
 */
#ifndef DRAGOMAN_TESTS_JSON_MATCH_H
#define DRAGOMAN_TESTS_JSON_MATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* `names`, an object, keeps what "$=NAME" stands for. Where it does not match, `why` says where
   and why. */
bool json_match(const json_t *pattern, const json_t *value, json_t *names, char *why, size_t size);

#endif
