#include "train/task.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/bundle.h"
#include "text/stream.h"
#include "text/vocab.h"
#include "train/schedule.h"
#include "train/sequences.h"

static int learn_vocabulary(const struct task_data *data, enum task_form form, struct err *err)
{
    struct vocab_settings settings;
    recipe_vocab_settings(data->recipe, &settings);
    struct vocab_learner *learner = vocab_learner_new(&settings, err);
    if (!learner)
        return err->code;
    int status = 0;
    const bool reads = settings.min_count < SIZE_MAX; /* else no word can be kept */
    for (size_t i = 0; reads && status == 0 && i < data->train.count; i++) {
        const struct corpus_line *line = &data->train.lines[i];
        if (form != TASK_SECOND_FIELD && data->recipe->input == RECIPE_INPUT_TEXT)
            status = vocab_learner_add(learner, line->first, line->first_len, err);
        if (status == 0 && (form == TASK_SECOND_FIELD || form == TASK_BOTH_FIELDS))
            status = vocab_learner_add(learner, line->second, line->second_len, err);
    }
    if (status == 0)
        status = vocab_learner_save(learner, data->new_vocab_path, err);
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

static void hash_vocabulary(uint64_t *hash, const struct tokenizer *tokenizer)
{
    for (size_t id = 0; id < tokenizer_size(tokenizer); id++)
        hash_text(hash, tokenizer_text(tokenizer, (int32_t)id, &(size_t){0}));
}

/* Settings that no weight depends on. Those of the data count by what is in the files. The number
   of epochs counts where a rate or an evaluation depends on it. */
static bool may_change(const struct opt *opt, const struct recipe *recipe)
{
    static const char *const names[] = {"train",      "dev",  "out",      "recipe",
                                        "name",       "data", "licence",  "samples",
                                        "resume",     "help", "patience", "checkpoint-minutes",
                                        "max-minutes"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(opt->name, names[i]) == 0)
            return true;
    return strcmp(opt->name, "epochs") == 0 && recipe->evaluate_every == 0 &&
           !schedule_needs_length((enum schedule_kind)recipe->schedule, recipe->warmup);
}

static void hash_list(uint64_t *hash, const struct opt_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        hash_text(hash, list->items[i]);
    hash_bytes(hash, "", 1);
}

static void hash_setting(uint64_t *hash, const struct opt *opt, const void *value)
{
    switch (opt->type) {
    case OPT_FLAG:
        hash_bytes(hash, value, sizeof(bool));
        break;
    case OPT_INT:
        hash_bytes(hash, value, sizeof(int64_t));
        break;
    case OPT_REAL:
        hash_bytes(hash, value, sizeof(double));
        break;
    case OPT_CHOICE:
        hash_bytes(hash, value, sizeof(int));
        break;
    case OPT_TEXT:
        hash_text(hash, *(char *const *)value);
        break;
    case OPT_LIST:
        hash_list(hash, value);
        break;
    }
}

/* A resumed run is the same run or none: whatever changes a number of it belongs to its origin, so
   that a new option does without being thought of. */
static uint64_t hash_origin(const struct task_data *data)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (const struct opt *opt = recipe_options; opt->name; opt++)
        if (!may_change(opt, data->recipe))
            hash_setting(&hash, opt, (const char *)data->recipe + opt->offset);
    hash_corpus(&hash, &data->train);
    hash_corpus(&hash, &data->dev);
    hash_vocabulary(&hash, data->tokenizer);
    return hash;
}

/* The recipe's word vectors; a run that is resumed must have begun with them. */
static int read_vectors(struct task_data *data, struct err *err)
{
    struct vectors *vectors = &data->vectors;
    if (!data->recipe->embeddings)
        return 0;
    if (vectors_read(vectors, data->recipe->embeddings, data->tokenizer, data->spec.embedding, err))
        return err->code;
    hash_bytes(&data->origin, vectors->values,
               vectors->vocabulary * vectors->width * sizeof *vectors->values);
    return 0;
}

static int check_filled(const struct corpus *corpus, const struct opt_list *paths, const char *what,
                        struct err *err)
{
    if (corpus->count > 0)
        return 0;
    return err_set(err, ERR_ARGUMENT, "the %s data is empty: %s%s", what, paths->items[0],
                   paths->count > 1 ? " and the other files" : "");
}

