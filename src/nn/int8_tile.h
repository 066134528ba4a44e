/*
 * The inner part of int8_multiply for one set of instructions; int8.c includes it once for each,
 * with
 *
 *   TILE_NAME      suffix of the names            TILE_TARGET   what the processor must be able to
 * do TILE_VECTORS   vectors in a block of weights  TILE_OFFSET   what is added to each weight
 *   TILE_ROWS      rows of a tile                 TILE_PANELS   panels of a tile
 *
 * and with the types sums_NAME, a vector of 32-bit integers, and columns_NAME, a block of weights
 * in registers, and the functions load_NAME, which fills these from memory, and dot_NAME, which
 * adds to each output's sum the products of its four weights with four inputs.
 *
 * A tile's sums stay in registers while it runs through the inputs; each block of weights is loaded
 * once for all rows of the tile, each four inputs once for all its panels. One row alone waits for
 * the weights: it runs through one panel after the other, which memory serves fastest, and has
 * TILE_CHAINS sums for each output, so as not to wait for these as well.
 */
#define TILE_JOIN_(a, b) a##b
#define TILE_JOIN(a, b) TILE_JOIN_(a, b)
#define TILE(name) TILE_JOIN(name, TILE_NAME)
#define TILE_INLINE TILE_TARGET static inline __attribute__((always_inline))
#define TILE_LANES (INT8_PANEL / TILE_VECTORS)
#define TILE_CHAINS 4
#ifdef __clang__
#define TILE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define TILE_UNROLL _Pragma("GCC unroll 8")
#endif

typedef float TILE(lanes_) __attribute__((vector_size(TILE_LANES * 4), aligned(4)));

/* One row's outputs of one panel. */
TILE_INLINE void TILE(finish_)(const struct product *p, size_t row, size_t panel,
                               const TILE(sums_) sums[TILE_VECTORS])
{
    const size_t o = panel * INT8_PANEL;
    const size_t width = p->outputs - o < INT8_PANEL ? p->outputs - o : INT8_PANEL;
    const int32_t excess = TILE_OFFSET * p->x->sums[row];
    const float row_scale = p->x->scales[row], *scales = p->scales + o;
    const float *bias = p->bias ? p->bias + o : NULL;
    float *y = p->y + row * p->y_stride + o;
    float partial[3][INT8_PANEL];
    if (width < INT8_PANEL) {
        memset(partial, 0, sizeof partial);
        memcpy(partial[0], scales, width * sizeof(float));
        scales = partial[0];
        if (bias)
            bias = memcpy(partial[1], bias, width * sizeof(float));
        y = partial[2];
    }
    for (size_t v = 0; v < TILE_VECTORS; v++) {
        const TILE(lanes_) scale = *(const TILE(lanes_) *)(scales + v * TILE_LANES) * row_scale;
        TILE(lanes_) out = __builtin_convertvector(sums[v] - excess, TILE(lanes_)) * scale;
        if (bias)
            out += *(const TILE(lanes_) *)(bias + v * TILE_LANES);
        *(TILE(lanes_) *)(y + v * TILE_LANES) = out;
    }
    if (width < INT8_PANEL)
        memcpy(p->y + row * p->y_stride + o, partial[2], width * sizeof(float));
}

/* R rows by P panels, both known when the compiler inlines it. */
TILE_INLINE void TILE(tile_)(size_t R, size_t P, const struct product *p, size_t row, size_t panel)
{
    const size_t size = p->groups * INT8_BLOCK, stride = p->x->stride;
    const int8_t *w = p->weights + panel * size, *x = p->x->values + row * stride;
    TILE(sums_) sums[TILE_ROWS][TILE_PANELS][TILE_VECTORS] = {0};
    struct TILE(columns_) columns[TILE_PANELS];
    for (size_t g = 0; g < p->groups; g++, w += INT8_BLOCK, x += INT8_GROUP) {
        TILE_UNROLL
        for (size_t i = 0; i < P; i++)
            TILE(load_)(w + i * size, &columns[i]);
        TILE_UNROLL
        for (size_t r = 0; r < R; r++) {
            int32_t four;
            memcpy(&four, x + r * stride, sizeof four);
            TILE_UNROLL
            for (size_t i = 0; i < P; i++)
                TILE(dot_)(sums[r][i], &columns[i], four);
        }
    }
    TILE_UNROLL
    for (size_t r = 0; r < R; r++)
        TILE_UNROLL
    for (size_t i = 0; i < P; i++)
        TILE(finish_)(p, row + r, panel + i, sums[r][i]);
}

/* One row by one panel. */
TILE_INLINE void TILE(single_)(const struct product *p, size_t panel)
{
    const size_t groups = p->groups;
    const int8_t *w = p->weights + panel * groups * INT8_BLOCK, *x = p->x->values;
    TILE(sums_) sums[TILE_CHAINS][TILE_VECTORS];
    struct TILE(columns_) columns;
    int32_t four;
    size_t g = 0;
    memset(sums, 0, sizeof sums);
    for (; g + TILE_CHAINS <= groups; g += TILE_CHAINS)
        for (size_t c = 0; c < TILE_CHAINS; c++) {
            TILE(load_)(w + (g + c) * INT8_BLOCK, &columns);
            memcpy(&four, x + (g + c) * INT8_GROUP, sizeof four);
            TILE(dot_)(sums[c], &columns, four);
        }
    for (; g < groups; g++) {
        TILE(load_)(w + g * INT8_BLOCK, &columns);
        memcpy(&four, x + g * INT8_GROUP, sizeof four);
        TILE(dot_)(sums[0], &columns, four);
    }
    for (size_t c = 1; c < TILE_CHAINS; c++)
        for (size_t v = 0; v < TILE_VECTORS; v++)
            sums[0][v] += sums[c][v];
    TILE(finish_)(p, 0, panel, sums[0]);
}

/* All rows against P panels: their weights stay in the nearest cache. */
TILE_INLINE void TILE(strip_)(size_t P, const struct product *p, size_t panel)
{
    size_t r = 0;
    for (; r + TILE_ROWS <= p->rows; r += TILE_ROWS)
        TILE(tile_)(TILE_ROWS, P, p, r, panel);
    switch (p->rows - r) {
#if TILE_ROWS > 5
    case 5:
        TILE(tile_)(5, P, p, r, panel);
        break;
#endif
#if TILE_ROWS > 4
    case 4:
        TILE(tile_)(4, P, p, r, panel);
        break;
#endif
    case 3:
        TILE(tile_)(3, P, p, r, panel);
        break;
    case 2:
        TILE(tile_)(2, P, p, r, panel);
        break;
    case 1:
        TILE(tile_)(1, P, p, r, panel);
        break;
    }
}

TILE_TARGET static void TILE(multiply_)(const struct product *p)
{
    const size_t panels = (p->outputs + INT8_PANEL - 1) / INT8_PANEL;
    size_t i = 0;
    if (p->rows == 1) {
        for (; i < panels; i++)
            TILE(single_)(p, i);
        return;
    }
#if TILE_PANELS > 1
    for (; i + TILE_PANELS <= panels; i += TILE_PANELS)
        TILE(strip_)(TILE_PANELS, p, i);
#endif
    for (; i < panels; i++)
        TILE(strip_)(1, p, i);
}

#undef TILE_JOIN_
#undef TILE_JOIN
#undef TILE
#undef TILE_INLINE
#undef TILE_LANES
#undef TILE_CHAINS
#undef TILE_UNROLL
#undef TILE_NAME
#undef TILE_TARGET
#undef TILE_VECTORS
#undef TILE_OFFSET
#undef TILE_ROWS
#undef TILE_PANELS
