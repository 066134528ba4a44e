/* Fuzz target: tokenizers. Any text of UTF-8 comes back normalised, with BPE dropout and without,
   tokens cover it without gaps and point into it, and every word between white space has a last
   token; anything else is refused. Read as ids, the same bytes decode to UTF-8. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "text/norm.h"
#include "text/token.h"
#include "text/utf8.h"
#include "text/vocab.h"
#include "text/words.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static const struct vocab_settings all_settings[] = {
    {.tokenizer = {TOKEN_BPE, NORM_NFC, false}, .merges = 40, .min_count = 1},
    {.tokenizer = {TOKEN_BPE, NORM_NFKC, true}, .merges = 10, .min_count = 2},
    {.tokenizer = {TOKEN_WORD, NORM_NFC, true}, .min_count = 1},
    {.tokenizer = {TOKEN_CHAR, NORM_NFKC, true}, .min_count = 1},
};
#define SETTINGS (sizeof all_settings / sizeof *all_settings)

static struct tokenizer *make_tokenizer(const struct vocab_settings *settings)
{
    static const char line[] = "the cat that sat there, l'été à l'été, straße aaaa aaa 日本 привет";
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

/* `added`: bytes in front of the text that are not of it. */
static void check_tokens(const struct encoded *out, size_t len, size_t added)
{
    uint32_t at = 0, raw_begin = 0, raw_end = 0;
    for (size_t i = 0; i < out->count; i++) {
        const struct token *token = &out->tokens[i];
        require(token->begin == at && token->end > at);
        require(token->raw_begin >= raw_begin && token->raw_end >= raw_end);
        require(token->raw_begin <= raw_end && token->raw_end <= len);
        require(token->raw_begin < token->raw_end || (i == 0 && token->end == added));
        at = token->end;
        raw_begin = token->raw_begin;
        raw_end = token->raw_end;
    }
    require(at == out->text.len && raw_end == len);
}

static void check_decoding(const struct tokenizer *tokenizer, const struct encoded *out,
                           size_t added)
{
    bool known = true;
    int32_t *ids = calloc(out->count + 1, sizeof *ids);
    struct buf text = BUF_INIT;
    require(ids != NULL);
    for (size_t i = 0; i < out->count; i++) {
        ids[i] = out->tokens[i].id;
        known = known && ids[i] != TOKEN_UNK;
    }
    require(tokenizer_decode(tokenizer, ids, out->count, &text, NULL) == 0);
    require(known || tokenizer_spec(tokenizer)->kind != TOKEN_BPE);
    if (known && out->count > 0)
        require(text.len == out->text.len - added &&
                (text.len == 0 || memcmp(text.data, out->text.data + added, text.len) == 0));
    buf_release(&text);
    free(ids);
}

static void check_words(const char *text, size_t len, const struct encoded *out)
{
    struct words words = {.count = 0};
    require(words_split(&words, text, len, NULL) == 0);
    uint32_t *last = calloc(words.count + 1, sizeof *last);
    require(last != NULL);
    words_last_tokens(&words, out->tokens, out->count, last);
    for (size_t i = 0; i < words.count; i++) {
        require(last[i] < out->count && (i == 0 || last[i] > last[i - 1]));
        require(out->tokens[last[i]].raw_end >= words.ranges[i].end);
    }
    free(last);
    words_release(&words);
}

static void encode(const struct tokenizer *tokenizer, const char *text, size_t len, double dropout)
{
    struct encoded out = {.count = 0};
    struct err err = ERR_INIT;
    struct rng rng;
    rng_seed(&rng, len, 0);
    int rc = tokenizer_encode_dropout(tokenizer, text, len, dropout, &rng, &out, &err);
    require(rc == (utf8_valid_length(text, len) == len ? 0 : ERR_UTF8));
    if (rc == 0) {
        const size_t added = tokenizer_spec(tokenizer)->kind != TOKEN_CHAR;
        check_tokens(&out, len, added);
        check_decoding(tokenizer, &out, added);
        check_words(text, len, &out);
    }
    encoded_release(&out);
}

static void decode(const struct tokenizer *tokenizer, const uint8_t *data, size_t size)
{
    struct buf text = BUF_INIT;
    size_t count = size / 2;
    int32_t *ids = calloc(count + 1, sizeof *ids);
    require(ids != NULL);
    for (size_t i = 0; i < count; i++)
        ids[i] = (data[2 * i] << 8 | data[2 * i + 1]) % (int)(tokenizer_size(tokenizer) + 1);
    if (tokenizer_decode(tokenizer, ids, count, &text, NULL) == 0)
        require(text.len == 0 || utf8_valid_length(text.data, text.len) == text.len);
    else
        require(text.len == 0);
    buf_release(&text);
    free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tokenizer *tokenizers[SETTINGS];
    for (size_t i = 0; i < SETTINGS; i++) {
        if (tokenizers[i] == NULL)
            tokenizers[i] = make_tokenizer(&all_settings[i]);
        encode(tokenizers[i], (const char *)data, size, 0);
        encode(tokenizers[i], (const char *)data, size, 0.3);
        decode(tokenizers[i], data, size);
    }
    return 0;
}
