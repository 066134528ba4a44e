#include "train/recipe.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define AT(member) offsetof(struct recipe, member)
#define INT(name, member, fallback, low, high, unit, text)                                         \
    {                                                                                              \
        name, 0, OPT_INT, OPT_ANYWHERE, NULL, AT(member), fallback, low, high, NULL, "N", unit,    \
            text                                                                                   \
    }
#define REAL(name, member, fallback, low, high, unit, text)                                        \
    {                                                                                              \
        name, 0, OPT_REAL, OPT_ANYWHERE, NULL, AT(member), fallback, low, high, NULL, "X", unit,   \
            text                                                                                   \
    }
#define CHOICE(name, member, fallback, words, text)                                                \
    {                                                                                              \
        name, 0, OPT_CHOICE, OPT_ANYWHERE, NULL, AT(member), fallback, 0, 0, words, "WORD", NULL,  \
            text                                                                                   \
    }
#define FLAG(name, member, fallback, text)                                                         \
    {                                                                                              \
        name, 0, OPT_FLAG, OPT_ANYWHERE, NULL, AT(member), fallback, 0, 0, NULL, NULL, NULL, text  \
    }
#define TEXT(name, member, value, text)                                                            \
    {                                                                                              \
        name, 0, OPT_TEXT, OPT_ANYWHERE, NULL, AT(member), NULL, 0, 0, NULL, value, NULL, text     \
    }
#define LIST(name, member, value, text)                                                            \
    {                                                                                              \
        name, 0, OPT_LIST, OPT_ANYWHERE, NULL, AT(member), NULL, 0, 0, NULL, value, NULL, text     \
    }

