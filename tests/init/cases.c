/* Unit tests of what the hands are made of, without the rest of them: arena, reports, paths inside the root.
 *
 * `cases` alone lists the cases, `cases NAME [DIRECTORY]` runs one; a test in test_cases.py runs each. Exit status 0,
 * or abort() with the line that does not hold. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hands.h"

#define HOLDS(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #condition, errno);                          \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

enum { LARGEST = 64 * 1024 };

static struct hands hands = {.me = ACTOR_OUTER, .link = -1, .link_other = -1, .root = -1, .proc = -1};
static uint8_t received[LARGEST + 1];
static int brain = -1;

static void connect_brain(void) {
    int pair[2];
    HOLDS(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    hands.brain = pair[0];
    brain = pair[1];
}

static size_t receive(void) {
    ssize_t size = recv(brain, received, sizeof received, 0);
    HOLDS(size >= 0);
    return (size_t)size;
}

/* ---- arena */

static void an_arena_gives_what_it_has_and_no_more(void) {
    struct arena arena = {.base = malloc(48), .size = 48};
    HOLDS(arena_take(&arena, 0) == arena.base);
    HOLDS(arena_take(&arena, 1) == arena.base);
    HOLDS(arena_take(&arena, 33) == NULL);
    HOLDS(arena_take(&arena, 32) == arena.base + 16);
    HOLDS(arena_take(&arena, 1) == NULL && arena.used == 48);
    free(arena.base);
}

static void a_size_that_cannot_be_rounded_up_is_not_given(void) {
    struct arena arena = {.base = malloc(64), .size = 64};
    for (size_t less = 0; less < 32; less++)
        HOLDS(arena_take(&arena, SIZE_MAX - less) == NULL);
    HOLDS(arena.used == 0);
    free(arena.base);
}

static void a_vector_with_one_more_item_ends_with_null(void) {
    char *items[] = {(char[]){"a"}, (char[]){"b"}, NULL};
    struct strings strings = {.items = items, .count = 2};
    struct arena arena = {.base = malloc(64), .size = 64};
    char **longer = strings_with(&arena, &strings, "c");
    HOLDS(longer != NULL && longer[0] == items[0] && longer[1] == items[1]);
    HOLDS(strcmp(longer[2], "c") == 0 && longer[3] == NULL);
    HOLDS(strings_with(&arena, &strings, NULL) != NULL);
    HOLDS(strings_with(&arena, &strings, NULL) == NULL);
    free(arena.base);
}

/* ---- reports */

static void a_failure_is_told_with_call_and_detail(void) {
    connect_brain();
    hands.at = 7;
    hands.failed_errno = 2;
    hands.failed_call = "open";
    hands.failed_detail = "/x";
    HOLDS(report_failed(&hands) == 0);
    static const uint8_t expected[] = "\2\0\0\0\7\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\4\0\0\0open\0\2\0\0\0/x";
    HOLDS(receive() == sizeof expected && memcmp(received, expected, sizeof expected) == 0);
}

static void a_failure_without_words_is_told_with_empty_ones(void) {
    connect_brain();
    HOLDS(report_failed(&hands) == 0);
    static const uint8_t nothing[4 + 8 + 8 + 5 + 5] = {2};
    HOLDS(receive() == sizeof nothing && memcmp(received, nothing, sizeof nothing) == 0);
}

static void a_report_that_is_too_long_is_cut_and_not_lost(void) {
    connect_brain();
    char *path = malloc(3 * LARGEST);
    memset(path, 'x', 3 * LARGEST - 1);
    path[3 * LARGEST - 1] = '\0';
    hands.failed_call = "mkdirat";
    hands.failed_detail = path;
    HOLDS(report_failed(&hands) == 0);
    HOLDS(receive() == LARGEST && received[LARGEST - 1] == 'x');
    free(path);
}

static void streams_that_are_too_long_are_cut(void) {
    connect_brain();
    uint8_t *stream = calloc(1, LARGEST);
    struct hook_run run = {.out = {stream, LARGEST}, .err = {stream, LARGEST}, .duration = -1};
    HOLDS(report_hook(&hands, &run) == 0);
    HOLDS(receive() == LARGEST);
    free(stream);
}

static void a_brain_that_is_gone_is_an_error_and_no_signal(void) {
    connect_brain();
    close(brain);
    HOLDS(report_gate(&hands) == -1 && errno == EPIPE);
    HOLDS(wait_for_go(&hands) == -1 && errno == ECONNRESET);
}

static void only_the_right_answer_lets_the_hands_go_on(void) {
    connect_brain();
    HOLDS(send(brain, "G", 1, 0) == 1 && wait_for_go(&hands) == 0);
    HOLDS(send(brain, "g", 1, 0) == 1 && wait_for_go(&hands) == -1 && errno == ECONNRESET);
}

/* ---- paths: DIRECTORY is the root, empty at first */

