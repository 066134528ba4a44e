/*
 * The bag of words in double precision: the gradients by its weights against finite differences,
 * with and without a hidden layer. The network's source is compiled into this program a second
 * time, with DRAGOMAN_DOUBLE.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "model/bag.h"
#include "nn/loss.h"
#include "support/finite_difference.h"

#define ROWS 7
#define LABELS 3
#define TEXTS 4
#define MOST 4

/* One text has every row at most once, as texts do; the last has none. */
static const uint32_t rows[TEXTS][MOST] = {{0, 3, 5, 6}, {3, 1}, {6}, {0}};
static const size_t counts[TEXTS] = {4, 2, 1, 0};
static const int32_t labels[TEXTS] = {2, 0, 1, 1};

struct network {
    struct bag bag, gradients;
    real *values; /* [TEXTS, MOST] */
};

static struct bag_input input_of(const struct network *n, size_t i)
{
    return (struct bag_input){counts[i], rows[i], n->values + i * MOST};
}

static double network_loss(void *context)
{
    const struct network *n = context;
    real hidden[8], logits[LABELS];
    double sum = 0, unused;
    for (size_t i = 0; i < TEXTS; i++) {
        const struct bag_input input = input_of(n, i);
        bag_forward(&n->bag, &input, hidden, logits);
        sum += cross_entropy(1, LABELS, &labels[i], 0, 1, logits, &unused);
    }
    return sum;
}

/* What the trainer makes of the two backward functions. */
static void add_gradients(struct network *n)
{
    const size_t width = n->bag.width;
    real hidden[8], logits[LABELS], d_sum[8];
    double unused;
    for (size_t i = 0; i < TEXTS; i++) {
        const struct bag_input input = input_of(n, i);
        bag_forward(&n->bag, &input, hidden, logits);
        cross_entropy(1, LABELS, &labels[i], 0, 1, logits, &unused);
        bag_backward_sum(&n->bag, hidden, logits, d_sum);
        if (n->bag.hidden > 0)
            bag_backward_output(&n->bag, hidden, logits, &n->gradients);
        for (size_t j = 0; j < width; j++) {
            n->gradients.bias[j] += d_sum[j];
            for (size_t k = 0; k < input.count; k++)
                n->gradients.weight[input.rows[k] * width + j] += input.values[k] * d_sum[j];
        }
    }
}

static void check(size_t hidden)
{
    struct network n = {.bag = {.labels = LABELS, .hidden = hidden, .rows = ROWS}};
    struct bag *bag = &n.bag;
    const size_t width = bag->width = hidden > 0 ? hidden : LABELS;
    new_sequence(5);
    n.values = new_random(TEXTS * MOST, 1);
    bag->weight = new_random(ROWS * width, 0.7);
    bag->bias = new_random(width, 0.7);
    bag->output_weight = new_random(LABELS * hidden, 0.7);
    bag->output_bias = new_random(LABELS, 0.7);
    n.gradients = *bag;
    n.gradients.weight = new_reals(ROWS * width);
    n.gradients.bias = new_reals(width);
    n.gradients.output_weight = new_reals(LABELS * hidden);
    n.gradients.output_bias = new_reals(LABELS);
    add_gradients(&n);
    check_gradient("weight", network_loss, &n, ROWS * width, bag->weight, n.gradients.weight);
    check_gradient("bias", network_loss, &n, width, bag->bias, n.gradients.bias);
    if (hidden > 0) {
        check_gradient("output.weight", network_loss, &n, LABELS * hidden, bag->output_weight,
                       n.gradients.output_weight);
        check_gradient("output.bias", network_loss, &n, LABELS, bag->output_bias,
                       n.gradients.output_bias);
    }
    release_reals();
}

static void linear(void **state)
{
    (void)state;
    check(0);
}

static void hidden_layer(void **state)
{
    (void)state;
    check(1);
    check(5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(linear), cmocka_unit_test(hidden_layer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
