/*
 * Cells from inside: what is seen is what the networks compute; units whose weights make them
 * detectors by hand are found and ranked first; gates that never move are counted as shut or open;
 * the page is well-formed and holds what it should.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/cells_page.h"
#include "fault/fault.h"
#include "model/bundle.h"
#include "model/rnn.h"
#include "support/markup.h"
#include "support/tiny_bundle.h"
#include "text/vocab.h"
#include "unit.h"

#define HIDDEN 4
#define TEXT                                                                                       \
    "He said \xC2\xABgo\xC2\xBB and went.\n\xC2\xABWhy not?\xC2\xBB she asked him then.\n"         \
    "A line (with brackets) and no more.\n"                                                        \
    "One \xC2\xABtwo\xC2\xBB three \xC2\xAB"                                                       \
    "four\xC2\xBB.\nThe end of it all.\n"

enum { DETECTS_QUOTES, COUNTS, IDLE, FORGETS };

static struct model *open_model(const char *folder)
{
    struct err err = ERR_INIT;
    struct model *model;
    assert_fine(model_open(&model, folder, &err), err);
    return model;
}

/* A stream's language model of characters with one LSTM: unit DETECTS_QUOTES adds 1 to its c at an
   opening mark and takes it away at a closing one; COUNTS adds a little at each character and
   forgets all at a line feed; IDLE stays 0; FORGETS has its forget gate always shut. */
static void set_weights(struct rnn *rnn, const struct tokenizer *tokenizer)
{
    struct err err = ERR_INIT;
    struct encoded marks = {.count = 0};
    struct cell_weights *w = &rnn->encoder.layer[0][0].w;
    assert_fine(tokenizer_encode(tokenizer, "\xC2\xAB\xC2\xBB\n", 5, &marks, &err), err);
    assert_int_equal(marks.count, 3);
    /* x0: 1 at an opening mark, -1 at a closing one; x1: 1 at a line feed */
    rnn->embedding_weight[(size_t)marks.tokens[0].id * 2] = 1;
    rnn->embedding_weight[(size_t)marks.tokens[1].id * 2] = -1;
    rnn->embedding_weight[(size_t)marks.tokens[2].id * 2 + 1] = 1;
    encoded_release(&marks);
    for (size_t i = 0; i < HIDDEN; i++) {
        w->bias_ih[i] = 20;              /* i: open */
        w->bias_ih[HIDDEN + i] = 20;     /* f: open */
        w->bias_ih[3 * HIDDEN + i] = 20; /* o: open */
    }
    w->weight_ih[(2 * HIDDEN + DETECTS_QUOTES) * 2] = 20;
    w->bias_ih[2 * HIDDEN + COUNTS] = 0.02F;
    w->weight_ih[(HIDDEN + COUNTS) * 2 + 1] = -40;
    w->bias_ih[HIDDEN + FORGETS] = -20;
}

static void write_planted(const char *folder, const char *vocabulary)
{
    struct err err = ERR_INIT;
    struct spec spec = {.name = "planted",
                        .task = SPEC_GENERATION,
                        .stream = true,
                        .kind = SPEC_RNN,
                        .temperature = 1,
                        .deviation = 1,
                        .tokenizer = {.kind = TOKEN_CHAR, .form = NORM_NFC},
                        .embedding = 2,
                        .encoder = {.cell = CELL_LSTM, .layers = 1, .hidden = HIDDEN}};
    const struct vocab_settings settings = {.tokenizer = spec.tokenizer, .min_count = 1};
    struct vocab_learner *learner = vocab_learner_new(&settings, &err);
    struct tokenizer *tokenizer;
    struct rnn rnn;
    struct parameter list[RNN_MAX_PARAMETERS];
    struct tensor tensors[RNN_MAX_PARAMETERS];
    assert_non_null(learner);
    assert_fine(vocab_learner_add(learner, TEXT, strlen(TEXT), &err), err);
    assert_fine(vocab_learner_save(learner, vocabulary, &err), err);
    vocab_learner_free(learner);
    assert_fine(tokenizer_open(&tokenizer, &spec.tokenizer, vocabulary, &err), err);
    spec.vocabulary = tokenizer_size(tokenizer);
    rnn_size(&rnn, &spec);
    const size_t count = rnn_parameters(&rnn, list);
    real *flat = mem_alloc(parameters_total(list, count), sizeof *flat, &err);
    assert_non_null(flat);
    parameters_bind(list, count, flat);
    set_weights(&rnn, tokenizer);
    parameters_tensors(list, count, tensors);
    assert_fine(bundle_save(folder, &spec, vocabulary, tensors, count, &err), err);
    mem_free(flat);
    tokenizer_free(tokenizer);
}

