#include "diagnostics_learner.h"

#include <string.h>
#include <time.h>

#include "diagnostics_gradient.h"
#include "nn/init.h"
#include "nn/layer.h"
#include "nn/loss.h"

struct network { /* or its gradients */
    struct recurrent recurrent;
    struct linear readout;
};

struct learner {
    const struct learner_settings *settings;
    struct task_shape shape;
    struct network weights, gradients;
    size_t count; /* of weights */
    real *flat;   /* weights, gradients, first and second moments */
    struct rng draws, tests;
    struct arena arena;
};

struct sums {
    double loss, wrong, answers;
};

/* Sets all pointers into flat[0..), unless it is NULL. Returns the number of weights. */
static size_t bind(struct network *network, size_t outputs, real *flat)
{
    struct cell_layer *layer = &network->recurrent.layer[0][0];
    const size_t used = diagnostics_layer_bind(layer, flat), H = layer->hidden;
    if (flat)
        network->readout = (struct linear){mat_of(flat + used, H), flat + used + outputs * H};
    return used + outputs * (H + 1);
}

static void draw_weights(struct learner *learner)
{
    const struct learner_settings *settings = learner->settings;
    struct rng rng;
    rng_seed(&rng, settings->seed, 0);
    diagnostics_layer_init(&learner->weights.recurrent.layer[0][0], &settings->start, &rng);
    init_glorot(learner->shape.outputs, settings->hidden, &rng, learner->weights.readout.w.data);
    rng_seed(&learner->draws, settings->seed, 1);
    rng_seed(&learner->tests, settings->seed, 2);
}

static int learner_init(struct learner *learner, const struct learner_settings *settings,
                        struct err *err)
{
    *learner = (struct learner){.settings = settings, .shape = task_shape(&settings->task)};
    const size_t outputs = learner->shape.outputs;
    recurrent_size(&learner->weights.recurrent, settings->cell, CELL_NORM_NONE,
                   learner->shape.inputs, settings->hidden, 1, 1, false);
    learner->gradients.recurrent = learner->weights.recurrent;
    learner->count = bind(&learner->weights, outputs, NULL);
    learner->flat = mem_alloc(4 * learner->count, sizeof(real), err);
    if (!learner->flat)
        return ERR_MEMORY;
    bind(&learner->weights, outputs, learner->flat);
    bind(&learner->gradients, outputs, learner->flat + learner->count);
    draw_weights(learner);
    arena_init(&learner->arena, (size_t)1 << 20);
    return 0;
}

static void learner_release(struct learner *learner)
{
    arena_release(&learner->arena);
    mem_free(learner->flat);
}

/* What a network makes of a batch. */
struct pass {
    struct task_batch batch;
    struct recurrent_sequence sequence;
    struct recurrent_trace trace;
    struct mat answered; /* [A B, H]: the states that are read */
    real *outputs;       /* [A B, O] */
};

static int forward(struct learner *learner, struct rng *rng, struct pass *pass, struct err *err)
{
    const struct task_shape *shape = &learner->shape;
    const size_t B = learner->settings->batch, H = learner->settings->hidden;
    const size_t rows = shape->answers * B, O = shape->outputs;
    if (task_draw(&learner->settings->task, B, rng, &pass->batch, &learner->arena, err))
        return ERR_MEMORY;
    pass->sequence = (struct recurrent_sequence){
        .steps = shape->steps, .batch = B, .lengths = pass->batch.lengths, .x = pass->batch.x};
    pass->outputs = arena_alloc(&learner->arena, rows * O, sizeof(real), err);
    if (!pass->outputs || recurrent_forward(&learner->weights.recurrent, &pass->sequence, NULL,
                                            &pass->trace, &learner->arena, err))
        return ERR_MEMORY;
    /* After a sequence's end its last state is carried on. */
    pass->answered = mat_of(pass->trace.output + (shape->steps - shape->answers) * B * H, H);
    linear_forward(rows, O, H, pass->answered, &learner->weights.readout, 0,
                   mat_of(pass->outputs, O));
    return 0;
}

static double count_wrong(size_t rows, size_t classes, const int32_t *targets, const real *outputs)
{
    size_t wrong = 0;
    for (size_t row = 0; row < rows; row++) {
        const real *x = outputs + row * classes;
        size_t best = 0;
        for (size_t v = 1; v < classes; v++)
            best = x[v] > x[best] ? v : best;
        wrong += best != (size_t)targets[row];
    }
    return (double)wrong;
}

/* Adds to the sums; outputs become the gradient of their mean loss. */
static void judge(const struct learner *learner, struct pass *pass, struct sums *sums)
{
    const size_t rows = learner->shape.answers * learner->settings->batch;
    const real scale = (real)1 / (real)rows;
    double loss, negative_log;
    if (pass->batch.numbers) {
        loss = squared_error(rows, pass->batch.numbers, scale, pass->outputs);
        sums->wrong += loss;
    } else {
        const size_t classes = learner->shape.outputs;
        sums->wrong += count_wrong(rows, classes, pass->batch.classes, pass->outputs);
        loss = cross_entropy(rows, classes, pass->batch.classes, 0, scale, pass->outputs,
                             &negative_log);
    }
    sums->loss += loss;
    sums->answers += (double)rows;
}

static int backward(struct learner *learner, struct pass *pass, struct err *err)
{
    const struct task_shape *shape = &learner->shape;
    const size_t B = learner->settings->batch, H = learner->settings->hidden;
    const size_t rows = shape->answers * B, first = (shape->steps - shape->answers) * B;
    real *d_states = arena_alloc(&learner->arena, shape->steps * B * H, sizeof(real), err);
    if (!d_states)
        return ERR_MEMORY;
    linear_backward(rows, shape->outputs, H, pass->answered, &learner->weights.readout,
                    &learner->gradients.readout, mat_of(pass->outputs, shape->outputs), 0,
                    mat_of(d_states + first * H, H));
    return recurrent_backward(&learner->weights.recurrent, &learner->gradients.recurrent,
                              &pass->sequence, &pass->trace, d_states, NULL, NULL, 0, NULL,
                              &learner->arena, err);
}