/* The bundle's vocabulary instead of one that is learned. */
static int copy_vocabulary(const struct task_data *data, struct err *err)
{
    struct file_copy from;
    struct file_save to;
    char *path = file_join(data->recipe->start_from, BUNDLE_VOCABULARY, err);
    int status = path ? file_copy_open(&from, path, SAFETENSORS_MAX_BYTES, err) : ERR_MEMORY;
    mem_free(path);
    if (status)
        return status;
    status = file_save_begin(&to, data->new_vocab_path, err);
    if (status == 0 && fwrite(from.data, 1, from.size, to.stream) != from.size) {
        status = err_errno(err, "%s: cannot write", data->new_vocab_path);
        file_save_abort(&to);
    } else if (status == 0) {
        status = file_save_commit(&to, err);
    }
    file_copy_close(&from);
    return status;
}

static int open_start(struct task_data *data, struct err *err)
{
    const struct tokenizer_spec *wanted = &data->spec.tokenizer;
    if (!data->recipe->start_from || data->recipe->resume)
        return 0;
    if (bundle_open(&data->start, data->recipe->start_from, err))
        return err->code;
    const struct tokenizer_spec *found = &data->start.spec.tokenizer;
    if (found->kind != wanted->kind || found->form != wanted->form || found->fold != wanted->fold)
        return err_set(err, ERR_ARGUMENT, "%s: its tokenizer is not that of the recipe",
                       data->recipe->start_from);
    return 0;
}

static const struct tensor *find_start(const struct task_data *data,
                                       const struct parameter *parameter)
{
    const struct safetensors *file = &data->start.weights;
    for (size_t i = 0; i < file->count; i++) {
        const struct tensor *tensor = &file->tensors[i];
        const size_t columns = tensor->dimensions > 1 ? tensor->shape[1] : 0;
        if (tensor->type == TENSOR_F32 && strcmp(tensor->name, parameter->name) == 0 &&
            tensor->dimensions <= 2 && tensor->shape[0] == parameter->rows &&
            columns == parameter->columns)
            return tensor;
    }
    return NULL;
}

void task_start(const struct task_data *data, const struct parameter *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct tensor *tensor = find_start(data, &list[i]);
        for (size_t k = 0; tensor && k < tensor->count; k++)
            (*list[i].slot)[k] = tensor->data[k];
    }
}

int task_check_start(const struct task_data *data, const struct parameter *list, size_t count,
                     struct err *err)
{
    if (!data->recipe->start_from || data->recipe->resume)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (find_start(data, &list[i]))
            return 0;
    return err_set(err, ERR_ARGUMENT, "%s: none of its tensors fits the recipe's network",
                   data->recipe->start_from);
}

/* A new vocabulary stands under a name of its own until the task is known to be sound, so that a
   run which cannot begin does not spoil the folder of an earlier one. */
static int open_vocabulary(struct task_data *data, const char *folder, enum task_form form,
                           struct err *err)
{
    data->vocab_path = file_join(folder, BUNDLE_VOCABULARY, err);
    if (!data->vocab_path)
        return ERR_MEMORY;
    if (!data->recipe->resume) {
        data->new_vocab_path = file_join(folder, BUNDLE_VOCABULARY ".new", err);
        if (!data->new_vocab_path || file_make_folders(folder, err) ||
            (data->recipe->start_from ? copy_vocabulary(data, err)
                                      : learn_vocabulary(data, form, err)))
            return err->code;
    }
    return tokenizer_open(&data->tokenizer, &data->spec.tokenizer,
                          data->new_vocab_path ? data->new_vocab_path : data->vocab_path, err);
}

/* A corpus of one line, which is all files' text, or of none where there is no text. */
static int read_stream(struct corpus *corpus, const char *const *paths, size_t count,
                       struct err *err)
{
    struct text_stream stream;
    if (text_stream_read(&stream, paths, count, err))
        return err->code;
    *corpus = (struct corpus){.block = stream.text};
    corpus->lines = mem_alloc(1, sizeof *corpus->lines, err);
    if (!corpus->lines)
        return ERR_MEMORY;
    if (stream.len > 0)
        corpus->lines[corpus->count++] = (struct corpus_line){
            .first = stream.text, .second = "", .first_len = stream.len, .line = 1};
    return 0;
}

