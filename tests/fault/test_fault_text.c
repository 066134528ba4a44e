/* Every allocation of the text layer is made to fail once. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "fault.h"
#include "text/corpus.h"
#include "text/norm.h"
#include "text/rows.h"
#include "text/stop.h"
#include "text/stream.h"
#include "text/token.h"
#include "text/vectors.h"
#include "text/vocab.h"
#include "text/words.h"

static const char sample[] = "The cat's \uFB01ne e\u0301te\u0301 a\u0301\u0323 STRASSE 日本語 "
                             "1984 aaaa aaa \u00C9 \u212B \u1E9B\u0323";

static const struct vocab_settings settings[] = {
    {.tokenizer = {TOKEN_BPE, NORM_NFKC, true}, .merges = 20, .min_count = 2},
    {.tokenizer = {TOKEN_WORD, NORM_NFC, false}, .min_count = 1},
    {.tokenizer = {TOKEN_CHAR, NORM_NFC, true}, .min_count = 2},
};

static char folder[] = "/tmp/dragoman-fault-XXXXXX";
static char vocab_path[64], corpus_path[64];

static int learn(void *context, struct err *err)
{
    struct vocab_learner *learner = vocab_learner_new(context, err);
    int rc = learner ? 0 : ERR_MEMORY;
    for (int i = 0; i < 2 && !rc; i++)
        rc = vocab_learner_add(learner, sample, sizeof sample - 1, err);
    if (!rc)
        rc = vocab_learner_save(learner, vocab_path, err);
    vocab_learner_free(learner);
    return rc;
}

static int open_tokenizer(void *context, struct err *err)
{
    const struct vocab_settings *with = context;
    struct tokenizer *tokenizer;
    int rc = tokenizer_open(&tokenizer, &with->tokenizer, vocab_path, err);
    assert_true((rc == 0) == (tokenizer != NULL));
    tokenizer_free(tokenizer);
    return rc;
}

/* Thousands of marks outgrow every inline array; the text holds enough spans to outgrow theirs. */
static int encode(void *context, struct err *err)
{
    const struct tokenizer *tokenizer = context;
    struct encoded out = {.count = 0};
    static char text[8192];
    size_t len = 0;
    for (; len < 4096; len += 3)
        memcpy(text + len, "\u212B", 3);
    for (; len < 8000; len += 2)
        memcpy(text + len, len & 2 ? "\u0301" : "\u0323", 2);
    int rc = tokenizer_encode(tokenizer, text, len, &out, err);
    if (rc)
        assert_int_equal(out.count, 0);
    encoded_release(&out);
    return rc;
}

static int decode(void *context, struct err *err)
{
    static const int32_t broken[] = {TOKEN_FIRST + 'a', TOKEN_FIRST + 0xE2, TOKEN_FIRST + 'b'};
    struct buf out = BUF_INIT;
    int rc = 0;
    for (int i = 0; i < 100 && !rc; i++) {
        size_t before = out.len;
        rc = tokenizer_decode(context, broken, 3, &out, err);
        if (rc)
            assert_int_equal(out.len, before);
    }
    buf_release(&out);
    return rc;
}

static int read_corpus(void *context, struct err *err)
{
    const char *paths[] = {context, context};
    struct corpus corpus;
    int rc = corpus_read(&corpus, paths, 2, err);
    assert_true((rc == 0) == (corpus.count == 3000));
    corpus_release(&corpus);
    return rc;
}

static int read_texts(void *context, struct err *err)
{
    const char *path = context;
    struct corpus corpus;
    int rc = corpus_read_texts(&corpus, &path, 1, err);
    assert_true((rc == 0) == (corpus.count == 1500));
    corpus_release(&corpus);
    return rc;
}

static int read_stream(void *context, struct err *err)
{
    const char *paths[] = {context, context};
    struct text_stream stream;
    int rc = text_stream_read(&stream, paths, 2, err);
    assert_true((rc == 0) == (stream.text != NULL));
    text_stream_release(&stream);
    return rc;
}

