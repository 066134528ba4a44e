/* dragoman inspect --cells */
#include "cmd/cells_page.h"
#include "cmd/inspect.h"

int inspect_cells(const struct inspect_settings *settings, const struct model *model,
                  const struct inspect_text *text, struct buf *out, struct err *err)
{
    struct cells cells;
    struct cells_rank rank;
    int code = cells_watch(&cells, model, text->data, text->len, (size_t)settings->tokens,
                           settings->label, err);
    if (code < 0)
        return err_context(err, "%s", text->name);
    code = cells_rank(&rank, &cells, text->data, text->len, err);
    if (code == 0) {
        const struct cells_page page = {.model = model,
                                        .file = text->name,
                                        .text = text->data,
                                        .cells = &cells,
                                        .rank = &rank,
                                        .units = (size_t)settings->units,
                                        .shown = (size_t)settings->passage};
        code = cells_page(&page, out, err);
        cells_rank_release(&rank);
    }
    cells_release(&cells);
    return code;
}