static int read_corpus(struct corpus *corpus, const struct opt_list *files, enum task_form form,
                       struct err *err)
{
    const char *const *paths = (const char *const *)files->items;
    if (form == TASK_STREAM)
        return read_stream(corpus, paths, files->count, err);
    return (form == TASK_TEXTS ? corpus_read_texts : corpus_read)(corpus, paths, files->count, err);
}

int task_data_open(struct task_data *data, const struct recipe *recipe, const char *command,
                   const char *folder, enum task_form form, struct err *err)
{
    *data = (struct task_data){.recipe = recipe, .command = command};
    if (recipe_spec(recipe, &data->spec, err) ||
        read_corpus(&data->train, &recipe->train, form, err) ||
        read_corpus(&data->dev, &recipe->dev, form, err) ||
        check_filled(&data->train, &recipe->train, "training", err) ||
        check_filled(&data->dev, &recipe->dev, "development", err) || open_start(data, err) ||
        (recipe->input == RECIPE_INPUT_ROWS &&
         sequences_width(&data->train, &recipe->train, &data->spec.row, err)) ||
        open_vocabulary(data, folder, form, err))
        goto failed;
    data->spec.vocabulary = tokenizer_size(data->tokenizer);
    data->origin = hash_origin(data);
    if (read_vectors(data, err))
        goto failed;
    return 0;
failed:
    task_data_release(data);
    return err->code;
}

void task_data_release(struct task_data *data)
{
    bundle_release(&data->start);
    vectors_release(&data->vectors);
    tokenizer_free(data->tokenizer);
    if (data->new_vocab_path)
        unlink(data->new_vocab_path);
    mem_free(data->new_vocab_path);
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
        (recipe->start_from && spec_card_text(spec, "start_from", recipe->start_from, err)) ||
        (recipe->embeddings &&
         (spec_card_text(spec, "embeddings", recipe->embeddings, err) ||
          spec_card_number(spec, "embeddings_found", (double)data->vectors.count, err))) ||
        spec_card_number(spec, data->tokens > 0 ? "training_tokens" : "training_examples",
                         (double)(data->tokens > 0 ? data->tokens : data->train.count), err) ||
        spec_card_number(spec, "parameters", (double)parameters, err) ||
        spec_card_number(spec, key, data->best_score, err))
        return err->code;
    return 0;
}

/* What could not be written must not come to light with the first model. */
static int check_card(const struct task_data *data, struct err *err)
{
    struct spec spec;
    if (spec_copy(&spec, &data->spec, err))
        return err->code;
    int status = write_card(&spec, data, 0, "score", err);
    if (status == 0)
        status = spec_check(&spec, err);
    spec_release(&spec);
    return status;
}

int task_data_keep(struct task_data *data, struct err *err)
{
    if (check_card(data, err))
        return err->code;
    if (!data->new_vocab_path)
        return 0;
    if (rename(data->new_vocab_path, data->vocab_path))
        return err_errno(err, "%s: cannot replace", data->vocab_path);
    mem_free(data->new_vocab_path);
    data->new_vocab_path = NULL;
    return 0;
}

int task_save_tensors(struct task_data *data, const struct tensor *tensors, size_t count,
                      size_t parameters, const char *score_name, struct err *err)
{
    struct spec spec;
    if (spec_copy(&spec, &data->spec, err))
        return err->code;
    int status = write_card(&spec, data, parameters, score_name, err);
    if (status == 0)
        status = bundle_save(data->recipe->out, &spec, data->vocab_path, tensors, count, err);
    spec_release(&spec);
    return status;
}

int task_save(struct task_data *data, const struct parameter *list, size_t count,
              const char *score_name, struct err *err)
{
    struct tensor tensors[TASK_MAX_PARAMETERS];
    parameters_tensors(list, count, tensors);
    return task_save_tensors(data, tensors, count, parameters_total(list, count), score_name, err);
}
