/*
 * Reading a corpus: the files are read into one block, then each line is cut at its tab by writing
 * NULs into the block. Lines point into the block, which therefore must not grow any more by then:
 * all files are read first.
 */
#include "text/corpus.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "text/utf8.h"

#define CORPUS_MAX_BYTES ((size_t)16 << 30) /* of one file */
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

struct reader {
    struct corpus *corpus;
    size_t capacity; /* of corpus->lines */
    bool texts;      /* lines have one field */
};

struct place {
    const char *path;
    uint32_t file, line;
};

static int append_line(struct reader *reader, const struct corpus_line *line, struct err *err)
{
    struct corpus *corpus = reader->corpus;

    if (corpus->count == reader->capacity) {
        size_t grown = reader->capacity == 0 ? 1024 : 2 * reader->capacity;
        struct corpus_line *lines =
            mem_resize(corpus->lines, reader->capacity, grown, sizeof(*lines), err);

        if (lines == NULL)
            return ERR_MEMORY;
        corpus->lines = lines;
        reader->capacity = grown;
    }
    corpus->lines[corpus->count++] = *line;
    return 0;
}

/* A line is text: UTF-8 without NUL, which files in UTF-16 are full of, and not a whole file. */
static int line_check(const char *text, size_t len, const struct place *place, struct err *err)
{
    size_t valid = utf8_valid_length(text, len);
    const char *nul;

    if (valid < len)
        return err_set(err, ERR_UTF8, "%s:%u: not UTF-8: byte 0x%02X at offset %zu of the line",
                       place->path, place->line, (unsigned)(unsigned char)text[valid], valid);
    nul = memchr(text, '\0', len);
    if (nul != NULL)
        return err_set(err, ERR_FORMAT, "%s:%u: a NUL byte at offset %zu of the line", place->path,
                       place->line, (size_t)(nul - text));
    if (len > CORPUS_MAX_LINE)
        return err_set(err, ERR_LIMIT, "%s:%u: the line has %zu bytes, allowed are %zu",
                       place->path, place->line, len, CORPUS_MAX_LINE);
    return 0;
}

static bool is_blank(const char *text, size_t len)
{
    while (len > 0 && text[len - 1] == ' ')
        len--;
    return len == 0;
}

/* Cuts text[0..len), which has been checked and which a writable byte follows, into the two fields
   of `line`. */
static int line_cut(char *text, size_t len, struct corpus_line *line, const struct place *place,
                    struct err *err)
{
    char *tab = memchr(text, '\t', len);
    size_t first_len;

    if (tab == NULL)
        return err_set(err, ERR_FORMAT, "%s:%u: the line has no tab", place->path, place->line);
    first_len = (size_t)(tab - text);
    if (memchr(tab + 1, '\t', len - first_len - 1) != NULL)
        return err_set(err, ERR_FORMAT, "%s:%u: the line has more than two fields", place->path,
                       place->line);
    if (is_blank(text, first_len) || is_blank(tab + 1, len - first_len - 1))
        return err_set(err, ERR_FORMAT, "%s:%u: the %s field is empty", place->path, place->line,
                       is_blank(text, first_len) ? "first" : "second");
    *tab = '\0';
    text[len] = '\0';
    *line = (struct corpus_line){text,        tab + 1,    first_len, len - first_len - 1,
                                 place->file, place->line};
    return 0;
}

/* Takes text[0..len), which a writable byte follows, as a line of the corpus. */
static int take_line(struct reader *reader, char *text, size_t len, const struct place *place,
                     struct err *err)
{
    struct corpus_line line;
    int rc = line_check(text, len, place, err);

    if (rc == 0 && !reader->texts)
        rc = line_cut(text, len, &line, place, err);
    if (rc != 0 || (reader->texts && is_blank(text, len)))
        return rc;
    if (reader->texts) {
        text[len] = '\0';
        line = (struct corpus_line){text, text + len, len, 0, place->file, place->line};
    }
    return append_line(reader, &line, err);
}

/* Cuts the file at block[begin, end) into lines; block[end] is writable. */
static int file_cut(struct reader *reader, size_t begin, size_t end, struct place place,
                    struct err *err)
{
    char *block = reader->corpus->block;
    int rc = 0;

    if (end - begin >= 3 && memcmp(block + begin, BYTE_ORDER_MARK, 3) == 0)
        begin += 3;
    while (begin < end && rc == 0) {
        char *text = block + begin, *newline = memchr(text, '\n', end - begin);
        size_t len = newline != NULL ? (size_t)(newline - text) : end - begin;

        place.line++;
        begin += len + 1;
        if (len > 0 && text[len - 1] == '\r')
            len--;
        if (len > 0)
            rc = take_line(reader, text, len, &place, err);
    }
    return rc;
}

static int read_files(struct reader *reader, const char *const *paths, size_t count,
                      struct err *err)
{
    struct corpus *corpus = reader->corpus;
    struct buf block = BUF_INIT;
    size_t *ends = mem_alloc(count, sizeof(*ends), err);
    int rc = ends != NULL ? 0 : ERR_MEMORY;

    *corpus = (struct corpus){NULL, NULL, 0};
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = file_read(paths[i], CORPUS_MAX_BYTES, &block, err);
        ends[i] = block.len;
        if (rc == 0)
            rc = buf_char(&block, '\0', err); /* room for the last line's end */
    }
    corpus->block = block.data;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = file_cut(reader, i == 0 ? 0 : ends[i - 1] + 1, ends[i],
                      (struct place){paths[i], (uint32_t)i, 0}, err);
    mem_free(ends);
    if (rc != 0)
        corpus_release(corpus);
    return rc;
}

int corpus_read(struct corpus *corpus, const char *const *paths, size_t count, struct err *err)
{
    return read_files(&(struct reader){.corpus = corpus}, paths, count, err);
}

int corpus_read_texts(struct corpus *corpus, const char *const *paths, size_t count,
                      struct err *err)
{
    return read_files(&(struct reader){.corpus = corpus, .texts = true}, paths, count, err);
}

void corpus_release(struct corpus *corpus)
{
    mem_free(corpus->block);
    mem_free(corpus->lines);
    *corpus = (struct corpus){NULL, NULL, 0};
}
