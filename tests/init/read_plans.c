/* Reads plans as the hands do and tells what it found: see tests/init/test_plan_reader.py.
 *
 * stdin: u32 size, plan, again and again. stdout: of each plan one line, "refused" or "SLOTS KIND.ACTOR ..." and what
 * was heard of its fields on the way. Each plan lies in memory of exactly its size, as does the arena, so that the
 * sanitizer sees a step too far. */
#include <stdio.h>
#include <stdlib.h>

#include "watched.h"

enum { HEARD_MAX = 1 << 24 };

static char heard[HEARD_MAX];
static size_t heard_size;

static void say(const char *text, size_t size) {
    if (size > sizeof heard - heard_size)
        abort();
    memcpy(heard + heard_size, text, size);
    heard_size += size;
}

static void say_hex(const void *data, size_t size) {
    const uint8_t *p = data;
    for (size_t i = 0; i < size; i++)
        say((const char[]){"0123456789abcdef"[p[i] >> 4], "0123456789abcdef"[p[i] & 15]}, 2);
}

static void heard_int(int64_t value) {
    char text[32];
    say(text, (size_t)snprintf(text, sizeof text, " i%lld", (long long)value));
}

static void heard_string(const char *value) {
    say(" s", 2);
    say_hex(value, strlen(value));
}

static void heard_bytes(const struct bytes *value) {
    say(" b", 2);
    say_hex(value->data, value->size);
}

/* A vector as execve takes it: it must end with NULL exactly where the count says. */
static void heard_strings(const struct strings *value) {
    say(" l", 2);
    for (size_t i = 0; i < value->count; i++) {
        say_hex(value->items[i], strlen(value->items[i]));
        say(",", 1);
    }
    if (value->items != NULL && value->items[value->count] != NULL)
        abort();
}

static void read_one(const uint8_t *data, size_t size) {
    struct plan plan = {0};
    struct arena arena = {.size = plan_arena_size(size)};
    arena.base = malloc(arena.size);
    if (arena.base == NULL)
        abort();
    heard_size = 0;
    if (plan_read(data, size, &arena, &plan) != 0) {
        puts("refused");
    } else {
        printf("%u", plan.slots);
        for (uint32_t i = 0; i < plan.count; i++)
            printf(" %d.%d", (int)plan.ops[i].kind, (int)plan.ops[i].by);
        fwrite(heard, 1, heard_size, stdout);
        putchar('\n');
    }
    free(arena.base);
}

int main(void) {
    uint32_t size;
    while (fread(&size, sizeof size, 1, stdin) == 1) {
        uint8_t *data = malloc(size);
        if ((data == NULL && size > 0) || fread(data, 1, size, stdin) != size)
            return 1;
        read_one(data, size);
        free(data);
    }
    return 0;
}