static int copy_rows(void *context, struct err *err)
{
    struct rows rows;
    struct buf out = BUF_INIT;
    int rc = rows_parse(&rows, context, strlen(context), err);
    if (rc == 0)
        rc = rows_write(&rows, &out, err);
    rows_release(&rows);
    buf_release(&out);
    return rc;
}

static int split_words(void *context, struct err *err)
{
    struct words words = {.count = 0};
    int rc = words_split(&words, context, strlen(context), err);
    assert_true((rc == 0) == (words.count == 70));
    words_release(&words);
    return rc;
}

static int read_stop_words(void *context, struct err *err)
{
    struct stop_words *stop;
    int rc = stop_words_read(&stop, context, NORM_NFKC, true, err);
    assert_true((rc == 0) == (stop != NULL));
    stop_words_free(stop);
    return rc;
}

static int read_vectors(void *context, struct err *err)
{
    struct vectors vectors;
    int rc = vectors_read(&vectors, corpus_path, context, 2, err);
    assert_true((rc == 0) == (vectors.values != NULL));
    vectors_release(&vectors);
    return rc;
}

static void vocabularies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        struct vocab_settings with = settings[i];
        struct tokenizer *tokenizer = NULL;
        assert_true(fault_loop(learn, &with) > 10);
        assert_true(fault_loop(open_tokenizer, &with) > 5);
        assert_int_equal(tokenizer_open(&tokenizer, &with.tokenizer, vocab_path, NULL), 0);
        assert_true(fault_loop(encode, tokenizer) > 5);
        if (with.tokenizer.kind == TOKEN_BPE)
            assert_true(fault_loop(decode, tokenizer) > 5);
        tokenizer_free(tokenizer);
    }
}

static void corpora(void **state)
{
    FILE *stream = fopen(corpus_path, "w");
    (void)state;
    assert_non_null(stream);
    for (int i = 0; i < 1500; i++)
        fprintf(stream, "line %d\tligne %d\n", i, i);
    fclose(stream);
    assert_true(fault_loop(read_corpus, corpus_path) > 3);
    assert_true(fault_loop(read_texts, corpus_path) > 3);
    assert_true(fault_loop(read_stream, corpus_path) > 1);
}

static void rows_of_numbers(void **state)
{
    static char text[] = "1,2,3.14159274;0.100000001,0.200000003,0.300000012;-1.25e-30,5e20,6";
    (void)state;
    assert_true(fault_loop(copy_rows, text) > 2);
}

static void words_of_text(void **state)
{
    char text[141] = "";
    FILE *stream = fopen(corpus_path, "w");
    (void)state;
    assert_non_null(stream);
    for (int i = 0; i < 70; i++) {
        memcpy(text + 2 * i, "a ", 2);
        fprintf(stream, "word%d\n", i);
    }
    fclose(stream);
    assert_true(fault_loop(split_words, text) > 1);
    assert_true(fault_loop(read_stop_words, corpus_path) > 5);
}

/* One of the words is long and full of marks. */
static void word_vectors(void **state)
{
    struct vocab_settings with = settings[1];
    struct tokenizer *tokenizer = NULL;
    FILE *stream = fopen(corpus_path, "w");
    (void)state;
    assert_non_null(stream);
    fputs("2 2\ncat 1 2\na", stream);
    for (int i = 0; i < 3000; i++)
        fputs(i & 1 ? "\u0301" : "\u0323", stream);
    fputs(" 3 4\n", stream);
    fclose(stream);
    assert_int_equal(learn(&with, NULL), 0);
    assert_int_equal(tokenizer_open(&tokenizer, &with.tokenizer, vocab_path, NULL), 0);
    assert_true(fault_loop(read_vectors, tokenizer) > 8);
    tokenizer_free(tokenizer);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(vocab_path, sizeof vocab_path, "%s/vocab.sqlite", folder);
    snprintf(corpus_path, sizeof corpus_path, "%s/corpus.tsv", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return file_remove_folder(folder, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vocabularies),    cmocka_unit_test(corpora),
        cmocka_unit_test(rows_of_numbers), cmocka_unit_test(words_of_text),
        cmocka_unit_test(word_vectors),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
