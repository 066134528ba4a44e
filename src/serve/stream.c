/* A buffer under a mutex, and a mail that is in the mailbox at most once. */
#include "serve/stream.h"

#include <pthread.h>

#include "base/mem.h"

struct stream {
    struct mail mail; /* first: a delivered mail is the stream */
    void *owner;
    pthread_mutex_t lock;
    struct buf text; /* both: under the lock */
    bool posted;
};

struct stream *stream_new(void *owner, void (*deliver)(struct mail *mail), struct err *err)
{
    struct stream *stream = mem_alloc(1, sizeof *stream, err);
    if (!stream)
        return NULL;
    stream->mail.deliver = deliver;
    stream->owner = owner;
    pthread_mutex_init(&stream->lock, NULL);
    return stream;
}

void stream_free(struct stream *stream)
{
    if (!stream)
        return;
    buf_release(&stream->text);
    pthread_mutex_destroy(&stream->lock);
    mem_free(stream);
}

void *stream_owner(struct mail *mail)
{
    return ((struct stream *)(void *)mail)->owner;
}

int stream_put(struct stream *stream, struct mailbox *mailbox, const char *text, size_t len,
               struct err *err)
{
    if (len == 0)
        return 0;
    pthread_mutex_lock(&stream->lock);
    int rc = buf_append(&stream->text, text, len, err);
    bool post = rc == 0 && !stream->posted;
    stream->posted = stream->posted || post;
    pthread_mutex_unlock(&stream->lock);
    if (post)
        mailbox_post(mailbox, &stream->mail);
    return rc;
}

void stream_arrived(struct stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->posted = false;
    pthread_mutex_unlock(&stream->lock);
}

void stream_take(struct stream *stream, struct buf *text)
{
    pthread_mutex_lock(&stream->lock);
    *text = stream->text;
    stream->text = (struct buf)BUF_INIT;
    pthread_mutex_unlock(&stream->lock);
}