const struct opt recipe_options[] = {
    CHOICE("task", task, "translation", "translation|classification|tagging|regression|generation",
           "what the model does"),
    LIST("train", train, "FILE",
         "training data: lines source<TAB>target, text<TAB>label, text<TAB>labels of its words, "
         "text<TAB>number, condition<TAB>text; or text alone"),
    LIST("dev", dev, "FILE", "development data in the same form; the best model by it is kept"),
    {"out", 'o', OPT_TEXT, OPT_ONLY_ARGUMENT, NULL, AT(out), NULL, 0, 0, NULL, "DIR", NULL,
     "the bundle to write; DIR.training holds vocabulary, checkpoint, record and report of the "
     "run"},
    {"recipe", 'r', OPT_TEXT, OPT_ONLY_ARGUMENT, NULL, AT(recipe), NULL, 0, 0, NULL, "FILE", NULL,
     "read settings from this file first"},
    {"resume", 0, OPT_FLAG, OPT_ONLY_ARGUMENT, NULL, AT(resume), "no", 0, 0, NULL, NULL, NULL,
     "go on from the checkpoint in DIR.training"},
    TEXT("name", name, "NAME", "the model's name; the last part of DIR where absent"),
    TEXT("source", source, "LANGUAGE", "source language of a translation model, as en or pt-BR"),
    TEXT("target", target, "LANGUAGE", "target language of a translation model"),
    LIST("labels", labels, "LABEL=NAME", "give a label of the data another name in the model"),
    TEXT("data", data, "TEXT", "where the data is from, for the model card"),
    TEXT("licence", licence, "TEXT", "the model's licence, for the model card"),

    CHOICE("input", input, "text", "text|rows",
           "the first field is text, or rows of numbers as 0.1,0.5;0.3,0.2"),
    CHOICE("tokenizer", tokenizer, "bpe", "word|bpe|char", "how text is cut"),
    CHOICE("form", form, "nfc", "nfc|nfkc", "Unicode normalisation form"),
    FLAG("fold", fold, "no", "fold case"),
    INT("merges", merges, "8000", 0, 200000, NULL, "bpe merges to learn"),
    INT("max-words", max_words, "50000", 1, 1000000, NULL,
        "word or char vocabulary, most frequent first"),
    INT("min-count", min_count, "2", 1, 1000000, NULL,
        "leave out rarer words (for bpe and char: characters)"),
    INT("max-tokens", max_tokens, "100", 1, 512, "tokens",
        "translation: longer sentences are left out; other tasks: longer texts are cut"),

    CHOICE("kind", kind, "auto", "auto|seq2seq|rnn|bag-of-words", "architecture"),
    CHOICE("cell", cell, "gru", CELL_WORDS, "recurrent cell"),
    CHOICE("norm", norm, "none", "none|separate|joint",
           "layer normalisation of the cells: of each product, or of all gates together"),
    INT("embedding", embedding, "256", 1, SPEC_MAX_SIZE, NULL, "size of embeddings"),
    INT("encoder-hidden", encoder_hidden, "256", 1, SPEC_MAX_SIZE, NULL,
        "size of the encoder's state, each direction"),
    INT("encoder-layers", encoder_layers, "1", 0, RECURRENT_MAX_LAYERS, NULL,
        "encoder layers; 0: attention reads rows as they are"),
    FLAG("bidirectional", bidirectional, "yes", "encode in both directions"),
    FLAG("residual", residual, "no", "add a layer's input to its output where sizes agree"),
    CHOICE("decoder", decoder, "plain", "plain|input-feeding|conditional",
           "attention after the cell, fed back into it, or between two cells"),
    INT("decoder-hidden", decoder_hidden, "512", 1, SPEC_MAX_SIZE, NULL,
        "size of the decoder's state"),
    INT("decoder-layers", decoder_layers, "1", 1, RECURRENT_MAX_LAYERS, NULL, "decoder layers"),
    CHOICE("attention", attention, "general", "none|dot|general|additive", "attention"),
    CHOICE("bridge", bridge, "auto", "auto|last|mean",
           "the decoder begins from the encoder's last states or from their mean; auto: mean for a "
           "conditional decoder"),
    CHOICE("deep-output", deep_output, "auto", "auto|no|yes",
           "the output layer sees the last word too; auto: yes for a conditional decoder"),
    CHOICE("tying", tying, "three-way", "none|two-way|three-way",
           "the output layer shares the target embedding, or that and the source embedding"),
    TEXT("embeddings", embeddings, "FILE", "first embeddings from this word2vec text file"),
    REAL("embedding-bayes", embedding_bayes, "0", 0, 100, NULL,
         "classification: first embeddings hold the tokens' naive-Bayes log-count ratios, times "
         "this; 0: they do not"),
    TEXT("start-from", start_from, "DIR",
         "first weights and vocabulary from this bundle, where names and shapes of tensors agree"),
    CHOICE("init", init, "uniform", "uniform|glorot|orthogonal", "first weights of the cells"),
    REAL("forget-bias", forget_bias, "0", -10, 10, NULL, "added to the forget gate's first bias"),
    CHOICE("pooling", pooling, "mean", "last|mean|max|attention",
           "what classification and regression read off the states"),
    CHOICE("condition", condition, "none", "none|first|every",
           "generation: the line's first field makes the first state, or joins every input"),
    CHOICE("condition-is", condition_is, "label", "label|vector",
           "generation: whether the condition is a label or numbers, as 0.1,0.2"),
    INT("condition-size", condition_size, "64", 1, SPEC_MAX_SIZE, NULL,
        "generation: size of the embedding of a label that is the condition"),
    FLAG("stream", stream, "no", "generation: the data is one text without beginnings and ends"),
    INT("streams", streams, "32", 1, 65536, NULL,
        "generation from a stream: parts of the text that are read side by side"),
    INT("bptt-steps", bptt_steps, "64", 1, 65536, "tokens",
        "generation from a stream: how far back the gradient goes; the state goes on for ever"),
    FLAG("tied", tied, "no", "generation: the output layer is the embedding"),
    INT("ngrams", ngrams, "2", 0, SPEC_MAX_NGRAMS, "words",
        "bag of words: longest n-gram of words; 0 for none"),
    FLAG("edges", edges, "no",
         "bag of words: n-grams of two words and more know where a text begins and ends"),
    INT("char-shortest", char_shortest, "3", 1, SPEC_MAX_CHARACTERS, "characters",
        "bag of words: shortest n-gram of characters"),
    INT("char-longest", char_longest, "0", 0, SPEC_MAX_CHARACTERS, "characters",
        "bag of words: longest n-gram of characters; 0 for none"),
    FLAG("char-across", char_across, "no", "bag of words: n-grams of characters reach over spaces"),
    TEXT("stop-words", stop_words, "FILE",
         "bag of words: leave out the words of this file, one a line"),
    CHOICE("weighting", weighting, "binary", "binary|counts|tf|tf-idf",
           "bag of words: what a feature that occurs counts"),
    FLAG("normalise", normalise, "yes", "bag of words: texts are vectors of length 1"),
    FLAG("naive-bayes", naive_bayes, "no",
         "bag of words: scale features by their naive-Bayes log-count ratios"),
    REAL("bayes-alpha", bayes_alpha, "1", 1e-6, 1e6, NULL, "naive-bayes: added to all counts"),
    REAL("bayes-beta", bayes_beta, "1", 0, 1, NULL,
         "naive-bayes: share of the learned weights; the rest is their mean magnitude"),
    INT("bag-hidden", bag_hidden, "0", 0, SPEC_MAX_SIZE, NULL,
        "bag of words: size of a hidden layer; 0 for none"),
    INT("buckets", buckets, "0", 0, SPEC_MAX_BUCKETS, NULL,
        "bag of words: hash features into so many buckets; 0 for a table of all"),
    INT("max-features", max_features, "0", 0, SPEC_MAX_FEATURES, NULL,
        "bag of words: keep at most so many features; 0 for all"),
    CHOICE("selection", selection, "weight", "weight|chi2",
           "max-features: by the weights of a first training, or by the labels' chi-squared"),
    REAL("bag-rate", bag_rate, "0.3", 1e-9, 100, NULL,
         "bag of words: learning rate at its highest, before the first update"),
    REAL("bag-penalty", bag_penalty, "0", 0, 1e6, NULL, "bag of words: L2 penalty"),
    REAL("bag-dropout", bag_dropout, "0", 0, 0.95, NULL, "bag of words: dropout of features"),
    INT("bag-batch", bag_batch, "8", 1, 100000, "texts", "bag of words: texts for one update"),

    INT("epochs", epochs, "10", 1, 100000, NULL, "passes over the training data"),
    INT("batch-tokens", batch_tokens, "2500", 1, 10000000, "tokens",
        "size of a batch: tokens of both sides with padding"),
    INT("accumulate", accumulate, "1", 1, 10000, "batches", "gradients summed for one update"),
    CHOICE("optimiser", optimiser, "adam", "sgd|adagrad|rmsprop|adam|adamw", "optimiser"),
    REAL("rate", rate, "0.001", 0, 100, NULL, "learning rate at its highest"),
    CHOICE("schedule", schedule, "linear", "constant|linear|inverse-sqrt|step|plateau",
           "how the learning rate falls after the warm-up"),
    REAL("warmup", warmup, "0.02", 0, 1, NULL, "share of the training in which the rate rises"),
    REAL("final-rate", final_rate, "0.02", 0, 1, NULL,
         "linear: the rate falls in a line to this share of its highest"),
    REAL("rate-decay", rate_decay, "0.5", 0, 1, NULL,
         "step and plateau: the rate is multiplied by this"),
    INT("decay-from", decay_from, "10", 0, 100000, "epochs", "step: epochs before the first decay"),
    INT("decay-every", decay_every, "1", 1, 100000, NULL,
        "step: epochs between decays; plateau: evaluations without a better score"),
    REAL("momentum", momentum, "0.9", 0, 0.999999, NULL, "sgd: momentum"),
    REAL("beta1", beta1, "0.9", 0, 0.999999, NULL, "adam, adamw: decay of the first moment"),
    REAL("beta2", beta2, "0.999", 0, 0.999999, NULL,
         "adam, adamw, rmsprop: decay of the second moment"),
    REAL("epsilon", epsilon, "1e-8", 1e-20, 1, NULL, "added to the denominator"),
    REAL("weight-decay", weight_decay, "0", 0, 1, NULL,
         "L2 penalty; for adamw taken off the weights themselves"),
    REAL("clip", clip, "1", 0, 1e9, NULL, "largest norm of the gradient; 0 for no clipping"),
    REAL("clip-value", clip_value, "0", 0, 1e9, NULL,
         "largest entry of the gradient; 0 for no clipping"),
    REAL("dropout-embedding", dropout_embedding, "0.3", 0, 0.95, NULL, "dropout on embeddings"),
    REAL("dropout-layer", dropout_layer, "0", 0, 0.95, NULL, "dropout between layers"),
    REAL("dropout-state", dropout_state, "0", 0, 0.95, NULL,
         "dropout on the recurrent state, one mask a sentence"),
    REAL("dropout-memory", dropout_memory, "0", 0, 0.95, NULL,
         "dropout on the encoder's states that attention reads"),
    REAL("dropout-output", dropout_output, "0.3", 0, 0.95, NULL, "dropout before the output layer"),
    REAL("dropout-word", dropout_word, "0", 0, 0.95, NULL,
         "classification: probability with which a token is read as an unknown one"),
    REAL("dropout-bpe", dropout_bpe, "0", 0, 0.95, NULL,
         "probability with which a merge is left out, anew in each epoch"),
    CHOICE("class-weights", class_weights, "none", "none|balanced",
           "classification: each text counts the same, or each class"),
    REAL("label-smoothing", label_smoothing, "0.1", 0, 0.95, NULL, "share spread over all labels"),
    REAL("ema", ema, "0", 0, 0.999999, NULL,
         "decay of the exponential average of the weights that is scored and saved; 0: none"),
    INT("average", average, "1", 1, 100, "evaluations",
        "score and save the mean of the weights of so many last evaluations"),
    INT("evaluate-every", evaluate_every, "0", 0, 10000000, "updates",
        "score the development data so often; 0: after each epoch"),
    CHOICE("dev-metric", dev_metric, "bleu", "bleu|bleu-tokenised|chrf|perplexity",
           "the score of the development data that chooses the best translation model"),
    INT("dev-beam", dev_beam, "1", 1, 16, NULL, "beam when scoring the development data"),
    INT("samples", samples, "5", 0, 100, "sentences",
        "of the development data, shown in the report with their translations"),
    INT("patience", patience, "0", 0, 100000, "evaluations",
        "stop after so many without a better score; 0 never"),
    INT("threads", threads, "0", 0, 256, NULL, "compute threads; 0 for one a core"),
    INT("seed", seed, "1", 0, 9e15, NULL, "of all random numbers"),
    REAL("checkpoint-minutes", checkpoint_minutes, "5", 0, 1e6, "min", "time between checkpoints"),
    REAL("max-minutes", max_minutes, "0", 0, 1e6, "min", "stop after this time; 0 for no limit"),
    {"help", 'h', OPT_FLAG, OPT_ONLY_ARGUMENT, NULL, AT(help), "no", 0, 0, NULL, NULL, NULL,
     "show this help"},
    {.name = NULL},
};

