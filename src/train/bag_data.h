/*
 * What a bag of words is trained on: the hashes of all texts' features, taken once; the table of
 * those that occur in enough texts; and each text as rows and values. Every step is shared out over
 * the threads of a pool and gives the same result for any number of them.
 */
#ifndef DRAGOMAN_TRAIN_BAG_DATA_H
#define DRAGOMAN_TRAIN_BAG_DATA_H

#include "base/pool.h"
#include "model/bag.h"
#include "text/corpus.h"

struct bag_hashes { /* zero-initialise; of many texts, one behind the other */
    uint64_t *hashes;
    size_t *begins; /* [count + 1] */
    size_t count, tokens;
};
int bag_hashes_make(struct bag_hashes *hashes, const struct feature_settings *settings,
                    const struct tokenizer *tokenizer, const struct corpus *corpus,
                    struct pool *pool, struct err *err);
void bag_hashes_release(struct bag_hashes *hashes);

struct bag_counts {  /* zero-initialise; of the different features */
    int64_t *hashes; /* [count], ascending as unsigned numbers */
    uint32_t *texts; /* [count]: how many texts have it */
    size_t count;
};
/* Counts the features that at least `least` texts have. */
int bag_counts_make(struct bag_counts *counts, const struct bag_hashes *hashes, size_t least,
                    struct pool *pool, struct err *err);
/* Leaves the `most` features of the highest scores [count]; of equal ones the lower hashes. */
int bag_counts_select(struct bag_counts *counts, const double *scores, size_t most,
                      struct err *err);
void bag_counts_release(struct bag_counts *counts);
/* idf [count] of features that occur in so many of `all` texts. */
void bag_idf(const uint32_t *texts, size_t count, size_t all, real *idf);

struct bag_texts { /* zero-initialise; as the model reads them, one behind the other */
    uint32_t *rows;
    real *values;
    size_t *begins; /* [count + 1] */
    size_t count, longest;
};
/* The bag needs its table, and idf where it weights by that. */
int bag_texts_make(struct bag_texts *texts, const struct bag *bag, const struct bag_hashes *hashes,
                   struct pool *pool, struct err *err);
struct bag_input bag_texts_input(const struct bag_texts *texts, size_t i);
void bag_texts_release(struct bag_texts *texts);

#endif
