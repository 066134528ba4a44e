/*
 * The kernels of inference on every path that this processor has, each against a plain reference on
 * random shapes; paths that it lacks are named. Without cmocka and all other libraries, so that it
 * can be compiled for another processor and run under an emulator: the last line is a checksum of
 * results that must be the same bytes on every processor.
 */
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "nn/cpu.h"
#include "nn/int8.h"
#include "nn/mat.h"
#include "nn/pointwise.h"

#define MAX_ROWS 64
#define MAX_OUTPUTS 150
#define MAX_INPUTS 700
#define PAD 5
#define UNTOUCHED 12345.0f
#define MAX_COMPLAINTS 20

static struct rng rng;
static int complaints;
static uint64_t checksum;

/* Says what is wrong, with the path in use. */
__attribute__((format(printf, 2, 3))) static bool check(bool good, const char *format, ...)
{
    va_list args;
    if (good || ++complaints > MAX_COMPLAINTS)
        return good;
    printf("FAIL: %s: ", cpu_path_name(cpu_path()));
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    return false;
}

static void *memory(size_t count, size_t size)
{
    void *given = mem_alloc(count, size, NULL);
    if (!given) {
        printf("FAIL: no memory\n");
        exit(1);
    }
    return given;
}

static size_t below(size_t bound)
{
    return (size_t)rng_below(&rng, bound);
}

/* Uniform in (-1, 1), exactly the same on every processor. */
static void fill(size_t count, float *x)
{
    for (size_t i = 0; i < count; i++)
        x[i] = (float)(rng_uniform(&rng) * 2 - 1);
}

static void add_to_checksum(size_t size, const void *bytes)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < size; i++)
        checksum = (checksum ^ byte[i]) * 0x100000001b3u; /* FNV-1a */
}

/* ---- products of 8-bit integers ---- */

struct int8_case {
    size_t rows, outputs, inputs, y_stride;
    struct int8_matrix matrix;
    struct int8_rows x;
    int8_t *weights;
    float *scales, *bias, *y;
    void *row_memory;
};

static struct int8_case int8_case_make(void)
{
    const size_t largest = MAX_INPUTS;
    return (struct int8_case){
        .weights = memory(int8_weights_size(MAX_OUTPUTS, largest) + 1, 1),
        .scales = memory(MAX_OUTPUTS, sizeof(float)),
        .bias = memory(MAX_OUTPUTS, sizeof(float)),
        .y = memory(MAX_ROWS * (MAX_OUTPUTS + PAD), sizeof(float)),
        .row_memory = memory(int8_rows_size(MAX_ROWS, largest), 1),
    };
}

static void int8_case_free(struct int8_case *c)
{
    mem_free(c->weights);
    mem_free(c->scales);
    mem_free(c->bias);
    mem_free(c->y);
    mem_free(c->row_memory);
}

/* Bytes of a kind: any, the greatest magnitudes of one sign, or of both. */
static int8_t random_byte(size_t kind, int least)
{
    switch (kind) {
    case 0:
        return (int8_t)least;
    case 1:
        return 127;
    case 2:
        return (int8_t)(below(2) ? 127 : least);
    default:
        return (int8_t)((int)below((size_t)(128 - least)) + least);
    }
}

/* A random shape with its weights and rows; weights at an odd address, as bytes come. */
static void int8_case_fill(struct int8_case *c, size_t run)
{
    const size_t groups = (c->inputs + INT8_GROUP - 1) / INT8_GROUP;
    const size_t weight_kind = below(6), row_kind = below(6);
    int8_t *weights = c->weights + run % 2;
    c->matrix = (struct int8_matrix){
        .outputs = c->outputs, .inputs = c->inputs, .weights = weights, .scales = c->scales};
    memset(weights, 0, int8_weights_size(c->outputs, c->inputs));
    for (size_t o = 0; o < c->outputs; o++)
        for (size_t i = 0; i < c->inputs; i++)
            weights[((o / 16) * groups + i / 4) * 64 + (o % 16) * 4 + i % 4] =
                random_byte(weight_kind, -128);
    fill(c->outputs, c->scales);
    fill(c->outputs, c->bias);
    c->x = int8_rows_in(c->row_memory, c->rows, c->inputs);
    memset(c->row_memory, 0, int8_rows_size(c->rows, c->inputs));
    fill(c->rows, c->x.scales);
    for (size_t r = 0; r < c->rows; r++)
        for (size_t i = 0; i < c->inputs; i++) {
            const int8_t value = random_byte(row_kind, -127);
            c->x.values[r * c->x.stride + i] = value;
            c->x.sums[r] += value;
        }
    for (size_t i = 0; i < c->rows * c->y_stride; i++)
        c->y[i] = UNTOUCHED;
}

