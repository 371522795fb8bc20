/* The plan as the hands read it: bounds-checked, no copies; strings point into the plan's mapping. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *data;
    size_t size;
};

/* A NULL-terminated vector, so that it can be an argv or an environment as it is. */
struct strings {
    char **items;
    size_t count;
};

/* Where the pointers of lists and the array of ops live; one anonymous mapping, sized before it is filled. */
struct arena {
    uint8_t *base;
    size_t size;
    size_t used;
};

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    struct arena *arena;
    uint32_t slots;
    bool bad;
};

/* Each takes one field; after the first field that does not fit, `bad` is set and all yield nothing. */
void take_int(struct reader *r, int64_t *value);
void take_slot(struct reader *r, int64_t *value);
void take_string(struct reader *r, const char **value);
void take_bytes(struct reader *r, struct bytes *value);
void take_strings(struct reader *r, struct strings *value);

struct op;

struct plan {
    const struct op *ops;
    uint32_t count;
    uint32_t slots;
};

/* 0, or -1 for anything that is not a whole plan of this version. `arena` must be plan_arena_size(size) large. */
int plan_read(const uint8_t *data, size_t size, struct arena *arena, struct plan *plan);
size_t plan_arena_size(size_t plan_size);
void *arena_take(struct arena *arena, size_t size);

/* The vector and one more item (NULL for none), in the arena; NULL if that is spent. */
char **strings_with(struct arena *arena, const struct strings *strings, const char *extra);
