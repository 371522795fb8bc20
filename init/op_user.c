/* Who the program is: groups, ids, capability sets, umask; and how init keeps what it needs until the exec. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hands.h"

enum { LAST_CAPABILITY = 63, GROUPS_MAX = 65536 };

int do_no_new_privileges(struct hands *h) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : fail(h, "prctl", "PR_SET_NO_NEW_PRIVS");
}

int do_bounding(struct hands *h, const struct op_bounding *op) {
    for (int cap = 0; cap <= LAST_CAPABILITY; cap++) {
        if ((uint64_t)op->mask >> cap & 1)
            continue;
        int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
        if (has < 0)
            return 0; /* beyond the kernel's last one */
        if (has > 0 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
            return fail(h, "prctl", "PR_CAPBSET_DROP");
    }
    return 0;
}

static int set_groups(struct hands *h, const struct strings *groups) {
    if (groups->count > GROUPS_MAX)
        return fail_with(h, "setgroups", NULL, EINVAL);
    gid_t *ids = arena_take(h->arena, (groups->count + 1) * sizeof(gid_t));
    if (ids == NULL)
        return fail_with(h, "setgroups", NULL, ENOMEM);
    for (size_t i = 0; i < groups->count; i++)
        ids[i] = (gid_t)strtoul(groups->items[i], NULL, 10);
    return setgroups(groups->count, ids) == 0 ? 0 : fail(h, "setgroups", NULL);
}

/* Not of a device like /dev/null: that one is everybody's (crun 1.8 gives it to the container's user). */
static bool can_be_given(int fd, const struct stat *st) {
    return S_ISFIFO(st->st_mode) || S_ISREG(st->st_mode) || (S_ISCHR(st->st_mode) && isatty(fd));
}

int do_stdio_owner(struct hands *h, const struct op_stdio_owner *op) {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        struct stat st;
        bool has = fstat(fd, &st) != 0 || (st.st_uid == (uid_t)op->uid && op->gid < 0);
        if (has || !can_be_given(fd, &st))
            continue;
        /* What belongs to nobody of this namespace, or cannot be changed, stays as it is. */
        if (fchown(fd, (uid_t)op->uid, (gid_t)op->gid) != 0 && errno != EPERM && errno != EINVAL && errno != EROFS)
            return fail(h, "fchown", "stdio");
    }
    return 0;
}

int do_set_user(struct hands *h, const struct op_set_user *op) {
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
        return fail(h, "prctl", "PR_SET_KEEPCAPS");
    if (op->set_groups && set_groups(h, &op->groups) != 0)
        return -1;
    gid_t gid = (gid_t)op->gid;
    uid_t uid = (uid_t)op->uid;
    if (syscall(SYS_setresgid, gid, gid, gid) != 0)
        return fail(h, "setresgid", NULL);
    if (syscall(SYS_setresuid, uid, uid, uid) != 0)
        return fail(h, "setresuid", NULL);
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0)
        return fail(h, "prctl", "PR_SET_KEEPCAPS");
    /* The change of ids has set it to the sysctl fs.suid_dumpable; the container's own user must not look into us. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fail(h, "prctl", "PR_SET_DUMPABLE");
    umask((mode_t)op->umask);
    h->hook_umask = (mode_t)op->umask;
    die_with_parent();
    return 0;
}

static int set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    for (int i = 0; i < 2; i++) {
        data[i].effective = (uint32_t)(effective >> (32 * i));
        data[i].permitted = (uint32_t)(permitted >> (32 * i));
        data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
    }
    return (int)syscall(SYS_capset, &header, data);
}

int do_capabilities(struct hands *h, const struct op_capabilities *op) {
    uint64_t permitted = (uint64_t)op->permitted;
    h->effective = (uint64_t)op->effective;
    h->permitted = permitted;
    h->inheritable = (uint64_t)op->inheritable;
    h->held_caps = (uint64_t)op->hold;
    if (set_capabilities(h->effective, permitted | h->held_caps, h->inheritable) != 0)
        return fail(h, "capset", NULL);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return fail(h, "prctl", "PR_CAP_AMBIENT_CLEAR_ALL");
    for (int cap = 0; cap <= LAST_CAPABILITY; cap++) {
        /* EPERM: not both permitted and inheritable; the spec asks for a warning, which the brain gives. */
        if (((uint64_t)op->ambient >> cap & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0 &&
            errno != EPERM)
            return fail(h, "prctl", "PR_CAP_AMBIENT_RAISE");
    }
    die_with_parent();
    return 0;
}

/* The filter may forbid all that follows but the exec, so the held capability is dropped by the exec itself where
 * capset is forbidden: the kernel computes the permitted set anew from bounding and ambient (capabilities(7)). */
int raise_held_capabilities(struct hands *h) {
    if (h->held_caps == 0)
        return 0;
    int set = set_capabilities(h->effective | h->held_caps, h->permitted | h->held_caps, h->inheritable);
    return set == 0 ? 0 : fail(h, "capset", NULL);
}

/* The home directory in one line of /etc/passwd, if the line is of this uid: NULL if not. */
static const char *home_in_line(char *line, uint64_t uid, size_t *size) {
    char *field[6];
    for (int i = 0; i < 6; i++) {
        field[i] = line;
        line = strchr(line, ':');
        if (line == NULL)
            return NULL;
        *line++ = '\0';
    }
    char *end = NULL;
    errno = 0;
    unsigned long long found = strtoull(field[2], &end, 10);
    if (errno != 0 || end == field[2] || *end != '\0' || found != uid)
        return NULL;
    *size = strlen(field[5]);
    return field[5];
}

/* Numbers only, never names: an image's passwd cannot make somebody root (CVE-2016-3697). */
static const char *find_home(const char *path, uint64_t uid, size_t *size) {
    static char text[4096];
    /* Not a device or fifo of the image's, on which the open could hang. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    size_t held = 0;
    const char *home = NULL;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        goto out;
    for (;;) {
        ssize_t got = read(fd, text + held, sizeof text - 1 - held);
        if (got <= 0 && held == 0)
            break;
        held += got > 0 ? (size_t)got : 0;
        text[held] = '\0';
        char *end = strchr(text, '\n');
        size_t line = end == NULL ? held : (size_t)(end - text) + 1;
        if (end == NULL && got > 0 && held < sizeof text - 1)
            continue;
        if (end != NULL)
            *end = '\0';
        home = home_in_line(text, uid, size);
        if (home != NULL)
            break;
        memmove(text, text + line, held - line);
        held -= line;
    }
out:
    if (fd >= 0)
        close(fd);
    return home;
}

int do_home(struct hands *h, const struct op_home *op) {
    static char variable[4096 + 8] = "HOME=/";
    size_t size = 0;
    const char *home = find_home("/etc/passwd", (uint64_t)op->uid, &size);
    if (home != NULL && size > 0)
        memcpy(variable + 5, home, size + 1);
    h->home = variable;
    return 0;
}