/* By definition, each operation rounded by itself. */
static float int8_expected(const struct int8_case *c, size_t row, size_t output, bool biased)
{
    const size_t groups = (c->inputs + INT8_GROUP - 1) / INT8_GROUP;
    const int8_t *w = c->matrix.weights, *x = c->x.values + row * c->x.stride;
    int32_t sum = 0;
    for (size_t i = 0; i < c->inputs; i++)
        sum += x[i] * w[((output / 16) * groups + i / 4) * 64 + (output % 16) * 4 + i % 4];
    const volatile float scale = c->x.scales[row] * c->scales[output];
    const volatile float product = (float)sum * scale;
    return biased ? product + c->bias[output] : product;
}

static void int8_products(void)
{
    struct int8_case c = int8_case_make();
    for (size_t run = 0; run < 120 && complaints == 0; run++) {
        c.rows = 1 + below(run % 3 ? 8 : MAX_ROWS);
        c.outputs = 1 + below(MAX_OUTPUTS);
        c.inputs = 1 + below(run % 8 ? 130 : MAX_INPUTS);
        c.y_stride = c.outputs + below(PAD + 1);
        const bool biased = below(2);
        int8_case_fill(&c, run);
        int8_multiply(&c.matrix, c.rows, &c.x, biased ? c.bias : NULL, c.y, c.y_stride);
        for (size_t r = 0; r < c.rows; r++)
            for (size_t o = 0; o < c.y_stride; o++) {
                const float expected = o < c.outputs ? int8_expected(&c, r, o, biased) : UNTOUCHED;
                const float got = c.y[r * c.y_stride + o];
                check(memcmp(&got, &expected, sizeof got) == 0,
                      "%zu rows, %zu x %zu: row %zu, output %zu is %.9g, not %.9g", c.rows,
                      c.outputs, c.inputs, r, o, (double)got, (double)expected);
            }
        add_to_checksum(c.rows * c.y_stride * sizeof *c.y, c.y);
    }
    int8_case_free(&c);
}

/* The longest sums that are allowed, all products at their greatest, stay within 32 bits. */
static void int8_longest(void)
{
    const size_t inputs = INT8_MAX_INPUTS, size = int8_weights_size(1, inputs);
    int8_t *weights = memory(size, 1);
    void *row_memory = memory(int8_rows_size(1, inputs), 1);
    const float scale = 1;
    const struct int8_matrix matrix = {
        .outputs = 1, .inputs = inputs, .weights = weights, .scales = &scale};
    struct int8_rows x = int8_rows_in(row_memory, 1, inputs);
    for (int sign = -1; sign <= 1; sign += 2) {
        float y = 0;
        const int8_t weight = sign < 0 ? -128 : 127;
        for (size_t i = 0; i < inputs; i++)
            weights[i / 4 * 64 + i % 4] = weight;
        memset(x.values, 127, inputs);
        x.scales[0] = 1;
        x.sums[0] = 127 * (int32_t)inputs;
        int8_multiply(&matrix, 1, &x, NULL, &y, 1);
        const float expected = (float)(weight * 127 * (int32_t)inputs);
        check(y == expected, "longest sum is %.9g, not %.9g", (double)y, (double)expected);
    }
    check(int8_weights_size(1, inputs + 1) == 0, "too many inputs have a size");
    check(int8_quantize(1, inputs + 1, &scale, inputs + 1, weights, x.scales, NULL) == ERR_ARGUMENT,
          "too many inputs are quantised");
    mem_free(weights);
    mem_free(row_memory);
}

