/* Numbers among the parameters: `features`, a vector or a grid of rows, and `rows`. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "serve/proto_params.h"

static void check_row(struct proto_error *error, const char *path, const json_t *row)
{
    size_t index;
    json_t *item;
    json_array_foreach((json_t *)row, index, item)
    {
        if (!json_is_number(item)) {
            char place[64];
            snprintf(place, sizeof place, "%s[%zu]", path, index);
            proto_refuse_type(error, place, "number");
            return;
        }
    }
}

static bool is_grid(const json_t *value)
{
    return json_is_array(json_array_get(value, 0));
}

void proto_check_numbers(struct proto_error *error, const char *name, const json_t *value,
                         bool grid)
{
    if (!json_is_array(value)) {
        proto_refuse_type(error, name,
                          grid ? "array of arrays of numbers"
                               : "array of numbers or of arrays of numbers");
        return;
    }
    if (!grid && !is_grid(value)) {
        check_row(error, name, value);
        return;
    }
    size_t index;
    json_t *row;
    json_array_foreach((json_t *)value, index, row)
    {
        char path[32];
        snprintf(path, sizeof path, "%s[%zu]", name, index);
        if (json_is_array(row))
            check_row(error, path, row);
        else
            proto_refuse_type(error, path, "array of numbers");
        if (error->code)
            return;
    }
}

/* One row of the width that the first row has. */
static void take_row(struct proto_call *call, const char *path, const json_t *row, float *values)
{
    const size_t width = call->params.rows.width;
    if (json_array_size(row) != width) {
        proto_refuse_length(&call->error, path, width, json_array_size(row));
        return;
    }
    for (size_t i = 0; i < width; i++) {
        double number = json_number_value(json_array_get(row, i));
        if (number < -PROTO_MAX_NUMBER || number > PROTO_MAX_NUMBER) {
            char place[64];
            snprintf(place, sizeof place, "%s[%zu]", path, i);
            proto_refuse_range(&call->error, place, -PROTO_MAX_NUMBER, PROTO_MAX_NUMBER);
            return;
        }
        values[i] = (float)number;
    }
}

int proto_take_numbers(struct proto_call *call, const char *name, const json_t *value,
                       const struct proto_context *context, struct err *err)
{
    const bool grid = is_grid(value);
    struct rows *rows = &call->params.rows;
    const size_t count = grid ? json_array_size(value) : 1;
    const size_t width = json_array_size(grid ? json_array_get(value, 0) : value);
    if (json_array_size(value) == 0) {
        proto_refuse_empty(&call->error, name);
        return 0;
    }
    if (count > context->max_rows) {
        proto_refuse_count(&call->error, "too_many_rows", name, count, context->max_rows);
        return 0;
    }
    *rows = (struct rows){.count = count, .width = width};
    rows->values = mem_alloc(count * width, sizeof *rows->values, err);
    if (!rows->values)
        return ERR_MEMORY;
    call->params.has_rows = true;
    for (size_t i = 0; i < count && !call->error.code; i++) {
        char path[32];
        snprintf(path, sizeof path, grid ? "%s[%zu]" : "%s", name, i);
        take_row(call, path, grid ? json_array_get(value, i) : value, rows->values + i * width);
    }
    return 0;
}
