/*
 * A connection lives through stages: OPEN, its lines are read; FINISHING, no line is read any more
 * and what is outstanding is answered; LINGERING, the sending side is shut and what still arrives
 * is thrown away until the client closes too, so that a reset does not take the last answer from
 * it.
 *
 * All decisions are made in turn(), which runs from the event loop after anything happened: bytes
 * came or went, an answer was queued. So nothing frees a connection under its caller's feet. A turn
 * reads a bounded number of lines, then lets others have theirs.
 */
#include "serve/conn.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#define LINES_PER_TURN 64
#define READ_AT_ONCE 65536
#define OUTPUT_HIGH (1u << 20) /* unread answers, after which a connection is not read from */
#define SMALL_INPUT 65536      /* an input this small is never refused for want of memory */
#define LINGER_MS 5000
#define DRAIN_LINGER_MS 500 /* the same when the server is to end */
/* What a client has sent may still be on its way when the server is told to end: a connection
   counts as quiet after so long without a byte, longer in the middle of a line. */
#define QUIET_MS 100
#define QUIET_LINE_MS 1000

enum stage { OPEN, FINISHING, LINGERING };

struct conn {
    struct conn_table *table;
    struct conn_ref ref;
    struct bufferevent *stream;
    struct event *again; /* brings the next turn */
    enum stage stage;
    bool eof;    /* the client sends no more */
    bool broken; /* to be freed at the next turn */
    bool local;
    size_t scanned;     /* bytes of input known to hold no line feed */
    size_t outstanding; /* requests without an answer */
    size_t charged;     /* what of *settings.memory is ours */
    int64_t active_ns;  /* when bytes last came or went */
    int64_t read_ns;    /* when bytes last came */
    int64_t end_ns;     /* of lingering */
    char peer[CONN_PEER_SIZE];
};

struct conn_table {
    struct event_base *base;
    struct conn_settings settings;
    struct conn **slots;   /* [max_connections] */
    uint32_t *generations; /* of the slot's present or next connection */
    uint32_t *unused;      /* a stack of free slots */
    size_t unused_count;
    bool draining;
};

struct conn_table *conn_table_new(struct event_base *base, const struct conn_settings *settings,
                                  struct err *err)
{
    size_t count = settings->max_connections;
    struct conn_table *table = mem_alloc(1, sizeof *table, err);
    if (!table)
        return NULL;
    table->base = base;
    table->settings = *settings;
    table->slots = mem_alloc(count, sizeof *table->slots, err);
    table->generations = mem_alloc(count, sizeof *table->generations, err);
    table->unused = mem_alloc(count, sizeof *table->unused, err);
    if (!table->slots || !table->generations || !table->unused) {
        conn_table_free(table);
        return NULL;
    }
    for (size_t i = count; i > 0; i--)
        table->unused[table->unused_count++] = (uint32_t)(i - 1);
    return table;
}

static void conn_free(struct conn *conn)
{
    *conn->table->settings.memory -= conn->charged;
    if (conn->stream)
        bufferevent_free(conn->stream); /* closes the socket */
    if (conn->again)
        event_free(conn->again);
    mem_free(conn);
}

void conn_table_free(struct conn_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; table->slots && i < table->settings.max_connections; i++)
        if (table->slots[i])
            conn_free(table->slots[i]);
    mem_free(table->slots);
    mem_free(table->generations);
    mem_free(table->unused);
    mem_free(table);
}

/* Frees the connection and its slot and tells the server. */
static void conn_close(struct conn *conn)
{
    struct conn_table *table = conn->table;
    struct conn_ref ref = conn->ref;
    table->slots[ref.slot] = NULL;
    table->generations[ref.slot]++;
    table->unused[table->unused_count++] = ref.slot;
    conn_free(conn);
    table->settings.closed(table->settings.context, ref);
}

static void schedule(struct conn *conn)
{
    event_active(conn->again, EV_TIMEOUT, 1);
}

static struct evbuffer *input_of(const struct conn *conn)
{
    return bufferevent_get_input(conn->stream);
}

static size_t output_length(const struct conn *conn)
{
    return evbuffer_get_length(bufferevent_get_output(conn->stream));
}

static void charge(struct conn *conn)
{
    size_t now = evbuffer_get_length(input_of(conn)) + output_length(conn);
    *conn->table->settings.memory += now - conn->charged;
    conn->charged = now;
}

bool conn_is_behind(const struct conn *conn)
{
    return output_length(conn) > OUTPUT_HIGH;
}

static bool may_read(const struct conn *conn)
{
    return conn->outstanding < conn->table->settings.max_pipeline && !conn_is_behind(conn);
}

/* Length of the first complete line of the input without its line feed, or -1. */
static ssize_t find_line(struct conn *conn)
{
    struct evbuffer *input = input_of(conn);
    struct evbuffer_ptr start, found;
    if (conn->scanned == evbuffer_get_length(input))
        return -1;
    if (evbuffer_ptr_set(input, &start, conn->scanned, EVBUFFER_PTR_SET) < 0)
        return -1;
    found = evbuffer_search(input, "\n", 1, &start);
    if (found.pos < 0)
        conn->scanned = evbuffer_get_length(input);
    return found.pos;
}

