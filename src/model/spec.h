/*
 * model.json: what a bundle is. Parsed strictly (unknown keys are kept out of the way but ignored,
 * missing or mistyped ones are errors that name the key), every number bounded by SPEC_* limits.
 *
 * {
 *   "format": 1,
 *   "name": "en-fr",                        [a-z0-9][a-z0-9._-]{0,63}
 *   "task": "translation",                  or "classification", "tagging", "regression",
 *                                           "generation"
 *   "source": "en", "target": "fr",         translation only
 *   "labels": ["negative", "positive"],     classification, tagging: 2..SPEC_MAX_LABELS;
 *                                           generation: where a label is the condition
 *   "temperature": 1.0,                     classification, optional: logits are divided by it
 *   "output": {"mean": 0.0, "deviation": 1.0},     regression: y = mean + deviation * output
 *   "stream": true,                         generation: the text has no lines, beginnings or ends
 *   "tokenizer": {"kind": "bpe", "form": "nfc", "fold": false},
 *   "architecture": {
 *     "kind": "seq2seq",                    or "rnn", "bag-of-words"
 *     "vocabulary": 8260, "embedding": 256,
 *     "row": 0,                             optional: numbers in a row, where the input is rows
 *     "encoder": {"cell": "gru", "layers": 1, "hidden": 256, "bidirectional": true,
 *                 "residual": false, "norm": "none"},     cells and norms: nn/cell.h; layers may be
 *                                           0 in a seq2seq of rows
 *     "decoder": {"kind": "plain", "cell": "gru", "layers": 1, "hidden": 512,
 *                 "residual": false, "norm": "none"},                    seq2seq only, and below
 *     "attention": "general",               nn/attention.h
 *     "bridge": "last", "deep_output": false, "tying": "three-way",
 *     "pooling": "mean",                    rnn for classification and regression: "last", "mean",
 *                                           "max" or "attention"
 *     "condition": {"at": "first", "size": 64},      rnn for generation: "none", "first", "every";
 *                                           of a label's embedding or of the caller's vector
 *     "tied": false,                        rnn for generation: the output layer is the embedding
 *     "word_ngrams": 2,                     bag-of-words, and below: the longest, 0 for none
 *     "character_ngrams": {"shortest": 3, "longest": 5, "across": false},    optional
 *     "edges": false,                       optional
 *     "weighting": "binary",                or "counts", "tf", "tf-idf": model/bag.h
 *     "normalise": true, "hidden": 0,
 *     "features": 61237,                    in the table; or "buckets", into which they are hashed
 *     "stop_words": ["the", ...]            optional
 *   },
 *   "weights": "int8",                      optional: the matrices are quantised; "f16" in a bag
 *   "decoding": {"beam": 5, "length_penalty": 1.0},          translation, optional
 *   "card": { anything: data, licence, scores, command, recipe, date }
 * }
 */
#ifndef DRAGOMAN_MODEL_SPEC_H
#define DRAGOMAN_MODEL_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"
#include "nn/attention.h"
#include "nn/recurrent.h"
#include "text/token.h"

#define SPEC_FORMAT 1
#define SPEC_MAX_BYTES (1u << 20)
#define SPEC_MAX_LABELS 1000
#define SPEC_MAX_VOCABULARY (1u << 21)
#define SPEC_MAX_SIZE 8192 /* embedding, hidden */
#define SPEC_MAX_BUCKETS (1u << 24)
#define SPEC_MAX_FEATURES (1u << 28)
#define SPEC_MAX_NGRAMS 5      /* of words */
#define SPEC_MAX_CHARACTERS 10 /* of an n-gram */
#define SPEC_MAX_STOP_WORDS 10000
#define SPEC_MIN_TEMPERATURE 0.01
#define SPEC_MAX_TEMPERATURE 100.0

