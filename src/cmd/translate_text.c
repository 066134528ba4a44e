#include "cmd/translate_text.h"

#include "base/mem.h"
#include "text/sentence.h"
#include "text/utf8.h"

static size_t count_sentences(const char *data, size_t len)
{
    struct sentence sentence;
    size_t count = 0;
    for (size_t offset = 0; sentence_next(data, len, &offset, &sentence);)
        count++;
    return count;
}

static void add_sentence(struct translate_text *text, size_t begin, size_t end)
{
    struct translate_sentence *sentence = &text->sentences[text->count++];
    sentence->item = (struct batch_item){{text->data + begin, end - begin}, &sentence->output};
    sentence->text = text;
}

int translate_text_init(struct translate_text *text, const char *data, size_t len, bool split,
                        struct err *err)
{
    /* The translator refuses what is not UTF-8 and says where in the whole text. */
    const bool cut = split && utf8_valid_length(data, len) == len;
    struct sentence sentence;
    *text = (struct translate_text){.data = data};
    text->sentences = mem_alloc(cut ? count_sentences(data, len) : 1, sizeof *text->sentences, err);
    if (text->sentences == NULL)
        return ERR_MEMORY;
    if (!cut)
        add_sentence(text, 0, len);
    for (size_t offset = 0; cut && sentence_next(data, len, &offset, &sentence);)
        add_sentence(text, sentence.begin, sentence.end);
    return 0;
}

void translate_text_release(struct translate_text *text)
{
    for (size_t i = 0; i < text->count; i++)
        batch_output_release(&text->sentences[i].output);
    mem_free(text->sentences);
    *text = (struct translate_text){.data = NULL};
}

struct batch_item *translate_text_next(struct translate_text *text)
{
    return text->given < text->count ? &text->sentences[text->given++].item : NULL;
}

struct translate_text *translate_text_done(struct batch_item *item)
{
    struct translate_text *text = ((struct translate_sentence *)item)->text;
    text->finished++;
    return text;
}

bool translate_text_complete(const struct translate_text *text)
{
    return text->finished == text->count;
}

int translate_text_error(const struct translate_text *text, struct err *err)
{
    for (size_t i = 0; i < text->count; i++) {
        const struct err *own = &text->sentences[i].output.err;
        if (own->code == ERR_NONE)
            continue;
        err_set(err, own->code, "%s", own->message);
        return text->count == 1 ? err->code : err_context(err, "sentence %zu", i + 1);
    }
    return 0;
}

size_t translate_text_alternatives(const struct translate_text *text)
{
    size_t most = 1;
    for (size_t i = 0; i < text->count; i++)
        if (text->sentences[i].output.count > most)
            most = text->sentences[i].output.count;
    return most;
}

int translate_text_write(const struct translate_text *text, size_t rank, struct buf *out,
                         double *score, struct err *err)
{
    const char *end = text->data; /* of the sentence before */
    int code = 0;
    *score = 0;
    for (size_t i = 0; i < text->count && code == 0; i++) {
        const struct translate_sentence *sentence = &text->sentences[i];
        const struct batch_text *source = &sentence->item.text;
        const struct batch_output *output = &sentence->output;
        if (output->count == 0)
            continue;
        const struct batch_candidate *candidate =
            &output->candidates[rank < output->count ? rank : output->count - 1];
        if (i > 0)
            code = buf_append(out, end, (size_t)(source->data - end), err);
        if (code == 0)
            code = buf_append(out, candidate->text, candidate->len, err);
        *score += (double)candidate->score / (double)text->count;
        end = source->data + source->len;
    }
    return code;
}
