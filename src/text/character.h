/*
 * Characters in running text: stepping over them, and the classes that sentence boundaries and
 * spans go by. Offsets are bytes; the text must be UTF-8, what is not counts as a character of one
 * byte that belongs to no class.
 */
#ifndef DRAGOMAN_TEXT_CHARACTER_H
#define DRAGOMAN_TEXT_CHARACTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at `offset` and its length in bytes; at the end 0 and 0. */
uint32_t character_at(const char *text, size_t len, size_t offset, size_t *size);
/* The character that ends at `offset`, which is above `begin`, and its length. */
uint32_t character_before(const char *text, size_t begin, size_t offset, size_t *size);

bool character_is_line_break(uint32_t code);
bool character_is_space(uint32_t code); /* white space, line breaks among it */
bool character_is_letter(uint32_t code);
bool character_is_lower(uint32_t code);
bool character_is_upper(uint32_t code); /* also title case */
bool character_is_digit(uint32_t code); /* decimal, of any script */
bool character_is_mark(uint32_t code);  /* combining, and what joins or varies characters */
bool character_is_open(uint32_t code);  /* opening quotes and brackets, and straight quotes */
bool character_is_close(uint32_t code); /* closing quotes and brackets, and straight quotes */
/* Where the white space that begins at `offset` ends. */
size_t character_skip_spaces(const char *text, size_t len, size_t offset);

#endif
