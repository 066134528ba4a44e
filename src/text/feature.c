/* An n-gram's hash is that of the n-gram one shorter, with its last word or character mixed in. */
#include "text/feature.h"

#include <string.h>
#include "base/mem.h"
#include "text/piece.h"
#include "text/utf8.h"

#define SEED_WORDS 0 /* of the hashes, which keep words and characters apart */
#define SEED_CHARACTERS 1
#define EDGE UINT64_C(0x5851F42D4C957F2D) /* stands for the text's begin and its end */

/* The multipliers and shifts are those of splitmix64. */
static inline uint64_t mix(uint64_t hash, uint64_t value)
{
    hash += value + 0x9E3779B97F4A7C15;
    hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
    hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
    return hash ^ (hash >> 31);
}

/* Up to eight bytes as a number, the first the lowest. */
static inline uint64_t load(const char *text, size_t len)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++)
        value |= (uint64_t)(unsigned char)text[i] << 8 * i;
    return value;
}

uint64_t feature_word(const char *text, size_t len)
{
    uint64_t hash = len;

    for (; len > 8; text += 8, len -= 8)
        hash = mix(hash, load(text, 8));
    return mix(hash, load(text, len));
}

const char *feature_token(const struct encoded *text, const struct token *token, size_t *len)
{
    const char *begin = text->text.data + token->begin;

    *len = token->end - token->begin;
    if (*len > 0 && *begin == ' ') {
        begin++;
        --*len;
    }
    if (*len > 0 && piece_is_space(begin, *len))
        *len = 0;
    return begin;
}

static int find_words(struct features *features, const struct feature_settings *settings,
                      const struct encoded *text, struct err *err)
{
    features->word_count = 0;
    if (text->count > features->word_capacity) {
        mem_free(features->words);
        features->word_capacity = 0;
        features->words = mem_alloc(2 * text->count, sizeof(*features->words), err);
        if (features->words == NULL)
            return ERR_MEMORY;
        features->word_capacity = 2 * text->count;
    }
    for (size_t i = 0; i < text->count; i++) {
        size_t len;
        const char *word = feature_token(text, &text->tokens[i], &len);

        if (len > 0 && (settings->stop == NULL || !stop_words_have(settings->stop, word, len)))
            features->words[features->word_count++] =
                (struct feature_place){feature_word(word, len), (uint32_t)i};
    }
    return 0;
}

/* Room for `extra` more features. */
static int reserve(struct features *features, size_t extra, bool with_sources, struct err *err)
{
    size_t needed = features->count + extra, capacity = needed + needed / 2;

    if (needed > features->capacity) {
        uint64_t *hashes =
            mem_resize(features->hashes, features->capacity, capacity, sizeof(*hashes), err);

        if (hashes == NULL)
            return ERR_MEMORY;
        features->hashes = hashes;
        features->capacity = capacity;
    }
    if (with_sources && needed > features->source_capacity) {
        struct feature_source *sources = mem_resize(features->sources, features->source_capacity,
                                                    capacity, sizeof(*sources), err);

        if (sources == NULL)
            return ERR_MEMORY;
        features->sources = sources;
        features->source_capacity = capacity;
    }
    return 0;
}

static inline void add(struct features *features, uint64_t hash, bool with_sources,
                       struct feature_source source)
{
    if (with_sources)
        features->sources[features->count] = source;
    features->hashes[features->count++] = hash;
}

/* The n-grams that begin before the first word; that of the whole text may have both edges. */
static void add_first(struct features *features, const struct feature_settings *settings,
                      bool with_sources)
{
    size_t count = features->word_count, end;
    uint64_t hash = mix(SEED_WORDS, EDGE);

    for (end = 0; end < count && end + 1 < settings->words; end++) {
        hash = mix(hash, features->words[end].hash);
        add(features, hash, with_sources, (struct feature_source){false, 0, (uint32_t)end + 1});
    }
    if (end == count && count + 2 <= settings->words)
        add(features, mix(hash, EDGE), with_sources,
            (struct feature_source){false, 0, (uint32_t)count});
}

static int add_words(struct features *features, const struct feature_settings *settings,
                     bool with_sources, struct err *err)
{
    size_t count = features->word_count;

    if (reserve(features, (count + 2) * settings->words, with_sources, err) != 0)
        return ERR_MEMORY;
    if (settings->edges && count > 0)
        add_first(features, settings, with_sources);
    for (size_t begin = 0; begin < count; begin++) {
        uint64_t hash = SEED_WORDS;

        for (size_t end = begin; end < count && end - begin < settings->words; end++) {
            hash = mix(hash, features->words[end].hash);
            add(features, hash, with_sources,
                (struct feature_source){false, (uint32_t)begin, (uint32_t)end + 1});
        }
        if (settings->edges && count - begin < settings->words)
            add(features, mix(hash, EDGE), with_sources,
                (struct feature_source){false, (uint32_t)begin, (uint32_t)count});
    }
    return 0;
}

static bool is_space(uint32_t code)
{
    return code == ' ' || (code >= '\t' && code <= '\r');
}

/* The character at `at`: a space behind the text's end. */
static inline size_t character(const struct buf *text, size_t at, uint32_t *code)
{
    unsigned char byte = at < text->len ? (unsigned char)text->data[at] : ' ';
    size_t n;

    *code = byte;
    if (byte < 0x80)
        return 1;
    n = utf8_decode(text->data + at, text->len - at, code);
    return n > 0 ? n : 1;
}

/* The n-grams that begin at byte `begin`. */
static void add_from(struct features *features, const struct feature_settings *settings,
                     const struct buf *text, size_t begin, bool with_sources)
{
    uint64_t hash = SEED_CHARACTERS;
    bool spaces = true; /* so far it is nothing but spaces */
    uint32_t code;

    for (size_t n = 1, at = begin; n <= settings->longest && at <= text->len; n++) {
        at += character(text, at, &code);
        hash = mix(hash, code);
        spaces = spaces && is_space(code);
        if (n >= settings->shortest && !spaces)
            add(features, hash, with_sources,
                (struct feature_source){true, (uint32_t)begin,
                                        (uint32_t)(at < text->len ? at : text->len)});
        if (!settings->across && n > 1 && is_space(code))
            break;
    }
}

static int add_characters(struct features *features, const struct feature_settings *settings,
                          const struct buf *text, bool with_sources, struct err *err)
{
    size_t lengths = settings->longest + 1 - settings->shortest;

    if (reserve(features, text->len * lengths, with_sources, err) != 0)
        return ERR_MEMORY;
    for (size_t at = 0; at < text->len; at++)
        if (((unsigned char)text->data[at] & 0xC0) != 0x80)
            add_from(features, settings, text, at, with_sources);
    return 0;
}

int features_extract(struct features *features, const struct feature_settings *settings,
                     const struct encoded *text, bool with_sources, struct err *err)
{
    int rc = find_words(features, settings, text, err);

    features->count = 0;
    if (rc == 0 && settings->words > 0)
        rc = add_words(features, settings, with_sources, err);
    if (rc == 0 && settings->longest > 0)
        rc = add_characters(features, settings, &text->text, with_sources, err);
    return rc;
}

void features_release(struct features *features)
{
    mem_free(features->hashes);
    mem_free(features->sources);
    mem_free(features->words);
    *features = (struct features){.count = 0};
}
