/* train.jsonl and report.html: what is written can be read again, a resumed run has no part twice,
   and the page shows what the lines say, whatever the sentences are. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/markup.h"
#include "train/history.h"
#include "train/journal.h"
#include "train/report.h"
#include "unit.h"

#define EVIL "</td><script>\"&'\\ \t\x01\xff\xED\xA0\x80 日本 \xF0\x9F\x98\x80"

static struct recipe recipe;
static char path[4200];

static const char *const source_tokens[] = {" the", " <cat>", "\xff"};
static const char *const output_tokens[] = {" le", " "};
static const float attention[] = {0.5f, 0.25f, 0.25f, 0, 0, 1};

/* Three sentences: with attention, without, and one that could not be translated. */
static bool sample_of(void *context, size_t i, struct trainer_sample *sample)
{
    const size_t *count = context;
    if (i >= *count)
        return false;
    *sample = (struct trainer_sample){.source = EVIL, .reference = "right"};
    if (i == 0) {
        sample->attention = attention;
        sample->source_tokens = source_tokens;
        sample->output_tokens = output_tokens;
        sample->source_count = 3;
        sample->output_count = 2;
    }
    if (i < 2)
        sample->output = i == 0 ? EVIL : "right";
    sample->score = -0.5;
    return true;
}

static size_t samples = 3;
static struct trainer_task task = {
    .context = &samples,
    .parameters = 1234567,
    .examples = 90,
    .left_out = 10,
    .unit = "tokens",
    .score_name = "BLEU",
    .sample = sample_of,
    .facts = {
        .lines = 100, .dev_lines = 3, .tokens = {1000, 1100}, .vocabulary = 50, .tensors = 7}};
static const struct journal_run run = {&recipe, &task, "dragoman train " EVIL};

static int set_up(void **state)
{
    struct err err = ERR_INIT;
    if (opt_defaults(recipe_options, &recipe, &err) ||
        opt_set(recipe_options, &recipe, "name", "m <1>", &err) ||
        opt_set(recipe_options, &recipe, "train", "a.tsv", &err) ||
        opt_set(recipe_options, &recipe, "train", "b.tsv", &err) ||
        opt_set(recipe_options, &recipe, "source", "en", &err) ||
        opt_set(recipe_options, &recipe, "rate", "0.004", &err) || scratch_make(state))
        return -1;
    snprintf(path, sizeof path, "%s/train.jsonl", (const char *)*state);
    return 0;
}

static int tear_down(void **state)
{
    opt_release(recipe_options, &recipe);
    return scratch_remove(state);
}

static struct trainer_progress at_update(size_t update)
{
    return (struct trainer_progress){.update = update,
                                     .epoch = update / 10,
                                     .batch = update % 10,
                                     .batches = 10,
                                     .progress = (double)update / 1000,
                                     .loss = 5 - (double)update / 1000,
                                     .gradient_norm = 0.5,
                                     .rate = 0.001,
                                     .units_per_second = 2000,
                                     .seconds = (double)update,
                                     .best_score = -1};
}

static void report(struct journal *journal, size_t update, double score)
{
    struct err err = ERR_INIT;
    struct trainer_progress progress = at_update(update);
    if (score >= 0) {
        progress.scored = progress.best = progress.saved = true;
        progress.score = progress.best_score = score;
        progress.perplexity = 100 / (1 + score);
        progress.bits_per_character = 2;
    }
    assert_fine(journal_report(journal, &progress, &err), err);
}

/* A run from the update after `from` to `to`, scored at each hundredth. */
static struct journal *train(size_t from, size_t to, bool resume)
{
    struct err err = ERR_INIT;
    struct journal *journal;
    recipe.resume = resume;
    assert_fine(journal_open(&journal, path, &run, &err), err);
    assert_fine(journal_start(journal, &err), err);
    for (size_t update = from + 1; update <= to; update++) {
        report(journal, update, -1);
        if (update % 100 == 0)
            report(journal, update, (double)update / 100);
    }
    return journal;
}

static json_t *read_line(size_t number)
{
    struct err err = ERR_INIT;
    struct buf text = BUF_INIT;
    assert_fine(file_read(path, 1 << 24, &text, &err), err);
    const char *line = text.data;
    for (size_t i = 0; i < number && line; i++)
        line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL;
    json_error_t fault;
    json_t *object = NULL;
    if (line && *line) {
        object =
            json_loadb(line, (size_t)(strchr(line, '\n') - line), JSON_REJECT_DUPLICATES, &fault);
        if (!object)
            fail_msg("line %zu: %s", number, fault.text);
    }
    buf_release(&text);
    return object;
}

struct counts {
    size_t starts, updates, evaluations, samples, ends;
};