static double rate_at(const struct learner_settings *settings, size_t update)
{
    const double left = (double)(settings->updates - update) / (double)settings->updates;
    return settings->rate * (left < 0.5 ? 2 * left : 1);
}

/* Clips and updates. False where a number is no longer finite. */
static bool descend(struct learner *learner, size_t update, struct learner_point *point)
{
    const struct learner_settings *settings = learner->settings;
    const struct optim optim = {.kind = settings->optim,
                                .rate = rate_at(settings, update - 1),
                                .beta1 = 0.9,
                                .beta2 = 0.999,
                                .epsilon = 1e-8};
    real *flat = learner->flat, *gradient = flat + learner->count;
    const struct optim_slice slice = {
        learner->count,
        flat,
        gradient,
        optim_has_first(&optim) ? flat + 2 * learner->count : NULL,
        optim_has_second(&optim) ? flat + 3 * learner->count : NULL,
        NULL,
    };
    const double before = sqrt(mat_square_sum(learner->count, gradient));
    const double after = sqrt(optim_gather(learner->count, 1, &gradient, settings->clip_value));
    const double scale = clip_scale(after, settings->clip);
    if (isfinite(before)) {
        point->norm = fmax(point->norm, before);
        point->clipped = fmax(point->clipped, after * scale);
    }
    return isfinite(after) && optim_update(&optim, update, scale, 0, &slice);
}

/* One update; where it is not finite the sums stay as they are. */
static int learn(struct learner *learner, size_t update, struct learner_point *point,
                 struct sums *sums, bool *finite, struct err *err)
{
    struct pass pass;
    struct sums with = *sums;
    arena_reset(&learner->arena);
    if (forward(learner, &learner->draws, &pass, err))
        return ERR_MEMORY;
    judge(learner, &pass, &with);
    if (backward(learner, &pass, err))
        return ERR_MEMORY;
    *finite = descend(learner, update, point);
    if (*finite)
        *sums = with;
    return 0;
}

/* The updates up to number `last`, as one point. */
static int learn_point(struct learner *learner, size_t last, struct learner_report *report,
                       bool *finite, struct err *err)
{
    struct learner_point *point = &report->points[report->count];
    struct sums sums = {0};
    while (*finite && report->updates < last) {
        if (learn(learner, report->updates + 1, point, &sums, finite, err))
            return ERR_MEMORY;
        report->updates += *finite;
    }
    if (sums.answers > 0) {
        point->update = (double)report->updates;
        point->loss = sums.loss / sums.answers;
        point->error = sums.wrong / sums.answers;
        report->count++;
    }
    return 0;
}

static int test(struct learner *learner, struct learner_report *report, struct err *err)
{
    struct sums sums = {0};
    struct pass pass;
    for (size_t done = 0; done < report->sequences; done += learner->settings->batch) {
        arena_reset(&learner->arena);
        if (forward(learner, &learner->tests, &pass, err))
            return ERR_MEMORY;
        judge(learner, &pass, &sums);
    }
    report->error = sums.wrong / sums.answers;
    return 0;
}

static double processor_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* dL/dh_T is the readout's first row, in every sequence. */
static int measure_norms(struct learner *learner, struct learner_report *report, struct err *err)
{
    const size_t B = learner->settings->batch, H = learner->settings->hidden;
    struct task_batch batch;
    arena_reset(&learner->arena);
    real *d_h = arena_alloc(&learner->arena, B * H, sizeof(real), err);
    if (!d_h ||
        task_draw(&learner->settings->task, B, &learner->tests, &batch, &learner->arena, err))
        return ERR_MEMORY;
    if (batch.lengths)
        return 0;
    report->steps = learner->shape.steps;
    report->norms = mem_alloc(report->steps + 1, sizeof *report->norms, err);
    if (!report->norms)
        return ERR_MEMORY;
    for (size_t b = 0; b < B; b++)
        memcpy(d_h + b * H, learner->weights.readout.w.data, H * sizeof(real));
    return gradient_norms(&learner->weights.recurrent.layer[0][0], report->steps, B, batch.x, d_h,
                          report->norms, err);
}

static int train_and_test(struct learner *learner, size_t points, struct learner_report *report,
                          struct err *err)
{
    bool finite = true;
    report->points = mem_alloc(points, sizeof *report->points, err);
    if (!report->points)
        return ERR_MEMORY;
    for (size_t p = 1; p <= points && finite; p++)
        if (learn_point(learner, p * learner->settings->updates / points, report, &finite, err))
            return ERR_MEMORY;
    if (!finite)
        return 0;
    return test(learner, report, err) ? ERR_MEMORY : measure_norms(learner, report, err);
}

int learner_run(const struct learner_settings *settings, size_t points, size_t test_sequences,
                struct learner_report *report, struct err *err)
{
    struct learner learner;
    *report = (struct learner_report){.error = NAN, .sequences = test_sequences};
    report->seconds = -processor_seconds();
    int status = learner_init(&learner, settings, err);
    if (status)
        return status;
    points = points < settings->updates ? points : settings->updates;
    status = train_and_test(&learner, points, report, err);
    learner_release(&learner);
    report->seconds += processor_seconds();
    if (status)
        learner_report_release(report);
    return status;
}

void learner_report_release(struct learner_report *report)
{
    mem_free(report->points);
    mem_free(report->norms);
    *report = (struct learner_report){0};
}
