/* Memory: zeroed, aligned, overflow-checked, and failing when a test asks for it. */
#include <string.h>

#include "base/mem.h"
#include "unit.h"

static void assert_zero(const void *memory, size_t size)
{
    const unsigned char *bytes = memory;
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], 0);
}

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 63, 64, 65, 1000, 100000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        unsigned char *memory = mem_alloc(sizes[i], 1, NULL);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % MEM_ALIGN, 0);
        assert_zero(memory, sizes[i]);
        memset(memory, 0xAA, sizes[i]);
        mem_free(memory);
    }
}

static void overflow_is_an_error(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_null(mem_alloc(SIZE_MAX / 2, 3, &err));
    assert_int_equal(err.code, ERR_MEMORY);
    assert_null(mem_alloc(SIZE_MAX, 1, NULL));
    assert_null(mem_alloc((size_t)PTRDIFF_MAX + 1, 1, NULL));
    assert_null(mem_copy_text("x", SIZE_MAX, NULL));
    struct arena arena;
    arena_init(&arena, 100);
    assert_null(arena_alloc(&arena, SIZE_MAX / 4, 8, NULL));
    assert_null(arena_alloc(&arena, SIZE_MAX - 70, 1, NULL));
    assert_null(arena_alloc(&arena, PTRDIFF_MAX, 1, NULL));
    arena_release(&arena);
}

static void resizing_keeps_the_old_and_zeroes_the_new(void **state)
{
    (void)state;
    uint32_t *numbers = mem_resize(NULL, 0, 10, sizeof *numbers, NULL);
    for (uint32_t i = 0; i < 10; i++)
        numbers[i] = i + 1;
    numbers = mem_resize(numbers, 10, 1000, sizeof *numbers, NULL);
    assert_non_null(numbers);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(numbers[i], i + 1);
    assert_zero(numbers + 10, 990 * sizeof *numbers);
    numbers = mem_resize(numbers, 1000, 5, sizeof *numbers, NULL);
    assert_int_equal(numbers[4], 5);
    mem_free(numbers);
}

static void failed_resize_leaves_the_old(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    char *text = mem_copy_text("hello world", 5, NULL);
    assert_string_equal(text, "hello");
    mem_fail_at(1);
    assert_null(mem_resize(text, 6, 100, 1, &err));
    assert_int_equal(err.code, ERR_MEMORY);
    assert_string_equal(text, "hello");
    assert_null(mem_resize(text, 6, SIZE_MAX, 2, NULL));
    assert_string_equal(text, "hello");
    mem_free(text);
}

static void only_the_chosen_allocation_fails(void **state)
{
    (void)state;
    mem_fail_at(3);
    void *first = mem_alloc(1, 1, NULL), *second = mem_alloc(1, 1, NULL);
    void *third = mem_alloc(1, 1, NULL), *fourth = mem_alloc(1, 1, NULL);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(third);
    assert_non_null(fourth);
    mem_free(first);
    mem_free(second);
    mem_free(fourth);
    mem_fail_at(1);
    mem_fail_at(0);
    void *fifth = mem_alloc(1, 1, NULL);
    assert_non_null(fifth);
    mem_free(fifth);
}

static void arena_memory_is_distinct_and_zeroed(void **state)
{
    (void)state;
    struct arena arena;
    unsigned char *parts[50];
    arena_init(&arena, 1024);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 50; i++) {
            parts[i] = arena_alloc(&arena, i * 7, 1, NULL);
            assert_non_null(parts[i]);
            assert_int_equal((uintptr_t)parts[i] % MEM_ALIGN, 0);
            assert_zero(parts[i], i * 7);
            memset(parts[i], (int)i, i * 7);
        }
        for (size_t i = 0; i < 50; i++)
            for (size_t j = 0; j < i * 7; j++)
                assert_int_equal(parts[i][j], i);
        arena_reset(&arena);
    }
    arena_release(&arena);
    assert_null(arena.first);
}

static void arena_reuses_its_blocks(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 256);
    void *small = arena_alloc(&arena, 100, 1, NULL);
    void *large = arena_alloc(&arena, 5000, 1, NULL);
    void *last = arena_alloc(&arena, 200, 1, NULL);
    assert_true(small && large && last);
    arena_reset(&arena);
    mem_fail_at(1);
    assert_ptr_equal(arena_alloc(&arena, 100, 1, NULL), small);
    assert_ptr_equal(arena_alloc(&arena, 5000, 1, NULL), large);
    assert_ptr_equal(arena_alloc(&arena, 200, 1, NULL), last);
    assert_null(arena_alloc(&arena, 5000, 1, NULL));
    assert_non_null(arena_alloc(&arena, 5000, 1, NULL));
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(overflow_is_an_error),
        cmocka_unit_test(resizing_keeps_the_old_and_zeroes_the_new),
        cmocka_unit_test(failed_resize_leaves_the_old),
        cmocka_unit_test(only_the_chosen_allocation_fails),
        cmocka_unit_test(arena_memory_is_distinct_and_zeroed),
        cmocka_unit_test(arena_reuses_its_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
