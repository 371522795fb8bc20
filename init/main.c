/* slinger-init: the hands. Started by the brain alone, as
 *
 *      slinger-init BRAIN PLAN LISTENER KEEP MODE
 *
 * BRAIN is a SOCK_SEQPACKET socket, PLAN a sealed memfd, LISTENER the socket that start connects to (or -1), KEEP
 * how many fds from 3 on belong to the container, MODE "detach" or "supervise" or "supervise,subreaper". */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hands.h"
#include "sys.h"

enum { EXIT_USAGE = 64, FD_LIMIT = 1 << 20 };

static void ignore(int signal) {
    (void)signal;
}

/* A C library that spawned us may have left its own two real-time signals ignored, and lets nobody undo that
 * but by the bare system call; the container would inherit it. */
static void reset_library_signals(void) {
    enum { FIRST = 32, LAST = 33, KERNEL_SET_SIZE = 8 };
    const struct {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } standard = {.handler = SIG_DFL};
    for (int signal = FIRST; signal <= LAST; signal++)
        (void)syscall(SYS_rt_sigaction, signal, &standard, NULL, KERNEL_SET_SIZE);
}

static int number(const char *text) {
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    return errno != 0 || end == text || *end != '\0' || value < -1 || value > FD_LIMIT ? -2 : (int)value;
}

static int map_plan(int fd, struct hands *h) {
    static struct plan plan;
    static struct arena arena;
    struct stat st;
    /* Sealed, or its owner could change it under our eyes. */
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & (F_SEAL_WRITE | F_SEAL_SHRINK)) != (F_SEAL_WRITE | F_SEAL_SHRINK) || fstat(fd, &st) != 0)
        return -1;
    size_t size = (size_t)st.st_size;
    const uint8_t *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    arena.size = plan_arena_size(size);
    arena.base = mmap(NULL, arena.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED || (void *)arena.base == MAP_FAILED || plan_read(data, size, &arena, &plan) != 0)
        return -1;
    h->slots = arena_take(&arena, (plan.slots + (size_t)1) * sizeof(int));
    if (h->slots == NULL)
        return -1;
    for (uint32_t i = 0; i <= plan.slots; i++)
        h->slots[i] = -1;
    h->plan = &plan;
    h->arena = &arena;
    return 0;
}

/* Only stdio, the container's own fds and the three of ours survive; ours are not inherited by anything. */
static int close_strangers(const int ours[3], int first_ours, int keep) {
    int last = first_ours;
    for (int i = 0; i < 3; i++) {
        if (ours[i] < 0)
            continue;
        if (ours[i] < 3 + keep || fcntl(ours[i], F_SETFD, FD_CLOEXEC) != 0)
            return -1;
        last = ours[i] > last ? ours[i] : last;
    }
    for (int fd = 3 + keep; fd <= last; fd++) {
        if (fd != ours[0] && fd != ours[1] && fd != ours[2])
            close(fd);
    }
    return sys_close_range((unsigned int)last + 1, ~0U, 0);
}

/* A program that only is there, for `slinger hooks test`: the container's own must not run, and an image need not
 * have one. It ends by a signal. */
static void hold(void) {
    for (;;)
        pause();
}

int main(int argc, char **argv) {
    static struct hands h = {.me = ACTOR_OUTER, .link = -1, .link_other = -1, .root = -1, .proc = -1, .mask = -1};
    if (argc == 2 && strcmp(argv[1], "hold") == 0)
        hold();
    if (argc != 6)
        return EXIT_USAGE;
    int plan_fd = number(argv[2]);
    int keep = number(argv[4]);
    h.brain = number(argv[1]);
    h.listener = number(argv[3]);
    if (h.brain < 0 || plan_fd < 0 || h.listener < -1 || keep < 0)
        return EXIT_USAGE;
    int ours[3] = {h.brain, plan_fd, h.listener};
    if (close_strangers(ours, 2 + keep, keep) != 0)
        return EXIT_USAGE;
    h.first_closed = 3 + keep;
    h.supervise = strncmp(argv[5], "supervise", 9) == 0;
    if (strcmp(argv[5], "supervise,subreaper") == 0 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        return EXIT_USAGE;

    /* A handler, unlike SIG_IGN, is not inherited through an exec. */
    struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};
    if (sigaction(SIGPIPE, &action, NULL) != 0)
        return EXIT_USAGE;
    reset_library_signals();
    /* We are started by the number of a descriptor, which nobody who looks at ps would take for us. */
    (void)prctl(PR_SET_NAME, "slinger-init", 0, 0, 0);
    h.hook_umask = umask(0);
    umask(h.hook_umask);

    if (map_plan(plan_fd, &h) != 0) {
        h.failed_call = "plan_read";
        h.failed_errno = EINVAL;
        (void)report_failed(&h);
        return 1;
    }
    close(plan_fd);
    run_and_exit(&h);
}
