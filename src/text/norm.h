/*
 * Normalisation to NFC or NFKC with optional full case folding, which remembers where every byte of
 * the result came from.
 *
 * The text is cut at characters that can never combine with what stands before them, so that each
 * segment can be normalised alone and ranges in the raw text stay small.
 */
#ifndef DRAGOMAN_TEXT_NORM_H
#define DRAGOMAN_TEXT_NORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "text/token.h"

#define NORM_MAX_BYTES (1u << 30) /* of raw text, and of the result */

/* A stretch of the result, up to the next span. Where `exact`, it is as long as the raw text that
   it came from, character by character; otherwise it came from the raw stretch as a whole. */
struct norm_span {
    uint32_t text;     /* first byte in the result */
    uint32_t raw : 31; /* first byte in the raw text */
    uint32_t exact : 1;
};

#define NORM_INLINE_SPANS 32

struct norm_map {            /* zero-initialise; release with norm_map_release */
    struct norm_span *spans; /* NULL: those in `few` */
    size_t count, capacity;
    uint32_t raw_len, text_len;
    struct norm_span few[NORM_INLINE_SPANS];
};

/* Appends the normalised text to `out`. `map` may be NULL; positions in it count from the first
   byte appended. ERR_UTF8 names the byte offset; ERR_LIMIT above NORM_MAX_BYTES. */
int norm_text(enum norm_form form, bool fold, const char *text, size_t len, struct buf *out,
              struct norm_map *map, struct err *err);
void norm_map_release(struct norm_map *map);

/* Walks over a map: ranges must be asked for in ascending order of their begin. Finds the raw
   range of the result's bytes [begin, end), widened to whole characters. */
struct norm_cursor {
    const struct norm_map *map;
    const char *raw;
    size_t first, last; /* spans that held the previous range's ends */
};
void norm_cursor_init(struct norm_cursor *cursor, const struct norm_map *map, const char *raw);
void norm_cursor_range(struct norm_cursor *cursor, uint32_t begin, uint32_t end,
                       uint32_t *raw_begin, uint32_t *raw_end);

/* Whether the normalised form of any text that ends before this character and that of any text that
   begins with it can be concatenated. */
bool norm_boundary_before(enum norm_form form, bool fold, uint32_t code);

#endif
