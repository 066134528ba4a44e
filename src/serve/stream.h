/*
 * Text that is read along while it is generated: a worker puts pieces in, the event thread is woken
 * and takes out all that has gathered. Of a reader that takes nothing the stream keeps the text and
 * no more.
 *
 * A stream is made and freed on the event thread. It is freed only after the job that it belongs to
 * has come back: its mails were posted before that one, and mails arrive in order.
 */
#ifndef DRAGOMAN_SERVE_STREAM_H
#define DRAGOMAN_SERVE_STREAM_H

#include "base/buf.h"
#include "serve/mailbox.h"

struct stream;
/* deliver: called on the event thread when there is something to take; stream_owner tells whose. */
struct stream *stream_new(void *owner, void (*deliver)(struct mail *mail), struct err *err);
void stream_free(struct stream *stream);
void *stream_owner(struct mail *mail);

/* The worker's: one at a time. */
int stream_put(struct stream *stream, struct mailbox *mailbox, const char *text, size_t len,
               struct err *err);

/* The event thread's: says that the mail has arrived; the next stream_put will post another. */
void stream_arrived(struct stream *stream);
/* Moves all that has gathered into `text`, which is empty. */
void stream_take(struct stream *stream, struct buf *text);

#endif
