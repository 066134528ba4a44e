/* The words are interned, which finds them fast, and put into order once all are there. */
#include "text/stop.h"

#include <string.h>
#include "base/file.h"
#include "base/mem.h"
#include "text/intern.h"
#include "text/norm.h"
#include "text/utf8.h"
#include "text/words.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

struct stop_words {
    struct intern words;
    int32_t *order; /* the words' ids */
};

struct reader {
    struct stop_words *stop;
    struct words words; /* of the line */
    struct buf word;    /* normalised */
    enum norm_form form;
    bool fold;
};

static int add_word(struct reader *reader, const char *word, size_t len, struct err *err)
{
    int32_t id;
    bool added;
    int rc;

    buf_clear(&reader->word);
    rc = norm_text(reader->form, reader->fold, word, len, &reader->word, NULL, err);
    if (rc == 0 && reader->word.len > STOP_MAX_WORD)
        rc = err_set(err, ERR_LIMIT, "the word has %zu bytes, allowed are %d", reader->word.len,
                     STOP_MAX_WORD);
    if (rc == 0)
        rc =
            intern_add(&reader->stop->words, reader->word.data, reader->word.len, &id, &added, err);
    if (rc == 0 && reader->stop->words.count > STOP_MAX_WORDS)
        rc = err_set(err, ERR_LIMIT, "more than %zu words", STOP_MAX_WORDS);
    return rc;
}

/* Adds the word of a line, or none. */
static int add_line(struct reader *reader, const char *line, size_t len, struct err *err)
{
    const struct words *words = &reader->words;
    int rc = utf8_check(line, len, err);

    if (rc == 0 && memchr(line, '\0', len) != NULL)
        rc = err_set(err, ERR_FORMAT, "a NUL byte");
    if (rc == 0)
        rc = words_split(&reader->words, line, len, err);
    if (rc != 0 || words->count == 0)
        return rc;
    if (words->count > 1)
        return err_set(err, ERR_FORMAT, "%zu words in place of one", words->count);
    return add_word(reader, line + words->ranges[0].begin,
                    words->ranges[0].end - words->ranges[0].begin, err);
}

/* The line's length without its comment. */
static size_t text_length(const char *line, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (line[i] == '#' && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t'))
            return i;
    return len;
}

static int add_file(struct reader *reader, const char *path, const struct buf *file,
                    struct err *err)
{
    size_t begin = 0, number = 0;
    int rc = 0;

    if (file->len >= 3 && memcmp(file->data, BYTE_ORDER_MARK, 3) == 0)
        begin = 3;
    while (begin < file->len && rc == 0) {
        const char *line = file->data + begin;
        const char *newline = memchr(line, '\n', file->len - begin);
        size_t len = newline != NULL ? (size_t)(newline - line) : file->len - begin;

        number++;
        begin += len + 1;
        rc = add_line(reader, line, text_length(line, len), err);
        if (rc != 0)
            err_context(err, "%s:%zu", path, number);
    }
    return rc;
}

void stop_words_free(struct stop_words *stop)
{
    if (stop == NULL)
        return;
    intern_release(&stop->words);
    mem_free(stop->order);
    mem_free(stop);
}

/* Inserts by bisection: qsort would have no way to the words. */
static int sort_words(struct stop_words *stop, struct err *err)
{
    stop->order = mem_alloc(stop->words.count, sizeof *stop->order, err);
    if (stop->order == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < stop->words.count; i++) {
        size_t low = 0, high = i;

        while (low < high) {
            size_t middle = (low + high) / 2;

            if (intern_compare(&stop->words, stop->order[middle], (int32_t)i) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        memmove(stop->order + low + 1, stop->order + low, (i - low) * sizeof *stop->order);
        stop->order[low] = (int32_t)i;
    }
    return 0;
}

/* Hands out the set, or frees it where `rc` is an error. */
static int reader_finish(struct reader *reader, int rc, struct stop_words **stop, struct err *err)
{
    if (rc == 0)
        rc = sort_words(reader->stop, err);
    words_release(&reader->words);
    buf_release(&reader->word);
    if (rc == 0)
        *stop = reader->stop;
    else
        stop_words_free(reader->stop);
    return rc;
}

static int reader_init(struct reader *reader, enum norm_form form, bool fold, struct err *err)
{
    *reader = (struct reader){.form = form, .fold = fold};
    reader->stop = mem_alloc(1, sizeof *reader->stop, err);
    return reader->stop != NULL ? 0 : ERR_MEMORY;
}

int stop_words_read(struct stop_words **stop, const char *path, enum norm_form form, bool fold,
                    struct err *err)
{
    struct reader reader;
    struct buf file = BUF_INIT;
    int rc = reader_init(&reader, form, fold, err);

    *stop = NULL;
    if (rc == 0)
        rc = file_read(path, STOP_MAX_BYTES, &file, err);
    if (rc == 0)
        rc = add_file(&reader, path, &file, err);
    buf_release(&file);
    return reader_finish(&reader, rc, stop, err);
}

int stop_words_make(struct stop_words **stop, const char *const *words, size_t count,
                    enum norm_form form, bool fold, struct err *err)
{
    struct reader reader;
    int rc = reader_init(&reader, form, fold, err);

    *stop = NULL;
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = add_line(&reader, words[i], strlen(words[i]), err);
        if (rc == 0 && reader.words.count == 0)
            rc = err_set(err, ERR_FORMAT, "there is no word");
        if (rc != 0)
            err_context(err, "stop word %zu", i + 1);
    }
    return reader_finish(&reader, rc, stop, err);
}

bool stop_words_have(const struct stop_words *stop, const char *word, size_t len)
{
    return intern_find(&stop->words, word, len) >= 0;
}

size_t stop_words_count(const struct stop_words *stop)
{
    return stop->words.count;
}

const char *stop_words_text(const struct stop_words *stop, size_t index, size_t *len)
{
    return intern_text(&stop->words, stop->order[index], len);
}