/* Reads the file; updates must rise from line to line, and scores too. */
static struct counts count_lines(void)
{
    struct counts counts = {0};
    double update = 0, evaluation = 0;
    json_t *line;
    for (size_t i = 0; (line = read_line(i)); i++) {
        const char *type = history_text(line, "type");
        const double now = history_number(line, "update");
        if (strcmp(type, "update") == 0) {
            assert_true(now > update);
            update = now;
            counts.updates++;
        } else if (strcmp(type, "evaluation") == 0) {
            assert_true(now > evaluation);
            evaluation = now;
            counts.evaluations++;
        } else {
            counts.starts += strcmp(type, "start") == 0;
            counts.samples += strcmp(type, "samples") == 0;
            counts.ends += strcmp(type, "end") == 0;
        }
        json_decref(line);
    }
    return counts;
}

static void lines_say_all(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct journal *journal = train(0, 100, false);
    struct trainer_progress final = at_update(100);
    final.best_score = 1;
    assert_fine(journal_end(journal, "finished", NULL, &final, &err), err);
    journal_close(journal);
    json_t *start = read_line(0), *first = read_line(1), *score = read_line(101),
           *kept = read_line(102), *end = read_line(103);
    assert_string_equal(history_text(start, "type"), "start");
    assert_string_equal(history_text(start, "name"), "m <1>");
    assert_non_null(strstr(history_text(start, "program"), "dragoman "));
    assert_true(history_number(start, "parameters") == 1234567);
    const json_t *data = json_object_get(start, "data"),
                 *settings = json_object_get(start, "settings");
    assert_int_equal(json_array_size(json_object_get(data, "train")), 2);
    assert_true(history_number(data, "left_out") == 10);
    assert_true(history_number(data, "target_tokens") == 1100);
    assert_true(history_number(settings, "rate") == 0.004);
    assert_string_equal(history_text(settings, "tokenizer"), "bpe");
    assert_string_equal(history_text(settings, "cell"), "gru");
    assert_true(json_is_true(json_object_get(settings, "bidirectional")));
    for (const struct opt *opt = recipe_options; opt->name; opt++)
        if (opt->fallback && opt->scope == OPT_ANYWHERE && !json_object_get(settings, opt->name))
            fail_msg("%s is missing", opt->name);
    char *changed = json_dumps(json_object_get(start, "changed"), JSON_COMPACT);
    assert_string_equal(changed, "[\"train\",\"name\",\"source\",\"rate\"]");
    free(changed);
    assert_true(history_number(first, "update") == 1 && history_number(first, "epoch") == 0.1);
    assert_true(history_number(first, "loss") == 4.999);
    assert_string_equal(history_text(score, "metric"), "BLEU");
    assert_true(history_number(score, "score") == 1 && history_number(score, "perplexity") == 50);
    assert_true(history_number(score, "bits_per_character") == 2);
    assert_true(fabs(history_number(score, "nats_per_character") - 2 * log(2)) < 1e-7);
    assert_int_equal(json_array_size(json_object_get(kept, "samples")), 3);
    assert_string_equal(history_text(end, "reason"), "finished");
    assert_null(read_line(104));
    json_t *lines[] = {start, first, score, kept, end};
    for (size_t i = 0; i < 5; i++)
        json_decref(lines[i]);
}

static void attention_is_written_row_by_row(void **state)
{
    (void)state;
    journal_close(train(0, 100, false));
    json_t *line = read_line(102);
    const json_t *all = json_object_get(line, "samples");
    const json_t *first = json_array_get(all, 0), *failed = json_array_get(all, 2);
    char *rows =
        json_dumps(json_object_get(first, "attention"), JSON_COMPACT | JSON_REAL_PRECISION(3));
    assert_string_equal(rows, "[[0.5,0.25,0.25],[0,0,1]]");
    free(rows);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(first, "source_tokens"), 1)), " <cat>");
    assert_null(json_object_get(json_array_get(all, 1), "attention"));
    assert_null(json_object_get(failed, "output"));
    json_decref(line);
}

static void long_runs_have_few_lines(void **state)
{
    (void)state;
    samples = 0;
    journal_close(train(0, 20000, false));
    samples = 3;
    struct counts counts = count_lines();
    assert_int_equal(counts.evaluations, 200);
    assert_int_equal(counts.samples, 0);
    /* 511, 256 in each doubling, and what there is of the last one: each 64th from 16384 on */
    assert_int_equal(counts.updates, 511 + 5 * 256 + (20000 - 16384) / 64 + 1);
}

