#include "model/reading.h"

#include "base/mem.h"

int reading_check_row(const struct model *model, size_t width, struct err *err)
{
    const size_t wanted = model->spec.row;
    if (width == wanted)
        return 0;
    if (wanted == 0)
        return err_set(err, ERR_ARGUMENT, "model \"%s\" reads text, not rows of numbers",
                       model->spec.name);
    if (width == 0)
        return err_set(err, ERR_ARGUMENT, "model \"%s\" reads rows of %zu numbers, not text",
                       model->spec.name, wanted);
    return err_set(err, ERR_ARGUMENT, "model \"%s\" reads rows of %zu numbers, not of %zu",
                   model->spec.name, wanted, width);
}

static int read_rows(struct reading *reading, const struct model *model, const char *text,
                     size_t len, struct err *err)
{
    struct rows *rows = &reading->rows;
    if (rows_parse(rows, text, len, err) || reading_check_row(model, rows->width, err))
        return err->code;
    reading->input = (struct rnn_input){.count = rows->count, .rows = rows->values};
    return 0;
}

static int read_tokens(struct reading *reading, const struct model *model, const char *text,
                       size_t len, struct err *err)
{
    struct encoded *encoded = &reading->encoded;
    if (tokenizer_encode(model->tokenizer, text, len, encoded, err))
        return err->code;
    reading->ids = mem_alloc(encoded->count, sizeof *reading->ids, err);
    if (reading->ids == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < encoded->count; i++)
        reading->ids[i] = encoded->tokens[i].id;
    reading->input = (struct rnn_input){.count = encoded->count, .ids = reading->ids};
    return 0;
}

int reading_make(struct reading *reading, const struct model *model, const char *text, size_t len,
                 struct err *err)
{
    *reading = (struct reading){.ids = NULL};
    const int code = model->spec.row > 0 ? read_rows(reading, model, text, len, err)
                                         : read_tokens(reading, model, text, len, err);
    if (code < 0)
        reading_release(reading);
    return code;
}

void reading_release(struct reading *reading)
{
    rows_release(&reading->rows);
    mem_free(reading->ids);
    encoded_release(&reading->encoded);
}
