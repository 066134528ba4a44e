/*
 * The log. A line is built in a buffer on the stack and leaves with one write(2), so that lines of
 * different threads never mix. Control characters are replaced: a request's text can neither
 * forge a line nor send an escape sequence to a terminal.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 2048

static atomic_int current_level = LOG_LEVEL_INFO;
static atomic_int current_fd = STDERR_FILENO;

void log_set_level(enum log_level level)
{
    atomic_store(&current_level, (int)level);
}

void log_set_fd(int fd)
{
    atomic_store(&current_fd, fd);
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARNING:
        return "warning";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_DEBUG:
        return "debug";
    }
    return "unknown";
}

/* "2026-01-31T12:00:00.123Z level " into line; returns its length. */
static size_t write_prefix(char *line, size_t size, enum log_level level)
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    int more =
        snprintf(line + len, size - len, ".%03ldZ %s ", now.tv_nsec / 1000000, level_name(level));
    return more > 0 ? len + (size_t)more : len;
}

static void write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nowhere left to complain */
        data += n;
        len -= (size_t)n;
    }
}

void log_line(enum log_level level, const char *format, ...)
{
    if ((int)level > atomic_load_explicit(&current_level, memory_order_relaxed))
        return;
    int saved = errno;
    char line[LINE_SIZE];
    size_t start = write_prefix(line, sizeof line, level);
    va_list list;
    va_start(list, format);
    int wanted = vsnprintf(line + start, sizeof line - start - 1, format, list);
    va_end(list);
    size_t len = start + (wanted > 0 ? strlen(line + start) : 0);
    for (size_t i = start; i < len; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7F)
            line[i] = ' ';
    line[len++] = '\n';
    write_all(atomic_load(&current_fd), line, len);
    errno = saved;
}
