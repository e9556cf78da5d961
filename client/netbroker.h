/* libnetbroker: privileged networking for programs that are not root, by way of netbrokerd.
 *
 * A client is one connection to the service. Requests are built, sent and answered in order; many
 * may be on their way at a time. There are two ways to use it, which may be mixed:
 *
 *   - blocking: nb_call sends a request and waits for its reply;
 *   - in an event loop of your own: nb_submit queues a request with a function to call with its
 *     reply; poll nb_fd for nb_poll_events and call nb_dispatch when it is ready.
 *
 * Unless said otherwise, functions that return int return 0 on success or a negative errno value,
 * and set *ret_... only on success. A pointer that is NULL where an object, a text or a place for
 * the result is needed gives -EINVAL, from functions that return no int nothing: false, 0, "" or
 * NULL. Strings are UTF-8 and end with NUL. No function changes global
 * state or starts a thread. An object may be used by one thread at a time; different clients are
 * independent of each other. See libnetbroker(3), and netbroker-protocol(7) for the actions.
 */
#ifndef NETBROKER_H
#define NETBROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NB_EXPORT __attribute__((visibility("default")))

struct nb_client;  /* a connection to the service */
struct nb_request; /* a request that is being built */
struct nb_reply;   /* the answer to a request, or an event */
struct nb_value;   /* a part of a reply: an object, a list, a text, a number or a truth value */

/* --- Connections --------------------------------------------------------------------------- */

/* Connects to the service at path; NULL: to $NETBROKER_SOCKET, or where that is not set to the
 * default path. Blocks only until the service's queue takes the connection.
 * The client is yours: release it with nb_close.
 * Returns 0, or a negative errno: -ENOENT (no service was ever started there), -ECONNREFUSED (it
 * is not running), -EACCES (you may not connect), -ENAMETOOLONG, -ENOMEM. */
NB_EXPORT int nb_connect(struct nb_client **ret_client, const char *path);

/* The same with a limit, in milliseconds, on how long the service's queue may keep it waiting; 0:
 * none. The client has the same limit from then on, see nb_set_timeout.
 * Returns as nb_connect does, or -ETIMEDOUT. */
NB_EXPORT int nb_connect_within(struct nb_client **ret_client, const char *path,
                                unsigned milliseconds);

/* Limits, in milliseconds, how long blocking calls wait for the service: nb_call for its reply,
 * nb_wait and nb_wait_once for the next reply or event. 0: no limit, as after nb_connect. A call
 * that waited so long returns -ETIMEDOUT; whether the service did what was asked is not known. */
NB_EXPORT void nb_set_timeout(struct nb_client *client, unsigned milliseconds);

/* The path that nb_connect uses for this argument. Never NULL; belongs to the environment. */
NB_EXPORT const char *nb_socket_path(const char *path);

/* Closes the connection and releases the client. Handlers of requests that were not answered are
 * not called. NULL is allowed. */
NB_EXPORT void nb_close(struct nb_client *client);

/* --- Requests ------------------------------------------------------------------------------ */

/* Begins a request of an action, e.g. "ADD_MFC". The request is yours: release it with
 * nb_request_free. It may be sent any number of times.
 * Returns 0, or -ENOMEM. */
NB_EXPORT int nb_request_new(struct nb_request **ret_request, const char *action);

/* Releases a request; requests under way are not affected. NULL is allowed. */
NB_EXPORT void nb_request_free(struct nb_request *request);

/* Set a field of the request. Each field once; the service checks names and values. Errors, such
 * as lack of memory or a name or value that is NULL, are kept and returned when the request is
 * sent. */
NB_EXPORT void nb_request_set_string(struct nb_request *request, const char *name,
                                     const char *value);
NB_EXPORT void nb_request_set_integer(struct nb_request *request, const char *name, int64_t value);
NB_EXPORT void nb_request_set_bool(struct nb_request *request, const char *name, bool value);

/* Sets a field that is a user, by number: the user id and all groups of the user. */
NB_EXPORT void nb_request_set_user(struct nb_request *request, const char *name, uint32_t uid,
                                   const uint32_t *gids, size_t gid_count);

/* Append to a field that is a list. Calls for one field must follow one another. */
NB_EXPORT void nb_request_add_string(struct nb_request *request, const char *name,
                                     const char *value);
