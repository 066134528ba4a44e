/*
 * Who takes part in the next step of a batch that several parties share.
 *
 * The cost of a step is that of reading the weights once plus that of each row: a + b rows. Left to
 * itself a party with many rows makes the steps slow for one with few. So none takes more than
 * `spread` rows more than the party that has the fewest: with spread = a / b, a step of m parties
 * costs at most m times what it costs the smallest of them alone, which is its fair share of the
 * machine. What a party has beyond waits for a later step.
 */
#ifndef DRAGOMAN_BASE_TURN_H
#define DRAGOMAN_BASE_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct turn_item {
    uint64_t party;
    size_t rows; /* at least 1 */
    bool takes_part;
};
struct turn_party { /* scratch */
    uint64_t party;
    size_t rows, taken;
};

/* Sets takes_part: of each party the first items of the list, at least one as far as there is room
   for `most` rows in all. parties: [count]. Returns the number of rows that take part. */
size_t turn_choose(struct turn_item *items, size_t count, size_t most, size_t spread,
                   struct turn_party *parties);

#endif
