/*
 * What translations are scored against: the second column of a test set alone, all known
 * translations of its sentences, or files of references, a line each.
 */
#ifndef DRAGOMAN_CMD_TEST_SET_H
#define DRAGOMAN_CMD_TEST_SET_H

#include <stdbool.h>
#include "cmd/references.h"
#include "cmd/text_lines.h"
#include "model/batch.h"
#include "text/corpus.h"
#include "train/metric.h"

struct test_set { /* zero before; release in any case */
    size_t count;
    struct batch_text *sources; /* [count]; NULL where made of files of references */
    struct metric_text *targets;
    struct metric_segment *single; /* [count], against the target, or a line of each file */
    struct metric_segment *all;    /* [count], against all known translations; NULL: not wanted */
    struct references references;
    struct text_lines *files; /* of references */
    size_t file_count;
};

/* The corpus must outlive the set. `reverse`: its second column is the source. `references`: the
   path of a file of all translations, or NULL. */
int test_set_of_corpus(struct test_set *set, const struct corpus *corpus, bool reverse,
                       const char *references, struct err *err);
/* All files have as many lines; one of those that belong together must not be empty. */
int test_set_of_files(struct test_set *set, char *const *paths, size_t count, struct err *err);
void test_set_release(struct test_set *set);

/* The translation of sentence i; the text must outlive the set. */
void test_set_hypothesis(struct test_set *set, size_t i, struct metric_text hypothesis);

#endif
