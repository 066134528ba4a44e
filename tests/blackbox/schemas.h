/*
 * The schemas of proto/schema, and which of them a message must obey. Requests are noted as they
 * are sent, so that an answer is checked against the result of the method that was asked for.
 */
#ifndef DRAGOMAN_TESTS_SCHEMAS_H
#define DRAGOMAN_TESTS_SCHEMAS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct schemas;
/* Reads all schemas below `folder`, which is proto/. Complains and returns NULL where it cannot. */
struct schemas *schemas_open(const char *folder);
void schemas_free(struct schemas *schemas);

void schemas_forget(struct schemas *schemas); /* a new connection: no requests noted */
/* Notes a line that is sent; what is no request is not noted. */
void schemas_note_request(struct schemas *schemas, const char *line, size_t len);
/* Checks a line that was received; where it is not as it should be, `why` says where and why. */
bool schemas_check_answer(struct schemas *schemas, const json_t *line, char *why, size_t size);
/* Checks the examples of protocol.md in the same way. */
bool schemas_check_document(struct schemas *schemas);

#endif
