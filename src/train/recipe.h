/*
 * A recipe: everything that makes a model out of data, in one table of options. A recipe file (INI)
 * and command-line flags set the same names; flags win.
 */
#ifndef DRAGOMAN_TRAIN_RECIPE_H
#define DRAGOMAN_TRAIN_RECIPE_H

#include "base/opt.h"
#include "model/spec.h"
#include "text/vocab.h"

struct recipe {
    /* what */
    int task; /* enum spec_task */
    struct opt_list train, dev;
    char *out, *recipe, *name, *source, *target;
    struct opt_list labels;
    char *data, *licence; /* for the model card */
    /* text */
    int tokenizer, form; /* enum token_kind, enum norm_form */
    bool fold;
    int64_t merges, max_words, min_count, max_tokens;
    /* network */
    int kind; /* enum recipe_kind */
    int64_t embedding, encoder_hidden, decoder_hidden, ngrams, buckets;
    bool bidirectional, tied;
    int pooling; /* enum spec_pooling */
    /* training */
    int64_t epochs, batch_tokens, threads, seed, dev_beam, patience;
    double rate, warmup, final_rate, beta1, beta2, epsilon, weight_decay, clip;
    double dropout_embedding, dropout_output, label_smoothing, checkpoint_minutes, max_minutes;
    bool resume, help;
};

/* Order of the words of the option `kind`; "auto" is seq2seq or bag-of-words, by the task. */
enum recipe_kind { RECIPE_AUTO, RECIPE_SEQ2SEQ, RECIPE_RNN_CLASSIFIER, RECIPE_BAG_OF_WORDS };

extern const struct opt recipe_options[];

/* Checks what the table cannot: that the settings make sense together. Fills in `auto` and an
   empty name (the last part of `out`). */
int recipe_check(struct recipe *recipe, struct err *err);
/* The part of the recipe that a bundle's spec holds; the vocabulary's size is not known yet. */
int recipe_spec(const struct recipe *recipe, struct spec *spec, struct err *err);
void recipe_vocab_settings(const struct recipe *recipe, struct vocab_settings *settings);

#endif