/* Of a recipe whose kind is no longer `auto`. */
static enum spec_kind recipe_spec_kind(const struct recipe *recipe)
{
    return (enum spec_kind)(recipe->kind - RECIPE_SEQ2SEQ);
}

/* Rows become text by attention over them, and all else in one recurrent network. */
static int default_kind(const struct recipe *recipe)
{
    const bool rows = recipe->input == RECIPE_INPUT_ROWS;
    if (recipe->task == SPEC_TRANSLATION || (rows && recipe->task == SPEC_GENERATION))
        return RECIPE_SEQ2SEQ;
    return recipe->task == SPEC_CLASSIFICATION && !rows ? RECIPE_BAG_OF_WORDS : RECIPE_RNN;
}

/* What goes with rows only, or not with them. */
static int check_input(struct recipe *recipe, struct err *err)
{
    if (recipe->input == RECIPE_INPUT_TEXT)
        return 0;
    if (recipe->task == SPEC_TAGGING)
        return err_set(err, ERR_ARGUMENT, "--input rows has no words for --task tagging");
    if (recipe->tying == SPEC_TYING_THREE_WAY)
        recipe->tying = SPEC_TYING_TWO_WAY; /* there is no source embedding */
    if (recipe->embeddings)
        return err_set(err, ERR_ARGUMENT, "--input rows has no use for --embeddings");
    if (recipe->task != SPEC_GENERATION)
        recipe->tokenizer = TOKEN_WORD; /* of nothing: there are no merges to learn */
    return 0;
}