NB_EXPORT void nb_request_add_integer(struct nb_request *request, const char *name, int64_t value);

/* Makes the field an empty list. */
NB_EXPORT void nb_request_set_empty_list(struct nb_request *request, const char *name);

/* --- Blocking calls ------------------------------------------------------------------------ */

/* Sends the request and waits for its reply, handling on the way what was submitted before and
 * events. The reply is yours, also when the service refused: release it with nb_reply_free.
 * Returns 0 when there is a reply (see nb_reply_code), or a negative errno: -EPIPE or -ECONNRESET
 * (the service ended the connection; why, if it said so, was the reply to the request that waited,
 * or is the reply to the next one), -ETIMEDOUT (see nb_set_timeout), -EBADMSG (what came is no
 * reply, or has other descriptors than it names), -EMSGSIZE (larger than a request may be), -EINVAL
 * (a field or an argument is wrong), -ENOMEM. After any of them but -EINVAL and -EMSGSIZE the
 * client can only be closed. */
NB_EXPORT int nb_call(struct nb_client *client, const struct nb_request *request,
                      struct nb_reply **ret_reply);

/* Waits until all submitted requests are answered, calling their handlers; with events, until the
 * connection ends. Returns 0, or an error as nb_call does. */
NB_EXPORT int nb_wait(struct nb_client *client);

/* Waits for one event or reply at the most and handles it. Returns as nb_wait does. */
NB_EXPORT int nb_wait_once(struct nb_client *client);

/* --- In an event loop ---------------------------------------------------------------------- */

/* Called with the reply to a request, or with an event. The reply is the library's and ends with
 * the call. The handler may submit requests, but not close the client. */
typedef void nb_handler(struct nb_client *client, const struct nb_reply *reply, void *context);

/* Queues a request; handler (NULL: none) is called with its reply from nb_dispatch, nb_wait or
 * nb_call. Never blocks, and sends nothing before nb_dispatch. The queue grows as needed.
 * Returns 0, -EMSGSIZE (larger than a request may be) or -ENOMEM. */
NB_EXPORT int nb_submit(struct nb_client *client, const struct nb_request *request,
                        nb_handler *handler, void *context);

/* Queues a request that is JSON text already, e.g. a line of a file, as nb_submit does.
 * Returns 0, -EINVAL (not one JSON object that the service could take), -EMSGSIZE or -ENOMEM. */
NB_EXPORT int nb_submit_text(struct nb_client *client, const char *text, size_t length,
                             nb_handler *handler, void *context);

/* Sets the function that is called with each event. They come after a SUBSCRIBE request. */
NB_EXPORT void nb_set_event_handler(struct nb_client *client, nb_handler *handler, void *context);

/* The descriptor to poll. It belongs to the client and stays the same until nb_close; read and
 * write nothing there, and do not close it. */
NB_EXPORT int nb_fd(const struct nb_client *client);

/* What to poll it for: POLLIN always, and POLLOUT while something is to be sent. It changes by
 * nb_submit, nb_dispatch and the blocking calls, so ask anew before each poll; with epoll, whose
 * EPOLLIN and EPOLLOUT are the same bits, change the registration when it differs from the last.
 * Poll by level, not by edge (no EPOLLET): one nb_dispatch may leave bytes for the next. */
NB_EXPORT short nb_poll_events(const struct nb_client *client);

/* Sends and receives what can be without waiting, and calls the handlers. Call it when the
 * descriptor is ready for whatever reason, also for POLLHUP and POLLERR, which it returns as an
 * error; and once behind a blocking call before polling, because that may have received more than
 * it waited for. With nothing to do it does nothing. Returns 0, or an error as nb_call does. */
NB_EXPORT int nb_dispatch(struct nb_client *client);

/* Requests that are not answered yet. */
NB_EXPORT size_t nb_pending(const struct nb_client *client);

/* --- Replies ------------------------------------------------------------------------------- */

/* Releases a reply of nb_call. NULL is allowed. */
NB_EXPORT void nb_reply_free(struct nb_reply *reply);

/* NULL when the service did what was asked; else the word for why not, e.g. "not-found"; for no
 * reply (NULL) "internal". Valid as long as the reply, like all that follows. */
NB_EXPORT const char *nb_reply_code(const struct nb_reply *reply);

