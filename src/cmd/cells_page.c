#include "cmd/cells_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "train/chart.h"
#include "train/html.h"
#include "train/report.h"

#define BEST 6      /* units shown for each property */
#define LEVELS 63   /* the highest of 64 levels */
#define ENOUGH 8    /* stretches of a property in a passage; more make it no better */
#define MAX_GATES 3 /* of a kind of cell, logistic */

struct view { /* what is on the page */
    const struct cells_page *page;
    size_t begin, end; /* tokens of the passage */
    size_t *units;     /* chosen ones */
    size_t count;
    size_t best[PROPERTY_COUNT][BEST]; /* places in `units` */
    size_t best_count;                 /* of each property */
};

/*
 * What to show
 */

/* How much happens in tokens [begin, end): stretches of each property begin. */
static size_t richness(const struct cells_rank *rank, size_t begin, size_t end)
{
    size_t sum = 0;
    for (size_t p = 0; p < PROPERTY_COUNT; p++) {
        const int16_t *marks = rank->properties[p].marks;
        size_t stretches = 0;
        for (size_t t = begin + 1; t < end && stretches < ENOUGH; t++)
            stretches += marks[t] != 0 && marks[t - 1] == 0;
        sum += stretches;
    }
    return sum;
}

/* The first token of the next line, if one begins within a quarter of a passage; else `t`. */
static size_t line_begin(const struct view *view, size_t t, size_t length)
{
    const struct cells *cells = view->page->cells;
    for (size_t i = t; i > 0 && i < t + length / 4 && i < cells->tokens; i++)
        if (view->page->text[cells->token[i].begin - 1] == '\n')
            return i;
    return t;
}

/* The first of the richest passages, a quarter of its length apart. */
static void choose_passage(struct view *view)
{
    const size_t T = view->page->cells->tokens;
    const size_t length = view->page->shown < T ? view->page->shown : T;
    size_t most = 0;
    view->begin = 0;
    for (size_t at = 0; at + length <= T; at += length / 4 + 1) {
        const size_t line = line_begin(view, at, length);
        const size_t begin = line + length <= T ? line : at;
        const size_t found = richness(view->page->rank, begin, begin + length);
        if (found > most) {
            most = found;
            view->begin = begin;
        }
    }
    view->end = view->begin + length;
}

/* The unit's place among the chosen, which it joins. */
static size_t choose(struct view *view, size_t unit)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->units[i] == unit)
            return i;
    view->units[view->count] = unit;
    return view->count++;
}

static double deviation(const struct cells *cells, size_t unit)
{
    const int16_t *values = cells->values + unit * cells->tokens;
    double sum = 0, squares = 0;
    for (size_t t = 0; t < cells->tokens; t++) {
        sum += values[t];
        squares += (double)values[t] * values[t];
    }
    const double mean = sum / (double)cells->tokens;
    return squares / (double)cells->tokens - mean * mean;
}

struct spread {
    double value;
    size_t unit;
};

static int by_value(const void *a, const void *b)
{
    const struct spread *x = a, *y = b;
    if (x->value != y->value)
        return x->value < y->value ? 1 : -1;
    return (x->unit > y->unit) - (x->unit < y->unit);
}

/* The units that follow a property best, then those that vary most, as far as there is room. */
static int choose_units(struct view *view, struct err *err)
{
    const struct cells *cells = view->page->cells;
    const struct cells_rank *rank = view->page->rank;
    struct spread *spreads = mem_alloc(cells->units, sizeof *spreads, err);
    view->units = mem_alloc(cells->units, sizeof *view->units, err);
    view->best_count = cells->units < BEST ? cells->units : BEST;
    if (spreads == NULL || view->units == NULL) {
        mem_free(spreads);
        return ERR_MEMORY;
    }
    for (size_t p = 0; p < PROPERTY_COUNT; p++) {
        if (rank->properties[p].strengths == NULL)
            continue;
        cells_rank_best(rank, (enum property)p, view->best_count, view->best[p]);
        for (size_t i = 0; i < view->best_count; i++)
            view->best[p][i] = choose(view, view->best[p][i]);
    }
    for (size_t u = 0; u < cells->units; u++)
        spreads[u] = (struct spread){deviation(cells, u), u};
    qsort(spreads, cells->units, sizeof *spreads, by_value);
    for (size_t i = 0; i < cells->units && view->count < view->page->units; i++)
        choose(view, spreads[i].unit);
    mem_free(spreads);
    return 0;
}

