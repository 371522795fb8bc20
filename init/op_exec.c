/* The end of init's way: working directory, look-up of the program, waiting for start, exec. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hands.h"
#include "sys.h"

size_t put_decimal(char *to, int64_t value) {
    char digits[24];
    size_t count = 0;
    size_t at = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do
        digits[count++] = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (value < 0)
        to[at++] = '-';
    while (count > 0)
        to[at++] = digits[--count];
    to[at] = '\0';
    return at;
}

/* A directory that was reached through an fd of the host's lies outside our root, and the kernel then shows it as
 * "(unreachable)..." (CVE-2024-21626). */
static int check_inside(struct hands *h, const char *path) {
    char where[4096];
    long size = syscall(SYS_getcwd, where, sizeof where);
    if (size < 0)
        return fail(h, "getcwd", path);
    if (where[0] != '/')
        return fail_with(h, "getcwd", "the working directory is outside the container", ENOENT);
    return 0;
}

/* Below the root handle and through no magic link, so that /proc/self/fd/N is refused whatever N is. */
static int enter(struct hands *h, const char *path) {
    int fd = open_in_root(h, path, O_PATH | O_DIRECTORY, 0);
    if (fd < 0)
        return -1;
    int result = fchdir(fd);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

int do_chdir(struct hands *h, const struct op_chdir *op) {
    /* The second attempt, as the user, is for where root was refused (a network file system). */
    if (h->in_cwd)
        return 0;
    if (op->create) {
        int fd = open_made(h, op->path, MAKE_DIRECTORY, 0);
        if (fd < 0 && errno != EACCES && errno != EROFS)
            return fail(h, "mkdir", op->path);
        if (fd >= 0)
            close(fd);
    }
    if (enter(h, op->path) != 0) {
        if (op->may_fail && (errno == EACCES || errno == EPERM))
            return 0;
        return fail(h, "chdir", op->path);
    }
    h->in_cwd = true;
    return check_inside(h, op->path);
}

/* Whether this user could execute it. A directory is EACCES, as for execve(2). */
static int try_program(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0)
        return -1;
    if (!S_ISREG(st.st_mode)) {
        errno = EACCES;
        return -1;
    }
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS);
}

int do_find_program(struct hands *h, const struct op_find_program *op) {
    static char found[4096];
    size_t name = strlen(op->name);
    if (strchr(op->name, '/') != NULL) {
        h->program = op->name;
        return try_program(op->name) == 0 ? 0 : fail(h, "exec", op->name);
    }
    int error = ENOENT;
    const char *from = op->path;
    for (bool more = from[0] != '\0' && name > 0; more;) {
        const char *to = strchr(from, ':');
        size_t size = to == NULL ? strlen(from) : (size_t)(to - from);
        more = to != NULL;
        if (size + name + 3 <= sizeof found) {
            memcpy(found, size == 0 ? "." : from, size == 0 ? 1 : size);
            size = size == 0 ? 1 : size;
            found[size] = '/';
            memcpy(found + size + 1, op->name, name + 1);
            h->program = found;
            if (try_program(found) == 0)
                return 0;
            /* As execvp(3): a file that may not be executed is worth telling, but the search goes on. */
            if (errno == EACCES)
                error = EACCES;
        }
        from = to == NULL ? from : to + 1;
    }
    return fail_with(h, "lookup", op->name, error);
}

int do_release(struct hands *h) {
    if (tell_on_its_own(h) != 0)
        return fail(h, "send", "to the outer process");
    return prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) == 0 ? 0 : fail(h, "prctl", "PR_SET_PDEATHSIG");
}

/* From here on init is on its own: the brain and the outer process may go. */
static int let_go(struct hands *h) {
    if (do_release(h) != 0)
        return -1;
    close(h->brain);
    close(h->link);
    if (h->mask >= 0)
        close(h->mask);
    h->mask = -1;
    h->brain = -1;
    h->link = -1;
    return 0;
}

static void end_by_signal(int signal) {
    enum { SIGNALLED = 128 };
    _exit(SIGNALLED + signal);
}

/* The first process of a pid namespace is deaf to signals that it does not handle, those of its parents too, but for
 * KILL (pid_namespaces(7)). What would end the program is to end a container that waits for its start; the exec resets
 * it. */
static int heed_signals(struct hands *h) {
    static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    const struct sigaction action = {.sa_handler = end_by_signal};
    for (size_t at = 0; at < sizeof ending / sizeof *ending; at++)
        if (sigaction(ending[at], &action, NULL) != 0)
            return fail(h, "sigaction", NULL);
    return 0;
}

int do_wait_start(struct hands *h) {
    if (heed_signals(h) != 0 || let_go(h) != 0)
        return -1;
    for (;;) {
        int caller = accept4(h->listener, NULL, NULL, SOCK_CLOEXEC);
        if (caller < 0) {
            if (errno == EINTR || errno == ECONNABORTED)
                continue;
            return fail(h, "accept4", NULL);
        }
        h->brain = caller;
        /* A caller that goes away before it has said go has started nothing; the next one may. */
        if (wait_for_go(h) == 0)
            break;
        close(caller);
    }
    close(h->listener);
    h->listener = -1;
    return 0;
}

int do_announce(struct hands *h) {
    /* No look at a clock any more, which a machine without a fast one asks the kernel for: a filter may forbid it. */
    h->times = NULL;
    return report_executing(h) == 0 ? 0 : fail(h, "sendmsg", "to start");
}

int do_close_on_exec(struct hands *h, const struct op_close_on_exec *op) {
    /* The socket to whoever called start is among them: its closing is the news that the exec happened. */
    int done = sys_close_range((unsigned int)(3 + op->keep_fds), ~0U, CLOSE_RANGE_CLOEXEC);
    return done == 0 ? 0 : fail(h, "close_range", NULL);
}

/* The filter may be there already: no system call of ours but the exec itself. */
int do_exec(struct hands *h, const struct op_exec *op) {
    char **env = strings_with(h->arena, &op->env, h->home);
    if (env == NULL)
        return fail_with(h, "execve", "the environment", ENOMEM);
    execve(h->program, op->args.items, env);
    return fail(h, "execve", h->program);
}
