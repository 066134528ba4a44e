/* The mailbox. Only the post that finds the list empty writes to the eventfd: a burst costs one
   wake-up. */
#include "serve/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

struct mailbox {
    pthread_mutex_t lock;
    struct mail *first, **last; /* under the lock */
    int fd;
};

struct mailbox *mailbox_new(struct err *err)
{
    struct mailbox *mailbox = mem_alloc(1, sizeof *mailbox, err);
    if (!mailbox)
        return NULL;
    mailbox->last = &mailbox->first;
    mailbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (mailbox->fd < 0) {
        err_errno(err, "cannot make an eventfd");
        mem_free(mailbox);
        return NULL;
    }
    pthread_mutex_init(&mailbox->lock, NULL);
    return mailbox;
}

void mailbox_free(struct mailbox *mailbox)
{
    if (!mailbox)
        return;
    close(mailbox->fd);
    pthread_mutex_destroy(&mailbox->lock);
    mem_free(mailbox);
}

int mailbox_fd(const struct mailbox *mailbox)
{
    return mailbox->fd;
}

void mailbox_post(struct mailbox *mailbox, struct mail *mail)
{
    mail->next = NULL;
    pthread_mutex_lock(&mailbox->lock);
    bool was_empty = !mailbox->first;
    *mailbox->last = mail;
    mailbox->last = &mail->next;
    pthread_mutex_unlock(&mailbox->lock);
    uint64_t one = 1;
    while (was_empty && write(mailbox->fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

void mailbox_deliver(struct mailbox *mailbox)
{
    uint64_t count;
    while (read(mailbox->fd, &count, sizeof count) < 0 && errno == EINTR)
        continue;
    pthread_mutex_lock(&mailbox->lock);
    struct mail *mail = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    pthread_mutex_unlock(&mailbox->lock);
    while (mail) {
        struct mail *next = mail->next; /* delivering may free the mail */
        mail->deliver(mail);
        mail = next;
    }
}
