/* The one runner of hooks, for all six stages: state on stdin, exact argv and env, a process group of its own, a
 * timeout that kills the whole group, output kept to a bounded tail. A hook that reads nothing, writes megabytes or
 * leaves a daemon behind that holds its stdout neither blocks nor fails. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hands.h"
#include "sys.h"

enum {
    TAIL = 8192,
    CHUNK = 4096,
    HOW_EXIT = 0,
    HOW_SIGNAL,
    HOW_TIMEOUT,
    HOW_NOT_STARTED,
    NS_PER_MS = 1000000,
    PID_DIGITS = 24
};

/* The last TAIL bytes of a stream and how many there were. */
struct stream {
    int fd;
    int64_t size;
    uint8_t ring[TAIL];
};

struct hook {
    pid_t pid;
    int pidfd;
    int input;
    int64_t deadline; /* CLOCK_MONOTONIC, 0 for none */
    size_t state_sent;
    size_t state_size;
    const char *state;
    struct stream out, err;
};

/* What the child tells before its exec: which call failed. The pipe closes with the exec. */
struct start_error {
    int32_t error;
    char step[24];
};

static _Noreturn void give_up(int to, const char *step) {
    struct start_error error = {.error = errno};
    strncpy(error.step, step, sizeof error.step - 1);
    ssize_t told = write(to, &error, sizeof error);
    _exit(told == (ssize_t)sizeof error ? 126 : 127);
}

static void enter_directory(const struct hands *h, const struct op_hook *op, int report) {
    if (op->in_root) {
        if (fchdir(h->root) != 0)
            give_up(report, "fchdir");
    } else if (op->cwd[0] != '\0' && chdir(op->cwd) != 0) {
        if (op->fallback_cwd[0] == '\0' || chdir(op->fallback_cwd) != 0)
            give_up(report, "chdir");
    }
}

/* In the child. fds: stdin, stdout, stderr, and where to report; none of them is below 4 already. */
static _Noreturn void become_hook(
    const struct hands *h, const struct op_hook *op, char *const env[], const int fds[4], pid_t runner) {
    /* Whoever kills the one that runs it, the out-of-memory killer perhaps, does not leave a hook that nobody times. */
    die_with_parent();
    if (getppid() != runner)
        _exit(127);
    /* First, since the root handle may be fd 3. */
    enter_directory(h, op, fds[3]);
    for (int i = 0; i < 4; i++) {
        if (dup2(fds[i], i) < 0)
            give_up(fds[3], "dup2");
    }
    if (fcntl(3, F_SETFD, FD_CLOEXEC) != 0)
        give_up(3, "fcntl");
    if (sys_close_range(4, ~0U, 0) != 0)
        give_up(3, "close_range");
    if (setpgid(0, 0) != 0)
        give_up(3, "setpgid");
    umask(h->hook_umask);
    sigset_t none;
    sigemptyset(&none);
    if (sigprocmask(SIG_SETMASK, &none, NULL) != 0)
        give_up(3, "sigprocmask");
    execve(op->path, op->args.items, env);
    give_up(3, "execve");
}

/* A pipe whose ends are out of the way of 0 to 3, and not inherited. */
static int open_pipe(int ends[2]) {
    int low[2];
    if (pipe2(low, O_CLOEXEC) != 0)
        return -1;
    int error = 0;
    for (int i = 0; i < 2; i++) {
        ends[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 4);
        if (ends[i] < 0)
            error = errno;
        close(low[i]);
    }
    errno = error;
    return error == 0 ? 0 : -1;
}

