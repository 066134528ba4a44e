#include "train/batch.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"

struct place { /* an example with its key, and its rank after shuffling to break ties */
    uint32_t order, rank, example;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void shuffle(uint32_t *items, size_t count, struct rng *rng)
{
    for (size_t i = count; i > 1; i--) {
        const size_t j = rng_below(rng, i);
        const uint32_t swapped = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swapped;
    }
}

/* examples: all of them, shuffled, then sorted by key. */
static int sort_examples(uint32_t *examples, const struct batch_key *keys, size_t count,
                         struct rng *rng, struct err *err)
{
    struct place *places = mem_alloc(count, sizeof *places, err);
    if (!places)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        examples[i] = (uint32_t)i;
    shuffle(examples, count, rng);
    for (size_t i = 0; i < count; i++)
        places[i] = (struct place){keys[examples[i]].order, (uint32_t)i, examples[i]};
    qsort(places, count, sizeof *places, compare_places);
    for (size_t i = 0; i < count; i++)
        examples[i] = places[i].example;
    mem_free(places);
    return 0;
}

/* Cuts sorted examples; fills begins [at most count + 1] and returns the number of batches. */
static size_t cut(const uint32_t *examples, const struct batch_key *keys, size_t count,
                  size_t budget, size_t *begins)
{
    size_t batches = 0, begin = 0, longest = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t tokens = keys[examples[i]].tokens;
        const size_t padded = tokens > longest ? tokens : longest;
        if (i > begin && padded * (i + 1 - begin) > budget) {
            begins[batches++] = begin;
            begin = i;
            longest = tokens;
        } else {
            longest = padded;
        }
    }
    begins[batches++] = begin;
    begins[batches] = count;
    return batches;
}

/* Puts the batches of `sorted`, cut at `cuts`, into the plan in a random order. */
static int shuffle_batches(struct batch_plan *plan, const uint32_t *sorted, const size_t *cuts,
                           struct rng *rng, struct err *err)
{
    uint32_t *order = mem_alloc(plan->batches, sizeof *order, err);
    if (!order)
        return ERR_MEMORY;
    for (size_t i = 0; i < plan->batches; i++)
        order[i] = (uint32_t)i;
    shuffle(order, plan->batches, rng);
    size_t to = 0;
    for (size_t i = 0; i < plan->batches; i++) {
        plan->begins[i] = to;
        for (size_t from = cuts[order[i]]; from < cuts[order[i] + 1]; from++)
            plan->examples[to++] = sorted[from];
    }
    plan->begins[plan->batches] = to;
    mem_free(order);
    return 0;
}

int batch_plan_make(struct batch_plan *plan, const struct batch_key *keys, size_t count,
                    size_t budget, uint64_t seed, size_t epoch, struct err *err)
{
    struct rng rng;
    rng_seed(&rng, seed, epoch);
    *plan = (struct batch_plan){0};
    if (count == 0 || count > UINT32_MAX)
        return err_set(err, ERR_ARGUMENT, "%zu training examples", count);
    int status = ERR_MEMORY;
    uint32_t *sorted = mem_alloc(count, sizeof *sorted, err);
    size_t *cuts = mem_alloc(count + 1, sizeof *cuts, err);
    plan->examples = mem_alloc(count, sizeof *plan->examples, err);
    plan->begins = mem_alloc(count + 1, sizeof *plan->begins, err);
    if (sorted && cuts && plan->examples && plan->begins &&
        !sort_examples(sorted, keys, count, &rng, err)) {
        plan->batches = cut(sorted, keys, count, budget, cuts);
        status = shuffle_batches(plan, sorted, cuts, &rng, err);
    }
    mem_free(sorted);
    mem_free(cuts);
    if (status)
        batch_plan_release(plan);
    return status;
}

void batch_plan_release(struct batch_plan *plan)
{
    mem_free(plan->examples);
    mem_free(plan->begins);
    *plan = (struct batch_plan){0};
}

/* Runs of at most `bound` tokens with padding, each as long as can be (or one example); returns
   their number, of which the ends of the first `shares` are noted. */
static size_t cut_runs(const uint32_t *examples, size_t count, const struct batch_key *keys,
                       size_t bound, size_t shares, size_t *ends)
{
    size_t runs = 0, begin = 0, longest = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t tokens = keys[examples[i]].tokens;
        longest = tokens > longest ? tokens : longest;
        if (i > begin && longest * (i + 1 - begin) > bound) {
            if (runs < shares)
                ends[runs] = i;
            runs++;
            begin = i;
            longest = tokens;
        }
    }
    for (size_t run = runs; run < shares; run++)
        ends[run] = count;
    return count > 0 ? runs + 1 : 0;
}

void batch_deal(const uint32_t *examples, size_t count, const struct batch_key *keys, size_t shares,
                size_t *ends)
{
    size_t low = 0, high = 0; /* the smallest bound that is enough: above low, at most high */
    for (size_t i = 0; i < count; i++)
        high = keys[examples[i]].tokens > high ? keys[examples[i]].tokens : high;
    high *= count;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (cut_runs(examples, count, keys, middle, shares, ends) <= shares)
            high = middle;
        else
            low = middle;
    }
    cut_runs(examples, count, keys, high, shares, ends);
}
