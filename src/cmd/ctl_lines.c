/*
 * Many texts over one connection. Requests are sent ahead of their answers;
 * answers come in any order and wait in a ring of slots until it is their turn to be printed. A
 * text that fails prints an empty line (with --json an object with "error"), so that the lines out
 * stay beside the lines in.
 */
#include "cmd/ctl_lines.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"

#define SLOTS_PER_REQUEST 16 /* answers that may wait for an earlier one, for each in flight */
#define GRACE_MS 500         /* what the client waits longer than the server */
#define NS_PER_MS 1000000
#define OVERLOADED (-32000)
#define DEFAULT_RETRY_MS 100
#define MAX_DOUBLINGS 5 /* of the time before the next try */

static struct lines_slot *slot_of(const struct lines *lines, size_t number)
{
    return &lines->slots[number % lines->slot_count];
}

const json_t *lines_text(const struct lines *lines)
{
    return slot_of(lines, lines->printed)->text;
}

static void print_error(struct lines *lines, const struct lines_slot *slot)
{
    char what[64];
    const json_t *error = json_object_get(slot->answer, "error");
    snprintf(what, sizeof what, "text %zu", lines->printed + 1);
    lines->refused = true;
    if (error) {
        ctl_refused(what, error);
    } else {
        ctl_complain("%s %s", what, slot->why ? slot->why : "got an answer without a result");
    }
    if (!lines->ctl->settings.json) {
        putchar('\n');
        return;
    }
    json_t *object = error ? json_pack("{s:O}", "error", error)
                           : json_pack("{s:{s:s}}", "error", "message", slot->why ? slot->why : "");
    if (object)
        json_dumpf(object, stdout, CTL_DUMP);
    putchar('\n');
    json_decref(object);
}

/* Prints the answers whose turn has come. */
static void print_ready(struct lines *lines)
{
    while (lines->printed < lines->read && slot_of(lines, lines->printed)->done) {
        struct lines_slot *slot = slot_of(lines, lines->printed);
        const json_t *result = json_object_get(slot->answer, "result");
        if (result)
            lines->print(lines, result);
        else
            print_error(lines, slot);
        json_decref(slot->answer);
        json_decref(slot->text);
        *slot = (struct lines_slot){.done = false};
        lines->printed++;
    }
    fflush(stdout);
}

/* Gives the text that was just read its answer from this side. */
static void refuse_here(struct lines *lines, const char *why)
{
    slot_of(lines, lines->read)->done = true;
    slot_of(lines, lines->read)->why = why;
    lines->answered++;
    lines->read++;
    print_ready(lines);
}

static int send_slot(struct lines *lines, size_t number)
{
    json_object_set(lines->params, lines->rows ? "rows" : "text", slot_of(lines, number)->text);
    json_t *request = json_pack("{s:s, s:I, s:s, s:O}", "jsonrpc", "2.0", "id", (json_int_t)number,
                                "method", lines->method, "params", lines->params);
    char *line = request ? json_dumps(request, CTL_DUMP) : NULL;
    int code = line ? dragoman_client_send(lines->ctl->client, line, strlen(line)) : 0;
    json_decref(request);
    if (!line) {
        ctl_complain("out of memory");
        return CTL_FAILED;
    }
    free(line);
    return code < 0 ? ctl_client_failed(lines->ctl, code) : CTL_FINE;
}

static int send_text(struct lines *lines, const struct input_text *text)
{
    struct err err = ERR_INIT;
    struct lines_slot *slot = slot_of(lines, lines->read);
    const char *bad =
        lines->rows ? "is no rows of numbers, was not sent" : "is not UTF-8, was not sent";
    if (text->data)
        slot->text = lines->rows ? ctl_rows(text->data, text->len, &err)
                                 : json_stringn(text->data, text->len);
    if (!slot->text) {
        refuse_here(lines, text->data ? bad : "is too long, was not sent");
        return CTL_FINE;
    }
    slot->first_ns = clock_ns();
    return send_slot(lines, lines->read++);
}