static void close_all(int *fds, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

/* 0, or -1 with what failed in *error. */
static int start(
    struct hands *h, const struct op_hook *op, char *const env[], struct hook *hook, struct start_error *error) {
    int pipes[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
    for (int i = 0; i < 4; i++) {
        if (open_pipe(&pipes[2 * i]) != 0) {
            *error = (struct start_error){.error = errno, .step = "pipe2"};
            close_all(pipes, 8);
            return -1;
        }
    }
    pid_t runner = getpid();
    struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&hook->pidfd, .exit_signal = SIGCHLD};
    hook->pid = sys_clone3(&args);
    if (hook->pid == 0)
        become_hook(h, op, env, (const int[4]){pipes[0], pipes[3], pipes[5], pipes[7]}, runner);
    int failed = errno;
    close_all((int[]){pipes[0], pipes[3], pipes[5], pipes[7]}, 4);
    if (hook->pid < 0) {
        *error = (struct start_error){.error = failed, .step = "clone3"};
        close_all((int[]){pipes[1], pipes[2], pipes[4], pipes[6]}, 4);
        return -1;
    }
    hook->input = pipes[1];
    hook->out.fd = pipes[2];
    hook->err.fd = pipes[4];
    ssize_t got;
    do
        got = read(pipes[6], error, sizeof *error);
    while (got < 0 && errno == EINTR);
    close(pipes[6]);
    return got == 0 ? 0 : -1;
}

/* Takes what is there, closes the stream at its end. Not more than a pipe can hold at most, since whoever writes
 * faster than we read would keep us here, past the timeout and the end of the hook. */
static void drain(struct stream *s) {
    enum { PIPE_MOST = 1 << 20 };
    uint8_t chunk[CHUNK];
    for (ssize_t left = PIPE_MOST; s->fd >= 0 && left > 0;) {
        ssize_t got = read(s->fd, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            close(s->fd);
            s->fd = -1;
            return;
        }
        for (ssize_t i = 0; i < got; i++)
            s->ring[(s->size + i) % TAIL] = chunk[i];
        s->size += got;
        left -= got;
    }
}

static void feed(struct hook *hook) {
    ssize_t sent = write(hook->input, hook->state + hook->state_sent, hook->state_size - hook->state_sent);
    if (sent > 0)
        hook->state_sent += (size_t)sent;
    /* EPIPE: the hook does not want to know, which is its right. */
    if ((sent < 0 && errno != EAGAIN && errno != EINTR) || hook->state_sent == hook->state_size) {
        close(hook->input);
        hook->input = -1;
    }
}

static int milliseconds_left(const struct hook *hook) {
    if (hook->deadline == 0)
        return -1;
    int64_t left = (hook->deadline - clock_now(CLOCK_MONOTONIC) + NS_PER_MS - 1) / NS_PER_MS;
    if (left <= 0)
        return 0;
    return left > 1000000 ? 1000000 : (int)left;
}

/* What the program may do: asked of the kernel and not of /proc, which the container need not have (capget(2)). */
static int64_t capabilities_of(pid_t pid) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = pid};
    struct __user_cap_data_struct data[2] = {0};
    if (syscall(SYS_capget, &header, data) != 0)
        return 0;
    return (int64_t)((uint64_t)data[1].effective << 32 | data[0].effective);
}

enum end { ENDED, TIMED_OUT, ABANDONED };

/* Until the hook's own process has ended; what its children hold open does not count. */
static enum end attend(struct hands *h, struct hook *hook) {
    enum { PIDFD, OUT, ERR, IN, BRAIN };
    for (;;) {
        struct pollfd fds[] = {
            [PIDFD] = {.fd = hook->pidfd, .events = POLLIN},
            [OUT] = {.fd = hook->out.fd, .events = POLLIN},
            [ERR] = {.fd = hook->err.fd, .events = POLLIN},
            [IN] = {.fd = hook->input, .events = POLLOUT},
            [BRAIN] = {.fd = h->brain, .events = 0},
        };
        int wait = milliseconds_left(hook);
        int ready = poll(fds, sizeof fds / sizeof fds[0], wait);
        if (ready < 0 && errno != EINTR)
            return ABANDONED;
        if (ready == 0 && milliseconds_left(hook) == 0)
            return TIMED_OUT;
        if (ready <= 0)
            continue;
        if (fds[OUT].revents != 0)
            drain(&hook->out);
        if (fds[ERR].revents != 0)
            drain(&hook->err);
        if (fds[IN].revents != 0)
            feed(hook);
        if (fds[PIDFD].revents != 0)
            return ENDED;
        if (fds[BRAIN].revents != 0)
            return ABANDONED;
    }
}

/* The ring, put straight. */
static struct bytes tail_of(struct stream *s) {
    static uint8_t straight[2][TAIL];
    static unsigned int turn;
    if (s->size <= TAIL)
        return (struct bytes){s->ring, (size_t)s->size};
    uint8_t *to = straight[turn++ % 2];
    size_t first = (size_t)(s->size % TAIL);
    memcpy(to, s->ring + first, TAIL - first);
    memcpy(to + TAIL - first, s->ring, first);
    return (struct bytes){to, TAIL};
}

