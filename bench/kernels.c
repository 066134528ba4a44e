/*
 * The kernels of inference beside what the machine can do at most.
 *
 *     kernels [--rounds N] [--json]
 *
 * Each round measures the limits, then each kernel for a millisecond or two; printed is the best of
 * all rounds (20 unless told), for other programs disturb and processors change their clock. A
 * product of few rows is at least as long as its weights take to be read from where they lie, one
 * of many rows as its operations: `share` is the longer of these times, by the limits measured,
 * over the time that it took. The sizes are the shipped en-fr model's. DRAGOMAN_CPU chooses another
 * path than the best.
 */
#include "nn/mat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "kernels_limits.h"
#include "nn/cpu.h"
#include "nn/int8.h"
#include "nn/pointwise.h"

#define DEFAULT_ROUNDS 20
#define MEASURE_NS 1000000
#define MAX_ROWS 32
#define MAX_OUTPUTS 8260
#define MAX_INPUTS 512
#define POINTS 8192

struct shape {
    const char *what;
    size_t outputs, inputs;
};
static const struct shape shapes[] = {
    {"encoder gates", 768, 256},         {"decoder gates, input", 1536, 256},
    {"decoder gates, state", 1536, 512}, {"vocabulary", 8260, 256},
    {"vocabulary", 8260, 512},           {"shortlist", 320, 256},
};
static const size_t row_counts[] = {1, 8, 32};
enum {
    SHAPES = sizeof shapes / sizeof *shapes,
    ROW_COUNTS = sizeof row_counts / sizeof *row_counts,
    CASES = SHAPES * ROW_COUNTS
};

/* One shape's weights in all the forms that the kernels take. */
struct weights {
    float *plain, *packed, *scales;
    struct int8_matrix bytes;
    int8_t *values;
};

struct bench {
    struct limits limits;
    struct rng rng;
    struct weights weights[SHAPES];
    float *x, *y;
    void *memory; /* of quantised rows */
    struct int8_rows rows;
    bool json;
    int rounds;
};

struct call {
    const struct bench *bench;
    const struct weights *weights;
    size_t rows, outputs, inputs;
};

static void run_rows(const struct call *c)
{
    mat_rows(c->rows, c->outputs, c->inputs, c->bench->x, c->inputs, c->weights->plain, c->inputs,
             NULL, c->bench->y, c->outputs);
}

static void run_packed(const struct call *c)
{
    mat_rows_packed(c->rows, c->outputs, c->inputs, c->bench->x, c->inputs, c->weights->packed,
                    NULL, c->bench->y, c->outputs);
}

static void run_int8(const struct call *c)
{
    int8_multiply(&c->weights->bytes, c->rows, &c->bench->rows, NULL, c->bench->y, c->outputs);
}

/* Rows quantised for this product alone. */
static void run_quantized(const struct call *c)
{
    int8_quantize_rows(c->rows, c->inputs, c->bench->x, c->inputs, &c->bench->rows);
    run_int8(c);
}

static void run_blas(const struct call *c)
{
    mat_multiply(MAT_NT, c->rows, c->outputs, c->inputs, mat_of(c->bench->x, c->inputs),
                 mat_of(c->weights->plain, c->inputs), 0, mat_of(c->bench->y, c->outputs));
}

static const struct product {
    const char *name;
    void (*run)(const struct call *call);
    size_t weight_size;
} products[] = {
    {"fp32, as in the bundle", run_rows, sizeof(float)},
    {"fp32, packed", run_packed, sizeof(float)},
    {"fp32, OpenBLAS", run_blas, sizeof(float)},
    {"int8", run_int8, 1},
    {"int8, with quantising", run_quantized, 1},
};
enum { PRODUCTS = sizeof products / sizeof *products };

static float log_sum_into(const float *x, float *y)
{
    return y[0] = pointwise_log_sum(POINTS, x);
}

static void run_exp(const struct bench *b)
{
    pointwise_exp(POINTS, b->x, b->y);
}

static void run_tanh(const struct bench *b)
{
    pointwise_tanh(POINTS, b->x, b->y);
}

static void run_logistic(const struct bench *b)
{
    pointwise_logistic(POINTS, b->x, b->y);
}

static void run_log_sum(const struct bench *b)
{
    log_sum_into(b->x, b->y);
}

static void run_greatest(const struct bench *b)
{
    size_t index;
    b->y[0] = pointwise_greatest(POINTS, b->x, &index);
    b->y[1] = (float)index;
}