/* A sentence for people, on success and on an error. "" where there is none. */
NB_EXPORT const char *nb_reply_message(const struct nb_reply *reply);

/* The field of the request that is wrong, or "". */
NB_EXPORT const char *nb_reply_field(const struct nb_reply *reply);

/* The name of the event, e.g. "mfc.added"; NULL for a reply. */
NB_EXPORT const char *nb_reply_event(const struct nb_reply *reply);

/* The payload, or NULL where there is none. */
NB_EXPORT const struct nb_value *nb_reply_payload(const struct nb_reply *reply);

/* The descriptor of this name that came with the reply, e.g. "tap"; close-on-exec. It is yours from
 * now on, also in a handler, and remains so when the reply ends: close it. Those that nobody asks
 * for are closed with the reply. Where several have the name, each call returns the next.
 * Returns the descriptor, or a negative errno: -ENOENT (the reply brought none of this name, or it
 * was taken), -EMFILE (this process has too many to receive all of the reply's; none is left),
 * -EINVAL. */
NB_EXPORT int nb_reply_fd(const struct nb_reply *reply, const char *name);

/* The whole reply or event, for a reader of its other members. */
NB_EXPORT const struct nb_value *nb_reply_value(const struct nb_reply *reply);

/* --- Values -------------------------------------------------------------------------------- */

/* A member of an object, or NULL. NULL is allowed as value in all of these. */
NB_EXPORT const struct nb_value *nb_value_get(const struct nb_value *value, const char *key);

/* The first member of an object or list, and the one after another; NULL at the end. */
NB_EXPORT const struct nb_value *nb_value_first(const struct nb_value *value);
NB_EXPORT const struct nb_value *nb_value_next(const struct nb_value *value);

/* The key under which a member of an object stands, else "". */
NB_EXPORT const char *nb_value_key(const struct nb_value *value);

/* The text, number or truth; "", 0 or false where the value is of another kind or missing. */
NB_EXPORT const char *nb_value_string(const struct nb_value *value);
NB_EXPORT int64_t nb_value_integer(const struct nb_value *value);
NB_EXPORT bool nb_value_bool(const struct nb_value *value);

/* The value as JSON text on one line. The text is yours: release it with free. NULL: no memory. */
NB_EXPORT char *nb_value_text(const struct nb_value *value);

/* --- Captures ------------------------------------------------------------------------------ */

/* The frames of a capture, which the reply to OPEN_CAPTURE brings: they are read where they lie, in
 * memory that the service writes. The capture lasts as long as the client of that reply.
 *
 *     while ((got = nb_capture_next(capture, &record)) > 0 || got == 0) {
 *         if (got > 0) {
 *             ... record.bytes ...
 *         } else {
 *             nb_capture_release(capture);
 *             if (nb_capture_wait(capture))
 *                 poll nb_capture_fd(capture) for POLLIN, and nb_fd(client)
 *         }
 *     } */
struct nb_capture;

enum nb_capture_kind {
    NB_CAPTURE_FRAME = 1,
    NB_CAPTURE_GAP = 2,    /* frames were lost here, because you read too slowly */
    NB_CAPTURE_STATUS = 3, /* counters, about each second while they grow */
};

enum nb_capture_flags {
    NB_CAPTURE_OUTGOING = 1,      /* this host has sent it */
    NB_CAPTURE_HARDWARE_TIME = 2, /* the time is the interface's; else the kernel's */
    NB_CAPTURE_VLAN_INSERTED = 4, /* a tag that was taken out is in its place again */
    NB_CAPTURE_PROMISCUOUS = 8,   /* to another station */
    NB_CAPTURE_CUT = 16,          /* `length` is less than `original` */
};

struct nb_capture_record {
    enum nb_capture_kind kind; /* pass over those that you do not know */
    unsigned flags;            /* enum nb_capture_flags */
    uint64_t time;             /* ns since 1970, UTC */
    const unsigned char *bytes;
    uint32_t length;     /* bytes that are here */
    uint32_t original;   /* bytes that the frame had */
    uint64_t sequence;   /* of the frame, lost ones included, from 0 */
    uint64_t lost;       /* of a gap: frames */
    uint64_t lost_bytes; /* the same in bytes */
    /* Of a status, since the capture began: */
    uint64_t received;       /* frames that the kernel gave to the service */
    uint64_t kernel_dropped; /* frames that it had no room for */
    uint64_t iface_dropped;  /* frames that the interface itself lost, where it says so */
    bool is_up;              /* the interface is up and has a carrier */
};

