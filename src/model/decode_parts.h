/*
 * What the files of the decoder share: decode.c (joining, stepping, leaving), decode_network.c (a
 * model's states and scratch), decode_encode.c (the source side), decode_step.c (the target side)
 * and decode_beam.c (which hypotheses live on).
 *
 * Every row of every array starts on a MEM_ALIGN boundary, and pointwise functions are called row
 * by row, so that a value's place in a vector loop does not depend on the row's place in the batch.
 */
#ifndef DRAGOMAN_MODEL_DECODE_PARTS_H
#define DRAGOMAN_MODEL_DECODE_PARTS_H

#include "base/mem.h"
#include "base/turn.h"
#include "model/decode.h"
#include "model/seq2seq.h"

/* Rows that go through the target side together: their logits should stay in cache. */
#define DECODE_BLOCK_ROWS 64
/* Sentences that are encoded together at most; their tokens are at most those of the longest. */
#define DECODE_ENCODE_SENTENCES 64
/* Of turns: a step of so many rows more takes about twice the time of one with a row, which is
   spent on reading the weights. */
#define DECODE_SPREAD 8

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

/* What one model makes of a sentence's source. */
struct encoding {
    real *memory, *keys; /* [S, D], [S, K] */
    real *first;         /* the state before any token, a row of network.states */
};

/* One sentence in flight. A row is live row 0..live of its last step; `length` is the number of
   tokens that each live row has. */
struct sentence {
    void *tag;
    struct decode_options options; /* max_length is set */
    size_t steps;                  /* S, source tokens with EOS, or rows */
    size_t source_count;           /* of them, EOS left out */
    size_t length, live;
    size_t first_row; /* its rows of the decoder's states, at the last step */
    bool encoded;     /* else it waits for that, without rows of states */
    bool runs, held;  /* in this step; in the last step its rows were kept as they were */
    bool done;
    struct arena arena;
    int32_t *source;              /* [S], or */
    real *rows;                   /* [S, cell_stride(F)] */
    struct encoding *encodings;   /* [models] */
    struct extension *extensions; /* [max_length, beam] */
    real *attention; /* [max_length + 1, beam, S]: of the step after so many tokens, summed over the
                        models; NULL where none has attention */
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

/* One model of the ensemble. A row of its states is what a hypothesis goes on from: the state of
   all cells [N], ordered as seq2seq's first; with input feeding also the last output vector [E],
   from `fed` on. */
struct network {
    const struct seq2seq *model;
    size_t state, fed; /* elements from row to row of states; 0 where nothing is fed */
    /* The model's matrices that are not within a part of it. */
    struct dense source_embedding, target_embedding, row, bridge, combine, output_layer;
    real *prepared; /* attention_prepare's, or NULL */
    real *states;   /* [rows, state] after the last step */
    real *gathered; /* [rows, state] before the next one */
    /* Scratch of the source side, of S tokens of `group` sentences: */
    size_t group;
    real *embedded, *recurrent;    /* [S, E], recurrent_scratch_many */
    real *last, *summary, *firsts; /* [group] of [recurrent_state(encoder)], [D], [N] */
    /* Scratch of the target side, of one block of rows: */
    real *input;    /* [block, E], with input feeding [block, 2 E] */
    real *products; /* [block, G H] */
    real *cell;     /* [block, cell_scratch] */
    real *residual; /* [block, H] */
    real *query;    /* additive attention: [block, A] */
    real *joined;   /* [block, combined] */
    real *output;   /* [block, E], unless it is fed: then it stands in the states */
};

struct decoder {
    struct network *networks; /* [models] */
    size_t models;
    size_t vocabulary, row; /* row: F of a source of rows, 0 for tokens */
    size_t rows, reserved;
    struct sentence **flight; /* [rows], in order of joining */
    size_t flight_count;
    struct outcome *outcomes, **outcomes_end;
    struct live_row *live;
    struct decoder_load load;
    struct turn_item *turns;      /* [rows] */
    struct turn_party *parties;   /* [rows] */
    struct recurrent_item *items; /* [group] */
    /* Scratch of one block of rows: */
    real *logits;  /* [block, V] */
    real *others;  /* [block, V], of an ensemble's second model and on */
    real *weights; /* [S]: their attention */
};

static inline size_t decode_block(const struct decoder *decoder)
{
    return decoder->rows < DECODE_BLOCK_ROWS ? decoder->rows : DECODE_BLOCK_ROWS;
}
static inline size_t decode_group(size_t rows)
{
    return rows < DECODE_ENCODE_SENTENCES ? rows : DECODE_ENCODE_SENTENCES;
}

/* All is zero before; network_release also after a failure. */
int network_init(struct network *network, const struct seq2seq *model, size_t rows, size_t block,
                 struct err *err);
void network_release(struct network *network);
/* Room for what the model makes of S source tokens. */
int network_allocate_encoding(const struct network *network, size_t steps,
                              struct encoding *encoding, struct arena *arena, struct err *err);

/* Whether the source gives numbers: rows may be too large for the weights. */
int decode_check(const struct decoder *decoder, const struct sentence *sentence, struct err *err);
/* Fills the encodings of `count` sentences from their sources, the longest first: at most
   decode_group of them, and at most as many tokens as one may have. */
void decode_encode(struct decoder *decoder, struct sentence *const *list, size_t count);

/* One step of the live rows first..first + rows - 1, whose states stand in the same rows of the
   networks' states: updates the states, keeps the attention and offers each row's next tokens to
   its sentence. At most DECODE_BLOCK_ROWS. */
void decode_advance(struct decoder *decoder, size_t first, size_t rows);

/* Offers the next tokens of one row: logits [V]. Rows of a sentence are offered in order. */
void beam_offer(struct sentence *sentence, size_t row, size_t vocabulary, const real *logits);
/* After all rows were offered: chooses which hypotheses end and which live on; sets `done`. */
void beam_choose(struct sentence *sentence);
/* The result of a sentence that is done. */
int beam_trace(const struct sentence *sentence, struct outcome **outcome, struct err *err);

#endif