static char folder[4200], vocabulary[4200];

static struct model *planted_model(const char *scratch)
{
    snprintf(folder, sizeof folder, "%s/planted", scratch);
    snprintf(vocabulary, sizeof vocabulary, "%s/vocabulary", scratch);
    write_planted(folder, vocabulary);
    return open_model(folder);
}

static void a_planted_unit_is_found(void **state)
{
    struct err err = ERR_INIT;
    struct model *model = planted_model(*state);
    struct cells cells;
    struct cells_rank rank;
    size_t best[2];
    assert_fine(cells_watch(&cells, model, TEXT, strlen(TEXT), 1000, NULL, &err), err);
    assert_int_equal(cells.units, 2 * HIDDEN);
    assert_int_equal(cells.tokens, strlen(TEXT) - 8); /* eight marks of two bytes */
    assert_int_equal(cells.read, strlen(TEXT));
    assert_fine(cells_rank(&rank, &cells, TEXT, strlen(TEXT), &err), err);
    /* h and c of the same cell say the same: the first wins */
    cells_rank_best(&rank, PROPERTY_QUOTES, 2, best);
    assert_int_equal(best[0], DETECTS_QUOTES);
    assert_int_equal(best[1], HIDDEN + DETECTS_QUOTES);
    assert_true(rank.properties[PROPERTY_QUOTES].strengths[best[0]] > 0.999F);
    assert_int_equal(rank.properties[PROPERTY_QUOTES].stretches, 4);
    cells_rank_best(&rank, PROPERTY_POSITION, 1, best);
    assert_int_equal(best[0], COUNTS);
    assert_true(rank.properties[PROPERTY_POSITION].strengths[COUNTS] > 0.999F);
    assert_true(rank.properties[PROPERTY_POSITION].strengths[IDLE] == 0);
    assert_null(rank.properties[PROPERTY_COMMENT].strengths);
    assert_null(rank.properties[PROPERTY_BRACKETS].strengths); /* one stretch */
    cells_rank_release(&rank);
    cells_release(&cells);
    model_release(model);
}

static void gates_are_counted(void **state)
{
    struct err err = ERR_INIT;
    struct model *model = planted_model(*state);
    struct cells cells;
    assert_fine(cells_watch(&cells, model, TEXT, strlen(TEXT), 1000, NULL, &err), err);
    assert_string_equal(cells.gates, "ifo");
    const size_t T = cells.tokens;
    for (size_t i = 0; i < HIDDEN; i++) {
        const size_t f = HIDDEN + i;
        assert_int_equal(cells.open[i], T);
        assert_int_equal(cells.shut[i], 0);
        assert_int_equal(cells.open[2 * HIDDEN + i], T);
        assert_int_equal(cells.shut[f], i == FORGETS ? T : i == COUNTS ? 5 : 0); /* line feeds */
        assert_int_equal(cells.open[f] + cells.shut[f], T);
    }
    cells_release(&cells);
    model_release(model);
}

static void fewer_tokens_are_read_where_few_are_wanted(void **state)
{
    struct err err = ERR_INIT;
    struct model *model = planted_model(*state);
    struct cells all, few;
    assert_fine(cells_watch(&all, model, TEXT, strlen(TEXT), 1000, NULL, &err), err);
    assert_fine(cells_watch(&few, model, TEXT, strlen(TEXT), 11, NULL, &err), err);
    assert_int_equal(few.tokens, 11);
    assert_int_equal(few.read, strlen("He said \xC2\xABgo"));
    for (size_t u = 0; u < few.units; u++)
        assert_memory_equal(few.values + u * 11, all.values + u * all.tokens, 11 * 2);
    cells_release(&few);
    cells_release(&all);
    model_release(model);
}

