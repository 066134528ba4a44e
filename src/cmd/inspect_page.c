/* Writing a page of dragoman inspect: its text is read whole, the page is made in memory. */
#include <stdio.h>
#include <string.h>
#include "base/file.h"
#include "cmd/inspect.h"
#include "text/utf8.h"

#define INSPECT_MAX_TEXT ((size_t)64 << 20)

bool inspect_next_line(struct inspect_lines *lines, struct inspect_text *line)
{
    const struct inspect_text *text = lines->text;
    while (lines->at < text->len && lines->count < INSPECT_MAX_LINES) {
        const char *from = text->data + lines->at;
        const char *feed = memchr(from, '\n', text->len - lines->at);
        size_t len = feed == NULL ? text->len - lines->at : (size_t)(feed - from);
        lines->at += len + 1;
        if (len > 0 && from[len - 1] == '\r')
            len--;
        *line = (struct inspect_text){from, text->name, len};
        lines->count += len > 0;
        if (len > 0)
            return true;
    }
    return false;
}

int inspect_count(const struct inspect_text *text, size_t *count, struct err *err)
{
    struct inspect_lines lines = {.text = text};
    struct inspect_text line;
    while (inspect_next_line(&lines, &line))
        ;
    *count = lines.count;
    return lines.count > 0 ? 0 : err_set(err, ERR_ARGUMENT, "%s has no line with text", text->name);
}

static int save(const char *path, const struct buf *page, struct err *err)
{
    struct file_save save;
    if (path == NULL) {
        if (fwrite(page->data, 1, page->len, stdout) != page->len || fflush(stdout) != 0)
            return err_errno(err, "cannot write to standard output");
        return 0;
    }
    int code = file_save_begin(&save, path, err);
    if (code < 0)
        return code;
    if (fwrite(page->data, 1, page->len, save.stream) != page->len) {
        code = err_errno(err, "%s: cannot write", path);
        file_save_abort(&save);
        return code;
    }
    return file_save_commit(&save, err);
}

int inspect_page(const struct inspect_settings *settings, const struct model *model,
                 const char *path, struct err *err)
{
    struct buf bytes = BUF_INIT, page = BUF_INIT;
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    const char *name = path == NULL ? "standard input" : slash == NULL ? path : slash + 1;
    int code = file_read(path == NULL ? "/dev/stdin" : path, INSPECT_MAX_TEXT, &bytes, err);
    if (code < 0)
        goto out;
    const struct inspect_text text = {bytes.data == NULL ? "" : bytes.data, name, bytes.len};
    code = utf8_check(text.data, text.len, err);
    if (code < 0)
        err_context(err, "%s", name);
    else if (settings->cells)
        code = inspect_cells(settings, model, &text, &page, err);
    else if (settings->attention)
        code = inspect_attention(model, &text, &page, err);
    else
        code = inspect_explain(model, &text, &page, err);
    if (code == 0)
        code = save(settings->output, &page, err);
out:
    buf_release(&page);
    buf_release(&bytes);
    return code;
}
