/*
 * The learner keeps every distinct piece as a row of symbols, the count of every pair of adjacent
 * symbols, and for every pair a list of the pieces that (may) hold it. Merging a pair visits those
 * pieces only, and only the pairs that touch a merged place change their counts.
 *
 * The best pair comes from a heap whose entries are corrected lazily: counts of known pairs only
 * fall, so an entry found to be too high goes back with its true count; pairs whose count rose are
 * pushed anew. Equal counts are ordered by the bytes of the left text, then of the right, so the
 * outcome does not depend on the order of the input.
 */
#include "text/bpe_learn.h"

#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "text/piece.h"
#include "text/utf8.h"

#define BARRIER (-1) /* a character outside the vocabulary: nothing merges with it */

struct pair {
    int32_t left, right;
    int64_t count;
    uint32_t pieces; /* head of its list in `nodes`, plus 1; 0: empty */
    bool merged, risen;
};

struct node {
    uint32_t piece, next; /* next: plus 1; 0: last */
};

struct candidate {
    int64_t count;
    uint32_t pair;
};

struct row { /* one distinct piece */
    size_t begin;
    uint32_t len;
};

struct lesson {
    struct vocab_table *table;
    const struct intern *pieces;
    const int64_t *counts;
    int32_t *symbols;
    struct row *rows;
    struct pair *pairs;
    size_t pair_count, pair_capacity;
    uint32_t *slots; /* pair plus 1; 0: free */
    size_t slot_count;
    struct node *nodes;
    size_t node_count, node_capacity;
    struct candidate *heap;
    size_t heap_count, heap_capacity;
    uint32_t *risen; /* pairs whose count rose during this merge */
    size_t risen_count, risen_capacity;
    size_t merge_capacity;
};

/* `array`, or a larger copy of it, with room for one more than `count` objects; NULL on failure,
   where the array stays as it was. */
static void *with_room(void *array, size_t count, size_t *capacity, size_t size, struct err *err)
{
    size_t larger = *capacity == 0 ? 1024 : 2 * *capacity;
    void *memory;

    if (count < *capacity)
        return array;
    memory = mem_resize(array, *capacity, larger, size, err);
    if (memory != NULL)
        *capacity = larger;
    return memory;
}

static void lesson_release(struct lesson *lesson)
{
    mem_free(lesson->symbols);
    mem_free(lesson->rows);
    mem_free(lesson->pairs);
    mem_free(lesson->slots);
    mem_free(lesson->nodes);
    mem_free(lesson->heap);
    mem_free(lesson->risen);
}

/* Whether candidate a comes before b. */
static bool better(const struct lesson *lesson, const struct candidate *a,
                   const struct candidate *b)
{
    const struct intern *tokens = &lesson->table->tokens;
    const struct pair *p = &lesson->pairs[a->pair], *q = &lesson->pairs[b->pair];
    int order;

    if (a->count != b->count)
        return a->count > b->count;
    order = intern_compare(tokens, p->left, q->left);
    if (order == 0)
        order = intern_compare(tokens, p->right, q->right);
    return order < 0;
}

