/* Making, running and ending the server. Each part is made after what it needs and released in
   reverse order. */
#include "serve/server.h"

#include <event2/listener.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/listen.h"
#include "serve/method.h"
#include "serve/reload.h"
#include "serve/request.h"
#include "serve/server_parts.h"

#define FLUSH_MS 5000       /* for the last answers after drain_timeout, at most */
#define ACCEPT_PAUSE_MS 100 /* when no file descriptor is left */
#define OTHER_FILES 64      /* descriptors that are no connections */

struct listener {
    struct server *server;
    struct evconnlistener *events;
    struct event *resume;
    char name[LISTEN_NAME_SIZE];
};

size_t server_listener_count(const struct server *server)
{
    return server->listener_count;
}

const char *server_listener_name(const struct server *server, size_t index)
{
    return server->listeners[index]->name;
}

/* Says why and closes; the client has sent nothing yet, so nothing can be lost by closing. */
static void turn_away(struct server *server, int fd)
{
    struct buf line = BUF_INIT;
    server->stats.refused++;
    if (method_write_refusal(&line, NULL) == 0 &&
        send(fd, line.data, line.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        log_debug("a client without room was gone before it was told");
    buf_release(&line);
    shutdown(fd, SHUT_WR);
    close(fd);
}

static void add_connection(struct server *server, int fd, const struct sockaddr *address,
                           socklen_t length)
{
    struct err err = ERR_INIT;
    if (conn_add(server->connections, fd, address, length, &err) == 0) {
        server->stats.accepted++;
        return;
    }
    if (err.code != ERR_BUSY)
        log_warning("a connection is refused: %s", err.message);
    turn_away(server, fd);
}

static void on_accept(struct evconnlistener *events, evutil_socket_t fd, struct sockaddr *address,
                      int length, void *context)
{
    (void)events;
    add_connection(((struct listener *)context)->server, fd, address, (socklen_t)length);
}

/* Takes the connections that clients have made and the event loop has not seen yet. */
static void accept_last(const struct listener *listener)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    int fd;
    while ((fd = accept4(evconnlistener_get_fd(listener->events), (struct sockaddr *)&address,
                         &length, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        add_connection(listener->server, fd, (struct sockaddr *)&address, length);
        length = sizeof address;
    }
}

/* Out of descriptors: trying again at once would only spin. */
static void on_accept_error(struct evconnlistener *events, void *context)
{
    struct listener *listener = context;
    struct timeval pause = {.tv_usec = ACCEPT_PAUSE_MS * 1000};
    log_warning("%s: cannot accept: %s", listener->name,
                evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
    evconnlistener_disable(events);
    event_add(listener->resume, &pause);
}

static void on_resume(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    evconnlistener_enable(((struct listener *)context)->events);
}

static void listener_free(struct listener *listener)
{
    const char *path = listen_path(listener->name);
    if (listener->events && path)
        unlink(path);
    if (listener->events)
        evconnlistener_free(listener->events);
    if (listener->resume)
        event_free(listener->resume);
    mem_free(listener);
}

static struct listener *listener_new(struct server *server, const char *address, struct err *err)
{
    struct listener *listener = mem_alloc(1, sizeof *listener, err);
    if (!listener)
        return NULL;
    int fd;
    listener->server = server;
    if (listen_open(address, &fd, listener->name, err) < 0) {
        mem_free(listener);
        return NULL;
    }
    listener->resume = event_new(server->base, -1, 0, on_resume, listener);
    listener->events = evconnlistener_new(server->base, on_accept, listener,
                                          LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
    if (!listener->events)
        close(fd);
    if (!listener->events || !listener->resume) {
        err_set(err, ERR_MEMORY, "out of memory for the listener on %s", address);
        listener_free(listener);
        return NULL;
    }
    evconnlistener_set_error_cb(listener->events, on_accept_error);
    return listener;
}

static int open_listeners(struct server *server, struct err *err)
{
    size_t count = server->conf->listen.count;
    server->listeners = mem_alloc(count, sizeof *server->listeners, err);
    if (!server->listeners)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct listener *listener = listener_new(server, server->conf->listen.items[i], err);
        if (!listener)
            return err ? (int)err->code : ERR_IO;
        server->listeners[server->listener_count++] = listener;
    }
    return 0;
}

static void close_listeners(struct server *server)
{
    for (size_t i = 0; i < server->listener_count; i++)
        listener_free(server->listeners[i]);
    server->listener_count = 0;
}

static void end_if_done(struct server *server)
{
    if (server->draining && server->in_flight == 0 && conn_table_open(server->connections) == 0)
        event_base_loopbreak(server->base);
}

static void on_closed(void *context, struct conn_ref ref)
{
    struct server *server = context;
    requests_abandon(server, ref);
    end_if_done(server);
}

static void on_mail(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct server *server = context;
    mailbox_deliver(server->mailbox);
    end_if_done(server);
}

/* The first time: what is in flight is answered as it is. The second: that was all. */
static void on_drain_end(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct server *server = context;
    struct timeval flush = {.tv_sec = FLUSH_MS / 1000, .tv_usec = FLUSH_MS % 1000 * 1000};
    if (server->in_flight == 0) {
        event_base_loopbreak(server->base);
        return;
    }
    log_warning("%zu requests were not finished in time", server->in_flight);
    requests_stop(server);
    event_add(server->drain_end, &flush);
}

static void on_stop(evutil_socket_t signal_number, short what, void *context)
{
    (void)what;
    struct server *server = context;
    struct timeval timeout = {.tv_sec = server->conf->drain_timeout};
    if (server->draining) {
        log_info("stopped at once by a second signal");
        event_base_loopbreak(server->base);
        return;
    }
    log_info("stopping on signal %d: %zu requests in flight", (int)signal_number,
             server->in_flight);
    server->draining = true;
    for (size_t i = 0; i < server->listener_count; i++)
        accept_last(server->listeners[i]);
    close_listeners(server);
    conn_table_drain(server->connections);
    event_add(server->drain_end, &timeout);
    end_if_done(server);
}

static void on_hangup(evutil_socket_t signal_number, short what, void *context)
{
    (void)signal_number;
    (void)what;
    struct server *server = context;
    log_info("reloading");
    reload_start(server->reload);
}

static int add_events(struct server *server, struct err *err)
{
    struct event_base *base = server->base;
    server->mail =
        event_new(base, mailbox_fd(server->mailbox), EV_READ | EV_PERSIST, on_mail, server);
    server->terminate = evsignal_new(base, SIGTERM, on_stop, server);
    server->interrupt = evsignal_new(base, SIGINT, on_stop, server);
    server->hangup = evsignal_new(base, SIGHUP, on_hangup, server);
    server->drain_end = event_new(base, -1, 0, on_drain_end, server);
    struct event *const started[] = {server->mail, server->terminate, server->interrupt,
                                     server->hangup};
    bool complete = server->drain_end != NULL;
    for (size_t i = 0; i < sizeof started / sizeof started[0]; i++)
        complete = complete && started[i] && event_add(started[i], NULL) == 0;
    return complete ? 0 : err_set(err, ERR_MEMORY, "cannot make the events");
}

static int load_models(struct server *server, struct err *err)
{
    int64_t start = clock_ns();
    const struct conf *conf = server->conf;
    if (conf->models.count == 0)
        log_warning("there is no folder of models");
    int rc = registry_open(&server->registry, (const char *const *)conf->models.items,
                           conf->models.count, NULL, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < server->registry->count; i++)
        log_info("model %s from %s", server->registry->models[i]->spec.name,
                 server->registry->models[i]->folder);
    for (size_t i = 0; i < server->registry->fault_count; i++)
        log_error("%s: %s", server->registry->faults[i].folder,
                  server->registry->faults[i].err.message);
    log_info("%zu models loaded in %lld ms", server->registry->count,
             (long long)(clock_ns() - start) / 1000000);
    return 0;
}

static int try_log(struct server *server, struct err *err)
{
    char path[PATH_MAX];
    const struct conf *conf = server->conf;
    if (file_make_folders(conf->state, err) < 0)
        return err_context(err, "state folder %s", conf->state);
    snprintf(path, sizeof path, "%s/" REQLOG_FILE, conf->state);
    const struct reqlog_settings settings = {
        .path = path,
        .queue = (size_t)conf->log_queue,
        .keep_days = conf->log_keep_days,
        .keep_rows = conf->log_keep_rows,
        .mailbox = server->mailbox,
    };
    server->reqlog = reqlog_open(&settings, err);
    return server->reqlog ? 0 : (int)err->code;
}

/* A log that was asked for and cannot be written is an error; the default one is done without. */
static int open_log(struct server *server, struct err *err)
{
    struct err local = ERR_INIT;
    if (server->conf->log_texts == CONF_LOG_OFF)
        return 0;
    if (!server->conf->state) {
        log_warning("no request log: neither HOME nor XDG_STATE_HOME is set");
        return 0;
    }
    if (try_log(server, &local) == 0)
        return 0;
    if (server->conf->state_given)
        return err_set(err, local.code, "%s", local.message);
    log_warning("no request log: %s", local.message);
    return 0;
}

/* Every connection is a descriptor; the usual soft limit is lower than our default. */
static void allow_open_files(size_t connections)
{
    struct rlimit limit;
    rlim_t wanted = connections + OTHER_FILES;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < wanted)
        log_warning("only %llu files may be open: fewer connections than max-connections",
                    (unsigned long long)limit.rlim_cur);
}

static int open_connections(struct server *server, struct err *err)
{
    const struct conf *conf = server->conf;
    const struct conn_settings settings = {
        .max_connections = (size_t)conf->max_connections,
        .max_line = (size_t)conf->max_line,
        .max_pipeline = (size_t)conf->max_pipeline,
        .max_output = (size_t)conf->max_output,
        .max_memory = (size_t)conf->max_memory,
        .idle_timeout = conf->idle_timeout,
        .write_timeout = conf->write_timeout,
        .memory = &server->memory,
        .context = server,
        .line = method_line,
        .overflow = method_overflow,
        .closed = on_closed,
    };
    allow_open_files(settings.max_connections);
    server->connections = conn_table_new(server->base, &settings, err);
    return server->connections ? 0 : ERR_MEMORY;
}

static int start(struct server *server, struct err *err)
{
    const struct conf *conf = server->conf;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
    stats_init(&server->stats, clock_ns());
    rng_seed(&server->rng, (uint64_t)clock_ns(), (uint64_t)getpid());
    server->base = event_base_new();
    if (!server->base)
        return err_set(err, ERR_MEMORY, "cannot make an event loop");
    server->mailbox = mailbox_new(err);
    const struct batcher_settings waiting = {.capacity = (size_t)conf->max_queue,
                                             .workers = (size_t)conf->workers,
                                             .wait_ns = conf->batch_wait * 1000000};
    server->batcher = batcher_new(&waiting, err);
    server->reload = reload_new(server, err);
    if (!server->mailbox || !server->batcher || !server->reload)
        return ERR_MEMORY;
    int rc = load_models(server, err);
    if (rc == 0)
        rc = open_log(server, err);
    if (rc == 0)
        rc = open_connections(server, err);
    if (rc == 0)
        rc = open_listeners(server, err);
    if (rc == 0)
        rc = add_events(server, err);
    if (rc < 0)
        return rc;
    const struct workers_settings computing = {.count = (size_t)conf->workers,
                                               .rows = (size_t)conf->batch_rows,
                                               .whole = conf->batching == CONF_BATCHING_WHOLE};
    server->workers = workers_start(&computing, server->batcher, server->mailbox, err);
    return server->workers ? 0 : ERR_IO;
}

struct server *server_new(struct conf *conf, struct err *err)
{
    struct server *server = mem_alloc(1, sizeof *server, err);
    if (!server)
        return NULL;
    server->conf = conf;
    struct err local = ERR_INIT;
    if (start(server, &local) < 0) {
        err_set(err, local.code, "%s", local.message);
        server_free(server);
        return NULL;
    }
    return server;
}

int server_run(struct server *server, struct err *err)
{
    if (event_base_dispatch(server->base) < 0)
        return err_set(err, ERR_INTERNAL, "the event loop failed");
    log_info("stopped");
    return 0;
}

static void event_free_if(struct event *event)
{
    if (event)
        event_free(event);
}

/* Threads first, then what they sent back, then what that refers to. */
void server_free(struct server *server)
{
    if (!server)
        return;
    close_listeners(server);
    if (server->connections)
        requests_stop(server);
    workers_stop(server->workers);
    reload_stop(server->reload);
    reqlog_close(server->reqlog);
    server->reqlog = NULL;
    if (server->connections)
        mailbox_deliver(server->mailbox);
    conn_table_free(server->connections);
    batcher_free(server->batcher);
    registry_free(server->registry);
    stats_release(&server->stats);
    event_free_if(server->mail);
    event_free_if(server->terminate);
    event_free_if(server->interrupt);
    event_free_if(server->hangup);
    event_free_if(server->drain_end);
    if (server->base)
        event_base_free(server->base);
    mailbox_free(server->mailbox);
    reload_free(server->reload);
    mem_free(server->listeners);
    mem_free(server);
}