/* Both directions of a classifier, line by line: the states that its own trace shows. */
static void values_are_the_networks_own(void **state)
{
    struct err err = ERR_INIT;
    static const char text[] = "Great fun!\n\nA dull mess.";
    snprintf(folder, sizeof folder, "%s/tiny-rnn", (const char *)*state);
    const struct tiny_bundle bundle = {.name = "tiny-rnn", .kind = SPEC_RNN, .seed = 4};
    assert_fine(tiny_bundle_write(folder, &bundle, &err), err);
    struct model *model = open_model(folder);
    struct cells cells;
    struct encoded encoded = {.count = 0};
    float states[64 * 12], outputs[2];
    int32_t ids[64];
    assert_fine(cells_watch(&cells, model, text, strlen(text), 1000, NULL, &err), err);
    assert_int_equal(cells.units, 12);
    assert_string_equal(cells.gates, "rz");
    assert_fine(tokenizer_encode(model->tokenizer, text + 12, 12, &encoded, &err), err);
    assert_in_range(encoded.count, 1, 64);
    for (size_t t = 0; t < encoded.count; t++)
        ids[t] = encoded.tokens[t].id;
    const struct rnn_input input = {.count = encoded.count, .ids = ids};
    const struct rnn_trace trace = {.states = states};
    assert_fine(rnn_pooled(model->rnn, &input, outputs, &trace, &err), err);
    /* the second line's tokens come last; the space that is put in front makes no column */
    for (size_t t = encoded.count, column = cells.tokens; t-- > 0;) {
        if (encoded.tokens[t].raw_begin == encoded.tokens[t].raw_end)
            continue;
        column--;
        assert_int_equal(cells.token[column].begin, 12 + encoded.tokens[t].raw_begin);
        assert_int_equal(cells.token[column].end, 12 + encoded.tokens[t].raw_end);
        for (size_t u = 0; u < 12; u++)
            assert_true(fabs(cells.values[u * cells.tokens + column] / CELLS_SCALE -
                             (double)states[t * 12 + u]) < 1 / CELLS_SCALE);
    }
    assert_int_equal(cells_unit(&cells, 7).direction, 1);
    assert_int_equal(cells_unit(&cells, 7).index, 1);
    encoded_release(&encoded);
    cells_release(&cells);
    model_release(model);
}

static void encoders_of_translation_are_seen(void **state)
{
    struct err err = ERR_INIT;
    static const char text[] = "The house is small.";
    snprintf(folder, sizeof folder, "%s/tiny-en-fr", (const char *)*state);
    const struct tiny_bundle bundle = {.name = "tiny-en-fr", .kind = SPEC_SEQ2SEQ, .seed = 1};
    assert_fine(tiny_bundle_write(folder, &bundle, &err), err);
    struct model *model = open_model(folder);
    struct cells cells;
    assert_fine(cells_watch(&cells, model, text, strlen(text), 1000, NULL, &err), err);
    assert_int_equal(cells.directions, 2);
    assert_int_equal(cells.units, 12);
    assert_int_equal(cells.read, strlen(text));
    cells_release(&cells);
    model_release(model);
}

static void assert_refused(const struct model *model, const char *text, const char *label,
                           enum err_code code, const char *why)
{
    struct err err = ERR_INIT;
    struct cells cells;
    assert_int_equal(cells_watch(&cells, model, text, strlen(text), 10, label, &err), code);
    if (strstr(err.message, why) == NULL)
        fail_msg("%s", err.message);
}

static void what_cannot_be_seen_is_refused(void **state)
{
    struct err err = ERR_INIT;
    struct model *planted = planted_model(*state);
    assert_refused(planted, "", NULL, ERR_ARGUMENT, "no token");
    assert_refused(planted, "\xFF", NULL, ERR_UTF8, "");
    assert_refused(planted, "a", "positive", ERR_ARGUMENT, "takes no label");
    model_release(planted);
    snprintf(folder, sizeof folder, "%s/tiny-bag", (const char *)*state);
    const struct tiny_bundle bundle = {.name = "tiny-bag", .kind = SPEC_BAG_OF_WORDS, .seed = 3};
    assert_fine(tiny_bundle_write(folder, &bundle, &err), err);
    struct model *bag = open_model(folder);
    assert_refused(bag, "a", NULL, ERR_ARGUMENT, "no cells");
    model_release(bag);
}

