#include "train/task.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/bundle.h"
#include "text/vocab.h"

static int learn_vocabulary(const struct task_data *data, bool both_fields, struct err *err)
{
    struct vocab_settings settings;
    recipe_vocab_settings(data->recipe, &settings);
    struct vocab_learner *learner = vocab_learner_new(&settings, err);
    if (!learner)
        return err->code;
    int status = 0;
    for (size_t i = 0; status == 0 && i < data->train.count; i++) {
        const struct corpus_line *line = &data->train.lines[i];
        status = vocab_learner_add(learner, line->first, line->first_len, err);
        if (status == 0 && both_fields)
            status = vocab_learner_add(learner, line->second, line->second_len, err);
    }
    if (status == 0)
        status = vocab_learner_save(learner, data->vocab_path, err);
    vocab_learner_free(learner);
    return status;
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static void hash_bytes(uint64_t *hash, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        *hash = (*hash ^ ((const unsigned char *)bytes)[i]) * UINT64_C(0x100000001B3);
}

static void hash_text(uint64_t *hash, const char *text)
{
    hash_bytes(hash, text ? text : "", text ? strlen(text) + 1 : 1);
}

static void hash_corpus(uint64_t *hash, const struct corpus *corpus)
{
    for (size_t i = 0; i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        hash_bytes(hash, line->first, line->first_len);
        hash_bytes(hash, "\t", 1);
        hash_bytes(hash, line->second, line->second_len);
        hash_bytes(hash, "\n", 1);
    }
    hash_bytes(hash, "", 1);
}

/* What may differ is left out: paths, threads, the optimiser's settings, how long to train. */
static uint64_t hash_origin(const struct task_data *data)
{
    const struct recipe *r = data->recipe;
    const int64_t numbers[] = {
        r->task,           r->kind,           r->tokenizer,     r->form,       r->fold,
        r->merges,         r->max_words,      r->min_count,     r->max_tokens, r->embedding,
        r->encoder_hidden, r->decoder_hidden, r->bidirectional, r->tying,      r->pooling,
        r->ngrams,         r->buckets,        r->batch_tokens,  r->seed};
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    hash_bytes(&hash, numbers, sizeof numbers);
    hash_text(&hash, r->source);
    hash_text(&hash, r->target);
    for (size_t i = 0; i < r->labels.count; i++)
        hash_text(&hash, r->labels.items[i]);
    hash_corpus(&hash, &data->train);
    hash_corpus(&hash, &data->dev);
    return hash;
}

int task_data_open(struct task_data *data, const struct recipe *recipe, const char *command,
                   const char *folder, bool both_fields, struct err *err)
{
    *data = (struct task_data){.recipe = recipe, .command = command};
    if (recipe_spec(recipe, &data->spec, err) ||
        corpus_read(&data->train, (const char *const *)recipe->train.items, recipe->train.count,
                    err) ||
        corpus_read(&data->dev, (const char *const *)recipe->dev.items, recipe->dev.count, err))
        goto failed;
    if (data->dev.count == 0) {
        err_set(err, ERR_ARGUMENT, "the development data is empty");
        goto failed;
    }
    data->origin = hash_origin(data);
    data->vocab_path = file_join(folder, BUNDLE_VOCABULARY, err);
    if (!data->vocab_path || (!recipe->resume && learn_vocabulary(data, both_fields, err)) ||
        tokenizer_open(&data->tokenizer, &data->spec.tokenizer, data->vocab_path, err))
        goto failed;
    data->spec.vocabulary = tokenizer_size(data->tokenizer);
    return 0;
failed:
    task_data_release(data);
    return err->code;
}

void task_data_release(struct task_data *data)
{
    tokenizer_free(data->tokenizer);
    mem_free(data->vocab_path);
    corpus_release(&data->dev);
    corpus_release(&data->train);
    spec_release(&data->spec);
    *data = (struct task_data){0};
}

/* "0=negative,1=positive": how the data's labels are called in the model. */
static int write_labels(struct spec *spec, const struct opt_list *labels, struct err *err)
{
    struct buf text = BUF_INIT;
    int status = 0;
    for (size_t i = 0; status == 0 && i < labels->count; i++)
        status = buf_printf(&text, err, "%s%s", i ? "," : "", labels->items[i]);
    if (status == 0 && labels->count > 0)
        status = spec_card_text(spec, "labels", text.data, err);
    buf_release(&text);
    return status;
}

/* The model card: where the model is from and what it may be used for. */
static int write_card(struct spec *spec, const struct task_data *data, size_t parameters,
                      const char *score_name, struct err *err)
{
    const struct recipe *recipe = data->recipe;
    char date[32], key[64];
    const time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &utc));
    snprintf(key, sizeof key, "dev_%s", score_name);
    if ((recipe->data && spec_card_text(spec, "data", recipe->data, err)) ||
        (recipe->licence && spec_card_text(spec, "licence", recipe->licence, err)) ||
        write_labels(spec, &recipe->labels, err) || spec_card_text(spec, "date", date, err) ||
        spec_card_text(spec, "command", data->command, err) ||
        (recipe->recipe && spec_card_text(spec, "recipe", recipe->recipe, err)) ||
        spec_card_number(spec, "training_examples", (double)data->train.count, err) ||
        spec_card_number(spec, "parameters", (double)parameters, err) ||
        spec_card_number(spec, key, data->best_score, err))
        return err->code;
    return 0;
}

int task_save(struct task_data *data, const struct parameter *list, size_t count,
              const char *score_name, struct err *err)
{
    struct tensor tensors[TASK_MAX_PARAMETERS];
    struct spec spec;
    if (spec_copy(&spec, &data->spec, err))
        return err->code;
    parameters_tensors(list, count, tensors);
    int status = write_card(&spec, data, parameters_total(list, count), score_name, err);
    if (status == 0)
        status = bundle_save(data->recipe->out, &spec, data->vocab_path, tensors, count, err);
    spec_release(&spec);
    return status;
}

int task_ids_init(struct task_ids *ids, size_t count, struct err *err)
{
    *ids = (struct task_ids){.capacity = 16 * count + 1024};
    ids->begins = mem_alloc(count + 1, sizeof *ids->begins, err);
    ids->ids = mem_alloc(ids->capacity, sizeof *ids->ids, err);
    if (!ids->begins || !ids->ids) {
        task_ids_release(ids);
        return ERR_MEMORY;
    }
    return 0;
}

int task_ids_add(struct task_ids *ids, const struct tokenizer *tokenizer, const char *text,
                 size_t len, size_t limit, struct encoded *scratch, size_t *tokens, struct err *err)
{
    if (tokenizer_encode(tokenizer, text, len, scratch, err))
        return err->code;
    const size_t begin = ids->begins[ids->count];
    const size_t kept = scratch->count < limit ? scratch->count : limit;
    if (begin + kept > ids->capacity) {
        const size_t capacity = 2 * (begin + kept);
        int32_t *grown = mem_resize(ids->ids, ids->capacity, capacity, sizeof *grown, err);
        if (!grown)
            return ERR_MEMORY;
        ids->ids = grown;
        ids->capacity = capacity;
    }
    for (size_t i = 0; i < kept; i++)
        ids->ids[begin + i] = scratch->tokens[i].id;
    ids->begins[++ids->count] = begin + kept;
    *tokens = scratch->count;
    return 0;
}

size_t task_ids_total(const struct task_ids *ids)
{
    return ids->begins[ids->count];
}

void task_ids_release(struct task_ids *ids)
{
    mem_free(ids->ids);
    mem_free(ids->begins);
    *ids = (struct task_ids){0};
}
