/* Words and tokens both stand in the order of the text, so one walk over both finds who belongs to
   whom. */
#include "text/words.h"

#include "base/mem.h"
#include "text/utf8.h"

/* White_Space of Unicode, less U+00A0, U+2007 and U+202F. */
static bool is_space(uint32_t code)
{
    if (code < 0x80)
        return code == ' ' || (code >= '\t' && code <= '\r');
    return code == 0x85 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A && code != 0x2007) ||
           code == 0x2028 || code == 0x2029 || code == 0x205F || code == 0x3000;
}

static int append_range(struct words *words, size_t begin, size_t end, struct err *err)
{
    if (words->count == words->capacity) {
        size_t capacity = words->capacity == 0 ? 64 : 2 * words->capacity;
        struct word_range *ranges =
            mem_resize(words->ranges, words->capacity, capacity, sizeof *ranges, err);

        if (ranges == NULL)
            return ERR_MEMORY;
        words->ranges = ranges;
        words->capacity = capacity;
    }
    words->ranges[words->count++] = (struct word_range){(uint32_t)begin, (uint32_t)end};
    return 0;
}

int words_split(struct words *words, const char *text, size_t len, struct err *err)
{
    size_t begin = 0, n;
    int rc = 0;

    words->count = 0;
    if (len > UINT32_MAX)
        return err_set(err, ERR_LIMIT, "text is longer than %u bytes", UINT32_MAX);
    for (size_t at = 0; at < len && rc == 0; at += n) {
        uint32_t code = 0;

        n = utf8_decode(text + at, len - at, &code);
        if (n == 0) {
            n = 1;
            continue;
        }
        if (!is_space(code))
            continue;
        if (begin < at)
            rc = append_range(words, begin, at, err);
        begin = at + n;
    }
    if (rc == 0 && begin < len)
        rc = append_range(words, begin, len, err);
    if (rc != 0)
        words->count = 0;
    return rc;
}

/* The word of a token: the last that begins before the token ends, if it does not end before the
   token begins. Searched from *next on, where later tokens begin too. */
static uint32_t word_of_token(const struct words *words, const struct token *token, size_t *next)
{
    while (*next < words->count && words->ranges[*next].begin < token->raw_end)
        ++*next;
    if (*next == 0 || words->ranges[*next - 1].end <= token->raw_begin)
        return WORDS_NONE;
    return (uint32_t)(*next - 1);
}

void words_of_tokens(const struct words *words, const struct token *tokens, size_t count,
                     uint32_t *word_of)
{
    size_t next = 0;

    for (size_t i = 0; i < count; i++)
        word_of[i] = word_of_token(words, &tokens[i], &next);
}

void words_last_tokens(const struct words *words, const struct token *tokens, size_t count,
                       uint32_t *last)
{
    size_t next = 0;

    for (size_t i = 0; i < words->count; i++)
        last[i] = WORDS_NONE;
    for (size_t i = 0; i < count; i++) {
        const uint32_t word = word_of_token(words, &tokens[i], &next);

        if (word != WORDS_NONE)
            last[word] = (uint32_t)i;
    }
}

void words_release(struct words *words)
{
    mem_free(words->ranges);
    *words = (struct words){.ranges = NULL};
}
