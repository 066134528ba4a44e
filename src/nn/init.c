#include "nn/init.h"

#include <stdbool.h>
#include "nn/mat.h"

void init_uniform(size_t count, double bound, struct rng *rng, real *x)
{
    for (size_t i = 0; i < count; i++)
        x[i] = (real)((2 * rng_uniform(rng) - 1) * bound);
}

void init_normal(size_t count, double deviation, struct rng *rng, real *x)
{
    for (size_t i = 0; i < count; i++)
        x[i] = (real)(rng_normal(rng) * deviation);
}

void init_glorot(size_t rows, size_t columns, struct rng *rng, real *x)
{
    init_uniform(rows * columns, sqrt(6.0 / (double)(rows + columns)), rng, x);
}

/* `count` vectors of `length`, side by side as rows or as columns of a matrix. */
struct vectors {
    size_t length;
    bool columns;
    size_t stride; /* of the matrix */
    real *data;
};

static struct mat vector_at(const struct vectors *v, size_t i)
{
    return mat_of(v->data + (v->columns ? i : i * v->stride), v->stride);
}

/* Makes the length of vector i 1. Returns its length before over that of a typical random one. */
static double normalise(const struct vectors *v, size_t i)
{
    const struct mat x = vector_at(v, i);
    const size_t step = v->columns ? v->stride : 1;
    double sum = 0;
    for (size_t k = 0; k < v->length; k++)
        sum += (double)x.data[k * step] * (double)x.data[k * step];
    const double norm = sqrt(sum);
    for (size_t k = 0; k < v->length && norm > 0; k++)
        x.data[k * step] = (real)((double)x.data[k * step] / norm);
    return norm / sqrt((double)v->length);
}

/* Takes from vector i its parts along those before it, some at a time. */
static void take_parts(const struct vectors *v, size_t i)
{
    enum { AT_ONCE = 64 };
    real part[AT_ONCE];
    const struct mat x = vector_at(v, i);
    for (size_t begin = 0; begin < i; begin += AT_ONCE) {
        const size_t count = i - begin < AT_ONCE ? i - begin : AT_ONCE;
        const struct mat before = vector_at(v, begin), parts = mat_of(part, AT_ONCE);
        mat_multiply(v->columns ? MAT_TN : MAT_NT, 1, count, v->length, x, before, 0, parts);
        for (size_t k = 0; k < count; k++)
            part[k] = -part[k];
        if (v->columns)
            mat_multiply(MAT_NT, v->length, 1, count, before, parts, 1, x);
        else
            mat_multiply(MAT_NN, 1, v->length, count, parts, before, 1, x);
    }
}

/* Gram and Schmidt's way, twice: what rounding leaves of the other vectors after the first time is
   gone after the second. False where too little is left of the vector, which hardly ever happens.
 */
static bool draw(const struct vectors *v, size_t i, struct rng *rng)
{
    const struct mat x = vector_at(v, i);
    const size_t step = v->columns ? v->stride : 1;
    for (size_t k = 0; k < v->length; k++)
        x.data[k * step] = (real)rng_normal(rng);
    take_parts(v, i);
    if (normalise(v, i) < 1e-5)
        return false;
    take_parts(v, i);
    normalise(v, i);
    return true;
}

void init_orthogonal(size_t rows, size_t columns, struct rng *rng, real *x)
{
    const bool upright = rows > columns;
    const struct vectors v = {upright ? rows : columns, upright, columns, x};
    for (size_t i = 0; i < (upright ? columns : rows); i++)
        while (!draw(&v, i, rng))
            ;
}
