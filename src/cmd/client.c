/*
 * The client of include/dragoman/client.h: a non-blocking socket, a buffer for each direction, and
 * push() and pull() that move what the socket takes and has. Whoever waits does both, so that
 * neither side can wait for the other to read. Deadlines are absolute, so that a peer that sends a
 * byte at a time cannot stretch them.
 */
#include "dragoman/client.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#define READ_SIZE 65536
#define NS_PER_MS 1000000

struct dragoman_client {
    int fd;
    bool ended; /* the peer has closed, or the connection broke: `end_errno` says how */
    int end_errno;
    bool deaf; /* the peer takes no more bytes; what it sent before can still be read */
    struct buf out, in;
    size_t out_sent; /* bytes of `out` that the socket has taken */
    size_t in_taken,
        in_scanned; /* bytes of `in` given to the caller, and searched for a line feed */
    char address[256];
    struct err err;
};

static int fail(struct dragoman_client *client, enum dragoman_client_code code, const char *what,
                const char *why)
{
    err_clear(&client->err);
    err_set(&client->err, ERR_IO, "%s %s%s%s", what, client->address, why ? ": " : "",
            why ? why : "");
    return (int)code;
}

static int fail_memory(struct dragoman_client *client)
{
    return fail(client, DRAGOMAN_CLIENT_MEMORY, "talking to", "out of memory");
}

/* The point in time that lies timeout_ms ahead, -1 for never. */
static int64_t deadline_in(int timeout_ms)
{
    return timeout_ms < 0 ? -1 : clock_ns() + (int64_t)timeout_ms * NS_PER_MS;
}

/* What is left until `deadline`, as poll wants it: rounded up, so that poll does not spin. */
static int left_ms(int64_t deadline)
{
    if (deadline < 0)
        return -1;
    int64_t left = deadline - clock_ns();
    if (left <= 0)
        return 0;
    left = (left + NS_PER_MS - 1) / NS_PER_MS;
    return left > INT_MAX ? INT_MAX : (int)left;
}

/* As poll on one socket, until `deadline`, whatever signals come. */
static int wait_for(int fd, short events, int64_t deadline)
{
    for (;;) {
        struct pollfd item = {.fd = fd, .events = events, .revents = 0};
        int ready = poll(&item, 1, left_ms(deadline));
        if (ready >= 0 || errno != EINTR)
            return ready;
    }
}

struct dragoman_client *dragoman_client_new(void)
{
    struct dragoman_client *client = mem_alloc(1, sizeof *client, NULL);
    if (client)
        client->fd = -1;
    return client;
}

void dragoman_client_free(struct dragoman_client *client)
{
    if (!client)
        return;
    dragoman_client_close(client);
    buf_release(&client->in);
    buf_release(&client->out);
    mem_free(client);
}

void dragoman_client_close(struct dragoman_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    client->ended = client->deaf = false;
    client->end_errno = 0;
    buf_clear(&client->in);
    buf_clear(&client->out);
    client->out_sent = client->in_taken = client->in_scanned = 0;
}

/* A connected non-blocking socket, or -1 with errno. */
static int connect_socket(const struct sockaddr *address, socklen_t len, int64_t deadline)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int on = 1, why = 0;
    socklen_t why_len = sizeof why;
    if (address->sa_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, address, len) == 0)
        return fd;
    if (errno == EINPROGRESS || errno == EINTR) {
        int ready = wait_for(fd, POLLOUT, deadline);
        if (ready == 0)
            why = ETIMEDOUT;
        else if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &why_len) < 0)
            why = errno;
        if (why == 0)
            return fd;
    } else {
        why = errno;
    }
    close(fd);
    errno = why;
    return -1;
}

static int connect_failed(struct dragoman_client *client)
{
    if (errno == ETIMEDOUT)
        return fail(client, DRAGOMAN_CLIENT_TIMEOUT, "cannot connect to",
                    "no answer within the time limit");
    return fail(client, DRAGOMAN_CLIENT_CONNECT, "cannot connect to", strerror(errno));
}

static int connect_unix(struct dragoman_client *client, const char *path, int64_t deadline)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = ""};
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof address.sun_path)
        return fail(client, DRAGOMAN_CLIENT_ADDRESS_BAD, "bad address",
                    "a socket's path has 1 to 107 bytes");
    memcpy(address.sun_path, path, len + 1);
    client->fd = connect_socket((const struct sockaddr *)&address, sizeof address, deadline);
    return client->fd < 0 ? connect_failed(client) : 0;
}

/* Cuts "HOST:PORT" or "[IPV6]:PORT" in place. */
static bool split_address(char *text, char **host, char **port)
{
    char *colon = strrchr(text, ':');
    if (!colon || colon == text || colon[1] == '\0')
        return false;
    *colon = '\0';
    *port = colon + 1;
    *host = text;
    if (text[0] == '[' && colon[-1] == ']') {
        colon[-1] = '\0';
        *host = text + 1;
    }
    return true;
}

static int connect_tcp(struct dragoman_client *client, int64_t deadline)
{
    char copy[sizeof client->address];
    char *host, *port;
    memcpy(copy, client->address, sizeof copy);
    if (!split_address(copy, &host, &port))
        return fail(client, DRAGOMAN_CLIENT_ADDRESS_BAD, "bad address",
                    "not HOST:PORT, [IPV6]:PORT or unix:PATH");
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(host, port, &hints, &found);
    if (code != 0)
        return fail(client, DRAGOMAN_CLIENT_CONNECT, "cannot find",
                    code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code));
    for (const struct addrinfo *a = found; a && client->fd < 0; a = a->ai_next)
        client->fd = connect_socket(a->ai_addr, a->ai_addrlen, deadline);
    int why = errno;
    freeaddrinfo(found);
    errno = why;
    return client->fd < 0 ? connect_failed(client) : 0;
}

