/* try-syscall NAME...: what the kernel (or a seccomp filter in front of it) answers to a call.
 *
 * Rule of the file: each call is made with arguments that cannot succeed or that change nothing, so that trying is
 * harmless even for a privileged process. Each is made by a child, because a filter may kill the caller.
 */
#define _GNU_SOURCE
#include "commands.h"
#include "json.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct attempt {
    const char *name;
    long number;
    unsigned long arguments[5];
};

#define BAD ((unsigned long)-1)
#define NEWUSER 0x10000000UL

static const struct attempt attempts[] = {
    {"acct", SYS_acct, {1}},
    {"add_key", SYS_add_key, {0, 0, 0, 0, BAD}},
    {"bpf", SYS_bpf, {BAD, 0, 0}},
    {"chroot", SYS_chroot, {0}},
    {"clock_settime", SYS_clock_settime, {BAD, 0}},
    {"clone3", SYS_clone3, {0, 0}},
    {"delete_module", SYS_delete_module, {0, 0}},
    {"fchmodat", SYS_fchmodat, {BAD, 0, 0}},
    {"fsopen", SYS_fsopen, {0, BAD}},
    {"getpid", SYS_getpid, {0}},
    {"init_module", SYS_init_module, {0, 0, 0}},
    {"io_uring_setup", SYS_io_uring_setup, {0, 0}},
    {"kcmp", SYS_kcmp, {BAD, BAD, BAD, 0, 0}},
    {"kexec_load", SYS_kexec_load, {0, BAD, 0, BAD}},
    {"keyctl", SYS_keyctl, {BAD, 0, 0, 0, 0}},
    {"mkdirat", SYS_mkdirat, {BAD, 0, 0}},
    {"mount", SYS_mount, {0, 0, 0, 0, 0}},
    {"move_mount", SYS_move_mount, {BAD, 0, BAD, 0, BAD}},
    {"open_by_handle_at", SYS_open_by_handle_at, {BAD, 0, 0}},
    {"open_tree", SYS_open_tree, {BAD, 0, BAD}},
    {"openat2", SYS_openat2, {BAD, 0, 0, 0}},
    {"perf_event_open", SYS_perf_event_open, {0, 0, 0, BAD, BAD}},
    {"personality", SYS_personality, {0xffffffffUL}},
    {"pivot_root", SYS_pivot_root, {0, 0}},
    {"process_vm_readv", SYS_process_vm_readv, {0, 0, 0, 0, 0}},
    {"ptrace", SYS_ptrace, {BAD, 0, 0, 0}},
    {"quotactl", SYS_quotactl, {BAD, 0, 0, 0}},
    {"reboot", SYS_reboot, {0, 0, 0, 0}},
    {"request_key", SYS_request_key, {0, 0, 0, 0}},
    {"sethostname", SYS_sethostname, {0, BAD}},
    {"setns", SYS_setns, {BAD, 0}},
    {"settimeofday", SYS_settimeofday, {BAD, BAD}},
    {"socket_vsock", SYS_socket, {40, 0xff, 0}},
    {"swapon", SYS_swapon, {0, 0}},
    {"sync", SYS_sync, {0}},
    {"syslog", SYS_syslog, {BAD, 0, 0}},
    {"umount2", SYS_umount2, {0, BAD}},
    {"unknown", 4095, {0}},
    {"unshare", SYS_unshare, {BAD}},
    {"unshare_user", SYS_unshare, {NEWUSER}},
    {"userfaultfd", SYS_userfaultfd, {BAD}},
};

static const struct attempt *find(const char *name) {
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        if (strcmp(attempts[i].name, name) == 0)
            return &attempts[i];
    return NULL;
}

/* The errno of the call (0: none), or minus the signal that killed the caller. */
static int outcome(const struct attempt *attempt) {
    const unsigned long *a = attempt->arguments;
    int status = 0;
    const pid_t child = fork();
    if (child < 0)
        return errno;
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        _exit(syscall(attempt->number, a[0], a[1], a[2], a[3], a[4]) < 0 ? errno : 0);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int command_try_syscall(char **argv) {
    json_open('{');
    for (int i = 1; argv[i]; i++) {
        const struct attempt *attempt = find(argv[i]);
        json_key(argv[i]);
        if (!attempt) {
            json_text("not in the table");
            continue;
        }
        const int answer = outcome(attempt);
        if (answer < 0) {
            char name[32] = "SIG";
            const char *abbreviation = sigabbrev_np(-answer);
            strncat(name, abbreviation ? abbreviation : "?", sizeof name - 4);
            json_text(name);
        } else
            json_errno(answer);
    }
    json_close('}');
    return json_flush(STDOUT_FILENO) < 0;
}