static void overflow(struct conn *conn, enum conn_overflow why)
{
    conn->stage = FINISHING;
    conn->table->settings.overflow(conn->table->settings.context, conn, why);
    evbuffer_drain(input_of(conn), evbuffer_get_length(input_of(conn)));
    conn->scanned = 0;
}

/* Hands one line to the server. False: there is none. */
static bool take_line(struct conn *conn)
{
    const struct conn_settings *settings = &conn->table->settings;
    struct evbuffer *input = input_of(conn);
    ssize_t found = find_line(conn);
    size_t len = found < 0 ? evbuffer_get_length(input) : (size_t)found;
    if (len > settings->max_line) {
        overflow(conn, CONN_LINE_TOO_LONG);
        return false;
    }
    if (found < 0) {
        charge(conn);
        if (*settings->memory > settings->max_memory && len > SMALL_INPUT)
            overflow(conn, CONN_MEMORY_FULL);
        return false;
    }
    const unsigned char *line = evbuffer_pullup(input, found + 1);
    if (!line) { /* out of memory */
        overflow(conn, CONN_MEMORY_FULL);
        return false;
    }
    settings->line(settings->context, conn, (const char *)line, len);
    evbuffer_drain(input, len + 1);
    conn->scanned = 0;
    return true;
}

/* True: everything that was received is read. */
static bool take_lines(struct conn *conn)
{
    for (int i = 0; i < LINES_PER_TURN; i++) {
        if (conn->stage != OPEN || conn->broken || !may_read(conn))
            return false;
        if (!take_line(conn))
            return conn->stage == OPEN;
    }
    schedule(conn);
    return false;
}

/* Whether the kernel holds bytes for us; when draining these still deserve an answer. */
static bool bytes_are_waiting(const struct conn *conn)
{
    int waiting = 0;
    return ioctl(bufferevent_getfd(conn->stream), FIONREAD, &waiting) == 0 && waiting > 0;
}

/* Brings a turn after so long. */
static int wake_after(struct conn *conn, int64_t ns)
{
    int64_t us = ns / 1000 + 1;
    struct timeval timeout = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};
    return event_add(conn->again, &timeout);
}

static void wake_at_end(struct conn *conn)
{
    int64_t left = conn->end_ns - clock_ns();
    if (left <= 0 || wake_after(conn, left) < 0)
        conn->broken = true;
}

/* Whether nothing more is to be expected of the client; else another turn will ask again. */
static bool is_quiet(struct conn *conn)
{
    if (conn->eof)
        return true;
    if (bytes_are_waiting(conn))
        return false;
    bool inside = evbuffer_get_length(input_of(conn)) > 0;
    int64_t left =
        conn->read_ns - clock_ns() + (inside ? QUIET_LINE_MS : QUIET_MS) * INT64_C(1000000);
    return left <= 0 || wake_after(conn, left) < 0;
}

static void linger(struct conn *conn)
{
    conn->stage = LINGERING;
    conn->end_ns =
        clock_ns() + (conn->table->draining ? DRAIN_LINGER_MS : LINGER_MS) * INT64_C(1000000);
    shutdown(bufferevent_getfd(conn->stream), SHUT_WR);
    evbuffer_drain(input_of(conn), evbuffer_get_length(input_of(conn)));
    bufferevent_set_timeouts(conn->stream, NULL, NULL);
    wake_at_end(conn);
    bufferevent_enable(conn->stream, EV_READ);
    charge(conn);
}

/* Reading goes on when the connection is open and its client keeps up. */
static void set_reading(struct conn *conn)
{
    bool wanted = conn->stage == OPEN && !conn->eof && may_read(conn);
    bool enabled = (bufferevent_get_enabled(conn->stream) & EV_READ) != 0;
    if (wanted && !enabled)
        bufferevent_enable(conn->stream, EV_READ);
    else if (enabled && !wanted)
        bufferevent_disable(conn->stream, EV_READ);
}

static void turn(struct conn *conn)
{
    if (conn->stage == LINGERING && !conn->broken && !conn->eof)
        return;
    bool all_read = take_lines(conn);
    bool done = conn->outstanding == 0 && output_length(conn) == 0;
    if (conn->broken || (conn->eof && done && (all_read || conn->stage != OPEN))) {
        conn_close(conn);
        return;
    }
    if (conn->table->draining && all_read && done && is_quiet(conn))
        conn->stage = FINISHING;
    if (conn->stage == FINISHING && done) {
        linger(conn);
        return;
    }
    set_reading(conn);
    charge(conn);
}

static void on_again(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct conn *conn = context;
    if (conn->stage == LINGERING)
        wake_at_end(conn);
    turn(conn);
}

static void on_read(struct bufferevent *stream, void *context)
{
    (void)stream;
    struct conn *conn = context;
    conn->active_ns = conn->read_ns = clock_ns();
    if (conn->stage == LINGERING)
        evbuffer_drain(input_of(conn), evbuffer_get_length(input_of(conn)));
    turn(conn);
}

