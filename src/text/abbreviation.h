/*
 * What languages abbreviate with a full stop, and the words that often begin a sentence and never
 * go on with one after an abbreviation. Languages go by the first part of their tag ("en" for
 * "en-GB"); one without lists of its own has those that many share.
 */
#ifndef DRAGOMAN_TEXT_ABBREVIATION_H
#define DRAGOMAN_TEXT_ABBREVIATION_H

#include <stdbool.h>
#include <stddef.h>

enum abbreviation {
    ABBREVIATION_NONE,
    ABBREVIATION_INNER,  /* something always follows: "Mr.", "e.g." */
    ABBREVIATION_NUMBER, /* one where a number follows: "No. 5", "Jan. 3" */
    ABBREVIATION_FINAL,  /* may also stand at the end of a sentence: "etc.", "Inc." */
};

struct sentence_rules;

/* NULL: no language in particular. The rules are constants. */
const struct sentence_rules *sentence_rules_of(const char *language);
/* The word without its last full stop. */
enum abbreviation abbreviation_find(const struct sentence_rules *rules, const char *word,
                                    size_t len);
/* Whether sentences often begin with the word. */
bool abbreviation_is_starter(const struct sentence_rules *rules, const char *word, size_t len);
/* Whether "3." is how the language writes "third". */
bool abbreviation_has_ordinals(const struct sentence_rules *rules);
/* Whether the capital letter alone is a word, as English "I". */
bool abbreviation_is_word(const struct sentence_rules *rules, char letter);

#endif