int dragoman_client_connect(struct dragoman_client *client, const char *address, int timeout_ms)
{
    dragoman_client_close(client);
    size_t len = strlen(address);
    if (len >= sizeof client->address) {
        memcpy(client->address, "...", sizeof "...");
        return fail(client, DRAGOMAN_CLIENT_ADDRESS_BAD, "bad address", "too long");
    }
    memcpy(client->address, address, len + 1);
    int64_t deadline = deadline_in(timeout_ms);
    if (strncmp(address, "unix:", 5) == 0)
        return connect_unix(client, address + 5, deadline);
    return connect_tcp(client, deadline);
}

static void end(struct dragoman_client *client, int why)
{
    client->ended = true;
    client->end_errno = why;
}

/* Hands the socket what it takes now. A failure ends the connection, but what was received before
   can still be read. */
static void push(struct dragoman_client *client)
{
    while (!client->deaf && client->out_sent < client->out.len) {
        ssize_t n = send(client->fd, client->out.data + client->out_sent,
                         client->out.len - client->out_sent, MSG_NOSIGNAL);
        if (n > 0)
            client->out_sent += (size_t)n;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            break;
        else if (errno != EINTR)
            client->deaf = true;
    }
    if (client->deaf || client->out_sent == client->out.len) {
        buf_clear(&client->out);
        client->out_sent = 0;
    }
}

/* Reads once; more is read when there is no whole line yet. */
static int pull(struct dragoman_client *client)
{
    if (client->in_taken > 0) {
        memmove(client->in.data, client->in.data + client->in_taken,
                client->in.len - client->in_taken);
        client->in.len -= client->in_taken;
        client->in_scanned -= client->in_taken;
        client->in_taken = 0;
    }
    if (client->in.len > DRAGOMAN_CLIENT_MAX_ANSWER)
        return fail(client, DRAGOMAN_CLIENT_LIMIT, "reading from", "the answer is too long");
    if (buf_reserve(&client->in, READ_SIZE, NULL) < 0)
        return fail_memory(client);
    ssize_t n = recv(client->fd, client->in.data + client->in.len, READ_SIZE, 0);
    if (n > 0)
        client->in.len += (size_t)n;
    else if (n == 0)
        end(client, 0);
    else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        end(client, errno);
    return 0;
}

/* Finds a whole line in what was received. */
static bool take_line(struct dragoman_client *client, const char **line, size_t *len)
{
    if (client->in_scanned >= client->in.len)
        return false;
    char *from = client->in.data + client->in_taken;
    char *feed =
        memchr(client->in.data + client->in_scanned, '\n', client->in.len - client->in_scanned);
    if (!feed) {
        client->in_scanned = client->in.len;
        return false;
    }
    *feed = '\0';
    *line = from;
    *len = (size_t)(feed - from);
    client->in_taken = client->in_scanned = (size_t)(feed - client->in.data) + 1;
    return true;
}

static int lost(struct dragoman_client *client)
{
    if (client->fd < 0)
        return fail(client, DRAGOMAN_CLIENT_LOST, "not connected to", NULL);
    return fail(client, DRAGOMAN_CLIENT_LOST, "lost the connection to",
                client->end_errno ? strerror(client->end_errno) : "the server closed it");
}

static int queue_bytes(struct dragoman_client *client, const char *bytes, size_t len, bool feed)
{
    if (client->fd < 0)
        return lost(client);
    if (buf_reserve(&client->out, len + 1, NULL) < 0 ||
        buf_append(&client->out, bytes, len, NULL) < 0 ||
        (feed && buf_char(&client->out, '\n', NULL) < 0))
        return fail_memory(client);
    push(client);
    return 0;
}

int dragoman_client_send(struct dragoman_client *client, const char *line, size_t len)
{
    return queue_bytes(client, line, len, true);
}

int dragoman_client_send_raw(struct dragoman_client *client, const char *bytes, size_t len)
{
    return queue_bytes(client, bytes, len, false);
}

int dragoman_client_finish(struct dragoman_client *client)
{
    if (client->fd < 0 || shutdown(client->fd, SHUT_WR) < 0)
        return lost(client);
    return 0;
}

int dragoman_client_flush(struct dragoman_client *client, int timeout_ms)
{
    int64_t deadline = deadline_in(timeout_ms);
    for (;;) {
        if (client->fd < 0 || client->ended)
            return lost(client);
        push(client);
        if (client->out.len == 0 && !client->deaf)
            return 0;
        if (wait_for(client->fd, POLLIN | POLLOUT, deadline) == 0)
            return fail(client, DRAGOMAN_CLIENT_TIMEOUT, "timed out sending to", NULL);
        int code = pull(client); /* lest both sides wait for the other to read */
        if (code < 0)
            return code;
    }
}

int dragoman_client_receive(struct dragoman_client *client, const char **line, size_t *len,
                            int timeout_ms)
{
    int64_t deadline = deadline_in(timeout_ms);
    for (bool last = false;;) {
        if (take_line(client, line, len))
            return 0;
        if (client->fd < 0 || client->ended)
            return lost(client);
        if (last)
            return fail(client, DRAGOMAN_CLIENT_TIMEOUT, "timed out waiting for", NULL);
        push(client);
        last = wait_for(client->fd, dragoman_client_events(client), deadline) == 0;
        int code = pull(client);
        if (code < 0)
            return code;
    }
}

int dragoman_client_fd(const struct dragoman_client *client)
{
    return client->fd;
}

short dragoman_client_events(const struct dragoman_client *client)
{
    return client->out.len > 0 ? POLLIN | POLLOUT : POLLIN;
}

const char *dragoman_client_message(const struct dragoman_client *client)
{
    return client->err.message;
}
