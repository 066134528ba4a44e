/*
 * Errors. A function that can fail returns 0 or a negative enum err_code and takes a `struct err *`
 * as its last argument. The first error wins: err_set() on a struct that already holds one keeps
 * the old message, so that clean-up code cannot hide the cause. Every function here accepts NULL.
 */
#ifndef DRAGOMAN_BASE_ERR_H
#define DRAGOMAN_BASE_ERR_H

#include <stdbool.h>

enum err_code {
    ERR_NONE = 0,
    ERR_MEMORY = -1,    /* an allocation failed */
    ERR_IO = -2,        /* the operating system refused: file, socket, disk, database */
    ERR_FORMAT = -3,    /* data from outside is malformed */
    ERR_ARGUMENT = -4,  /* the caller or the user asked for something that makes no sense */
    ERR_LIMIT = -5,     /* a named limit was exceeded */
    ERR_NOT_FOUND = -6, /* no such file, model, option, ... */
    ERR_UTF8 = -7,      /* text is not UTF-8 */
    ERR_BUSY = -8,      /* full, locked or draining; later may work */
    ERR_INTERNAL = -9,  /* a broken promise of our own code */
};

struct err {
    enum err_code code;
    char message[512]; /* one line, UTF-8, no newline; what, where and why */
};

#define ERR_INIT                                                                                   \
    {                                                                                              \
        .code = ERR_NONE, .message = ""                                                            \
    }

/* Records code and formatted message unless `err` already holds an error. Returns code. */
int err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set with ERR_IO (ERR_NOT_FOUND for ENOENT) and ": " strerror(errno) appended. */
int err_errno(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " before the message that `err` holds; does nothing when it holds none. Returns
   err->code. */
int err_context(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

void err_clear(struct err *err);

#endif
