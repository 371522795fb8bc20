/* The hands: three processes that walk one plan, each doing the ops that are its own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "ops.gen.h"
#include "plan.h"

/* CLOCK_MONOTONIC of the outer process, in nanoseconds; 0 for what has not happened. */
struct op_times {
    int64_t began, ended;
};

struct hands {
    const struct plan *plan;
    struct arena *arena; /* what the plan left of it: an op may take from it and must give it back */
    uint32_t at;         /* the op that is being done */
    enum actor me;
    int brain;      /* SOCK_SEQPACKET to the brain; later, in init, to whoever called start */
    int link;       /* SOCK_SEQPACKET between outer and init: whose turn it is */
    int link_other; /* the end that init will have, until it has it */
    int listener;   /* where start connects to, or -1 */
    int root;       /* O_PATH handle of the container's root, or -1 */
    int proc;       /* a procfs that was checked to be one, or -1 */
    int mask;       /* the mount that hides the masked directory of ``masked``, or -1 */
    const struct op_mask *masked;
    int *slots;
    struct op_times *times; /* by op, shared between the three; NULL where nobody wants to know */
    int64_t clock_ahead;    /* what CLOCK_REALTIME was ahead of CLOCK_MONOTONIC, in outer */
    int64_t clock_shift;    /* what our CLOCK_MONOTONIC is behind that of outer */
    int namespaces[32];     /* kept by OpenNamespace, by the bit of their CLONE_NEW* flag; 0 for none */
    pid_t init;             /* as outer sees it; 0 in init itself */
    bool supervise;         /* outer stays until init has ended */
    mode_t hook_umask;      /* the caller's; from SetUser on the process's */
    uint64_t held_caps;     /* permitted until the exec */
    uint64_t effective, permitted, inheritable;
    int first_closed;    /* fds from here on are not the container's */
    bool in_cwd;         /* the working directory is entered */
    const char *program; /* what FindProgram found */
    const char *home;    /* "HOME=...", or NULL */
    const char *failed_call;
    const char *failed_detail;
    int failed_errno;
};

/* Note what failed, with errno, for the report that run() sends. Always -1. */
int fail(struct hands *h, const char *call, const char *detail);
int fail_with(struct hands *h, const char *call, const char *detail, int error);

/* run.c */
int run(struct hands *h);
_Noreturn void run_and_exit(struct hands *h);
/* By init: an end of the outer process is no longer its own, and the closing of the link no failure. */
int tell_on_its_own(struct hands *h);

/* times.c */
int64_t clock_now(clockid_t clock);
void op_begins(struct hands *h);
void op_ends(struct hands *h);

/* report.c: what goes to the brain. */
struct hook_run {
    int64_t started, duration, pid;
    int64_t how, value;
    int64_t capabilities; /* effective, right after the exec */
    const char *step;
    int64_t stdout_size, stderr_size;
    struct bytes out, err;
};
int report_init(struct hands *h, pid_t pid);
int report_gate(struct hands *h);
int report_failed(struct hands *h);
int report_hook(struct hands *h, const struct hook_run *run);
int report_console(struct hands *h, const char *name, int master);
int report_exited(struct hands *h, int status);
int report_executing(struct hands *h);
int report_seccomp_listener(struct hands *h, int fd);
int report_network_socket(struct hands *h, int fd);
int report_handle(struct hands *h, const char *name, int fd);
int report_times(struct hands *h);
int wait_for_go(struct hands *h);

/* path.c: paths inside the container, never outside. Each gives an fd, or -1 with errno. */
enum make { MAKE_NOTHING, MAKE_DIRECTORY, MAKE_FILE, MAKE_PARENT };
int open_in_root(struct hands *h, const char *path, uint64_t flags, uint64_t resolve);
int open_made(struct hands *h, const char *path, enum make make, uint64_t resolve);
int open_itself(struct hands *h, const char *path, enum make make);
int open_parent(struct hands *h, const char *path, const char **name);
int open_proc(struct hands *h);

/* shared between the files of ops */
bool is_null_device(int fd);
int set_attributes(int fd, uint64_t set, uint64_t clear, bool recursive);
int set_propagation(int dir, const char *path, uint64_t flags, bool recursive);
int copy_tree(int from, int to);
/* The SELinux label of a directory; "" leaves it. */
int set_label(int dir, const char *label);
int raise_held_capabilities(struct hands *h);
/* Write a file of procfs, whole, and close it; `path` is for the error. */
int write_file(struct hands *h, int fd, const char *path, const char *text, size_t size);
size_t put_decimal(char *to, int64_t value);
void die_with_parent(void);
