/*
 * A vocabulary in memory, as vocab.sqlite holds it: what the learners make, what is written, and
 * what a tokenizer is built from.
 *
 * Tokens are numbered densely. The first four are the special tokens of token.h; with bpe the next
 * 256 are the bytes. A merge joins two adjacent tokens into the one whose text is both texts; the
 * merge's rank is its index.
 */
#ifndef DRAGOMAN_TEXT_VOCAB_TABLE_H
#define DRAGOMAN_TEXT_VOCAB_TABLE_H

#include <stdint.h>
#include "text/intern.h"
#include "text/token.h"

#define VOCAB_VERSION 1
#define VOCAB_MAX_TOKENS ((size_t)1 << 21)
#define VOCAB_MAX_BYTES ((size_t)1 << 30) /* of vocab.sqlite */
#define VOCAB_MAX_TEXT 1024               /* bytes of one token */
#define VOCAB_FIRST_BYTE TOKEN_FIRST
#define VOCAB_FIRST_CHARACTER (VOCAB_FIRST_BYTE + 256) /* bpe */

struct vocab_merge {
    int32_t left, right, result;
};

struct vocab_table { /* zero-initialise; release with vocab_table_release */
    struct tokenizer_spec spec;
    struct intern tokens;
    int64_t *counts; /* of each token in the text that it was learned from */
    size_t capacity; /* of counts */
    struct vocab_merge *merges;
    size_t merge_count;
};

/* Adds the special tokens, and for bpe the bytes. */
int vocab_table_begin(struct vocab_table *table, const struct tokenizer_spec *spec,
                      struct err *err);
/* Adds a token; *added is false where the text was there already, and only *id is set then. */
int vocab_table_add(struct vocab_table *table, const char *text, size_t len, int64_t count,
                    int32_t *id, bool *added, struct err *err);
void vocab_table_release(struct vocab_table *table);

/* The text that stands for special or byte token `id` in every vocabulary. */
void vocab_reserved_text(int32_t id, char text[8]);

/* vocab.sqlite. Reading checks everything against `spec` and the rules above. */
int vocab_table_write(const struct vocab_table *table, const char *path, struct err *err);
int vocab_table_read(struct vocab_table *table, const struct tokenizer_spec *spec, const char *path,
                     struct err *err);

/* How meta and model.json spell the settings. */
const char *vocab_kind_name(enum token_kind kind);
const char *vocab_form_name(enum norm_form form);

#endif
