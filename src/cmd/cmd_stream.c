/*
 * The texts stand in a ring of slots: read by the main thread, taken and filled by the workers,
 * printed in order by whichever worker completes the next one. The counters only grow; text n is in
 * slot n % SLOTS, and printed <= taken <= read <= printed + SLOTS.
 */
#include "cmd/cmd_stream.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "base/pool.h"
#include "cmd/cmd.h"
#include "cmd/ctl_input.h"

#define SLOTS 1024

struct slot {
    struct cmd_line line; /* first: a worker's line is its slot */
    bool done;
};

struct cmd_stream {
    const struct cmd_stream_work *work;
    struct input input;
    pthread_mutex_t lock;
    pthread_cond_t arrived, printed_some;
    struct slot *slots;
    size_t read, taken, printed;
    bool ended;  /* nothing more will be read */
    bool failed; /* a worker or the reader gave up: `err` says why */
    bool refused;
    struct err err;
};

static struct slot *slot_of(struct cmd_stream *stream, size_t number)
{
    return &stream->slots[number % SLOTS];
}

static void print_slot(struct cmd_stream *stream, struct slot *slot)
{
    const struct cmd_line *line = &slot->line;
    if (line->err.code != ERR_NONE) {
        stream->refused = true;
        cmd_complain("line %zu: %s", line->number, line->err.message);
    } else {
        fwrite(line->answer.data, 1, line->answer.len, stdout);
    }
    putchar('\n');
}

static void print_ready(struct cmd_stream *stream)
{
    size_t before = stream->printed;
    while (stream->printed < stream->taken && slot_of(stream, stream->printed)->done) {
        struct slot *slot = slot_of(stream, stream->printed);
        print_slot(stream, slot);
        slot->done = false;
        stream->printed++;
    }
    if (stream->printed > before) {
        fflush(stdout);
        pthread_cond_signal(&stream->printed_some);
    }
}

static void give_up(struct cmd_stream *stream, const struct err *err)
{
    pthread_mutex_lock(&stream->lock);
    stream->failed = true;
    err_set(&stream->err, err->code, "%s", err->message);
    pthread_cond_broadcast(&stream->arrived);
    pthread_cond_signal(&stream->printed_some);
    pthread_mutex_unlock(&stream->lock);
}

struct cmd_line *cmd_stream_next(struct cmd_stream *stream, bool wait)
{
    struct cmd_line *line = NULL;
    pthread_mutex_lock(&stream->lock);
    while (wait && !stream->failed && !stream->ended && stream->taken == stream->read)
        pthread_cond_wait(&stream->arrived, &stream->lock);
    if (!stream->failed && stream->taken < stream->read)
        line = &slot_of(stream, stream->taken++)->line;
    pthread_mutex_unlock(&stream->lock);
    return line;
}

void cmd_stream_done(struct cmd_stream *stream, struct cmd_line *line)
{
    pthread_mutex_lock(&stream->lock);
    ((struct slot *)line)->done = true;
    print_ready(stream);
    pthread_mutex_unlock(&stream->lock);
}

/* Waits for a text from outside. */
static int await_text(struct input *input, struct input_text *text, enum input_state *state,
                      struct err *err)
{
    while ((*state = input_next(input, text)) == INPUT_NOTHING_YET) {
        int code = input_read(input, err);
        if (code < 0)
            return code;
    }
    return 0;
}

/* A free slot for the next text, once there is one; NULL when all has been given up. */
static struct slot *await_slot(struct cmd_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    while (!stream->failed && stream->read == stream->printed + SLOTS)
        pthread_cond_wait(&stream->printed_some, &stream->lock);
    bool failed = stream->failed;
    pthread_mutex_unlock(&stream->lock);
    return failed ? NULL : slot_of(stream, stream->read);
}

