/*
 * Most pieces are tokens as they are; one look-up finds those. The others begin as characters. The
 * rank of every adjacent pair is kept beside the symbols and the lowest is found by a plain scan:
 * pieces are at most PIECE_MAX bytes, so this beats a heap and its cost per byte is bounded.
 */
#include "text/bpe.h"

#include <string.h>
#include "base/mem.h"
#include "text/utf8.h"

#define NO_RANK UINT32_MAX

struct row {
    size_t count;
    struct bpe_symbol *symbols;
    uint32_t ranks[PIECE_MAX];  /* of symbols i and i + 1 */
    int32_t results[PIECE_MAX]; /* what they would become */
};

static size_t slot_of(const struct bpe *bpe, int32_t left, int32_t right)
{
    uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    size_t mask = bpe->slot_count - 1;
    size_t at = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 24) & mask;

    while (bpe->slots[at].left != 0 &&
           (bpe->slots[at].left != left || bpe->slots[at].right != right))
        at = (at + 1) & mask;
    return at;
}

static int add_merges(struct bpe *bpe, const struct vocab_table *table, struct err *err)
{
    bpe->slot_count = 64;
    while (bpe->slot_count < 3 * table->merge_count)
        bpe->slot_count *= 2;
    bpe->slots = mem_alloc(bpe->slot_count, sizeof(*bpe->slots), err);
    if (bpe->slots == NULL)
        return ERR_MEMORY;
    for (size_t rank = 0; rank < table->merge_count; rank++) {
        const struct vocab_merge *merge = &table->merges[rank];
        struct bpe_slot *slot = &bpe->slots[slot_of(bpe, merge->left, merge->right)];

        if (slot->left != 0)
            return err_set(err, ERR_FORMAT, "merges %u and %zu are of the same tokens", slot->rank,
                           rank);
        *slot = (struct bpe_slot){merge->left, merge->right, merge->result, (uint32_t)rank};
    }
    return 0;
}

static void add_characters(struct bpe *bpe)
{
    for (int c = 0; c < 128; c++) {
        char text = (char)c;

        bpe->ascii[c] = intern_find(bpe->tokens, &text, 1);
    }
}

static size_t encode_by_merges(const struct bpe *bpe, const char *text, size_t len,
                               const struct bpe_dropout *dropout, struct bpe_symbol *symbols);

static void find_whole(struct bpe *bpe)
{
    for (size_t id = VOCAB_FIRST_CHARACTER; id < bpe->tokens->count; id++) {
        struct bpe_symbol symbols[PIECE_MAX];
        size_t len;
        const char *text = intern_text(bpe->tokens, (int32_t)id, &len);

        bpe->whole[id] = len <= PIECE_MAX && encode_by_merges(bpe, text, len, NULL, symbols) == 1;
    }
}

int bpe_build(struct bpe *bpe, const struct vocab_table *table, struct err *err)
{
    int rc;

    bpe->tokens = &table->tokens;
    rc = add_merges(bpe, table, err);
    if (rc != 0)
        return rc;
    bpe->whole = mem_alloc(table->tokens.count, sizeof(*bpe->whole), err);
    if (bpe->whole == NULL)
        return ERR_MEMORY;
    add_characters(bpe);
    find_whole(bpe);
    return 0;
}

void bpe_release(struct bpe *bpe)
{
    mem_free(bpe->slots);
    mem_free(bpe->whole);
    *bpe = (struct bpe){.tokens = NULL};
}

/* Looks up the merge of symbols i and i + 1. */
static void rank_pair(const struct bpe *bpe, struct row *row, size_t i)
{
    const struct bpe_slot *slot =
        &bpe->slots[slot_of(bpe, row->symbols[i].id, row->symbols[i + 1].id)];

    row->ranks[i] = slot->left != 0 ? slot->rank : NO_RANK;
    row->results[i] = slot->result;
}

