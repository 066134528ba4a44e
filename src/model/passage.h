/*
 * A passage: a text on its way through a translator that takes sentences, and back.
 *
 * It is cut into sentences, and what is no sentence (white space, rows of marks, lines without a
 * word) is copied. In a sentence the parts that must come through unharmed (text/span.h) and the
 * terms of the glossary give their place to stand-ins that translators copy, names and numbers;
 * tags and emoji are taken out. In the translation each is put where its stand-in or the attention
 * says, exactly once. A sentence of more tokens than the decoder takes is cut at a clause mark, or
 * else at white space, or else anywhere, and the result says so.
 *
 * The caller sends the units through a decoder in whatever order. A passage belongs to one thread
 * at a time; it keeps pointers to the text, the glossary and the tokenizer.
 */
#ifndef DRAGOMAN_MODEL_PASSAGE_H
#define DRAGOMAN_MODEL_PASSAGE_H

#include "base/buf.h"
#include "model/decode.h"
#include "text/glossary.h"
#include "text/span.h"
#include "text/token.h"

struct passage;

struct passage_options {
    struct decode_options decode;
    const char *language;            /* of the text; NULL: unknown */
    const struct glossary *glossary; /* NULL: none */
    size_t clause_tokens;            /* a sentence of more is cut at clause marks; 0: none is */
    bool whole;                      /* not cut at sentence ends: the text is one sentence */
    bool ranges;                     /* the result says where each token came from */
};

struct passage_unit { /* what a decoder takes at a time: a sentence or a part of one */
    const int32_t *ids;
    size_t count;
    struct decode_options options;
    struct decode_result *result; /* set by the caller, freed by the passage */
    void *owner;                  /* the caller's */
};

/* ERR_UTF8 where the text is not UTF-8, with the offset. */
int passage_new(struct passage **passage, const struct tokenizer *tokenizer, const char *text,
                size_t len, const struct passage_options *options, struct err *err);
void passage_free(struct passage *passage);
size_t passage_unit_count(const struct passage *passage); /* 0: nothing needs a decoder */
struct passage_unit *passage_unit(struct passage *passage, size_t index);

struct passage_alternative { /* a part of result.text */
    size_t begin, end;
    double score; /* the mean of the units' scores; 0 where there is none */
};
struct passage_range { /* a token of the translation, or something that was put in as it is */
    size_t source_begin, source_end;
    size_t target_begin, target_end;
    double log_probability; /* of the tokens; 0 for what was copied */
};
struct passage_result {                       /* zero before; release with passage_result_release */
    struct buf text;                          /* translations, one after the other */
    struct passage_alternative *alternatives; /* best first, all different; at least one */
    size_t alternative_count;
    struct passage_range *ranges; /* of the first, in order; empty unless asked for */
    size_t range_count;
    bool aligned;            /* the model has attention: ranges of the source mean something */
    struct span_range *cuts; /* parts of the text that are parts of one sentence */
    size_t cut_count;
    bool truncated; /* a unit of the first came to no end */
    double quality; /* of the first: the chrF that it may be expected to have, 0 to 1 */
    size_t tokens_in, tokens_out;
};

/* Once every unit has its result. ERR_INTERNAL where one has no hypothesis. */
int passage_write(const struct passage *passage, struct passage_result *result, struct err *err);
void passage_result_release(struct passage_result *result);

#endif
