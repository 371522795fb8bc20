/* Processes, namespaces, and what belongs to init as a process of the host. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hands.h"
#include "sys.h"

static int open_link(struct hands *h) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return fail(h, "socketpair", NULL);
    h->link = pair[0];
    h->link_other = pair[1];
    return 0;
}

/* Tell the brain, then let init begin: nothing that init reports can come before its pid. */
static int admit_init(struct hands *h, pid_t pid) {
    h->init = pid;
    if (report_init(h, pid) != 0)
        return fail(h, "sendmsg", "to the brain");
    uint32_t turn = h->at;
    if (send(h->link, &turn, sizeof turn, MSG_NOSIGNAL) != (ssize_t)sizeof turn)
        return fail(h, "send", "to init");
    return 0;
}

/* Outer waits in its fork op until the joiner has cloned init, or has failed and said why. */
static int receive_init(struct hands *h, pid_t joiner) {
    int64_t pid = 0;
    close(h->link_other);
    h->link_other = -1;
    ssize_t got = recv(h->link, &pid, sizeof pid, 0);
    int status;
    while (waitpid(joiner, &status, 0) < 0 && errno == EINTR)
        ;
    if (got != (ssize_t)sizeof pid)
        _exit(1);
    return admit_init(h, (pid_t)pid);
}

int do_fork(struct hands *h) {
    if (open_link(h) != 0)
        return -1;
    pid_t pid = fork();
    if (pid < 0)
        return fail(h, "fork", NULL);
    if (pid > 0)
        return receive_init(h, pid);
    die_with_parent();
    h->me = ACTOR_JOINER;
    close(h->link);
    h->link = -1;
    return 0;
}

/* The bit of a CLONE_NEW* flag: where the namespace of this type is kept. -1 for what is no such flag. */
static int place_of(int64_t flag) {
    return flag > 0 && flag <= INT32_MAX && (flag & (flag - 1)) == 0 ? __builtin_ctz((unsigned int)flag) : -1;
}

