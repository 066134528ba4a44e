/*
 * Writing JSON into a buffer, piece by piece. What is written is always well-formed UTF-8: bytes of
 * a text that are not become U+FFFD. Errors are memory only; since the first error wins, a caller
 * may write on and look at `err` once at the end.
 */
#ifndef DRAGOMAN_TEXT_JSON_H
#define DRAGOMAN_TEXT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* A string with its quotes. */
void json_write_text(struct buf *out, const char *text, size_t len, struct err *err);
/* `,"name":` or, directly after '{', `"name":`; name needs no escapes. */
void json_write_name(struct buf *out, const char *name, struct err *err);
void json_write_integer(struct buf *out, const char *name, int64_t value, struct err *err);
/* Seven significant digits, which is all that a float holds; 0 where it is not finite. */
void json_write_number(struct buf *out, double value, struct err *err);
/* Nine digits; null where it is not finite. */
void json_write_real(struct buf *out, const char *name, double value, struct err *err);
void json_write_boolean(struct buf *out, const char *name, bool value, struct err *err);
void json_write_string(struct buf *out, const char *name, const char *text, struct err *err);
/* `,` unless the buffer ends in '[' or '{' or is empty. */
void json_write_comma(struct buf *out, struct err *err);

#endif