/*
 * Words
 */

/* "L2 → h117": as much of it as the network needs. */
static void write_unit(const struct cells *cells, size_t number, struct buf *out, struct err *err)
{
    const struct cells_unit unit = cells_unit(cells, number);
    if (cells->layers > 1)
        buf_printf(out, err, "L%zu ", unit.layer + 1);
    if (cells->directions > 1)
        buf_text(out, unit.direction ? "\xE2\x86\x90 " : "\xE2\x86\x92 ", err);
    buf_printf(out, err, "%s%zu", unit.memory ? "c" : "h", unit.index);
}

/* A strength as its measure is usually given: an area of 0.5 to 1, or a correlation of 0 to 1; and
   whether the unit is high or low where the property holds. */
static void write_strength(enum property property, double strength, struct buf *out,
                           struct err *err)
{
    const double size = fabs(strength);
    buf_printf(out, err, "%.3f %s", properties[property].number ? size : (1 + size) / 2,
               strength < 0 ? "\xE2\x96\xBE" : "\xE2\x96\xB4");
}

static void write_card(const char *name, size_t value, struct buf *out, struct err *err)
{
    buf_text(out, "<div class=\"card\"><b>", err);
    report_number(out, (double)value, err);
    buf_printf(out, err, "</b><span>%s</span></div>\n", name);
}

static void write_head(const struct view *view, struct buf *out, struct err *err)
{
    const struct cells_page *page = view->page;
    const struct spec *spec = &page->model->spec;
    const struct cells *cells = page->cells;
    buf_text(out, "<header>\n<h1>Cells of ", err);
    html_text(out, spec->name, err);
    buf_printf(out, err, "</h1>\n<p class=\"muted\">%s \xC2\xB7 %s \xC2\xB7 %zu %s of %zu%s",
               spec_task_name(spec->task), cell_names[spec->encoder.cell], cells->layers,
               cells->layers == 1 ? "layer" : "layers", cells->hidden,
               cells->directions > 1 ? " in each of two directions" : "");
    buf_text(out, " \xC2\xB7 reading ", err);
    html_text(out, page->file, err);
    buf_text(out, "</p>\n</header>\n<div class=\"cards\">\n", err);
    write_card("tokens measured", cells->tokens, out, err);
    write_card("tokens shown", view->end - view->begin, out, err);
    write_card("units measured", cells->units, out, err);
    write_card("units on this page", view->count, out, err);
    buf_text(out, "</div>\n", err);
}

/*
 * The ranking
 */

static void write_property(const struct view *view, enum property property, struct buf *out,
                           struct err *err)
{
    const struct cells_rank *rank = view->page->rank;
    const struct cells_property *found = &rank->properties[property];
    buf_printf(out, err, "<section>\n<h3>%s <small>%s</small></h3>\n<p class=\"muted\">",
               properties[property].name, properties[property].number ? "rank corr." : "AUC");
    if (properties[property].number)
        buf_printf(out, err, "%s</p>\n", properties[property].what);
    else
        buf_printf(out, err, "%zu tokens in %zu %s</p>\n", found->count, found->stretches,
                   found->stretches == 1 ? "stretch" : "stretches");
    buf_text(out, "<div class=\"units\">", err);
    for (size_t i = 0; i < view->best_count; i++) {
        const size_t place = view->best[property][i], unit = view->units[place];
        buf_printf(out, err, "<button type=\"button\" data-unit=\"%zu\" data-property=\"%d\">",
                   place, (int)property);
        write_unit(view->page->cells, unit, out, err);
        buf_text(out, " <b>", err);
        write_strength(property, (double)found->strengths[unit], out, err);
        buf_text(out, "</b></button>\n", err);
    }
    buf_text(out, "</div>\n</section>\n", err);
}