/* Takes the capture out of a reply, with its descriptors. It is yours: release it with
 * nb_capture_close, and the client, which must last as long, afterwards.
 * Returns 0 or a negative errno: -ENOENT (the reply brought none), -EBADMSG (what it brought is no
 * capture of this version), -EMFILE, -ENOMEM. */
NB_EXPORT int nb_capture_open(struct nb_capture **ret_capture, const struct nb_reply *reply);

/* Unmaps it. What records point to is gone. NULL is allowed. */
NB_EXPORT void nb_capture_close(struct nb_capture *capture);

/* The next record. Its bytes stay as they are until nb_capture_release.
 * Behind the end of a capture, all that came before can be read for 5 seconds; then the service
 * takes the memory back, which is zeros from then on, and nb_capture_end says so. Returns 1, 0
 * (there is none now), or a negative errno: -ENODATA (the capture has ended, and there is no more:
 * see nb_capture_end), -EBADMSG (what is there can be no capture). */
NB_EXPORT int nb_capture_next(struct nb_capture *capture, struct nb_capture_record *ret_record);

/* Gives the room of all records that were returned back to the service: as often as suits, but
 * before waiting. */
NB_EXPORT void nb_capture_release(struct nb_capture *capture);

/* Says that you are about to wait. False: do not, there is something to read. */
NB_EXPORT bool nb_capture_wait(struct nb_capture *capture);

/* The descriptor to poll for POLLIN. It belongs to the capture; do not read from it. */
NB_EXPORT int nb_capture_fd(const struct nb_capture *capture);

/* Why it has ended, a sentence without its full stop; "" while it goes on. */
NB_EXPORT const char *nb_capture_end(const struct nb_capture *capture);

/* --- Injection ----------------------------------------------------------------------------- */

/* Frames that are sent on an interface, by the reply to OPEN_INJECT: they are written to memory of
 * which the service takes them, judges each, and sends it or says why not. It lasts as long as the
 * client of that reply.
 *
 *     put = nb_inject_put(inject, frame, length, time, tag);
 *     nb_inject_publish(inject);                      as often as suits, but before waiting
 *     while (nb_inject_next_refusal(inject, &refusal) > 0)
 *         ... refusal.tag, nb_inject_reason_meaning(refusal.reason) ...
 *     if (put == 0 && nb_inject_wait(inject, length))
 *         poll nb_inject_fd(inject) for POLLIN, and nb_fd(client) */
struct nb_inject;

enum {
    NB_INJECT_REASONS = 16,  /* that may be, by number */
    NB_INJECT_BUCKETS = 128, /* of a count of times */
};

struct nb_inject_refusal {
    uint64_t sequence; /* of the frame among all that were put, from 0 */
    uint64_t tag;      /* as it was put */
    uint32_t length;
    unsigned reason; /* see nb_inject_reason_word */
    unsigned record; /* of a stream: enum nb_inject_record, what was refused; else 0 */
};

/* What became of frames so far. The numbers need not be of one moment. */
struct nb_inject_counts {
    uint64_t judged; /* frames that were sent or refused */
    uint64_t sent, sent_bytes;
    uint64_t refused[NB_INJECT_REASONS]; /* by reason */
    uint64_t untold; /* refusals that nb_inject_next_refusal left out: it was called too rarely */
};

/* How late frames of a timed injection were sent, and why: a stall is a time for which the machine
 * did not run the service. A frame that was too late to be sent is a refusal ("late"), and only
 * `latest` knows of it. */
struct nb_inject_timing {
    uint64_t started; /* ns since 1970, UTC, of time 0; 0 before the first frame */
    uint64_t late;    /* frames that were sent more than 0.1 ms late */
    uint64_t latest;  /* ns, of any frame */
    uint64_t stalls, stalled_ns;
    uint64_t histogram[NB_INJECT_BUCKETS]; /* for nb_inject_lateness */
};