static int heap_push(struct lesson *lesson, struct candidate candidate, struct err *err)
{
    size_t at = lesson->heap_count;
    struct candidate *heap =
        with_room(lesson->heap, at, &lesson->heap_capacity, sizeof(*heap), err);

    if (heap == NULL)
        return ERR_MEMORY;
    lesson->heap = heap;
    lesson->heap_count++;
    while (at > 0 && better(lesson, &candidate, &heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = candidate;
    return 0;
}

static struct candidate heap_pop(struct lesson *lesson)
{
    struct candidate *heap = lesson->heap, best = heap[0], last = heap[--lesson->heap_count];
    size_t at = 0, count = lesson->heap_count;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= count)
            break;
        if (child + 1 < count && better(lesson, &heap[child + 1], &heap[child]))
            child++;
        if (!better(lesson, &heap[child], &last))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = last;
    return best;
}

static size_t pair_slot(const struct lesson *lesson, int32_t left, int32_t right)
{
    uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
    size_t mask = lesson->slot_count - 1;
    size_t at = (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 20) & mask;

    for (;; at = (at + 1) & mask) {
        const struct pair *pair;

        if (lesson->slots[at] == 0)
            return at;
        pair = &lesson->pairs[lesson->slots[at] - 1];
        if (pair->left == left && pair->right == right)
            return at;
    }
}

static int grow_slots(struct lesson *lesson, struct err *err)
{
    size_t slot_count = lesson->slot_count == 0 ? 4096 : 2 * lesson->slot_count;
    uint32_t *slots;

    if (2 * (lesson->pair_count + 1) <= lesson->slot_count)
        return 0;
    slots = mem_alloc(slot_count, sizeof(*slots), err);
    if (slots == NULL)
        return ERR_MEMORY;
    mem_free(lesson->slots);
    lesson->slots = slots;
    lesson->slot_count = slot_count;
    for (size_t i = 0; i < lesson->pair_count; i++)
        slots[pair_slot(lesson, lesson->pairs[i].left, lesson->pairs[i].right)] = (uint32_t)i + 1;
    return 0;
}

/* Index of the pair, created with count 0 where it is new. */
static int pair_get(struct lesson *lesson, int32_t left, int32_t right, uint32_t *index,
                    struct err *err)
{
    struct pair *pairs =
        with_room(lesson->pairs, lesson->pair_count, &lesson->pair_capacity, sizeof(*pairs), err);
    size_t slot;

    if (pairs == NULL)
        return ERR_MEMORY;
    lesson->pairs = pairs;
    if (grow_slots(lesson, err) != 0)
        return ERR_MEMORY;
    slot = pair_slot(lesson, left, right);
    if (lesson->slots[slot] == 0) {
        if (lesson->pair_count >= UINT32_MAX - 1)
            return err_set(err, ERR_LIMIT, "too many different pairs of tokens");
        pairs[lesson->pair_count] = (struct pair){.left = left, .right = right};
        lesson->slots[slot] = (uint32_t)++lesson->pair_count;
    }
    *index = lesson->slots[slot] - 1;
    return 0;
}

/* Puts the pair on the list of those to push anew after this merge. */
static int note_risen(struct lesson *lesson, uint32_t index, struct err *err)
{
    uint32_t *risen;

    if (lesson->pairs[index].risen)
        return 0;
    risen =
        with_room(lesson->risen, lesson->risen_count, &lesson->risen_capacity, sizeof(*risen), err);
    if (risen == NULL)
        return ERR_MEMORY;
    lesson->risen = risen;
    risen[lesson->risen_count++] = index;
    lesson->pairs[index].risen = true;
    return 0;
}

/* Puts the piece on the pair's list, unless it came there last. */
static int note_piece(struct lesson *lesson, struct pair *pair, uint32_t piece, struct err *err)
{
    struct node *nodes = lesson->nodes;

    if (pair->pieces != 0 && nodes[pair->pieces - 1].piece == piece)
        return 0;
    if (lesson->node_count >= UINT32_MAX - 1)
        return err_set(err, ERR_LIMIT, "too many pairs of tokens");
    nodes = with_room(nodes, lesson->node_count, &lesson->node_capacity, sizeof(*nodes), err);
    if (nodes == NULL)
        return ERR_MEMORY;
    lesson->nodes = nodes;
    nodes[lesson->node_count] = (struct node){piece, pair->pieces};
    pair->pieces = (uint32_t)++lesson->node_count;
    return 0;
}

/* Counts one more occurrence of the pair in the piece. */
static int pair_add(struct lesson *lesson, int32_t left, int32_t right, uint32_t piece,
                    struct err *err)
{
    uint32_t index = 0;
    int rc;

    if (left == BARRIER || right == BARRIER)
        return 0;
    rc = pair_get(lesson, left, right, &index, err);
    if (rc == 0)
        rc = note_risen(lesson, index, err);
    if (rc != 0)
        return rc;
    lesson->pairs[index].count += lesson->counts[piece];
    return note_piece(lesson, &lesson->pairs[index], piece, err);
}

static void pair_subtract(struct lesson *lesson, int32_t left, int32_t right, int64_t count)
{
    if (left != BARRIER && right != BARRIER)
        lesson->pairs[lesson->slots[pair_slot(lesson, left, right)] - 1].count -= count;
}

static int push_risen(struct lesson *lesson, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < lesson->risen_count; i++) {
        struct pair *pair = &lesson->pairs[lesson->risen[i]];

        pair->risen = false;
        if (rc == 0 && pair->count > 1 && !pair->merged)
            rc = heap_push(lesson, (struct candidate){pair->count, lesson->risen[i]}, err);
    }
    lesson->risen_count = 0;
    return rc;
}

