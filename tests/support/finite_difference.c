#include "support/finite_difference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Central differences of fourth order: the error of the rule is about STEP^4, that of rounding
   about 1e-16 / STEP. */
#define STEP 2e-4

struct arena test_arena = {.block_size = 1 << 20};
static struct rng sequence;

static double derivative(loss_function *loss, void *context, real *x)
{
    static const struct {
        double at, weight;
    } rule[] = {{-2, 1.0 / 12}, {-1, -8.0 / 12}, {1, 8.0 / 12}, {2, -1.0 / 12}};
    const real kept = *x;
    double sum = 0;
    for (size_t i = 0; i < sizeof rule / sizeof *rule; i++) {
        *x = kept + (real)(rule[i].at * STEP);
        sum += rule[i].weight * loss(context);
    }
    *x = kept;
    return sum / STEP;
}

void check_gradient(const char *name, loss_function *loss, void *context, size_t count, real *x,
                    const real *gradient)
{
    double difference = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        const double expected = derivative(loss, context, x + i);
        difference = fmax(difference, fabs(expected - (double)gradient[i]));
        largest = fmax(largest, fabs(expected));
        if (!isfinite(gradient[i]) || !isfinite(expected))
            fail_msg("%s: entry %zu is not finite", name, i);
    }
    if (getenv("VERBOSE"))
        print_message("%s: relative error %.1e\n", name, difference / largest);
    if (!(largest > 0))
        fail_msg("%s: the loss does not depend on it", name);
    if (!(difference <= GRADIENT_TOLERANCE * largest))
        fail_msg("%s: relative error %g is over %g", name, difference / largest,
                 GRADIENT_TOLERANCE);
}

void assert_near(double x, double y, double tolerance)
{
    if (!(fabs(x - y) <= tolerance))
        fail_msg("%.17g and %.17g differ by more than %g", x, y, tolerance);
}

real *new_reals(size_t count)
{
    real *x = arena_alloc(&test_arena, count, sizeof *x, NULL);
    assert_non_null(x);
    return x;
}

real *new_random(size_t count, double deviation)
{
    real *x = new_reals(count);
    for (size_t i = 0; i < count; i++)
        x[i] = (real)(deviation * rng_normal(&sequence));
    return x;
}

void new_sequence(uint64_t seed)
{
    rng_seed(&sequence, seed, 0);
}

double dot(size_t count, const real *x, const real *y)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)x[i] * (double)y[i];
    return sum;
}

void release_reals(void)
{
    arena_release(&test_arena);
}
