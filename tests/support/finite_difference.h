/*
 * Holds a backward pass against finite differences of its forward pass. For programs that are built
 * with DRAGOMAN_DOUBLE and linked with libnn_double.a and cmocka.
 */
#ifndef DRAGOMAN_SUPPORT_FINITE_DIFFERENCE_H
#define DRAGOMAN_SUPPORT_FINITE_DIFFERENCE_H

#include "base/mem.h"
#include "base/rng.h"
#include "nn/real.h"

/* The largest relative error that a gradient may have. */
#define GRADIENT_TOLERANCE 1e-7

/* The forward pass on what `context` holds now, down to one number. */
typedef double loss_function(void *context);

/* Fails the test unless gradient[0..count) is dL/dx: the largest difference is at most
   GRADIENT_TOLERANCE times the largest derivative, which must not be zero. x is restored. */
void check_gradient(const char *name, loss_function *loss, void *context, size_t count, real *x,
                    const real *gradient);

/* Fails the test unless |x - y| <= tolerance. */
void assert_near(double x, double y, double tolerance);

/* Zeroed, from an arena that lives as long as the program; never NULL. */
real *new_reals(size_t count);
/* Normal deviates times `deviation`; always the same ones after new_sequence. */
real *new_random(size_t count, double deviation);
void new_sequence(uint64_t seed);
/* sum_i x_i y_i: with random y it makes a number of an output x, and y is the gradient by x. */
double dot(size_t count, const real *x, const real *y);
/* Empties the arena. */
void release_reals(void);
/* The arena, for functions that ask for one. */
extern struct arena test_arena;

#endif