/* Takes the injection out of a reply, with its descriptors. It is yours: release it with
 * nb_inject_close, and the client, which must last as long, afterwards.
 * Returns 0 or a negative errno: -ENOENT (the reply brought none), -EBADMSG (what it brought is no
 * injection of this version), -EMFILE, -ENOMEM. */
NB_EXPORT int nb_inject_open(struct nb_inject **ret_inject, const struct nb_reply *reply);

/* Unmaps it. Frames that were not taken yet are not sent. NULL is allowed. */
NB_EXPORT void nb_inject_close(struct nb_inject *inject);

/* Bytes of the longest frame that can be put. */
NB_EXPORT uint32_t nb_inject_length_max(const struct nb_inject *inject);

/* Copies a frame, from its destination address to its last byte without a check sequence. time: ns
 * after the beginning at which it is to be sent, where the injection was opened as timed; else 0.
 * tag: your own, which comes back with a refusal.
 * Returns 1, 0 (no room: see nb_inject_wait), or a negative errno: -EMSGSIZE (it is longer than any
 * frame can be here), -ENODATA (the injection has ended: see nb_inject_end), -EINVAL. */
NB_EXPORT int nb_inject_put(struct nb_inject *inject, const void *bytes, uint32_t length,
                            uint64_t time, uint64_t tag);

/* Lets the service see all that was put. Returns 0, or -ENODATA as nb_inject_put does. */
NB_EXPORT int nb_inject_publish(struct nb_inject *inject);

/* Says that you are about to wait until there is room for a frame of this length, or a refusal to
 * read; with UINT32_MAX, until all was taken. False: do not wait. */
NB_EXPORT bool nb_inject_wait(struct nb_inject *inject, uint32_t length);

/* The descriptor to poll for POLLIN. It belongs to the injection; do not read from it. */
NB_EXPORT int nb_inject_fd(const struct nb_inject *inject);

/* The next frame that was refused. Returns 1, 0 (there is none now) or -EINVAL. */
NB_EXPORT int nb_inject_next_refusal(struct nb_inject *inject,
                                     struct nb_inject_refusal *ret_refusal);

/* A word for a reason, such as "source", and a sentence without its full stop; "" where there is no
 * such reason. */
NB_EXPORT const char *nb_inject_reason_word(unsigned reason);
NB_EXPORT const char *nb_inject_reason_meaning(unsigned reason);

/* Behind the end of an injection, numbers and refusals can be looked at for 5 seconds; then the
 * service takes its memory back, and there are none. */
NB_EXPORT void nb_inject_counts(const struct nb_inject *inject,
                                struct nb_inject_counts *ret_counts);

NB_EXPORT void nb_inject_timing(const struct nb_inject *inject,
                                struct nb_inject_timing *ret_timing);

/* The lateness in ns that this share of the frames, in millionths, did not exceed: 500000 gives the
 * median. It is up to a quarter too large, and at most `latest`. 0 where none was sent. */
NB_EXPORT uint64_t nb_inject_lateness(const struct nb_inject_timing *timing, uint64_t millionths);

/* Why it has ended, a sentence without its full stop; "" while it goes on. */
NB_EXPORT const char *nb_inject_end(const struct nb_inject *inject);

/* --- Streams of Sampled Values ------------------------------------------------------------- */

/* An injection whose frames the service makes itself, where OPEN_INJECT was asked for a `template`:
 * the frame of a stream is given once, and its samples lie in a table of the service. Segments of
 * the table are played one behind the other, each from the sample on that it is to begin with. The
 * service puts smpCnt, refrTm, smpSynch and the samples in, and sends each frame at its time: with
 * the time of its last sample. smpCnt is the number of the sample modulo samples a second.
 *
 * Samples are numbered from time 0 of the injection, which is a full second: the `start` that
 * OPEN_INJECT was asked for, else the first one behind the first segment; `started` of
 * nb_inject_timing says which.
 *
 *     nb_inject_template(inject, frame, length, 4800);
 *     nb_inject_samples(inject, 0, samples, 96, sample_length);
 *     nb_inject_play(inject, &(struct nb_inject_segment){.first = 0, .count = 96});
 *     nb_inject_publish(inject);
 *
 * Each of these functions writes one record or several, which have their turn in the order in which
 * they were written, and are there with nb_inject_publish. They return 1, 0 (no room now: see
 * nb_inject_wait) or a negative errno: -ENODATA (the injection has ended), -EINVAL, -EMSGSIZE (it
 * is longer than the memory of the injection). Whether the service takes a record is told by
 * nb_inject_next_refusal, with the record and its tag; one that is refused changes nothing.
 *
 * Of nb_inject_counts, `sent` are frames, `refused` are records and frames that could not be sent,
 * and `judged` is the sum of both. */
