/* Fixed translations of given terms. */
#ifndef DRAGOMAN_TEXT_GLOSSARY_H
#define DRAGOMAN_TEXT_GLOSSARY_H

#include <stddef.h>

#define GLOSSARY_MAX_TERMS 256
#define GLOSSARY_MAX_TERM 256 /* bytes of a source or a target */

struct glossary_term {
    const char *source, *target; /* UTF-8; the source is not empty */
    size_t source_len, target_len;
};
struct glossary { /* owns nothing */
    const struct glossary_term *terms;
    size_t count;
};

/* The longest term that stands at `offset` as whole words, or NULL; the first of equal ones. The
   first letter may be upper case where the term's is not, as at the beginning of a sentence. */
const struct glossary_term *glossary_match(const struct glossary *glossary, const char *text,
                                           size_t len, size_t offset);
/* Bytes of the text that the term takes at `offset`: the case of a letter may change its length. */
size_t glossary_length(const struct glossary_term *term, const char *text, size_t len,
                       size_t offset);

#endif
