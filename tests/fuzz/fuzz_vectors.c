/* Fuzz target: word vectors. What is accepted is finite, and rows without a vector stay zero. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/vectors.h"
#include "text/vocab.h"

#define WIDTH 2

static void require(bool condition)
{
    if (!condition)
        abort();
}

static struct tokenizer *make_tokenizer(const struct vocab_settings *settings)
{
    static const char line[] = "the cat that sat there, l'été à l'été, straße 日本 1984";
    char path[] = "/tmp/dragoman-fuzz-XXXXXX";
    int fd = mkstemp(path);
    struct tokenizer *tokenizer = NULL;
    struct vocab_learner *learner = vocab_learner_new(settings, NULL);

    require(fd >= 0 && learner != NULL);
    require(vocab_learner_add(learner, line, sizeof line - 1, NULL) == 0);
    require(vocab_learner_save(learner, path, NULL) == 0);
    require(tokenizer_open(&tokenizer, &settings->tokenizer, path, NULL) == 0);
    vocab_learner_free(learner);
    close(fd);
    unlink(path);
    return tokenizer;
}

static void check_rows(const struct vectors *vectors)
{
    size_t count = 0;
    for (size_t id = 0; id < vectors->vocabulary; id++) {
        count += vectors->found[id];
        for (size_t i = 0; i < WIDTH; i++) {
            const float value = vectors->values[id * WIDTH + i];
            require(isfinite(value) && (vectors->found[id] || value == 0));
        }
    }
    require(count == vectors->count && count > 0);
}

static void read_vectors(const struct tokenizer *tokenizer, const uint8_t *data, size_t size)
{
    struct vectors vectors;
    struct err err = ERR_INIT;
    FILE *stream = tmpfile();
    require(stream != NULL && fwrite(data, 1, size, stream) == size);
    rewind(stream);
    int rc = vectors_read_stream(&vectors, stream, "fuzz", tokenizer, WIDTH, &err);
    fclose(stream);
    require(rc == (int)err.code && (rc != 0) == (err.message[0] != '\0'));
    if (rc == 0)
        check_rows(&vectors);
    else
        require(vectors.values == NULL && vectors.found == NULL);
    vectors_release(&vectors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct vocab_settings settings[] = {
        {.tokenizer = {TOKEN_BPE, NORM_NFC, false}, .merges = 40, .min_count = 1},
        {.tokenizer = {TOKEN_WORD, NORM_NFKC, true}, .min_count = 1},
    };
    static struct tokenizer *tokenizers[2];
    for (size_t i = 0; i < 2; i++) {
        if (tokenizers[i] == NULL)
            tokenizers[i] = make_tokenizer(&settings[i]);
        read_vectors(tokenizers[i], data, size);
    }
    return 0;
}