/* Sends those again whose time has come. */
static int send_again(struct lines *lines)
{
    int status = CTL_FINE;
    for (size_t i = lines->printed; lines->waiting > 0 && i < lines->read; i++) {
        struct lines_slot *slot = slot_of(lines, i);
        if (slot->retry_ns == 0 || slot->retry_ns > clock_ns() || status != CTL_FINE)
            continue;
        slot->retry_ns = 0;
        lines->waiting--;
        status = send_slot(lines, i);
    }
    return status;
}

static bool window_open(const struct lines *lines)
{
    return lines->read - lines->answered < (size_t)lines->ctl->settings.in_flight &&
           lines->read - lines->printed < lines->slot_count;
}

/* Sends what is there to send, as far as the window allows. */
static int send_texts(struct lines *lines)
{
    struct input_text text;
    int status = send_again(lines);
    while (status == CTL_FINE && window_open(lines) &&
           input_next(&lines->input, &text) == INPUT_TEXT) {
        if (lines->read == lines->answered)
            lines->heard_ns = clock_ns();
        status = send_text(lines, &text);
    }
    return status;
}

/* Whether the answer says that the server is full and there is time to try again; plans that. */
static bool put_off(struct lines *lines, struct lines_slot *slot, const json_t *answer)
{
    const json_t *error = json_object_get(answer, "error");
    const json_t *after = json_object_get(json_object_get(error, "data"), "retry_after_ms");
    if (json_integer_value(json_object_get(error, "code")) != OVERLOADED)
        return false;
    int64_t wait_ms = json_is_integer(after) ? json_integer_value(after) : DEFAULT_RETRY_MS;
    if (wait_ms < 1 || wait_ms > ctl_timeout_ms(lines->ctl))
        wait_ms = DEFAULT_RETRY_MS;
    wait_ms <<= slot->tries < MAX_DOUBLINGS ? slot->tries : MAX_DOUBLINGS;
    int64_t again_ns = clock_ns() + wait_ms * NS_PER_MS;
    if (again_ns - slot->first_ns > (int64_t)ctl_timeout_ms(lines->ctl) * NS_PER_MS)
        return false;
    slot->tries++;
    slot->retry_ns = again_ns;
    lines->waiting++;
    return true;
}

/* Puts an answer into its slot. One that answers nothing we asked is about the connection. */
static void accept_answer(struct lines *lines, const char *line, size_t len)
{
    json_error_t where;
    json_t *answer = json_loadb(line, len, JSON_ALLOW_NUL, &where);
    const json_t *id = json_object_get(answer, "id");
    json_int_t number = json_is_integer(id) ? json_integer_value(id) : -1;
    lines->heard_ns = clock_ns();
    if (number < (json_int_t)lines->printed || number >= (json_int_t)lines->read ||
        slot_of(lines, (size_t)number)->done || slot_of(lines, (size_t)number)->retry_ns != 0) {
        if (json_object_get(answer, "error"))
            ctl_refused("the server says", json_object_get(answer, "error"));
        else
            ctl_complain("the server sent a line that answers nothing");
        json_decref(answer);
        return;
    }
    struct lines_slot *slot = slot_of(lines, (size_t)number);
    if (put_off(lines, slot, answer)) {
        json_decref(answer);
        return;
    }
    slot->answer = answer;
    slot->done = true;
    lines->answered++;
}

/* Whether every text has been read. */
static bool all_read(const struct lines *lines)
{
    const struct input *input = &lines->input;
    return input->ended && input->text_count == 0 && input->taken == input->bytes.len &&
           !input->skipping;
}

static bool finished(const struct lines *lines)
{
    return all_read(lines) && lines->printed == lines->read;
}

