/* Mounts. Rule of this file: fd-based mount API only; a target is an fd found below the root handle, so nothing
 * is looked up twice (CVE-2021-30465). */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "hands.h"
#include "sys.h"

enum { BOTH_EMPTY = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH };

int set_attributes(int fd, uint64_t set, uint64_t clear, bool recursive) {
    struct mount_attr attr = {.attr_set = set, .attr_clr = clear};
    if (set == 0 && clear == 0)
        return 0;
    return sys_mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr);
}

int set_propagation(int dir, const char *path, uint64_t flags, bool recursive) {
    struct mount_attr attr = {.propagation = flags};
    unsigned int at = (path[0] == '\0' ? AT_EMPTY_PATH : 0) | (recursive ? AT_RECURSIVE : 0);
    return sys_mount_setattr(dir, path, at, &attr);
}

int do_open_tree(struct hands *h, const struct op_open_tree *op) {
    unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (op->recursive ? AT_RECURSIVE : 0) |
                         (op->nofollow ? AT_SYMLINK_NOFOLLOW : 0);
    int fd = sys_open_tree(AT_FDCWD, op->path, flags);
    if (fd < 0)
        return fail(h, "open_tree", op->path);
    h->slots[op->slot] = fd;
    if (op->propagation != 0 && set_propagation(fd, "", (uint64_t)op->propagation, true) != 0)
        return fail(h, "mount_setattr", op->path);
    return 0;
}

int do_propagation(struct hands *h, const struct op_propagation *op) {
    return set_propagation(AT_FDCWD, "/", (uint64_t)op->flags, op->recursive != 0) == 0 ? 0
                                                                                        : fail(h, "mount_setattr", "/");
}

int do_attach_root(struct hands *h, const struct op_attach_root *op) {
    int tree = h->slots[op->slot];
    if (sys_move_mount(tree, "", AT_FDCWD, op->path, MOVE_MOUNT_F_EMPTY_PATH) != 0)
        return fail(h, "move_mount", op->path);
    /* The fd of the detached tree is now a handle of the mounted one. */
    if (set_propagation(tree, "", MS_PRIVATE, false) != 0)
        return fail(h, "mount_setattr", op->path);
    h->root = tree;
    h->slots[op->slot] = -1;
    return 0;
}

