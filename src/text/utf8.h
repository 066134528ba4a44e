/*
 * Strict UTF-8 (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF. NUL is a
 * character like any other.
 */
#ifndef DRAGOMAN_TEXT_UTF8_H
#define DRAGOMAN_TEXT_UTF8_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"

/* Decodes the character at `text`, of which len bytes remain; returns its length, 1 to 4, or 0
   where none is well-formed. */
size_t utf8_decode(const char *text, size_t len, uint32_t *code);
/* Writes a character (no surrogate, at most U+10FFFF); returns its length. */
size_t utf8_encode(uint32_t code, char out[4]);
/* Offset of the first byte that does not belong to a well-formed character; len if there is none.
 */
size_t utf8_valid_length(const char *text, size_t len);
/* ERR_UTF8 with the byte offset where the text is not UTF-8. */
int utf8_check(const char *text, size_t len, struct err *err);
/* Appends the text with every maximal ill-formed part replaced by U+FFFD (Unicode, section 3.9). */
int utf8_repair(const char *text, size_t len, struct buf *out, struct err *err);

#endif