static bool is_inside(const char *path) {
    struct stat st;
    return fstatat(hands.root, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void what_is_missing_is_made_below_the_root(void) {
    HOLDS(open_made(&hands, "/a//b/./c/", MAKE_DIRECTORY, 0) >= 0 && is_inside("a/b/c"));
    HOLDS(open_made(&hands, "a/file", MAKE_FILE, 0) >= 0 && is_inside("a/file"));
    HOLDS(open_made(&hands, "/", MAKE_DIRECTORY, 0) >= 0);
    HOLDS(open_made(&hands, "", MAKE_DIRECTORY, 0) >= 0);
    HOLDS(open_made(&hands, "missing", MAKE_NOTHING, 0) == -1 && errno == ENOENT);
}

static void no_link_and_no_dots_lead_out_of_the_root(void) {
    HOLDS(symlinkat("..", hands.root, "out") == 0 && symlinkat("/etc", hands.root, "conf") == 0);
    HOLDS(open_made(&hands, "out/made", MAKE_DIRECTORY, 0) >= 0 && is_inside("made"));
    HOLDS(open_made(&hands, "../../made2", MAKE_DIRECTORY, 0) >= 0 && is_inside("made2"));
    HOLDS(open_in_root(&hands, "conf/passwd", O_PATH, 0) == -1 && errno == ENOENT);
    HOLDS(open_made(&hands, "conf/passwd", MAKE_FILE, RESOLVE_NO_SYMLINKS) == -1 && !is_inside("etc"));
    HOLDS(open_made(&hands, "conf/passwd", MAKE_FILE, 0) >= 0 && is_inside("etc/passwd"));
    HOLDS(symlinkat("../../far/./off/", hands.root, "away") == 0 && symlinkat("away/x", hands.root, "more") == 0);
    HOLDS(open_made(&hands, "more/../y", MAKE_DIRECTORY, 0) >= 0 && is_inside("far/off/x") && is_inside("far/off/y"));
}

static void a_name_that_is_too_long_is_refused(void) {
    static char path[3 * 4096];
    for (size_t size = 254; size < sizeof path - 2; size += size < 260 ? 1 : 1021) {
        memset(path, 'n', size);
        path[size] = '\0';
        int fd = open_made(&hands, path, MAKE_DIRECTORY, 0);
        HOLDS(size <= 255 ? fd >= 0 : fd == -1 && errno == ENAMETOOLONG);
    }
    for (size_t i = 0; i < sizeof path - 1; i++)
        path[i] = i % 2 ? '/' : 'd';
    HOLDS(open_made(&hands, path, MAKE_DIRECTORY, 0) == -1 && errno == ENAMETOOLONG);
}

static void a_parent_is_asked_for_with_a_real_name(void) {
    const char *name = NULL;
    static const char *const none[] = {"", "/", "a/", ".", "..", "/a/.", "a/.."};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        HOLDS(open_parent(&hands, none[i], &name) == -1 && errno == EINVAL);
    HOLDS(
        open_parent(&hands, "/x/y/z", &name) >= 0 && strcmp(name, "z") == 0 && is_inside("x/y") && !is_inside("x/y/z"));
    HOLDS(open_parent(&hands, "w", &name) >= 0 && strcmp(name, "w") == 0 && !is_inside("w"));
}

static void without_a_root_nothing_is_opened(void) {
    close(hands.root);
    hands.root = -1;
    HOLDS(open_in_root(&hands, "/etc/passwd", O_PATH, 0) == -1 && errno == EBADF);
    HOLDS(open_made(&hands, "/etc/passwd", MAKE_FILE, 0) == -1 && errno == EBADF);
}

#define CASE(name) {#name, name}
static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    CASE(an_arena_gives_what_it_has_and_no_more),
    CASE(a_size_that_cannot_be_rounded_up_is_not_given),
    CASE(a_vector_with_one_more_item_ends_with_null),
    CASE(a_failure_is_told_with_call_and_detail),
    CASE(a_failure_without_words_is_told_with_empty_ones),
    CASE(a_report_that_is_too_long_is_cut_and_not_lost),
    CASE(streams_that_are_too_long_are_cut),
    CASE(a_brain_that_is_gone_is_an_error_and_no_signal),
    CASE(only_the_right_answer_lets_the_hands_go_on),
    CASE(what_is_missing_is_made_below_the_root),
    CASE(no_link_and_no_dots_lead_out_of_the_root),
    CASE(a_name_that_is_too_long_is_refused),
    CASE(a_parent_is_asked_for_with_a_real_name),
    CASE(without_a_root_nothing_is_opened),
};

int main(int argc, char **argv) {
    if (argc > 2)
        hands.root = open(argv[2], O_PATH | O_DIRECTORY);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (argc == 1)
            puts(cases[i].name);
        else if (strcmp(argv[1], cases[i].name) == 0)
            return cases[i].run(), 0;
    }
    return argc == 1 ? 0 : 64;
}
