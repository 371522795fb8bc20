/* Descriptors of where init is, for a function of the brain's program that is to be called there. Init opens them
 * itself: nobody without privilege over it may, since it is not dumpable. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "hands.h"

/* 0 for a namespace that this kernel has not got. */
static int hand_out_namespace(struct hands *h, int own, const char *name) {
    int fd = openat(own, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : fail(h, "open /proc/self/ns", name);
    int sent = report_handle(h, name, fd);
    int error = errno;
    close(fd);
    return sent == 0 ? 0 : fail_with(h, "sendmsg", name, error);
}

static int hand_out_directory(struct hands *h, const char *name, int at, const char *path, int flags) {
    int fd = openat(at, path, flags | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(h, "open", name);
    int sent = report_handle(h, name, fd);
    int error = errno;
    close(fd);
    return sent == 0 ? 0 : fail_with(h, "sendmsg", name, error);
}

int do_handles(struct hands *h, const struct op_handles *op) {
    static const char *const names[] = {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"};
    int proc = open_proc(h);
    int own = proc < 0 ? -1 : openat(proc, "self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (own < 0)
        return fail(h, "open", "/proc/self/ns");
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof names / sizeof names[0]; i++)
        result = hand_out_namespace(h, own, names[i]);
    close(own);
    if (result != 0)
        return result;
    if (!op->entered)
        return hand_out_directory(h, "root", h->root, ".", O_RDONLY);
    /* By now it may be a user who must not list them. */
    if (hand_out_directory(h, "root", AT_FDCWD, "/", O_PATH) != 0)
        return -1;
    return hand_out_directory(h, "cwd", AT_FDCWD, ".", O_PATH);
}
