/*
 * Memory. Every allocation of the project comes through allocate(), which is also where tests
 * inject failures. Resizing copies: the C library has no realloc that keeps an alignment.
 *
 * An arena is a chain of blocks. arena_reset rewinds to the first block and later allocations reuse
 * the chain, so a training step that repeats allocates nothing after its first run.
 */
#include "base/mem.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_long fail_countdown;

void mem_fail_at(long n)
{
    atomic_store(&fail_countdown, n);
}

static bool must_fail(void)
{
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) <= 0)
        return false;
    return atomic_fetch_sub(&fail_countdown, 1) == 1;
}

/* Uninitialised memory of `size` bytes, a multiple of MEM_ALIGN. */
static void *allocate(size_t size)
{
    return must_fail() ? NULL : aligned_alloc(MEM_ALIGN, size);
}

/* count * size rounded up to a non-zero multiple of MEM_ALIGN; false on overflow. */
static bool total_size(size_t count, size_t size, size_t *total)
{
    if (__builtin_mul_overflow(count, size, total) ||
        __builtin_add_overflow(*total, (size_t)(MEM_ALIGN - 1), total))
        return false;
    *total &= ~(size_t)(MEM_ALIGN - 1);
    if (*total == 0)
        *total = MEM_ALIGN;
    return *total <= PTRDIFF_MAX;
}

static void *refuse(struct err *err, size_t count, size_t size)
{
    err_set(err, ERR_MEMORY, "out of memory: cannot allocate %zu x %zu bytes", count, size);
    return NULL;
}

void *mem_alloc(size_t count, size_t size, struct err *err)
{
    size_t total;
    void *memory = total_size(count, size, &total) ? allocate(total) : NULL;
    if (!memory)
        return refuse(err, count, size);
    return memset(memory, 0, total);
}

void *mem_resize(void *old, size_t old_count, size_t count, size_t size, struct err *err)
{
    size_t total;
    void *memory = total_size(count, size, &total) ? allocate(total) : NULL;
    if (!memory)
        return refuse(err, count, size);
    size_t kept = old ? (old_count < count ? old_count : count) * size : 0;
    if (kept)
        memcpy(memory, old, kept);
    memset((char *)memory + kept, 0, total - kept);
    mem_free(old);
    return memory;
}

char *mem_copy_text(const char *text, size_t len, struct err *err)
{
    if (len == SIZE_MAX)
        return refuse(err, len, 1);
    char *copy = mem_alloc(len + 1, 1, err);
    if (copy && len)
        memcpy(copy, text, len);
    return copy;
}

void mem_free(void *memory)
{
    free(memory);
}

struct arena_block {
    struct arena_block *next;
    size_t size, used; /* bytes of data after the header, multiples of MEM_ALIGN */
};

#define ARENA_HEADER MEM_ALIGN
_Static_assert(sizeof(struct arena_block) <= ARENA_HEADER, "an arena block's data is aligned");

void arena_init(struct arena *arena, size_t block_size)
{
    *arena = (struct arena){.block_size = block_size};
}

static struct arena_block *block_new(size_t size, struct err *err)
{
    size_t total;
    struct arena_block *block = NULL;
    if (size <= PTRDIFF_MAX && total_size(1, size + ARENA_HEADER, &total))
        block = allocate(total);
    if (!block)
        return refuse(err, 1, size);
    *block = (struct arena_block){.size = total - ARENA_HEADER};
    return block;
}

static void *block_take(struct arena_block *block, size_t total)
{
    char *memory = (char *)block + ARENA_HEADER + block->used;
    block->used += total;
    return memset(memory, 0, total);
}

void *arena_alloc(struct arena *arena, size_t count, size_t size, struct err *err)
{
    size_t total;
    if (!total_size(count, size, &total))
        return refuse(err, count, size);
    /* Blocks too full or too small are passed over until the next reset. */
    struct arena_block *last = NULL;
    for (struct arena_block *block = arena->current; block; block = block->next) {
        arena->current = last = block;
        if (block->size - block->used >= total)
            return block_take(block, total);
    }
    struct arena_block *block =
        block_new(total > arena->block_size ? total : arena->block_size, err);
    if (!block)
        return NULL;
    if (last)
        last->next = block;
    else
        arena->first = block;
    arena->current = block;
    return block_take(block, total);
}

void arena_reset(struct arena *arena)
{
    for (struct arena_block *block = arena->first; block; block = block->next)
        block->used = 0;
    arena->current = arena->first;
}

void arena_release(struct arena *arena)
{
    for (struct arena_block *block = arena->first; block;) {
        struct arena_block *next = block->next;
        mem_free(block);
        block = next;
    }
    arena->first = arena->current = NULL;
}
