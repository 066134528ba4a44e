/* Reloads: one at a time, on a thread that lives as long as the reload. */
#include "serve/reload.h"

#include "base/log.h"
#include "base/mem.h"
#include "serve/method.h"
#include "serve/proto_answer.h"
#include "serve/thread.h"

struct waiter { /* an admin.reload call */
    struct waiter *next;
    struct reply *reply;
    size_t slot;
    struct proto_message *message;
    struct proto_call *call;
};

struct reload {
    struct mail mail; /* first */
    struct server *server;
    bool running, wanted, stopping;
    struct waiter *current, *following; /* of the reload that runs, and of the next */
    pthread_t thread;
    /* The thread's while running: */
    struct registry *registry;
    struct err err;
};

static void on_done(struct mail *mail);

struct reload *reload_new(struct server *server, struct err *err)
{
    struct reload *reload = mem_alloc(1, sizeof *reload, err);
    if (!reload)
        return NULL;
    reload->server = server;
    reload->mail.deliver = on_done;
    return reload;
}

static void *run(void *argument)
{
    struct reload *reload = argument;
    const struct server *server = reload->server;
    /* The server's registry stays as it is until on_done, and the folders stay. */
    registry_open(&reload->registry, (const char *const *)server->conf->models.items,
                  server->conf->models.count, server->registry, &reload->err);
    mailbox_post(server->mailbox, &reload->mail);
    return NULL;
}

static void answer(struct reload *reload, struct waiter *waiter)
{
    struct server *server = reload->server;
    struct proto_call *call = waiter->call;
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    if (reload->err.code) {
        proto_error_set(&call->error, PROTO_INTERNAL, "io", "%s", reload->err.message);
        method_refuse(server, waiter->reply, waiter->slot, call);
    } else {
        proto_answer_begin(&out, call->id ? call->id : "null", &err);
        proto_result_models(&out, server->registry, &err);
        proto_answer_end(&out, &err);
        method_answer(server, waiter->reply, waiter->slot, call, &out, &err);
    }
    proto_message_release(waiter->message);
    mem_free(waiter);
}

static void answer_all(struct reload *reload, struct waiter *waiters)
{
    while (waiters) {
        struct waiter *next = waiters->next;
        answer(reload, waiters);
        waiters = next;
    }
}

static void report(const struct registry *registry)
{
    log_info("%zu models loaded", registry->count);
    for (size_t i = 0; i < registry->fault_count; i++)
        log_error("%s: %s", registry->faults[i].folder, registry->faults[i].err.message);
}

static void begin(struct reload *reload)
{
    reload->current = reload->following;
    reload->following = NULL;
    reload->wanted = false;
    struct err err = ERR_INIT;
    if (conf_reload(reload->server->conf, &err) < 0)
        log_error("reload: %s; the settings stay as they were", err.message);
    err_clear(&reload->err);
    reload->running = thread_start(&reload->thread, "reload", run, reload, &reload->err) == 0;
    if (!reload->running) {
        log_error("reload: %s", reload->err.message);
        answer_all(reload, reload->current);
        reload->current = NULL;
    }
}

static void on_done(struct mail *mail)
{
    struct reload *reload = (struct reload *)(void *)mail;
    struct server *server = reload->server;
    if (!reload->stopping)
        pthread_join(reload->thread, NULL);
    reload->running = false;
    if (reload->err.code) {
        log_error("reload: %s; the models stay as they were", reload->err.message);
    } else {
        registry_free(server->registry);
        server->registry = reload->registry;
        reload->registry = NULL;
        report(server->registry);
        batcher_wake(server->batcher);
    }
    struct waiter *waiters = reload->current;
    reload->current = NULL;
    answer_all(reload, waiters);
    if (reload->wanted && !reload->stopping)
        begin(reload);
    else if (reload->stopping)
        answer_all(reload, reload->following);
}

void reload_start(struct reload *reload)
{
    reload->wanted = true;
    if (!reload->running && !reload->stopping)
        begin(reload);
}

bool reload_ask(struct reload *reload, struct reply *reply, size_t slot,
                struct proto_message *message, struct proto_call *call)
{
    struct waiter *waiter = mem_alloc(1, sizeof *waiter, NULL);
    if (!waiter) {
        proto_error_set(&call->error, PROTO_INTERNAL, "memory", "out of memory");
        return false;
    }
    waiter->reply = reply;
    waiter->slot = slot;
    waiter->message = proto_message_retain(message);
    waiter->call = call;
    waiter->next = reload->following;
    reload->following = waiter;
    reload_start(reload);
    return true;
}

void reload_stop(struct reload *reload)
{
    if (!reload)
        return;
    reload->stopping = true;
    if (reload->running)
        pthread_join(reload->thread, NULL);
}

void reload_free(struct reload *reload)
{
    mem_free(reload);
}
