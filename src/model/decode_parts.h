/*
 * What the files of the decoder share: decode.c (joining, stepping, leaving), decode_encode.c (the
 * source side), decode_step.c (the target side) and decode_beam.c (which hypotheses live on).
 *
 * Every row of every array starts on a MEM_ALIGN boundary, and pointwise functions are called row
 * by row, so that a value's place in a vector loop does not depend on the row's place in the batch.
 */
#ifndef DRAGOMAN_MODEL_DECODE_PARTS_H
#define DRAGOMAN_MODEL_DECODE_PARTS_H

#include "base/mem.h"
#include "model/decode.h"
#include "model/seq2seq.h"

/* Rows that go through the target side together: their logits should stay in cache. */
#define DECODE_BLOCK_ROWS 64

struct candidate { /* one more token for one live row */
    real log_probability;
    uint32_t row;
    int32_t id;
};

struct extension { /* a live row: its last token, and the row of the step before that it extends */
    int32_t id;
    uint32_t parent;
};

struct ending {    /* a finished hypothesis */
    size_t length; /* tokens without EOS */
    size_t row;    /* of the step that came after `length` tokens */
    real log_probability;
    double score;
    bool truncated;
};

/* One sentence in flight. A row is live row 0..live of its last step; `length` is the number of
   tokens that each live row has. */
struct sentence {
    void *tag;
    struct decode_options options; /* max_length is set */
    size_t steps;                  /* S, source tokens with EOS */
    size_t length, live;
    size_t first_row; /* its rows of the decoder's states, at the last step */
    bool done;
    struct arena arena;
    int32_t *source;              /* [S] */
    real *memory, *keys, *first;  /* [S, D], [S, H], [H]: the decoder's state before any token */
    struct extension *extensions; /* [max_length, beam] */
    real *attention;              /* [max_length + 1, beam, S]: of the step after so many tokens */
    real log_probability[DECODE_MAX_BEAM];            /* of the live rows, best first */
    struct candidate candidates[2 * DECODE_MAX_BEAM]; /* best first, ties in order of arrival */
    size_t candidate_count;
    struct ending endings[DECODE_MAX_BEAM]; /* best first */
    size_t ending_count;
};

struct live_row {
    struct sentence *sentence;
    size_t row; /* within the sentence */
};

struct outcome {
    struct decode_result result; /* first: decode_result_free frees the whole */
    struct outcome *next;
};

struct decoder {
    const struct seq2seq *model;
    size_t rows, reserved;
    struct sentence **flight; /* [rows], in order of joining */
    size_t flight_count;
    struct outcome *outcomes, **outcomes_end;
    real *attention; /* [H, D], the attention's weight transposed */
    real *states;    /* [rows, H] after the last step */
    real *gathered;  /* [rows, H] before the next one */
    struct live_row *live;
    /* Scratch of the source side, of one sentence: */
    real *embedded;          /* [S, E] */
    real *products;          /* [S, 3 He] */
    real *recurrent, *state; /* [3 He], [He] */
    /* Scratch of the target side, of one block of rows: */
    real *last, *input_products, *state_products; /* [block, E], [block, 3 H], [block, 3 H] */
    real *joined, *output, *logits;               /* [block, D + H], [block, E], [block, V] */
};

/* Elements from one row to the next. */
static inline size_t decode_stride(size_t width)
{
    const size_t aligned = MEM_ALIGN / sizeof(real);
    return (width + aligned - 1) / aligned * aligned;
}

/* Fills memory, keys and first from source. */
void decode_encode(struct decoder *decoder, struct sentence *sentence);

/* One step of `rows` live rows whose states stand in `states` [rows, H]: updates the states, keeps
   the attention and offers each row's next tokens to its sentence. At most DECODE_BLOCK_ROWS. */
void decode_advance(struct decoder *decoder, size_t rows, const struct live_row *live,
                    real *states);

/* Offers the next tokens of one row: logits [V]. Rows of a sentence are offered in order. */
void beam_offer(struct sentence *sentence, size_t row, size_t vocabulary, const real *logits);
/* After all rows were offered: chooses which hypotheses end and which live on; sets `done`. */
void beam_choose(struct sentence *sentence);
/* The result of a sentence that is done. */
int beam_trace(const struct sentence *sentence, struct outcome **outcome, struct err *err);

#endif