static void split(const struct bpe *bpe, const char *text, size_t len, struct row *row)
{
    for (size_t at = 0; at < len;) {
        unsigned char first = (unsigned char)text[at];
        uint32_t code;
        size_t n = first < 0x80 ? 1 : utf8_decode(text + at, len - at, &code);
        int32_t id = first < 0x80 ? bpe->ascii[first] : intern_find(bpe->tokens, text + at, n);

        if (id >= 0) {
            at += n;
            row->symbols[row->count++] = (struct bpe_symbol){id, (uint32_t)at};
            continue;
        }
        for (; n > 0; n--, at++)
            row->symbols[row->count++] =
                (struct bpe_symbol){VOCAB_FIRST_BYTE + (unsigned char)text[at], (uint32_t)at + 1};
    }
}

/* Merges symbols i and i + 1. */
static void join(const struct bpe *bpe, struct row *row, size_t i)
{
    size_t rest = row->count - i - 2; /* symbols after them */

    row->symbols[i] = (struct bpe_symbol){row->results[i], row->symbols[i + 1].end};
    memmove(row->symbols + i + 1, row->symbols + i + 2, rest * sizeof(*row->symbols));
    if (rest > 0) {
        memmove(row->ranks + i + 1, row->ranks + i + 2, (rest - 1) * sizeof(*row->ranks));
        memmove(row->results + i + 1, row->results + i + 2, (rest - 1) * sizeof(*row->results));
        rank_pair(bpe, row, i);
    }
    row->count--;
    if (i > 0)
        rank_pair(bpe, row, i - 1);
}

/* The pair to be merged, or the last symbol where there is none. */
static size_t lowest_pair(const struct row *row)
{
    uint32_t lowest = NO_RANK;
    size_t best = row->count - 1;

    for (size_t i = 0; i + 1 < row->count; i++)
        if (row->ranks[i] < lowest) {
            lowest = row->ranks[i];
            best = i;
        }
    return best;
}

/* The same of those that are not left out. Only a pair that would be chosen needs a number. */
static size_t lowest_kept_pair(const struct row *row, const struct bpe_dropout *dropout)
{
    uint32_t lowest = NO_RANK;
    size_t best = row->count - 1;

    for (size_t i = 0; i + 1 < row->count; i++)
        if (row->ranks[i] < lowest && rng_next(dropout->rng) >= dropout->threshold) {
            lowest = row->ranks[i];
            best = i;
        }
    return best;
}

static size_t encode_by_merges(const struct bpe *bpe, const char *text, size_t len,
                               const struct bpe_dropout *dropout, struct bpe_symbol *symbols)
{
    struct row row;

    row.count = 0;
    row.symbols = symbols;
    split(bpe, text, len, &row);
    for (size_t i = 0; i + 1 < row.count; i++)
        rank_pair(bpe, &row, i);
    for (;;) {
        size_t best = dropout != NULL ? lowest_kept_pair(&row, dropout) : lowest_pair(&row);

        if (best + 1 == row.count)
            return row.count;
        join(bpe, &row, best);
    }
}

size_t bpe_encode(const struct bpe *bpe, const char *text, size_t len,
                  struct bpe_symbol symbols[PIECE_MAX])
{
    int32_t id = intern_find(bpe->tokens, text, len);

    if (id >= 0 && bpe->whole[id]) {
        symbols[0] = (struct bpe_symbol){id, (uint32_t)len};
        return 1;
    }
    return encode_by_merges(bpe, text, len, NULL, symbols);
}

struct bpe_dropout bpe_dropout(double probability, struct rng *rng)
{
    const double range = 0x1.0p64;

    return (struct bpe_dropout){
        .threshold = probability < 1 ? (uint64_t)(probability * range) : UINT64_MAX, .rng = rng};
}

size_t bpe_encode_dropout(const struct bpe *bpe, const char *text, size_t len,
                          const struct bpe_dropout *dropout, struct bpe_symbol symbols[PIECE_MAX])
{
    if (dropout->threshold == 0)
        return bpe_encode(bpe, text, len, symbols);
    return encode_by_merges(bpe, text, len, dropout, symbols);
}
