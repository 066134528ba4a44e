#include "train/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "train/history.h"
#include "train/journal_lines.h"

#define MAX_BYTES ((size_t)1 << 32)
#define DENSE 512 /* updates from which on not each of them has a line */

struct journal {
    struct journal_run run;
    char *path;
    int file;
    struct history history;
    struct buf line;
    bool begun; /* what a run before this one left is sorted out */
};

const struct history *journal_history(const struct journal *journal)
{
    return &journal->history;
}

/* What a killed process left behind its last newline is cut off, and everything from the first line
   on that is beyond `limit` or damaged. */
static int read_lines(struct journal *journal, const struct history_limit *limit, struct err *err)
{
    struct buf text = BUF_INIT;
    size_t kept = 0;
    history_release(&journal->history);
    int status = file_read(journal->path, MAX_BYTES, &text, err);
    while (status == 0 && kept < text.len) {
        struct err damage = ERR_INIT;
        const char *line = text.data + kept;
        const char *newline = memchr(line, '\n', text.len - kept);
        if (!newline ||
            history_add(&journal->history, line, (size_t)(newline - line), limit, &damage) == 1)
            break;
        if (damage.code == ERR_MEMORY)
            status = err_set(err, ERR_MEMORY, "%s", damage.message);
        if (damage.code)
            break;
        kept = (size_t)(newline + 1 - text.data);
    }
    if (status == 0 && kept < text.len && ftruncate(journal->file, (off_t)kept))
        status = err_errno(err, "%s: cannot cut", journal->path);
    buf_release(&text);
    return status;
}

int journal_open(struct journal **journal, const char *path, const struct journal_run *run,
                 struct err *err)
{
    struct journal *made = mem_alloc(1, sizeof *made, err);
    *journal = NULL;
    if (!made)
        return ERR_MEMORY;
    made->run = *run;
    made->file = -1;
    made->path = mem_copy_text(path, strlen(path), err);
    if (!made->path)
        goto failed;
    made->file =
        open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | (run->recipe->resume ? 0 : O_TRUNC),
             0666);
    if (made->file < 0) {
        err_errno(err, "%s: cannot write", path);
        goto failed;
    }
    if (run->recipe->resume && read_lines(made, NULL, err))
        goto failed;
    *journal = made;
    return 0;
failed:
    journal_close(made);
    return err->code;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    history_release(&journal->history);
    buf_release(&journal->line);
    if (journal->file >= 0)
        close(journal->file);
    mem_free(journal->path);
    mem_free(journal);
}

static int write_all(const struct journal *journal, const char *data, size_t len, struct err *err)
{
    while (len > 0) {
        const ssize_t n = write(journal->file, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "%s: cannot write", journal->path);
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Writes journal->line, unless it is empty or could not be made whole, and empties it. */
static int put(struct journal *journal, struct err *err)
{
    struct buf *line = &journal->line;
    if (err->code == 0 && line->len > 0) {
        if (history_add(&journal->history, line->data, line->len, NULL, err))
            err_context(err, "%s", journal->path);
        else if (buf_char(line, '\n', err) == 0)
            write_all(journal, line->data, line->len, err);
    }
    buf_clear(line);
    return err->code;
}

static int start_at(struct journal *journal, size_t update, struct err *err)
{
    journal->begun = true;
    journal_line_start(&journal->line, &journal->run, journal->run.recipe->resume, update, err);
    return put(journal, err);
}

int journal_start(struct journal *journal, struct err *err)
{
    return journal->run.recipe->resume ? 0 : start_at(journal, 0, err);
}

static int go_on(struct journal *journal, const struct trainer_progress *progress, struct err *err)
{
    const struct history_limit limit = {(double)progress->update, progress->scored};
    if (read_lines(journal, &limit, err))
        return err->code;
    return start_at(journal, progress->update - (progress->scored ? 0 : 1), err);
}

static bool is_due(size_t update)
{
    size_t step = 1;
    while (update / step >= DENSE)
        step *= 2;
    return update % step == 0;
}

int journal_report(struct journal *journal, const struct trainer_progress *progress,
                   struct err *err)
{
    struct buf *line = &journal->line;
    if (!journal->begun && go_on(journal, progress, err))
        return err->code;
    if (!progress->scored) {
        if (is_due(progress->update))
            journal_line_update(line, progress, err);
        return put(journal, err);
    }
    journal_line_evaluation(line, &journal->run, progress, err);
    if (put(journal, err))
        return err->code;
    journal_line_samples(line, &journal->run, progress, err);
    return put(journal, err);
}

int journal_end(struct journal *journal, const char *reason, const char *message,
                const struct trainer_progress *final, struct err *err)
{
    if (!journal->begun)
        return 0;
    journal_line_end(&journal->line, reason, message, final, err);
    return put(journal, err);
}
