#define _GNU_SOURCE
#include "json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Enough for a mount table of a thousand lines; what does not fit ends the program, it is never cut off silently. */
static char buffer[1024 * 1024];
static size_t used;
static bool comma; /* a value stands before this position */

static void put(const char *bytes, size_t size) {
    if (size > sizeof buffer - used) {
        dprintf(STDERR_FILENO, "payload: report larger than %zu bytes\n", sizeof buffer);
        exit(125);
    }
    memcpy(buffer + used, bytes, size);
    used += size;
}

static void separate(void) {
    if (comma)
        put(",", 1);
    comma = true;
}

void json_open(char bracket) {
    separate();
    put(&bracket, 1);
    comma = false;
}

void json_close(char bracket) {
    put(&bracket, 1);
    comma = true;
}

void json_bytes(const char *bytes, size_t size) {
    separate();
    put("\"", 1);
    for (size_t i = 0; i < size; i++) {
        const unsigned char byte = (unsigned char)bytes[i];
        if (byte == '"' || byte == '\\') {
            const char escaped[2] = {'\\', (char)byte};
            put(escaped, 2);
        } else if (byte < 0x20 || byte >= 0x7f) {
            char escaped[8];
            snprintf(escaped, sizeof escaped, "\\u%04x", byte);
            put(escaped, 6);
        } else
            put((const char *)&byte, 1);
    }
    put("\"", 1);
}

void json_text(const char *text) {
    json_bytes(text, strlen(text));
}

void json_key(const char *name) {
    json_text(name);
    put(":", 1);
    comma = false;
}

void json_number(int64_t number) {
    char digits[24];
    separate();
    put(digits, (size_t)snprintf(digits, sizeof digits, "%lld", (long long)number));
}

void json_unsigned(uint64_t number) {
    char digits[24];
    separate();
    put(digits, (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)number));
}

void json_bool(bool value) {
    separate();
    put(value ? "true" : "false", value ? 4 : 5);
}

void json_null(void) {
    separate();
    put("null", 4);
}

void json_pair_text(const char *name, const char *text) {
    json_key(name);
    json_text(text);
}

void json_pair_number(const char *name, int64_t number) {
    json_key(name);
    json_number(number);
}

void json_errno(int error) {
    const char *name = error ? strerrorname_np(error) : NULL;
    if (!error)
        json_null();
    else if (name)
        json_text(name);
    else
        json_number(error);
}

int json_flush(int fd) {
    size_t done = 0;
    put("\n", 1);
    while (done < used) {
        const ssize_t n = write(fd, buffer + done, used - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    used = 0;
    comma = false;
    return 0;
}
