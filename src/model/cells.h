/*
 * A network's cells seen from inside while it reads a text: the value of every hidden unit after
 * each token, and how often each gate was nearly shut or nearly open (Karpathy, Johnson, Fei-Fei
 * 2016, arXiv 1506.02078).
 *
 * The cells are those of an rnn, or of the encoder of a seq2seq. A language model of a stream reads
 * the text as one, and a line feed before it; all other models read each line as a text of its own,
 * as they do when in use, and begin it with the state zero (or the one that the label gives).
 */
#ifndef DRAGOMAN_MODEL_CELLS_H
#define DRAGOMAN_MODEL_CELLS_H

#include "model/model.h"

#define CELLS_MAX_TOKENS 1000000
#define CELLS_MAX_VALUES ((size_t)1 << 27) /* units times tokens */
#define CELLS_SCALE 32767.0                /* of a value of 1 */
#define CELLS_SHUT 0.1                     /* below it a gate is shut, */
#define CELLS_OPEN 0.9                     /* above it open */

struct cells_token {
    size_t begin, end; /* bytes of the text, ascending, not empty, apart from each other */
};

/* Units are counted layer by layer, in it direction by direction, in it h, then c. Gates likewise,
   those that are logistic only: layer, direction, gate, unit. */
struct cells {                                  /* zero before; release with cells_release */
    size_t layers, directions, vectors, hidden; /* vectors: 1 (h) or 2 (h, c) */
    size_t units;                               /* U, the product of the four */
    size_t tokens;                              /* T */
    size_t read;                                /* bytes of text, of which these are the tokens */
    struct cells_token *token;                  /* [T] */
    /* [U, T] values in -1..1 times CELLS_SCALE: h, and tanh(c). Of rnn-relu, whose h knows no
       bounds, tanh(h). */
    int16_t *values;
    char gates[8]; /* their letters, "ifo" or "rz" or "" */
    size_t gate_count;
    uint32_t *shut, *open; /* [layers, directions, gate_count, hidden]: tokens at which it was so */
};

/* Where the model reads text with cells, and in how many units. ERR_ARGUMENT: it has no cells, or
   reads numbers. */
int cells_size(struct cells *cells, const struct model *model, struct err *err);
/* Reads at most `limit` tokens, fewer where units are so many that CELLS_MAX_VALUES would be
   exceeded. label: of the condition, for models that have one; else NULL. Needs no cells_size
   before. The text must be UTF-8; one without a token is ERR_ARGUMENT. */
int cells_watch(struct cells *cells, const struct model *model, const char *text, size_t len,
                size_t limit, const char *label, struct err *err);
void cells_release(struct cells *cells);

struct cells_unit {
    size_t layer, direction, index;
    bool memory; /* of c, not of h */
};
struct cells_unit cells_unit(const struct cells *cells, size_t unit);

#endif