static int check_bag(const struct recipe *recipe, struct err *err)
{
    if (recipe->embeddings)
        return err_set(err, ERR_ARGUMENT, "a bag of words has no use for --embeddings");
    if (recipe->start_from)
        return err_set(err, ERR_ARGUMENT, "a bag of words does not --start-from another");
    if (recipe->resume)
        return err_set(err, ERR_ARGUMENT,
                       "a bag of words is trained in one go, without checkpoints: no --resume");
    if (recipe->ngrams == 0 && recipe->char_longest == 0)
        return err_set(err, ERR_ARGUMENT, "--ngrams 0 needs --char-longest above 0");
    if (recipe->char_longest > 0 && recipe->char_longest < recipe->char_shortest)
        return err_set(err, ERR_ARGUMENT, "--char-longest is below --char-shortest, %" PRId64,
                       recipe->char_shortest);
    if (recipe->naive_bayes && recipe->bag_hidden > 0)
        return err_set(err, ERR_ARGUMENT, "--naive-bayes does not go with --bag-hidden");
    if (recipe->buckets > 0 && recipe->max_features > 0)
        return err_set(err, ERR_ARGUMENT, "--max-features needs a table: --buckets 0");
    return 0;
}

static int check_kind(struct recipe *recipe, struct err *err)
{
    const bool translation = recipe->task == SPEC_TRANSLATION;
    const bool rows = recipe->input == RECIPE_INPUT_ROWS;
    if (recipe->kind == RECIPE_AUTO)
        recipe->kind = default_kind(recipe);
    if (!spec_does(recipe_spec_kind(recipe), (enum spec_task)recipe->task, rows))
        return err_set(err, ERR_ARGUMENT, "--kind %s does not do --task %s%s",
                       spec_kind_name(recipe_spec_kind(recipe)),
                       spec_task_name((enum spec_task)recipe->task),
                       rows ? " with --input rows" : "");
    if (translation && (!recipe->source || !recipe->target))
        return err_set(err, ERR_ARGUMENT, "a translation model needs --source and --target");
    return recipe->kind == RECIPE_BAG_OF_WORDS ? check_bag(recipe, err) : 0;
}

