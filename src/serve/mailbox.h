/*
 * How other threads hand things back to the event thread: a list under a mutex and an eventfd that
 * becomes readable when the list is not empty. A mail is part of the thing that is sent, so
 * posting neither allocates nor fails.
 */
#ifndef DRAGOMAN_SERVE_MAILBOX_H
#define DRAGOMAN_SERVE_MAILBOX_H

#include "base/err.h"

struct mail {
    struct mail *next;
    /* Called on the event thread; the thing that holds the mail is its again. */
    void (*deliver)(struct mail *mail);
};

struct mailbox;
struct mailbox *mailbox_new(struct err *err);
void mailbox_free(struct mailbox *mailbox); /* what is inside stays undelivered */
int mailbox_fd(const struct mailbox *mailbox);
/* Any thread. The mail and what holds it belong to the event thread from here on. */
void mailbox_post(struct mailbox *mailbox, struct mail *mail);
/* Event thread: delivers all that has arrived, in order. */
void mailbox_deliver(struct mailbox *mailbox);

#endif
