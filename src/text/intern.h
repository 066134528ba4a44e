/*
 * Texts numbered densely from 0 in the order in which they came, found by hashing. Texts may hold
 * any bytes. Adding is for one thread; finding is for any number once nobody adds.
 */
#ifndef DRAGOMAN_TEXT_INTERN_H
#define DRAGOMAN_TEXT_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

struct intern {       /* zero-initialise; release with intern_release */
    struct buf texts; /* each text and a NUL */
    struct intern_entry {
        size_t offset;
        uint32_t len, hash;
    } * entries;
    size_t count, capacity;
    struct intern_slot {
        uint32_t hash;
        int32_t id; /* plus 1; 0: free */
    } * slots;
    size_t slot_count; /* a power of two, or 0 */
};

/* *id of the text, added where it was new (*added). */
int intern_add(struct intern *intern, const char *text, size_t len, int32_t *id, bool *added,
               struct err *err);
/* -1 where the text is unknown. */
int32_t intern_find(const struct intern *intern, const char *text, size_t len);
/* NUL-terminated; valid until the next intern_add. len may be NULL. */
const char *intern_text(const struct intern *intern, int32_t id, size_t *len);
/* Makes room for `count` texts in all, so that adding them costs no rehashing. */
int intern_reserve(struct intern *intern, size_t count, struct err *err);
/* Orders two texts by their bytes; a prefix comes first. */
int intern_compare(const struct intern *intern, int32_t a, int32_t b);
void intern_release(struct intern *intern);

#endif
