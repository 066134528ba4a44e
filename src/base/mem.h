/*
 * Memory. Sizes are given as count * size and checked for overflow; a failure is an ERR_MEMORY,
 * never an abort. All memory is zeroed and aligned to MEM_ALIGN, so that vector loads are aligned.
 * Tests make the n-th allocation of the process fail with mem_fail_at().
 */
#ifndef DRAGOMAN_BASE_MEM_H
#define DRAGOMAN_BASE_MEM_H

#include <stddef.h>
#include "base/err.h"

#define MEM_ALIGN 64

/* count objects of size bytes, zeroed; NULL and err on failure. count * size == 0 gives a valid
   pointer that must be freed. Free with mem_free. */
void *mem_alloc(size_t count, size_t size, struct err *err);
/* Grows or shrinks `old` (from mem_alloc, or NULL) of old_count objects to count objects; what is
   new is zeroed. On failure returns NULL and `old` stays valid. */
void *mem_resize(void *old, size_t old_count, size_t count, size_t size, struct err *err);
/* A NUL-terminated copy of len bytes. */
char *mem_copy_text(const char *text, size_t len, struct err *err);
void mem_free(void *memory);
/* Makes the n-th allocation from now on fail (1 is the next one); 0 switches it off. Tests only. */
void mem_fail_at(long n);

/* An arena: many allocations, one release. Not thread-safe: one arena a thread. */
struct arena_block;
struct arena {
    struct arena_block *first, *current;
    size_t block_size;
};
void arena_init(struct arena *arena, size_t block_size);
/* Zeroed, MEM_ALIGN aligned; valid until arena_reset or arena_release. */
void *arena_alloc(struct arena *arena, size_t count, size_t size, struct err *err);
void arena_reset(struct arena *arena); /* forgets all allocations, keeps the blocks */
void arena_release(struct arena *arena);

#endif
