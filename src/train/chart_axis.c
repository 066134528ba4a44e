#include "train/chart_axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define STEPS 5   /* about so many between ticks */
#define DECADES 8 /* at most so many ticks at powers of ten */
#define SMALLEST 1e-300

bool chart_axis_takes(const struct chart_axis *axis, double value)
{
    return isfinite(value) && fabs(value) < 1e300 && (!axis->log || value > SMALLEST);
}

double chart_axis_at(const struct chart_axis *axis, double value)
{
    const double share = axis->log
                             ? (log(value) - log(axis->low)) / (log(axis->high) - log(axis->low))
                             : (value - axis->low) / (axis->high - axis->low);
    return axis->from + share * (axis->to - axis->from);
}

/* 1, 2 or 5 times a power of ten, not below `least`. */
static double round_step(double least)
{
    const double power = pow(10, floor(log10(least)));
    const double rest = least / power;
    return power * (rest <= 1.0001 ? 1 : rest <= 2.0001 ? 2 : rest <= 5.0001 ? 5 : 10);
}

static void add_tick(struct chart_axis *axis, double value)
{
    const double slack = 1e-9 * (axis->high - axis->low);
    if (value >= axis->low - slack && value <= axis->high + slack &&
        axis->tick_count < CHART_MAX_TICKS)
        axis->ticks[axis->tick_count++] = value;
}

static void linear_ticks(struct chart_axis *axis, bool widen)
{
    const double step = round_step((axis->high - axis->low) / STEPS);
    const double first = floor(axis->low / step), last = ceil(axis->high / step);
    if (widen) {
        axis->low = axis->log && first <= 0 ? axis->low : first * step;
        axis->high = last * step;
    }
    for (double i = first; i <= last; i++)
        add_tick(axis, i * step);
}

/* Powers of ten; with their doubles and fivefolds where there are few. */
static void log_ticks(struct chart_axis *axis, bool widen)
{
    const double decades = log10(axis->high) - log10(axis->low);
    const double step = ceil(decades / DECADES);
    double first = floor(log10(axis->low)), last = ceil(log10(axis->high));
    if (widen && decades > 2) {
        axis->low = pow(10, first);
        axis->high = pow(10, last);
    }
    for (double i = first; i <= last; i += step) {
        add_tick(axis, pow(10, i));
        if (decades <= 3) {
            add_tick(axis, 2 * pow(10, i));
            add_tick(axis, 5 * pow(10, i));
        }
    }
}

void chart_axis_init(struct chart_axis *axis, double low, double high, bool log, bool widen,
                     double from, double to)
{
    *axis = (struct chart_axis){.log = log, .from = from, .to = to};
    if (!chart_axis_takes(axis, low) || !chart_axis_takes(axis, high) || low > high) {
        low = log ? 1 : 0;
        high = log ? 10 : 1;
    }
    /* a point, or what rounding makes one, gets room on both sides */
    if (high - low <= fmax(SMALLEST, 1e-9 * fmax(fabs(low), fabs(high)))) {
        const double room = fabs(low) <= SMALLEST ? 1 : fabs(low) / 2;
        low -= low == 0 && high == 0 && widen ? 0 : room;
        high += room;
    }
    axis->low = low;
    axis->high = high;
    if (log && high / low >= 5)
        log_ticks(axis, widen);
    else
        linear_ticks(axis, widen);
}

/* "1e-05" becomes "1e-5". */
static void shorten_exponent(char *text)
{
    char *e = strchr(text, 'e');
    if (!e)
        return;
    char *digits = e + 1 + (e[1] == '-' || e[1] == '+');
    char *kept = digits + strspn(digits, "0");
    if (e[1] == '+')
        digits = e + 1;
    memmove(digits, kept, strlen(kept) + 1);
}

void chart_axis_label(double value, char *text, size_t size)
{
    static const char *const suffixes[] = {"", "k", "M", "G"};
    size_t thousands = 0;
    double rest = value;
    while (thousands < 3 && fabs(rest) >= 1000 && fabs(value) < 1e12) {
        rest /= 1000;
        thousands++;
    }
    snprintf(text, size, "%.5g%s", rest, suffixes[thousands]);
    if (thousands == 0)
        shorten_exponent(text);
}
