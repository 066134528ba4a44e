/* Charts: whatever the values, the page stays well-formed and every coordinate within the drawing;
   axes are marked at round values. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "support/markup.h"
#include "train/chart.h"
#include "train/chart_axis.h"
#include "train/html.h"
#include "unit.h"

static void assert_markup(const struct buf *page)
{
    char why[200] = "";
    if (!markup_check(page->data, page->len, why, sizeof why))
        fail_msg("%s", why);
}

static struct buf draw(const struct chart *chart)
{
    struct err err = ERR_INIT;
    struct buf out = BUF_INIT;
    assert_fine(chart_lines(chart, &out, &err), err);
    assert_markup(&out);
    return out;
}

static struct chart make_chart(const struct chart_series *series, size_t count)
{
    return (struct chart){.id = "c",
                          .title = "A <chart> & \"more\"",
                          .x_name = "x",
                          .y_name = "y",
                          .series = series,
                          .count = count};
}

/* Every "x y" of every path lies within 640 x 300; returns how many there are. */
static size_t check_points(const char *page)
{
    size_t count = 0;
    for (const char *at = strstr(page, "class=\"curve"); at; at = strstr(at, "class=\"curve")) {
        at = strstr(at, " d=\"") + 4;
        while (*at != '"') {
            double x, y;
            int used = 0;
            if (*at == 'h') { /* a dot */
                at += 2;
                continue;
            }
            assert_true(*at == 'M' || *at == 'L');
            assert_int_equal(sscanf(at + 1, "%lf %lf%n", &x, &y, &used), 2);
            assert_true(x >= 0 && x <= 640 && y >= 0 && y <= 300);
            at += 1 + used;
            count++;
        }
    }
    return count;
}

static void draws_every_point(void **state)
{
    (void)state;
    const double x[] = {0, 10, 20, 30}, y[] = {5, 2.5, 1, 0};
    const struct chart_series series = {"loss", x, y, 4, 0};
    struct chart chart = make_chart(&series, 1);
    struct buf out = draw(&chart);
    assert_int_equal(check_points(out.data), 4);
    assert_non_null(strstr(out.data, "M58.0 28.0L"));      /* the first: left and highest */
    assert_non_null(strstr(out.data, "L624.0 256.0\""));   /* the last: right and lowest */
    assert_non_null(strstr(out.data, "loss: 2.5 at 10<")); /* what a pointer is told */
    assert_non_null(strstr(out.data, "from 5 to 0, lowest 0, highest 5."));
    assert_non_null(strstr(out.data, "A &lt;chart&gt; &amp; &quot;more&quot;"));
    buf_release(&out);
}

static void a_stride_picks_members(void **state)
{
    (void)state;
    const double points[][3] = {{0, -1, 7}, {1, -1, 8}, {2, -1, 9}};
    const struct chart_series series = {"s", &points[0][0], &points[0][2], 3, 3};
    struct chart chart = make_chart(&series, 1);
    struct buf out = draw(&chart);
    assert_non_null(strstr(out.data, "from 7 to 9, lowest 7, highest 9."));
    buf_release(&out);
}

static void a_gap_breaks_the_curve(void **state)
{
    (void)state;
    const double x[] = {0, 1, 2, 3, 4, 5}, y[] = {1, 2, NAN, 3, INFINITY, 1};
    const struct chart_series series = {"s", x, y, 6, 0};
    struct chart chart = make_chart(&series, 1);
    struct buf out = draw(&chart);
    assert_int_equal(check_points(out.data), 4);
    assert_int_equal(markup_count(out.data, "<circle"), 4);
    const char *curve = strstr(out.data, "class=\"curve");
    size_t begins = 0;
    for (const char *c = strstr(curve, "d=\"") + 3; *c != '"'; c++)
        begins += *c == 'M';
    assert_int_equal(begins, 3);
    buf_release(&out);
}

