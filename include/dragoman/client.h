/*
 * A client of the Dragoman protocol (proto/protocol.md): it connects, sends lines and receives
 * lines. What stands in the lines is the caller's business; any JSON library will do.
 *
 * A client belongs to one thread. Sending never waits: what the socket does not take at once is
 * kept and goes out while the client waits in dragoman_client_receive or dragoman_client_flush, so
 * any number of requests can be pipelined without a deadlock. Functions return 0 or a negative
 * enum dragoman_client_code; dragoman_client_message then says what failed, where and why. After
 * DRAGOMAN_CLIENT_LOST the client can be connected again.
 *
 *     struct dragoman_client *client = dragoman_client_new();
 *     if (client && dragoman_client_connect(client, "127.0.0.1:7740", 5000) == 0 &&
 *         dragoman_client_send(client, request, strlen(request)) == 0 &&
 *         dragoman_client_receive(client, &answer, &length, 30000) == 0)
 *         ...
 *     dragoman_client_free(client);
 */
#ifndef DRAGOMAN_CLIENT_H
#define DRAGOMAN_CLIENT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DRAGOMAN_CLIENT_ADDRESS                                                                    \
    "127.0.0.1:7740"                           /* where a server listens unless told otherwise     \
                                                */
#define DRAGOMAN_CLIENT_MAX_ANSWER (64u << 20) /* bytes of one answer at most */

enum dragoman_client_code {
    DRAGOMAN_CLIENT_OK = 0,
    DRAGOMAN_CLIENT_MEMORY = -1,      /* an allocation failed */
    DRAGOMAN_CLIENT_ADDRESS_BAD = -2, /* the address makes no sense */
    DRAGOMAN_CLIENT_CONNECT = -3,     /* nobody there, or not reachable */
    DRAGOMAN_CLIENT_LOST = -4,        /* the connection ended, or there is none */
    DRAGOMAN_CLIENT_TIMEOUT = -5, /* it took too long; nothing is lost, the call can be repeated */
    DRAGOMAN_CLIENT_LIMIT = -6,   /* the answer is longer than DRAGOMAN_CLIENT_MAX_ANSWER */
};

struct dragoman_client;

struct dragoman_client *dragoman_client_new(void);         /* NULL without memory */
void dragoman_client_free(struct dragoman_client *client); /* closes; NULL is ignored */

/* `address` is "HOST:PORT", "[IPV6]:PORT" or "unix:PATH". An existing connection is closed first.
   Times are in milliseconds here and below; a negative one means without limit. */
int dragoman_client_connect(struct dragoman_client *client, const char *address, int timeout_ms);
void dragoman_client_close(struct dragoman_client *client);

/* Queues `len` bytes and a line feed, and sends what the socket takes now. The bytes are copied.
   A LOST is reported only by receive and flush, so that answers that came before are not missed. */
int dragoman_client_send(struct dragoman_client *client, const char *line, size_t len);
/* As send, without the line feed: raw bytes, for tests and for half lines. */
int dragoman_client_send_raw(struct dragoman_client *client, const char *bytes, size_t len);
/* Waits until all that was queued has been handed to the socket. */
int dragoman_client_flush(struct dragoman_client *client, int timeout_ms);
/* Says that nothing more will be sent; answers can still be received. Flush first. */
int dragoman_client_finish(struct dragoman_client *client);

/* The next line, without its line feed, NUL-terminated. It stays valid until the next call with
   this client. timeout_ms 0 takes only what is there already. */
int dragoman_client_receive(struct dragoman_client *client, const char **line, size_t *len,
                            int timeout_ms);

/* For callers with a poll loop of their own: the socket (-1 when not connected), and the poll
   events it waits for. When one comes, call dragoman_client_receive with timeout 0. */
int dragoman_client_fd(const struct dragoman_client *client);
short dragoman_client_events(const struct dragoman_client *client);
/* What the last failed call has to say; one line, UTF-8; "" where none failed. */
const char *dragoman_client_message(const struct dragoman_client *client);

#ifdef __cplusplus
}
#endif

#endif
