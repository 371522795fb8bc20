/* On cgroup v1 the first move of a process into another cgroup after a quiet moment waits for an RCU grace period,
 * some 10 ms, and the next moves do not (kernel/cgroup, cgroup_threadgroup_rwsem; rcu/sync.c). So the wait is begun
 * here, beside the start of the brain that will make such a move: a child "moves" to the cgroup that it is in, which
 * changes nothing, and ends. Where that is not possible nothing is lost but the time. */
#include "warm.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TEXT = 4096, PATH = 1024 };

/* The verbs that put a process into a container's cgroup. */
static bool makes_a_move(int argc, char **argv) {
    static const char *const VERBS[] = {"create", "run", "exec", "restore"};
    for (int i = 1; i < argc; i++) {
        for (size_t verb = 0; verb < sizeof VERBS / sizeof *VERBS; verb++) {
            if (strcmp(argv[i], VERBS[verb]) == 0)
                return true;
        }
    }
    return false;
}

/* "N:CONTROLLERS:/path" -> "/sys/fs/cgroup/CONTROLLERS/path/cgroup.procs"; false for v2 and for what is too long. */
static bool procs_file(char *line, char path[PATH]) {
    static const char start[] = "/sys/fs/cgroup/";
    static const char end[] = "/cgroup.procs";
    char *controllers = strchr(line, ':');
    char *own = controllers == NULL ? NULL : strchr(controllers + 1, ':');
    if (own == NULL || own == controllers + 1 || strncmp(controllers + 1, "name=", 5) == 0)
        return false;
    *own++ = '\0';
    if (sizeof start + strlen(controllers + 1) + strlen(own) + sizeof end > PATH)
        return false;
    strcpy(path, start);
    strcat(path, controllers + 1);
    strcat(path, own);
    strcat(path, end);
    return true;
}

static void move_to_own_cgroup(void) {
    static char text[TEXT];
    static char path[PATH];
    int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (size <= 0)
        return;
    text[size] = '\0';
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (!procs_file(line, path))
            continue;
        int procs = open(path, O_WRONLY | O_CLOEXEC);
        if (procs >= 0 && write(procs, "0", 1) == 1)
            return;
    }
}

void warm_up(int argc, char **argv) {
    if (!makes_a_move(argc, argv) || access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0)
        return;
    /* No exit signal: the brain never hears of this child, and waits for others are not disturbed by it. */
    struct clone_args none = {0};
    if (syscall(SYS_clone3, &none, sizeof none) == 0) {
        move_to_own_cgroup();
        _exit(0);
    }
}
