/* See daemon.h. */
#include "daemon.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"

#define NS_PER_MS 1000000
#define LISTENING "listening on "

const char *daemon_build_folder(void)
{
    const char *folder = getenv("top_builddir");
    return folder ? folder : ".";
}

const char *daemon_source_folder(void)
{
    const char *folder = getenv("top_srcdir");
    return folder ? folder : ".";
}

bool daemon_exists(void)
{
    char path[512];
    snprintf(path, sizeof path, "%s/dragomand", daemon_build_folder());
    return access(path, X_OK) == 0;
}

/* Starts a program with stdout on `out` and stderr on `error`; -1 keeps what this process has. */
static pid_t spawn(char *const *argv, int out, int error)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    if (out >= 0)
        dup2(out, STDOUT_FILENO);
    if (error >= 0)
        dup2(error, STDERR_FILENO);
    execv(argv[0], argv);
    fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(126);
}

/* Waits for the end of the process; its status, or -1 when it took too long and was killed. */
static int wait_for_end(pid_t pid)
{
    int status = -1;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    struct pollfd item = {.fd = fd, .events = POLLIN};
    if (fd < 0 || poll(&item, 1, DAEMON_PATIENCE_MS) != 1) {
        fprintf(stderr, "process %d does not end, and is killed\n", (int)pid);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        status = -1;
    } else {
        waitpid(pid, &status, 0);
    }
    if (fd >= 0)
        close(fd);
    return status;
}

static bool make_tiny_bundles(const char *folder)
{
    char program[512], path[512];
    snprintf(program, sizeof program, "%s/tests/support/make_tiny_bundle", daemon_build_folder());
    snprintf(path, sizeof path, "%s/models", folder);
    pid_t pid = spawn((char *[]){program, path, NULL}, -1, -1);
    return pid > 0 && wait_for_end(pid) == 0;
}

static void show_log(const struct daemon *daemon)
{
    char path[512];
    struct buf text = BUF_INIT;
    snprintf(path, sizeof path, "%s/log", daemon->folder);
    if (file_read(path, 1u << 20, &text, NULL) == 0)
        fprintf(stderr, "the daemon's log:\n%s", text.data ? text.data : "");
    buf_release(&text);
}

/* Finds "listening on ADDRESS" in what the daemon has printed. */
static bool find_address(struct daemon *daemon, const struct buf *text)
{
    const char *at = text->data ? strstr(text->data, LISTENING) : NULL;
    const char *end = at ? strchr(at, '\n') : NULL;
    if (!end)
        return false;
    at += strlen(LISTENING);
    snprintf(daemon->address, sizeof daemon->address, "%.*s", (int)(end - at), at);
    return true;
}

/* Reads the daemon's output until it says where it listens. */
static bool read_address(struct daemon *daemon, int fd)
{
    struct buf text = BUF_INIT;
    int64_t limit = clock_ns() + (int64_t)DAEMON_PATIENCE_MS * NS_PER_MS;
    bool found = false;
    while (!found && clock_ns() < limit) {
        char chunk[512];
        struct pollfd item = {.fd = fd, .events = POLLIN};
        if (poll(&item, 1, DAEMON_PATIENCE_MS) != 1)
            continue;
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n <= 0 || buf_append(&text, chunk, (size_t)n, NULL) < 0)
            break;
        found = find_address(daemon, &text);
    }
    buf_release(&text);
    return found;
}

static bool run(struct daemon *daemon, const char *models, char *const *arguments)
{
    char program[512], state[512], log[512];
    char *argv[DAEMON_MAX_ARGUMENTS + 12];
    size_t count = 0;
    int ends[2];
    snprintf(program, sizeof program, "%s/dragomand", daemon_build_folder());
    snprintf(state, sizeof state, "%s/state", daemon->folder);
    snprintf(log, sizeof log, "%s/log", daemon->folder);
    char *fixed[] = {program,        "--listen", "127.0.0.1:0", "--models",
                     (char *)models, "--state",  state,         "--foreground"};
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++)
        argv[count++] = fixed[i];
    for (size_t i = 0; arguments && arguments[i] && i < DAEMON_MAX_ARGUMENTS; i++)
        argv[count++] = arguments[i];
    argv[count] = NULL;
    int error = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (error < 0)
        return false;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        close(error);
        return false;
    }
    daemon->pid = spawn(argv, ends[1], error);
    close(ends[1]);
    close(error);
    bool good = daemon->pid > 0 && read_address(daemon, ends[0]);
    close(ends[0]);
    return good;
}

bool daemon_start(struct daemon *daemon, const char *models, char *const *arguments)
{
    char tiny[512];
    const char *base = getenv("TMPDIR");
    *daemon = (struct daemon){.pid = -1};
    snprintf(daemon->folder, sizeof daemon->folder, "%s/dragoman-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(daemon->folder)) {
        fprintf(stderr, "cannot make %s: %s\n", daemon->folder, strerror(errno));
        return false;
    }
    snprintf(tiny, sizeof tiny, "%s/models", daemon->folder);
    if ((models || make_tiny_bundles(daemon->folder)) &&
        run(daemon, models ? models : tiny, arguments))
        return true;
    fprintf(stderr, "the daemon did not start\n");
    show_log(daemon);
    daemon_stop(daemon);
    return false;
}

bool daemon_stop(struct daemon *daemon)
{
    int status = -1;
    if (daemon->pid > 0) {
        kill(daemon->pid, SIGTERM);
        status = wait_for_end(daemon->pid);
        if (status != 0) {
            fprintf(stderr, "the daemon ended with wait status %d instead of exit 0\n", status);
            show_log(daemon);
        }
    }
    daemon->pid = -1;
    file_remove_folder(daemon->folder, NULL);
    return status == 0;
}
