/* What a hostile image or a hostile neighbour on a volume does. Targets are what the test made, nothing else. */
#define _GNU_SOURCE
#include "commands.h"
#include "facts.h"
#include "json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* attack-swap A B: exchange two names, again and again, until killed. */
int command_attack_swap(char **argv) {
    if (!argv[1] || !argv[2])
        return 2;
    while (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) == 0)
        ;
    dprintf(STDERR_FILENO, "payload: attack-swap: %s\n", strerror(errno));
    return 1;
}

enum { PLACES = 6, SEEN_MOST = 256 };

struct watch {
    pid_t seen[SEEN_MOST];
    int count;
    int tries;
    bool reached[PLACES];
    int held; /* somebody's program, opened while it ran */
};

static const char *const places[PLACES] = {"exe", "cwd", "root", "fd", "mem", "maps"};

/* Whether it still has the runtime's program; only who may look into it can tell. */
static bool runs_runtime(pid_t pid) {
    char path[64];
    char target[4096];
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    const ssize_t size = readlink(path, target, sizeof target - 1);
    if (size < 0)
        return false;
    target[size] = '\0';
    return strstr(target, "slinger-init") != NULL;
}

static void try_process(struct watch *w, pid_t pid) {
    char path[64];
    int known = 0;
    while (known < w->count && w->seen[known] != pid)
        known++;
    if (known == w->count && w->count < SEEN_MOST)
        w->seen[w->count++] = pid;
    w->tries++;
    for (int i = 0; i < PLACES; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", pid, places[i]);
        const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0)
            continue;
        /* It may have become the program that it was to run meanwhile, which is no secret. */
        if (!runs_runtime(pid)) {
            close(fd);
            return;
        }
        w->reached[i] = true;
        if (i == 0 && w->held < 0)
            w->held = fd;
        else
            close(fd);
    }
}

static bool is_runtime(pid_t pid) {
    char path[64];
    char name[32];
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    return slurp(path, name, sizeof name) > 0 && strncmp(name, "slinger-init", 12) == 0;
}

/* Opened for reading while it ran; to be written when it does no longer run (CVE-2019-5736). */
static const char *overwrite(int held) {
    char path[64];
    if (held < 0)
        return "not opened";
    snprintf(path, sizeof path, "/proc/self/fd/%d", held);
    for (int tries = 0; tries < 1000; tries++) {
        const int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        if (fd >= 0) {
            const char *result = write(fd, "", 1) == 1 ? "written" : strerrorname_np(errno);
            close(fd);
            return result;
        }
        if (errno != ETXTBSY)
            return strerrorname_np(errno);
        usleep(1000);
    }
    return "ETXTBSY";
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void look_around(struct watch *w) {
    DIR *all = opendir("/proc");
    if (!all)
        return;
    for (struct dirent *entry; (entry = readdir(all));) {
        const pid_t pid = atoi(entry->d_name);
        if (pid > 0 && pid != getpid() && is_runtime(pid))
            try_process(w, pid);
    }
    closedir(all);
}

/* attack-watch FILE SECONDS: look into every process of the runtime that appears, until FILE exists, or as long as
 * that; then say what could be opened, and whether a program of theirs could be overwritten. */
int command_attack_watch(char **argv) {
    static struct watch w = {.held = -1};
    if (!argv[1] || !argv[2])
        return 2;
    const double end = seconds() + atof(argv[2]);
    while (access(argv[1], F_OK) != 0 && seconds() < end)
        look_around(&w);
    json_open('{');
    json_pair_number("seen", w.count);
    json_pair_number("tries", w.tries);
    json_key("reached");
    json_open('[');
    for (int i = 0; i < PLACES; i++)
        if (w.reached[i])
            json_text(places[i]);
    json_close(']');
    json_pair_text("overwrite", overwrite(w.held));
    json_close('}');
    return json_flush(STDOUT_FILENO) < 0 ? 125 : 0;
}

/* attack-mkdir DIR: try to make a directory in DIR and in each directory of it: how many could be made, and are gone
 * again. */
int command_attack_mkdir(char **argv) {
    char path[4096];
    int made = 0;
    if (!argv[1])
        return 2;
    DIR *all = opendir(argv[1]);
    if (!all)
        return 1;
    for (struct dirent *entry; (entry = readdir(all));) {
        if (strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s/attacked", argv[1], entry->d_name);
        if (mkdir(path, 0700) == 0) {
            made++;
            rmdir(path);
        }
    }
    closedir(all);
    dprintf(STDOUT_FILENO, "%d\n", made);
    return 0;
}
