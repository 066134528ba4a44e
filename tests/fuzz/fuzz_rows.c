/* Fuzz target: rows of numbers. What is accepted is finite and comes back when it is written and
   read again; what is refused leaves nothing. */
#include <float.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/rows.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_again(const struct rows *rows)
{
    const size_t count = rows->count * rows->width;
    struct buf text = BUF_INIT;
    struct rows again;
    require(rows_write(rows, &text, NULL) == 0);
    require(rows_parse(&again, text.data, text.len, NULL) == 0);
    require(again.count == rows->count && again.width == rows->width);
    require(memcmp(again.values, rows->values, count * sizeof *rows->values) == 0);
    rows_release(&again);
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rows rows;
    struct err err = ERR_INIT;
    int rc = rows_parse(&rows, (const char *)data, size, &err);
    require(rc == (int)err.code);
    if (rc == 0) {
        require(rows.count > 0 && rows.width > 0);
        for (size_t i = 0; i < rows.count * rows.width; i++)
            require(rows.values[i] >= -FLT_MAX && rows.values[i] <= FLT_MAX);
        check_again(&rows);
    } else {
        require(rows.values == NULL && (rc == ERR_LIMIT || strstr(err.message, "row ") != NULL));
    }
    rows_release(&rows);
    return 0;
}