/* Finds the next pair to merge; false when none occurs twice. */
static int best_pair(struct lesson *lesson, uint32_t *index, bool *found, struct err *err)
{
    *found = false;
    while (lesson->heap_count > 0) {
        struct candidate best = heap_pop(lesson);
        struct pair *pair = &lesson->pairs[best.pair];

        if (pair->merged || best.count < pair->count) /* a higher entry stood for it */
            continue;
        if (best.count == pair->count) {
            *index = best.pair;
            *found = true;
            return 0;
        }
        best.count = pair->count;
        if (best.count > 1 && heap_push(lesson, best, err) != 0)
            return ERR_MEMORY;
    }
    return 0;
}

/* Replaces the pair by its token in one piece, left to right, and corrects the counts. */
static int merge_in_piece(struct lesson *lesson, uint32_t piece, const struct vocab_merge *merge,
                          struct err *err)
{
    struct row *row = &lesson->rows[piece];
    int32_t *symbols = lesson->symbols + row->begin;
    bool touched[PIECE_MAX + 1] = {false}, fresh[PIECE_MAX + 1] = {false};
    uint32_t old = row->len, count = 0;
    int rc = 0;

    for (uint32_t i = 0; i + 1 < old; i++)
        if (symbols[i] == merge->left && symbols[i + 1] == merge->right) {
            touched[i] = touched[i + 1] = true;
            i++;
        }
    for (uint32_t i = 0; i + 1 < old; i++)
        if (touched[i] || touched[i + 1])
            pair_subtract(lesson, symbols[i], symbols[i + 1], lesson->counts[piece]);
    for (uint32_t i = 0; i < old; i++) {
        fresh[count] = touched[i];
        symbols[count++] = touched[i] ? merge->result : symbols[i];
        i += touched[i];
    }
    row->len = count;
    for (uint32_t i = 0; i + 1 < count && rc == 0; i++)
        if (fresh[i] || fresh[i + 1])
            rc = pair_add(lesson, symbols[i], symbols[i + 1], piece, err);
    return rc;
}

/* Makes the token for the pair and records the merge. */
static int add_merge(struct lesson *lesson, const struct pair *pair, struct vocab_merge *merge,
                     struct err *err)
{
    struct vocab_table *table = lesson->table;
    size_t left_len, right_len;
    const char *left = intern_text(&table->tokens, pair->left, &left_len);
    const char *right = intern_text(&table->tokens, pair->right, &right_len);
    struct vocab_merge *merges;
    char text[VOCAB_MAX_TEXT];
    bool added;
    int rc;

    if (left_len + right_len > sizeof(text))
        return err_set(err, ERR_INTERNAL, "a token longer than a piece");
    memcpy(text, left, left_len);
    memcpy(text + left_len, right, right_len);
    *merge = (struct vocab_merge){pair->left, pair->right, -1};
    rc = vocab_table_add(table, text, left_len + right_len, pair->count, &merge->result, &added,
                         err);
    if (rc != 0)
        return rc;
    merges =
        with_room(table->merges, table->merge_count, &lesson->merge_capacity, sizeof(*merges), err);
    if (merges == NULL)
        return ERR_MEMORY;
    table->merges = merges;
    merges[table->merge_count++] = *merge;
    return 0;
}

/* Merges the pair wherever it occurs. */
static int merge_pair(struct lesson *lesson, uint32_t index, struct err *err)
{
    struct vocab_merge merge;
    int rc = add_merge(lesson, &lesson->pairs[index], &merge, err);

    if (rc != 0)
        return rc;
    lesson->pairs[index].merged = true;
    for (uint32_t node = lesson->pairs[index].pieces; node != 0 && rc == 0;) {
        struct node here = lesson->nodes[node - 1];

        rc = merge_in_piece(lesson, here.piece, &merge, err);
        node = here.next;
    }
    return rc;
}