static void nothing_at_all_is_still_a_chart(void **state)
{
    (void)state;
    const double nan[] = {NAN, NAN};
    const struct chart_series series[] = {{"none", NULL, NULL, 0, 0}, {"nan", nan, nan, 2, 0}};
    for (size_t count = 0; count <= 2; count++) {
        for (int log = 0; log < 2; log++) {
            struct chart chart = make_chart(series, count);
            chart.x_log = chart.y_log = log;
            chart.x_from_zero = chart.y_from_zero = true;
            struct buf out = draw(&chart);
            assert_int_equal(check_points(out.data), 0);
            assert_true(markup_count(out.data, "class=\"grid\"") >= 2);
            buf_release(&out);
        }
    }
}

/* Pairs of values of every size, equal, far apart, next to each other; both kinds of axis. */
static void any_values_stay_within_the_drawing(void **state)
{
    (void)state;
    const double values[] = {0,       1,        -1,     1e-9, -1e-9,     1e-320,       DBL_MIN,
                             DBL_MAX, 1e299,    0.1,    1e15, 1 + 1e-12, -DBL_MAX,     3.7,
                             1e308,   12345678, 1e-299, 4e-5, 1e6,       DBL_TRUE_MIN, 999999.5};
    const size_t count = sizeof values / sizeof *values;
    for (size_t i = 0; i < count * count * 4; i++) {
        const double x[] = {values[i % count], values[i / count % count]};
        const double y[] = {values[i / count % count], values[i % count]};
        const struct chart_series series = {"s", x, y, 2, 0};
        struct chart chart = make_chart(&series, 1);
        chart.x_log = chart.y_log = i / count / count % 2;
        chart.x_from_zero = chart.y_from_zero = i / count / count / 2;
        struct buf out = draw(&chart);
        check_points(out.data);
        buf_release(&out);
    }
}

static void long_curves_are_thinned(void **state)
{
    (void)state;
    enum { COUNT = 100000 };
    static double x[COUNT], y[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        x[i] = (double)i;
        y[i] = (double)i;
    }
    const struct chart_series series = {"s", x, y, COUNT, 0};
    struct chart chart = make_chart(&series, 1);
    struct buf out = draw(&chart);
    assert_in_range(check_points(out.data), 500, 4000);
    assert_non_null(strstr(out.data, "L624.0 28.0\"")); /* the last one is drawn */
    assert_int_equal(markup_count(out.data, "<circle"), 0);
    buf_release(&out);
}

static void many_series_have_a_key(void **state)
{
    (void)state;
    const double x[] = {1}, y[] = {1};
    struct chart_series series[CHART_COLOURS + 1];
    for (size_t s = 0; s <= CHART_COLOURS; s++)
        series[s] = (struct chart_series){"<name>", x, y, 1, 0};
    struct chart chart = make_chart(series, CHART_COLOURS + 1);
    struct buf out = draw(&chart);
    assert_int_equal(markup_count(out.data, "<span>"), CHART_COLOURS + 1);
    assert_int_equal(markup_count(out.data, "<g class=\"s0\">"), 2);
    buf_release(&out);
}

static void assert_ticks(double low, double high, bool log, const char *expected)
{
    struct chart_axis axis;
    char found[400] = "", label[32];
    chart_axis_init(&axis, low, high, log, false, 0, 100);
    for (size_t i = 0; i < axis.tick_count; i++) {
        chart_axis_label(axis.ticks[i], label, sizeof label);
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s", i ? " " : "", label);
    }
    assert_string_equal(found, expected);
}

static void ticks_are_round(void **state)
{
    (void)state;
    assert_ticks(0, 10, false, "0 2 4 6 8 10");
    assert_ticks(-1, 1, false, "-1 -0.5 0 0.5 1");
    assert_ticks(0.31, 0.69, false, "0.4 0.5 0.6");
    assert_ticks(0, 31234, false, "0 10k 20k 30k");
    assert_ticks(0, 2.5e6, false, "0 500k 1M 1.5M 2M 2.5M");
    assert_ticks(1, 1e6, true, "1 10 100 1k 10k 100k 1M");
    assert_ticks(0.03, 4, true, "0.05 0.1 0.2 0.5 1 2");
    assert_ticks(1e-7, 1e-4, true, "1e-7 2e-7 5e-7 1e-6 2e-6 5e-6 1e-5 2e-5 5e-5 0.0001");
    assert_ticks(1e-20, 1e20, true, "1e-20 1e-15 1e-10 1e-5 1 100k 10G 1e15 1e20");
}

