/* Paths inside the container. Rule of this file: a path of the container is only ever looked up with
 * openat2(RESOLVE_IN_ROOT) below the root handle, so no symlink and no race leads out of it
 * (CVE-2019-18837, CVE-2021-30465, CVE-2024-45310, CVE-2026-41579). */
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "hands.h"
#include "sys.h"

enum { PATH_LIMIT = 4096, PROC_ROOT_INO = 1, DIRECTORY_MODE = 0755, FILE_MODE = 0644 };

/* openat2 gives EAGAIN when a rename raced with a ".." inside the root; a bounded number of tries is enough for
 * honest neighbours, and an attacker gets an error. */
static int open_at(int dir, const char *path, uint64_t flags, uint64_t resolve) {
    for (int tries = 0; tries < 64; tries++) {
        int fd = sys_openat2(dir, path, flags, 0, resolve);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            return fd;
    }
    return -1;
}

int open_in_root(struct hands *h, const char *path, uint64_t flags, uint64_t resolve) {
    int dir = h->root >= 0 ? h->root : AT_FDCWD;
    if (path[0] == '\0')
        path = "/";
    if (dir == AT_FDCWD) {
        errno = EBADF;
        return -1;
    }
    return open_at(dir, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve);
}

static int open_prefix(struct hands *h, const char *path, size_t length, uint64_t flags, uint64_t resolve) {
    char prefix[PATH_LIMIT];
    if (length >= sizeof prefix) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(prefix, path, length);
    prefix[length] = '\0';
    return open_in_root(h, prefix, flags, resolve);
}

/* Make the last component of path[0..end) in its parent, which exists. */
static int make_one(struct hands *h, const char *path, size_t start, size_t end, bool file, uint64_t resolve) {
    char name[256];
    size_t size = end - start;
    if (size >= sizeof name) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(name, path + start, size);
    name[size] = '\0';
    int parent = open_prefix(h, path, start, O_PATH | O_DIRECTORY, resolve);
    if (parent < 0)
        return -1;
    int made = file ? mknodat(parent, name, S_IFREG | FILE_MODE, 0) : mkdirat(parent, name, DIRECTORY_MODE);
    int error = errno;
    /* Somebody else may have made it meanwhile; what it is shows when it is opened below the same parent. */
    int fd = -1;
    if (made == 0 || error == EEXIST) {
        fd = open_at(parent, name, O_PATH | (file ? 0 : O_DIRECTORY), RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        error = errno;
    }
    close(parent);
    errno = error;
    return fd;
}

/* Put what a symlink that leads nowhere says in its place, path[start..end): 1; 0 if there is no symlink; -1. */
static int follow_link(struct hands *h, char *path, size_t start, size_t end) {
    char target[PATH_LIMIT];
    int link = open_prefix(h, path, end, O_PATH | O_NOFOLLOW, 0);
    if (link < 0)
        return errno == ENOENT ? 0 : -1;
    ssize_t size = readlinkat(link, "", target, sizeof target);
    close(link);
    if (size < 0)
        return errno == ENOENT || errno == EINVAL ? 0 : -1;
    size_t rest = strlen(path + end) + 1;
    size_t kept = target[0] == '/' ? 0 : start;
    if (kept + (size_t)size + rest > PATH_LIMIT) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memmove(path + kept + size, path + end, rest);
    memcpy(path + kept, target, (size_t)size);
    return 1;
}

/* Component by component; *found is what is at the end. 1 if a symlink was followed, which has changed the path. */
static int make_along(struct hands *h, char *path, enum make make, uint64_t resolve, int *found) {
    size_t end = 0;
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/')
        length--;
    for (size_t start = 0; start < length; start = end) {
        while (start < length && path[start] == '/')
            start++;
        for (end = start; end < length && path[end] != '/'; end++)
            ;
        bool last = end >= length;
        if (last && make == MAKE_PARENT) {
            *found = open_prefix(h, path, start, O_PATH | O_DIRECTORY, resolve);
            return 0;
        }
        int fd = open_prefix(h, path, end, O_PATH, resolve);
        if (fd < 0 && errno == ENOENT) {
            int followed = resolve & RESOLVE_NO_SYMLINKS ? 0 : follow_link(h, path, start, end);
            if (followed != 0)
                return followed;
            fd = make_one(h, path, start, end, last && make == MAKE_FILE, resolve);
        }
        if (fd < 0 || last) {
            *found = fd;
            return 0;
        }
        close(fd);
    }
    *found = open_in_root(h, "/", O_PATH, resolve);
    return 0;
}

/* Open a path that is made where it is missing. With MAKE_PARENT only what leads to it. What the symlinks of an image
 * lead to is made inside the root, as a process there would make it. */
int open_made(struct hands *h, const char *path, enum make make, uint64_t resolve) {
    enum { LINKS_MAX = 40 }; /* as the kernel has it: path_resolution(7) */
    char work[PATH_LIMIT];
    int fd = make == MAKE_PARENT ? -1 : open_in_root(h, path, O_PATH, resolve);
    if (make == MAKE_NOTHING || fd >= 0 || (make != MAKE_PARENT && errno != ENOENT))
        return fd;
    if (strlen(path) >= sizeof work) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(work, path);
    for (int links = 0; links <= LINKS_MAX; links++) {
        int followed = make_along(h, work, make, resolve, &fd);
        if (followed <= 0)
            return followed < 0 ? -1 : fd;
    }
    errno = ELOOP;
    return -1;
}

/* The same for a path whose last component is taken as it is, also if it is a symlink. */
int open_itself(struct hands *h, const char *path, enum make make) {
    int fd = open_in_root(h, path, O_PATH | O_NOFOLLOW, 0);
    return fd < 0 && errno == ENOENT ? open_made(h, path, make, 0) : fd;
}

/* The directory that holds a path, made if missing; *name is the last component. */
int open_parent(struct hands *h, const char *path, const char **name) {
    const char *slash = strrchr(path, '/');
    *name = slash == NULL ? path : slash + 1;
    if ((*name)[0] == '\0' || strcmp(*name, ".") == 0 || strcmp(*name, "..") == 0) {
        errno = EINVAL;
        return -1;
    }
    return open_made(h, path, MAKE_PARENT, 0);
}

/* A procfs that was checked to be the root of one: what the container mounts over /proc is never written to. */
int open_proc(struct hands *h) {
    if (h->proc >= 0)
        return h->proc;
    int fs = sys_fsopen("proc", FSOPEN_CLOEXEC);
    if (fs >= 0) {
        if (sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
            h->proc = sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        int error = errno;
        close(fs);
        errno = error;
        if (h->proc >= 0)
            return h->proc;
    }
    /* Not allowed where the host's own procfs is partly covered (an unprivileged user namespace in a container). */
    int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct statfs fs_stat;
    struct stat st;
    if (fd < 0 || fstatfs(fd, &fs_stat) != 0 || fstat(fd, &st) != 0)
        return -1;
    if (fs_stat.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INO) {
        close(fd);
        errno = ENOTSUP;
        return -1;
    }
    h->proc = fd;
    return fd;
}

bool is_null_device(int fd) {
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}