/* Cuts every piece into characters and counts the pairs. */
static int lesson_begin(struct lesson *lesson, struct err *err)
{
    size_t count = lesson->pieces->count, used = 0;
    int rc = 0;

    lesson->rows = mem_alloc(count, sizeof(*lesson->rows), err);
    lesson->symbols = mem_alloc(lesson->pieces->texts.len, sizeof(*lesson->symbols), err);
    if (lesson->rows == NULL || lesson->symbols == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < count && rc == 0; i++) {
        size_t len, begin = used;
        const char *text = intern_text(lesson->pieces, (int32_t)i, &len);

        for (size_t at = 0; at < len;) {
            uint32_t code;
            size_t n = utf8_decode(text + at, len - at, &code);

            lesson->symbols[used++] = intern_find(&lesson->table->tokens, text + at, n);
            at += n;
        }
        lesson->rows[i] = (struct row){begin, (uint32_t)(used - begin)};
        for (size_t at = begin; at + 1 < used && rc == 0; at++)
            rc = pair_add(lesson, lesson->symbols[at], lesson->symbols[at + 1], (uint32_t)i, err);
    }
    return rc == 0 ? push_risen(lesson, err) : rc;
}

struct character {
    const struct intern *texts;
    int32_t id;
    int64_t count;
};

static int compare_characters(const void *a, const void *b)
{
    const struct character *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return intern_compare(x->texts, x->id, y->id);
}

static int count_characters(const struct lesson *lesson, struct vocab_table *counted,
                            struct err *err)
{
    for (size_t i = 0; i < lesson->pieces->count; i++) {
        size_t len;
        const char *text = intern_text(lesson->pieces, (int32_t)i, &len);

        for (size_t at = 0; at < len;) {
            uint32_t code;
            size_t n = utf8_decode(text + at, len - at, &code);
            int32_t id;
            bool added;
            int rc = vocab_table_add(counted, text + at, n, 0, &id, &added, err);

            if (rc != 0)
                return rc;
            counted->counts[id] += lesson->counts[i];
            at += n;
        }
    }
    return 0;
}

/* Adds the characters to the vocabulary, the most frequent first; NUL stays a byte token. */
static int add_characters(struct lesson *lesson, size_t min_count, struct err *err)
{
    struct vocab_table counted = {.merge_count = 0};
    struct character *order = NULL;
    size_t count;
    int rc = count_characters(lesson, &counted, err);

    count = counted.tokens.count;
    if (rc == 0) {
        order = mem_alloc(count, sizeof(*order), err);
        rc = order != NULL ? 0 : ERR_MEMORY;
    }
    for (size_t i = 0; i < count && rc == 0; i++)
        order[i] = (struct character){&counted.tokens, (int32_t)i, counted.counts[i]};
    if (rc == 0)
        qsort(order, count, sizeof(*order), compare_characters);
    for (size_t i = 0; i < count && rc == 0; i++) {
        size_t len;
        const char *text = intern_text(&counted.tokens, order[i].id, &len);
        int32_t id;
        bool added;

        if ((uint64_t)order[i].count < min_count || text[0] == '\0')
            continue;
        rc = vocab_table_add(lesson->table, text, len, order[i].count, &id, &added, err);
    }
    mem_free(order);
    vocab_table_release(&counted);
    return rc;
}

int bpe_learn(struct vocab_table *table, const struct intern *pieces, const int64_t *counts,
              size_t merges, size_t min_count, struct err *err)
{
    struct lesson lesson = {.table = table, .pieces = pieces, .counts = counts};
    bool found = true;
    int rc = add_characters(&lesson, min_count, err);

    if (rc == 0)
        rc = lesson_begin(&lesson, err);
    while (rc == 0 && table->merge_count < merges) {
        uint32_t index = 0;

        rc = best_pair(&lesson, &index, &found, err);
        if (rc != 0 || !found)
            break;
        rc = merge_pair(&lesson, index, err);
        if (rc == 0)
            rc = push_risen(&lesson, err);
    }
    lesson_release(&lesson);
    return rc;
}
