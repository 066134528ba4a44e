/*
 * Open addressing with linear probing, at most half full. A slot keeps the hash, so that most
 * probes of other texts end without touching the text.
 */
#include "text/intern.h"

#include <string.h>
#include "base/mem.h"

#define INTERN_MAX ((size_t)1 << 30)

static uint64_t hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0xD6E8FEB86659FD93);
    return hash ^ hash >> 32;
}

static uint32_t load_four(const unsigned char *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, 4);
    return word;
}

/* All of n < 8 bytes in one number. A memcpy of any length is a call; these are loads. */
static uint64_t short_word(const char *text, size_t n)
{
    const unsigned char *bytes = (const unsigned char *)text;

    if (n >= 4)
        return (uint64_t)load_four(bytes + n - 4) << 8 * (n - 4) | load_four(bytes);
    return (uint64_t)bytes[n - 1] << 8 * (n - 1) | (uint64_t)bytes[n / 2] << 8 * (n / 2) | bytes[0];
}

static uint32_t hash_text(const char *text, size_t len)
{
    uint64_t hash = UINT64_C(0x9E3779B97F4A7C15) ^ len;

    for (; len >= 8; text += 8, len -= 8) {
        uint64_t word;

        memcpy(&word, text, 8);
        hash = hash_word(hash, word);
    }
    if (len > 0)
        hash = hash_word(hash, short_word(text, len));
    hash *= UINT64_C(0xD6E8FEB86659FD93);
    return (uint32_t)(hash >> 32);
}

/* The slot of the text, or the free slot where it belongs. */
static size_t slot_of(const struct intern *intern, const char *text, size_t len, uint32_t hash)
{
    size_t mask = intern->slot_count - 1;

    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        const struct intern_slot *slot = &intern->slots[at];
        const struct intern_entry *entry;

        if (slot->id == 0)
            return at;
        entry = &intern->entries[slot->id - 1];
        if (slot->hash == hash && entry->len == len &&
            memcmp(intern->texts.data + entry->offset, text, len) == 0)
            return at;
    }
}

static int grow_slots(struct intern *intern, size_t slot_count, struct err *err)
{
    struct intern_slot *slots = mem_alloc(slot_count, sizeof(*slots), err);

    if (slots == NULL)
        return ERR_MEMORY;
    for (size_t id = 0; id < intern->count; id++) {
        uint32_t hash = intern->entries[id].hash;
        size_t at = hash & (slot_count - 1);

        while (slots[at].id != 0)
            at = (at + 1) & (slot_count - 1);
        slots[at] = (struct intern_slot){hash, (int32_t)id + 1};
    }
    mem_free(intern->slots);
    intern->slots = slots;
    intern->slot_count = slot_count;
    return 0;
}

int intern_reserve(struct intern *intern, size_t count, struct err *err)
{
    size_t slot_count = intern->slot_count == 0 ? 64 : intern->slot_count;

    if (count > INTERN_MAX)
        return err_set(err, ERR_LIMIT, "more than %zu different texts", INTERN_MAX);
    if (count > intern->capacity) {
        size_t capacity = intern->capacity == 0 ? 64 : 2 * intern->capacity;
        struct intern_entry *entries;

        capacity = capacity < count ? count : capacity;
        entries = mem_resize(intern->entries, intern->capacity, capacity, sizeof(*entries), err);

        if (entries == NULL)
            return ERR_MEMORY;
        intern->entries = entries;
        intern->capacity = capacity;
    }
    while (slot_count < 2 * count)
        slot_count *= 2;
    return slot_count == intern->slot_count ? 0 : grow_slots(intern, slot_count, err);
}

int intern_add(struct intern *intern, const char *text, size_t len, int32_t *id, bool *added,
               struct err *err)
{
    uint32_t hash = hash_text(text, len);
    size_t slot, offset = intern->texts.len;
    int rc;

    if (len > UINT32_MAX)
        return err_set(err, ERR_LIMIT, "a text of %zu bytes", len);
    rc = intern_reserve(intern, intern->count + 1, err);
    if (rc != 0)
        return rc;
    slot = slot_of(intern, text, len, hash);
    *added = intern->slots[slot].id == 0;
    if (!*added) {
        *id = intern->slots[slot].id - 1;
        return 0;
    }
    rc = buf_reserve(&intern->texts, len + 1, err);
    if (rc == 0)
        rc = buf_append(&intern->texts, text, len, err);
    if (rc == 0)
        rc = buf_char(&intern->texts, '\0', err);
    if (rc != 0)
        return rc;
    *id = (int32_t)intern->count;
    intern->entries[intern->count++] = (struct intern_entry){offset, (uint32_t)len, hash};
    intern->slots[slot] = (struct intern_slot){hash, *id + 1};
    return 0;
}

int32_t intern_find(const struct intern *intern, const char *text, size_t len)
{
    if (intern->count == 0)
        return -1;
    return intern->slots[slot_of(intern, text, len, hash_text(text, len))].id - 1;
}

const char *intern_text(const struct intern *intern, int32_t id, size_t *len)
{
    const struct intern_entry *entry = &intern->entries[id];

    if (len != NULL)
        *len = entry->len;
    return intern->texts.data + entry->offset;
}

int intern_compare(const struct intern *intern, int32_t a, int32_t b)
{
    size_t a_len, b_len;
    const char *a_text = intern_text(intern, a, &a_len), *b_text = intern_text(intern, b, &b_len);
    int order = memcmp(a_text, b_text, a_len < b_len ? a_len : b_len);

    if (order != 0)
        return order;
    return a_len < b_len ? -1 : a_len > b_len;
}

void intern_release(struct intern *intern)
{
    buf_release(&intern->texts);
    mem_free(intern->entries);
    mem_free(intern->slots);
    *intern = (struct intern){.count = 0};
}
