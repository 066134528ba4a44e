/*
 * What the tasks share: the recipe's data read, the vocabulary learned or (when resuming) read
 * again, texts turned into ids, the bundle described and saved.
 */
#ifndef DRAGOMAN_TRAIN_TASK_H
#define DRAGOMAN_TRAIN_TASK_H

#include "model/bundle.h"
#include "model/seq2seq.h"
#include "model/spec.h"
#include "text/corpus.h"
#include "text/token.h"
#include "text/vectors.h"
#include "train/trainer.h"

#define TASK_MAX_PARAMETERS SEQ2SEQ_MAX_PARAMETERS

struct task_data {
    const struct recipe *recipe;
    const char *command; /* for the model card */
    struct spec spec;
    struct corpus train, dev;
    char *vocab_path;
    char *new_vocab_path; /* where it stands until task_data_keep; NULL when resuming */
    struct tokenizer *tokenizer;
    struct vectors vectors; /* first embeddings; empty where the recipe names no file */
    struct bundle start;    /* first weights and vocabulary, where the recipe names a bundle */
    double best_score;      /* for the model card */
    size_t tokens;          /* of a stream: for the card, instead of a number of lines */
    uint64_t origin;        /* hash of what may not change when a run is resumed */
};

enum task_form { /* of the data, and what of it the vocabulary covers */
                 TASK_FIRST_FIELD,
                 TASK_SECOND_FIELD,
                 TASK_BOTH_FIELDS,
                 TASK_TEXTS,  /* lines without fields */
                 TASK_STREAM, /* all files as one text, the only line of the corpus */
};
/* `folder` receives vocab.sqlite. Tasks may leave out lines of `train` and `dev` afterwards. */
int task_data_open(struct task_data *data, const struct recipe *recipe, const char *command,
                   const char *folder, enum task_form form, struct err *err);
/* Puts the tensors of the bundle that the recipe starts from into the parameters of the same name
   and shape; the others stay as they are. Nothing to do where it names none. */
void task_start(const struct task_data *data, const struct parameter *list, size_t count);
/* An error where the recipe starts from a bundle that has no such tensor at all. */
int task_check_start(const struct task_data *data, const struct parameter *list, size_t count,
                     struct err *err);
/* Once the spec is complete: checks that a bundle with it could be saved, and lets the vocabulary
   take the place of an earlier run's. */
int task_data_keep(struct task_data *data, struct err *err);
void task_data_release(struct task_data *data);
/* Writes the bundle with the parameters, which are bound; card: recipe, data, licence, score,
   command. score_name: "bleu", for "dev_bleu" */
int task_save(struct task_data *data, const struct parameter *list, size_t count,
              const char *score_name, struct err *err);
/* The same with tensors of any type; parameters: how many numbers were learned. */
int task_save_tensors(struct task_data *data, const struct tensor *tensors, size_t count,
                      size_t parameters, const char *score_name, struct err *err);

struct task_ids { /* the ids of many texts, one behind the other */
    int32_t *ids;
    size_t *begins; /* [count + 1] */
    size_t count, capacity;
};
int task_ids_init(struct task_ids *ids, size_t count, struct err *err);
/* Appends a text's tokens, at most `limit`; *tokens receives how many it really has. */
int task_ids_add(struct task_ids *ids, const struct tokenizer *tokenizer, const char *text,
                 size_t len, size_t limit, struct encoded *scratch, size_t *tokens,
                 struct err *err);
/* The same of a text that is encoded already. */
int task_ids_put(struct task_ids *ids, const struct encoded *encoded, size_t limit,
                 struct err *err);
size_t task_ids_total(const struct task_ids *ids); /* tokens of all texts */
void task_ids_release(struct task_ids *ids);

enum task_field { TASK_FIRST, TASK_SECOND };
/* Replaces the ids of all training texts, for which `ids` has been made, by what BPE dropout makes
   of them in this epoch, none longer than max-tokens. */
int task_ids_redraw(struct task_ids *ids, const struct task_data *data, enum task_field field,
                    size_t epoch, struct pool *pool, struct err *err);

/* One constructor a task: fills `task`; context is freed with the matching release. */
int translation_task(struct trainer_task *task, const struct recipe *recipe, const char *command,
                     const char *folder, struct err *err);
void translation_task_release(struct trainer_task *task);
int classification_task(struct trainer_task *task, const struct recipe *recipe, const char *command,
                        const char *folder, struct err *err);
void classification_task_release(struct trainer_task *task);
int generation_task(struct trainer_task *task, const struct recipe *recipe, const char *command,
                    const char *folder, struct err *err);
void generation_task_release(struct trainer_task *task);
int tagging_task(struct trainer_task *task, const struct recipe *recipe, const char *command,
                 const char *folder, struct err *err);
void tagging_task_release(struct trainer_task *task);
int regression_task(struct trainer_task *task, const struct recipe *recipe, const char *command,
                    const char *folder, struct err *err);
void regression_task_release(struct trainer_task *task);
int bag_task(struct trainer_task *task, const struct recipe *recipe, const char *command,
             const char *folder, struct err *err);
void bag_task_release(struct trainer_task *task);

#endif
