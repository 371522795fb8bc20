/* Invariant tested: whatever the bytes, plan_read() accepts a plan that is one to its last byte, all of it in our
 * memory, or refuses. libFuzzer's door to it; tests/fuzz/plans.py has the corpus. */
#include <stdio.h>
#include <stdlib.h>

#include "../init/watched.h"

static volatile size_t sum; /* so that no reading is optimized away */

static void read_all(const void *data, size_t size) {
    const uint8_t *p = data;
    for (size_t i = 0; i < size; i++)
        sum += p[i];
}

static void heard_int(int64_t value) {
    sum += (size_t)value;
}

static void heard_string(const char *value) {
    read_all(value, strlen(value) + 1);
}

static void heard_bytes(const struct bytes *value) {
    read_all(value->data, value->size);
}

static void heard_strings(const struct strings *value) {
    for (size_t i = 0; i < value->count; i++)
        heard_string(value->items[i]);
    if (value->items != NULL && value->items[value->count] != NULL)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct plan plan = {0};
    struct arena arena = {.size = plan_arena_size(size)};
    arena.base = malloc(arena.size);
    if (arena.base == NULL)
        abort();
    if (plan_read(data, size, &arena, &plan) == 0) {
        /* The smallest plan with these numbers must not be larger than what was given. */
        if (size < 16 || plan.count > (size - 16) / 4 || plan.slots > 65536 || arena.used > arena.size)
            abort();
        for (uint32_t i = 0; i < plan.count; i++) {
            if (plan.ops[i].kind >= OP_KINDS || plan.ops[i].by > ACTOR_INIT)
                abort();
        }
    }
    free(arena.base);
    return 0;
}
