/*
 * Which hidden unit follows what: every unit's value against every property of the text that was
 * read (text/property.h). The measures know no scale: for yes or no twice the area under the ROC
 * curve less one, for numbers Spearman's correlation. Both are 0 where a unit knows nothing and 1
 * or -1 where it tells all. Chance alone gives the best of many units a little: of U units and T
 * independent tokens about sqrt(2 ln U / T), and tokens of one stretch are not independent.
 */
#ifndef DRAGOMAN_CMD_CELLS_RANK_H
#define DRAGOMAN_CMD_CELLS_RANK_H

#include "model/cells.h"
#include "text/property.h"

#define CELLS_RANK_LEAST 10    /* tokens that a property needs, and that must be without it, */
#define CELLS_RANK_STRETCHES 3 /* in so many stretches: to follow one is no feat */

struct cells_property {
    int16_t *marks;   /* [T]: of each token's last character */
    float *strengths; /* [U], NULL where it is too seldom or too often to be measured */
    size_t count;     /* tokens where it is not 0 */
    size_t stretches; /* of such tokens, one after another */
};

struct cells_rank { /* zero before; release with cells_rank_release */
    size_t tokens, units;
    struct cells_property properties[PROPERTY_COUNT];
};

/* text, len: what was given to cells_watch. */
int cells_rank(struct cells_rank *rank, const struct cells *cells, const char *text, size_t len,
               struct err *err);
void cells_rank_release(struct cells_rank *rank);
/* The `count` units (at most U) with the greatest magnitudes, the greatest first, of equals the
   first. */
void cells_rank_best(const struct cells_rank *rank, enum property property, size_t count,
                     size_t *units);

#endif