static const struct {
    const char *name;
    void (*run)(const struct bench *bench);
} functions[] = {
    {"exp", run_exp},         {"tanh", run_tanh},         {"logistic", run_logistic},
    {"log sum", run_log_sum}, {"greatest", run_greatest},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* Best times, in nanoseconds. */
struct results {
    double product[PRODUCTS][CASES], function[FUNCTIONS];
};

static struct call call_of(const struct bench *bench, size_t i)
{
    const struct shape *shape = &shapes[i / ROW_COUNTS];
    return (struct call){.bench = bench,
                         .weights = &bench->weights[i / ROW_COUNTS],
                         .rows = row_counts[i % ROW_COUNTS],
                         .outputs = shape->outputs,
                         .inputs = shape->inputs};
}

static void keep_least(double *least, int64_t start, int64_t times)
{
    const double took = (double)(clock_ns() - start) / (double)times;
    *least = *least == 0 || took < *least ? took : *least;
}

static void measure_product(const struct product *product, const struct call *call, double *least)
{
    int64_t start = clock_ns();
    product->run(call);
    const int64_t once = clock_ns() - start;
    const int64_t times = 1 + MEASURE_NS / (once > 0 ? once : 1);
    start = clock_ns();
    for (int64_t i = 0; i < times; i++)
        product->run(call);
    keep_least(least, start, times);
}

static void measure(struct bench *bench, struct results *results)
{
    limits_measure(&bench->limits);
    for (size_t i = 0; i < CASES; i++) {
        const struct call call = call_of(bench, i);
        int8_quantize_rows(call.rows, call.inputs, bench->x, call.inputs, &bench->rows);
        for (size_t p = 0; p < PRODUCTS; p++)
            measure_product(&products[p], &call, &results->product[p][i]);
    }
    for (size_t f = 0; f < FUNCTIONS; f++)
        for (int i = 0; i < 20; i++) {
            const int64_t start = clock_ns();
            functions[f].run(bench);
            keep_least(&results->function[f], start, POINTS);
        }
}

/* The least time that the limits allow, in nanoseconds. */
static double least_time(const struct bench *bench, const struct product *product,
                         const struct call *call, enum level *level)
{
    const double bytes = (double)(call->outputs * call->inputs * product->weight_size);
    const double operations = 2.0 * (double)(call->rows * call->outputs * call->inputs);
    const struct limits *limits = &bench->limits;
    const double peak = product->weight_size == 1 ? limits->integer : limits->multiply;
    *level = level_of(limits, (size_t)bytes);
    const double reading = bytes / limits->bandwidth[*level] * 1e9;
    const double computing = peak > 0 ? operations / peak * 1e9 : 0;
    return reading > computing ? reading : computing;
}

static void print_product(const struct bench *bench, const struct results *results, size_t p,
                          size_t i)
{
    const struct call call = call_of(bench, i);
    const double ns = results->product[p][i];
    const double bytes = (double)(call.outputs * call.inputs * products[p].weight_size);
    const double operations = 2.0 * (double)(call.rows * call.outputs * call.inputs);
    enum level level;
    const double share = least_time(bench, &products[p], &call, &level) / ns;
    printf(bench->json
               ? "%s{\"kernel\": \"%s\", \"shape\": \"%s\", \"outputs\": %zu, "
                 "\"inputs\": %zu, \"rows\": %zu, \"level\": \"%s\", \"us\": %.3f, "
                 "\"gb_s\": %.2f, \"gop_s\": %.2f, \"share\": %.4f}"
               : "%s%-23s| %-21s| %4zu x %3zu | %2zu | %-6s | %8.2f | %6.1f | %6.1f | %4.0f %%\n",
           bench->json && p + i > 0 ? ",\n  " : "", products[p].name, shapes[i / ROW_COUNTS].what,
           call.outputs, call.inputs, call.rows, level_name(level), ns / 1e3, bytes / ns,
           operations / ns, bench->json ? share : 100 * share);
}

static void print_limits(const struct bench *bench)
{
    const struct limits *l = &bench->limits;
    printf(bench->json
               ? "{\"path\": \"%s\", \"rounds\": %d, \"limits\": {\"l2_gb_s\": %.2f, \"l3_gb_s\": "
                 "%.2f, \"memory_gb_s\": %.2f, \"fp32_gop_s\": %.2f, \"sgemm_gop_s\": %.2f, "
                 "\"int8_gop_s\": %.2f},\n"
               : "path %s, best of %d rounds\nreading: L2 %.1f, L3 %.1f, memory %.1f GB/s; "
                 "operations: fp32 %.1f, sgemm %.1f, int8 %.1f G/s\n\n",
           cpu_path_name(cpu_path()), bench->rounds, l->bandwidth[LEVEL_L2] / 1e9,
           l->bandwidth[LEVEL_L3] / 1e9, l->bandwidth[LEVEL_MEMORY] / 1e9, l->multiply / 1e9,
           l->sgemm / 1e9, l->integer / 1e9);
}

static void print_results(const struct bench *bench, const struct results *results)
{
    print_limits(bench);
    printf(bench->json
               ? " \"products\": [\n  "
               : "kernel                 | weights              | size       | rows | from |"
                 "       us |   GB/s |  Gop/s | share\n");
    for (size_t p = 0; p < PRODUCTS; p++)
        for (size_t i = 0; i < CASES; i++)
            print_product(bench, results, p, i);
    printf(bench->json ? "],\n \"ns_a_value\": {" : "\n");
    for (size_t f = 0; f < FUNCTIONS; f++)
        printf(bench->json ? "%s\"%s\": %.3f" : "%s%s %.3f ns a value", f > 0 ? ", " : "",
               functions[f].name, results->function[f]);
    printf(bench->json ? "}}\n" : "\n");
}

static float *randoms(struct rng *rng, size_t count, struct err *err)
{
    float *x = mem_alloc(count, sizeof *x, err);
    for (size_t i = 0; x && i < count; i++)
        x[i] = (float)rng_normal(rng);
    return x;
}

static int make_weights(struct bench *bench, const struct shape *shape, struct weights *weights,
                        struct err *err)
{
    const size_t outputs = shape->outputs, inputs = shape->inputs;
    weights->plain = randoms(&bench->rng, outputs * inputs, err);
    weights->packed = mem_alloc(mat_packed_size(outputs, inputs), sizeof(float), err);
    weights->scales = mem_alloc(outputs, sizeof(float), err);
    weights->values = mem_alloc(int8_weights_size(outputs, inputs), 1, err);
    if (!weights->plain || !weights->packed || !weights->scales || !weights->values)
        return ERR_MEMORY;
    mat_pack(MAT_NT, outputs, inputs, mat_of(weights->plain, inputs), weights->packed);
    weights->bytes = (struct int8_matrix){.outputs = outputs,
                                          .inputs = inputs,
                                          .weights = weights->values,
                                          .scales = weights->scales};
    return int8_quantize(outputs, inputs, weights->plain, inputs, weights->values, weights->scales,
                         err);
}

static int prepare(struct bench *bench, struct err *err)
{
    int rc = limits_init(&bench->limits, err);
    rng_seed(&bench->rng, 1, 0);
    bench->x = randoms(&bench->rng, MAX_ROWS * MAX_INPUTS, err);
    bench->y = mem_alloc(MAX_ROWS * MAX_OUTPUTS, sizeof(float), err);
    bench->memory = mem_alloc(int8_rows_size(MAX_ROWS, MAX_INPUTS), 1, err);
    if (rc || !bench->x || !bench->y || !bench->memory)
        return ERR_MEMORY;
    bench->rows = int8_rows_in(bench->memory, MAX_ROWS, MAX_INPUTS);
    for (size_t s = 0; rc == 0 && s < SHAPES; s++)
        rc = make_weights(bench, &shapes[s], &bench->weights[s], err);
    return rc;
}

static void release(struct bench *bench)
{
    for (size_t s = 0; s < SHAPES; s++) {
        mem_free(bench->weights[s].plain);
        mem_free(bench->weights[s].packed);
        mem_free(bench->weights[s].scales);
        mem_free(bench->weights[s].values);
    }
    mem_free(bench->x);
    mem_free(bench->y);
    mem_free(bench->memory);
    limits_release(&bench->limits);
}

static bool parse(int argc, char **argv, struct bench *bench)
{
    bench->rounds = DEFAULT_ROUNDS;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--json") == 0)
            bench->json = true;
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            bench->rounds = atoi(argv[++i]);
        else
            return false;
    return bench->rounds > 0;
}

int main(int argc, char **argv)
{
    struct bench bench = {0};
    struct results results = {0};
    struct err err = ERR_INIT;
    if (!parse(argc, argv, &bench)) {
        fprintf(stderr, "usage: kernels [--rounds N] [--json]\n");
        return 2;
    }
    mat_use_one_thread();
    const int rc = prepare(&bench, &err);
    for (int i = 0; rc == 0 && i < bench.rounds; i++)
        measure(&bench, &results);
    if (rc)
        fprintf(stderr, "kernels: %s\n", err.message);
    else
        print_results(&bench, &results);
    release(&bench);
    return rc ? 1 : 0;
}