/* Killed after `killed`, resumed from a checkpoint at `from`: the same lines as an unbroken run. */
static void resume(size_t from, size_t killed, const char *torn)
{
    struct err err = ERR_INIT;
    journal_close(train(0, killed, false));
    FILE *file = fopen(path, "ae");
    fputs(torn, file);
    fclose(file);
    struct journal *journal = train(from, 700, true);
    const struct history *history = journal_history(journal);
    struct trainer_progress final = at_update(700);
    assert_fine(journal_end(journal, "finished", NULL, &final, &err), err);
    const struct counts counts = count_lines();
    assert_int_equal(counts.starts, 2);
    assert_int_equal(counts.ends, strstr(torn, "stopped") ? 2 : 1);
    assert_int_equal(counts.updates, 511 + (700 - 512) / 2 + 1);
    assert_int_equal(counts.evaluations, 7);
    assert_int_equal(counts.samples, 7);
    assert_int_equal(history->update_count, counts.updates);
    assert_int_equal(history->evaluation_count, 7);
    assert_int_equal(history->sample_count, 7);
    assert_true(json_is_true(json_object_get(history->start, "resumed")));
    assert_true(history_number(history->start, "update") == (double)from);
    journal_close(journal);
}

static void a_resumed_run_has_no_part_twice(void **state)
{
    (void)state;
    resume(300, 300, "");
    resume(300, 350, "");
    resume(300, 400, "");
    resume(99, 400, "");
    resume(100, 101, "{\"type\":\"upd");
    resume(0, 555, "{\"type\":\"update\",\"update\":556}");
    resume(200, 200, "nothing of this\n{\"type\":\"update\",\"update\":1}\n");
    resume(200, 200, "{\"type\":\"other\",\"update\":201}\n");
    resume(200, 200, "{\"type\":\"end\",\"update\":200,\"reason\":\"stopped\"}\n");
}

/* The checkpoint was written between the last update of an epoch and its score. */
static void a_run_may_go_on_with_a_score(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct journal *journal = train(0, 100, false);
    report(journal, 101, -1);
    journal_close(journal);
    recipe.resume = true;
    assert_fine(journal_open(&journal, path, &run, &err), err);
    assert_fine(journal_start(journal, &err), err);
    report(journal, 100, 1);
    report(journal, 101, -1);
    journal_close(journal);
    const struct counts counts = count_lines();
    assert_int_equal(counts.updates, 101);
    assert_int_equal(counts.evaluations, 1);
    assert_int_equal(counts.samples, 1);
}

static void a_new_run_begins_anew(void **state)
{
    (void)state;
    journal_close(train(0, 300, false));
    journal_close(train(0, 2, false));
    const struct counts counts = count_lines();
    assert_int_equal(counts.updates, 2);
    assert_int_equal(counts.starts, 1);
    assert_int_equal(counts.evaluations, 0);
}

/* Resumed where nothing is left to do, or where the checkpoint cannot be read. */
static void without_a_report_nothing_changes(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    const struct trainer_progress none = {0};
    journal_close(train(0, 300, false));
    const struct counts before = count_lines();
    struct journal *journal = train(300, 300, true);
    assert_fine(journal_end(journal, "finished", NULL, &none, &err), err);
    assert_int_equal(journal_history(journal)->update_count, before.updates);
    journal_close(journal);
    const struct counts after = count_lines();
    assert_memory_equal(&after, &before, sizeof after);
}

static void samples_of_many_evaluations_are_thinned(void **state)
{
    (void)state;
    struct journal *journal = train(0, 10000, false);
    const struct history *history = journal_history(journal);
    double before = 0;
    assert_int_equal(history->sample_count, HISTORY_SAMPLES);
    for (size_t i = 0; i < HISTORY_SAMPLES; i++) {
        const double update = history_number(history->samples[i], "update");
        assert_true(update > before);
        before = update;
    }
    assert_true(history_number(history->samples[0], "update") == 100);
    assert_true(before == 10000);
    journal_close(journal);
}

static void a_full_disk_is_named(void **state)
{
    struct err err = ERR_INIT;
    struct journal *journal;
    recipe.resume = false;
    if (access("/dev/full", W_OK) != 0)
        skip();
    snprintf(path, sizeof path, "/dev/full");
    assert_fine(journal_open(&journal, path, &run, &err), err);
    assert_int_equal(journal_start(journal, &err), ERR_IO);
    assert_non_null(strstr(err.message, "/dev/full: cannot write"));
    journal_close(journal);
    err_clear(&err);
    snprintf(path, sizeof path, "%s/none/train.jsonl", (const char *)*state);
    assert_int_equal(journal_open(&journal, path, &run, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "none/train.jsonl"));
    assert_null(journal);
    snprintf(path, sizeof path, "%s/train.jsonl", (const char *)*state);
}

