/* The parts of dragoman inspect: what it prints, and the pages that it writes. */
#ifndef DRAGOMAN_CMD_INSPECT_H
#define DRAGOMAN_CMD_INSPECT_H

#include "cmd/cmd.h"

struct inspect_settings {
    char *output, *label;
    int64_t tokens, units, passage;
    bool json, cells, attention, explain, help;
};

/* The page of the settings, of the text in the file at `path`; NULL: of standard input. */
int inspect_page(const struct inspect_settings *settings, const struct model *model,
                 const char *path, struct err *err);

struct inspect_text {
    const char *data, *name; /* name: of its file */
    size_t len;
};

#define INSPECT_MAX_LINES 200 /* of a page with a part for each */

/* The next line that is not empty, of those up to INSPECT_MAX_LINES. */
struct inspect_lines {
    const struct inspect_text *text;
    size_t at, count; /* zero before */
};
bool inspect_next_line(struct inspect_lines *lines, struct inspect_text *line);
/* How many there are; ERR_ARGUMENT where none. */
int inspect_count(const struct inspect_text *text, size_t *count, struct err *err);

/* Each appends a whole page. */
int inspect_cells(const struct inspect_settings *settings, const struct model *model,
                  const struct inspect_text *text, struct buf *out, struct err *err);
int inspect_attention(const struct model *model, const struct inspect_text *text, struct buf *out,
                      struct err *err);
int inspect_explain(const struct model *model, const struct inspect_text *text, struct buf *out,
                    struct err *err);

#endif
