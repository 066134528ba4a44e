/*
 * The inner part of mat_rows for one width of vectors; mat_rows.c includes it once for each, with
 *
 *   TILE_NAME      suffix of the names       TILE_TARGET   what the processor must be able to do
 *   TILE_LANES     values in a vector        TILE_ROWS     rows of a tile, at most 4
 *
 * A tile of up to TILE_ROWS rows by 4 outputs keeps one vector of partial sums for each output:
 * lane l sums inputs l, l + TILE_LANES, ... in order, as if zeros followed the last; then the lanes
 * are added, half to half, until one is left. Neither depends on the tile's shape nor on where it
 * lies, so a row's outputs do not depend on the other rows.
 */
#define TILE_JOIN_(a, b) a##b
#define TILE_JOIN(a, b) TILE_JOIN_(a, b)
#define TILE(name) TILE_JOIN(name, TILE_NAME)
#define TILE_INLINE TILE_TARGET static inline __attribute__((always_inline))

typedef real TILE(lanes)
    __attribute__((vector_size(TILE_LANES * sizeof(real)), aligned(sizeof(real))));

/* The halves of a vector added until four lanes are left. Vectors go by address: how wide ones are
   passed depends on the machine. */
TILE_INLINE void TILE(fold_)(const TILE(lanes) * v, lanes_4 *folded)
{
#if TILE_LANES == 16
    const lanes_8 u = __builtin_shufflevector(*v, *v, 0, 1, 2, 3, 4, 5, 6, 7) +
                      __builtin_shufflevector(*v, *v, 8, 9, 10, 11, 12, 13, 14, 15);
#elif TILE_LANES == 8
    const lanes_8 u = *v;
#endif
#if TILE_LANES == 4
    *folded = *v;
#else
    *folded = __builtin_shufflevector(u, u, 0, 1, 2, 3) + __builtin_shufflevector(u, u, 4, 5, 6, 7);
#endif
}

/* The sums over the lanes of four vectors. */
TILE_INLINE void TILE(add_)(const TILE(lanes) v[TILE_OUTPUTS], lanes_4 *sums)
{
    lanes_4 a, b, c, d;
    TILE(fold_)(&v[0], &a);
    TILE(fold_)(&v[1], &b);
    TILE(fold_)(&v[2], &c);
    TILE(fold_)(&v[3], &d);
    a = __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
    c = __builtin_shufflevector(c, d, 0, 1, 4, 5) + __builtin_shufflevector(c, d, 2, 3, 6, 7);
    *sums = __builtin_shufflevector(a, c, 0, 2, 4, 6) + __builtin_shufflevector(a, c, 1, 3, 5, 7);
}

/* The inputs that do not fill a vector. */
TILE_INLINE void TILE(last_)(size_t count, const real *x, TILE(lanes) * v)
{
    real filled[TILE_LANES] = {0};
    for (size_t i = 0; i < count; i++)
        filled[i] = x[i];
    memcpy(v, filled, sizeof *v);
}

/* The tile of R rows and O outputs, both known when the compiler inlines it. The next outputs'
   weights are fetched meanwhile: they are too few at a time for the processor to foresee. */
TILE_INLINE void TILE(tile_)(size_t R, size_t O, const struct product *p, size_t r0, size_t o0)
{
    const real *x = p->x + r0 * p->x_stride, *w = p->w + o0 * p->w_stride;
    const size_t inputs = p->inputs;
    TILE(lanes) sum[TILE_ROWS][TILE_OUTPUTS] = {0}, column[TILE_OUTPUTS], row;
    size_t i = 0;
    for (; i + TILE_LANES <= inputs; i += TILE_LANES) {
        for (size_t o = 0; o < O; o++) {
            column[o] = *(const TILE(lanes) *)(w + o * p->w_stride + i);
            __builtin_prefetch(w + (o + O) * p->w_stride + i);
        }
        for (size_t r = 0; r < R; r++) {
            row = *(const TILE(lanes) *)(x + r * p->x_stride + i);
            for (size_t o = 0; o < O; o++)
                sum[r][o] += row * column[o];
        }
    }
    if (i < inputs) {
        for (size_t o = 0; o < O; o++)
            TILE(last_)(inputs - i, w + o * p->w_stride + i, &column[o]);
        for (size_t r = 0; r < R; r++) {
            TILE(last_)(inputs - i, x + r * p->x_stride + i, &row);
            for (size_t o = 0; o < O; o++)
                sum[r][o] += row * column[o];
        }
    }
    for (size_t r = 0; r < R; r++) {
        lanes_4 total;
        TILE(add_)(sum[r], &total);
        for (size_t o = 0; o < O; o++)
            p->y[(r0 + r) * p->y_stride + o0 + o] = total[o] + (p->bias ? p->bias[o0 + o] : 0);
    }
}

/* All rows against O outputs: weights are read from memory once. */
TILE_INLINE void TILE(strip_)(size_t O, const struct product *p, size_t o0)
{
    size_t r = 0;
    for (; r + TILE_ROWS <= p->rows; r += TILE_ROWS)
        TILE(tile_)(TILE_ROWS, O, p, r, o0);
#if TILE_ROWS > 3
    if (p->rows - r == 3)
        TILE(tile_)(3, O, p, r, o0);
#endif
#if TILE_ROWS > 2
    if (p->rows - r == 2)
        TILE(tile_)(2, O, p, r, o0);
#endif
    if (p->rows - r == 1)
        TILE(tile_)(1, O, p, r, o0);
}

TILE_TARGET static void TILE(rows_)(const struct product *p)
{
    size_t o = 0;
    for (; o + TILE_OUTPUTS <= p->outputs; o += TILE_OUTPUTS)
        TILE(strip_)(TILE_OUTPUTS, p, o);
    for (; o < p->outputs; o++)
        TILE(strip_)(1, p, o);
}

#undef TILE_JOIN_
#undef TILE_JOIN
#undef TILE
#undef TILE_INLINE
#undef TILE_NAME
#undef TILE_TARGET
#undef TILE_LANES
#undef TILE_ROWS
