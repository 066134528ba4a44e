/* Fuzz target: UTF-8, normalisation and sentences. Repaired text is valid, normalising twice is
   normalising once, every byte of the result comes from inside the raw text, and sentences leave
   out nothing but white space. */
#include <stdlib.h>
#include <string.h>

#include "text/norm.h"
#include "text/sentence.h"
#include "text/utf8.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_ranges(const struct norm_map *map, const struct buf *raw, size_t len)
{
    struct norm_cursor cursor;
    norm_cursor_init(&cursor, map, raw->data);
    for (uint32_t i = 0; i < len; i++) {
        uint32_t begin = 0, end = 0;
        norm_cursor_range(&cursor, i, i + 1, &begin, &end);
        require(begin < end && end <= raw->len);
        require(utf8_valid_length(raw->data + begin, end - begin) == end - begin);
    }
}

static void check_norm(enum norm_form form, bool fold, const struct buf *raw)
{
    struct buf once = BUF_INIT, twice = BUF_INIT;
    struct norm_map map = {0};
    struct err err = ERR_INIT;
    require(norm_text(form, fold, raw->data, raw->len, &once, &map, &err) == 0);
    require(utf8_valid_length(once.data ? once.data : "", once.len) == once.len);
    check_ranges(&map, raw, once.len);
    require(norm_text(form, fold, once.data ? once.data : "", once.len, &twice, NULL, &err) == 0);
    require(once.len == twice.len &&
            (once.len == 0 || memcmp(once.data, twice.data, once.len) == 0));
    norm_map_release(&map);
    buf_release(&twice);
    buf_release(&once);
}

static void check_sentences(const struct buf *raw)
{
    struct sentence sentence;
    size_t offset = 0, last = 0;
    while (sentence_next(raw->data, raw->len, &offset, &sentence)) {
        require(last <= sentence.begin && sentence.begin < sentence.end);
        require(sentence.end <= raw->len && sentence.end == offset);
        for (size_t i = last; i < sentence.begin; i++)
            require(memchr("!?.,;:-\"'", raw->data[i], 9) == NULL &&
                    ((unsigned char)raw->data[i] > 127 || raw->data[i] < '0'));
        last = sentence.end;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf raw = BUF_INIT;
    struct err err = ERR_INIT;
    bool valid = utf8_check((const char *)data, size, &err) == 0;
    require(valid == (utf8_valid_length((const char *)data, size) == size));
    err_clear(&err);
    require(buf_reserve(&raw, 0, &err) == 0);
    raw.data[0] = '\0';
    require(utf8_repair((const char *)data, size, &raw, &err) == 0);
    require(utf8_valid_length(raw.data, raw.len) == raw.len);
    require(!valid || (raw.len == size && memcmp(raw.data, data, size) == 0));
    check_norm(NORM_NFC, false, &raw);
    check_norm(NORM_NFC, true, &raw);
    check_norm(NORM_NFKC, false, &raw);
    check_norm(NORM_NFKC, true, &raw);
    check_sentences(&raw);
    buf_release(&raw);
    return 0;
}