static void write_ranking(const struct view *view, struct buf *out, struct err *err)
{
    size_t missing = 0;
    buf_text(out, "<aside>\n<h2>Who follows what</h2>\n", err);
    for (size_t p = 0; p < PROPERTY_COUNT; p++)
        if (view->page->rank->properties[p].strengths != NULL)
            write_property(view, (enum property)p, out, err);
    for (size_t p = 0; p < PROPERTY_COUNT; p++)
        if (view->page->rank->properties[p].strengths == NULL)
            buf_printf(out, err, "%s%s",
                       missing++ ? ", " : "<p class=\"muted\">Too seldom in this text, or always: ",
                       properties[p].name);
    buf_text(out, missing ? ".</p>\n</aside>\n" : "</aside>\n", err);
}

/*
 * The passage
 */

static void write_bar(const struct view *view, struct buf *out, struct err *err)
{
    buf_text(
        out,
        "<div class=\"bar\"><div class=\"choice\">"
        "<button type=\"button\" id=\"back\" aria-label=\"previous unit\">\xE2\x80\xB9</button>"
        "<select id=\"unit\" aria-label=\"unit\">\n",
        err);
    for (size_t i = 0; i < view->count; i++) {
        buf_printf(out, err, "<option value=\"%zu\">", i);
        write_unit(view->page->cells, view->units[i], out, err);
        buf_text(out, "</option>\n", err);
    }
    buf_text(out,
             "</select><button type=\"button\" id=\"next\" aria-label=\"next unit\">"
             "\xE2\x80\xBA</button>\n<label>underlined: <select id=\"mark\">"
             "<option value=\"-1\">nothing</option>\n",
             err);
    for (size_t p = 0; p < PROPERTY_COUNT; p++)
        if (!properties[p].number && view->page->rank->properties[p].count > 0)
            buf_printf(out, err, "<option value=\"%zu\">%s</option>\n", p, properties[p].name);
    buf_text(out,
             "</select></label>\n<span class=\"scale\"><span id=\"low\"></span><i></i>"
             "<span id=\"high\"></span></span></div>\n"
             "<p class=\"figures\" id=\"figures\"></p><p class=\"muted\" id=\"pointed\">"
             "\xC2\xA0</p></div>\n",
             err);
}

/* A token as an element; what stands between tokens, as it is. */
static void write_passage(const struct view *view, struct buf *out, struct err *err)
{
    const struct cells *cells = view->page->cells;
    const char *text = view->page->text;
    buf_text(out, "<pre id=\"text\" dir=\"auto\">", err);
    for (size_t t = view->begin; t < view->end; t++) {
        const struct cells_token *token = &cells->token[t];
        const size_t from = t > view->begin ? cells->token[t - 1].end : token->begin;
        html_bytes(out, text + from, token->begin - from, err);
        const char *at = text + token->begin, *end = text + token->end;
        buf_text(out, "<i>", err);
        for (const char *feed; (feed = memchr(at, '\n', (size_t)(end - at))) != NULL;
             at = feed + 1) {
            html_bytes(out, at, (size_t)(feed - at), err);
            buf_text(out, "<s>\xE2\x86\xB5</s>\n", err);
        }
        html_bytes(out, at, (size_t)(end - at), err);
        buf_text(out, "</i>", err);
    }
    buf_text(out, "</pre>\n", err);
}

/*
 * Gates
 */

static const char *gate_name(char letter)
{
    switch (letter) {
    case 'i':
        return "Input gate";
    case 'f':
        return "Forget gate";
    case 'o':
        return "Output gate";
    case 'r':
        return "Reset gate";
    }
    return "Update gate";
}

