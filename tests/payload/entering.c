/* A hostile container: subcommands that try what must not work, and count how often it did. */
#define _GNU_SOURCE
#include "commands.h"
#include "json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t stopped;

static void stop(int number) {
    (void)number;
    stopped = 1;
}

static const char *path_of(pid_t pid, const char *name) {
    static char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    return path;
}

/* The name can only change from the runtime's to the program's, by the exec: who has it still after a successful
 * attack had it during the attack. */
static bool is_entering(pid_t pid, const char *name) {
    char comm[32] = "";
    const int fd = open(path_of(pid, "comm"), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const ssize_t n = read(fd, comm, sizeof comm - 1);
    close(fd);
    return n > 0 && strncmp(comm, name, strlen(name)) == 0 && comm[strlen(name)] == '\n';
}

/* What a process may be attacked by, and how often it worked. */
enum { SEEN, EXE_READ, EXE_OPENED, EXE_WRITTEN, FD_READ, MEMORY_READ, ROOT_READ, TRACED, ATTACKS };
static const char *const attacks[ATTACKS] = {
    "seen", "exeRead", "exeOpenedForWriting", "exeWritten", "fdRead", "memoryRead", "rootRead", "traced"};

static bool opens(pid_t pid, const char *name, int flags) {
    const int fd = open(path_of(pid, name), flags | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The kernel lets root list the numbers; where one leads, and what is there, is the secret. */
static bool reads_fd(pid_t pid) {
    char name[16];
    char target[256];
    for (int fd = 0; fd < 16; fd++) {
        snprintf(name, sizeof name, "fd/%d", fd);
        if (readlink(path_of(pid, name), target, sizeof target) >= 0 || opens(pid, name, O_PATH))
            return true;
    }
    return false;
}

/* Descriptors for reading what was executed: they outlive the process that makes the file busy. */
enum { KEPT = 64 };
static int kept[KEPT];
static int kept_count;

static bool keeps_exe(pid_t pid, const char *name) {
    const int fd = open(path_of(pid, "exe"), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (!is_entering(pid, name)) {
        close(fd);
        return false;
    }
    if (kept_count < KEPT)
        kept[kept_count++] = fd;
    else
        close(fd);
    return true;
}

/* Write the byte that is there already: that it can be written is enough. */
static int write_kept(void) {
    int written = 0;
    for (int i = 0; i < kept_count; i++) {
        char own[64];
        char byte;
        snprintf(own, sizeof own, "/proc/self/fd/%d", kept[i]);
        const int fd = open(own, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        written += pread(kept[i], &byte, 1, 0) == 1 && pwrite(fd, &byte, 1, 0) == 1;
        close(fd);
    }
    return written;
}

static void attack(pid_t pid, const char *name, int64_t counts[ATTACKS]) {
    counts[EXE_READ] += keeps_exe(pid, name);
    counts[EXE_OPENED] += opens(pid, "exe", O_WRONLY) && is_entering(pid, name);
    counts[FD_READ] += reads_fd(pid) && is_entering(pid, name);
    counts[MEMORY_READ] += opens(pid, "mem", O_RDONLY) && is_entering(pid, name);
    counts[ROOT_READ] += opens(pid, "root", O_RDONLY) && is_entering(pid, name);
    counts[TRACED] += ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0 && is_entering(pid, name);
}

/* attack-entering NAME: until SIGTERM, attack each process of this name that comes by; then print the counts. */
int command_attack_entering(char **argv) {
    const struct sigaction action = {.sa_handler = stop};
    int64_t counts[ATTACKS] = {0};
    if (!argv[1])
        return 2;
    sigaction(SIGTERM, &action, NULL);
    while (!stopped) {
        DIR *proc = opendir("/proc");
        if (!proc)
            return 1;
        for (const struct dirent *entry; (entry = readdir(proc)) != NULL;) {
            const pid_t pid = (pid_t)atoi(entry->d_name);
            if (pid > 0 && pid != getpid() && is_entering(pid, argv[1])) {
                counts[SEEN]++;
                attack(pid, argv[1], counts);
            }
        }
        closedir(proc);
        counts[EXE_WRITTEN] += write_kept();
        /* One that was traced as the program, after the exec, has to be waited for by us as well. */
        while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
            ;
    }
    json_open('{');
    for (int i = 0; i < ATTACKS; i++)
        json_pair_number(attacks[i], counts[i]);
    json_close('}');
    return json_flush(STDOUT_FILENO) < 0;
}
