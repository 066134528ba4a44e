#include "cmd/translate_text.h"

#include "base/mem.h"

int translate_text_init(struct translate_text *text, const struct tokenizer *tokenizer,
                        const char *data, size_t len, const struct passage_options *options,
                        struct err *err)
{
    *text = (struct translate_text){.passage = NULL};
    int code = passage_new(&text->passage, tokenizer, data, len, options, err);
    if (code < 0)
        return code;
    const size_t count = passage_unit_count(text->passage);
    text->items = mem_alloc(count, sizeof *text->items, err);
    if (text->items == NULL)
        return ERR_MEMORY;
    for (; text->count < count; text->count++) {
        struct translate_item *item = &text->items[text->count];
        item->item.unit = passage_unit(text->passage, text->count);
        item->text = text;
    }
    return 0;
}

void translate_text_release(struct translate_text *text)
{
    passage_free(text->passage);
    mem_free(text->items);
    *text = (struct translate_text){.passage = NULL};
}

struct batch_item *translate_text_next(struct translate_text *text)
{
    return text->given < text->count ? &text->items[text->given++].item : NULL;
}

struct translate_text *translate_text_done(struct batch_item *item)
{
    struct translate_text *text = ((struct translate_item *)item)->text;
    text->finished++;
    return text;
}

bool translate_text_complete(const struct translate_text *text)
{
    return text->finished == text->count;
}
