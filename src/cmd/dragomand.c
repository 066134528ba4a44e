/*
 * dragomand: the daemon. Reads the settings, becomes a daemon unless told otherwise, and hands over
 * to the server.
 *
 * Becoming a daemon: the process forks before it has any thread. The child does everything,
 * and the parent ends when the child has said through a pipe that it listens, or has ended without
 * saying so: thus the parent's exit status tells whether the start succeeded.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "serve/server.h"

#define EXIT_USAGE 2

static int complain(const struct err *err, int status)
{
    fprintf(stderr, "dragomand: %s\n", err->message);
    return status;
}

static int print(int (*write)(const struct opt *, struct buf *, struct err *), const char *before)
{
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    int status = EXIT_SUCCESS;
    if (write(conf_table, &out, &err) < 0)
        status = complain(&err, EXIT_FAILURE);
    else if (printf("%s%s", before, out.data) < 0 || fflush(stdout))
        status = EXIT_FAILURE;
    buf_release(&out);
    return status;
}

static int write_pid_file(const char *path, struct err *err)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return err_errno(err, "cannot write the pid file %s", path);
    int rc = fprintf(file, "%ld\n", (long)getpid()) < 0 ? -1 : 0;
    if (fclose(file) || rc < 0)
        return err_errno(err, "cannot write the pid file %s", path);
    return 0;
}

static bool print_listeners(const struct server *server)
{
    for (size_t i = 0; i < server_listener_count(server); i++)
        printf("listening on %s\n", server_listener_name(server, i));
    return fflush(stdout) == 0;
}

/* Lets go of the terminal and tells the waiting parent that all is well. */
static void detach(int ready)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd < 3; fd++)
        dup2(null, fd);
    if (null > 2)
        close(null);
    while (write(ready, "", 1) < 0 && errno == EINTR)
        continue;
    close(ready);
}

/* ready: where to say that the start succeeded; -1 in the foreground. */
static int serve(struct conf *conf, int ready)
{
    struct err err = ERR_INIT;
    struct server *server = NULL;
    int rc = conf_open_log(conf, &err);
    if (rc == 0) {
        server = server_new(conf, &err);
        rc = server ? 0 : (int)err.code;
    }
    if (rc == 0 && conf->pid_file)
        rc = write_pid_file(conf->pid_file, &err);
    if (rc == 0 && !print_listeners(server))
        log_warning("nobody reads standard output");
    if (rc == 0 && ready >= 0)
        detach(ready);
    if (rc == 0)
        rc = server_run(server, &err);
    server_free(server);
    if (conf->pid_file)
        unlink(conf->pid_file);
    return rc < 0 ? complain(&err, rc == ERR_ARGUMENT ? EXIT_USAGE : EXIT_FAILURE) : EXIT_SUCCESS;
}

/* The parent's part: waits for the byte that the child writes when it is ready. */
static int await(pid_t child, int ready)
{
    char byte;
    ssize_t n;
    while ((n = read(ready, &byte, 1)) < 0 && errno == EINTR)
        continue;
    if (n == 1) {
        printf("pid %ld\n", (long)child);
        return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    int status = 0;
    if (waitpid(child, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 0)
        return EXIT_FAILURE;
    return WEXITSTATUS(status);
}

static int become_daemon(struct conf *conf)
{
    struct err err = ERR_INIT;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0) {
        err_errno(&err, "cannot make a pipe");
        return complain(&err, EXIT_FAILURE);
    }
    pid_t child = fork();
    if (child < 0) {
        err_errno(&err, "cannot fork");
        return complain(&err, EXIT_FAILURE);
    }
    close(ends[child > 0 ? 1 : 0]);
    if (child > 0)
        return await(child, ends[0]);
    setsid();
    return serve(conf, ends[1]);
}

static int run(struct conf *conf, int argc, char **argv)
{
    struct err err = ERR_INIT;
    if (conf_load(conf, argc, argv, &err) < 0)
        return complain(&err, EXIT_USAGE);
    if (conf->help)
        return print(opt_help, "Usage: dragomand [options]\n\nServes translation and text "
                               "classification models over TCP.\n\n");
    if (conf->version)
        return printf("dragomand %s\n", DRAGOMAN_VERSION) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    if (conf->sample_config)
        return print(opt_sample, CONF_SAMPLE_HEADING);
    if (conf_complete(conf, &err) < 0)
        return complain(&err, EXIT_FAILURE);
    return conf->foreground ? serve(conf, -1) : become_daemon(conf);
}

int main(int argc, char **argv)
{
    struct conf conf;
    int status = run(&conf, argc, argv);
    conf_release(&conf);
    return status;
}