/* Half a step is the most that quantising may move a value, but for a rounding error. */
static void int8_rows_quantized(void)
{
    float *x = memory(MAX_ROWS * (MAX_INPUTS + PAD), sizeof *x);
    void *row_memory = memory(int8_rows_size(MAX_ROWS, MAX_INPUTS), 1);
    for (size_t run = 0; run < 40; run++) {
        const size_t rows = 1 + below(6), inputs = 1 + below(run % 2 ? 70 : MAX_INPUTS);
        const size_t stride = inputs + below(PAD);
        struct int8_rows q = int8_rows_in(row_memory, rows, inputs);
        fill(rows * stride, x);
        memset(row_memory, 99, int8_rows_size(rows, inputs));
        int8_quantize_rows(rows, inputs, x, stride, &q);
        for (size_t r = 0; r < rows; r++) {
            int32_t sum = 0;
            float largest = 0;
            for (size_t i = 0; i < q.stride; i++) {
                const double value = i < inputs ? (double)x[r * stride + i] : 0;
                const double step = (double)q.scales[r];
                const int8_t got = q.values[r * q.stride + i];
                check(fabs(got * step - value) <= step * 0.50001, "%g becomes %d of %g", value, got,
                      step);
                largest = fmaxf(largest, fabsf((float)value));
                sum += got;
            }
            check(sum == q.sums[r], "row's sum is %d, not %d", q.sums[r], sum);
            check(q.scales[r] == largest / 127, "row's scale is %g", (double)q.scales[r]);
        }
        add_to_checksum(rows * q.stride, q.values);
    }
    mem_free(x);
    mem_free(row_memory);
}

/* Rows that hold what is not finite give no numbers; nothing but almost nothing gives 0. */
static void int8_odd_rows(void)
{
    static const float odd[] = {NAN, -NAN, INFINITY, -INFINITY, 0, 1e-31f, -1e-38f};
    enum { INPUTS = 37, CASES = sizeof odd / sizeof *odd };
    float x[INPUTS], scale = 1, w[INPUTS], y;
    int8_t weights[10 * INT8_BLOCK];
    char row_memory[64 + 8];
    fill(INPUTS, w);
    check(int8_quantize(1, INPUTS, w, INPUTS, weights, &scale, NULL) == 0, "not quantised");
    const struct int8_matrix matrix = {
        .outputs = 1, .inputs = INPUTS, .weights = weights, .scales = &scale};
    for (size_t i = 0; i < CASES; i++) {
        const bool finite = isfinite(odd[i]);
        struct int8_rows q = int8_rows_in(row_memory, 1, INPUTS);
        memset(x, 0, sizeof x);
        if (!finite)
            fill(INPUTS, x);
        x[i * 5] = odd[i];
        int8_quantize_rows(1, INPUTS, x, INPUTS, &q);
        int8_multiply(&matrix, 1, &q, NULL, &y, 1);
        check(finite ? y == 0 : isnan(y), "a row with %g gives %g", (double)odd[i], (double)y);
    }
}

/* ---- functions of each value ---- */

#define STEP 4001 /* bits: every STEPth float */
#define VALUES (UINT32_MAX / STEP)

static float *every_float(void)
{
    float *x = memory(VALUES, sizeof *x);
    for (uint32_t i = 0; i < VALUES; i++) {
        const uint32_t bits = i * STEP;
        memcpy(&x[i], &bits, sizeof bits);
    }
    return x;
}

static double exact_exp(double x)
{
    return exp(fmin(fmax(x, -87), 88));
}

static double exact_logistic(double x)
{
    return 1 / (1 + exp(-x));
}

static const struct {
    const char *name;
    void (*ours)(size_t count, const float *x, float *y);
    double (*exact)(double x);
    double bound;
    bool relative;
} functions[] = {{"exp", pointwise_exp, exact_exp, 2e-7, true},
                 {"tanh", pointwise_tanh, tanh, 3e-7, false},
                 {"logistic", pointwise_logistic, exact_logistic, 2e-7, false}};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* The first path's results are held against the C library's; all later ones must be the same. */