enum spec_task {
    SPEC_TRANSLATION,
    SPEC_CLASSIFICATION,
    SPEC_TAGGING,    /* a label for each word */
    SPEC_REGRESSION, /* a number for each text or sequence of rows */
    SPEC_GENERATION, /* text from nothing, a label, or numbers: language models, captions */
};
enum spec_kind { SPEC_SEQ2SEQ, SPEC_RNN, SPEC_BAG_OF_WORDS };
enum spec_weights { /* how the matrices are written; vectors are always 32-bit floats */
                    SPEC_WEIGHTS_F32,  /* 32-bit floats */
                    SPEC_WEIGHTS_INT8, /* 8-bit integers (nn/int8.h) and a scale for each output:
                                          recurrent networks */
                    SPEC_WEIGHTS_F16,  /* 16-bit floats: bags of words */
};
enum spec_decoder {
    SPEC_DECODER_PLAIN,         /* attention reads the cell's state and does not touch it */
    SPEC_DECODER_INPUT_FEEDING, /* the output vector joins the next input (Luong et al. 2015) */
    SPEC_DECODER_CONDITIONAL,   /* attention between two cells (Sennrich et al. 2017) */
};
enum spec_bridge { /* what the decoder's first state is made from */
                   SPEC_BRIDGE_LAST,
                   SPEC_BRIDGE_MEAN,
};
enum spec_tying { /* Press and Wolf 2017 */
                  SPEC_TYING_NONE,
                  SPEC_TYING_TWO_WAY,   /* target embedding and output layer */
                  SPEC_TYING_THREE_WAY, /* and source embedding */
};
enum spec_pooling { SPEC_POOL_LAST, SPEC_POOL_MEAN, SPEC_POOL_MAX, SPEC_POOL_ATTENTION };
enum spec_condition { /* where a condition reaches the network */
                      SPEC_CONDITION_NONE,
                      SPEC_CONDITION_FIRST, /* the first state is made from it */
                      SPEC_CONDITION_EVERY, /* it joins the input of every step */
};

enum spec_weighting { SPEC_BINARY, SPEC_COUNTS, SPEC_TF, SPEC_TF_IDF };

struct spec_bag {
    size_t words, shortest, longest; /* n-grams: text/feature.h */
    bool edges, across;
    enum spec_weighting weighting;
    bool normalise;
    size_t hidden;            /* size of the hidden layer; 0: none */
    size_t features, buckets; /* one of them is 0 */
    char **stop_words;        /* owned */
    size_t stop_count;
};

struct spec_recurrent {
    enum cell_kind cell;
    enum cell_norm norm;
    size_t layers, hidden; /* hidden: of one direction */
    bool bidirectional, residual;
};

struct spec {
    char name[65];
    enum spec_task task;
    char source[36], target[36]; /* BCP 47 tags, "" where the task has none */
    char **labels;               /* NUL-terminated; owned */
    size_t label_count;
    double temperature;            /* 1 where absent */
    double output_mean, deviation; /* regression */
    bool stream;                   /* generation */
    struct tokenizer_spec tokenizer;
    enum spec_kind kind;
    size_t vocabulary, embedding;
    size_t row;                             /* numbers in a row of input, 0 where it is tokens */
    struct spec_recurrent encoder, decoder; /* decoder, and what follows: seq2seq only */
    enum spec_decoder decoder_kind;
    enum attention_kind attention;
    enum spec_bridge bridge;
    bool deep_output;
    enum spec_tying tying;
    enum spec_pooling pooling;
    enum spec_condition condition;
    size_t feature; /* size of the condition */
    bool tied;
    struct spec_bag bag;
    enum spec_weights weights; /* 32-bit floats where absent */
    size_t beam;               /* default beam of a translation model, 5 where absent */
    double length_penalty;     /* score = log probability / length^length_penalty, 1 where absent */
    char *card;                /* JSON text of "card", "{}" where absent; owned */
};

int spec_read(struct spec *spec, const char *path, struct err *err);
int spec_parse(struct spec *spec, const char *text, size_t len, struct err *err);
int spec_write(const struct spec *spec, const char *path,
               struct err *err);                          /* indented, keys in the order above */
int spec_check(const struct spec *spec, struct err *err); /* could it be written? */
int spec_copy(struct spec *to, const struct spec *from, struct err *err);
void spec_release(struct spec *spec);
/* Sets an entry of the card, replacing one of the same key. */
int spec_card_text(struct spec *spec, const char *key, const char *value, struct err *err);
int spec_card_number(struct spec *spec, const char *key, double value, struct err *err);
/* Whether there is such a network for such a task; row: numbers in a row of input, 0 for tokens. */
bool spec_does(enum spec_kind kind, enum spec_task task, size_t row);
const char *spec_task_name(enum spec_task task); /* "translation", "classification" */
const char *spec_kind_name(enum spec_kind kind); /* "seq2seq", ... */
/* What the weights of such a network are quantised to. */
enum spec_weights spec_small_weights(enum spec_kind kind);

#endif
