/* Copying what a tmpfs covers into it (tmpcopyup). Everything is reached from two directory descriptors, and no
 * symlink is followed: they are copied as they are. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hands.h"

enum { BUFFER = 8192, LINK_LIMIT = 4096, DEPTH_LIMIT = 64 };

/* struct linux_dirent64 of getdents64(2); the C library has it only behind a heap. */
struct entry {
    uint64_t inode;
    int64_t offset;
    unsigned short size;
    unsigned char type;
    char name[];
};

static int copy_directory(int from, int to, int depth);

static int copy_data(int from, int to) {
    ssize_t sent;
    while ((sent = sendfile(to, from, NULL, 1 << 30)) > 0)
        ;
    return (int)sent;
}

static int copy_file(int from, int to, const char *name, const struct stat *st) {
    int source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int copy = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int result = source < 0 || copy < 0 ? -1 : copy_data(source, copy);
    /* The owner first: a change of owner clears the set-id bits. */
    if (result == 0)
        result = fchown(copy, st->st_uid, st->st_gid) != 0 ? -1 : fchmod(copy, st->st_mode & 07777);
    int error = errno;
    if (source >= 0)
        close(source);
    if (copy >= 0)
        close(copy);
    errno = error;
    return result;
}

static int copy_link(int from, int to, const char *name, const struct stat *st) {
    char target[LINK_LIMIT];
    ssize_t size = readlinkat(from, name, target, sizeof target - 1);
    if (size < 0)
        return -1;
    target[size] = '\0';
    return symlinkat(target, to, name) != 0 ? -1 : fchownat(to, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW);
}

static int copy_subdirectory(int from, int to, const char *name, const struct stat *st, int depth) {
    if (mkdirat(to, name, 0700) != 0)
        return -1;
    int source = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int copy = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int result = source < 0 || copy < 0 ? -1 : copy_directory(source, copy, depth + 1);
    if (result == 0)
        result = fchown(copy, st->st_uid, st->st_gid) != 0 ? -1 : fchmod(copy, st->st_mode & 07777);
    int error = errno;
    if (source >= 0)
        close(source);
    if (copy >= 0)
        close(copy);
    errno = error;
    return result;
}

static int copy_entry(int from, int to, const char *name, int depth) {
    struct stat st;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return -1;
    if (S_ISREG(st.st_mode))
        return copy_file(from, to, name, &st);
    if (S_ISLNK(st.st_mode))
        return copy_link(from, to, name, &st);
    if (S_ISDIR(st.st_mode))
        return copy_subdirectory(from, to, name, &st, depth);
    /* Devices, fifos and sockets are made by who needs them. */
    return 0;
}

static int copy_directory(int from, int to, int depth) {
    char buffer[BUFFER] __attribute__((aligned(8)));
    if (depth > DEPTH_LIMIT) {
        errno = ELOOP;
        return -1;
    }
    for (;;) {
        long got = syscall(SYS_getdents64, from, buffer, sizeof buffer);
        if (got <= 0)
            return (int)got;
        for (long at = 0; at < got;) {
            const struct entry *entry = (const struct entry *)(const void *)(buffer + at);
            if (copy_entry(from, to, entry->name, depth) != 0)
                return -1;
            at += entry->size;
        }
    }
}

/* `from` may be an O_PATH descriptor; what lies below it goes below `to`. 0, or -1 with errno. */
int copy_tree(int from, int to) {
    int source = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (source < 0)
        return -1;
    int result = copy_directory(source, to, 0);
    int error = errno;
    close(source);
    errno = error;
    return result;
}