/* What the other networks would not notice. */
static int check_texts(const struct recipe *recipe, struct err *err)
{
    const bool reads = recipe->task == SPEC_CLASSIFICATION && recipe->kind == RECIPE_RNN;
    if (!reads && (recipe->dropout_word > 0 || recipe->embedding_bayes > 0))
        return err_set(err, ERR_ARGUMENT,
                       "--dropout-word and --embedding-bayes are for --task classification "
                       "--kind rnn");
    return 0;
}

static int check_generation(const struct recipe *recipe, struct err *err)
{
    if (recipe->stream && recipe->condition != SPEC_CONDITION_NONE)
        return err_set(err, ERR_ARGUMENT, "--stream has no lines and so no --condition");
    if (recipe->stream && recipe->dropout_bpe > 0)
        return err_set(err, ERR_ARGUMENT, "--dropout-bpe does not go with --stream");
    if (recipe->tied && recipe->embedding != recipe->encoder_hidden)
        return err_set(err, ERR_ARGUMENT,
                       "--tied needs an embedding of the hidden size: --embedding %" PRId64,
                       recipe->encoder_hidden);
    return 0;
}

/* What a spec with these settings would be refused for. */
static int check_network(const struct recipe *recipe, struct err *err)
{
    const bool bare = recipe->encoder_layers == 0;
    const int64_t memory =
        bare ? recipe->embedding : recipe->encoder_hidden * (recipe->bidirectional ? 2 : 1);
    if (bare && (recipe->kind != RECIPE_SEQ2SEQ || recipe->input != RECIPE_INPUT_ROWS))
        return err_set(err, ERR_ARGUMENT,
                       "--encoder-layers 0 goes with --task generation --input rows only");
    if (recipe->kind == RECIPE_RNN && recipe->task == SPEC_GENERATION)
        return check_generation(recipe, err);
    if (recipe->kind != RECIPE_SEQ2SEQ)
        return 0;
    if (bare && recipe->bridge == RECIPE_BRIDGE_LAST)
        return err_set(err, ERR_ARGUMENT, "--bridge last needs an encoder");
    if (recipe->attention == ATTENTION_NONE && recipe->decoder != SPEC_DECODER_PLAIN)
        return err_set(err, ERR_ARGUMENT, "--attention none goes with --decoder plain only");
    if (recipe->attention == ATTENTION_DOT && memory != recipe->decoder_hidden)
        return err_set(err, ERR_ARGUMENT,
                       "--attention dot needs a decoder as wide as the encoder: --decoder-hidden "
                       "%" PRId64,
                       memory);
    return 0;
}

