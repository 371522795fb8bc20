/* Walking the plan. Each process of the hands comes to every op; it does those that are its own and waits for
 * its turn at the first of its own after others'. So the ops run in exactly the order of the plan.
 *
 *      outer   |  ####        (fork)              ##  hooks  ##            ... waits for init, if it supervises
 *      joiner  |      ## join, clone
 *      init    |            #### mounts, devices ####       #### pivot ... ####  start, exec
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hands.h"

int fail_with(struct hands *h, const char *call, const char *detail, int error) {
    h->failed_call = call;
    h->failed_detail = detail;
    h->failed_errno = error;
    return -1;
}

int fail(struct hands *h, const char *call, const char *detail) {
    return fail_with(h, call, detail, errno);
}

/* Init and the joiner never outlive the outer process while the container is being created. The kernel forgets
 * this at every change of credentials, so the ops that change them ask again (prctl(2), PR_SET_PDEATHSIG). */
void die_with_parent(void) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

static bool brain_is_gone(short events) {
    return (events & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

/* Init may be running a hook, and with it gone nobody would end that one: init sees as well that the brain is gone, and
 * ends the hook and itself. Not longer than GRACE, since what it does may block. */
static void let_init_end(struct hands *h) {
    enum { GRACE = 1000 }; /* milliseconds */
    struct pollfd link = {.fd = h->link, .events = POLLIN};
    while (poll(&link, 1, GRACE) < 0 && errno == EINTR)
        ;
}

/* Wait until the other side passes the turn, or is gone: 1, 0, or -1 when the brain is gone. */
static int wait_for_turn(struct hands *h, uint32_t *turn) {
    /* Only the outer process watches the brain: when it goes, init follows it (PR_SET_PDEATHSIG). */
    int watched = h->me == ACTOR_OUTER ? h->brain : -1;
    struct pollfd fds[2] = {{.fd = h->link, .events = POLLIN}, {.fd = watched, .events = 0}};
    for (;;) {
        if (poll(fds, 2, -1) < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        if (fds[0].revents != 0) {
            ssize_t got = recv(h->link, turn, sizeof *turn, 0);
            return got == (ssize_t)sizeof *turn ? 1 : 0;
        }
        if (brain_is_gone(fds[1].revents)) {
            let_init_end(h);
            return -1;
        }
    }
}

static int pass_turn(struct hands *h, uint32_t next) {
    ssize_t sent = send(h->link, &next, sizeof next, MSG_NOSIGNAL);
    return sent == (ssize_t)sizeof next ? 0 : -1;
}

static uint32_t next_own(const struct hands *h, uint32_t from) {
    while (from < h->plan->count && h->plan->ops[from].by != h->me)
        from++;
    return from;
}

/* 0 when the op at h->at may be done by this process; 1 when there is none left; -1 when the others are gone. */
static int reach_own_op(struct hands *h) {
    uint32_t own = next_own(h, h->at);
    if (own == h->at)
        return own == h->plan->count;
    h->at = own;
    if (own == h->plan->count)
        return 1;
    uint32_t turn = 0;
    return wait_for_turn(h, &turn) == 1 && turn == own ? 0 : -1;
}

/* A new process begins right after the op that made it, so only the two lasting ones pass the turn to each other.
 * Outer waits from its fork on, though: where the joiner has cloned init, the turn is init's to pass. */
static int leave_op(struct hands *h) {
    uint32_t done = h->at++;
    if (h->at >= h->plan->count)
        return 0;
    enum op_kind kind = h->plan->ops[done].kind;
    enum actor next = h->plan->ops[h->at].by;
    bool outer_waits = kind == OP_CLONE && h->me == ACTOR_INIT && h->plan->ops[done].by == ACTOR_JOINER;
    if (next == h->me || kind == OP_FORK || (kind == OP_CLONE && !outer_waits) || kind == OP_WAIT_START)
        return 0;
    return pass_turn(h, h->at);
}

int run(struct hands *h) {
    for (;;) {
        int reached = reach_own_op(h);
        if (reached != 0)
            return reached > 0 ? 0 : -1;
        op_begins(h);
        int done = op_do(h, &h->plan->ops[h->at]);
        op_ends(h);
        if (done != 0) {
            if (h->times != NULL)
                (void)report_times(h);
            /* If the brain is gone too, there is nobody left to tell. */
            (void)report_failed(h);
            return -1;
        }
        if (leave_op(h) != 0)
            return -1;
    }
}

/* In place of a turn: init has failed, and ends; or it no longer ends with the outer process. */
static const uint32_t GAVE_UP = UINT32_MAX;
static const uint32_t ON_ITS_OWN = UINT32_MAX - 1;

int tell_on_its_own(struct hands *h) {
    return pass_turn(h, ON_ITS_OWN);
}

/* An init that never came to be on its own is ours to collect, or a caller that adopts orphans would get a zombie. */
static int collect_init(struct hands *h) {
    (void)kill(h->init, SIGKILL);
    while (waitpid(h->init, NULL, 0) < 0 && errno == EINTR)
        ;
    return 1;
}

/* After its last op the outer process stays while the container is being made, and longer if it supervises. */
static int outer_end(struct hands *h) {
    uint32_t turn = 0;
    bool on_its_own = false;
    int got = 0;
    if (h->init == 0)
        return 0;
    while ((got = wait_for_turn(h, &turn)) == 1 && turn == ON_ITS_OWN)
        on_its_own = true;
    if (got != 0)
        return collect_init(h);
    /* A link that closes without a word is an init that was killed, by the hang-up of its terminal for instance. */
    if (!h->supervise)
        return on_its_own ? 0 : collect_init(h);
    /* The terminal's signals are for the container, and the brain relays them: from here on we must not die. */
    sigset_t all;
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(-1, &status, 0)) != h->init) {
        if (ended < 0 && errno != EINTR)
            return 1;
    }
    return report_exited(h, status) == 0 ? 0 : 1;
}

_Noreturn void run_and_exit(struct hands *h) {
    int result = run(h);
    if (h->me == ACTOR_OUTER && result == 0)
        _exit(outer_end(h));
    if (h->me == ACTOR_OUTER && h->init != 0)
        _exit(collect_init(h));
    if (h->me == ACTOR_INIT && result != 0 && h->link >= 0)
        (void)pass_turn(h, GAVE_UP);
    _exit(result == 0 ? 0 : 1);
}
