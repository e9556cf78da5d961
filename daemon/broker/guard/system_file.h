/* A small file of the system that is read here, and again when it was changed.
 *
 * The libc's own functions may ask a directory over the network, and the loop must not wait. */
#ifndef NB_SYSTEM_FILE_H
#define NB_SYSTEM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

/* Bytes: reading a larger file would keep the loop from others. */
enum { SYSTEM_FILE_MAX = 1 << 20 };

struct system_file {
    const char *path;        /* borrowed; NULL: none is read */
    char *text;              /* owned; ends with a zero; NULL: there is none */
    const char *problem;     /* why there is none; NULL: nothing is wrong, or nobody asked yet */
    struct timespec changed; /* of the file that was read, as its size and number */
    ino_t inode;
    off_t size;
};

/* Reads the file if it is another than the one that was read. True: text is another one now, or
 * none. A file that is missing is no problem. */
bool system_file_update(struct system_file *file);
void system_file_clear(struct system_file *file);

/* A number of digits only, up to max. */
bool system_file_number(const char *text, unsigned long max, unsigned long *ret);

#endif
