/*
 * A recipe: everything that makes a model out of data, in one table of options. A recipe file (INI)
 * and command-line flags set the same names; flags win.
 */
#ifndef DRAGOMAN_TRAIN_RECIPE_H
#define DRAGOMAN_TRAIN_RECIPE_H

#include "base/opt.h"
#include "model/spec.h"
#include "nn/recurrent.h"
#include "text/vocab.h"

struct recipe {
    /* what */
    int task; /* enum spec_task */
    struct opt_list train, dev;
    char *out, *recipe, *name, *source, *target;
    struct opt_list labels;
    char *data, *licence; /* for the model card */
    int input;            /* enum recipe_input */
    /* text */
    int tokenizer, form; /* enum token_kind, enum norm_form */
    bool fold;
    int64_t merges, max_words, min_count, max_tokens;
    /* network */
    int kind;                                  /* enum recipe_kind */
    int cell, norm, decoder, attention, tying; /* enums of nn/cell.h, nn/attention.h, spec.h */
    int bridge, deep_output;                   /* enum recipe_bridge, enum recipe_deep */
    int64_t embedding, encoder_hidden, decoder_hidden, encoder_layers, decoder_layers;
    /* bag of words */
    int64_t ngrams, char_shortest, char_longest, buckets, max_features, bag_hidden;
    bool edges, char_across, normalise, naive_bayes;
    char *stop_words;         /* file */
    int weighting, selection; /* enums spec_weighting, recipe_selection */
    double bayes_alpha, bayes_beta, bag_rate, bag_penalty, bag_dropout;
    int64_t bag_batch;
    bool bidirectional, residual;
    int pooling;      /* enum spec_pooling */
    int condition;    /* enum spec_condition */
    int condition_is; /* enum recipe_condition */
    int64_t condition_size, streams, bptt_steps;
    bool stream, tied;
    char *embeddings; /* word2vec text file */
    double embedding_bayes;
    char *start_from; /* a bundle */
    int init;         /* enum cell_init */
    double forget_bias;
    /* training */
    int64_t epochs, batch_tokens, accumulate, threads, seed;
    int optimiser, schedule; /* enum optim_kind, enum schedule_kind */
    double rate, warmup, final_rate, rate_decay, momentum, beta1, beta2, epsilon, weight_decay;
    int64_t decay_from, decay_every;
    double clip, clip_value;
    double dropout_embedding, dropout_layer, dropout_state, dropout_memory, dropout_output;
    double dropout_word, dropout_bpe, label_smoothing;
    int class_weights; /* enum recipe_weights */
    double ema;
    int64_t average;
    /* development data */
    int64_t evaluate_every, patience, dev_beam, samples;
    int dev_metric; /* enum recipe_metric */
    double checkpoint_minutes, max_minutes;
    bool resume, help;
};

/* Order of the words of the option `kind`: `auto`, which goes by the task, then as enum spec_kind.
 */
enum recipe_kind { RECIPE_AUTO, RECIPE_SEQ2SEQ, RECIPE_RNN, RECIPE_BAG_OF_WORDS };
enum recipe_condition { RECIPE_CONDITION_LABEL, RECIPE_CONDITION_VECTOR };
enum recipe_input { RECIPE_INPUT_TEXT, RECIPE_INPUT_ROWS };
/* How the features of a bag of words are chosen where there are too many. */
enum recipe_selection { RECIPE_SELECTION_WEIGHT, RECIPE_SELECTION_CHI2 };
enum recipe_weights { RECIPE_WEIGHTS_NONE, RECIPE_WEIGHTS_BALANCED };

/* Order of the words of `bridge` and `deep-output`: what the decoder's kind suggests, or a wish. */
enum recipe_bridge { RECIPE_BRIDGE_AUTO, RECIPE_BRIDGE_LAST, RECIPE_BRIDGE_MEAN };
enum recipe_deep { RECIPE_DEEP_AUTO, RECIPE_DEEP_NO, RECIPE_DEEP_YES };

/* By which score of the development data the best model is chosen. */
enum recipe_metric {
    RECIPE_METRIC_BLEU,
    RECIPE_METRIC_BLEU_TOKENISED,
    RECIPE_METRIC_CHRF,
    RECIPE_METRIC_PERPLEXITY
};

extern const struct opt recipe_options[];

/* Checks what the table cannot: that the settings make sense together. Fills in `auto` and an
   empty name (the last part of `out`). */
int recipe_check(struct recipe *recipe, struct err *err);
/* The part of the recipe that a bundle's spec holds; the vocabulary's size is not known yet. */
int recipe_spec(const struct recipe *recipe, struct spec *spec, struct err *err);
struct cell_init_settings recipe_init(const struct recipe *recipe);
void recipe_vocab_settings(const struct recipe *recipe, struct vocab_settings *settings);

#endif
