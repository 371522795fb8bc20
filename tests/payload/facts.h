/* What a process can say about itself, one function per group of facts.
 *
 * Each writes one or more "key": value pairs into the open JSON object. A fact that cannot be had (no /proc, a call
 * refused by seccomp) is written as null or as the name of the error: the report itself never fails.
 */
#ifndef PAYLOAD_FACTS_H
#define PAYLOAD_FACTS_H

#include <stddef.h>
#include <sys/types.h>

/* Read a whole small file into a buffer and end it with NUL; the size, or -1 with errno. */
ssize_t slurp(const char *path, char *into, size_t capacity);

/* "name": text of the file without its last line feed, or {"error": "ENOENT"}. */
void fact_file(const char *name, const char *path);

/* process.c */
void fact_ids(void);
void fact_capabilities(void);
void fact_privileges(void);
void fact_limits(void);
void fact_namespaces(void);
void fact_family(void);
void fact_scheduling(void);
void fact_signals(void);
void fact_keyring(void);
void fact_uts(void);
void fact_words(const char *name, char *const *words);

/* files.c */
void fact_cwd(void);
void fact_mounts(void);
void fact_descriptors(void);
void fact_stdio(void);
void fact_directory(const char *name, const char *path);
void fact_probe(const char *path);

#endif
