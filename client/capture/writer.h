/* Writes a capture to a file, to files that take turns, or to standard output.
 *
 *     savefile_writer_put ── buffer ⇄ buffer ── a thread ── savefile_files ── file
 *
 * Frames go to one of two buffers while a thread writes the other, so no disk and no reader makes
 * the caller wait. What was put is written 10 ms later, or when the buffer is full, so that who
 * reads a pipe sees frames while they come. Nothing is allocated behind savefile_writer_open.
 *
 * All functions are for one thread at a time. A problem is a sentence without its full stop. */
#ifndef NB_SAVEFILE_WRITER_H
#define NB_SAVEFILE_WRITER_H

#include "capture/capture.h"

enum {
    SAVEFILE_WRITER_BUFFER = 1 << 20, /* bytes of a buffer, unless said otherwise */
    SAVEFILE_WRITER_FLUSH_MS = 10,
    SAVEFILE_WRITER_END_MS = 1000, /* how long what is no file is waited for at the end */
    SAVEFILE_WRITER_PROBLEM = 512, /* bytes of a problem, with its end */
    SAVEFILE_FILES_MAX = 10000,    /* of a ring */
};

/* 0: no limit. */
struct savefile_limits {
    uint64_t bytes;    /* of a file: the frame that reaches it is the last one */
    uint64_t packets;  /* of a file (rotate), or of all (stop) */
    uint64_t duration; /* ns: of a file (rotate), or of all (stop) */
    unsigned files;    /* that are kept (rotate), or written (stop, where there is any rotation) */
};

struct savefile_writer_config {
    const char *path; /* standard output by its names, see files.h */
    enum savefile_format format;
    struct savefile_section section;
    const struct savefile_interface *interfaces; /* pcap has one */
    unsigned interface_count;

    /* With any of bytes, packets and duration there are files of the names
     * PATH_00001_20260102030405.SUFFIX, with the number and the local time when each was begun. Of
     * more than `files` the oldest is deleted. */
    struct savefile_limits rotate;
    struct savefile_limits stop; /* the capture is complete then */

    /* Asked for the last block of each pcapng file, in the caller's thread. Interface and times are
     * set, counters are SAVEFILE_UNKNOWN. NULL: there is none. */
    void (*statistics)(void *context, struct savefile_statistics *ret);
    /* The reader is gone, or it failed. Called once, in the writer's own thread: no more than
     * uv_async_send, or a write to an eventfd. NULL: nobody is told. */
    void (*ended)(void *context);
    void *context;
    size_t buffer; /* bytes; 0: SAVEFILE_WRITER_BUFFER */
};

enum savefile_state {
    SAVEFILE_RUNS,
    SAVEFILE_COMPLETE,    /* a limit of `stop` was reached */
    SAVEFILE_READER_GONE, /* of a pipe: no error */
    SAVEFILE_FAILED,      /* see the problem; what was written is whole blocks, if it is a file */
};

enum savefile_put {
    SAVEFILE_TAKEN,
    SAVEFILE_FULL,  /* both buffers are: wait, or lose it */
    SAVEFILE_ENDED, /* it is not running any more, see the state */
};

struct savefile_progress {
    uint64_t packets, bytes;           /* that were put; bytes with all that is around frames */
    unsigned files;                    /* that were begun */
    uint64_t file_packets, file_bytes; /* of the last one */
};

struct savefile_writer;

/* Makes the first file, with mode 0600, and begins. Returns 0 or a negative errno, with the
 * problem: there is nothing to end then. What the configuration points to, but for the context,
 * need not stay. */
int savefile_writer_open(struct savefile_writer **ret, const struct savefile_writer_config *config,
                         char problem[SAVEFILE_WRITER_PROBLEM]);

/* Takes a frame, of an interface of the configuration. One that no file can have is FULL. */
enum savefile_put savefile_writer_put(struct savefile_writer *writer,
                                      const struct savefile_packet *packet);

/* Waits until there is room for a frame, but not longer than this. False: there is none. */
bool savefile_writer_wait(struct savefile_writer *writer, unsigned milliseconds);

/* What is due by a duration, at this time of a monotonic clock in ns; call it each time before
 * frames are put. Returns for how many ms it need not be called again; UINT32_MAX: for ever. */
uint32_t savefile_writer_tick(struct savefile_writer *writer, uint64_t now);

enum savefile_state savefile_writer_state(struct savefile_writer *writer);
struct savefile_progress savefile_writer_progress(const struct savefile_writer *writer);

/* Writes what was put, ends the file and the writer, and returns what became of it. A problem is
 * set if it is SAVEFILE_FAILED, else "". */
enum savefile_state savefile_writer_close(struct savefile_writer *writer,
                                          char problem[SAVEFILE_WRITER_PROBLEM]);

#endif
