/* Tiny bundles: a vocabulary learned from a few lines, and weights drawn from one generator. */
#include "tiny_bundle.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/bag.h"
#include "model/bundle.h"
#include "model/rnn.h"
#include "model/seq2seq.h"
#include "nn/init.h"
#include "text/vocab.h"

static const char *const lines[] = {
    "I want to know why you did not come.",
    "Je veux savoir pourquoi tu n'es pas venu.",
    "The house is small, but the garden is large.",
    "La maison est petite, mais le jardin est grand.",
    "Great fun from the first minute to the last!",
    "A dull mess: nobody should have to see it.",
    "Où est la gare ? Elle est à côté de l'église.",
    "Where is the station? It is next to the church.",
};

struct network { /* one of the three, over one flat vector */
    struct seq2seq seq2seq;
    struct rnn rnn;
    struct bag bag;
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS];
    size_t count;
    real *flat;
};

static enum spec_task task_of(const struct tiny_bundle *bundle)
{
    if (bundle->kind == SPEC_SEQ2SEQ)
        return SPEC_TRANSLATION;
    return bundle->task == SPEC_TRANSLATION ? SPEC_CLASSIFICATION : bundle->task;
}

static bool has_labels(const struct tiny_bundle *bundle)
{
    const enum spec_task task = task_of(bundle);
    return task == SPEC_CLASSIFICATION || task == SPEC_TAGGING || bundle->labelled;
}

static void describe(const struct tiny_bundle *bundle, struct spec *spec)
{
    static char *labels[] = {"negative", "positive"};
    const bool translation = bundle->kind == SPEC_SEQ2SEQ;
    const bool generation = bundle->task == SPEC_GENERATION;
    const size_t condition = bundle->labelled ? 4 : bundle->feature;
    *spec = (struct spec){
        .task = task_of(bundle),
        .kind = bundle->kind,
        .tokenizer = {.kind = bundle->kind == SPEC_BAG_OF_WORDS ? TOKEN_WORD : TOKEN_BPE,
                      .form = NORM_NFC,
                      .fold = !translation && !generation},
        .embedding = 8,
        .encoder = {.cell = CELL_GRU, .layers = 1, .hidden = 6, .bidirectional = !generation},
        .decoder = {.cell = CELL_GRU, .layers = 1, .hidden = 10},
        .attention = bundle->without_attention ? ATTENTION_NONE : ATTENTION_GENERAL,
        .tying = SPEC_TYING_THREE_WAY,
        .pooling = bundle->attentive ? SPEC_POOL_ATTENTION : SPEC_POOL_MEAN,
        .bag = {.words = 2, .normalise = true, .buckets = 64},
        .row = bundle->row,
        .condition = condition > 0 ? SPEC_CONDITION_EVERY : SPEC_CONDITION_NONE,
        .feature = condition,
        .beam = 2,
        .length_penalty = 1.0,
        .temperature = 1.0,
        .deviation = 1.0,
    };
    snprintf(spec->name, sizeof spec->name, "%s", bundle->name);
    if (has_labels(bundle)) {
        spec->labels = labels;
        spec->label_count = 2;
    }
    if (!translation)
        return;
    snprintf(spec->source, sizeof spec->source, "%s", bundle->source ? bundle->source : "en");
    snprintf(spec->target, sizeof spec->target, "%s", bundle->target ? bundle->target : "fr");
}

/* Learns the vocabulary, saves it at `path` and tells its size to the spec. */
static int make_vocabulary(struct spec *spec, const char *path, struct err *err)
{
    const struct vocab_settings settings = {
        .tokenizer = spec->tokenizer, .merges = 40, .min_count = 1};
    struct tokenizer *tokenizer;
    struct vocab_learner *learner = vocab_learner_new(&settings, err);
    if (learner == NULL)
        return ERR_MEMORY;
    int code = 0;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0] && code == 0; i++)
        code = vocab_learner_add(learner, lines[i], strlen(lines[i]), err);
    if (code == 0)
        code = vocab_learner_save(learner, path, err);
    vocab_learner_free(learner);
    if (code == 0 && (code = tokenizer_open(&tokenizer, &spec->tokenizer, path, err)) == 0) {
        spec->vocabulary = tokenizer_size(tokenizer);
        tokenizer_free(tokenizer);
    }
    return code;
}

