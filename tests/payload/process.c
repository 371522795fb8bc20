/* Facts that the kernel keeps per process. System calls where there is one, so that they work without /proc. */
#define _GNU_SOURCE
#include "facts.h"
#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

ssize_t slurp(const char *path, char *into, size_t capacity) {
    size_t size = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -1;
    while (size < capacity - 1) {
        const ssize_t n = read(fd, into + size, capacity - 1 - size);
        if (n < 0) {
            const int error = errno;
            close(fd);
            errno = error;
            return -1;
        }
        if (n == 0)
            break;
        size += (size_t)n;
    }
    close(fd);
    into[size] = '\0';
    return (ssize_t)size;
}

void fact_file(const char *name, const char *path) {
    static char text[64 * 1024];
    ssize_t size = slurp(path, text, sizeof text);
    json_key(name);
    if (size < 0) {
        const int error = errno;
        json_open('{');
        json_key("error");
        json_errno(error);
        json_close('}');
        return;
    }
    if (size > 0 && text[size - 1] == '\n')
        size--;
    json_bytes(text, (size_t)size);
}

static void numbers(const char *name, const unsigned int *values, size_t count) {
    json_key(name);
    json_open('[');
    for (size_t i = 0; i < count; i++)
        json_unsigned(values[i]);
    json_close(']');
}

void fact_ids(void) {
    unsigned int ids[4];
    static gid_t groups[65536];
    getresuid(&ids[0], &ids[1], &ids[2]);
    ids[3] = (unsigned int)setfsuid((uid_t)-1); /* -1 is never valid: reads without changing */
    numbers("uid", ids, 4);
    getresgid(&ids[0], &ids[1], &ids[2]);
    ids[3] = (unsigned int)setfsgid((gid_t)-1);
    numbers("gid", ids, 4);

    const int count = getgroups(sizeof groups / sizeof *groups, groups);
    numbers("groups", groups, count < 0 ? 0 : (size_t)count);

    const mode_t mask = umask(0);
    char octal[8];
    umask(mask);
    snprintf(octal, sizeof octal, "%04o", mask);
    json_pair_text("umask", octal);
}

/* The names of the set capabilities are left to the reader of the report: a hexadecimal word compares as well. */
static void capability_word(const char *name, uint64_t word) {
    char hex[20];
    snprintf(hex, sizeof hex, "%016llx", (unsigned long long)word);
    json_pair_text(name, hex);
}

void fact_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[2] = {{0}, {0}};
    uint64_t bounding = 0;
    uint64_t ambient = 0;

    json_key("capabilities");
    if (syscall(SYS_capget, &header, data) < 0) {
        json_errno(errno);
        return;
    }
    for (unsigned int cap = 0; cap < 64; cap++) {
        if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
            bounding |= 1ULL << cap;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1)
            ambient |= 1ULL << cap;
    }
    json_open('{');
    capability_word("effective", data[0].effective | (uint64_t)data[1].effective << 32);
    capability_word("permitted", data[0].permitted | (uint64_t)data[1].permitted << 32);
    capability_word("inheritable", data[0].inheritable | (uint64_t)data[1].inheritable << 32);
    capability_word("bounding", bounding);
    capability_word("ambient", ambient);
    json_close('}');
}

/* The value of one line of /proc/self/status, by its name with the colon. */
static void status_line(const char *key, const char *name) {
    static char status[16 * 1024];
    json_key(key);
    if (slurp("/proc/self/status", status, sizeof status) < 0) {
        json_null();
        return;
    }
    for (char *line = strtok(status, "\n"); line; line = strtok(NULL, "\n"))
        if (strncmp(line, name, strlen(name)) == 0) {
            line += strlen(name);
            line += strspn(line, "\t ");
            json_text(line);
            return;
        }
    json_null();
}

static void prctl_value(const char *name, int option) {
    const int value = prctl(option, 0, 0, 0, 0);
    json_key(name);
    if (value < 0)
        json_errno(errno);
    else
        json_number(value);
}

static void prctl_stored(const char *name, int option) {
    int value = 0;
    json_key(name);
    if (prctl(option, &value, 0, 0, 0) < 0)
        json_errno(errno);
    else
        json_number(value);
}