/* A series a layer and direction: x how often the gate is shut, y how often open. */
static void draw_gate(const struct cells *cells, size_t gate, double *x, double *y,
                      struct chart_series *series, char (*names)[32], struct buf *out,
                      struct err *err)
{
    const size_t H = cells->hidden, pairs = cells->layers * cells->directions;
    char id[16];
    for (size_t pair = 0; pair < pairs; pair++) {
        const size_t from = (pair * cells->gate_count + gate) * H;
        for (size_t i = 0; i < H; i++) {
            x[pair * H + i] = (double)cells->shut[from + i] / (double)cells->tokens;
            y[pair * H + i] = (double)cells->open[from + i] / (double)cells->tokens;
        }
        snprintf(names[pair], sizeof names[pair], "layer %zu%s", pair / cells->directions + 1,
                 cells->directions == 1          ? ""
                 : pair % cells->directions == 0 ? " \xE2\x86\x92"
                                                 : " \xE2\x86\x90");
        series[pair] = (struct chart_series){names[pair], x + pair * H, y + pair * H, H, 0};
    }
    snprintf(id, sizeof id, "gate-%c", cells->gates[gate]);
    const struct chart chart = {.id = id,
                                .title = gate_name(cells->gates[gate]),
                                .note = "a point a unit",
                                .x_name = "shut (below 0.1), share of tokens",
                                .y_name = "open (above 0.9), share of tokens",
                                .x_from_zero = true,
                                .y_from_zero = true,
                                .x_reach = 1,
                                .y_reach = 1,
                                .series = series,
                                .count = pairs};
    chart_points(&chart, out, err);
}

static int write_gates(const struct cells *cells, struct buf *out, struct err *err)
{
    const size_t pairs = cells->layers * cells->directions, count = pairs * cells->hidden;
    if (cells->gate_count == 0)
        return 0;
    double *points = mem_alloc(2 * count, sizeof *points, err);
    struct chart_series *series = mem_alloc(pairs, sizeof *series, err);
    char(*names)[32] = mem_alloc(pairs, sizeof *names, err);
    if (points != NULL && series != NULL && names != NULL) {
        buf_text(out,
                 "<h2>Gates</h2>\n<p class=\"muted\">A gate near the right lets nothing through "
                 "most of the time, one near the top everything; near the corner at the bottom it "
                 "seldom does either.</p>\n<div class=\"charts\">\n",
                 err);
        for (size_t g = 0; g < cells->gate_count; g++)
            draw_gate(cells, g, points, points + count, series, names, out, err);
        buf_text(out, "</div>\n", err);
    }
    mem_free(names);
    mem_free(series);
    mem_free(points);
    return (int)err->code;
}

/*
 * Numbers for the script
 */

/* 64 levels as characters that mean nothing in markup or in a string. */
static char digit(unsigned level)
{
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[level];
}

/* The unit's values over the passage: level 0 is -most, the highest +most. */
static void write_values(const struct view *view, size_t unit, struct buf *out, struct err *err)
{
    const struct cells *cells = view->page->cells;
    const int16_t *values = cells->values + unit * cells->tokens;
    int most = 1;
    for (size_t t = 0; t < cells->tokens; t++)
        most = abs(values[t]) > most ? abs(values[t]) : most;
    buf_printf(out, err, "\"most\":%.4f,\"values\":\"", most / CELLS_SCALE);
    for (size_t t = view->begin; t < view->end; t++) {
        const double share = 0.5 + 0.5 * values[t] / most;
        buf_char(out, digit((unsigned)lround(share * LEVELS)), err);
    }
    buf_text(out, "\"", err);
}

