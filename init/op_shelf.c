/* The shelf: where trees of the host's wait for the mount namespace of a container in another user namespace. Why there
 * is one: src/slinger/plan/shelf.py. It is the working directory of who uses it, which a process keeps in its copy of a
 * mount namespace; so no path is looked up. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hands.h"
#include "sys.h"

/* On a tmpfs of our own, which nobody else knows. */
int do_shelf(struct hands *h, const struct op_shelf *op) {
    int fs = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (fs < 0)
        return fail(h, "fsopen", "tmpfs");
    int mount = -1;
    if (sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "755", 0) != 0 ||
        sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
        (void)fail(h, "fsconfig", "tmpfs");
    else if ((mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, 0)) < 0)
        (void)fail(h, "fsmount", "tmpfs");
    close(fs);
    if (mount < 0)
        return -1;
    int result = 0;
    if (sys_move_mount(mount, "", AT_FDCWD, op->path, MOVE_MOUNT_F_EMPTY_PATH) != 0)
        result = fail(h, "move_mount", op->path);
    else if (fchdir(mount) != 0)
        result = fail(h, "fchdir", op->path);
    close(mount);
    return result;
}

int do_shelve(struct hands *h, const struct op_shelve *op) {
    char name[24];
    struct stat st;
    int tree = h->slots[op->slot];
    name[put_decimal(name, op->slot)] = '\0';
    if (fstat(tree, &st) != 0)
        return fail(h, "fstat", op->path);
    if ((S_ISDIR(st.st_mode) ? mkdir(name, 0755) : mknod(name, S_IFREG | 0644, 0)) != 0)
        return fail(h, "mknod", op->path);
    int done = sys_move_mount(tree, "", AT_FDCWD, name, MOVE_MOUNT_F_EMPTY_PATH);
    return done == 0 ? 0 : fail(h, "move_mount", op->path);
}

int do_unshelve(struct hands *h, const struct op_unshelve *op) {
    char name[24];
    name[put_decimal(name, op->slot)] = '\0';
    /* What we were given belongs to the joiner's namespace. */
    close(h->slots[op->slot]);
    /* What is mounted there may be a symlink itself (src-nofollow), which must not lead anywhere now. */
    unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW;
    h->slots[op->slot] = sys_open_tree(AT_FDCWD, name, flags);
    return h->slots[op->slot] >= 0 ? 0 : fail(h, "open_tree", op->path);
}
