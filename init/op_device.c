/* Device nodes, symlinks and the terminal, all below the root handle: an image whose /dev is a symlink gets its
 * nodes inside the root or an error, never on the host (CVE-2026-41579, CVE-2026-47766). */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "hands.h"
#include "sys.h"

static bool matches(const struct stat *st, const struct op_make_node *op) {
    if ((st->st_mode & S_IFMT) != (mode_t)op->kind)
        return false;
    return op->kind == S_IFIFO || st->st_rdev == makedev((unsigned int)op->major, (unsigned int)op->minor);
}

static int make_node_at(struct hands *h, const struct op_make_node *op, int parent, const char *name) {
    dev_t number = makedev((unsigned int)op->major, (unsigned int)op->minor);
    if (mknodat(parent, name, (mode_t)(op->kind | op->mode), number) != 0 && errno != EEXIST)
        return fail(h, "mknodat", op->path);
    /* What has the name now is looked at and owned through one descriptor: somebody else may write to the directory,
     * and a file of the host's that was linked there must not change its owner. */
    struct stat st;
    int node = sys_openat2(parent, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    int result = 0;
    if (node < 0 || fstat(node, &st) != 0 || !matches(&st, op))
        result = fail_with(h, "mknodat", op->path, EEXIST);
    else if (fchownat(node, "", (uid_t)op->uid, (gid_t)op->gid, AT_EMPTY_PATH) != 0)
        result = fail(h, "fchownat", op->path);
    if (node >= 0)
        close(node);
    return result;
}

int do_make_node(struct hands *h, const struct op_make_node *op) {
    const char *name;
    int parent = open_parent(h, op->path, &name);
    if (parent < 0)
        return fail(h, "openat2", op->path);
    int result = make_node_at(h, op, parent, name);
    close(parent);
    return result;
}

static bool is_link_to(int parent, const char *name, const char *target) {
    char text[4096];
    ssize_t size = readlinkat(parent, name, text, sizeof text);
    return size >= 0 && (size_t)size == strlen(target) && memcmp(text, target, (size_t)size) == 0;
}

int do_make_link(struct hands *h, const struct op_make_link *op) {
    struct stat st;
    if (op->needs[0] != '\0' && stat(op->needs, &st) != 0)
        return 0;
    const char *name;
    int parent = open_parent(h, op->path, &name);
    if (parent < 0)
        return fail(h, "openat2", op->path);
    int result = symlinkat(op->target, parent, name) == 0 || errno == EEXIST ? 0 : fail(h, "symlinkat", op->path);
    if (result == 0 && op->exact && !is_link_to(parent, name, op->target))
        result = fail_with(h, "symlinkat", op->path, EEXIST);
    close(parent);
    return result;
}

/* A pty of the container's own devpts. Looked at before it is opened: what an image has there instead may be a device
 * that does something when it is opened. */
static int open_master(struct hands *h) {
    int directory = open_in_root(h, "/dev/pts", O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
    struct statfs fs;
    int master = -1;
    if (directory < 0)
        (void)fail(h, "openat2", "/dev/pts/ptmx");
    else if (fstatfs(directory, &fs) != 0 || fs.f_type != DEVPTS_SUPER_MAGIC)
        (void)fail_with(h, "fstatfs", "/dev/pts/ptmx: not on a devpts", ENOTTY);
    else if ((master = sys_openat2(directory, "ptmx", O_RDWR | O_NOCTTY, 0, RESOLVE_BENEATH | RESOLVE_NO_XDEV)) < 0)
        (void)fail(h, "openat2", "/dev/pts/ptmx");
    if (directory >= 0)
        close(directory);
    return master;
}

/* The slave is asked of the master, not looked up by name (CVE-2025-52565). */
static int open_slave(struct hands *h, int master, const struct op_console *op) {
    int unlock = 0;
    if (ioctl(master, TIOCSPTLCK, &unlock) != 0)
        return fail(h, "ioctl", "TIOCSPTLCK");
    int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        return fail(h, "ioctl", "TIOCGPTPEER");
    struct winsize size = {.ws_row = (unsigned short)op->rows, .ws_col = (unsigned short)op->columns};
    if ((size.ws_row != 0 || size.ws_col != 0) && ioctl(slave, TIOCSWINSZ, &size) != 0)
        return fail(h, "ioctl", "TIOCSWINSZ");
    return slave;
}

static int send_master(struct hands *h, int master) {
    char name[32] = "/dev/pts/";
    unsigned int number = 0;
    if (ioctl(master, TIOCGPTN, &number) != 0)
        return fail(h, "ioctl", "TIOCGPTN");
    name[9 + put_decimal(name + 9, number)] = '\0';
    return report_console(h, name, master) == 0 ? 0 : fail(h, "sendmsg", "the terminal's master");
}

static int bind_console(struct hands *h, int slave) {
    int target = open_made(h, "/dev/console", MAKE_FILE, RESOLVE_NO_SYMLINKS);
    if (target < 0)
        return fail(h, "openat2", "/dev/console");
    int tree = sys_open_tree(slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    int result = 0;
    if (tree < 0)
        result = fail(h, "open_tree", "/dev/console");
    else if (sys_move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
        result = fail(h, "move_mount", "/dev/console");
    if (tree >= 0)
        close(tree);
    close(target);
    return result;
}

static int take_terminal(struct hands *h, int slave) {
    if (ioctl(slave, TIOCSCTTY, 0) != 0)
        return fail(h, "ioctl", "TIOCSCTTY");
    for (int fd = 0; fd < 3; fd++) {
        if (dup2(slave, fd) < 0)
            return fail(h, "dup2", NULL);
    }
    return 0;
}

int do_console(struct hands *h, const struct op_console *op) {
    int master = open_master(h);
    if (master < 0)
        return -1;
    int slave = open_slave(h, master, op);
    int result = -1;
    if (slave >= 0 && send_master(h, master) == 0 && (!op->bind || bind_console(h, slave) == 0))
        result = take_terminal(h, slave);
    if (slave >= 0)
        close(slave);
    close(master);
    return result;
}
