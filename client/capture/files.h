/* Where a capture is written to: standard output, a file, or a ring of them. */
#ifndef NB_SAVEFILE_FILES_H
#define NB_SAVEFILE_FILES_H

#include "capture/capture.h"

struct savefile_file_name {
    unsigned number;
    char time[16]; /* "20260102030405" */
};

/* The members are its own. */
struct savefile_files {
    char *path; /* as it was given */
    char *name; /* of the file that was opened last, or that could not be */
    size_t name_size;
    enum savefile_format format;
    unsigned char *head; /* that each file begins with */
    size_t head_size;
    bool numbered;                   /* the names of files have numbers */
    unsigned ring;                   /* files that are kept; 0: all */
    struct savefile_file_name *kept; /* of the ring: NULL without one */
    unsigned begun;                  /* files */
    int fd;                          /* -1: none */
    bool regular;                    /* it is a file, and not a pipe or a terminal */
};

/* The head is its own from now on. Returns 0 or -ENOMEM, and then has freed it. */
int savefile_files_init(struct savefile_files *files, const char *path, enum savefile_format format,
                        unsigned char *head, size_t head_size);
void savefile_files_free(struct savefile_files *files);

/* So that there are several files, of which so many are kept; 0: all. 0 or -ENOMEM. */
int savefile_files_number(struct savefile_files *files, unsigned ring);

/* Whether the path is a name of standard output: "-", or what some systems call the descriptor,
 * such as /dev/stdout. That is written as it was inherited: opened anew by its name, a file of
 * another user would be refused, and one that is there be cut. */
bool savefile_is_output(const char *path);

/* Closes the file, if there is one, and opens the next one. Returns 0 or a negative errno: -ENXIO
 * is a FIFO that nobody reads, -ENOTTY a terminal. */
int savefile_files_open(struct savefile_files *files);

/* Writes what each file begins with; a file that has no room for it and has a number is deleted. */
int savefile_files_write_head(struct savefile_files *files);

/* Writes these whole blocks, waiting for the reader if need be: there, and only there, the thread
 * can be cancelled. Returns 0 or a negative errno: -EPIPE where the reader is gone. After an error
 * a file has as many whole blocks as there was room for. */
int savefile_files_write(struct savefile_files *files, const unsigned char *bytes, size_t n);

#endif
