/*
 * What the examples of a task have to read, tokens or rows of numbers, and padded batches of them
 * for the network that reads either.
 */
#ifndef DRAGOMAN_TRAIN_SEQUENCES_H
#define DRAGOMAN_TRAIN_SEQUENCES_H

#include "model/rnn.h"
#include "train/task.h"

struct sequences {       /* release with sequences_release, in any case */
    size_t row;          /* F: numbers in a row; 0: tokens */
    struct task_ids ids; /* of tokens, or */
    float *rows;         /* of all examples, one behind the other, and where each begins */
    size_t *begins;      /* [count + 1] */
    size_t count;        /* of rows; of tokens: ids.count */
    size_t capacity;
    size_t cut; /* examples that were longer than the limit */
};

int sequences_init(struct sequences *sequences, size_t row, size_t count, struct err *err);
/* Appends the line's first field, cut at `limit` tokens or rows; *length receives how many it
   really has. A message does not say where the line stands. */
int sequences_add(struct sequences *sequences, const struct corpus_line *line,
                  const struct tokenizer *tokenizer, size_t limit, struct encoded *scratch,
                  size_t *length, struct err *err);
void sequences_take_back(struct sequences *sequences); /* drops the last one */
/* The first fields of the corpus, each cut at `limit` tokens or rows. row: what each row must have,
   0 for tokens; paths: the corpus's files, for messages. */
int sequences_read(struct sequences *sequences, const struct corpus *corpus,
                   const struct opt_list *paths, const struct tokenizer *tokenizer, size_t row,
                   size_t limit, struct err *err);
void sequences_release(struct sequences *sequences);
/* Numbers in a row of the corpus's first line. */
int sequences_width(const struct corpus *corpus, const struct opt_list *paths, size_t *row,
                    struct err *err);

/* A number alone, as a value of rows is written. */
int sequences_number(const char *text, size_t len, double *value, struct err *err);

size_t sequences_length(const struct sequences *sequences, size_t i);
size_t sequences_total(const struct sequences *sequences); /* tokens or rows of all */
struct rnn_input sequences_input(const struct sequences *sequences, size_t i);
/* batch, steps, lengths and ids or rows of the examples, in the arena; the rest of *batch stays. */
int sequences_batch(const struct sequences *sequences, const uint32_t *examples, size_t count,
                    struct rnn_batch *batch, struct arena *arena, struct err *err);
/* Examples of about the same length meet. */
void sequences_keys(const struct sequences *sequences, struct batch_key *keys);

#endif
