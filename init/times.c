/* When each op began and ended. The three processes write into one page that they share; init or whoever fails sends it
 * whole. One clock for all: CLOCK_MONOTONIC as outer has it, since a time namespace of init's shifts init's. */
#include <errno.h>
#include <sys/mman.h>
#include <time.h>

#include "hands.h"

enum { NS_PER_S = 1000000000, TRIES = 5, CLOSE_BY = 2000 };

int64_t clock_now(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* What CLOCK_REALTIME, which no namespace shifts, is ahead of our CLOCK_MONOTONIC; read again if we were interrupted in
 * between. */
static int64_t ahead(void) {
    for (int tries = 1;; tries++) {
        int64_t before = clock_now(CLOCK_MONOTONIC);
        int64_t real = clock_now(CLOCK_REALTIME);
        int64_t after = clock_now(CLOCK_MONOTONIC);
        if (after - before < CLOSE_BY || tries == TRIES)
            return real - (before + after) / 2;
    }
}

int do_keep_times(struct hands *h) {
    if (h->times != NULL)
        return fail_with(h, "mmap", "times are kept already", EEXIST);
    size_t size = h->plan->count * sizeof *h->times;
    void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return fail(h, "mmap", NULL);
    h->times = shared;
    h->clock_ahead = ahead();
    return 0;
}

int do_tell_times(struct hands *h) {
    if (h->times == NULL)
        return fail_with(h, "sendmsg", "no times are kept", ENODATA);
    return report_times(h) == 0 ? 0 : fail(h, "sendmsg", "to the brain");
}

/* After what may have brought us into another time namespace. Differences below a millisecond are the reading's own. */
static void look_at_clock(struct hands *h) {
    enum { SMALL = 1000000 };
    int64_t shift = ahead() - h->clock_ahead;
    h->clock_shift = shift > SMALL || shift < -SMALL ? shift : 0;
}

void op_begins(struct hands *h) {
    if (h->times != NULL)
        h->times[h->at].began = clock_now(CLOCK_MONOTONIC) + h->clock_shift;
}

void op_ends(struct hands *h) {
    if (h->times == NULL)
        return;
    enum op_kind kind = h->plan->ops[h->at].kind;
    if (kind == OP_JOIN || kind == OP_CLONE)
        look_at_clock(h);
    h->times[h->at].ended = clock_now(CLOCK_MONOTONIC) + h->clock_shift;
}
