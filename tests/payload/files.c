/* Facts about the view of the file system: mount table, descriptors, directories, probes of single paths. */
#define _GNU_SOURCE
#include "facts.h"
#include "json.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

void fact_cwd(void) {
    char path[PATH_MAX];
    json_key("cwd");
    if (getcwd(path, sizeof path))
        json_text(path);
    else
        json_errno(errno);
}

/* /proc/self/mountinfo, proc(5): ID PARENT MAJ:MIN ROOT POINT OPTIONS [TAG...] - TYPE SOURCE SUPER */
static void mount_line(char *line) {
    char *rest = line;
    char *field[6];
    for (int i = 0; i < 6; i++)
        field[i] = strsep(&rest, " ");
    json_open('{');
    json_pair_text("point", field[4]);
    json_pair_text("root", field[3]);
    json_pair_text("options", field[5]);
    json_key("propagation");
    json_open('[');
    for (char *tag = strsep(&rest, " "); tag && strcmp(tag, "-") != 0; tag = strsep(&rest, " "))
        json_text(tag);
    json_close(']');
    json_pair_text("type", strsep(&rest, " "));
    json_pair_text("source", strsep(&rest, " "));
    json_pair_text("super", rest ? rest : "");
    json_close('}');
}

void fact_mounts(void) {
    static char table[512 * 1024];
    json_key("mounts");
    if (slurp("/proc/self/mountinfo", table, sizeof table) < 0) {
        json_errno(errno);
        return;
    }
    char *rest = table;
    json_open('[');
    for (char *line = strsep(&rest, "\n"); line && *line; line = strsep(&rest, "\n"))
        mount_line(line);
    json_close(']');
}

static const char *kind_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG:
        return "file";
    case S_IFDIR:
        return "directory";
    case S_IFLNK:
        return "link";
    case S_IFCHR:
        return "character device";
    case S_IFBLK:
        return "block device";
    case S_IFIFO:
        return "fifo";
    case S_IFSOCK:
        return "socket";
    default:
        return "other";
    }
}

/* Kind, mode, owner, device number and link target of what fstatat found. */
static void describe(int at, const char *name, const struct stat *info) {
    char text[PATH_MAX];
    json_pair_text("kind", kind_of(info->st_mode));
    snprintf(text, sizeof text, "%04o", info->st_mode & 07777);
    json_pair_text("mode", text);
    snprintf(text, sizeof text, "%u:%u", info->st_uid, info->st_gid);
    json_pair_text("owner", text);
    if (S_ISCHR(info->st_mode) || S_ISBLK(info->st_mode)) {
        snprintf(text, sizeof text, "%u:%u", major(info->st_rdev), minor(info->st_rdev));
        json_pair_text("device", text);
    }
    if (S_ISLNK(info->st_mode)) {
        const ssize_t size = readlinkat(at, name, text, sizeof text);
        json_key("target");
        json_bytes(text, size < 0 ? 0 : (size_t)size);
    }
}

static int compare_names(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int real_name(const struct dirent *entry) {
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

void fact_directory(const char *name, const char *path) {
    struct dirent **entries;
    const int count = scandir(path, &entries, real_name, compare_names);
    const int error = errno;
    const int at = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    json_key(name);
    if (count < 0) {
        json_errno(error);
        return;
    }
    json_open('{');
    for (int i = 0; i < count; i++) {
        struct stat info;
        json_key(entries[i]->d_name);
        json_open('{');
        if (fstatat(at, entries[i]->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0)
            describe(at, entries[i]->d_name, &info);
        json_close('}');
    }
    json_close('}');
    close(at);
}

/* Descriptors by number: what they lead to and how they were opened. The one used for looking is left out. */
void fact_descriptors(void) {
    json_key("descriptors");
    json_open('{');
    const int limit = (int)sysconf(_SC_OPEN_MAX) < 4096 ? (int)sysconf(_SC_OPEN_MAX) : 4096;
    for (int fd = 0; fd < limit; fd++) {
        char name[40];
        char target[PATH_MAX];
        const int flags = fcntl(fd, F_GETFL);
        if (flags < 0)
            continue;
        snprintf(name, sizeof name, "%d", fd);
        json_key(name);
        json_open('{');
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        const ssize_t size = readlink(name, target, sizeof target);
        json_key("target");
        if (size < 0)
            json_errno(errno);
        else
            json_bytes(target, (size_t)size);
        json_pair_text("access", (flags & O_ACCMODE) == O_RDONLY ? "r" : (flags & O_ACCMODE) == O_WRONLY ? "w" : "rw");
        json_close('}');
    }
    json_close('}');
}

void fact_stdio(void) {
    json_key("stdio");
    json_open('[');
    for (int fd = 0; fd < 3; fd++) {
        struct stat info;
        if (fstat(fd, &info) < 0)
            json_errno(errno);
        else
            json_text(isatty(fd) ? "terminal" : kind_of(info.st_mode));
    }
    json_close(']');

    /* Whether the program may open /dev/stdout again: by owner and mode. */
    json_key("stdioOwner");
    json_open('[');
    for (int fd = 0; fd < 3; fd++) {
        struct stat info;
        char text[48];
        if (fstat(fd, &info) < 0) {
            json_errno(errno);
            continue;
        }
        snprintf(text, sizeof text, "%u:%u %04o", info.st_uid, info.st_gid, info.st_mode & 07777);
        json_text(text);
    }
    json_close(']');
}

/* How many bytes can be read, stopping after 64 KiB; -1 with errno. Never blocks. */
static ssize_t readable_bytes(const char *path, char *first, size_t first_size) {
    char block[4096];
    ssize_t total = 0;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -1;
    first[0] = '\0';
    while (total < 65536) {
        const ssize_t n = read(fd, block, sizeof block);
        if (n < 0) {
            const int error = errno;
            close(fd);
            errno = error;
            return -1;
        }
        if (n == 0)
            break;
        if (total == 0)
            snprintf(first, first_size, "%.*s", (int)n, block);
        total += n;
    }
    close(fd);
    return total;
}

/* One path: what it is, whether it can be read (and how much, how it begins), whether it could be written. Nothing is
 * written: a file is only opened for writing, a directory only asked with access(2). */
void fact_probe(const char *path) {
    struct stat info;
    json_key(path);
    json_open('{');
    if (lstat(path, &info) < 0) {
        json_key("error");
        json_errno(errno);
        json_close('}');
        return;
    }
    describe(AT_FDCWD, path, &info);
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        fact_directory("entries", path);
        json_key("write");
        json_errno(access(path, W_OK) < 0 ? errno : 0);
    } else {
        char text[257];
        const ssize_t size = readable_bytes(path, text, sizeof text);
        json_key("read");
        json_errno(size < 0 ? errno : 0);
        if (size >= 0) {
            json_pair_number("size", size);
            json_pair_text("text", text);
        }
        const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        json_key("write");
        json_errno(fd < 0 ? errno : 0);
        if (fd >= 0)
            close(fd);
    }
    json_close('}');
}