static void functions_are_near(const float *x, float *results[FUNCTIONS])
{
    float *y = memory(VALUES, sizeof *y);
    for (size_t f = 0; f < FUNCTIONS; f++) {
        const bool first = !results[f];
        double worst = 0;
        functions[f].ours(VALUES, x, y);
        for (size_t i = 0; i < VALUES; i++) {
            if (isnan(x[i])) {
                check(isnan(y[i]), "%s of NaN is %g", functions[f].name, (double)y[i]);
                y[i] = 0;
            }
            if (!first || isnan(x[i]))
                continue;
            const double exact = functions[f].exact((double)x[i]);
            const double error = fabs((double)y[i] - exact) / (functions[f].relative ? exact : 1);
            worst = error > worst || isnan(error) ? error : worst;
        }
        if (first) {
            printf("%s: %.3g at most\n", functions[f].name, worst);
            check(worst < functions[f].bound, "%s: error %g", functions[f].name, worst);
            results[f] = memory(VALUES, sizeof *y);
            memcpy(results[f], y, VALUES * sizeof *y);
        }
        check(memcmp(results[f], y, VALUES * sizeof *y) == 0, "%s: other bytes", functions[f].name);
        add_to_checksum(VALUES * sizeof *y, y);
    }
    mem_free(y);
}

/* What surrounds a value does not change its result, nor do odd ends and addresses; y may be x. */
static void functions_of_few(void)
{
    float x[70], y[70], alone;
    fill(70, x);
    for (size_t f = 0; f < FUNCTIONS; f++)
        for (size_t count = 1; count < 68; count++) {
            memcpy(y, x, sizeof y);
            functions[f].ours(count, y + 1, y + 1);
            functions[f].ours(1, x + count, &alone);
            check(y[count] == alone, "%s: value %zu depends on others", functions[f].name, count);
            check(y[count + 1] == x[count + 1] && y[0] == x[0], "%s: writes beyond %zu",
                  functions[f].name, count);
        }
}

static void softmax_of(size_t count, float spread)
{
    float *x = memory(count, sizeof *x), *y = memory(count, sizeof *y), greatest = -INFINITY;
    double sum = 0;
    size_t index = count, first = count;
    fill(count, x);
    for (size_t i = 0; i < count; i++) {
        x[i] *= spread;
        if (x[i] > greatest) {
            greatest = x[i];
            first = i;
        }
    }
    for (size_t i = 0; i < count; i++)
        sum += exp((double)x[i] - (double)greatest);
    const double log_sum = (double)greatest + log(sum);
    const double bound = 3e-7 * fmax(fmax(1, fabs(log_sum)), fabs((double)greatest));
    memcpy(y, x, count * sizeof *x);
    const float got = pointwise_log_sum(count, x);
    check(fabs((double)got - log_sum) < bound, "log sum of %zu is %.9g, not %.9g", count,
          (double)got, log_sum);
    check(pointwise_softmax(count, y) == got, "softmax of %zu: another log sum", count);
    for (size_t i = 0; i < count; i++) {
        const double expected = exp((double)x[i] - log_sum);
        check(fabs((double)y[i] - expected) < 1e-6, "softmax of %zu: %g, not %g", count,
              (double)y[i], expected);
    }
    check(pointwise_greatest(count, x, &index) == greatest && index == first,
          "greatest of %zu at %zu, not %zu", count, index, first);
    add_to_checksum(count * sizeof *y, y);
    add_to_checksum(sizeof got, &got);
    mem_free(x);
    mem_free(y);
}

static void rows_of_values(void)
{
    static const float nothing[] = {NAN, NAN, NAN};
    float ties[200] = {0}, huge[3] = {3e38f, -3e38f, 3e38f};
    size_t index;
    for (size_t count = 1; count < 200; count++)
        softmax_of(count, count % 2 ? 5 : 60);
    softmax_of(8260, 20);
    ties[150] = ties[70] = ties[199] = 1;
    ties[3] = NAN;
    check(pointwise_greatest(200, ties, &index) == 1 && index == 70, "a later one of equals");
    check(pointwise_greatest(3, nothing, &index) == -INFINITY && index == 3, "NaN is greatest");
    pointwise_softmax(3, huge);
    check(huge[0] == 0.5f && huge[2] == 0.5f && huge[1] < 1e-37f, "softmax of huge values");
    ties[3] = -7;
    check(pointwise_magnitude(200, ties) == 7, "magnitude");
}

/* ---- products of floats ---- */

struct product {
    size_t rows, outputs, inputs, x_stride, w_stride, y_stride;
    const float *x, *w, *bias;
    float *packed, *y, *alone;
};

static void multiply(const struct product *p, bool packed, size_t rows, const float *x, float *y)
{
    if (packed)
        mat_rows_packed(rows, p->outputs, p->inputs, x, p->x_stride, p->packed, p->bias, y,
                        p->y_stride);
    else
        mat_rows(rows, p->outputs, p->inputs, x, p->x_stride, p->w, p->w_stride, p->bias, y,
                 p->y_stride);
}

