/* Fuzz target: files of texts, as lines with two fields, as lines, as one stream, and as a list of
   stop words. Whatever the file holds, reading it fails with a message that names it and leaves
   nothing, or gives texts that are UTF-8. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/corpus.h"
#include "text/stop.h"
#include "text/stream.h"
#include "text/utf8.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_error(int rc, const struct err *err, const char *path)
{
    require(rc == (int)err->code && (rc == 0 || strstr(err->message, path) != NULL));
}

static void check_text(const char *text, size_t len)
{
    require(utf8_valid_length(text, len) == len && strlen(text) == len);
}

static void read_lines(const char *path, bool texts)
{
    struct corpus corpus;
    struct err err = ERR_INIT;
    int rc =
        texts ? corpus_read_texts(&corpus, &path, 1, &err) : corpus_read(&corpus, &path, 1, &err);
    check_error(rc, &err, path);
    require(rc == 0 || (corpus.count == 0 && corpus.block == NULL));
    for (size_t i = 0; i < corpus.count; i++) {
        const struct corpus_line *line = &corpus.lines[i];
        check_text(line->first, line->first_len);
        check_text(line->second, line->second_len);
        require(line->first_len > 0 && (line->second_len == 0) == texts);
        require(i == 0 || line->line > corpus.lines[i - 1].line);
    }
    corpus_release(&corpus);
}

static void read_stream(const char *path, size_t size)
{
    struct text_stream stream;
    struct err err = ERR_INIT;
    int rc = text_stream_read(&stream, &path, 1, &err);
    check_error(rc, &err, path);
    require((rc == 0) == (stream.text != NULL));
    if (rc == 0) {
        require(stream.len <= size && strstr(stream.text, "\r\n") == NULL);
        check_text(stream.text, stream.len);
    }
    text_stream_release(&stream);
}

static void read_stop_words(const char *path, bool fold)
{
    struct stop_words *stop;
    struct err err = ERR_INIT;
    int rc = stop_words_read(&stop, path, NORM_NFKC, fold, &err);
    const char *last = "";
    check_error(rc, &err, path);
    require((rc == 0) == (stop != NULL));
    for (size_t i = 0; rc == 0 && i < stop_words_count(stop); i++) {
        size_t len;
        const char *word = stop_words_text(stop, i, &len);
        check_text(word, len);
        require(strcmp(last, word) < 0 && stop_words_have(stop, word, len));
        last = word;
    }
    stop_words_free(stop);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[] = "/tmp/dragoman-fuzz-XXXXXX";
    int fd = mkstemp(path);
    require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
    read_lines(path, false);
    read_lines(path, true);
    read_stream(path, size);
    read_stop_words(path, false);
    read_stop_words(path, true);
    unlink(path);
    memset(path + strlen(path) - 6, 'X', 6);
    return 0;
}
