/*
 * Such files are often larger than the memory, so they are read line by line, and kept is only what
 * the vocabulary has. Every line is checked nevertheless.
 */
#include "text/vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"
#include "text/intern.h"
#include "text/norm.h"
#include "text/utf8.h"
#include "text/vocab_table.h"

/* The tokens' texts without their leading space, and the two tokens that each may belong to. */
struct names {
    struct intern texts;
    int32_t (*ids)[2]; /* without and with the space; -1: no such token */
};

struct lines { /* a file's */
    FILE *stream;
    const char *name;
    struct buf block;     /* of VECTORS_MAX_LINE bytes */
    size_t begin, number; /* where the next line begins; the number of the last one */
    bool ended;
};

struct reader {
    struct vectors *vectors;
    struct names names;
    struct lines lines;
    const struct tokenizer_spec *spec;
    struct buf word;   /* normalised */
    float *row;        /* [E] */
    size_t said, read; /* how many vectors the first line says there are, 0: none does; words */
};

static void names_release(struct names *names)
{
    intern_release(&names->texts);
    mem_free(names->ids);
}

static int names_init(struct names *names, const struct tokenizer *tokenizer, struct err *err)
{
    const size_t size = tokenizer_size(tokenizer);
    const bool bpe = tokenizer_spec(tokenizer)->kind == TOKEN_BPE;
    int code = intern_reserve(&names->texts, size, err);
    names->ids = mem_alloc(size, sizeof *names->ids, err);
    if (names->ids == NULL)
        return ERR_MEMORY;
    memset(names->ids, -1, size * sizeof *names->ids);
    for (size_t id = bpe ? VOCAB_FIRST_CHARACTER : TOKEN_FIRST; id < size && code == 0; id++) {
        size_t len;
        const char *text = tokenizer_text(tokenizer, (int32_t)id, &len);
        const bool space = len > 1 && text[0] == ' ';
        int32_t name;
        bool added;
        code = intern_add(&names->texts, text + space, len - space, &name, &added, err);
        if (code == 0)
            names->ids[name][space] = (int32_t)id;
    }
    return code;
}

/*
 * Lines
 */

