/* Every allocation of a run's records is made to fail once: the error is said, and what was written
   of the record before is whole. */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "fault.h"
#include "support/markup.h"
#include "train/history.h"
#include "train/journal.h"
#include "train/report.h"

static char folder[] = "/tmp/dragoman-fault-XXXXXX";
static char journal_path[64], page_path[64];
static struct recipe recipe;

static bool sample_of(void *context, size_t i, struct trainer_sample *sample)
{
    static const char *const tokens[] = {" un", "\xff"};
    static const float attention[] = {0.5f, 0.5f, 1, 0};
    (void)context;
    *sample = (struct trainer_sample){.source = "a \xff b",
                                      .reference = "c <d>",
                                      .output = "e\xff",
                                      .attention = attention,
                                      .source_tokens = tokens,
                                      .output_tokens = tokens,
                                      .source_count = 2,
                                      .output_count = 2};
    return i < 2;
}

static const struct trainer_task task = {.examples = 1,
                                         .unit = "tokens",
                                         .score_name = "BLEU",
                                         .sample = sample_of,
                                         .facts = {.lines = 1}};
static const struct journal_run run = {&recipe, &task, "train <\xff>"};

static int go(struct journal *journal, struct err *err)
{
    struct trainer_progress progress = {.batches = 1, .loss = 1, .rate = 1};
    int rc = journal_start(journal, err);
    for (progress.update = 1; !rc && progress.update < 80; progress.update++)
        rc = journal_report(journal, &progress, err);
    progress.scored = progress.best = true;
    if (!rc)
        rc = journal_report(journal, &progress, err);
    if (!rc)
        rc = journal_end(journal, "failed", "why <\xff>", &progress, err);
    return rc ? rc : report_write(page_path, journal_history(journal), err);
}

/* Lines are written whole or not at all. */
static void check_lines(void)
{
    FILE *file = fopen(journal_path, "re");
    int last = '\n';
    assert_non_null(file);
    for (int c = getc(file); c != EOF; c = getc(file))
        last = c;
    assert_int_equal(last, '\n');
    fclose(file);
}

static int keep_records(void *context, struct err *err)
{
    struct journal *journal;
    (void)context;
    int rc = journal_open(&journal, journal_path, &run, err);
    assert_true((rc == 0) == (journal != NULL));
    if (!rc)
        rc = go(journal, err);
    journal_close(journal);
    if (access(journal_path, F_OK) == 0)
        check_lines();
    return rc;
}

/* The page of the last run that wanted no more memory than there was. */
static void check_page(void)
{
    struct buf page = BUF_INIT;
    char why[200] = "";
    assert_int_equal(file_read(page_path, 1 << 24, &page, NULL), 0);
    if (!markup_check(page.data, page.len, why, sizeof why))
        fail_msg("%s", why);
    buf_release(&page);
}

static void records_of_a_run(void **state)
{
    (void)state;
    recipe.resume = false;
    assert_true(fault_loop(keep_records, NULL) > 20);
    check_page();
}

static void records_of_a_resumed_run(void **state)
{
    (void)state;
    recipe.resume = true;
    assert_true(fault_loop(keep_records, NULL) > 20);
    check_page();
}

static int set_up(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    if (!mkdtemp(folder) || opt_defaults(recipe_options, &recipe, &err) ||
        opt_set(recipe_options, &recipe, "name", "m", &err))
        return -1;
    snprintf(journal_path, sizeof journal_path, "%s/train.jsonl", folder);
    snprintf(page_path, sizeof page_path, "%s/report.html", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    opt_release(recipe_options, &recipe);
    return file_remove_folder(folder, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_a_run),
        cmocka_unit_test(records_of_a_resumed_run),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