void fact_privileges(void) {
    prctl_value("noNewPrivileges", PR_GET_NO_NEW_PRIVS);
    prctl_value("securebits", PR_GET_SECUREBITS);
    prctl_value("dumpable", PR_GET_DUMPABLE);
    prctl_value("timerSlack", PR_GET_TIMERSLACK);
    prctl_stored("parentDeathSignal", PR_GET_PDEATHSIG);
    prctl_stored("subreaper", PR_GET_CHILD_SUBREAPER);
    status_line("seccompMode", "Seccomp:");
    status_line("seccompFilters", "Seccomp_filters:");
    status_line("speculation", "Speculation_Store_Bypass:");
    fact_file("label", "/proc/self/attr/current");
}

void fact_limits(void) {
    static const char *const names[] = {"CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK",
        "AS", "LOCKS", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"};
    json_key("rlimits");
    json_open('{');
    for (unsigned int i = 0; i < sizeof names / sizeof *names; i++) {
        struct rlimit limit = {0, 0};
        if (getrlimit(i, &limit) < 0)
            continue;
        json_key(names[i]);
        json_open('[');
        json_unsigned(limit.rlim_cur);
        json_unsigned(limit.rlim_max);
        json_close(']');
    }
    json_close('}');
}

void fact_namespaces(void) {
    static const char *const names[] = {
        "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts"};
    json_key("namespaces");
    json_open('{');
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        char target[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
        const ssize_t size = readlink(path, target, sizeof target);
        json_key(names[i]);
        if (size < 0)
            json_errno(errno);
        else
            json_bytes(target, (size_t)size);
    }
    json_close('}');
    fact_file("uidMap", "/proc/self/uid_map");
    fact_file("gidMap", "/proc/self/gid_map");
    fact_file("setgroups", "/proc/self/setgroups");
    fact_file("timeOffsets", "/proc/self/timens_offsets");
}

void fact_family(void) {
    json_pair_number("pid", getpid());
    json_pair_number("ppid", getppid());
    json_pair_number("pgid", getpgid(0));
    json_pair_number("sid", getsid(0));
}

/* sched_getattr(2) has no wrapper in the C library of Debian 12; the structure is its first published version. */
struct sched_attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;
    uint64_t deadline;
    uint64_t period;
};

void fact_scheduling(void) {
    struct sched_attributes attributes = {.size = sizeof attributes};
    cpu_set_t cpus;

    json_key("scheduler");
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) < 0)
        json_errno(errno);
    else {
        json_open('{');
        json_pair_number("policy", attributes.policy);
        json_pair_number("flags", (int64_t)attributes.flags);
        json_pair_number("nice", attributes.nice);
        json_pair_number("priority", attributes.priority);
        json_close('}');
    }

    const long priority = syscall(SYS_ioprio_get, 1 /* IOPRIO_WHO_PROCESS */, 0);
    json_pair_number("ioClass", priority < 0 ? -1 : priority >> 13);
    json_pair_number("ioLevel", priority < 0 ? -1 : priority & 7);

    json_key("cpus");
    json_open('[');
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
        for (int i = 0; i < CPU_SETSIZE; i++)
            if (CPU_ISSET(i, &cpus))
                json_number(i);
    json_close(']');

    int policy = -1;
    json_key("memoryPolicy");
    if (syscall(SYS_get_mempolicy, &policy, NULL, 0, NULL, 0) < 0)
        json_errno(errno);
    else
        json_number(policy);

    json_pair_number("personality", personality(0xffffffff));
    fact_file("oomScoreAdj", "/proc/self/oom_score_adj");
    fact_file("coredumpFilter", "/proc/self/coredump_filter");
}

void fact_signals(void) {
    status_line("signalsBlocked", "SigBlk:");
    status_line("signalsIgnored", "SigIgn:");
    status_line("signalsCaught", "SigCgt:");
}

void fact_keyring(void) {
    char description[256];
    json_key("keyring");
    const long id = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0);
    if (id < 0) {
        json_errno(errno);
        return;
    }
    const long size = syscall(SYS_keyctl, KEYCTL_DESCRIBE, id, description, sizeof description, 0);
    json_open('{');
    json_pair_number("id", id);
    json_key("description");
    if (size < 0)
        json_errno(errno);
    else
        json_text(description);
    json_close('}');
}

void fact_uts(void) {
    struct utsname name;
    if (uname(&name) < 0)
        return;
    json_pair_text("hostname", name.nodename);
    json_pair_text("domainname", name.domainname);
    json_pair_text("machine", name.machine);
}

void fact_words(const char *name, char *const *words) {
    json_key(name);
    json_open('[');
    for (; *words; words++)
        json_text(*words);
    json_close(']');
}