int do_open_root(struct hands *h, const struct op_open_root *op) {
    h->root = open(op->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return h->root >= 0 ? 0 : fail(h, "open", op->path);
}

/* "key=value" or "flag", one fsconfig call each. */
static int configure(struct hands *h, int fs, const char *option) {
    char key[256];
    const char *equals = strchr(option, '=');
    size_t size = equals == NULL ? strlen(option) : (size_t)(equals - option);
    if (size >= sizeof key)
        return fail_with(h, "fsconfig", option, ENAMETOOLONG);
    memcpy(key, option, size);
    key[size] = '\0';
    int result = equals == NULL ? sys_fsconfig(fs, FSCONFIG_SET_FLAG, key, NULL, 0)
                                : sys_fsconfig(fs, FSCONFIG_SET_STRING, key, equals + 1, 0);
    return result == 0 ? 0 : fail(h, "fsconfig", option);
}

static int configure_all(struct hands *h, int fs, const struct op_mount_new *op) {
    if (op->source[0] != '\0' && sys_fsconfig(fs, FSCONFIG_SET_STRING, "source", op->source, 0) != 0)
        return fail(h, "fsconfig", op->source);
    for (size_t i = 0; i < op->options.count; i++) {
        if (configure(h, fs, op->options.items[i]) != 0)
            return -1;
    }
    if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
        return fail(h, "fsconfig", op->type);
    return 0;
}

/* A detached mount of a new file system. */
static int make_mount(struct hands *h, const struct op_mount_new *op) {
    int fs = sys_fsopen(op->type, FSOPEN_CLOEXEC);
    if (fs < 0)
        return fail(h, "fsopen", op->type);
    int mount = -1;
    if (configure_all(h, fs, op) == 0) {
        mount = sys_fsmount(fs, FSMOUNT_CLOEXEC, (unsigned int)op->attr_set);
        if (mount < 0)
            (void)fail(h, "fsmount", op->type);
    }
    close(fs);
    return mount;
}

/* A copy of the host's mount of what may not be mounted anew. All below it gets the attributes as well, since what is
 * the host's must not become more than was asked for; nothing that is mounted here may reach the host. */
static int copy_mount(struct hands *h, const struct op_mount_new *op) {
    int tree = sys_open_tree(AT_FDCWD, op->instead, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (tree < 0)
        return fail(h, "open_tree", op->instead);
    /* Access times stay as they are there, since they may be locked. */
    uint64_t set = (uint64_t)(op->attr_set | op->instead_set) & ~(uint64_t)MOUNT_ATTR__ATIME;
    if (set_propagation(tree, "", MS_SLAVE, true) == 0 && set_attributes(tree, set, 0, true) == 0)
        return tree;
    (void)fail(h, "mount_setattr", op->instead);
    close(tree);
    return -1;
}

static int attach(struct hands *h, int mount, int target, const char *destination) {
    if (sys_move_mount(mount, "", target, "", BOTH_EMPTY) != 0)
        return fail(h, "move_mount", destination);
    return 0;
}

/* Nothing may be mounted into a procfs but what the plan says plainly: the symlink of an image, or a swapped directory
 * of a volume, would cover what is masked or read afterwards (CVE-2019-16884, CVE-2025-52881). */
static int refuse_detour_into_proc(struct hands *h, int target, const char *destination) {
    struct statfs fs;
    if (fstatfs(target, &fs) != 0)
        return fail(h, "fstatfs", destination);
    const char *path = destination + strspn(destination, "/");
    bool plain = strncmp(path, "proc", 4) == 0 && (path[4] == '/' || path[4] == '\0');
    if (fs.f_type == PROC_SUPER_MAGIC && !plain)
        return fail_with(h, "openat2", "a symlink leads into /proc", ELOOP);
    return 0;
}

/* A tmpfs takes after the directory that it covers, if there was one: its mode, with tmpcopyup what is in it. The label
 * is its own. */
static int take_after(struct hands *h, const struct op_mount_new *op, int mount, int target) {
    struct stat st;
    bool covers = target >= 0 && (op->copy_mode || op->copy_up);
    if (!covers && op->label[0] == '\0')
        return 0;
    int to = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (to < 0)
        return fail(h, "openat", op->destination);
    int result = 0;
    if (covers && op->copy_mode && (fstat(target, &st) != 0 || fchmod(to, st.st_mode & 07777) != 0))
        result = fail(h, "fchmod", op->destination);
    else if (covers && op->copy_up && copy_tree(target, to) != 0)
        result = fail(h, "copying up", op->destination);
    else if (set_label(to, op->label) != 0)
        result = fail(h, "fsetxattr", op->label);
    close(to);
    return result;
}

int do_mount_new(struct hands *h, const struct op_mount_new *op) {
    uint64_t resolve = op->real_directory ? RESOLVE_NO_SYMLINKS : 0;
    int target = open_in_root(h, op->destination, O_PATH, resolve);
    bool covers = target >= 0;
    if (!covers)
        target = open_made(h, op->destination, MAKE_DIRECTORY, resolve);
    if (target < 0)
        return fail(h, "openat2", op->destination);
    int mount = -1;
    if (refuse_detour_into_proc(h, target, op->destination) == 0) {
        mount = make_mount(h, op);
        bool refused = mount < 0 && (h->failed_errno == EPERM || h->failed_errno == EBUSY);
        if (refused && op->instead[0] != '\0')
            mount = copy_mount(h, op);
    }
    int result = -1;
    if (mount >= 0) {
        result = take_after(h, op, mount, covers ? target : -1);
        if (result == 0)
            result = attach(h, mount, target, op->destination);
        close(mount);
    }
    close(target);
    return result;
}

int do_mount_bind(struct hands *h, const struct op_mount_bind *op) {
    int tree = h->slots[op->slot];
    h->slots[op->slot] = -1;
    struct stat st;
    struct statfs fs;
    if (fstat(tree, &st) != 0)
        return fail(h, "fstat", NULL);
    if (op->procfs && (fstatfs(tree, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC)) {
        close(tree);
        return fail_with(h, "fstatfs", "the source is no procfs", EINVAL);
    }
    enum make make = S_ISDIR(st.st_mode) ? MAKE_DIRECTORY : MAKE_FILE;
    int target = op->nofollow ? open_itself(h, op->destination, make) : open_made(h, op->destination, make, 0);
    if (target < 0)
        return fail(h, "openat2", op->destination);
    int result = refuse_detour_into_proc(h, target, op->destination);
    if (result == 0)
        result = attach(h, tree, target, op->destination);
    close(target);
    /* Recursive attributes first: those of the mount itself win on it. */
    if (result == 0 && (set_attributes(tree, (uint64_t)op->rec_set, (uint64_t)op->rec_clr, true) != 0 ||
                           set_attributes(tree, (uint64_t)op->attr_set, (uint64_t)op->attr_clr, false) != 0))
        result = fail(h, "mount_setattr", op->destination);
    close(tree);
    return result;
}

int do_mount_change(struct hands *h, const struct op_mount_change *op) {
    int target = open_in_root(h, op->destination, O_PATH | (op->nofollow ? O_NOFOLLOW : 0), 0);
    if (target < 0)
        return fail(h, "openat2", op->destination);
    int result = 0;
    if (set_attributes(target, (uint64_t)op->rec_set, (uint64_t)op->rec_clr, true) != 0 ||
        set_attributes(target, (uint64_t)op->attr_set, (uint64_t)op->attr_clr, false) != 0)
        result = fail(h, "mount_setattr", op->destination);
    else if (op->propagation != 0 &&
             set_propagation(target, "", (uint64_t)op->propagation, op->propagation_recursive != 0) != 0)
        result = fail(h, "mount_setattr", op->destination);
    close(target);
    return result;
}

int do_reconfigure(struct hands *h, const struct op_reconfigure *op) {
    int target = open_made(h, op->destination, MAKE_NOTHING, 0);
    if (target < 0)
        return fail(h, "openat2", op->destination);
    int fs = sys_fspick(target, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
    int result = fs < 0 ? fail(h, "fspick", op->destination) : 0;
    for (size_t i = 0; result == 0 && i < op->options.count; i++)
        result = configure(h, fs, op->options.items[i]);
    if (result == 0 && sys_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) != 0)
        result = fail(h, "fsconfig", "reconfigure");
    if (fs >= 0)
        close(fs);
    close(target);
    return result;
}

/* What is gone by now need not be covered. */
static int cover(struct hands *h, const char *path) {
    int target = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (target < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : fail(h, "open", path);
    const struct op_mount_new op = {.type = "tmpfs", .source = "tmpfs", .attr_set = MOUNT_ATTR_RDONLY};
    int mount = make_mount(h, &op);
    int result = mount < 0 ? -1 : attach(h, mount, target, path);
    if (mount >= 0)
        close(mount);
    close(target);
    return result;
}

int do_detach(struct hands *h, const struct op_detach *op) {
    if (sys_umount(op->path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 || errno == ENOENT)
        return 0;
    return errno == EINVAL ? cover(h, op->path) : fail(h, "umount2", op->path);
}

int do_pivot(struct hands *h, const struct op_pivot *op) {
    enum { PIVOT, MOVE_AND_CHROOT };
    if (fchdir(h->root) != 0)
        return fail(h, "fchdir", NULL);
    if (op->how != PIVOT) {
        if (op->how == MOVE_AND_CHROOT && sys_move_mount(h->root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) != 0)
            return fail(h, "move_mount", "/");
        if (chroot(".") != 0 || chdir("/") != 0)
            return fail(h, "chroot", ".");
        return 0;
    }
    /* With both names ".", the old root ends up mounted on top of the new one and is detached from there
     * (pivot_root(2), "pivot_root(\".\", \".\")"). It is a slave by now, so nothing of this reaches the host. */
    int old = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (old < 0)
        return fail(h, "open", "/");
    int result = 0;
    if (sys_pivot_root(".", ".") != 0)
        result = fail(h, "pivot_root", NULL);
    else if (fchdir(old) != 0 || set_propagation(old, "", MS_SLAVE, true) != 0)
        result = fail(h, "mount_setattr", "the old root");
    else if (sys_umount(".", MNT_DETACH) != 0)
        result = fail(h, "umount2", "the old root");
    else if (chdir("/") != 0)
        result = fail(h, "chdir", "/");
    close(old);
    return result;
}

int do_root_change(struct hands *h, const struct op_root_change *op) {
    if (op->attr_set != 0 && set_attributes(h->root, (uint64_t)op->attr_set, 0, false) != 0)
        return fail(h, "mount_setattr", "/");
    if (op->propagation != 0 && set_propagation(h->root, "", (uint64_t)op->propagation, op->recursive != 0) != 0)
        return fail(h, "mount_setattr", "/");
    return 0;
}

/* The null device, not what the image calls so (CVE-2025-31133). */
static int mask_file(struct hands *h, int target, const char *path) {
    int null = open_in_root(h, "/dev/null", O_PATH, RESOLVE_NO_SYMLINKS);
    if (null < 0)
        return fail(h, "openat2", "/dev/null");
    int result = -1;
    int tree = is_null_device(null) ? sys_open_tree(null, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH) : -1;
    if (!is_null_device(null))
        (void)fail_with(h, "fstat", "/dev/null: not the null device", EINVAL);
    else if (tree < 0)
        (void)fail(h, "open_tree", "/dev/null");
    else
        result = attach(h, tree, target, path);
    if (tree >= 0)
        close(tree);
    close(null);
    return result;
}

static bool same_options(const struct op_mask *one, const struct op_mask *other) {
    bool same = one->options.count == other->options.count;
    for (uint32_t at = 0; same && at < one->options.count; at++)
        same = strcmp(one->options.items[at], other->options.items[at]) == 0;
    return same;
}

/* Masks of directories are mounts of one tmpfs, which is empty and read-only: a container has a dozen of them. */
static int mask_again(struct hands *h, int target, const char *path) {
    int tree = sys_open_tree(h->mask, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (tree < 0)
        return fail(h, "open_tree", path);
    /* Not a peer of the mount that it is a copy of. */
    int result = set_propagation(tree, "", MS_PRIVATE, false) != 0 ? fail(h, "mount_setattr", path)
                                                                   : attach(h, tree, target, path);
    close(tree);
    return result;
}

static int mask_directory(struct hands *h, int target, const struct op_mask *mask) {
    if (h->mask >= 0 && same_options(mask, h->masked))
        return mask_again(h, target, mask->path);
    size_t used = h->arena->used;
    char **options = strings_with(h->arena, &mask->options, "ro");
    if (options == NULL)
        return fail_with(h, "fsconfig", mask->path, ENOMEM);
    const struct op_mount_new op = {
        .type = "tmpfs",
        .source = "tmpfs",
        .attr_set = MOUNT_ATTR_RDONLY,
        .options = {options, mask->options.count + 1},
    };
    int mount = make_mount(h, &op);
    h->arena->used = used;
    if (mount < 0)
        return -1;
    int result = attach(h, mount, target, mask->path);
    if (h->mask >= 0)
        close(h->mask);
    h->mask = mount;
    h->masked = mask;
    return result;
}

int do_mask(struct hands *h, const struct op_mask *op) {
    int target = open_in_root(h, op->path, O_PATH, 0);
    struct stat st;
    /* A path that the image lacks needs no mask; so it is in runc, crun and the spec's text. */
    if (target < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : fail(h, "openat2", op->path);
    int result = -1;
    if (fstat(target, &st) != 0)
        (void)fail(h, "fstat", op->path);
    else
        result = S_ISDIR(st.st_mode) ? mask_directory(h, target, op) : mask_file(h, target, op->path);
    close(target);
    return result;
}

int do_readonly_path(struct hands *h, const struct op_readonly_path *op) {
    int target = open_in_root(h, op->path, O_PATH, 0);
    if (target < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : fail(h, "openat2", op->path);
    int result = -1;
    int tree = sys_open_tree(target, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
    if (tree < 0)
        (void)fail(h, "open_tree", op->path);
    else if (set_attributes(tree, MOUNT_ATTR_RDONLY, 0, false) != 0)
        (void)fail(h, "mount_setattr", op->path);
    else
        result = attach(h, tree, target, op->path);
    if (tree >= 0)
        close(tree);
    close(target);
    return result;
}
