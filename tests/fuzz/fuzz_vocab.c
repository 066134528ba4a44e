/* Fuzz target: vocab.sqlite. Whatever the file holds, opening it fails with a message that names
   it, or gives a tokenizer that keeps its promises. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/token.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void use(const struct tokenizer *tokenizer)
{
    static const char text[] = "the cat, the h\xC3\xA9 \xE6\x97\xA5 aaaaaaa";
    struct encoded out = {.count = 0};
    struct buf back = BUF_INIT;
    int32_t ids[sizeof text];

    require(tokenizer_encode(tokenizer, text, sizeof text - 1, &out, NULL) == 0);
    require(out.count > 0 && out.count <= sizeof text);
    for (size_t i = 0; i < out.count; i++) {
        ids[i] = out.tokens[i].id;
        require(ids[i] >= TOKEN_UNK && (size_t)ids[i] < tokenizer_size(tokenizer));
    }
    require(tokenizer_decode(tokenizer, ids, out.count, &back, NULL) == 0);
    if (tokenizer_spec(tokenizer)->kind == TOKEN_BPE)
        require(back.len == sizeof text - 1 && memcmp(back.data, text, back.len) == 0);
    buf_release(&back);
    encoded_release(&out);
}

static void open_as(enum token_kind kind, const char *path)
{
    const struct tokenizer_spec spec = {kind, NORM_NFC, false};
    struct tokenizer *tokenizer = NULL;
    struct err err = ERR_INIT;
    int rc = tokenizer_open(&tokenizer, &spec, path, &err);

    require((rc == 0) == (tokenizer != NULL));
    require(rc == 0 || (rc == (int)err.code && strstr(err.message, path) != NULL));
    if (tokenizer != NULL)
        use(tokenizer);
    tokenizer_free(tokenizer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[] = "/tmp/dragoman-fuzz-XXXXXX";
    int fd = mkstemp(path);
    require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
    open_as(TOKEN_BPE, path);
    open_as(TOKEN_WORD, path);
    open_as(TOKEN_CHAR, path);
    unlink(path);
    memset(path + strlen(path) - 6, 'X', 6);
    return 0;
}
