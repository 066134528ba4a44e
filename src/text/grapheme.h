/*
 * Extended grapheme clusters (Unicode Standard Annex 29): what a reader takes for one character,
 * such as a letter with its marks, a flag, a family of emoji, or "\r\n".
 */
#ifndef DRAGOMAN_TEXT_GRAPHEME_H
#define DRAGOMAN_TEXT_GRAPHEME_H

#include <stddef.h>

#define GRAPHEME_MAX 256 /* bytes; a longer cluster is cut there, at a character */

/* The end of the cluster that begins at `begin` < len. The text must be UTF-8. */
size_t grapheme_end(const char *text, size_t len, size_t begin);

#endif
