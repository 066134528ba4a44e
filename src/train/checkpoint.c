#include "train/checkpoint.h"

#include <string.h>

#include "model/safetensors.h"

#define COUNTERS 7
#define COUNTER_LIMIT (1u << 24)
#define ORIGIN_PARTS 4 /* of 16 bits, which a float holds */

static struct tensor vector(char *name, size_t count, const float *data)
{
    return (struct tensor){
        .name = name, .dimensions = 1, .shape = {count}, .count = count, .data = data};
}

int checkpoint_save(const char *path, size_t parameters, const real *weights, const real *first,
                    const real *second, const struct checkpoint_progress *p, struct err *err)
{
    const float counters[COUNTERS] = {
        (float)p->update,     (float)p->epoch,   (float)p->batch,       (float)p->stale,
        (float)p->best_score, (float)p->seconds, (float)p->running_loss};
    float origin[ORIGIN_PARTS];
    char names[5][16] = {"weights", "moment.first", "moment.second", "progress", "origin"};
    const struct tensor tensors[] = {
        vector(names[0], parameters, weights),  vector(names[1], parameters, first),
        vector(names[2], parameters, second),   vector(names[3], COUNTERS, counters),
        vector(names[4], ORIGIN_PARTS, origin),
    };
    for (size_t i = 0; i < ORIGIN_PARTS; i++)
        origin[i] = (float)(p->origin >> (16 * i) & 0xFFFF);
    if (p->update >= COUNTER_LIMIT)
        return err_set(err, ERR_LIMIT, "%s: more than %u updates", path, COUNTER_LIMIT);
    return safetensors_write(path, tensors, sizeof tensors / sizeof *tensors, err);
}

static int copy_vector(const struct safetensors *file, const char *name, size_t count, real *to,
                       struct err *err)
{
    const float *from;
    if (safetensors_get(file, name, count, 0, &from, err))
        return err->code;
    memcpy(to, from, count * sizeof *to);
    return 0;
}

static int read_counters(const struct safetensors *file, const char *path,
                         struct checkpoint_progress *p, struct err *err)
{
    real c[COUNTERS], origin[ORIGIN_PARTS];
    if (copy_vector(file, "progress", COUNTERS, c, err) ||
        copy_vector(file, "origin", ORIGIN_PARTS, origin, err))
        return ERR_FORMAT;
    for (size_t i = 0; i < 4; i++)
        if (c[i] < 0 || c[i] >= (float)COUNTER_LIMIT)
            return err_set(err, ERR_FORMAT, "%s: counter %zu is out of range", path, i);
    *p = (struct checkpoint_progress){.update = (size_t)c[0],
                                      .epoch = (size_t)c[1],
                                      .batch = (size_t)c[2],
                                      .stale = (size_t)c[3],
                                      .best_score = (double)c[4],
                                      .seconds = (double)c[5],
                                      .running_loss = (double)c[6]};
    for (size_t i = 0; i < ORIGIN_PARTS; i++) {
        if (origin[i] < 0 || origin[i] > 0xFFFF)
            return err_set(err, ERR_FORMAT, "%s: origin is out of range", path);
        p->origin |= (uint64_t)origin[i] << (16 * i);
    }
    return 0;
}

int checkpoint_load(const char *path, size_t parameters, real *weights, real *first, real *second,
                    struct checkpoint_progress *p, struct err *err)
{
    struct safetensors file;
    if (safetensors_open(&file, path, err))
        return err->code;
    int status = 0;
    if (copy_vector(&file, "weights", parameters, weights, err) ||
        copy_vector(&file, "moment.first", parameters, first, err) ||
        copy_vector(&file, "moment.second", parameters, second, err) ||
        read_counters(&file, path, p, err))
        status = ERR_FORMAT;
    safetensors_close(&file);
    return status;
}