static int fill_slot(struct cmd_stream *stream, struct slot *slot, const struct input_text *text,
                     struct err *err)
{
    struct cmd_line *line = &slot->line;
    line->number = stream->read + 1;
    err_clear(&line->err);
    buf_clear(&line->text);
    buf_clear(&line->answer);
    memset(line->extra, 0, stream->work->extra_size);
    if (text->data == NULL)
        err_set(&line->err, ERR_LIMIT, "longer than %d bytes", INPUT_MAX_LINE);
    int code = buf_append(&line->text, text->data ? text->data : "", text->len, err);
    return code < 0 ? code : buf_reserve(&line->answer, 0, err);
}

static int read_texts(struct cmd_stream *stream, struct err *err)
{
    struct input_text text;
    enum input_state state;
    int code;
    while ((code = await_text(&stream->input, &text, &state, err)) == 0 && state == INPUT_TEXT) {
        struct slot *slot = await_slot(stream);
        if (slot == NULL)
            return 0;
        code = fill_slot(stream, slot, &text, err);
        if (code < 0)
            return code;
        pthread_mutex_lock(&stream->lock);
        stream->read++;
        pthread_cond_signal(&stream->arrived);
        pthread_mutex_unlock(&stream->lock);
    }
    return code;
}

static void read_all(struct cmd_stream *stream)
{
    struct err err = ERR_INIT;
    if (read_texts(stream, &err) < 0)
        give_up(stream, &err);
    pthread_mutex_lock(&stream->lock);
    stream->ended = true;
    pthread_cond_broadcast(&stream->arrived);
    pthread_mutex_unlock(&stream->lock);
}

/* Thread 0 reads, the others work. */
static void run_thread(void *context, int index)
{
    struct cmd_stream *stream = context;
    struct err err = ERR_INIT;
    if (index == 0)
        read_all(stream);
    else if (stream->work->run(stream->work->context, stream, &err) < 0)
        give_up(stream, &err);
}

static int run_stream(struct cmd_stream *stream)
{
    struct err err = ERR_INIT;
    struct pool *pool = pool_new(stream->work->threads + 1, &err);
    if (pool == NULL)
        return cmd_failed(&err);
    pool_run(pool, run_thread, stream);
    pool_free(pool);
    if (stream->failed)
        return cmd_failed(&stream->err);
    return stream->refused ? CMD_FAILED : CMD_FINE;
}

static int make_slots(struct cmd_stream *stream, struct err *err)
{
    stream->slots = mem_alloc(SLOTS, sizeof(*stream->slots), err);
    if (stream->slots == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < SLOTS; i++) {
        stream->slots[i].line.extra = mem_alloc(1, stream->work->extra_size, err);
        if (stream->slots[i].line.extra == NULL)
            return ERR_MEMORY;
    }
    return 0;
}

static void free_slots(struct cmd_stream *stream)
{
    for (size_t i = 0; stream->slots != NULL && i < SLOTS; i++) {
        mem_free(stream->slots[i].line.extra);
        buf_release(&stream->slots[i].line.text);
        buf_release(&stream->slots[i].line.answer);
    }
    mem_free(stream->slots);
}

int cmd_stream_run(const struct cmd_stream_work *work, char **texts, int text_count)
{
    struct cmd_stream stream = {.work = work,
                                .lock = PTHREAD_MUTEX_INITIALIZER,
                                .arrived = PTHREAD_COND_INITIALIZER,
                                .printed_some = PTHREAD_COND_INITIALIZER};
    struct err err = ERR_INIT;
    int status;
    input_init(&stream.input, texts, text_count, STDIN_FILENO);
    if (make_slots(&stream, &err) < 0)
        status = cmd_failed(&err);
    else
        status = run_stream(&stream);
    free_slots(&stream);
    input_release(&stream.input);
    return status;
}

int cmd_answer_text(struct cmd_line *line, const char *text, size_t len, bool fields,
                    struct err *err)
{
    size_t begin = line->answer.len;
    int code = buf_append(&line->answer, text, len, err);
    for (size_t i = begin; code == 0 && i < line->answer.len; i++) {
        char *c = &line->answer.data[i];
        if (*c == '\n' || *c == '\r' || (fields && *c == '\t'))
            *c = ' ';
    }
    return code;
}
