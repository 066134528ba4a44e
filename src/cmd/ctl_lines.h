/* The commands that do the same with each of many texts: what ctl_lines.c needs to know of one. */
#ifndef DRAGOMAN_CMD_CTL_LINES_H
#define DRAGOMAN_CMD_CTL_LINES_H

#include "cmd/ctl.h"
#include "cmd/ctl_input.h"

struct lines_slot {
    bool done;
    json_t *text, *answer; /* answer NULL: the text was not sent, `why` says why */
    const char *why;
    int64_t first_ns, retry_ns; /* when it was sent first; when it is sent again, or 0 */
    unsigned tries;
};

struct lines {
    struct ctl *ctl;
    const char *method;
    bool rows;      /* the texts are rows of numbers */
    json_t *params; /* of every request, without the text */
    void (*print)(const struct lines *lines, const json_t *result);
    struct input input;
    struct lines_slot *slots; /* a ring: text number n is in slots[n % slot_count] */
    size_t slot_count;
    size_t read, answered, printed; /* texts, counted from 0 */
    size_t waiting;                 /* texts that are to be sent again */
    bool refused;                   /* one of them at least */
    int64_t heard_ns;               /* when the last answer came, or was first waited for */
};

/* Sends the arguments or the lines of standard input, and prints what comes back, in their order.
   `lines` has method, params, print and rows; the rest is zero. Releases params. */
int lines_run(struct lines *lines, struct ctl *ctl);
/* While an answer is printed: the text that it answers. */
const json_t *lines_text(const struct lines *lines);

#endif
