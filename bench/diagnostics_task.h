/*
 * The textbook tasks for recurrent networks: what must be kept over how many steps. Sequences are
 * drawn afresh for each batch, so that no network sees one twice.
 *
 *   adding   two numbers a step: one of [0, 1), and a mark. The answer is the sum of the two
 *            marked numbers, wherever they stand (Hochreiter and Schmidhuber 1997, in the form of
 *            Bai, Kolter and Koltun 2018); `length` steps. The best constant, 1, is wrong by
 *            1/6 squared.
 *   copy     ten of eight symbols, `length` blanks, then the ten again from memory, the last blank
 *            being the sign to begin (Hochreiter and Schmidhuber 1997; Arjovsky et al. 2016).
 *   parity   bits, 1 to `length` of them: is the number of ones odd? 101000101 has four.
 *   order    symbols of four kinds between a first and a last sign, and in their midst, between
 *            steps length / 10 and length / 5 and again from length / 2 on, an X or a Y each: was
 *            it XX, XY, YX or YY? (Hochreiter and Schmidhuber 1997, task 6a, with length 100.)
 */
#ifndef DRAGOMAN_BENCH_DIAGNOSTICS_TASK_H
#define DRAGOMAN_BENCH_DIAGNOSTICS_TASK_H

#include <stdbool.h>
#include "base/mem.h"
#include "base/rng.h"
#include "nn/real.h"

enum task_kind { TASK_ADDING, TASK_COPY, TASK_PARITY, TASK_ORDER };
extern const char *const task_names[];

struct task {
    enum task_kind kind;
    size_t length;
};

struct task_shape {
    size_t steps;   /* T, of the longest sequence */
    size_t inputs;  /* I */
    size_t outputs; /* O: classes, or 1 number */
    size_t answers; /* A: the last steps are answers */
    double chance;  /* error of the best answer that does not look at the sequence */
};
struct task_shape task_shape(const struct task *task);
/* Its error is the mean squared one; that of the others the share of answers that are wrong. */
bool task_is_regression(const struct task *task);

struct task_batch {
    size_t batch;     /* B */
    real *x;          /* [T, B, I] */
    int32_t *lengths; /* [B], or NULL where all are T */
    int32_t *classes; /* [A, B]; NULL for regression */
    real *numbers;    /* [B]; NULL but for regression */
};
/* Draws `batch` sequences into the arena. */
int task_draw(const struct task *task, size_t batch, struct rng *rng, struct task_batch *out,
              struct arena *arena, struct err *err);

#endif
