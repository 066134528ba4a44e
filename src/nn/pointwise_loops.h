/*
 * The loops of pointwise.c for one set of instructions;
 * pointwise.c includes it once for each, with LOOP_NAME, the suffix of the names, and LOOP_TARGET,
 * what the processor must be able to do. The compiler makes vectors of them.
 */
#define LOOP_JOIN_(a, b) a##b
#define LOOP_JOIN(a, b) LOOP_JOIN_(a, b)
#define LOOP(name) LOOP_JOIN(name, LOOP_NAME)

LOOP_TARGET static void LOOP(exp_)(size_t count, const float *x, float *y)
{
    NN_INDEPENDENT
    for (size_t i = 0; i < count; i++)
        y[i] = real_exp(x[i]);
}

LOOP_TARGET static void LOOP(tanh_)(size_t count, const float *x, float *y)
{
    NN_INDEPENDENT
    for (size_t i = 0; i < count; i++)
        y[i] = real_tanh(x[i]);
}

LOOP_TARGET static void LOOP(logistic_)(size_t count, const float *x, float *y)
{
    NN_INDEPENDENT
    for (size_t i = 0; i < count; i++)
        y[i] = real_logistic(x[i]);
}

/* -INFINITY where all are NaN */
LOOP_TARGET static float LOOP(greatest_)(size_t count, const float *x)
{
    float lane[SCAN], greatest = -INFINITY;
    size_t i = 0;
    for (size_t l = 0; l < SCAN; l++)
        lane[l] = -INFINITY;
    for (; i + SCAN <= count; i += SCAN)
        for (size_t l = 0; l < SCAN; l++)
            lane[l] = x[i + l] > lane[l] ? x[i + l] : lane[l];
    for (; i < count; i++)
        greatest = x[i] > greatest ? x[i] : greatest;
    for (size_t l = 0; l < SCAN; l++)
        greatest = lane[l] > greatest ? lane[l] : greatest;
    return greatest;
}

/* The first place of a value, `count` where there is none. */
LOOP_TARGET static size_t LOOP(find_)(size_t count, const float *x, float value)
{
    size_t i = 0;
    for (; i + SCAN <= count; i += SCAN) {
        uint32_t found = 0;
        for (size_t l = 0; l < SCAN; l++)
            found |= x[i + l] == value;
        if (found)
            break;
    }
    while (i < count && x[i] != value)
        i++;
    return i;
}

/* sum exp(x - greatest), lane by lane and then the lanes in order */
LOOP_TARGET static float LOOP(sum_)(size_t count, const float *x, float greatest)
{
    float lane[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lane[l] += real_exp(x[i + l] - greatest);
    for (size_t l = 0; i + l < count; l++)
        lane[l] += real_exp(x[i + l] - greatest);
    for (size_t l = 0; l < LANES; l++)
        sum += lane[l];
    return sum;
}

/* x becomes exp(x - greatest); returns the sum, the same as sum_ gives. */
LOOP_TARGET static float LOOP(terms_)(size_t count, float *x, float greatest)
{
    float lane[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            x[i + l] = real_exp(x[i + l] - greatest);
            lane[l] += x[i + l];
        }
    for (size_t l = 0; i + l < count; l++) {
        x[i + l] = real_exp(x[i + l] - greatest);
        lane[l] += x[i + l];
    }
    for (size_t l = 0; l < LANES; l++)
        sum += lane[l];
    return sum;
}

LOOP_TARGET static void LOOP(scale_)(size_t count, float factor, float *x)
{
    for (size_t i = 0; i < count; i++)
        x[i] *= factor;
}

/* Magnitudes compare as their bits do, and so does what is not finite: it is the greatest. */
LOOP_TARGET static float LOOP(magnitude_)(size_t count, const float *x)
{
    union bits largest = {.bits = 0};
    for (size_t i = 0; i < count; i++) {
        const union bits value = {.value = x[i]};
        const uint32_t magnitude = value.bits & 0x7fffffffu;
        largest.bits = magnitude > largest.bits ? magnitude : largest.bits;
    }
    return largest.value;
}

/* 1.5 * 2^23 added leaves the nearest integer in the low bits. */
LOOP_TARGET static int32_t LOOP(round_)(size_t count, const float *x, float factor, int8_t *values)
{
    int32_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        const union bits shifted = {.value = x[i] * factor + 12582912.0f};
        const int32_t value = (int32_t)(shifted.bits - 0x4b400000u);
        values[i] = (int8_t)value;
        sum += value;
    }
    return sum;
}

static const struct loops LOOP(loops_) = {
    .exp = LOOP(exp_),
    .tanh = LOOP(tanh_),
    .logistic = LOOP(logistic_),
    .greatest = LOOP(greatest_),
    .find = LOOP(find_),
    .sum = LOOP(sum_),
    .terms = LOOP(terms_),
    .scale = LOOP(scale_),
    .magnitude = LOOP(magnitude_),
    .round = LOOP(round_),
};

#undef LOOP_JOIN_
#undef LOOP_JOIN
#undef LOOP
#undef LOOP_NAME
#undef LOOP_TARGET
