/* The plan reader of the hands with an ear on it: every field that it takes is told to a function of the includer.
 *
 * init/plan.c is compiled as it stands. Only the names by which the generated op_take() calls the takers are ours, so
 * that a field is heard of as soon as it is stored, with the address of the member that it was stored in. */
#pragma once

#include "plan.h"

/* What the includer defines. */
static void heard_int(int64_t value);
static void heard_string(const char *value);
static void heard_bytes(const struct bytes *value);
static void heard_strings(const struct strings *value);

static void watched_int(struct reader *r, int64_t *value) {
    take_int(r, value);
    heard_int(*value);
}

static void watched_slot(struct reader *r, int64_t *value) {
    take_slot(r, value);
    heard_int(*value);
}

static void watched_string(struct reader *r, const char **value) {
    take_string(r, value);
    heard_string(*value);
}

static void watched_bytes(struct reader *r, struct bytes *value) {
    take_bytes(r, value);
    heard_bytes(value);
}

static void watched_strings(struct reader *r, struct strings *value) {
    take_strings(r, value);
    heard_strings(value);
}

#define take_int watched_int
#define take_slot watched_slot
#define take_string watched_string
#define take_bytes watched_bytes
#define take_strings watched_strings
#include "ops.gen.h"
#undef take_int
#undef take_slot
#undef take_string
#undef take_bytes
#undef take_strings

#include "../../init/plan.c"