static struct buf make_page(const struct journal *journal)
{
    struct err err = ERR_INIT;
    struct buf page = BUF_INIT;
    char why[200] = "";
    assert_fine(report_page(journal_history(journal), &page, &err), err);
    if (!markup_check(page.data, page.len, why, sizeof why))
        fail_msg("%s", why);
    return page;
}

static void the_page_shows_the_run(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct journal *journal = train(0, 300, false);
    struct buf page = make_page(journal);
    assert_non_null(strstr(page.data, "In training."));
    assert_non_null(strstr(page.data, "<h1>m &lt;1&gt;</h1>"));
    assert_non_null(strstr(page.data, "best BLEU, epoch 30"));
    assert_int_equal(markup_count(page.data, "<svg class=\"lines\""), 6);
    assert_int_equal(markup_count(page.data, "<svg class=\"heat\""), 1);
    assert_int_equal(markup_count(page.data, "<tr class=\"hit\">"), 3);
    assert_int_equal(markup_count(page.data, "<td dir=\"auto\""), 9);
    assert_non_null(strstr(page.data, "&lt;/td&gt;&lt;script&gt;&quot;&amp;&#39;\\ \t"));
    assert_non_null(strstr(page.data, "<th scope=\"row\">rate</th><td>0.004</td>"));
    assert_true(strstr(page.data, "row\">rate</th>") < strstr(page.data, "<details>"));
    assert_true(strstr(page.data, "row\">cell</th>") > strstr(page.data, "<details>"));
    assert_non_null(strstr(page.data, "1\xE2\x80\xAF"
                                      "234\xE2\x80\xAF"
                                      "567"));
    buf_release(&page);
    const struct trainer_progress final = at_update(300);
    assert_fine(journal_end(journal, "failed", "the <loss>", &final, &err), err);
    page = make_page(journal);
    assert_non_null(strstr(page.data, "Failed. the &lt;loss&gt;"));
    buf_release(&page);
    journal_close(journal);
}

static void a_page_without_updates_is_whole(void **state)
{
    (void)state;
    struct journal *journal = train(0, 0, false);
    struct buf page = make_page(journal);
    assert_non_null(strstr(page.data, "No update yet."));
    buf_release(&page);
    journal_close(journal);
}

static void a_page_of_odd_lines_is_whole(void **state)
{
    (void)state;
    static const char deep[] =
        "{\"type\":\"samples\",\"update\":4,\"samples\":[1,{\"attention\":1},"
        "{\"attention\":[[1]],\"source_tokens\":[1,\"a\"],"
        "\"output_tokens\":[\"b\",{}]}]}";
    static const char *const lines[] = {
        "{\"type\":\"start\",\"update\":0,\"settings\":[],\"data\":1,\"changed\":{}}",
        "{\"type\":\"update\",\"update\":1}",
        "{\"type\":\"update\",\"update\":2,\"loss\":null,\"rate\":\"x\",\"seconds\":1e300}",
        "{\"type\":\"update\",\"update\":1e307,\"loss\":1e308,\"gradient_norm\":-1}",
        "{\"type\":\"evaluation\",\"update\":3,\"best\":true}",
        "{\"type\":\"samples\",\"update\":3,\"samples\":{}}",
        deep,
        "{\"type\":\"end\",\"update\":5}",
    };
    struct history history = {0};
    struct err err = ERR_INIT;
    struct buf page = BUF_INIT;
    char why[200] = "";
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_fine(history_add(&history, lines[i], strlen(lines[i]), NULL, &err), err);
        if (!history.start)
            continue;
        buf_clear(&page);
        assert_fine(report_page(&history, &page, &err), err);
        if (!markup_check(page.data, page.len, why, sizeof why))
            fail_msg("%s", why);
    }
    static const char *const bad[] = {"",
                                      "[]",
                                      "{\"type\":\"update\"}",
                                      "{\"update\":1}",
                                      "{",
                                      "{\"type\":\"update\",\"update\":-1}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err own = ERR_INIT;
        assert_int_equal(history_add(&history, bad[i], strlen(bad[i]), NULL, &own), ERR_FORMAT);
    }
    buf_release(&page);
    history_release(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_say_all),
        cmocka_unit_test(attention_is_written_row_by_row),
        cmocka_unit_test(long_runs_have_few_lines),
        cmocka_unit_test(a_resumed_run_has_no_part_twice),
        cmocka_unit_test(a_run_may_go_on_with_a_score),
        cmocka_unit_test(a_new_run_begins_anew),
        cmocka_unit_test(without_a_report_nothing_changes),
        cmocka_unit_test(samples_of_many_evaluations_are_thinned),
        cmocka_unit_test(a_full_disk_is_named),
        cmocka_unit_test(the_page_shows_the_run),
        cmocka_unit_test(a_page_without_updates_is_whole),
        cmocka_unit_test(a_page_of_odd_lines_is_whole),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
