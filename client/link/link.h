/* An Ethernet link in the process of the user who holds its tap: a relay between the tap and the
 * sockets of emulators and virtual machines, which a switch joins.
 *
 *     tap descriptor ── port 0 ─┐
 *     listening sockets ─ ports ┼─ switch (libproto/switch)     frames: libproto/framing
 *     connections out ─── ports ┘
 *
 * It needs no privilege and no service: who has the descriptor of a tap can run it. One thread, one
 * loop of libuv, no allocation a frame. What a port could not take is lost to that port alone, and
 * counted; what is pending for it is bounded. A client that breaks its framing, or leaves, ends its
 * own port and nothing else.
 *
 *     struct link_config config = {.mtu = 1500, .events = &events, .context = self};
 *     struct link_options options = {.framing = FRAMING_U16LE};
 *
 *     link_new(&link, &config);
 *     link_attach_tap(link, fd, NULL);
 *     link_listen(link, "/tmp/dolphin-tap", &options);
 *     link_end_by_signals(link);
 *     result = link_run(link);
 *     link_free(link);
 *
 * Unless said otherwise, functions that return int return 0 or a negative errno, and after an error
 * link_problem has a sentence on it. Nothing here is safe against use by two threads at once. */
#ifndef NB_LINK_H
#define NB_LINK_H

#include "framing/framing.h"
#include "switch/switch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

struct link;

enum {
    LINK_TAP = 0,           /* the number of the tap's port */
    LINK_CLIENTS_MAX = 255, /* at a time, of one link */
    LINK_CLIENTS_DEFAULT = 32,
    LINK_TAP_NAME = 16,  /* bytes of an interface's name, with its end */
    LINK_NAME_MAX = 128, /* bytes of the name of a port, with its end */
    LINK_BACKLOG = 64,   /* connections that wait to be accepted */
    LINK_MACS = 64,      /* of a client, unless said otherwise */
    LINK_TAP_MACS = 1024,
};

/* --- Ports --------------------------------------------------------------------------------- */

/* On what sockets a framing is spoken. By default on a stream; messages on SEQPACKET. */
enum link_socket {
    LINK_SOCKET_DEFAULT,
    LINK_SOCKET_STREAM,
    LINK_SOCKET_SEQPACKET,
    LINK_SOCKET_DGRAM
};

/* How ports are made. All zero: u16le, nothing forbidden. */
struct link_options {
    enum framing framing;
    enum link_socket socket; /* not for link_adopt: the descriptor knows */
    struct switch_port port; /* isolated, MACs that are allowed, rates: libproto/switch/switch.h */

    /* Of a socket at a path that link_listen makes. */
    bool has_mode, has_group;
    mode_t mode; /* by default 0600: of the user alone */
    gid_t group;

    /* Of link_connect: a path to bind a SOCK_DGRAM socket to, so that the peer has where to answer.
     * NULL: one in the runtime directory ($XDG_RUNTIME_DIR, else /tmp), removed at the end. */
    const char *local;
    bool once; /* do not connect again when the peer goes: the port ends for good */
};

/* What is known of a port. Text is valid until the call that gave it returns. */
struct link_port {
    unsigned number;             /* LINK_TAP, or of a client */
    const char *name;            /* "tap", a path, or the address of the peer */
    const char *framing;         /* "" for the tap */
    bool isolated;               /* from other isolated ports */
    pid_t pid;                   /* of the peer, where the system tells; else 0 */
    uid_t uid;                   /* with pid */
    uint64_t since_ns;           /* link_now when it was attached */
    uint64_t pending;            /* bytes that the peer has not taken */
    struct framing_counts from;  /* what came from the client */
    struct framing_counts to;    /* what went to it; `dropped`: it did not read in time */
    struct switch_counters flow; /* what the switch made of it */
};

/* --- Events -------------------------------------------------------------------------------- */

/* Called from link_run (attached and failed also from the functions that make ports). Each may be
 * NULL. They may call link_stop, link_visit and link_loop, and no other function of the link. */
struct link_events {
    /* A client is there. */
    void (*attached)(struct link *link, const struct link_port *port, void *context);
    /* It is gone; why is a sentence without its full stop. */
    void (*detached)(struct link *link, const struct link_port *port, const char *why,
                     void *context);
    /* What goes on, but not as it should: a connection that could not be made (each time another
     * reason), a client that had to be refused, a capture that ended. Without its full stop. */
    void (*warned)(struct link *link, const char *sentence, void *context);
    /* Each frame that comes in at a port, before the switch sees it; it must be quick. Taking it
     * costs time: NULL where nobody looks. */
    void (*frame)(struct link *link, unsigned port, const unsigned char *frame, size_t length,
                  void *context);
    /* A frame that was not taken from the port, of so many bytes as the port said. */
    void (*refused)(struct link *link, unsigned port, enum framing_fate fate, size_t length,
                    void *context);
    /* Every interval of link_report_every: visit the ports. */
    void (*report)(struct link *link, void *context);
};