/* A wide axis goes to the next ticks, so that no curve ends outside the lines of the grid. */
static void a_widened_axis_ends_at_ticks(void **state)
{
    (void)state;
    struct chart_axis axis;
    chart_axis_init(&axis, 3.2, 47, false, true, 300, 0);
    assert_true(axis.low == 0 && axis.high == 50);
    assert_true(chart_axis_at(&axis, 0) == 300 && chart_axis_at(&axis, 50) == 0);
    chart_axis_init(&axis, 0.02, 700, true, true, 0, 5);
    assert_true(fabs(axis.low - 0.01) < 1e-12 && fabs(axis.high - 1000) < 1e-9);
    assert_true(fabs(chart_axis_at(&axis, 1) - 2) < 1e-12);
}

static void heat_maps_show_values_and_labels(void **state)
{
    (void)state;
    const char *rows[] = {"le", "<b>", "une-très-longue-étiquette"}, *columns[] = {"the", "日本"};
    const double values[] = {0.9, 0.1, 0.001, 0.999, NAN, 1.5};
    struct chart_heat heat = {.id = "h",
                              .title = "t",
                              .note = "n",
                              .row_name = "Output",
                              .column_name = "source",
                              .rows = rows,
                              .columns = columns,
                              .row_count = 3,
                              .column_count = 2,
                              .values = values,
                              .high = 1};
    struct err err = ERR_INIT;
    struct buf out = BUF_INIT;
    assert_fine(chart_heat(&heat, &out, &err), err);
    assert_markup(&out);
    assert_int_equal(markup_count(out.data, "class=\"cell\""), 4); /* 0.001 and NAN have none */
    assert_non_null(strstr(out.data, "fill-opacity=\"0.9\"><title>le \xE2\x86\x90 the: 0.9<"));
    assert_non_null(strstr(out.data, "fill-opacity=\"1\"><title>une-"));
    assert_non_null(strstr(out.data, "une-très-longue-\xE2\x80\xA6<title>"));
    assert_non_null(strstr(out.data, "le \xE2\x86\x90 the; &lt;b&gt; \xE2\x86\x90 日本;"));
    buf_clear(&out);
    heat.row_count = heat.column_count = 0;
    heat.high = 0;
    assert_fine(chart_heat(&heat, &out, &err), err);
    assert_markup(&out);
    buf_release(&out);
}

/* All bytes and pairs of bytes, all characters. */
static void any_text_may_stand_in_a_page(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct buf out = BUF_INIT;
    buf_text(&out, "<p title=\"", &err);
    for (unsigned i = 0; i < 65536; i++) {
        const char bytes[] = {(char)(i >> 8), (char)i};
        html_bytes(&out, bytes, 2, &err);
    }
    buf_text(&out, "\">", &err);
    html_text(&out, "\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xB7\x90\xF0\x9F\xBF\xBF\xC2\x80", &err);
    html_text(&out, "a <b> & 'c' \"d\" é 日本 \xF0\x9F\x98\x80", &err);
    buf_text(&out, "</p>", &err);
    assert_fine((int)err.code, err);
    assert_markup(&out);
    const char *text = strrchr(out.data, '"') + 2;
    for (int i = 0; i < 5; i++, text += 3)
        assert_memory_equal(text, "\xEF\xBF\xBD", 3);
    assert_string_equal(text, "a &lt;b&gt; &amp; &#39;c&#39; &quot;d&quot; é 日本 "
                              "\xF0\x9F\x98\x80</p>");
    buf_release(&out);
}

