/*
 * Encoding a piece with learned merges: while two adjacent tokens have a merge, the one of lowest
 * rank is applied, the leftmost first. Characters that are no tokens become byte tokens.
 *
 * With dropout (Provilkov, Emelianenko and Voita 2020) every merge that could be applied is left
 * out of a step with some probability, and encoding ends at the step that has none left: the same
 * piece is cut in many ways, none of which the network can rely on.
 */
#ifndef DRAGOMAN_TEXT_BPE_H
#define DRAGOMAN_TEXT_BPE_H

#include "base/rng.h"
#include "text/piece.h"
#include "text/vocab_table.h"

struct bpe_slot {
    int32_t left, right, result; /* left 0: free */
    uint32_t rank;
};

struct bpe { /* zero-initialise; release with bpe_release */
    const struct intern *tokens;
    struct bpe_slot *slots; /* hashed by (left, right) */
    size_t slot_count;      /* a power of two */
    bool *whole;            /* [tokens->count]: encoding the token's text gives the token */
    int32_t ascii[128];     /* token of each character, or -1 */
};

struct bpe_symbol {
    int32_t id;
    uint32_t end; /* its end in the piece */
};

/* `table` must stay as it is as long as `bpe` is used. A pair that has two merges is ERR_FORMAT. */
int bpe_build(struct bpe *bpe, const struct vocab_table *table, struct err *err);
void bpe_release(struct bpe *bpe);
/* Encodes a piece of 1..PIECE_MAX bytes of UTF-8; returns the number of symbols. */
size_t bpe_encode(const struct bpe *bpe, const char *text, size_t len,
                  struct bpe_symbol symbols[PIECE_MAX]);

struct bpe_dropout {
    uint64_t threshold; /* a merge is left out where the next random number is below it */
    struct rng *rng;
};
/* probability: 0 to 1. With 0 bpe_encode_dropout does what bpe_encode does, drawing no numbers. */
struct bpe_dropout bpe_dropout(double probability, struct rng *rng);
size_t bpe_encode_dropout(const struct bpe *bpe, const char *text, size_t len,
                          const struct bpe_dropout *dropout, struct bpe_symbol symbols[PIECE_MAX]);

#endif
