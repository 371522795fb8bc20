/* Owners of files as a mount shows them. The maps are those of a user namespace, which lives on in its descriptor
 * (mount_setattr(2), "ID-mapped mounts"). */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hands.h"
#include "sys.h"

/* A file of a process of ours. */
static int open_of(pid_t pid, const char *name, int flags) {
    char path[64] = "/proc/";
    size_t at = strlen(path);
    at += put_decimal(path + at, pid);
    path[at++] = '/';
    strcpy(path + at, name);
    return open(path, flags | O_CLOEXEC);
}

static int write_map(struct hands *h, pid_t pid, const char *name, const char *text) {
    int fd = open_of(pid, name, O_WRONLY);
    return fd < 0 ? fail(h, "open", name) : write_file(h, fd, name, text, strlen(text));
}

/* The namespace of a process that does nothing but wait until we have it; it ends with us, whatever happens. */
static int make_namespace(struct hands *h, const struct op_id_map *op) {
    const struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    int wait[2];
    char nothing;
    if (pipe2(wait, O_CLOEXEC) != 0)
        return fail(h, "pipe2", NULL);
    pid_t pid = sys_clone3(&args);
    if (pid == 0) {
        close(wait[1]);
        _exit(read(wait[0], &nothing, 1) == 0 ? 0 : 1);
    }
    int fd = -1;
    if (pid < 0)
        (void)fail(h, "clone3", NULL);
    else if (write_map(h, pid, "uid_map", op->uids) == 0 && write_map(h, pid, "gid_map", op->gids) == 0) {
        fd = open_of(pid, "ns/user", O_RDONLY);
        if (fd < 0)
            (void)fail(h, "open", "ns/user");
    }
    close(wait[0]);
    close(wait[1]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return fd;
}

int do_id_map(struct hands *h, const struct op_id_map *op) {
    int fd = op->path[0] == '\0' ? make_namespace(h, op) : open(op->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return op->path[0] == '\0' ? -1 : fail(h, "open", op->path);
    h->slots[op->slot] = fd;
    return 0;
}

int do_map_tree(struct hands *h, const struct op_map_tree *op) {
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)h->slots[op->map_slot]};
    unsigned int flags = AT_EMPTY_PATH | (op->recursive ? AT_RECURSIVE : 0);
    int done = sys_mount_setattr(h->slots[op->slot], "", flags, &attr);
    return done == 0 ? 0 : fail(h, "mount_setattr", op->path);
}
