/* The program that the tests run inside containers and as hooks: static, needs no other file, tells what it sees.
 *
 *   payload report [--probe PATH]... [--list DIR]... [--file PATH]...   one JSON object about everything
 *   payload probe PATH...                                               what is at these paths, may it be read, written
 *   payload hook-report FILE [WORD...]                                  as a hook: one JSON line appended to FILE
 *   payload                                                             the same, into the file in $HOOK_REPORT
 *   payload SUBCOMMAND ...                                              see the table; `hook-X` is another name of X
 *
 * Exit status 125: no such subcommand, or the payload itself failed.
 */
#define _GNU_SOURCE
#include "commands.h"
#include "facts.h"
#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct command {
    const char *name;
    int (*run)(char **argv);
};

static const struct command commands[] = {
    {"report", command_report},
    {"probe", command_probe},
    {"hook-report", command_hook_report},
    {"true", command_true},
    {"exit", command_exit},
    {"kill", command_kill},
    {"sleep", command_sleep},
    {"pause", command_pause},
    {"echo", command_echo},
    {"cat", command_cat},
    {"write", command_write},
    {"fds", command_fds},
    {"forks", command_forks},
    {"bomb", command_bomb},
    {"children", command_children},
    {"mem", command_mem},
    {"daemon", command_daemon},
    {"mount", command_mount},
    {"tty", command_tty},
    {"spam", command_spam},
    {"close-stdin", command_close_stdin},
    {"drain", command_drain},
    {"repeat", command_repeat},
    {"read-slowly", command_read_slowly},
    {"try-syscall", command_try_syscall},
    {"attack-swap", command_attack_swap},
    {"attack-watch", command_attack_watch},
    {"attack-mkdir", command_attack_mkdir},
    {"attack-entering", command_attack_entering},
};

/* The whole argument vector, argv[0] included. */
static char **all_words;

/* What both a container's process and a hook report. Descriptors first, before any file has been opened. */
static void common_facts(void) {
    fact_descriptors();
    fact_stdio();
    fact_ids();
    fact_capabilities();
    fact_privileges();
    fact_limits();
    fact_namespaces();
    fact_family();
    fact_scheduling();
    fact_signals();
    fact_uts();
    fact_words("env", environ);
    fact_cwd();
    fact_file("cgroup", "/proc/self/cgroup");
}

/* The paths that follow one option, as one object. */
static void each_option(const char *key, const char *option, char **argv, void (*fact)(const char *path)) {
    json_key(key);
    json_open('{');
    for (int i = 1; argv[i]; i++)
        if (strcmp(argv[i], option) == 0 && argv[i + 1])
            fact(argv[++i]);
    json_close('}');
}

static void list_directory(const char *path) {
    fact_directory(path, path);
}

static void file_text(const char *path) {
    fact_file(path, path);
}

int command_report(char **argv) {
    json_open('{');
    common_facts();
    fact_words("argv", argv);
    fact_keyring();
    fact_mounts();
    each_option("probes", "--probe", argv, fact_probe);
    each_option("lists", "--list", argv, list_directory);
    each_option("files", "--file", argv, file_text);
    json_close('}');
    return json_flush(STDOUT_FILENO) < 0 ? 125 : 0;
}

int command_probe(char **argv) {
    json_open('{');
    for (int i = 1; argv[i]; i++)
        fact_probe(argv[i]);
    json_close('}');
    return json_flush(STDOUT_FILENO) < 0 ? 125 : 0;
}

/* All of stdin, or as much as fits. */
static void fact_stdin(void) {
    static char text[256 * 1024];
    size_t size = 0;
    ssize_t n;
    while (size < sizeof text && (n = read(STDIN_FILENO, text + size, sizeof text - size)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        size += (size_t)n;
    }
    json_key("stdin");
    json_bytes(text, size);
}

static int64_t monotonic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Which directory is "/" for this process, as device:inode. */
static void fact_root(void) {
    struct stat info;
    char text[64];
    if (stat("/", &info) < 0)
        return;
    snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)info.st_dev, (unsigned long long)info.st_ino);
    json_pair_text("root", text);
}

int command_hook_report(char **argv) {
    if (!argv[1])
        return 125;
    json_open('{');
    json_pair_number("monotonic", monotonic_nanoseconds());
    common_facts();
    fact_words("argv", argv);
    fact_words("words", all_words);
    fact_root();
    fact_stdin();
    json_close('}');
    const int fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0 || json_flush(fd) < 0) {
        dprintf(STDERR_FILENO, "payload: %s: %s\n", argv[1], strerror(errno));
        return 125;
    }
    return 0;
}

static const struct command *find(const char *name);

/* drain COMMAND...: read stdin to its end, then do what follows. */
int command_drain(char **argv) {
    char piece[4096];
    ssize_t got;
    while ((got = read(STDIN_FILENO, piece, sizeof piece)) > 0)
        ;
    const struct command *command = argv[1] ? find(argv[1]) : NULL;
    return got == 0 && command ? command->run(argv + 1) : 125;
}

static const struct command *find(const char *name) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return strncmp(name, "hook-", 5) == 0 ? find(name + 5) : NULL;
}

int main(int argc, char **argv) {
    all_words = argv;
    if (argc == 1 && getenv("HOOK_REPORT"))
        return command_hook_report((char *[]){"hook-report", getenv("HOOK_REPORT"), NULL});
    const struct command *command = argc > 1 ? find(argv[1]) : NULL;
    if (!command) {
        dprintf(STDERR_FILENO, "payload: no such subcommand: %s\n", argc > 1 ? argv[1] : "(none)");
        return 125;
    }
    return command->run(argv + 1);
}