/* Moves what is left of the block to its front and fills it up. */
static int lines_refill(struct lines *lines, struct err *err)
{
    struct buf *block = &lines->block;
    block->len -= lines->begin;
    memmove(block->data, block->data + lines->begin, block->len);
    lines->begin = 0;
    if (block->len == VECTORS_MAX_LINE)
        return err_set(err, ERR_LIMIT, "%s:%zu: the line is longer than %zu bytes", lines->name,
                       lines->number + 1, VECTORS_MAX_LINE);
    const size_t read =
        fread(block->data + block->len, 1, VECTORS_MAX_LINE - block->len, lines->stream);
    if (read == 0 && ferror(lines->stream))
        return err_errno(err, "%s", lines->name);
    block->len += read;
    lines->ended = read == 0;
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* *line becomes NUL-terminated, without blanks at its end; NULL after the last one. */
static int lines_next(struct lines *lines, char **line, size_t *len, struct err *err)
{
    struct buf *block = &lines->block;
    const char *newline;
    int code = 0;
    *line = NULL;
    while (!(newline = memchr(block->data + lines->begin, '\n', block->len - lines->begin)) &&
           !lines->ended && code == 0)
        code = lines_refill(lines, err);
    if (code < 0 || (newline == NULL && lines->begin == block->len))
        return code;
    const size_t end = newline ? (size_t)(newline - block->data) : block->len;
    *line = block->data + lines->begin;
    *len = end - lines->begin;
    while (*len > 0 && (is_blank((*line)[*len - 1]) || (*line)[*len - 1] == '\r'))
        --*len;
    (*line)[*len] = '\0';
    lines->begin = newline ? end + 1 : end;
    lines->number++;
    return 0;
}

static const char *skip_blanks(const char *at)
{
    while (is_blank(*at))
        at++;
    return at;
}

/*
 * What stands in a line
 */

/* A whole number, and where it ends; NULL where there is none. */
static const char *whole_number(const char *at, size_t *number)
{
    const char *begin = at;
    for (*number = 0; *at >= '0' && *at <= '9' && at - begin < 10; at++)
        *number = 10 * *number + (size_t)(*at - '0');
    return at > begin && (is_blank(*at) || *at == '\0') ? at : NULL;
}

/* "400000 300": how many vectors there are, and how wide. */
static bool is_heading(const char *line, size_t len, size_t *count, size_t *width)
{
    const char *at = whole_number(line, count);
    at = at ? whole_number(skip_blanks(at), width) : NULL;
    return at == line + len;
}

static int read_values(const struct reader *reader, const char *at, const char *end,
                       struct err *err)
{
    const struct lines *lines = &reader->lines;
    const size_t width = reader->vectors->width;
    size_t count = 0;
    for (at = skip_blanks(at); at < end; at = skip_blanks(at), count++) {
        const size_t len = strcspn(at, " \t");
        const bool decimal = len > 0 && strspn(at, "+-.0123456789eE") == len;
        char *stop;
        const float value = strtof(at, &stop);
        if (stop != at + len || (isfinite(value) && !decimal))
            return err_set(err, ERR_FORMAT, "%s:%zu: value %zu is not a number", lines->name,
                           lines->number, count + 1);
        if (!isfinite(value))
            return err_set(err, ERR_FORMAT, "%s:%zu: value %zu is not finite", lines->name,
                           lines->number, count + 1);
        if (count < width)
            reader->row[count] = value;
        at = stop;
    }
    if (count != width)
        return err_set(err, ERR_FORMAT, "%s:%zu: %zu values, but the embeddings have %zu",
                       lines->name, lines->number, count, width);
    return 0;
}

/* Gives the row to the tokens that are called so and have none yet. */
static void keep_row(const struct reader *reader)
{
    struct vectors *vectors = reader->vectors;
    const int32_t name = intern_find(&reader->names.texts, reader->word.data, reader->word.len);
    for (size_t space = 0; name >= 0 && space < 2; space++) {
        const int32_t id = reader->names.ids[name][space];
        if (id < 0 || vectors->found[id])
            continue;
        memcpy(vectors->values + (size_t)id * vectors->width, reader->row,
               vectors->width * sizeof *reader->row);
        vectors->found[id] = true;
        vectors->count++;
    }
}

static int read_vector(struct reader *reader, const char *line, size_t len, struct err *err)
{
    const struct lines *lines = &reader->lines;
    const size_t valid = utf8_valid_length(line, len), word_len = strcspn(line, " \t");
    if (valid < len)
        return err_set(err, ERR_UTF8, "%s:%zu: not UTF-8: byte 0x%02X at offset %zu of the line",
                       lines->name, lines->number, (unsigned)(unsigned char)line[valid], valid);
    if (word_len == 0)
        return err_set(err, ERR_FORMAT, "%s:%zu: the line does not begin with a word", lines->name,
                       lines->number);
    int code = read_values(reader, line + word_len, line + len, err);
    buf_clear(&reader->word);
    if (code == 0)
        code = norm_text(reader->spec->form, reader->spec->fold, line, word_len, &reader->word,
                         NULL, err);
    if (code < 0)
        return code;
    keep_row(reader);
    reader->read++;
    return 0;
}

static int read_heading(struct reader *reader, size_t count, size_t width, struct err *err)
{
    if (width != reader->vectors->width)
        return err_set(err, ERR_FORMAT, "%s:1: vectors of %zu values, but the embeddings have %zu",
                       reader->lines.name, width, reader->vectors->width);
    reader->said = count;
    return 0;
}

static int read_lines(struct reader *reader, struct err *err)
{
    const struct lines *lines = &reader->lines;
    bool headed = false;
    size_t len, count, width;
    char *line;
    int code;
    while ((code = lines_next(&reader->lines, &line, &len, err)) == 0 && line != NULL) {
        if (lines->number == 1 && is_heading(line, len, &count, &width)) {
            headed = true;
            code = read_heading(reader, count, width, err);
        } else {
            code = read_vector(reader, line, len, err);
        }
        if (code < 0)
            return code;
    }
    if (code == 0 && headed && reader->read != reader->said)
        code = err_set(err, ERR_FORMAT, "%s:%zu: %zu vectors, but the first line says %zu",
                       lines->name, lines->number, reader->read, reader->said);
    if (code == 0 && reader->vectors->count == 0)
        code = err_set(err, ERR_ARGUMENT, "%s: none of its %zu words is in the vocabulary",
                       lines->name, reader->read);
    return code;
}

int vectors_read_stream(struct vectors *vectors, FILE *stream, const char *name,
                        const struct tokenizer *tokenizer, size_t width, struct err *err)
{
    const size_t size = tokenizer_size(tokenizer);
    struct reader reader = {.vectors = vectors,
                            .lines = {.stream = stream, .name = name},
                            .spec = tokenizer_spec(tokenizer)};
    *vectors = (struct vectors){.vocabulary = size, .width = width};
    vectors->found = mem_alloc(size, sizeof *vectors->found, err);
    vectors->values = mem_alloc(size * width, sizeof *vectors->values, err);
    reader.row = mem_alloc(width, sizeof *reader.row, err);
    int code = ERR_MEMORY;
    if (vectors->found && vectors->values && reader.row)
        code = buf_reserve(&reader.lines.block, VECTORS_MAX_LINE, err);
    if (code == 0)
        code = names_init(&reader.names, tokenizer, err);
    if (code == 0)
        code = read_lines(&reader, err);
    names_release(&reader.names);
    buf_release(&reader.lines.block);
    buf_release(&reader.word);
    mem_free(reader.row);
    if (code < 0)
        vectors_release(vectors);
    return code;
}

int vectors_read(struct vectors *vectors, const char *path, const struct tokenizer *tokenizer,
                 size_t width, struct err *err)
{
    FILE *stream = fopen(path, "rbe");
    if (stream == NULL)
        return err_errno(err, "%s", path);
    const int code = vectors_read_stream(vectors, stream, path, tokenizer, width, err);
    fclose(stream);
    return code;
}

void vectors_put(const struct vectors *vectors, float *table)
{
    const size_t E = vectors->width;
    for (size_t id = 0; id < vectors->vocabulary; id++)
        if (vectors->found[id])
            memcpy(table + id * E, vectors->values + id * E, E * sizeof *table);
}

void vectors_release(struct vectors *vectors)
{
    mem_free(vectors->values);
    mem_free(vectors->found);
    *vectors = (struct vectors){0};
}
