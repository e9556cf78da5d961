/* Frames to be sent, from a pcapng or pcap file, from text of hexadecimal digits or a dump
 * (libproto/capture/hex.h), or from the words of a command line. What it is, is seen at its first
 * bytes.
 *
 * Only Ethernet frames can be sent: others are refused with the name of their link type. A check
 * sequence at a frame's end, which the card appends itself, is left out. */
#ifndef NB_SAVEFILE_SOURCE_H
#define NB_SAVEFILE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct savefile_source;

struct savefile_source_frame {
    const unsigned char *bytes; /* the source's, until the next call */
    size_t length;              /* bytes that are here, 14 at least */
    size_t cut;                 /* bytes that the frame had besides: they were not captured */
    bool has_time;              /* else time is 0 */
    uint64_t time;              /* ns since 1970-01-01 00:00 UTC */
};

enum savefile_source_next {
    SAVEFILE_SOURCE_FRAME,
    SAVEFILE_SOURCE_END,    /* there are no more */
    SAVEFILE_SOURCE_BROKEN, /* see savefile_source_problem */
    SAVEFILE_SOURCE_WAIT,   /* poll savefile_source_fd for POLLIN first */
};

/* Opens a file, or standard input as "-". Returns 0, or a negative errno of open(2), or -ENOMEM. */
int savefile_source_open(struct savefile_source **ret, const char *path);

/* Reads this text, which must stay. 0 or -ENOMEM. */
int savefile_source_text(struct savefile_source **ret, const char *text);

/* The next frame. It waits for what is read, such as a pipe; after savefile_source_never_wait it
 * returns WAIT instead. */
enum savefile_source_next savefile_source_next(struct savefile_source *source,
                                               struct savefile_source_frame *ret);

void savefile_source_never_wait(struct savefile_source *source);

/* What it reads from; -1: text. */
int savefile_source_fd(const struct savefile_source *source);

/* Copies what is to be read once to a file of its own, which nobody sees, so that it can be read
 * again; at most so many bytes. It reads to the end first. Returns 0, or a negative errno: -EFBIG:
 * there is more. */
int savefile_source_keep(struct savefile_source *source, uint64_t bytes_max);

/* Begins again with the first frame. Returns 0, or a negative errno: -ESPIPE: what it reads from
 * can be read once. */
int savefile_source_again(struct savefile_source *source);

/* Where the file is wrong and why, a sentence without its full stop: "trace.pcap, offset 24: ...",
 * "frames.txt, line 3: ...". "" where nothing is wrong. */
const char *savefile_source_problem(const struct savefile_source *source);

/* NULL is allowed. */
void savefile_source_close(struct savefile_source *source);

#endif
