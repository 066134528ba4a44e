/*
 * check_page [--script] FILE ID...: is FILE a well-formed page that loads nothing, and does each of
 * the ids name a figure in it that draws two curves or more, each of a point or more? Says what is
 * wrong and exits with 1 where it is not so. --script: it may have a script of its own.
 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "support/markup.h"

/* The text from `begin` on up to `end`, which must both be there. */
static const char *find_between(const char *text, const char *begin, const char *end, size_t *len)
{
    const char *from = strstr(text, begin), *to = from ? strstr(from, end) : NULL;
    *len = to ? (size_t)(to - from) : 0;
    return to ? from : NULL;
}

/* Each curve of the figure: "M x y L x y ..." with numbers within the drawing. */
static size_t count_points(const char *curve, const char *end)
{
    size_t count = 0;
    double x, y;
    int used;
    while (curve < end && sscanf(curve, "%*1[ML]%lf %lf%n", &x, &y, &used) == 2) {
        if (!(x >= 0 && x <= 640 && y >= 0 && y <= 300))
            return 0;
        curve += used;
        curve += strncmp(curve, "h0", 2) == 0 ? 2 : 0; /* a single point */
        count++;
    }
    return *curve == '"' ? count : 0;
}

static bool check_figure(const char *page, const char *id)
{
    static const char curve[] = "<path class=\"curve";
    char begin[80];
    size_t len = 0, curves = 0;
    snprintf(begin, sizeof begin, "<figcaption id=\"%s-name\">", id);
    const char *figure = find_between(page, begin, "</figure>", &len);
    const char *end = figure ? figure + len : NULL;
    for (const char *at = figure; at && (at = strstr(at, curve)) && at < end; at++, curves++) {
        const char *points = strstr(at, " d=\"");
        if (!points || count_points(points + 4, end) == 0) {
            fprintf(stderr, "%s: curve %zu is not drawn\n", id, curves);
            return false;
        }
    }
    if (curves < 2)
        fprintf(stderr, "%s: %zu curves\n", id, curves);
    return curves >= 2;
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct buf page = BUF_INIT;
    char why[200] = "";
    const bool scripted = argc > 1 && strcmp(argv[1], "--script") == 0;
    argc -= scripted;
    argv += scripted;
    bool fine = argc > 1 && file_read(argv[1], (size_t)1 << 28, &page, &err) == 0;
    if (!fine)
        fprintf(stderr, "check_page: %s\n", argc > 1 ? err.message : "no file");
    if (fine &&
        !(scripted ? markup_check_scripted : markup_check)(page.data, page.len, why, sizeof why)) {
        fprintf(stderr, "%s: %s\n", argv[1], why);
        fine = false;
    }
    for (int i = 2; i < argc && fine; i++)
        fine = check_figure(page.data, argv[i]);
    buf_release(&page);
    return fine ? 0 : 1;
}
