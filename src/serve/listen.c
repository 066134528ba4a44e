/* Addresses to sockets. */
#include "serve/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024
#define UNIX_PREFIX "unix:"

const char *listen_path(const char *name)
{
    size_t len = strlen(UNIX_PREFIX);
    return strncmp(name, UNIX_PREFIX, len) == 0 ? name + len : NULL;
}

static int refuse(const char *address, int fd, struct err *err)
{
    err_errno(err, "cannot listen on %s", address);
    if (fd >= 0)
        close(fd);
    return err ? (int)err->code : ERR_IO;
}

static int bind_and_listen(int fd, const struct sockaddr *address, socklen_t length)
{
    int one = 1;
    if (address->sa_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    return bind(fd, address, length) < 0 || listen(fd, BACKLOG) < 0 ? -1 : 0;
}

static int new_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Removes a socket file that a killed process has left; what anybody listens on stays. */
static void remove_stale(const struct sockaddr_un *address)
{
    struct stat status;
    if (lstat(address->sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
        return;
    int fd = new_socket(AF_UNIX);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED)
        unlink(address->sun_path);
    close(fd);
}

static int open_unix(const char *path, int *fd, char *name, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (path[0] == '\0' || strlen(path) >= sizeof address.sun_path)
        return err_set(err, ERR_ARGUMENT, "cannot listen on unix:%s: a path has 1 to %zu bytes",
                       path, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path));
    remove_stale(&address);
    snprintf(name, LISTEN_NAME_SIZE, UNIX_PREFIX "%s", path);
    *fd = new_socket(AF_UNIX);
    if (*fd < 0 || bind_and_listen(*fd, (struct sockaddr *)&address, sizeof address) < 0)
        return refuse(name, *fd, err);
    return 0;
}

/* The C library takes a greater number modulo 65536. */
static bool is_port(const char *text)
{
    size_t len = strspn(text, "0123456789");
    return len > 0 && len <= 5 && text[len] == '\0' && atoi(text) <= 65535;
}

/* Splits at the last colon, and takes brackets off the address. */
static int split(const char *address, char *host, size_t size, const char **port, struct err *err)
{
    const char *colon = strrchr(address, ':');
    size_t len = colon ? (size_t)(colon - address) : 0;
    const char *start = address;
    if (len >= 2 && address[0] == '[' && address[len - 1] == ']') {
        start++;
        len -= 2;
    }
    if (len == 0 || len >= size || !is_port(colon + 1))
        return err_set(err, ERR_ARGUMENT,
                       "cannot listen on '%s': expected ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH",
                       address);
    memcpy(host, start, len);
    host[len] = '\0';
    *port = colon + 1;
    return 0;
}

static void name_socket(int fd, char *name)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } address = {0};
    socklen_t length = sizeof address;
    char text[INET6_ADDRSTRLEN] = "";
    getsockname(fd, &address.any, &length);
    if (address.any.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &address.in6.sin6_addr, text, sizeof text);
        snprintf(name, LISTEN_NAME_SIZE, "[%s]:%u", text, ntohs(address.in6.sin6_port));
    } else {
        inet_ntop(AF_INET, &address.in.sin_addr, text, sizeof text);
        snprintf(name, LISTEN_NAME_SIZE, "%s:%u", text, ntohs(address.in.sin_port));
    }
}

static int open_tcp(const char *address, int *fd, char *name, struct err *err)
{
    char host[256];
    const char *port = NULL;
    int rc = split(address, host, sizeof host, &port, err);
    if (rc < 0)
        return rc;
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    rc = getaddrinfo(host, port, &hints, &list);
    if (rc)
        return err_set(err, ERR_ARGUMENT, "cannot listen on '%s': %s", address, gai_strerror(rc));
    *fd = new_socket(list->ai_family);
    if (*fd < 0 || bind_and_listen(*fd, list->ai_addr, list->ai_addrlen) < 0)
        rc = refuse(address, *fd, err);
    else
        name_socket(*fd, name);
    freeaddrinfo(list);
    return rc;
}

int listen_open(const char *address, int *fd, char name[LISTEN_NAME_SIZE], struct err *err)
{
    *fd = -1;
    const char *path = listen_path(address);
    return path ? open_unix(path, fd, name, err) : open_tcp(address, fd, name, err);
}