/* Weights large enough that different texts get clearly different answers. */
static int make_network(struct network *network, const struct spec *spec, uint64_t seed,
                        struct err *err)
{
    struct rng rng;
    if (spec->kind == SPEC_SEQ2SEQ) {
        seq2seq_size(&network->seq2seq, spec);
        network->count = seq2seq_parameters(&network->seq2seq, network->list);
    } else if (spec->kind == SPEC_RNN) {
        rnn_size(&network->rnn, spec);
        network->count = rnn_parameters(&network->rnn, network->list);
    } else {
        if (bag_size(&network->bag, spec, err) < 0) /* no stop words: nothing to free */
            return err->code;
        network->count = bag_parameters(&network->bag, network->list);
    }
    const size_t total = parameters_total(network->list, network->count);
    network->flat = mem_alloc(total, sizeof *network->flat, err);
    if (network->flat == NULL)
        return ERR_MEMORY;
    parameters_bind(network->list, network->count, network->flat);
    rng_seed(&rng, seed, 0);
    init_normal(total, 0.7, &rng, network->flat);
    /* bytes alone seldom make UTF-8: what is written is to consist of larger tokens */
    real *bias = spec->kind == SPEC_SEQ2SEQ      ? network->seq2seq.output_bias
                 : spec->task == SPEC_GENERATION ? network->rnn.output_bias
                                                 : NULL;
    for (size_t id = TOKEN_FIRST; bias != NULL && id < TOKEN_FIRST + 256; id++)
        bias[id] = -20;
    /* without a condition the end comes only at the limit, so that a test knows how long it takes
     */
    if (spec->task == SPEC_GENERATION && spec->condition == SPEC_CONDITION_NONE)
        bias[TOKEN_EOS] = -20;
    return 0;
}

int tiny_bundle_write(const char *folder, const struct tiny_bundle *bundle, struct err *err)
{
    struct spec spec;
    struct network network = {.flat = NULL};
    struct tensor tensors[SEQ2SEQ_MAX_PARAMETERS];
    struct buf vocabulary = BUF_INIT;
    describe(bundle, &spec);
    size_t len = strlen(folder);
    while (len > 1 && folder[len - 1] == '/')
        len--;
    int code = buf_printf(&vocabulary, err, "%.*s.vocabulary", (int)len, folder);
    if (code < 0 || (code = make_vocabulary(&spec, vocabulary.data, err)) < 0 ||
        (code = make_network(&network, &spec, bundle->seed, err)) < 0)
        goto out;
    parameters_tensors(network.list, network.count, tensors);
    code = bundle_save(folder, &spec, vocabulary.data, tensors, network.count, err);
    remove(vocabulary.data);
out:
    mem_free(network.flat);
    buf_release(&vocabulary);
    return code;
}

int tiny_bundle_write_all(const char *folder, struct err *err)
{
    static const struct tiny_bundle bundles[TINY_BUNDLES] = {
        {.name = "tiny-en-fr", .kind = SPEC_SEQ2SEQ, .source = "en", .target = "fr", .seed = 1},
        {.name = "tiny-fr-en", .kind = SPEC_SEQ2SEQ, .source = "fr", .target = "en", .seed = 2},
        {.name = "tiny-bag", .kind = SPEC_BAG_OF_WORDS, .seed = 3},
        {.name = "tiny-rnn", .kind = SPEC_RNN, .seed = 4},
        {.name = "tiny-tags", .kind = SPEC_RNN, .task = SPEC_TAGGING, .seed = 5},
        {.name = "tiny-length", .kind = SPEC_RNN, .task = SPEC_REGRESSION, .seed = 6},
        {.name = "tiny-rows", .kind = SPEC_RNN, .task = SPEC_REGRESSION, .row = 2, .seed = 7},
        {.name = "tiny-lm", .kind = SPEC_RNN, .task = SPEC_GENERATION, .seed = 8},
        {.name = "tiny-names",
         .kind = SPEC_RNN,
         .task = SPEC_GENERATION,
         .labelled = true,
         .seed = 9},
        {.name = "tiny-scene", .kind = SPEC_RNN, .task = SPEC_GENERATION, .feature = 3, .seed = 10},
    };
    int code = file_make_folders(folder, err);
    for (size_t i = 0; i < TINY_BUNDLES && code == 0; i++) {
        char *path = file_join(folder, bundles[i].name, err);
        code = path == NULL ? ERR_MEMORY : tiny_bundle_write(path, &bundles[i], err);
        mem_free(path);
    }
    return code;
}
