/*
 * Fuzz target: passages through a tiny model. Whatever the text, its pieces are the whole of it;
 * units are not too long; every span of a unit is in the translation where its range says, those of
 * some length exactly once; and every alternative is UTF-8.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/model.h"
#include "model/passage_parts.h"
#include "support/tiny_bundle.h"
#include "text/utf8.h"

#define LONGEST 600 /* bytes of a text: a tiny model is slow under a sanitizer */
#define ROWS 8
#define SURE 6 /* bytes of a span that no model writes by accident */

static void require(bool condition)
{
    if (!condition)
        abort();
}

static struct model *make_model(void)
{
    const struct tiny_bundle bundle = {.name = "tiny", .kind = SPEC_SEQ2SEQ, .seed = 7};
    char folder[] = "/tmp/dragoman-fuzz-XXXXXX", path[100];
    struct model *model = NULL;
    require(mkdtemp(folder) != NULL);
    require(tiny_bundle_write(folder, &bundle, NULL) == 0);
    require(model_open(&model, folder, NULL) == 0);
    static const char *const files[] = {"model.json", "weights.safetensors", "vocab.sqlite"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
    return model;
}

static void decode(struct passage *passage, struct decoder *decoder)
{
    struct decode_result *result;
    size_t joined = 0;
    while (joined < passage->unit_count || !decoder_idle(decoder)) {
        for (; joined < passage->unit_count; joined++) {
            struct passage_unit *unit = passage_unit(passage, joined);
            require(unit->count > 0 && unit->count <= DECODE_MAX_SOURCE);
            if (decoder_free_rows(decoder) < unit->options.beam)
                break;
            require(decoder_join(decoder, unit->ids, unit->count, &unit->options, unit, NULL) == 0);
        }
        require(decoder_step(decoder, NULL) == 0);
        while ((result = decoder_take(decoder)))
            ((struct passage_unit *)result->tag)->result = result;
    }
}

static size_t count(const char *text, size_t len, const char *part, size_t size)
{
    size_t times = 0;
    for (size_t i = 0; size > 0 && i + size <= len; i++)
        times += memcmp(text + i, part, size) == 0;
    return times;
}

static void check_span(const struct passage_result *result, const struct span *span)
{
    size_t times = 0;
    for (size_t i = 0; i < result->range_count; i++) {
        const struct passage_range *range = &result->ranges[i];
        times +=
            range->source_begin == span->begin && range->source_end == span->end &&
            range->target_end - range->target_begin == span->output_len &&
            memcmp(result->text.data + range->target_begin, span->output, span->output_len) == 0;
    }
    require(times >= 1 && (times == 1 || span->output_len < SURE));
    for (size_t i = 0; i < result->alternative_count; i++) {
        const struct passage_alternative *alternative = &result->alternatives[i];
        require(count(result->text.data + alternative->begin, alternative->end - alternative->begin,
                      span->output, span->output_len) >= (span->output_len > 0));
    }
}

static void check_result(const struct passage *passage, const struct passage_result *result)
{
    size_t end = 0;
    for (size_t i = 0; i < result->range_count; i++) {
        const struct passage_range *range = &result->ranges[i];
        require(range->source_begin <= range->source_end && range->source_end <= passage->len);
        require(range->target_begin >= end && range->target_begin <= range->target_end);
        end = range->target_end;
    }
    require(result->alternative_count >= 1 && end <= result->alternatives[0].end);
    require(utf8_valid_length(result->text.data ? result->text.data : "", result->text.len) ==
            result->text.len);
    for (size_t i = 0; i < passage->unit_count; i++) {
        const struct unit *unit = passage->units[i];
        for (size_t j = 0; j < unit->stand_in_count; j++)
            check_span(result, &unit->stand_ins[j].span);
        for (size_t j = 0; j < unit->mark_count; j++)
            check_span(result, &unit->marks[j].span);
    }
    require(result->quality >= 0 && result->quality <= 1);
}

static void check_pieces(const struct passage *passage)
{
    size_t end = 0;
    for (size_t i = 0; i < passage->piece_count; i++) {
        require(passage->pieces[i].begin == end && passage->pieces[i].end > end);
        end = passage->pieces[i].end;
    }
    require(end == passage->len);
}

static void check_passage(const struct model *model, struct decoder *decoder,
                          const struct buf *text, const struct passage_options *options)
{
    struct passage *passage;
    struct passage_result result = {.ranges = NULL};
    require(passage_new(&passage, model->tokenizer, text->data, text->len, options, NULL) == 0);
    check_pieces(passage);
    decode(passage, decoder);
    require(passage_write(passage, &result, NULL) == 0);
    check_result(passage, &result);
    passage_result_release(&result);
    passage_free(passage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct glossary_term terms[] = {
        {.source = "house", .source_len = 5, .target = "GLOSSAIRE", .target_len = 9}};
    static const struct glossary glossary = {.terms = terms, .count = 1};
    static struct model *model;
    static struct decoder *decoder;
    struct buf text = BUF_INIT;
    if (!model) {
        model = make_model();
        const struct ensemble alone = {.models = {model->seq2seq}, .count = 1};
        decoder = decoder_new(&alone, ROWS, NULL);
        require(decoder != NULL);
    }
    const uint8_t settings = size > 0 ? data[0] : 0;
    const size_t beam = 1 + settings % 3, len = size > LONGEST ? LONGEST : size;
    const struct passage_options options = {
        .decode = {.beam = beam, .nbest = 1 + (settings >> 2) % beam, .max_length = 40},
        .language = settings & 16 ? "en" : NULL,
        .glossary = settings & 32 ? &glossary : NULL,
        .clause_tokens = settings & 64 ? 12 : 0,
        .whole = settings & 128,
        .ranges = true,
    };
    require(buf_reserve(&text, 1, NULL) == 0);
    require(utf8_repair((const char *)data, len, &text, NULL) == 0);
    check_passage(model, decoder, &text, &options);
    buf_release(&text);
    return 0;
}