/* At most about n rounding errors of the terms; and each row alone gives the same bytes. */
static void check_product(const struct product *p, bool packed)
{
    for (size_t i = 0; i < p->rows * p->y_stride; i++)
        p->y[i] = UNTOUCHED;
    multiply(p, packed, p->rows, p->x, p->y);
    for (size_t r = 0; r < p->rows; r++) {
        const float *x = p->x + r * p->x_stride, *y = p->y + r * p->y_stride;
        for (size_t o = 0; o < p->outputs; o++) {
            double sum = p->bias ? (double)p->bias[o] : 0, size = fabs(sum);
            for (size_t i = 0; i < p->inputs; i++) {
                const double term = (double)x[i] * (double)p->w[o * p->w_stride + i];
                sum += term;
                size += fabs(term);
            }
            check(fabs((double)y[o] - sum) <= 4e-7 * size, "%zu rows, %zu x %zu: %.9g, not %.9g",
                  p->rows, p->outputs, p->inputs, (double)y[o], sum);
        }
        for (size_t o = p->outputs; o < p->y_stride; o++)
            check(y[o] == UNTOUCHED, "writes beyond the last output");
        multiply(p, packed, 1, x, p->alone);
        check(memcmp(y, p->alone, p->outputs * sizeof *y) == 0,
              "%zu rows, %zu x %zu: row %zu is other bytes alone", p->rows, p->outputs, p->inputs,
              r);
    }
}

static void float_products(void)
{
    float *x = memory(MAX_ROWS * (MAX_INPUTS + PAD) + 1, sizeof *x);
    float *w = memory(MAX_OUTPUTS * (MAX_INPUTS + PAD) + 1, sizeof *w);
    float *packed = memory(mat_packed_size(MAX_OUTPUTS, MAX_INPUTS), sizeof *packed);
    float *y = memory(MAX_ROWS * (MAX_OUTPUTS + PAD), sizeof *y), bias[MAX_OUTPUTS];
    float alone[MAX_OUTPUTS + PAD];
    fill(MAX_ROWS * (MAX_INPUTS + PAD) + 1, x);
    fill(MAX_OUTPUTS * (MAX_INPUTS + PAD) + 1, w);
    fill(MAX_OUTPUTS, bias);
    for (size_t run = 0; run < 80 && complaints == 0; run++) {
        struct product p = {.rows = 1 + below(run % 3 ? 8 : MAX_ROWS),
                            .outputs = 1 + below(MAX_OUTPUTS),
                            .inputs = 1 + below(run % 8 ? 70 : MAX_INPUTS),
                            .x = x + run % 2,
                            .w = w + run % 2,
                            .bias = below(2) ? bias : NULL,
                            .packed = packed,
                            .y = y,
                            .alone = alone};
        p.x_stride = p.inputs + below(PAD + 1);
        p.w_stride = p.inputs + below(PAD + 1);
        p.y_stride = p.outputs + below(PAD + 1);
        mat_pack(MAT_NT, p.outputs, p.inputs, mat_of(p.w, p.w_stride), packed);
        check_product(&p, false);
        check_product(&p, true);
    }
    mem_free(x);
    mem_free(w);
    mem_free(packed);
    mem_free(y);
}

/* ---- what no path has a part in ---- */

static void dequantize(const struct int8_matrix *matrix, float *w, size_t stride)
{
    for (size_t o = 0; o < matrix->outputs; o++)
        int8_row(matrix, o, w + o * stride);
}

