#include "base/turn.h"

static struct turn_party *party_of(const struct turn_item *item, struct turn_party *parties,
                                   size_t count)
{
    size_t i = 0;
    while (i < count && parties[i].party != item->party)
        i++;
    return &parties[i];
}

static size_t count_parties(const struct turn_item *items, size_t count, struct turn_party *parties)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        struct turn_party *party = party_of(&items[i], parties, found);
        if (party == &parties[found])
            parties[found++] = (struct turn_party){.party = items[i].party};
        party->rows += items[i].rows;
    }
    return found;
}

/* Once an item of a party has to wait, those behind it wait too: `taken` is then SIZE_MAX. */
size_t turn_choose(struct turn_item *items, size_t count, size_t most, size_t spread,
                   struct turn_party *parties)
{
    const size_t found = count_parties(items, count, parties);
    size_t fewest = SIZE_MAX, rows = 0;
    for (size_t i = 0; i < found; i++)
        fewest = parties[i].rows < fewest ? parties[i].rows : fewest;
    for (size_t i = 0; i < count; i++) {
        struct turn_party *party = party_of(&items[i], parties, found);
        const size_t wanted = items[i].rows;
        const bool fair = party->taken == 0 ||
                          (party->taken != SIZE_MAX && party->taken + wanted <= fewest + spread);
        items[i].takes_part = fair && wanted <= most - rows;
        party->taken = items[i].takes_part ? party->taken + wanted : SIZE_MAX;
        rows += items[i].takes_part ? wanted : 0;
    }
    return rows;
}