static struct buf make_page(const struct model *model, size_t units, size_t shown)
{
    struct err err = ERR_INIT;
    struct cells cells;
    struct cells_rank rank;
    struct buf out = BUF_INIT;
    char why[200] = "";
    assert_fine(cells_watch(&cells, model, TEXT, strlen(TEXT), 1000, NULL, &err), err);
    assert_fine(cells_rank(&rank, &cells, TEXT, strlen(TEXT), &err), err);
    const struct cells_page page = {.model = model,
                                    .file = "<text>",
                                    .text = TEXT,
                                    .cells = &cells,
                                    .rank = &rank,
                                    .units = units,
                                    .shown = shown};
    assert_fine(cells_page(&page, &out, &err), err);
    if (!markup_check_scripted(out.data, out.len, why, sizeof why))
        fail_msg("%s", why);
    cells_rank_release(&rank);
    cells_release(&cells);
    return out;
}

static void the_page_shows_it(void **state)
{
    struct model *model = planted_model(*state);
    struct buf page = make_page(model, 100, 5000);
    const size_t tokens = strlen(TEXT) - 8;
    assert_non_null(strstr(page.data, "reading &lt;text&gt;"));
    assert_non_null(strstr(page.data, "<button type=\"button\" data-unit=\"0\" "
                                      "data-property=\"0\">h0 <b>1.000 \xE2\x96\xB4</b>"));
    assert_int_equal(markup_count(page.data, "<i>"), tokens + 1); /* and the scale */
    assert_int_equal(markup_count(page.data, "<option value=\"0\">"), 2);
    assert_int_equal(markup_count(page.data, "\"values\":\""), 2 * HIDDEN);
    assert_int_equal(markup_count(page.data, "class=\"points\""), 3);
    /* the detector over `He said «go»`: at rest, at its highest inside, at rest */
    assert_non_null(strstr(page.data, "\"values\":\"gggggggg___gg"));
    assert_non_null(strstr(page.data, "\"marks\":\"0000000011100"));
    buf_release(&page);
    page = make_page(model, 1, 20);
    assert_int_equal(markup_count(page.data, "<i>"), 20 + 1);
    buf_release(&page);
    model_release(model);
}

static int watch_and_write(void *context, struct err *err)
{
    struct cells cells;
    struct cells_rank rank;
    struct buf out = BUF_INIT;
    int code = cells_watch(&cells, context, TEXT, strlen(TEXT), 1000, NULL, err);
    if (code < 0)
        return code;
    code = cells_rank(&rank, &cells, TEXT, strlen(TEXT), err);
    if (code == 0) {
        const struct cells_page page = {.model = context,
                                        .file = "text",
                                        .text = TEXT,
                                        .cells = &cells,
                                        .rank = &rank,
                                        .units = 8,
                                        .shown = 100};
        code = cells_page(&page, &out, err);
        cells_rank_release(&rank);
    }
    cells_release(&cells);
    buf_release(&out);
    return code;
}

static void memory_may_run_out(void **state)
{
    struct model *model = planted_model(*state);
    assert_true(fault_loop(watch_and_write, model) > 30);
    model_release(model);
    snprintf(folder, sizeof folder, "%s/tiny-en-fr", (const char *)*state);
    model = open_model(folder);
    fault_loop(watch_and_write, model);
    model_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planted_unit_is_found),
        cmocka_unit_test(gates_are_counted),
        cmocka_unit_test(fewer_tokens_are_read_where_few_are_wanted),
        cmocka_unit_test(values_are_the_networks_own),
        cmocka_unit_test(encoders_of_translation_are_seen),
        cmocka_unit_test(what_cannot_be_seen_is_refused),
        cmocka_unit_test(the_page_shows_it),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
