/*
 * Tokenizers: normalise, cut into pieces, make tokens of each piece, and note for every token which
 * raw bytes it came from. Decoding joins texts and bytes again.
 */
#include "text/token.h"

#include <string.h>
#include "base/mem.h"
#include "text/bpe.h"
#include "text/norm.h"
#include "text/piece.h"
#include "text/utf8.h"
#include "text/vocab_table.h"

struct tokenizer {
    struct vocab_table table;
    struct bpe bpe;
};

int tokenizer_open(struct tokenizer **tokenizer, const struct tokenizer_spec *spec,
                   const char *path, struct err *err)
{
    struct tokenizer *opened = mem_alloc(1, sizeof(*opened), err);
    int rc;

    *tokenizer = NULL;
    if (opened == NULL)
        return ERR_MEMORY;
    rc = vocab_table_read(&opened->table, spec, path, err);
    if (rc == 0 && spec->kind == TOKEN_BPE) {
        rc = bpe_build(&opened->bpe, &opened->table, err);
        if (rc != 0)
            err_context(err, "%s", path);
    }
    if (rc != 0) {
        tokenizer_free(opened);
        return rc;
    }
    *tokenizer = opened;
    return 0;
}

void tokenizer_free(struct tokenizer *tokenizer)
{
    if (tokenizer == NULL)
        return;
    bpe_release(&tokenizer->bpe);
    vocab_table_release(&tokenizer->table);
    mem_free(tokenizer);
}

const struct tokenizer_spec *tokenizer_spec(const struct tokenizer *tokenizer)
{
    return &tokenizer->table.spec;
}

size_t tokenizer_size(const struct tokenizer *tokenizer)
{
    return tokenizer->table.tokens.count;
}

bool tokenizer_is_same(const struct tokenizer *tokenizer, const struct tokenizer *other)
{
    const struct vocab_table *a = &tokenizer->table, *b = &other->table;
    if (a->spec.kind != b->spec.kind || a->spec.form != b->spec.form ||
        a->spec.fold != b->spec.fold || a->tokens.count != b->tokens.count ||
        a->tokens.texts.len != b->tokens.texts.len || a->merge_count != b->merge_count)
        return false;
    /* Texts stand in the order of their ids, each with its NUL, but may hold NULs themselves. */
    for (size_t i = 0; i < a->tokens.count; i++)
        if (a->tokens.entries[i].len != b->tokens.entries[i].len)
            return false;
    if (memcmp(a->tokens.texts.data, b->tokens.texts.data, a->tokens.texts.len) != 0)
        return false;
    return a->merge_count == 0 ||
           memcmp(a->merges, b->merges, a->merge_count * sizeof *a->merges) == 0;
}

const char *tokenizer_text(const struct tokenizer *tokenizer, int32_t id, size_t *len)
{
    if (id < 0 || (size_t)id >= tokenizer_size(tokenizer)) {
        *len = 0;
        return "";
    }
    return intern_text(&tokenizer->table.tokens, id, len);
}

/* Room for `extra` more tokens. The array starts at a quarter of the bytes, the usual ratio, and
   never outgrows one token a byte by much. */
static int reserve_tokens(struct encoded *out, size_t extra, struct err *err)
{
    size_t capacity = out->capacity == 0 ? out->text.len / 4 + PIECE_MAX : 2 * out->capacity;
    struct token *tokens;

    if (out->count + extra <= out->capacity)
        return 0;
    if (capacity > out->text.len + PIECE_MAX)
        capacity = out->text.len + PIECE_MAX;
    if (capacity < out->count + extra)
        capacity = out->count + extra;
    tokens = mem_resize(out->tokens, out->capacity, capacity, sizeof(*tokens), err);
    if (tokens == NULL)
        return ERR_MEMORY;
    out->tokens = tokens;
    out->capacity = capacity;
    return 0;
}

/* Cuts one piece into symbols. */
static size_t encode_symbols(const struct tokenizer *tokenizer, const char *text, size_t len,
                             const struct bpe_dropout *dropout, struct bpe_symbol *symbols)
{
    int32_t id;

    if (tokenizer->table.spec.kind == TOKEN_BPE)
        return bpe_encode_dropout(&tokenizer->bpe, text, len, dropout, symbols);
    id = intern_find(&tokenizer->table.tokens, text, len);
    symbols[0] = (struct bpe_symbol){id < 0 ? TOKEN_UNK : id, (uint32_t)len};
    return 1;
}

