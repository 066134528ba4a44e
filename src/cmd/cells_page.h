/*
 * The page of a network's cells: a passage of the text coloured by the unit that the reader
 * chooses, the units that follow each property best, and how often gates are shut or open. The
 * values of the units that are on the page stand in it with 64 levels, a character each.
 */
#ifndef DRAGOMAN_CMD_CELLS_PAGE_H
#define DRAGOMAN_CMD_CELLS_PAGE_H

#include "base/buf.h"
#include "cmd/cells_rank.h"

struct cells_page {
    const struct model *model;
    const char *file; /* the text's name */
    const char *text; /* as given to cells_watch */
    const struct cells *cells;
    const struct cells_rank *rank;
    size_t units, shown; /* on the page at most: units; tokens, of the passage where most happens */
};

int cells_page(const struct cells_page *page, struct buf *out, struct err *err);

/* Its parts: the rules of its style and its script, which is a function's body with `data`. */
extern const char cells_style[], cells_script[];

#endif
