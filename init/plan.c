/* Reading a plan. Everything that comes from the wire is checked here, and nowhere else. */
#include "plan.h"

#include <string.h>

#include "ops.gen.h"

enum { PLAN_SLOTS_MAX = 65536, OP_HEADER = 4, PLAN_HEADER = 16 };

void *arena_take(struct arena *arena, size_t size) {
    if (size > SIZE_MAX - 15)
        return NULL;
    size = (size + 15) & ~(size_t)15;
    if (size > arena->size - arena->used)
        return NULL;
    void *at = arena->base + arena->used;
    arena->used += size;
    return at;
}

/* A list item takes at least 5 bytes on the wire and 8 in the arena, an op at least 4 and sizeof(struct op). */
size_t plan_arena_size(size_t plan_size) {
    return (plan_size / OP_HEADER + 1) * (sizeof(struct op) + 32);
}

char **strings_with(struct arena *arena, const struct strings *strings, const char *extra) {
    char **items = arena_take(arena, (strings->count + 2) * sizeof(char *));
    if (items == NULL)
        return NULL;
    memcpy(items, strings->items, strings->count * sizeof(char *));
    items[strings->count] = (char *)(uintptr_t)extra;
    items[strings->count + 1] = NULL;
    return items;
}

static const uint8_t *take(struct reader *r, size_t size) {
    if (r->bad || size > (size_t)(r->end - r->at)) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *at = r->at;
    r->at += size;
    return at;
}

static uint32_t take_u32(struct reader *r) {
    const uint8_t *p = take(r, 4);
    if (p == NULL)
        return 0;
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void take_int(struct reader *r, int64_t *value) {
    uint64_t low = take_u32(r);
    uint64_t high = take_u32(r);
    *value = (int64_t)(low | high << 32);
}

/* A slot is an index into memory of ours. */
void take_slot(struct reader *r, int64_t *value) {
    take_int(r, value);
    if (*value < 0 || *value >= (int64_t)r->slots)
        r->bad = true;
}

void take_bytes(struct reader *r, struct bytes *value) {
    uint32_t size = take_u32(r);
    value->data = take(r, size);
    value->size = r->bad ? 0 : size;
}

void take_string(struct reader *r, const char **value) {
    uint32_t size = take_u32(r);
    const uint8_t *p = take(r, (size_t)size + 1);
    *value = "";
    if (p == NULL)
        return;
    /* Exactly one NUL, at the end: what was checked is what a system call will see. */
    if (p[size] != 0 || memchr(p, 0, size) != NULL) {
        r->bad = true;
        return;
    }
    *value = (const char *)p;
}

void take_strings(struct reader *r, struct strings *value) {
    uint32_t count = take_u32(r);
    value->items = NULL;
    value->count = 0;
    if (r->bad || count > (size_t)(r->end - r->at) / 5) {
        r->bad = true;
        return;
    }
    char **items = arena_take(r->arena, (count + (size_t)1) * sizeof(char *));
    if (items == NULL) {
        r->bad = true;
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *item;
        take_string(r, &item);
        items[i] = (char *)(uintptr_t)item;
    }
    items[count] = NULL;
    value->items = items;
    value->count = count;
}

static int read_op(struct reader *r, struct op *op) {
    const uint8_t *head = take(r, OP_HEADER);
    if (head == NULL)
        return -1;
    uint32_t kind = (uint32_t)head[0] | (uint32_t)head[1] << 8;
    if (kind >= OP_KINDS || head[2] > ACTOR_INIT || head[3] != 0)
        return -1;
    op->kind = (enum op_kind)kind;
    op->by = (enum actor)head[2];
    return op_take(r, op) != 0 || r->bad ? -1 : 0;
}

int plan_read(const uint8_t *data, size_t size, struct arena *arena, struct plan *plan) {
    struct reader r = {.at = data, .end = data + size, .arena = arena, .bad = false};
    const uint8_t *magic = take(&r, 4);
    if (magic == NULL || memcmp(magic, "SLPL", 4) != 0 || take_u32(&r) != PLAN_VERSION)
        return -1;
    uint32_t count = take_u32(&r);
    uint32_t slots = take_u32(&r);
    r.slots = slots;
    if (r.bad || slots > PLAN_SLOTS_MAX || count > (size - PLAN_HEADER) / OP_HEADER)
        return -1;
    struct op *ops = arena_take(arena, (count + (size_t)1) * sizeof(struct op));
    if (ops == NULL)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        if (read_op(&r, &ops[i]) != 0)
            return -1;
    }
    if (r.at != r.end)
        return -1;
    plan->ops = ops;
    plan->count = count;
    plan->slots = slots;
    return 0;
}
