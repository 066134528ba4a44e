/* Learning a vocabulary and writing vocab.sqlite: token(id, text, count), merge(rank, left, right),
   meta(key, value). Written to a temporary name, fsynced and renamed. */
#ifndef DRAGOMAN_TEXT_VOCAB_H
#define DRAGOMAN_TEXT_VOCAB_H

#include "text/token.h"

struct vocab_settings {
    struct tokenizer_spec tokenizer;
    size_t merges; /* bpe: how many merges to learn */
    /* word, char: how many words or clusters to keep at most, the most frequent first; 0: all */
    size_t max_words;
    size_t min_count; /* characters (bpe), words or clusters seen less often are left out */
};

struct vocab_learner; /* counts pieces or clusters of the texts given to it */
struct vocab_learner *vocab_learner_new(const struct vocab_settings *settings, struct err *err);
void vocab_learner_free(struct vocab_learner *learner);
int vocab_learner_add(struct vocab_learner *learner, const char *line, size_t len, struct err *err);
/* Learns from what was added and writes the database at `path`. bpe: ids 4..259 are the bytes
   <0x00>..<0xFF>, then characters by frequency, then merges in order. char: clusters that are too
   rare count as the characters that they are made of, as they will be encoded. Ties are broken by
   bytes, so that the same lines give the same vocabulary. */
int vocab_learner_save(struct vocab_learner *learner, const char *path, struct err *err);

#endif
