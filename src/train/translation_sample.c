#include "train/translation_sample.h"

#include "base/mem.h"

struct translation_sample {
    struct trainer_sample shown; /* points into what follows and into the corpus */
    struct batch_attention attention;
    char *output;
    const char **source_tokens, **output_tokens;
};

int translation_samples_init(struct translation_samples *samples, size_t count, struct err *err)
{
    samples->items = mem_alloc(count, sizeof *samples->items, err);
    if (!samples->items)
        return ERR_MEMORY;
    samples->count = count;
    return 0;
}

static void forget(struct translation_sample *sample)
{
    mem_free(sample->output_tokens);
    mem_free(sample->source_tokens);
    mem_free(sample->output);
    sample->output = NULL;
    sample->source_tokens = sample->output_tokens = NULL;
    sample->shown = (struct trainer_sample){0};
}

void translation_samples_release(struct translation_samples *samples)
{
    for (size_t i = 0; i < samples->count; i++) {
        forget(&samples->items[i]);
        batch_attention_release(&samples->items[i].attention);
    }
    mem_free(samples->items);
    *samples = (struct translation_samples){0};
}

void translation_samples_ask(struct translation_samples *samples, struct batch_output *outputs)
{
    for (size_t i = 0; i < samples->count; i++)
        outputs[i].attention = &samples->items[i].attention;
}

/* The texts of both sides' tokens; they belong to the tokenizer. */
static int keep_tokens(struct translation_sample *sample, const struct tokenizer *tokenizer,
                       const struct corpus_line *line, struct err *err)
{
    const struct batch_attention *attention = &sample->attention;
    struct encoded source = {0};
    size_t len;
    int status = tokenizer_encode(tokenizer, line->first, line->first_len, &source, err);
    if (status || attention->count == 0 || source.count != attention->source_count)
        goto out;
    sample->source_tokens = mem_alloc(source.count, sizeof *sample->source_tokens, err);
    sample->output_tokens = mem_alloc(attention->count, sizeof *sample->output_tokens, err);
    if (!sample->source_tokens || !sample->output_tokens) {
        status = ERR_MEMORY;
        goto out;
    }
    for (size_t i = 0; i < source.count; i++)
        sample->source_tokens[i] = tokenizer_text(tokenizer, source.tokens[i].id, &len);
    for (size_t i = 0; i < attention->count; i++)
        sample->output_tokens[i] = tokenizer_text(tokenizer, attention->ids[i], &len);
    sample->shown.attention = attention->weights;
    sample->shown.source_tokens = sample->source_tokens;
    sample->shown.output_tokens = sample->output_tokens;
    sample->shown.source_count = source.count;
    sample->shown.output_count = attention->count;
out:
    encoded_release(&source);
    return status;
}

int translation_samples_keep(struct translation_samples *samples, const struct corpus *dev,
                             const struct tokenizer *tokenizer, const struct batch_output *outputs,
                             struct err *err)
{
    for (size_t i = 0; i < samples->count; i++) {
        struct translation_sample *sample = &samples->items[i];
        const struct corpus_line *line = &dev->lines[i];
        forget(sample);
        sample->shown.source = line->first;
        sample->shown.reference = line->second;
        if (outputs[i].count == 0)
            continue;
        const struct batch_candidate *best = &outputs[i].candidates[0];
        sample->output = mem_copy_text(best->text, best->len, err);
        if (!sample->output || (!samples->rows && keep_tokens(sample, tokenizer, line, err)))
            return ERR_MEMORY;
        sample->shown.output = sample->output;
        sample->shown.score = (double)best->score;
    }
    return 0;
}

bool translation_samples_get(const struct translation_samples *samples, size_t i,
                             struct trainer_sample *sample)
{
    if (i >= samples->count || !samples->items[i].shown.source)
        return false;
    *sample = samples->items[i].shown;
    return true;
}