/* Takes every answer that has arrived. */
static int receive_answers(struct lines *lines)
{
    const char *line;
    size_t len;
    int code;
    while ((code = dragoman_client_receive(lines->ctl->client, &line, &len, 0)) == 0)
        accept_answer(lines, line, len);
    print_ready(lines);
    if (code == DRAGOMAN_CLIENT_TIMEOUT || finished(lines))
        return CTL_FINE;
    return ctl_client_failed(lines->ctl, code);
}

/* The point in time when the server has been silent for too long. */
static int64_t silence_ends_ns(const struct lines *lines)
{
    return lines->heard_ns + ((int64_t)ctl_timeout_ms(lines->ctl) + GRACE_MS) * NS_PER_MS;
}

/* How long poll may wait: without limit where nothing is outstanding. */
static int patience_ms(const struct lines *lines)
{
    if (lines->read == lines->answered)
        return -1;
    int64_t until = silence_ends_ns(lines);
    for (size_t i = lines->printed; lines->waiting > 0 && i < lines->read; i++) {
        const struct lines_slot *slot = slot_of(lines, i);
        if (slot->retry_ns != 0 && slot->retry_ns < until)
            until = slot->retry_ns;
    }
    int64_t left = until - clock_ns();
    return left <= 0 ? 0 : (int)((left + NS_PER_MS - 1) / NS_PER_MS);
}

static int read_input(struct lines *lines)
{
    struct err err = ERR_INIT;
    if (input_read(&lines->input, &err) == 0)
        return CTL_FINE;
    ctl_complain("%s", err.message);
    return CTL_FAILED;
}

/* Waits for answers and, where the window is open, for lines. */
static int wait_and_move(struct lines *lines)
{
    struct ctl *ctl = lines->ctl;
    bool hungry = window_open(lines) && !lines->input.ended;
    struct pollfd items[2] = {
        {.fd = dragoman_client_fd(ctl->client), .events = dragoman_client_events(ctl->client)},
        {.fd = hungry ? lines->input.fd : -1, .events = POLLIN},
    };
    int ready = poll(items, 2, patience_ms(lines));
    if (ready < 0)
        return CTL_FINE; /* a signal: look again */
    if (ready == 0) {
        if (lines->waiting > 0 && clock_ns() < silence_ends_ns(lines))
            return CTL_FINE; /* time to send something again */
        ctl_complain("no answer within %g s", ctl->settings.timeout);
        return CTL_TIMEOUT;
    }
    int status = items[0].revents ? receive_answers(lines) : CTL_FINE;
    if (status == CTL_FINE && items[1].revents)
        status = read_input(lines);
    return status;
}

static int run_lines(struct lines *lines)
{
    int status = send_texts(lines);
    while (status == CTL_FINE && !finished(lines)) {
        status = wait_and_move(lines);
        if (status == CTL_FINE)
            status = send_texts(lines);
    }
    if (status == CTL_FINE)
        return lines->refused ? CTL_REFUSED : CTL_FINE;
    if (lines->read > lines->printed)
        ctl_complain("of %zu texts sent, %zu were answered and printed", lines->read,
                     lines->printed);
    return status;
}

int lines_run(struct lines *lines, struct ctl *ctl)
{
    lines->ctl = ctl;
    input_init(&lines->input, ctl->texts, ctl->text_count, STDIN_FILENO);
    lines->slot_count = (size_t)ctl->settings.in_flight * SLOTS_PER_REQUEST;
    lines->slots = mem_alloc(lines->slot_count, sizeof *lines->slots, NULL);
    int status = CTL_FAILED;
    if (lines->slots && lines->params)
        status = run_lines(lines);
    else
        ctl_complain("out of memory");
    for (size_t i = 0; lines->slots && i < lines->slot_count; i++) {
        json_decref(lines->slots[i].answer);
        json_decref(lines->slots[i].text);
    }
    mem_free(lines->slots);
    input_release(&lines->input);
    json_decref(lines->params);
    return status;
}