/* --- A link -------------------------------------------------------------------------------- */

struct link_config {
    uint32_t
        mtu; /* 576 to 65521: frames of mtu + 18 bytes pass, longer ones are counted; 0: 1500 */
    unsigned clients; /* the most at a time; 0: LINK_CLIENTS_DEFAULT */
    bool offload;     /* each frame is behind an offload header: libproto/framing/offload.h */
    uint32_t macs;    /* of each client, the most that options->port.macs may say; 0: LINK_MACS */
    const struct link_events *events; /* NULL: none. It must stay */
    void *context;                    /* for them */
};

/* Makes a link without ports. It is yours: end it with link_free. */
int link_new(struct link **ret_link, const struct link_config *config);

/* Ends all ports, removes the sockets that link_listen made, closes all descriptors that were given
 * to it. NULL is allowed. */
void link_free(struct link *link);

/* Whether the descriptor is a tap's for a link without offload, or with (IFF_TAP | IFF_NO_PI, and
 * with IFF_VNET_HDR or not), and the interface's name. With offload, sets what the offload header
 * is, and that the host leaves checksums and TCP's segmentation to others. -EINVAL: it is another
 * one, or the kernel refuses; problem is set. */
int link_prepare_tap(int fd, bool offload, char ret_name[LINK_TAP_NAME], const char **ret_problem);

/* The tap: its descriptor, of which each read is a frame, is the link's from now on, also after an
 * error. port: NULL, or what the switch holds it to: with `allowed` and `locked` no client gets the
 * host's MAC. At most one; without it, clients talk to each other only. -EEXIST: there is one. */
int link_attach_tap(struct link *link, int fd, const struct switch_port *port);

/* Serves at a place: PATH, PORT (of 127.0.0.1), ADDRESS:PORT or [ADDRESS]:PORT; words of digits are
 * ports, and what has a '/' is a path. A stale socket of a server that is gone is replaced, and
 * -EADDRINUSE where one lives, or where it is no socket. A SOCK_DGRAM place is one port: its peer
 * is who sends first, until that one is gone. May be called for any number of places. */
int link_listen(struct link *link, const char *place, const struct link_options *options);

/* Connects to a place, and again (after 0.1 s, then twice as long each time up to 5 s) whenever the
 * peer is not there or goes. Returns 0 although nobody is there yet, which is told by `warned`. */
int link_connect(struct link *link, const char *place, const struct link_options *options);

/* Takes a socket that is connected. The descriptor is the link's from now on, also after an error.
 * name: of the port; NULL: "fd N". -EINVAL: not such a socket, or none for this framing. -ENOSPC:
 * as many clients as there may be. */
int link_adopt(struct link *link, int fd, const char *name, const struct link_options *options);

/* Writes each frame that comes in at a port to a file that tcpdump(8) and Wireshark read (the
 * format of pcap-savefile(5), nanoseconds). The file is made anew with mode 0600, or "-" is
 * standard output. snaplen: bytes of each frame at most; 0: all. It is written at most every 10 ms
 * and when 512 KiB are there (client/capture/writer.h). An error of the disk ends the capture, by
 * `warned`, and not the link. */
int link_capture(struct link *link, const char *path, uint32_t snaplen);

/* Calls events->report every so often; 0: no more. */
int link_report_every(struct link *link, unsigned milliseconds);

/* SIGINT, SIGTERM and SIGHUP stop the link; SIGPIPE is ignored. */
int link_end_by_signals(struct link *link);

/* Relays until link_stop (0), until no client is there and none can come any more (0: the last
 * adopted one left), or until the tap is gone: -EBADFD, see link_problem. */
int link_run(struct link *link);

/* Makes link_run return 0 soon. */
void link_stop(struct link *link);

/* What became of the last call that returned an error: a sentence without its full stop, "" where
 * there was none. Valid until the next call. */
const char *link_problem(const struct link *link);

/* The loop, for what else the process waits for: its handles must be closed, and their close
 * callbacks called, before link_free. */
uv_loop_t *link_loop(struct link *link);

/* Nanoseconds of CLOCK_MONOTONIC, when the turn of the loop began. */
uint64_t link_now(const struct link *link);

/* Calls visit for each port that is attached, the tap first. */
void link_visit(struct link *link, void (*visit)(const struct link_port *port, void *context),
                void *context);

/* What came from all clients and went to them, also from and to those that have left. */
void link_totals(const struct link *link, struct framing_counts *ret_from,
                 struct framing_counts *ret_to);

#endif
