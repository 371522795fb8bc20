/* The filter, and the descriptor through which its notifications are answered (seccomp_unotify(2)).
 *
 * Whatever init calls after the filter is there may itself be a call that waits for an answer, which nobody can give
 * who has not got the descriptor. So a thread hands it over: the filter is that of the thread that loads it alone. Init
 * meanwhile makes no system call at all. */
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hands.h"

enum { NOT_YET = -1, NEVER = -2 };
enum { STACK_SIZE = 16 * 1024 };

static _Alignas(16) uint8_t stack[STACK_SIZE];
static atomic_bool ready;
static atomic_int listener = NOT_YET;
static atomic_bool handed_over;

/* The thread. The brain says go when the one who answers has the descriptor; without that the program must not run.
 * Then init's own copy is closed: with it an agent that ends would leave calls waiting for ever, instead of failing. */
static int hand_over(void *argument) {
    struct hands *h = argument;
    /* Beside a real-time init that does not yield it would never run on a single CPU. */
    struct sched_param ordinary = {.sched_priority = 0};
    (void)sched_setscheduler(0, SCHED_OTHER, &ordinary);
    atomic_store(&ready, true);
    int fd;
    while ((fd = atomic_load(&listener)) == NOT_YET)
        (void)sched_yield();
    if (fd != NEVER && (report_seccomp_listener(h, fd) != 0 || wait_for_go(h) != 0))
        (void)syscall(SYS_exit_group, 1);
    if (fd != NEVER)
        close(fd);
    atomic_store(&handed_over, true);
    (void)syscall(SYS_exit, 0);
    return 0;
}

static int load(const struct op_seccomp *op) {
    struct {
        unsigned short size;
        const void *filter;
    } program = {.size = (unsigned short)(op->program.size / 8), .filter = op->program.data};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, (unsigned long)op->flags, &program);
}

static int load_and_hand_over(struct hands *h, const struct op_seccomp *op) {
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    if (clone(hand_over, stack + STACK_SIZE, flags, h) < 0)
        return fail(h, "clone", "who hands the listener over");
    while (!atomic_load(&ready))
        (void)sched_yield();
    int fd = load(op);
    int error = errno;
    atomic_store(&listener, fd < 0 ? NEVER : fd);
    while (!atomic_load(&handed_over))
        ;
    return fd < 0 ? fail_with(h, "seccomp", NULL, error) : 0;
}

/* What was raised for the load stays until the exec, which computes the sets anew: the filter may forbid capset. */
int do_seccomp(struct hands *h, const struct op_seccomp *op) {
    if (raise_held_capabilities(h) != 0)
        return -1;
    if (op->flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) {
        if (load_and_hand_over(h, op) != 0)
            return -1;
        return 0;
    }
    return load(op) == 0 ? 0 : fail(h, "seccomp", NULL);
}