static void weights_quantized(void)
{
    enum { OUTPUTS = 37, INPUTS = 43, STRIDE = INPUTS + 2, PICKED = 21 };
    float w[OUTPUTS * STRIDE], back[OUTPUTS * STRIDE], scales[OUTPUTS], picked_scales[PICKED];
    float picked_back[PICKED * STRIDE];
    int8_t weights[3 * 11 * 64], picked[2 * 11 * 64];
    uint32_t list[PICKED];
    fill(OUTPUTS * STRIDE, w);
    memset(w + 5 * STRIDE, 0, INPUTS * sizeof *w);
    check(int8_weights_size(OUTPUTS, INPUTS) == sizeof weights, "size of the weights");
    memset(weights, 99, sizeof weights);
    check(int8_quantize(OUTPUTS, INPUTS, w, STRIDE, weights, scales, NULL) == 0, "quantising");
    check(weights[32 / 16 * 11 * 64 + 5 * 4] == 0 && weights[10 * 64 + 3] == 0,
          "no zeros after the last output or input");
    const struct int8_matrix matrix = {
        .outputs = OUTPUTS, .inputs = INPUTS, .weights = weights, .scales = scales};
    dequantize(&matrix, back, STRIDE);
    for (size_t o = 0; o < OUTPUTS; o++)
        for (size_t i = 0; i < INPUTS; i++)
            check(fabsf(back[o * STRIDE + i] - w[o * STRIDE + i]) <= 0.50001f * scales[o],
                  "weight %g becomes %g", (double)w[o * STRIDE + i], (double)back[o * STRIDE + i]);
    for (size_t i = 0; i < PICKED; i++)
        list[i] = (uint32_t)below(OUTPUTS);
    memset(picked, 99, sizeof picked);
    int8_select(&matrix, PICKED, list, picked, picked_scales);
    const struct int8_matrix selected = {
        .outputs = PICKED, .inputs = INPUTS, .weights = picked, .scales = picked_scales};
    dequantize(&selected, picked_back, STRIDE);
    for (size_t i = 0; i < PICKED; i++)
        check(memcmp(picked_back + i * STRIDE, back + list[i] * STRIDE, INPUTS * sizeof *w) == 0,
              "output %u picked", list[i]);
    for (size_t i = PICKED % 16 * 4; i < 64; i++)
        check(picked[11 * 64 + i] == 0, "no zeros after the last output");
    const struct int8_matrix part = int8_part(&matrix, 16, 3);
    dequantize(&part, picked_back, STRIDE);
    check(memcmp(picked_back, back + 16 * STRIDE, INPUTS * sizeof *w) == 0, "part");
    w[3 * STRIDE + 4] = INFINITY;
    check(int8_quantize(OUTPUTS, INPUTS, w, STRIDE, weights, scales, NULL) == ERR_ARGUMENT,
          "an infinite weight is quantised");
}

/* The path that a fresh process with this DRAGOMAN_CPU chooses; asked in a child, before this
   process has chosen. */
static int chosen_path(const char *wanted)
{
    int status = 0;
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        if (wanted)
            setenv("DRAGOMAN_CPU", wanted, 1);
        else
            unsetenv("DRAGOMAN_CPU");
        _exit((int)cpu_path());
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static void choice(void)
{
    int best = -1;
    for (int path = 0; path < CPU_PATHS; path++)
        best = cpu_has((enum cpu_path)path) ? path : best;
    const int unknown = chosen_path("abacus"), none = chosen_path(NULL);
    for (int path = 0; path < CPU_PATHS; path++) {
        const int expected = cpu_has((enum cpu_path)path) ? path : best;
        const int chosen = chosen_path(cpu_path_name((enum cpu_path)path));
        check(chosen == expected, "DRAGOMAN_CPU=%s chooses %d", cpu_path_name((enum cpu_path)path),
              chosen);
    }
    check(unknown == best && none == best, "the best path is not chosen by itself");
}

int main(void)
{
    float *x = every_float(), *results[FUNCTIONS] = {0};
    uint64_t first = 0;
    choice();
    for (int path = 0; path < CPU_PATHS; path++) {
        if (!cpu_use((enum cpu_path)path)) {
            printf("skipped, not on this processor: %s\n", cpu_path_name((enum cpu_path)path));
            continue;
        }
        rng_seed(&rng, 17, 0);
        checksum = 0xcbf29ce484222325u;
        int8_products();
        int8_longest();
        int8_rows_quantized();
        int8_odd_rows();
        functions_are_near(x, results);
        functions_of_few();
        rows_of_values();
        first = path == CPU_PORTABLE ? checksum : first;
        check(checksum == first, "results that must be the same everywhere are not");
        float_products();
        weights_quantized();
        printf("tested: %s\n", cpu_path_name((enum cpu_path)path));
    }
    for (size_t f = 0; f < FUNCTIONS; f++)
        mem_free(results[f]);
    mem_free(x);
    if (complaints > 0)
        printf("%d failures\n", complaints);
    printf("checksum %016llx\n", (unsigned long long)first);
    return complaints > 0;
}