/* The checker that these tests and others rely on finds what it should. */
static void the_checker_finds_faults(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "<p>",
        "</p>",
        "<p><b></p></b>",
        "a & b",
        "a > b",
        "<p class=a></p>",
        "<p class=\"<\"></p>",
        "<i id=\"a\"></i><i id=\"a\"></i>",
        "<svg x=\"nan\"></svg>",
        "<path d=\"M1 -inf\"/>",
        "<img src=\"a\"/>",
        "<a href=\"a\"></a>",
        "<p onclick=\"a\"></p>",
        "<script></script>",
        "<style>@import 'a'</style>",
        "<style>p{background:url(a)}</style>",
        "see https://example.org",
        "\x01",
        "<p",
        "</p",
        "<p class=\"a",
        "<p class",
    };
    char why[200];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (markup_check(bad[i], strlen(bad[i]), why, sizeof why))
            fail_msg("not found: %s", bad[i]);
    static const char good[] = "<!DOCTYPE html>\n<p class=\"a\">b &amp; <br/>c</p>\n";
    assert_true(markup_check(good, sizeof good - 1, why, sizeof why));
}

static void scripts_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "<script>a</script>",
        "<script src=\"a\">//<![CDATA[\n//]]></script>",
        "<script>//<![CDATA[\nfetch(a)\n//]]></script>",
        "<script>//<![CDATA[\na.innerHTML=b\n//]]></script>",
        "<script>//<![CDATA[\n\"</script>\"\n//]]></script>",
        "<script>//<![CDATA[\n",
        "<script>//<![CDATA[\nhttps://example.org\n//]]></script>",
    };
    char why[200];
    struct err err = ERR_INIT;
    struct buf out = BUF_INIT;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (markup_check_scripted(bad[i], strlen(bad[i]), why, sizeof why))
            fail_msg("not found: %s", bad[i]);
    html_begin_styled(&out, "t", "p{color:red}\n", &err);
    html_script_begin(&out, &err);
    buf_text(&out, "if(1<2&&3>2)alert(\"&<\");\n", &err);
    html_script_end(&out, &err);
    html_end(&out, &err);
    assert_fine((int)err.code, err);
    if (!markup_check_scripted(out.data, out.len, why, sizeof why))
        fail_msg("%s", why);
    assert_false(markup_check(out.data, out.len, why, sizeof why));
    assert_non_null(strstr(out.data, "p{color:red}\n</style>"));
    buf_release(&out);
}

static void points_are_not_joined(void **state)
{
    (void)state;
    const double x[] = {0, 0.5, NAN, 1}, y[] = {0, 0.25, 0, 0.5};
    const struct chart_series series = {"s", x, y, 4, 0};
    struct chart chart = make_chart(&series, 1);
    struct err err = ERR_INIT;
    struct buf out = BUF_INIT;
    chart.y_reach = 1;
    assert_fine(chart_points(&chart, &out, &err), err);
    assert_markup(&out);
    assert_non_null(strstr(out.data, " d=\"M58.0 256.0h0M341.0 199.0h0M624.0 142.0h0\""));
    assert_int_equal(markup_count(out.data, "class=\"curve"), 0);
    buf_release(&out);
}

static void a_page_is_whole(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct buf out = BUF_INIT;
    html_begin(&out, "</title><script>", &err);
    html_end(&out, &err);
    assert_fine((int)err.code, err);
    assert_markup(&out);
    assert_non_null(strstr(out.data, "prefers-color-scheme:dark"));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_every_point),
        cmocka_unit_test(a_stride_picks_members),
        cmocka_unit_test(a_gap_breaks_the_curve),
        cmocka_unit_test(nothing_at_all_is_still_a_chart),
        cmocka_unit_test(any_values_stay_within_the_drawing),
        cmocka_unit_test(long_curves_are_thinned),
        cmocka_unit_test(many_series_have_a_key),
        cmocka_unit_test(ticks_are_round),
        cmocka_unit_test(a_widened_axis_ends_at_ticks),
        cmocka_unit_test(heat_maps_show_values_and_labels),
        cmocka_unit_test(any_text_may_stand_in_a_page),
        cmocka_unit_test(the_checker_finds_faults),
        cmocka_unit_test(scripts_are_checked),
        cmocka_unit_test(points_are_not_joined),
        cmocka_unit_test(a_page_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