static void finish(struct hook *hook, enum end end, int64_t timeout, struct hook_run *run) {
    if (end != ENDED) {
        (void)kill(-hook->pid, SIGKILL);
        (void)kill(hook->pid, SIGKILL); /* it may have left its group */
    }
    siginfo_t info = {0};
    while (waitid(P_PIDFD, (id_t)hook->pidfd, &info, WEXITED) != 0 && errno == EINTR)
        ;
    drain(&hook->out);
    drain(&hook->err);
    run->how = info.si_code == CLD_EXITED ? HOW_EXIT : HOW_SIGNAL;
    run->value = info.si_status;
    if (end == TIMED_OUT) {
        run->how = HOW_TIMEOUT;
        run->value = timeout;
    }
}

static int run_hook(
    struct hands *h, const struct op_hook *op, char *const env[], const char *state, struct hook_run *run) {
    static struct hook hook;
    hook = (struct hook){.pidfd = -1, .input = -1, .state = state, .state_size = strlen(state)};
    hook.out.fd = hook.err.fd = -1;
    static struct start_error error;
    error = (struct start_error){0};
    int64_t began = clock_now(CLOCK_MONOTONIC);
    run->started = clock_now(CLOCK_REALTIME);
    /* Without end where the end lies beyond the clock, which is 292 years. */
    if (op->timeout > 0 && op->timeout <= (INT64_MAX - began) / (1000 * (int64_t)NS_PER_MS))
        hook.deadline = began + op->timeout * 1000 * NS_PER_MS;
    enum end end = ENDED;
    bool started = start(h, op, env, &hook, &error) == 0;
    if (started) {
        run->capabilities = capabilities_of(hook.pid);
        for (int *fd = (int[]){hook.input, hook.out.fd, hook.err.fd, -1}; *fd >= 0; fd++)
            (void)fcntl(*fd, F_SETFL, O_NONBLOCK);
        end = attend(h, &hook);
    }
    if (hook.pid > 0)
        finish(&hook, end, op->timeout, run);
    if (!started) {
        run->how = HOW_NOT_STARTED;
        run->value = error.error;
        run->step = error.step;
    }
    run->duration = clock_now(CLOCK_MONOTONIC) - began;
    run->pid = hook.pid;
    run->stdout_size = hook.out.size;
    run->stderr_size = hook.err.size;
    run->out = tail_of(&hook.out);
    run->err = tail_of(&hook.err);
    close_all((int[]){hook.input, hook.out.fd, hook.err.fd, hook.pidfd}, 4);
    return end == ABANDONED ? -1 : 0;
}

/* The state with the pid in its place; "" of the tail says that it is whole already. */
static const char *make_state(struct hands *h, const struct op_hook *op) {
    size_t head = strlen(op->state_head);
    size_t tail = strlen(op->state_tail);
    if (tail == 0)
        return op->state_head;
    char *state = arena_take(h->arena, head + tail + PID_DIGITS);
    if (state == NULL)
        return NULL;
    memcpy(state, op->state_head, head);
    head += put_decimal(state + head, h->me == ACTOR_INIT ? getpid() : h->init);
    memcpy(state + head, op->state_tail, tail + 1);
    return state;
}

int do_hook(struct hands *h, const struct op_hook *op) {
    size_t used = h->arena->used;
    const char *state = make_state(h, op);
    char **env = strings_with(h->arena, &op->env, op->with_home ? h->home : NULL);
    if (state == NULL || env == NULL)
        return fail_with(h, "hook", "its state and environment", ENOMEM);
    struct hook_run run = {0};
    int result = run_hook(h, op, env, state, &run);
    h->arena->used = used;
    if (result != 0)
        return fail_with(h, "poll", "the brain is gone", ECONNRESET);
    if (report_hook(h, &run) != 0)
        return fail(h, "sendmsg", "to the brain");
    bool ok = run.how == HOW_EXIT && run.value == 0;
    return ok || op->go_on ? 0 : fail_with(h, "hook", op->path, 0);
}
