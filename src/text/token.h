/*
 * Text to token ids and back.
 *
 * raw bytes -> strict UTF-8 -> NFC or NFKC -> optional case fold -> pieces -> tokens -> ids.
 *
 * `word` and `bpe`: the normalised text gets one space in front, then is cut into pieces: an
 * optional single space and a run of letters with their marks, a run of digits, or one other
 * character; further white space stands alone (piece.h has the rules). A `word` token is a piece;
 * `bpe` cuts each piece into learned subwords and, for characters that the vocabulary lacks, into
 * bytes.
 *
 * `char`: the normalised text as it is, nothing in front; a token is an extended grapheme cluster
 * (grapheme.h), be it a letter, a space or a newline. A cluster that the vocabulary lacks falls
 * apart into its characters; those that are no tokens either are TOKEN_UNK, one for a run of them.
 *
 * Since spaces are part of the tokens, detokenising is concatenation, less the first space where
 * one was added: detokenise(tokenise(x)) == normalise(x), exactly, where nothing is unknown, as
 * with `bpe` nothing ever is.
 *
 * A tokenizer is immutable once open and may be used by any number of threads.
 */
#ifndef DRAGOMAN_TEXT_TOKEN_H
#define DRAGOMAN_TEXT_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/rng.h"

/* Ids that every vocabulary has. */
enum token_special { TOKEN_PAD = 0, TOKEN_BOS = 1, TOKEN_EOS = 2, TOKEN_UNK = 3, TOKEN_FIRST = 4 };

enum token_kind { TOKEN_WORD, TOKEN_BPE, TOKEN_CHAR };
enum norm_form { NORM_NFC, NORM_NFKC };

struct tokenizer_spec { /* stands in model.json */
    enum token_kind kind;
    enum norm_form form;
    bool fold; /* case folding (utf8proc's full folding) */
};

struct token {
    int32_t id;
    uint32_t begin, end; /* bytes in encoded.text */
    /* Whole characters of the raw text, in ascending order; tokens that share a character (byte
       tokens do) have the same range. Empty only where the token is nothing but the added space. */
    uint32_t raw_begin, raw_end;
};

struct encoded {     /* zero-initialise; release with encoded_release; reusable */
    struct buf text; /* normalised text, with the leading space of `word` and `bpe` */
    struct token *tokens;
    size_t count, capacity;
};

struct tokenizer;

/* Opens vocab.sqlite at `path`, checks it (settings as in `spec`, ids dense from 0, texts UTF-8 and
   different, merges in range) and reads it into memory; the database is closed again. The error
   names file and fault; ERR_BUSY where another program has it locked. */
int tokenizer_open(struct tokenizer **tokenizer, const struct tokenizer_spec *spec,
                   const char *path, struct err *err);
void tokenizer_free(struct tokenizer *tokenizer);
const struct tokenizer_spec *tokenizer_spec(const struct tokenizer *tokenizer);
size_t tokenizer_size(const struct tokenizer *tokenizer); /* number of ids */
/* Whether both make the same ids of every text, and the same text of all ids. */
bool tokenizer_is_same(const struct tokenizer *tokenizer, const struct tokenizer *other);
/* The token's text, NUL-terminated, its length in *len; "<0xE2>" for byte tokens, "" for an id
   outside the vocabulary. */
const char *tokenizer_text(const struct tokenizer *tokenizer, int32_t id, size_t *len);

/* Fills `out` (cleared first). No BOS or EOS is added. ERR_UTF8 names the byte offset. Empty text
   gives count 0. Memory needed: at most 40 bytes a byte of normalised text. */
int tokenizer_encode(const struct tokenizer *tokenizer, const char *text, size_t len,
                     struct encoded *out, struct err *err);
/* The same with BPE dropout: each merge is left out with `probability` (0 to 1), so that every call
   cuts the words differently; rng decides how. It changes nothing at 0, nor for other kinds. */
int tokenizer_encode_dropout(const struct tokenizer *tokenizer, const char *text, size_t len,
                             double probability, struct rng *rng, struct encoded *out,
                             struct err *err);
/* Appends the text of ids to `out`, special ids skipped; bytes that do not form UTF-8 become
   U+FFFD. ERR_ARGUMENT for an id outside the vocabulary; `out` is then as it was. */
int tokenizer_decode(const struct tokenizer *tokenizer, const int32_t *ids, size_t count,
                     struct buf *out, struct err *err);
/* Appends the bytes of one id as they are: with its leading space, and be they a part of a
   character only. Nothing for a special id; ERR_ARGUMENT for one outside the vocabulary. */
int tokenizer_append(const struct tokenizer *tokenizer, int32_t id, struct buf *out,
                     struct err *err);
/* Whether texts get a space in front. */
bool tokenizer_adds_space(const struct tokenizer *tokenizer);
void encoded_release(struct encoded *encoded);

#endif