int do_open_namespace(struct hands *h, const struct op_open_namespace *op) {
    int place = place_of(op->flag);
    if (place < 0)
        return fail_with(h, "open", op->path, EINVAL);
    int fd = open(op->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(h, "open", op->path);
    h->namespaces[place] = fd;
    return 0;
}

int do_join(struct hands *h, const struct op_join *op) {
    int place = place_of(op->flag);
    bool kept = op->path[0] == '\0';
    int fd = !kept ? open(op->path, O_RDONLY | O_CLOEXEC) : place < 0 ? -1 : h->namespaces[place];
    if (fd <= 0)
        return fail_with(h, "open", op->path, kept ? EBADF : errno);
    /* The type is given, so a file of another namespace type is EINVAL (config-linux.md, "Namespaces"). */
    if (setns(fd, (int)op->flag) != 0)
        return fail(h, "setns", op->path);
    close(fd);
    if (kept)
        h->namespaces[place] = 0;
    return 0;
}

static int become_init(struct hands *h) {
    uint32_t turn;
    die_with_parent();
    if (h->link >= 0)
        close(h->link);
    h->me = ACTOR_INIT;
    h->link = h->link_other;
    h->link_other = -1;
    h->init = 0;
    umask(0);
    if (recv(h->link, &turn, sizeof turn, 0) != (ssize_t)sizeof turn)
        _exit(1);
    return 0;
}

int do_clone(struct hands *h, const struct op_clone *op) {
    bool joiner = h->me == ACTOR_JOINER;
    if (!joiner && open_link(h) != 0)
        return -1;
    /* Init is the child of outer either way, so that outer can wait for it and it dies with outer. */
    struct clone_args args = {
        .flags = (uint64_t)op->flags | (joiner ? CLONE_PARENT : 0),
        .exit_signal = joiner ? 0 : SIGCHLD,
    };
    pid_t pid = sys_clone3(&args);
    if (pid < 0)
        return fail(h, "clone3", NULL);
    if (pid == 0)
        return become_init(h);
    if (!joiner) {
        close(h->link_other);
        h->link_other = -1;
        return admit_init(h, pid);
    }
    int64_t told = pid;
    _exit(send(h->link_other, &told, sizeof told, MSG_NOSIGNAL) == (ssize_t)sizeof told ? 0 : 1);
}

int do_gate(struct hands *h, const struct op_gate *op) {
    if (report_gate(h) != 0 || wait_for_go(h) != 0)
        return fail(h, "recv", op->name);
    return 0;
}

int do_take_root(struct hands *h, const struct op_take_root *op) {
    /* EPERM: setgroups is denied in this namespace, so there is nothing to drop (user_namespaces(7)). */
    if (op->drop_groups && setgroups(0, NULL) != 0 && errno != EPERM)
        return fail(h, "setgroups", NULL);
    if (syscall(SYS_setresgid, 0, 0, 0) != 0)
        return fail(h, "setresgid", "0");
    if (syscall(SYS_setresuid, 0, 0, 0) != 0)
        return fail(h, "setresuid", "0");
    /* The change of ids has set it to the sysctl fs.suid_dumpable, which may be anything. */
    if (prctl(PR_SET_DUMPABLE, (unsigned long)op->visible, 0, 0, 0) != 0)
        return fail(h, "prctl", "PR_SET_DUMPABLE");
    die_with_parent();
    return 0;
}

int do_unshare(struct hands *h, const struct op_unshare *op) {
    return unshare((int)op->flags) == 0 ? 0 : fail(h, "unshare", NULL);
}

/* All that is written like this is a file of procfs. What a joined mount namespace shows there instead, or has mounted
 * over it, is not (CVE-2019-16884, CVE-2025-52881). */
int write_file(struct hands *h, int fd, const char *path, const char *text, size_t size) {
    struct statfs fs;
    if (fstatfs(fd, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC) {
        close(fd);
        return fail_with(h, "fstatfs", path, ENOTSUP);
    }
    ssize_t written = write(fd, text, size);
    int error = errno;
    close(fd);
    if (written != (ssize_t)size)
        return fail_with(h, "write", path, written < 0 ? error : EIO);
    return 0;
}

/* Of ourselves, or in outer of init, whose files are the host root's once it is concealed (proc_pid(5)). */
static const char *own_file(const struct hands *h, const char *name) {
    static char path[64] = "/proc/";
    size_t at = sizeof "/proc/" - 1;
    if (h->init > 0) {
        at += put_decimal(path + at, h->init);
    } else {
        memcpy(path + at, "self", 4);
        at += 4;
    }
    path[at++] = '/';
    strcpy(path + at, name);
    return path;
}

int do_time_offsets(struct hands *h, const struct op_time_offsets *op) {
    const char *path = own_file(h, "timens_offsets");
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(h, "open", path);
    return write_file(h, fd, path, op->text, strlen(op->text));
}

int do_session(struct hands *h) {
    return setsid() >= 0 ? 0 : fail(h, "setsid", NULL);
}

int do_oom_score(struct hands *h, const struct op_oom_score *op) {
    const char *path = own_file(h, "oom_score_adj");
    char text[24];
    size_t size = put_decimal(text, op->value);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(h, "open", path);
    return write_file(h, fd, path, text, size);
}

int do_conceal(struct hands *h) {
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : fail(h, "prctl", "PR_SET_DUMPABLE");
}

int do_hostname(struct hands *h, const struct op_hostname *op) {
    return sethostname(op->name, strlen(op->name)) == 0 ? 0 : fail(h, "sethostname", op->name);
}

int do_domainname(struct hands *h, const struct op_domainname *op) {
    return setdomainname(op->name, strlen(op->name)) == 0 ? 0 : fail(h, "setdomainname", op->name);
}

int do_sysctl(struct hands *h, const struct op_sysctl *op) {
    int proc = open_proc(h);
    if (proc < 0)
        return fail(h, "open", "/proc");
    /* Below a checked procfs, no symlink, no other mount: what is written is a sysctl and nothing else. */
    int fd = sys_openat2(proc, op->path, O_WRONLY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
    if (fd < 0)
        return fail(h, "openat2", op->path);
    return write_file(h, fd, op->path, op->value, strlen(op->value));
}

int do_personality(struct hands *h, const struct op_personality *op) {
    return personality((unsigned long)op->domain) >= 0 ? 0 : fail(h, "personality", NULL);
}

int do_scheduler(struct hands *h, const struct op_scheduler *op) {
    /* struct sched_attr of <linux/sched/types.h>, which older C libraries redefine. */
    const struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attr = {
        .size = sizeof attr,
        .policy = (uint32_t)op->policy,
        .flags = (uint64_t)op->flags,
        .nice = (int32_t)op->nice,
        .priority = (uint32_t)op->priority,
        .runtime = (uint64_t)op->runtime,
        .deadline = (uint64_t)op->deadline,
        .period = (uint64_t)op->period,
    };
    return syscall(SYS_sched_setattr, 0, &attr, 0) == 0 ? 0 : fail(h, "sched_setattr", NULL);
}

int do_io_priority(struct hands *h, const struct op_io_priority *op) {
    enum { WHO_PROCESS = 1 };
    return syscall(SYS_ioprio_set, WHO_PROCESS, 0, (int)op->value) == 0 ? 0 : fail(h, "ioprio_set", NULL);
}

int do_memory_policy(struct hands *h, const struct op_memory_policy *op) {
    unsigned long nodes[16] = {0};
    if (op->nodes.size > sizeof nodes)
        return fail_with(h, "set_mempolicy", NULL, EINVAL);
    memcpy(nodes, op->nodes.data, op->nodes.size);
    /* The kernel takes one bit less than it is told. */
    unsigned long bits = op->nodes.size == 0 ? 0 : op->nodes.size * 8 + 1;
    const unsigned long *mask = op->nodes.size == 0 ? NULL : nodes;
    return syscall(SYS_set_mempolicy, (int)op->mode, mask, bits) == 0 ? 0 : fail(h, "set_mempolicy", NULL);
}

int do_affinity(struct hands *h, const struct op_affinity *op) {
    uint64_t all[128]; /* CONFIG_NR_CPUS is 8192 at most */
    memset(all, 0xff, sizeof all);
    size_t size = op->cpus.size == 0 ? sizeof all : op->cpus.size;
    const void *cpus = op->cpus.size == 0 ? (const void *)all : op->cpus.data;
    /* CPUs beyond those that the kernel was made for are cut off; that none is left is its EINVAL. */
    long done = syscall(SYS_sched_setaffinity, 0, size, cpus);
    return done == 0 ? 0 : fail(h, "sched_setaffinity", NULL);
}

int do_rlimit(struct hands *h, const struct op_rlimit *op) {
    struct rlimit64 limit = {.rlim_cur = (uint64_t)op->soft, .rlim_max = (uint64_t)op->hard};
    if (syscall(SYS_prlimit64, h->init, (int)op->resource, &limit, NULL) != 0)
        return fail(h, "prlimit64", NULL);
    return 0;
}
