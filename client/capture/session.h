/* A capture under way: takes frames out of the service's ring, and has them written, or looked at.
 *
 *     ring ──► this loop ──► the writer's thread ──► file, or standard output
 *                      └───► who follows what is in them
 *
 * What ends it: a signal, a limit, the reader of standard output, the interface, the service. In
 * each case what was read is written, with the counters behind it.
 *
 * There is one in a process. */
#ifndef NB_CAPTURE_SESSION_H
#define NB_CAPTURE_SESSION_H

#include "netbroker.h"
#include "writer.h"

enum { SESSION_PROBLEM = SAVEFILE_WRITER_PROBLEM };

struct session_counters {
    uint64_t frames, bytes; /* that were taken out of the ring */
    uint64_t lost;          /* that this process was too slow for */
    uint64_t received, kernel_dropped, iface_dropped;
    bool is_up, knows_up; /* is_up means something where knows_up is set */
};

/* What is NULL or 0 is not asked for. */
struct session_config {
    const char *path; /* as the writer has it; NULL: there is no file */
    enum savefile_format format;
    const char *application, *filter, *comment; /* texts of the file */
    struct savefile_limits rotate, stop;
    /* Frames go here instead of to a file; the bytes are there until it returns. False: this was
     * the last one. */
    bool (*frame)(void *context, const struct nb_capture_record *record);
    void (*lost)(void *context, uint64_t frames); /* that nobody will see: each time */
    /* Some times a second, also where no frame comes. False: it is to end. */
    bool (*tick)(void *context);
    void (*progress)(void *context, const struct session_counters *counters); /* each second */
    void (*changed)(void *context, const struct session_counters *counters);  /* up or down */
    /* The service is gone: closes the client, and asks another for the same. NULL: there is none,
     * and *client may be NULL. The session frees the reply. */
    struct nb_reply *(*again)(void *context, struct nb_client **client);
    void (*resumed)(void *context); /* it was, and goes on */
    void *context;
};

enum session_end {
    SESSION_DONE,    /* a limit, a signal, or its reader has enough */
    SESSION_GONE,    /* the service is gone */
    SESSION_CLOSED,  /* the service has ended it */
    SESSION_FAILED,  /* the file cannot be written */
    SESSION_INVALID, /* the reply brought no capture */
};

/* From now on SIGINT, SIGTERM and SIGHUP end the session, also one that has not begun; SIGPIPE is
 * ignored. False: there are no more descriptors. */
bool session_take_signals(void);

/* Runs the capture of an OPEN_CAPTURE that was granted, until it ends; signals are taken. A problem
 * is a sentence without its full stop; "" with SESSION_DONE. */
enum session_end session_run(struct nb_client *client, const struct nb_reply *reply,
                             const struct session_config *config, struct session_counters *ret,
                             char problem[SESSION_PROBLEM]);

#endif
