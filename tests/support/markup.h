/*
 * Is a page well-formed, and does it load nothing? Elements close in order, attributes are quoted
 * and given once, only the five entities of XML and numbers occur, characters are those that XML
 * allows, ids are unlike each other, no number of a drawing is "nan" or "inf", and nothing refers
 * to another file: no src, href, url(), @import, script or address of the network.
 */
#ifndef DRAGOMAN_TESTS_MARKUP_H
#define DRAGOMAN_TESTS_MARKUP_H

#include <stdbool.h>
#include <stddef.h>

/* NUL-terminated. Where it is not, `why` says what is wrong and after how many bytes. */
bool markup_check(const char *page, size_t len, char *why, size_t size);
/* The same, but a script is allowed that stands in the page, as CDATA: one that fetches nothing,
   evaluates no text and makes no markup of it. */
bool markup_check_scripted(const char *page, size_t len, char *why, size_t size);
/* How often `element` is begun, or the text occurs. */
size_t markup_count(const char *page, const char *text);

#endif