enum nb_inject_record {
    NB_INJECT_TEMPLATE = 1, /* the tag of its refusal: samples a second */
    NB_INJECT_SAMPLES,      /* the place of the first in the table */
    NB_INJECT_PLAY,         /* that of the segment */
    NB_INJECT_STOP,         /* the number of the sample */
    NB_INJECT_SYNCH,        /* the value */
};

/* Gives the template, an Ethernet frame of Sampled Values with 1 to 16 ASDUs whose samples are
 * equally long, at most 1522 bytes. Samples a second: at most 65535, a multiple of the ASDUs;
 * divided by their number, not more than the `rate` of the injection. It is judged as any frame is.
 * It comes before all else. Later on another one may follow, with as many ASDUs, samples as long
 * and as many a second: for other addresses, names, confRev or flags, from the next frame on. */
NB_EXPORT int nb_inject_template(struct nb_inject *inject, const void *bytes, uint32_t length,
                                 uint32_t samples_per_second);

/* Puts so many samples into the table, from this place on, counted in samples: the table has
 * `tables` of OPEN_INJECT divided by the length of a sample, in bytes. They are as in an ASDU, one
 * behind the other. All are taken, or none: of more than the memory of the injection (`buffer`)
 * holds, a part at a time. Refused ("table") where a segment that is not over has one of the
 * places. */
NB_EXPORT int nb_inject_samples(struct nb_inject *inject, uint32_t place, const void *bytes,
                                uint32_t samples, uint32_t sample_length);

enum nb_inject_how {
    NB_INJECT_SEND,
    NB_INJECT_DROP,  /* its frames are counted, and not sent; smpCnt goes on */
    NB_INJECT_TWICE, /* each of its frames is sent twice; the `rate` must be enough for both */
};

#define NB_INJECT_BEHIND UINT64_MAX

struct nb_inject_segment {
    /* The number of the sample that it begins with, a multiple of the ASDUs, and not less than the
     * begin of the segment before: that ends here then. NB_INJECT_BEHIND: where the one before
     * ends; refused ("time") if that goes on for ever. One that has passed: it begins with the next
     * frame, as if it had begun in time, so with another sample than `first`. */
    uint64_t begin;
    uint32_t first, count; /* samples of the table; count is a multiple of the ASDUs */
    uint32_t repeats; /* how often they are sent; 0: until the next segment or nb_inject_stop */
    enum nb_inject_how how;
    uint64_t tag; /* your own; it comes back with a refusal */
};

/* Queues a segment. At most 16 may wait or be played; the next one is refused ("rate"). A segment
 * that ends where none follows leaves the stream silent: see nb_inject_starved. */
NB_EXPORT int nb_inject_play(struct nb_inject *inject, const struct nb_inject_segment *segment);

/* Sends nothing from this sample on, rounded up to a frame, until a segment that is queued later
 * begins; 0: from now on. What is played ends there; segments that were to begin there or later are
 * over. */
NB_EXPORT int nb_inject_stop(struct nb_inject *inject, uint64_t sample);

/* Sets smpSynch, from the next frame on. Before: that of the template. */
NB_EXPORT int nb_inject_synch(struct nb_inject *inject, uint8_t value);

/* How many segments are over, of those that were not refused: their places in the table are free.
 */
NB_EXPORT uint64_t nb_inject_played(const struct nb_inject *inject);

/* The number of the sample that is sent next, or would be. */
NB_EXPORT uint64_t nb_inject_next(const struct nb_inject *inject);

/* How often a segment ended, and none was there to follow it. Nothing is sent until one begins. */
NB_EXPORT uint64_t nb_inject_starved(const struct nb_inject *inject);

/* Frames of segments with NB_INJECT_DROP, so far. */
NB_EXPORT uint64_t nb_inject_dropped(const struct nb_inject *inject);

#ifdef __cplusplus
}
#endif

#endif