static void on_write(struct bufferevent *stream, void *context)
{
    (void)stream;
    struct conn *conn = context;
    conn->active_ns = clock_ns();
    turn(conn);
}

static bool is_idle(const struct conn *conn)
{
    return conn->outstanding == 0 && output_length(conn) == 0 &&
           clock_ns() - conn->active_ns >= conn->table->settings.idle_timeout * 1000000000;
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    (void)stream;
    struct conn *conn = context;
    if (what & BEV_EVENT_EOF)
        conn->eof = true;
    if ((what & BEV_EVENT_TIMEOUT) && (what & BEV_EVENT_READING))
        conn->broken = is_idle(conn);
    else if (what & (BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT))
        conn->broken = true;
    turn(conn);
}

static void name_peer(struct conn *conn, const struct sockaddr *address, socklen_t length)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
        snprintf(conn->peer, sizeof conn->peer, "%s:%u", text, ntohs(in->sin_port));
        conn->local = ntohl(in->sin_addr.s_addr) >> 24 == 127;
    } else if (address->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)address;
        inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
        snprintf(conn->peer, sizeof conn->peer, "[%s]:%u", text, ntohs(in->sin6_port));
        conn->local = IN6_IS_ADDR_LOOPBACK(&in->sin6_addr) ||
                      (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr) && in->sin6_addr.s6_addr[12] == 127);
    } else {
        snprintf(conn->peer, sizeof conn->peer, "unix");
        conn->local = address->sa_family == AF_UNIX;
    }
}

static int open_stream(struct conn *conn, int fd, struct err *err)
{
    const struct conn_settings *settings = &conn->table->settings;
    conn->again = event_new(conn->table->base, -1, 0, on_again, conn);
    conn->stream = bufferevent_socket_new(conn->table->base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (!conn->again || !conn->stream)
        return err_set(err, ERR_MEMORY, "out of memory for a connection");
    struct timeval idle = {.tv_sec = settings->idle_timeout};
    struct timeval write = {.tv_sec = settings->write_timeout};
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* fails on Unix sockets */
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    bufferevent_setcb(conn->stream, on_read, on_write, on_event, conn);
    bufferevent_set_max_single_read(conn->stream, READ_AT_ONCE);
    bufferevent_setwatermark(conn->stream, EV_READ, 0, settings->max_line + READ_AT_ONCE);
    bufferevent_set_timeouts(conn->stream, settings->idle_timeout ? &idle : NULL, &write);
    if (bufferevent_enable(conn->stream, EV_READ | EV_WRITE) < 0)
        return err_set(err, ERR_MEMORY, "out of memory for a connection");
    return 0;
}

int conn_add(struct conn_table *table, int fd, const struct sockaddr *address, socklen_t length,
             struct err *err)
{
    if (table->unused_count == 0)
        return err_set(err, ERR_BUSY, "too many connections");
    struct conn *conn = mem_alloc(1, sizeof *conn, err);
    if (!conn)
        return ERR_MEMORY;
    conn->table = table;
    conn->active_ns = conn->read_ns = clock_ns();
    name_peer(conn, address, length);
    if (open_stream(conn, fd, err) < 0) {
        if (conn->stream)
            bufferevent_setfd(conn->stream, -1); /* the caller's */
        conn_free(conn);
        return ERR_MEMORY;
    }
    uint32_t slot = table->unused[--table->unused_count];
    conn->ref = (struct conn_ref){.slot = slot, .generation = table->generations[slot]};
    table->slots[slot] = conn;
    return 0;
}

struct conn *conn_find(struct conn_table *table, struct conn_ref ref)
{
    struct conn *conn = table->slots[ref.slot];
    return conn && conn->ref.generation == ref.generation ? conn : NULL;
}

struct conn_ref conn_ref(const struct conn *conn)
{
    return conn->ref;
}

const char *conn_peer(const struct conn *conn)
{
    return conn->peer;
}

bool conn_is_local(const struct conn *conn)
{
    return conn->local;
}

void conn_send(struct conn *conn, const void *data, size_t len)
{
    if (bufferevent_write(conn->stream, data, len) < 0) {
        log_warning("%s: out of memory for an answer: disconnected", conn->peer);
        conn->broken = true;
    } else if (output_length(conn) > conn->table->settings.max_output) {
        log_info("%s: does not read its answers: disconnected", conn->peer);
        conn->broken = true;
    }
    charge(conn);
    schedule(conn);
}

void conn_break(struct conn *conn)
{
    conn->broken = true;
    schedule(conn);
}

void conn_expect(struct conn *conn, size_t requests)
{
    conn->outstanding += requests;
}

void conn_answered(struct conn *conn, size_t requests)
{
    conn->outstanding -= requests;
    schedule(conn);
}

void conn_table_drain(struct conn_table *table)
{
    table->draining = true;
    for (size_t i = 0; i < table->settings.max_connections; i++)
        if (table->slots[i])
            schedule(table->slots[i]);
}

size_t conn_table_open(const struct conn_table *table)
{
    return table->settings.max_connections - table->unused_count;
}
