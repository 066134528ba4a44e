/* Heat maps: labels of the rows at the left, those of the columns slanting upwards above. */
#include <math.h>
#include <string.h>

#include "text/utf8.h"
#include "train/chart.h"
#include "train/html.h"

#define CELL 24
#define GAP 1
#define MAX_LABEL 16   /* characters; longer ones are cut */
#define FAINTEST 0.004 /* of the full colour; below it a cell is not drawn */
#define SLANT 50       /* degrees */
#define ASCENT 9.5     /* half the height of a label, to centre it */

struct layout {
    double left, top, width, height;
};

/* Width of a label, about: characters from Hangul Jamo on are mostly twice as wide. */
static double label_width(const char *label)
{
    const size_t len = strlen(label);
    double width = 0;
    size_t characters = 0;
    for (size_t i = 0; i < len && characters < MAX_LABEL; characters++) {
        uint32_t code = 0;
        const size_t n = utf8_decode(label + i, len - i, &code);
        width += code >= 0x1100 ? 13.5 : 7.6;
        i += n ? n : 1;
    }
    return width + 8;
}

static double widest(const char *const *labels, size_t count)
{
    double width = 0;
    for (size_t i = 0; i < count; i++)
        width = fmax(width, label_width(labels[i]));
    return width;
}

static struct layout lay_out(const struct chart_heat *heat)
{
    const double angle = SLANT * 3.14159265358979 / 180;
    const double column_label = widest(heat->columns, heat->column_count);
    struct layout layout = {.left = widest(heat->rows, heat->row_count) + 8,
                            .top = column_label * sin(angle) + 16};
    layout.width = layout.left + (double)heat->column_count * CELL + column_label * cos(angle);
    layout.height = layout.top + (double)heat->row_count * CELL + 4;
    return layout;
}

/* A label, cut where it is long; the whole one shows where the pointer rests. */
static void write_label(const char *label, struct buf *out, struct err *err)
{
    const size_t len = strlen(label);
    size_t at = 0;
    for (size_t characters = 0; at < len && characters < MAX_LABEL; characters++) {
        uint32_t code;
        const size_t n = utf8_decode(label + at, len - at, &code);
        at += n ? n : 1;
    }
    html_bytes(out, label, at, err);
    if (at == len)
        return;
    buf_text(out, "\xE2\x80\xA6<title>", err);
    html_text(out, label, err);
    buf_text(out, "</title>", err);
}

static void write_labels(const struct chart_heat *heat, const struct layout *layout,
                         struct buf *out, struct err *err)
{
    for (size_t r = 0; r < heat->row_count; r++) {
        buf_printf(out, err, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", layout->left - 8,
                   layout->top + ((double)r + 0.5) * CELL + ASCENT / 2);
        write_label(heat->rows[r], out, err);
        buf_text(out, "</text>\n", err);
    }
    for (size_t c = 0; c < heat->column_count; c++) {
        buf_printf(out, err, "<text transform=\"translate(%.1f %.1f) rotate(-%d)\">",
                   layout->left + ((double)c + 0.5) * CELL + ASCENT / 2, layout->top - 6, SLANT);
        write_label(heat->columns[c], out, err);
        buf_text(out, "</text>\n", err);
    }
}

static void write_cell(const struct chart_heat *heat, const struct layout *layout, size_t r,
                       size_t c, struct buf *out, struct err *err)
{
    const double value = heat->values[r * heat->column_count + c];
    const double share = value / heat->high;
    if (!(heat->high > 0) || !(share >= FAINTEST)) /* not a number, either */
        return;
    buf_printf(out, err,
               "<rect class=\"cell\" x=\"%.1f\" y=\"%.1f\" width=\"%d\" height=\"%d\" "
               "fill-opacity=\"%.3g\"><title>",
               layout->left + (double)(c * CELL), layout->top + (double)(r * CELL), CELL - GAP,
               CELL - GAP, fmin(share, 1));
    html_text(out, heat->rows[r], err);
    buf_text(out, " \xE2\x86\x90 ", err);
    html_text(out, heat->columns[c], err);
    buf_printf(out, err, ": %.3g</title></rect>\n", value);
}

/* For readers who cannot see the colours: the strongest column of every row. */
static void write_summary(const struct chart_heat *heat, struct buf *out, struct err *err)
{
    html_text(out, heat->row_name, err);
    buf_text(out, " down, ", err);
    html_text(out, heat->column_name, err);
    buf_text(out, " across. Strongest: ", err);
    for (size_t r = 0; r < heat->row_count && heat->column_count > 0; r++) {
        const double *row = heat->values + r * heat->column_count;
        size_t best = 0;
        for (size_t c = 1; c < heat->column_count; c++)
            best = row[c] > row[best] ? c : best;
        buf_text(out, r ? "; " : "", err);
        html_text(out, heat->rows[r], err);
        buf_text(out, " \xE2\x86\x90 ", err);
        html_text(out, heat->columns[best], err);
    }
    buf_text(out, ".", err);
}

int chart_heat(const struct chart_heat *heat, struct buf *out, struct err *err)
{
    const struct layout layout = lay_out(heat);
    html_figure(out, heat->id, heat->title, heat->note, err);
    buf_printf(out, err,
               "<svg class=\"heat\" width=\"%.0f\" height=\"%.0f\" "
               "viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-labelledby=\"%s-name %s-says\">\n"
               "<desc id=\"%s-says\">",
               layout.width, layout.height, layout.width, layout.height, heat->id, heat->id,
               heat->id);
    write_summary(heat, out, err);
    buf_printf(out, err,
               "</desc>\n<rect class=\"frame\" x=\"%.1f\" y=\"%.1f\" width=\"%zu\" "
               "height=\"%zu\"/>\n",
               layout.left - 0.5, layout.top - 0.5, heat->column_count * CELL,
               heat->row_count * CELL);
    write_labels(heat, &layout, out, err);
    for (size_t r = 0; r < heat->row_count; r++)
        for (size_t c = 0; c < heat->column_count; c++)
            write_cell(heat, &layout, r, c, out, err);
    return buf_text(out, "</svg>\n</figure>\n", err);
}
