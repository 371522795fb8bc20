/* A JSON writer without a heap: values are appended to one static buffer.
 *
 * Rule of the file: the caller says what follows (object, array, key, value), the writer places the commas.
 * Bytes outside printable ASCII are written as \u00XX, one per byte, so that any file name survives (read as latin-1).
 */
#ifndef PAYLOAD_JSON_H
#define PAYLOAD_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void json_open(char bracket);  /* '{' or '[' */
void json_close(char bracket); /* '}' or ']' */
void json_key(const char *name);
void json_text(const char *text);
void json_bytes(const char *bytes, size_t size);
void json_number(int64_t number);
void json_unsigned(uint64_t number);
void json_bool(bool value);
void json_null(void);

/* Key and value in one call. */
void json_pair_text(const char *name, const char *text);
void json_pair_number(const char *name, int64_t number);

/* The outcome of a system call: null when it succeeded, the name of the error when it did not. */
void json_errno(int error);

/* Write all that was collected, and a line feed, with one write(2) where the kernel allows it. 0, or -1 with errno. */
int json_flush(int fd);

#endif
