/* What security modules are told. Rule of this file: labels are written through a checked procfs, so that what is
 * mounted over the container's /proc never takes them in (CVE-2019-16884, CVE-2025-52881). */
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "hands.h"
#include "sys.h"

/* The one symlink on the way is procfs's own, which leads to our thread whichever pid namespace it shows. */
static int open_own(struct hands *h, const char *path) {
    int proc = open_proc(h);
    if (proc < 0)
        return -1;
    return sys_openat2(proc, path, O_WRONLY, 0, RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
}

static int write_own(struct hands *h, const char *path, const char *text) {
    int fd = open_own(h, path);
    return fd < 0 ? fail(h, "openat2", path) : write_file(h, fd, path, text, strlen(text));
}

int do_process_label(struct hands *h, const struct op_process_label *op) {
    return write_own(h, "thread-self/attr/exec", op->label);
}

int do_app_armor(struct hands *h, const struct op_app_armor *op) {
    static const char own[] = "thread-self/attr/apparmor/exec";
    /* Before Linux 5.1 there was one file for all security modules; some kernels still have no other. */
    static const char common[] = "thread-self/attr/exec";
    char text[5 + 256] = "exec ";
    size_t size = strlen(op->profile);
    if (size >= sizeof text - 5)
        return fail_with(h, "write", op->profile, ENAMETOOLONG);
    memcpy(text + 5, op->profile, size);
    int fd = open_own(h, own);
    if (fd < 0 && errno == ENOENT)
        fd = open_own(h, common);
    if (fd < 0)
        return fail(h, "openat2", own);
    return write_file(h, fd, op->profile, text, size + 5);
}

static int join_keyring(struct hands *h, const char *name) {
    /* All for who holds it; its owner may view, read, search and link: what runc's session keyrings have. */
    enum { POSSESSOR_ALL = 0x3f000000, OWNER_VIEW_READ_SEARCH_LINK = 0x001b0000 };
    long key = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
    /* No keys in this kernel (or hidden by an outer container's filter): nothing to be isolated from. */
    if (key < 0)
        return errno == ENOSYS || errno == EPERM ? 0 : fail(h, "keyctl", "KEYCTL_JOIN_SESSION_KEYRING");
    if (syscall(SYS_keyctl, KEYCTL_SETPERM, key, POSSESSOR_ALL | OWNER_VIEW_READ_SEARCH_LINK) != 0)
        return fail(h, "keyctl", "KEYCTL_SETPERM");
    return 0;
}

int do_keyring(struct hands *h, const struct op_keyring *op) {
    static const char keycreate[] = "thread-self/attr/keycreate";
    if (op->label[0] == '\0')
        return join_keyring(h, op->name);
    if (write_own(h, keycreate, op->label) != 0 || join_keyring(h, op->name) != 0)
        return -1;
    /* Not for keys that are made later on. */
    return write_own(h, keycreate, "");
}

int set_label(int dir, const char *label) {
    return label[0] == '\0' ? 0 : fsetxattr(dir, "security.selinux", label, strlen(label), 0);
}
