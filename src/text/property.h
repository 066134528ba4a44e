/*
 * What a reader of a text must keep in mind, character by character: whether it is inside quotes or
 * brackets, how far the line has come, how deep it is nested. Hidden units of networks are measured
 * against these (Karpathy, Johnson, Fei-Fei 2016, arXiv 1506.02078, section 4.2).
 *
 * A property of a character is what holds once that character has been read: the mark that opens is
 * inside, the one that closes is not. The rules look at the text alone and know no language, so
 * they err now and then:
 *
 *   quotes      between "" (a backslash keeps one from closing), between the curly and the pointed
 *               ones, between '' where the first begins a word and the last ends one and follows a
 *               mark of punctuation, or where one character stands between them
 *   position    characters since the line began; the line feed has 0
 *   brackets    inside () or []
 *   if          behind the word `if`, in any case, to the end of what it asks: the bracket that
 *               closes, where one follows it; else the next , ; : ? ! or line end, or a full stop
 *               before white space
 *   comment     between slash-star and star-slash, after // (but not after ://) or a # that begins
 *               a word and does not touch the next one, to the line's end; between <!-- and -->
 *   depth       brackets that are open: (, [ and {
 *   indent      columns of white space before the line's first character, a tab up to the next
 *               multiple of 8; while they are read, those so far
 *   line-end    at most PROPERTY_NEAR characters are left in the line, and it has an end
 *   word        the first character of a word
 *   upper       a letter in upper or title case
 *
 * An empty line ends quotes, round and square brackets that are still open.
 */
#ifndef DRAGOMAN_TEXT_PROPERTY_H
#define DRAGOMAN_TEXT_PROPERTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROPERTY_NEAR 8

enum property {
    PROPERTY_QUOTES,
    PROPERTY_POSITION,
    PROPERTY_BRACKETS,
    PROPERTY_IF,
    PROPERTY_COMMENT,
    PROPERTY_DEPTH,
    PROPERTY_INDENT,
    PROPERTY_LINE_END,
    PROPERTY_WORD,
    PROPERTY_UPPER,
};
#define PROPERTY_COUNT (PROPERTY_UPPER + 1)

struct property_facts {
    const char *name, *what; /* "inside quotes"; one sentence more */
    bool number;             /* a number from 0 to INT16_MAX, and not 0 or 1 */
    bool point; /* of single characters: longer units have it where one of theirs has */
};
extern const struct property_facts properties[PROPERTY_COUNT];

/* values[i], i < len: of the character to which byte i belongs. The text must be UTF-8. */
void property_read(enum property property, const char *text, size_t len, int16_t *values);

#endif
