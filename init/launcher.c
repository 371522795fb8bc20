/* The command `slinger`: finds the brain and becomes it.
 *
 * Rule of this file: it decides nothing about containers and leaves the environment, the descriptors and the
 * arguments as it got them. Whoever installs slinger gets one of
 *
 *     PREFIX/bin/slinger                                            this program
 *     PREFIX/{lib,lib64}/python3.N/{site,dist}-packages/slinger/    a virtual environment, --user, /usr/local
 *     PREFIX/lib/python3/dist-packages/slinger/                     a Debian package
 *
 * so the brain is looked for beside the program, never by PATH, HOME or PYTHONPATH: what runs does not depend on who
 * calls. The interpreter is python3.N beside the program, or in /usr/local/bin or /usr/bin.
 *
 * It starts with -I (no PYTHON* variables, no user site) and -S (no site module: that is 3 of 4 parts of a start),
 * with the code on the command line: docs/decisions/0002-launcher.md has the numbers.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "warm.h"

enum { MINOR_LEAST = 11, MINOR_MOST = 40, FAILED = 1 };

/* The path is an argument and not a part of the code, so that no character in it needs quoting. The collector of
 * cycles would walk the modules again and again while they are loaded, for a third of a verb's time; a verb is over
 * before there is anything to collect. */
static const char BRAIN[] = "import gc, sys, time\n"
                            "gc.disable()\n"
                            "sys._xoptions['interpreter'] = str(time.monotonic_ns())\n"
                            "sys.path.insert(0, sys.argv.pop(1))\n"
                            "from slinger.loading import install\n"
                            "install(sys.path[0])\n"
                            "from slinger.cli import main\n"
                            "main()\n";

/* How the brain learns when it was called: python -X launched=NANOSECONDS, which nobody inherits, unlike a variable of
 * the environment. CLOCK_MONOTONIC. */
static const char *launched(void) {
    static char text[] = "launched=0000000000000000000"; /* 2^63 has 19 digits */
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return "launched=";
    uint64_t rest = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
    for (size_t at = sizeof(text) - 2; rest > 0; rest /= 10)
        text[at--] = (char)('0' + rest % 10);
    return text;
}

struct path {
    size_t length;
    char text[PATH_MAX];
};

/* Says "slinger: WHAT PATH: WHY" on stderr in one write, and ends. */
static _Noreturn void die(const char *what, const char *path, const char *reason) {
    const char *words[] = {"slinger: ", what, " ", path, ": ", reason, "\n"};
    struct iovec line[sizeof(words) / sizeof(*words)];
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        line[i] = (struct iovec){.iov_base = (void *)(uintptr_t)words[i], .iov_len = strlen(words[i])};
    if (writev(STDERR_FILENO, line, sizeof(words) / sizeof(*words)) < 0)
        _exit(FAILED);
    _exit(FAILED);
}

/* What the C library says to errno, in lower case like every message of slinger. */
static const char *why(void) {
    static char text[128];
    strncpy(text, strerror(errno), sizeof(text) - 1);
    text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

/* A path too long for PATH_MAX cannot be opened either, so it is cut to "" and found missing. */
static void append(struct path *path, const char *text) {
    size_t length = strlen(text);
    if (path->length + length >= sizeof(path->text)) {
        path->length = 0;
        path->text[0] = '\0';
        return;
    }
    memcpy(path->text + path->length, text, length + 1);
    path->length += length;
}

static void append_minor(struct path *path, int minor) {
    char digits[3] = {(char)('0' + minor / 10), (char)('0' + minor % 10), '\0'};
    append(path, digits);
}

static void cut(struct path *path, size_t length) {
    path->length = length;
    path->text[length] = '\0';
}

/* PREFIX of PREFIX/bin/slinger, with symbolic links resolved: pipx links the command from elsewhere. */
static void find_prefix(struct path *prefix) {
    ssize_t length = readlink("/proc/self/exe", prefix->text, sizeof(prefix->text) - 1);
    if (length < 0)
        die("cannot read", "/proc/self/exe", why());
    cut(prefix, (size_t)length);
    for (int levels = 0; levels < 2; levels++) {
        char *slash = strrchr(prefix->text, '/');
        if (slash != NULL)
            cut(prefix, (size_t)(slash - prefix->text));
    }
}

/* True when `packages` holds slinger; `packages` is the directory that belongs on sys.path. */
static bool holds_brain(struct path *packages) {
    size_t length = packages->length;
    append(packages, "/slinger/__init__.py");
    bool found = access(packages->text, R_OK) == 0;
    cut(packages, length);
    return found;
}

/* The directory that holds the brain, and the minor version it was installed for: 0 for whatever python3 is. */
static int find_brain(const struct path *prefix, struct path *packages) {
    static const char *const LIBRARIES[] = {"/lib/python3.", "/lib64/python3."};
    static const char *const KINDS[] = {"/site-packages", "/dist-packages"};
    for (int minor = MINOR_MOST; minor >= MINOR_LEAST; minor--) {
        for (int i = 0; i < 4; i++) {
            *packages = *prefix;
            append(packages, LIBRARIES[i / 2]);
            append_minor(packages, minor);
            append(packages, KINDS[i % 2]);
            if (holds_brain(packages))
                return minor;
        }
    }
    *packages = *prefix;
    append(packages, "/lib/python3/dist-packages");
    if (holds_brain(packages))
        return 0;
    die("cannot find the brain below", prefix->text, "no lib/python3.*/site-packages/slinger; install slinger again");
}

/* The interpreter for the brain. The one beside the program comes first: in a virtual environment it is the one that
 * the brain was installed with. */
static void find_interpreter(const struct path *prefix, int minor, struct path *interpreter) {
    const char *directories[] = {prefix->text, "/usr/local", "/usr"};
    for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
        cut(interpreter, 0);
        append(interpreter, directories[i]);
        append(interpreter, "/bin/python3");
        size_t plain = interpreter->length;
        if (minor != 0) {
            append(interpreter, ".");
            append_minor(interpreter, minor);
            if (access(interpreter->text, X_OK) == 0)
                return;
            cut(interpreter, plain);
        }
        /* Elsewhere than beside the program a plain python3 may be older than the brain can stand. */
        if ((minor == 0 || i == 0) && access(interpreter->text, X_OK) == 0)
            return;
    }
    struct path wanted = {0};
    append(&wanted, "python3");
    if (minor != 0) {
        append(&wanted, ".");
        append_minor(&wanted, minor);
    }
    die("cannot find the interpreter", wanted.text, "not beside slinger, nor in /usr/local/bin or /usr/bin");
}

int main(int argc, char **argv) {
    static struct path prefix, packages, interpreter;
    const char *began = launched();
    warm_up(argc, argv);
    find_prefix(&prefix);
    find_interpreter(&prefix, find_brain(&prefix, &packages), &interpreter);

    /* python -I -S -X launched=N -c BRAIN packages [the caller's arguments] NULL */
    const char *const front[] = {interpreter.text, "-I", "-S", "-X", began, "-c", BRAIN, packages.text};
    const int fronts = sizeof(front) / sizeof(*front);
    int rest = argc > 0 ? argc - 1 : 0;
    char **arguments = calloc((size_t)(fronts + rest + 1), sizeof(*arguments));
    if (arguments == NULL)
        die("cannot start", interpreter.text, why());
    memcpy(arguments, front, sizeof(front));
    if (rest > 0)
        memcpy(arguments + fronts, argv + 1, (size_t)rest * sizeof(*arguments));

    execv(interpreter.text, arguments);
    die("cannot start", interpreter.text, why());
}