static int default_name(struct recipe *recipe, struct err *err)
{
    size_t end = strlen(recipe->out);
    while (end > 0 && recipe->out[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && recipe->out[begin - 1] != '/')
        begin--;
    recipe->name = mem_copy_text(recipe->out + begin, end - begin, err);
    return recipe->name ? 0 : ERR_MEMORY;
}

static int check_labels(const struct recipe *recipe, struct err *err)
{
    for (size_t i = 0; i < recipe->labels.count; i++) {
        const char *item = recipe->labels.items[i];
        const char *equals = strchr(item, '=');
        if (!equals || equals == item || !equals[1])
            return err_set(err, ERR_ARGUMENT, "--labels '%s' is not LABEL=NAME", item);
    }
    if (recipe->labels.count > 0 && recipe->task != SPEC_CLASSIFICATION)
        return err_set(err, ERR_ARGUMENT, "--labels means nothing for --task %s",
                       spec_task_name((enum spec_task)recipe->task));
    return 0;
}

int recipe_check(struct recipe *recipe, struct err *err)
{
    if (!recipe->out || !recipe->out[0])
        return err_set(err, ERR_ARGUMENT, "--out is missing");
    if (recipe->train.count == 0 || recipe->dev.count == 0)
        return err_set(err, ERR_ARGUMENT, "--train and --dev are both needed");
    if (recipe->threads == 0) {
        const long cores = sysconf(_SC_NPROCESSORS_ONLN);
        recipe->threads = cores > 0 ? cores : 1;
    }
    if (!recipe->name && default_name(recipe, err))
        return err->code;
    if (check_labels(recipe, err))
        return err->code;
    if (check_input(recipe, err))
        return err->code;
    if (recipe->dropout_bpe > 0 && recipe->tokenizer != TOKEN_BPE)
        return err_set(err, ERR_ARGUMENT, "--dropout-bpe needs --tokenizer bpe");
    if (recipe->dropout_bpe > 0 &&
        (recipe->task == SPEC_TAGGING || recipe->task == SPEC_REGRESSION))
        return err_set(err, ERR_ARGUMENT, "--dropout-bpe means nothing for --task %s",
                       spec_task_name((enum spec_task)recipe->task));
    int status = check_kind(recipe, err);
    if (status == 0)
        status = check_texts(recipe, err);
    return status ? status : check_network(recipe, err);
}

static int copy_language(char to[36], const char *name, const char *from, struct err *err)
{
    if (from && strlen(from) > 35)
        return err_set(err, ERR_ARGUMENT, "--%s '%s' is longer than 35 characters", name, from);
    snprintf(to, 36, "%s", from ? from : "");
    return 0;
}

static struct spec_recurrent recurrent_spec(const struct recipe *recipe, int64_t layers,
                                            int64_t hidden)
{
    return (struct spec_recurrent){.cell = (enum cell_kind)recipe->cell,
                                   .norm = (enum cell_norm)recipe->norm,
                                   .layers = (size_t)layers,
                                   .hidden = (size_t)hidden,
                                   .residual = recipe->residual};
}

struct cell_init_settings recipe_init(const struct recipe *recipe)
{
    return (struct cell_init_settings){(enum cell_init)recipe->init, recipe->forget_bias};
}

static struct spec_bag bag_spec(const struct recipe *recipe)
{
    const bool characters = recipe->char_longest > 0;
    return (struct spec_bag){.words = (size_t)recipe->ngrams,
                             .shortest = characters ? (size_t)recipe->char_shortest : 0,
                             .longest = (size_t)recipe->char_longest,
                             .edges = recipe->edges && recipe->ngrams > 1,
                             .across = characters && recipe->char_across,
                             .weighting = (enum spec_weighting)recipe->weighting,
                             .normalise = recipe->normalise,
                             .hidden = (size_t)recipe->bag_hidden,
                             .features = recipe->buckets > 0 ? 0 : 1, /* not known yet */
                             .buckets = (size_t)recipe->buckets};
}

int recipe_spec(const struct recipe *recipe, struct spec *spec, struct err *err)
{
    const bool conditional = recipe->decoder == SPEC_DECODER_CONDITIONAL;
    const bool bare = recipe->encoder_layers == 0;
    *spec = (struct spec){
        .task = (enum spec_task)recipe->task,
        .tokenizer = {.kind = (enum token_kind)recipe->tokenizer,
                      .form = (enum norm_form)recipe->form,
                      .fold = recipe->fold},
        .kind = recipe_spec_kind(recipe),
        .embedding = (size_t)recipe->embedding,
        .encoder = recurrent_spec(recipe, recipe->encoder_layers, recipe->encoder_hidden),
        .decoder = recurrent_spec(recipe, recipe->decoder_layers, recipe->decoder_hidden),
        .decoder_kind = (enum spec_decoder)recipe->decoder,
        .attention = (enum attention_kind)recipe->attention,
        .bridge = recipe->bridge == RECIPE_BRIDGE_AUTO
                      ? (conditional || bare ? SPEC_BRIDGE_MEAN : SPEC_BRIDGE_LAST)
                      : (enum spec_bridge)(recipe->bridge - RECIPE_BRIDGE_LAST),
        .deep_output = recipe->deep_output == RECIPE_DEEP_AUTO
                           ? conditional
                           : recipe->deep_output == RECIPE_DEEP_YES,
        .tying = (enum spec_tying)recipe->tying,
        .pooling = (enum spec_pooling)recipe->pooling,
        .condition = (enum spec_condition)recipe->condition,
        .feature = recipe->condition == SPEC_CONDITION_NONE ? 0 : (size_t)recipe->condition_size,
        .tied = recipe->tied,
        .stream = recipe->stream,
        .temperature = 1,
        .deviation = 1,
        .bag = bag_spec(recipe),
        .beam = 5,
        .length_penalty = 1,
    };
    spec->encoder.bidirectional = recipe->bidirectional && (recipe->task != SPEC_GENERATION ||
                                                            recipe->kind == RECIPE_SEQ2SEQ);
    if (strlen(recipe->name) >= sizeof spec->name)
        return err_set(err, ERR_ARGUMENT, "the model's name is longer than %zu characters",
                       sizeof spec->name - 1);
    snprintf(spec->name, sizeof spec->name, "%s", recipe->name);
    if (copy_language(spec->source, "source", recipe->source, err) ||
        copy_language(spec->target, "target", recipe->target, err))
        return err->code;
    spec->card = mem_copy_text("{}", 2, err);
    return spec->card ? 0 : ERR_MEMORY;
}

void recipe_vocab_settings(const struct recipe *recipe, struct vocab_settings *settings)
{
    *settings = (struct vocab_settings){
        .tokenizer = {.kind = (enum token_kind)recipe->tokenizer,
                      .form = (enum norm_form)recipe->form,
                      .fold = recipe->fold},
        .merges = (size_t)recipe->merges,
        .max_words = (size_t)recipe->max_words,
        .min_count = (size_t)recipe->min_count,
    };
    if (recipe->kind == RECIPE_BAG_OF_WORDS && recipe->tokenizer != TOKEN_BPE) {
        settings->max_words = 1; /* features are the words' hashes: it needs no list of words */
        settings->min_count = SIZE_MAX;
    }
}
