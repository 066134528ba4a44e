/*
 * Cutting normalised text into pieces, the units inside which tokens live. Every byte belongs to
 * exactly one piece.
 *
 * A piece is an optional single space (U+0020) and one of
 *   - a run of letters (category L) with the marks (M) and format characters (Cf, less U+200B)
 *     among and after them;
 *   - a run of digits and other numbers (category N);
 *   - one other character;
 * or one white-space character. With `single`, letters of scripts that put no spaces between words
 * are pieces of their own, with their marks. A run is cut after PIECE_MAX bytes, at a character.
 *
 * These rules are part of the vocabulary format: changing them means a new VOCAB_VERSION.
 */
#ifndef DRAGOMAN_TEXT_PIECE_H
#define DRAGOMAN_TEXT_PIECE_H

#include <stdbool.h>
#include <stddef.h>

#define PIECE_MAX 256 /* bytes */

/* The end of the piece that begins at `begin` < len. The text must be UTF-8. */
size_t piece_end(const char *text, size_t len, size_t begin, bool single);
/* Whether the text is one white-space character. */
bool piece_is_space(const char *text, size_t len);

#endif
