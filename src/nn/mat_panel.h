/*
 * The inner part of mat_multiply_packed for one width of vectors;
 * mat_packed.c includes it once for each, with
 *
 *   PANEL_NAME     suffix of the names       PANEL_TARGET   what the processor must be able to do
 *   PANEL_LANES    values in a vector        PANEL_ROWS     rows of the largest tile
 *
 * A tile is up to PANEL_ROWS rows by one panel, which is two vectors wide: so many sums as there
 * are registers. For each input it loads the panel's two vectors, next to those of the input
 * before, and multiplies them with one value of every row.
 */
#define PANEL_JOIN_(a, b) a##b
#define PANEL_JOIN(a, b) PANEL_JOIN_(a, b)
#define PANEL(name) PANEL_JOIN(name, PANEL_NAME)
#define PANEL_INLINE PANEL_TARGET static inline __attribute__((always_inline))
#define PANEL_WIDTH (2 * PANEL_LANES)

typedef real PANEL(lanes)
    __attribute__((vector_size(PANEL_LANES * sizeof(real)), aligned(sizeof(real))));

/* Writes one row of a panel of `width` columns: row = sum + keep * row. */
PANEL_INLINE void PANEL(store_)(size_t width, const PANEL(lanes) sum[2], real keep, real *row)
{
    if (width == PANEL_WIDTH) {
        PANEL(lanes) *out = (PANEL(lanes) *)row;
        out[0] = keep != 0 ? sum[0] + out[0] : sum[0];
        out[1] = keep != 0 ? sum[1] + out[1] : sum[1];
    } else {
        for (size_t j = 0; j < width; j++)
            row[j] = sum[j / PANEL_LANES][j % PANEL_LANES] + (keep != 0 ? row[j] : 0);
    }
}

/* Rows r0..r0 + R of C's panel of `width` columns; R is known when the compiler inlines it. */
PANEL_INLINE void PANEL(tile_)(size_t R, size_t r0, size_t width, size_t k, struct mat a,
                               const real *panel, real keep, real *c, size_t stride)
{
    const real *x = a.data + r0 * a.stride;
    PANEL(lanes) sum[PANEL_ROWS][2];
    for (size_t r = 0; r < R; r++)
        sum[r][0] = sum[r][1] = (PANEL(lanes)){0};
    for (size_t i = 0; i < k; i++) {
        const PANEL(lanes) left = *(const PANEL(lanes) *)(panel + i * PANEL_WIDTH);
        const PANEL(lanes) right = *(const PANEL(lanes) *)(panel + i * PANEL_WIDTH + PANEL_LANES);
        for (size_t r = 0; r < R; r++) {
            sum[r][0] += x[r * a.stride + i] * left;
            sum[r][1] += x[r * a.stride + i] * right;
        }
    }
    for (size_t r = 0; r < R; r++)
        PANEL(store_)(width, sum[r], keep, c + (r0 + r) * stride);
}

/* One row by whole panels, two at a time: one panel's sums would wait for themselves. Returns how
   many columns are done. */
PANEL_INLINE size_t PANEL(single_)(size_t n, size_t k, const real *x, const real *packed, real keep,
                                   real *row)
{
    size_t j = 0;
    for (; j + 2 * PANEL_WIDTH <= n; j += 2 * PANEL_WIDTH) {
        const real *first = packed + j * k, *second = first + k * PANEL_WIDTH;
        PANEL(lanes) sum[2][2] = {0};
        for (size_t i = 0; i < k; i++, first += PANEL_WIDTH, second += PANEL_WIDTH)
            for (size_t v = 0; v < 2; v++) {
                sum[0][v] += x[i] * *(const PANEL(lanes) *)(first + v * PANEL_LANES);
                sum[1][v] += x[i] * *(const PANEL(lanes) *)(second + v * PANEL_LANES);
            }
        PANEL(store_)(PANEL_WIDTH, sum[0], keep, row + j);
        PANEL(store_)(PANEL_WIDTH, sum[1], keep, row + j + PANEL_WIDTH);
    }
    return j;
}

PANEL_TARGET static void PANEL(multiply_)(size_t m, size_t n, size_t k, struct mat a,
                                          const real *packed, real keep, struct mat c)
{
    size_t j = m == 1 ? PANEL(single_)(n, k, a.data, packed, keep, c.data) : 0;
    for (; j < n; j += PANEL_WIDTH) {
        const size_t width = n - j < PANEL_WIDTH ? n - j : PANEL_WIDTH;
        const real *panel = packed + j * k;
        size_t r = 0;
        for (; r + PANEL_ROWS <= m; r += PANEL_ROWS)
            PANEL(tile_)(PANEL_ROWS, r, width, k, a, panel, keep, c.data + j, c.stride);
#if PANEL_ROWS > 8
        for (; r + 8 <= m; r += 8)
            PANEL(tile_)(8, r, width, k, a, panel, keep, c.data + j, c.stride);
#endif
#if PANEL_ROWS > 4
        for (; r + 4 <= m; r += 4)
            PANEL(tile_)(4, r, width, k, a, panel, keep, c.data + j, c.stride);
#endif
        for (; r + 2 <= m; r += 2)
            PANEL(tile_)(2, r, width, k, a, panel, keep, c.data + j, c.stride);
        if (r < m)
            PANEL(tile_)(1, r, width, k, a, panel, keep, c.data + j, c.stride);
    }
}

#undef PANEL_JOIN_
#undef PANEL_JOIN
#undef PANEL
#undef PANEL_INLINE
#undef PANEL_WIDTH
#undef PANEL_NAME
#undef PANEL_TARGET
#undef PANEL_LANES
#undef PANEL_ROWS