static void write_units(const struct view *view, struct buf *out, struct err *err)
{
    for (size_t i = 0; i < view->count; i++) {
        const char *comma = "";
        buf_printf(out, err, "%s{\"name\":\"", i ? ",\n" : "");
        write_unit(view->page->cells, view->units[i], out, err);
        buf_text(out, "\",\"figures\":[", err);
        for (size_t p = 0; p < PROPERTY_COUNT; p++, comma = ",") {
            const float *strengths = view->page->rank->properties[p].strengths;
            buf_text(out, comma, err);
            if (strengths == NULL) {
                buf_text(out, "\"\"", err);
                continue;
            }
            buf_text(out, "\"", err);
            write_strength((enum property)p, (double)strengths[view->units[i]], out, err);
            buf_text(out, "\"", err);
        }
        buf_text(out, "],", err);
        write_values(view, view->units[i], out, err);
        buf_text(out, "}", err);
    }
}

/* What the page begins with: of the units that must remember something (a capital letter is there
   to see) the one that does it best; without any the first. */
static void write_first(const struct view *view, struct buf *out, struct err *err)
{
    double most = 0;
    size_t first = 0;
    int property = -1;
    for (int p = PROPERTY_QUOTES; p <= PROPERTY_INDENT; p++) {
        const float *strengths = view->page->rank->properties[p].strengths;
        const size_t place = view->best[p][0];
        if (strengths == NULL || fabs((double)strengths[view->units[place]]) <= most)
            continue;
        most = fabs((double)strengths[view->units[place]]);
        first = place;
        property = p;
    }
    buf_printf(out, err, "\"first\":%zu,\"mark\":%d", first, property);
}

static void write_data(const struct view *view, struct buf *out, struct err *err)
{
    html_script_begin(out, err);
    buf_text(out, "(function(data){\n\"use strict\";\n", err);
    buf_text(out, cells_script, err);
    buf_text(out, "})({", err);
    write_first(view, out, err);
    buf_text(out, ",\n\"properties\":[", err);
    for (size_t p = 0; p < PROPERTY_COUNT; p++) {
        const int16_t *marks = view->page->rank->properties[p].marks;
        buf_printf(out, err, "%s{\"name\":\"%s\",\"marks\":\"", p ? ",\n" : "", properties[p].name);
        for (size_t t = view->begin; t < view->end && !properties[p].number; t++)
            buf_char(out, marks[t] ? '1' : '0', err);
        buf_text(out, "\"}", err);
    }
    buf_text(out, "],\n\"units\":[", err);
    write_units(view, out, err);
    buf_text(out, "]});\n", err);
    html_script_end(out, err);
}

static void write_explanation(const struct view *view, struct buf *out, struct err *err)
{
    const struct cells *cells = view->page->cells;
    buf_printf(out, err,
               "<h2>How to read this</h2>\n<p>Each token has the colour of the unit's value after "
               "the network read it: blue below zero, orange above; h is the state that a cell "
               "shows%s. Every unit's values over the measured tokens were held against properties "
               "of the text that simple rules find in it. For those that hold or don't, the figure "
               "is the area under the ROC curve: how often a token with the property has the more "
               "extreme value than one without, 0.5 by chance and 1 for a perfect detector. For "
               "numbers it is Spearman\xE2\x80\x99s rank correlation. \xE2\x96\xB4 means that the "
               "unit is high where the property holds or the number is large, \xE2\x96\xBE that it "
               "is low. With many units and few stretches some agree by chance.</p>\n",
               cells->vectors > 1 ? ", c (drawn as tanh c) what it keeps" : "");
}

int cells_page(const struct cells_page *page, struct buf *out, struct err *err)
{
    struct view view = {.page = page};
    int code = choose_units(&view, err);
    if (code < 0)
        goto out;
    choose_passage(&view);
    html_begin_styled(out, page->model->spec.name, cells_style, err);
    write_head(&view, out, err);
    buf_text(out, "<div class=\"cells\">\n", err);
    write_ranking(&view, out, err);
    buf_text(out, "<section class=\"view\">\n", err);
    write_bar(&view, out, err);
    write_passage(&view, out, err);
    buf_text(out, "</section>\n</div>\n", err);
    write_gates(page->cells, out, err);
    write_explanation(&view, out, err);
    write_data(&view, out, err);
    html_end(out, err);
    code = (int)err->code;
out:
    mem_free(view.units);
    return code;
}