/* Appends the tokens of the piece at [begin, end) of out->text. */
static int encode_piece(const struct tokenizer *tokenizer, const struct bpe_dropout *dropout,
                        struct encoded *out, size_t begin, size_t end, struct norm_cursor *cursor,
                        struct err *err)
{
    struct bpe_symbol symbols[PIECE_MAX];
    size_t count = encode_symbols(tokenizer, out->text.data + begin, end - begin, dropout, symbols);
    size_t at = begin;

    if (reserve_tokens(out, count, err) != 0)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct token *token = &out->tokens[out->count++];

        token->id = symbols[i].id;
        token->begin = (uint32_t)at;
        at = begin + symbols[i].end;
        token->end = (uint32_t)at;
        /* The map does not know the space in front. */
        norm_cursor_range(cursor, token->begin == 0 ? 0 : token->begin - 1, token->end - 1,
                          &token->raw_begin, &token->raw_end);
    }
    return 0;
}

static int encode_pieces(const struct tokenizer *tokenizer, const struct bpe_dropout *dropout,
                         struct encoded *out, struct norm_cursor *cursor, struct err *err)
{
    bool single = tokenizer->table.spec.kind == TOKEN_WORD;
    int rc = 0;

    for (size_t at = 0; at < out->text.len && rc == 0;) {
        size_t end = piece_end(out->text.data, out->text.len, at, single);

        rc = encode_piece(tokenizer, dropout, out, at, end, cursor, err);
        at = end;
    }
    return rc;
}

int tokenizer_encode_dropout(const struct tokenizer *tokenizer, const char *text, size_t len,
                             double probability, struct rng *rng, struct encoded *out,
                             struct err *err)
{
    const struct bpe_dropout dropout = bpe_dropout(probability, rng);
    const struct tokenizer_spec *spec = &tokenizer->table.spec;
    struct norm_map map = {.spans = NULL};
    struct norm_cursor cursor;
    int rc;

    out->count = 0;
    buf_clear(&out->text);
    if (len == 0)
        return 0;
    rc = buf_char(&out->text, ' ', err);
    if (rc == 0)
        rc = norm_text(spec->form, spec->fold, text, len, &out->text, &map, err);
    if (rc == 0) {
        norm_cursor_init(&cursor, &map, text);
        rc = encode_pieces(tokenizer, &dropout, out, &cursor, err);
    }
    norm_map_release(&map);
    if (rc != 0) {
        out->count = 0;
        buf_clear(&out->text);
    }
    return rc;
}

int tokenizer_encode(const struct tokenizer *tokenizer, const char *text, size_t len,
                     struct encoded *out, struct err *err)
{
    return tokenizer_encode_dropout(tokenizer, text, len, 0, NULL, out, err);
}

static int append_token(const struct tokenizer *tokenizer, int32_t id, struct buf *out,
                        struct err *err)
{
    const char *text;
    size_t len;

    if (id < 0 || (size_t)id >= tokenizer_size(tokenizer))
        return err_set(err, ERR_ARGUMENT, "token id %d is outside the vocabulary of %zu", (int)id,
                       tokenizer_size(tokenizer));
    if (id < TOKEN_FIRST)
        return 0;
    if (tokenizer->table.spec.kind == TOKEN_BPE && id < VOCAB_FIRST_CHARACTER)
        return buf_char(out, (char)(unsigned char)(id - VOCAB_FIRST_BYTE), err);
    text = intern_text(&tokenizer->table.tokens, id, &len);
    return buf_append(out, text, len, err);
}

/* Replaces what is not UTF-8 in `out` from `begin` on. */
static int repair(struct buf *out, size_t begin, struct err *err)
{
    struct buf copy = BUF_INIT;
    int rc;

    if (utf8_valid_length(out->data + begin, out->len - begin) == out->len - begin)
        return 0;
    rc = buf_append(&copy, out->data + begin, out->len - begin, err);
    if (rc == 0) {
        out->len = begin;
        rc = utf8_repair(copy.data, copy.len, out, err);
    }
    buf_release(&copy);
    return rc;
}

int tokenizer_decode(const struct tokenizer *tokenizer, const int32_t *ids, size_t count,
                     struct buf *out, struct err *err)
{
    size_t begin = out->len;
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = append_token(tokenizer, ids[i], out, err);
    if (rc == 0 && out->len > begin && out->data[begin] == ' ') {
        memmove(out->data + begin, out->data + begin + 1, out->len - begin); /* with the NUL */
        out->len--;
    }
    if (rc == 0 && out->len > begin)
        rc = repair(out, begin, err);
    if (rc != 0 && out->data != NULL) {
        out->len = begin;
        out->data[begin] = '\0';
    }
    return rc;
}

void encoded_release(struct encoded *encoded)
{
    buf_release(&encoded->text);
    mem_free(encoded->tokens);
    *encoded = (struct encoded){.tokens = NULL};
}
