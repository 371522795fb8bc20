/* Subcommands that do one thing, for a test to ask of a container or of a hook. */
#define _GNU_SOURCE
#include "commands.h"
#include "facts.h"
#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int failed(const char *what) {
    dprintf(STDERR_FILENO, "payload: %s: %s\n", what, strerror(errno));
    return 1;
}

static void sleep_seconds(const char *text) {
    const double seconds = text ? strtod(text, NULL) : 0;
    struct timespec left = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

int command_true(char **argv) {
    (void)argv;
    return 0;
}

/* exit N [TEXT]: end with status N, TEXT on stderr first. */
int command_exit(char **argv) {
    if (argv[1] && argv[2])
        dprintf(STDERR_FILENO, "%s\n", argv[2]);
    return argv[1] ? atoi(argv[1]) : 0;
}

/* kill N: end by signal N. PID 1 of a pid namespace cannot kill itself by a signal: then the status is 99. */
int command_kill(char **argv) {
    const struct rlimit none = {0, 0};
    const int number = argv[1] ? atoi(argv[1]) : SIGKILL;
    sigset_t all;
    setrlimit(RLIMIT_CORE, &none);
    signal(number, SIG_DFL);
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    kill(getpid(), number);
    return 99;
}

int command_sleep(char **argv) {
    sleep_seconds(argv[1]);
    return 0;
}

/* pause [COUNT]: say "ready", then print each signal's number; end after COUNT (1) signals. */
int command_pause(char **argv) {
    sigset_t all;
    int left = argv[1] ? atoi(argv[1]) : 1;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    dprintf(STDOUT_FILENO, "ready\n");
    while (left > 0) {
        const int number = sigwaitinfo(&all, NULL);
        if (number < 0)
            continue;
        dprintf(STDOUT_FILENO, "signal %d\n", number);
        left--;
    }
    return 0;
}

int command_echo(char **argv) {
    for (int i = 1; argv[i]; i++)
        dprintf(STDOUT_FILENO, "%s%s", i > 1 ? " " : "", argv[i]);
    dprintf(STDOUT_FILENO, "\n");
    return 0;
}

static int copy(int from, int to) {
    char block[65536];
    for (;;) {
        const ssize_t n = read(from, block, sizeof block);
        if (n <= 0)
            return n < 0 ? -1 : 0;
        for (ssize_t done = 0; done < n;) {
            const ssize_t m = write(to, block + done, (size_t)(n - done));
            if (m < 0)
                return -1;
            done += m;
        }
    }
}

/* cat [FILE...]: without a file, stdin. */
int command_cat(char **argv) {
    if (!argv[1])
        return copy(STDIN_FILENO, STDOUT_FILENO) < 0 ? failed("stdin") : 0;
    for (int i = 1; argv[i]; i++) {
        const int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
        if (fd < 0 || copy(fd, STDOUT_FILENO) < 0)
            return failed(argv[i]);
        close(fd);
    }
    return 0;
}

/* write FILE TEXT: create or empty the file, write the text. */
int command_write(char **argv) {
    if (!argv[1] || !argv[2])
        return 2;
    const int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    const size_t size = strlen(argv[2]);
    if (fd < 0 || write(fd, argv[2], size) != (ssize_t)size || close(fd) < 0)
        return failed(argv[1]);
    return 0;
}

int command_fds(char **argv) {
    (void)argv;
    json_open('{');
    fact_descriptors();
    json_close('}');
    return json_flush(STDOUT_FILENO) < 0 ? failed("stdout") : 0;
}

/* forks N: start up to N children that wait; print how many there were at once, and the error that stopped it. */
int command_forks(char **argv) {
    const int wanted = argv[1] ? atoi(argv[1]) : 1;
    int count = 0;
    int error = 0;
    int gate[2];
    if (pipe2(gate, O_CLOEXEC) < 0)
        return failed("pipe2");
    for (; count < wanted; count++) {
        const pid_t child = fork();
        if (child < 0) {
            error = errno;
            break;
        }
        if (child == 0) {
            char end;
            close(gate[1]);
            _exit(read(gate[0], &end, 1) < 0);
        }
    }
    close(gate[1]);
    while (wait(NULL) > 0)
        ;
    json_open('{');
    json_pair_number("forks", count);
    json_key("error");
    json_errno(error);
    json_close('}');
    return json_flush(STDOUT_FILENO) < 0 ? failed("stdout") : 0;
}

/* bomb: every process starts others, for a minute; 300 in all, so that the machine lives where nothing stops it. */
int command_bomb(char **argv) {
    (void)argv;
    atomic_int *started = mmap(NULL, sizeof *started, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (started == MAP_FAILED)
        return failed("mmap");
    for (int i = 0; i < 6000; i++) {
        if (atomic_load(started) < 300) {
            const pid_t child = fork();
            if (child > 0)
                atomic_fetch_add(started, 1);
            if (child >= 0)
                continue;
        }
        const struct timespec moment = {.tv_nsec = 10 * 1000 * 1000};
        nanosleep(&moment, NULL);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
    return 0;
}

/* children N: start N children that wait with it, until they are killed. */
int command_children(char **argv) {
    for (int i = 0; argv[1] && i < atoi(argv[1]); i++) {
        const pid_t child = fork();
        if (child < 0)
            return failed("fork");
        if (child == 0)
            break;
    }
    for (;;)
        pause();
}

/* mem BYTES [SECONDS]: take and touch that much memory, then say so, and keep it for a while. */
int command_mem(char **argv) {
    const size_t size = argv[1] ? strtoull(argv[1], NULL, 0) : 0;
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return failed("mmap");
    for (size_t i = 0; i < size; i += 4096)
        ((volatile char *)memory)[i] = 1;
    dprintf(STDOUT_FILENO, "touched %zu\n", size);
    if (argv[1] && argv[2])
        sleep_seconds(argv[2]);
    return 0;
}

/* daemon SECONDS: leave a child in a session of its own that keeps stdio open; end at once. */
int command_daemon(char **argv) {
    const pid_t child = fork();
    if (child < 0)
        return failed("fork");
    if (child == 0) {
        setsid();
        sleep_seconds(argv[1]);
        _exit(0);
    }
    dprintf(STDERR_FILENO, "daemon %d\n", child);
    return 0;
}

/* mount SOURCE TARGET TYPE FLAGS: one mount(2), flags as a number. */
int command_mount(char **argv) {
    for (int i = 1; i <= 4; i++)
        if (!argv[i])
            return 2;
    if (mount(argv[1], argv[2], argv[3], strtoul(argv[4], NULL, 0), NULL) < 0)
        return failed(argv[2]);
    return 0;
}

/* tty: the terminal on stdin: its name, rows and columns, whether it is the controlling one. */
int command_tty(char **argv) {
    struct winsize size = {0};
    const char *name = ttyname(STDIN_FILENO);
    (void)argv;
    json_open('{');
    json_key("name");
    if (name)
        json_text(name);
    else
        json_errno(errno);
    ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
    json_pair_number("rows", size.ws_row);
    json_pair_number("columns", size.ws_col);
    json_pair_number("foreground", tcgetpgrp(STDIN_FILENO));
    json_close('}');
    return json_flush(STDOUT_FILENO) < 0 ? failed("stdout") : 0;
}

/* spam BYTES: that many bytes, in lines of 64, to stdout and to stderr. */
int command_spam(char **argv) {
    static const char line[] = "the quick brown fox jumps over the lazy dog, again and again ..\n";
    size_t left = argv[1] ? strtoull(argv[1], NULL, 0) : 0;
    while (left > 0) {
        const size_t size = left < sizeof line - 1 ? left : sizeof line - 1;
        if (write(STDOUT_FILENO, line, size) < 0 || write(STDERR_FILENO, line, size) < 0)
            return failed("spam");
        left -= size;
    }
    return 0;
}

/* repeat N PROGRAM WORD...: start a program N times, one after the other: fork, exec, wait and nothing else. */
int command_repeat(char **argv) {
    for (int left = argv[1] ? atoi(argv[1]) : 0; left > 0; left--) {
        const pid_t child = fork();
        if (child < 0)
            return failed("fork");
        if (child == 0) {
            execv(argv[2], argv + 2);
            _exit(127);
        }
        int status = 0;
        if (waitpid(child, &status, 0) < 0 || status != 0)
            return 1;
    }
    return 0;
}

/* read-slowly: all of stdin in small pieces, with a rest before each. 1 unless it ends with a brace, as a state does.
 */
int command_read_slowly(char **argv) {
    (void)argv;
    char piece[4096];
    char last = '\0';
    for (;;) {
        sleep_seconds("0.002");
        const ssize_t got = read(STDIN_FILENO, piece, sizeof piece);
        if (got < 0)
            return failed("stdin");
        if (got == 0)
            return last == '}' ? 0 : 1;
        last = piece[got - 1];
    }
}

/* close-stdin [SECONDS]: close stdin unread, then stay for a while. */
int command_close_stdin(char **argv) {
    close(STDIN_FILENO);
    sleep_seconds(argv[1]);
    return 0;
}
