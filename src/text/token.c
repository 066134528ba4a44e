/*
 * Tokenizers: normalise, cut into pieces or clusters, make tokens of each, and note for every token
 * which raw bytes it came from. Decoding joins texts and bytes again.
 */
#include "text/token.h"

#include <string.h>
#include "base/mem.h"
#include "text/bpe.h"
#include "text/grapheme.h"
#include "text/norm.h"
#include "text/piece.h"
#include "text/utf8.h"
#include "text/vocab_table.h"

struct tokenizer {
    struct vocab_table table;
    struct bpe bpe;
    int32_t ascii[128]; /* char: the token of each character, or TOKEN_UNK */
};

bool tokenizer_adds_space(const struct tokenizer *tokenizer)
{
    return tokenizer->table.spec.kind != TOKEN_CHAR;
}

static int32_t find_token(const struct tokenizer *tokenizer, const char *text, size_t len)
{
    int32_t id = intern_find(&tokenizer->table.tokens, text, len);

    return id < 0 ? TOKEN_UNK : id;
}

static void find_ascii(struct tokenizer *tokenizer)
{
    for (int c = 0; c < 128; c++) {
        char text = (char)c;

        tokenizer->ascii[c] = find_token(tokenizer, &text, 1);
    }
}

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
    find_ascii(opened);
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

/* Room for `extra` more tokens. The array starts at `usual` bytes a token and never outgrows one
   token a byte by much. */
static int reserve_tokens(struct encoded *out, size_t extra, size_t usual, struct err *err)
{
    size_t capacity = out->capacity == 0 ? out->text.len / usual + PIECE_MAX : 2 * out->capacity;
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

/* Cuts one cluster into symbols: itself where it is a token, or else its characters. */
static size_t encode_cluster(const struct tokenizer *tokenizer, const char *text, size_t len,
                             struct bpe_symbol *symbols)
{
    int32_t id =
        len == 1 ? tokenizer->ascii[(unsigned char)*text & 0x7F] : find_token(tokenizer, text, len);
    size_t count = 0;

    if (id != TOKEN_UNK || len == 1) {
        symbols[0] = (struct bpe_symbol){id, (uint32_t)len};
        return 1;
    }
    for (size_t at = 0; at < len;) {
        uint32_t code;
        size_t n = utf8_decode(text + at, len - at, &code);

        id = find_token(tokenizer, text + at, n);
        at += n;
        if (id == TOKEN_UNK && count > 0 && symbols[count - 1].id == TOKEN_UNK)
            count--;
        symbols[count++] = (struct bpe_symbol){id, (uint32_t)at};
    }
    return count;
}

/* Cuts one piece or cluster into symbols. */
static size_t encode_symbols(const struct tokenizer *tokenizer, const char *text, size_t len,
                             const struct bpe_dropout *dropout, struct bpe_symbol *symbols)
{
    switch (tokenizer->table.spec.kind) {
    case TOKEN_BPE:
        return bpe_encode_dropout(&tokenizer->bpe, text, len, dropout, symbols);
    case TOKEN_CHAR:
        return encode_cluster(tokenizer, text, len, symbols);
    case TOKEN_WORD:
        break;
    }
    symbols[0] = (struct bpe_symbol){find_token(tokenizer, text, len), (uint32_t)len};
    return 1;
}

/* Appends the tokens of the piece or cluster at [begin, end) of out->text. */
static int encode_piece(const struct tokenizer *tokenizer, const struct bpe_dropout *dropout,
                        struct encoded *out, size_t begin, size_t end, struct norm_cursor *cursor,
                        struct err *err)
{
    struct bpe_symbol symbols[PIECE_MAX];
    size_t count = encode_symbols(tokenizer, out->text.data + begin, end - begin, dropout, symbols);
    /* Bytes in front, which the map does not know. */
    const uint32_t added = tokenizer_adds_space(tokenizer);
    size_t at = begin;

    if (reserve_tokens(out, count, added ? 4 : 1, err) != 0)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct token *token = &out->tokens[out->count++];

        token->id = symbols[i].id;
        token->begin = (uint32_t)at;
        at = begin + symbols[i].end;
        token->end = (uint32_t)at;
        norm_cursor_range(cursor, token->begin < added ? 0 : token->begin - added,
                          token->end - added, &token->raw_begin, &token->raw_end);
    }
    return 0;
}

static int encode_pieces(const struct tokenizer *tokenizer, const struct bpe_dropout *dropout,
                         struct encoded *out, struct norm_cursor *cursor, struct err *err)
{
    const enum token_kind kind = tokenizer->table.spec.kind;
    int rc = 0;

    for (size_t at = 0; at < out->text.len && rc == 0;) {
        size_t end = kind == TOKEN_CHAR
                         ? grapheme_end(out->text.data, out->text.len, at)
                         : piece_end(out->text.data, out->text.len, at, kind == TOKEN_WORD);

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
    int rc = 0;

    out->count = 0;
    buf_clear(&out->text);
    if (len == 0)
        return 0;
    if (tokenizer_adds_space(tokenizer))
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

int tokenizer_append(const struct tokenizer *tokenizer, int32_t id, struct buf *out,
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
        rc = tokenizer_append(tokenizer, ids[i], out, err);
    if (rc == 0 && tokenizer_adds_space(tokenizer) && out->len > begin && out->data[begin] == ' ') {
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
