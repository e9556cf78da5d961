/* What the files of a link share. */
#ifndef NB_LINK_INTERNAL_H
#define NB_LINK_INTERNAL_H

#include "framing/offload.h"
#include "link.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
    TURN_FRAMES = 2 * FRAMING_BATCH, /* of one port, before others have a turn */
    BUFFER_LEAST = 64 << 10,         /* bytes of what is pending for a client, or was read of it */
    BUFFER_MOST = 256 << 10,         /* unless four frames are more */
    SOCKET_BUFFER = 1 << 20,         /* bytes that the kernel is asked to keep; it may give less */
    PROBLEM_MAX = 256,
    LINK_SIGNALS = 3,
};

/* --- Ports --------------------------------------------------------------------------------- */

struct port;

struct port_kind {
    /* One turn: reads what is there, no more than TURN_FRAMES. */
    void (*receive)(struct port *port);
    /* The next turn of what one read brought; NULL: a read brings no more than a turn. */
    void (*go_on)(struct port *port);
    /* Sends what is pending, and sets blocked where the peer does not take it all. */
    void (*send)(struct port *port);
    bool encodes; /* frames for it wait in its encoder; else send_frame takes each at once */
    void (*send_frame)(struct port *port, const unsigned char *frame, size_t length);
    /* The poll has failed, and receive found no reason. */
    void (*failed)(struct port *port);
};

struct port {
    struct link *link;
    const struct port_kind *kind;
    struct place *place; /* that made it; NULL: adopted */
    unsigned number;
    int fd, socket_type;
    uv_poll_t poll;
    int polled; /* events */
    bool ending;
    bool paused;                    /* it is not read */
    bool blocked;                   /* it is not written before it is writable */
    bool full;                      /* blocked, and nothing more can wait for it */
    unsigned likely;                /* where its last frame went */
    struct framing_counts from, to; /* of what has no decoder or encoder */
    struct framing_decoder decoder; /* of a stream */
    struct framing_encoder encoder; /* of all but a tap; messages wait in it with their length */
    unsigned char *received, *pending;
    enum framing framing;
    bool isolated;
    bool told_invalid; /* of its first wrong offload header */
    uint64_t since_ns;
    pid_t pid;
    uid_t uid;
    char name[LINK_NAME_MAX];
};

extern const struct port_kind tap_kind, stream_kind, message_kind;

struct port_setup {
    int fd; /* the port's from now on, also after an error */
    const char *name;
    const struct link_options *options;
    struct place *place;
};

/* Makes a port for a connected socket and attaches it. */
int port_new(struct link *link, const struct port_setup *setup);

/* Detaches it and closes it; why is a sentence. It is no member of the link any more, but its
 * memory is valid until the loop has turned. */
void port_end(struct port *port, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Polls for what it can do now. */
void port_poll(struct port *port);

/* What a frame that came is on this link. */
enum framing_fate port_judge(struct port *port, const unsigned char *frame, size_t length);

/* A frame that came as it is: judged, counted and forwarded. */
void port_take(struct port *port, const unsigned char *frame, size_t length);

/* Tells of a frame that was not taken. */
void port_refuse(struct port *port, enum framing_fate fate, size_t length);

/* A send has failed: it is blocked, or ends. */
void port_send_failed(struct port *port, int error);

struct framing_counts *port_from(struct port *port);
struct framing_counts *port_to(struct port *port);
void port_describe(struct port *port, struct link_port *ret);

/* --- Places: what makes ports -------------------------------------------------------------- */

struct endpoint {
    union {
        struct sockaddr any;
        struct sockaddr_un path;
        struct sockaddr_storage storage;
    };
    socklen_t length;
};

struct place {
    struct link *link;
    struct place *next;
    const struct place_kind *kind;
    char *text; /* as it was given */
    struct link_options options;
    struct endpoint address; /* to listen at, or to connect to */
    struct endpoint peer;    /* that a SOCK_DGRAM socket is connected to */
    int socket_type;
    int fd;            /* -1: none */
    uv_poll_t *poll;   /* of fd; NULL: it is not polled */
    uv_timer_t timer;  /* the next try, or the next look at the peer */
    unsigned delay_ms; /* of the next try */
    int told;          /* the error that was told of last */
    struct port *port; /* of one that has one port at a time */
    char *bound;       /* a path to be removed; NULL: none */
    dev_t device;      /* with inode: what was bound */
    ino_t inode;
    bool closing;
};

struct place_kind {
    void (*ready)(struct place *place);
    void (*timeout)(struct place *place);
    void (*port_ended)(struct place *place, const struct port *port); /* its place->port is NULL */
};

/* PATH, PORT or ADDRESS:PORT. -EINVAL: none of these; the link's problem says so. */
int endpoint_parse(struct link *link, const char *text, struct endpoint *ret);

/* "127.0.0.1:4711", or the path. */
void endpoint_name(const struct endpoint *address, char *ret, size_t size);

/* The type of socket that the options mean; -EINVAL: they do not go together. */
int socket_type_of(struct link *link, const struct link_options *options,
                   const struct endpoint *address);

/* Whether the framing can carry what this link does; -EINVAL: it cannot. */
int link_check_framing(struct link *link, enum framing framing);

/* A socket that is close-on-exec and does not block; or -errno. */
int socket_new(const struct endpoint *address, int type);

/* The same for one that was accepted. */
void socket_set_flags(int fd);

/* Large buffers, and no waiting for more to be sent. */
void socket_tune(int fd);

/* Binds a socket of the place, at a path with its mode and group; replaces a stale one. It is
 * removed when the place is closed. */
int place_bind(struct place *place, int fd, const struct endpoint *address);

/* Makes a place that the link has from now on. */
int place_new(struct link *link, const char *text, const struct link_options *options,
              const struct place_kind *kind, struct place **ret);

/* Polls place->fd for events of libuv. */
int place_poll(struct place *place, int events);
void place_poll_stop(struct place *place);

void place_timer(struct place *place, unsigned milliseconds);

/* Makes a port of a socket that is connected; told is what it is called. */
int place_port(struct place *place, int fd, const char *name);

/* Whether the peer of a SOCK_DGRAM socket is gone, of which the kernel tells nobody. */
bool place_peer_is_gone(struct place *place);

/* Ends it; its memory is valid until the loop has turned. It must be in no list of the link. */
void place_close(struct place *place);

/* --- The link ------------------------------------------------------------------------------ */

struct link {
    uv_loop_t loop;
    struct link_config config;
    struct link_events events;
    uint32_t prefix;    /* bytes of the offload header that begins each frame; else 0 */
    uint32_t limit;     /* bytes of a frame, with it */
    uint32_t mtu_limit; /* of one that goes into a network as it is, without it */
    uint64_t now;
    struct ether_switch *sw;
    void *switch_memory;
    struct port *ports[SWITCH_PORTS_MAX];
    unsigned clients, full;        /* that are attached; of them, full */
    uint64_t patient_until;        /* the tap waits for the clients, if all are full */
    struct port_set dirty, behind; /* to be sent; to be gone on with */
    unsigned char *scratch;
    struct framing_counts past_from, past_to; /* of clients that have left */
    struct place *places;
    struct capture *capture;
    bool observed; /* somebody looks at each frame */
    uv_idle_t idle;
    uv_timer_t patience, report;
    uv_signal_t signals[LINK_SIGNALS];
    bool with_signals;
    unsigned handles; /* that are not closed */
    struct bucket warnings;
    int result;
    bool ended; /* by link_stop, or by result */
    char problem[PROBLEM_MAX];
};

/* Sets the problem and returns the error. */
int link_fail(struct link *link, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void link_warn(struct link *link, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ports that are behind go on while nothing else happens. */
void link_go_on(struct link *link);

/* Ends link_run. */
void link_end(struct link *link, int result);

/* Ends it if no client is there, and none can come. */
void link_end_if_idle(struct link *link);

/* A close callback of the link's own handles: they are counted. */
void link_closed(uv_handle_t *handle);

/* --- forward.c ----------------------------------------------------------------------------- */

/* Where to read a frame of this port to, so that it need not be copied: for link_forward. */
unsigned char *link_reserve(struct link *link, const struct port *from, size_t *ret_size);

/* A frame that fits the link, behind its offload header where there is one, goes where the switch
 * says. */
void link_forward(struct link *link, struct port *from, const unsigned char *frame, size_t length);

/* Sends what the ports were given. */
void link_flush(struct link *link);

/* A client is writable again. */
void link_writable(struct port *port);

/* Whether the tap has to wait: no client can take anything, but has until lately. */
bool link_must_wait(const struct link *link);

/* The tap is read again; also where it is read already, or there is none. */
void link_resume_tap(struct link *link);

/* --- capture.c ----------------------------------------------------------------------------- */

struct capture;

void capture_frame(struct capture *capture, const unsigned char *frame, size_t length);
void capture_end(struct link *link);

/* --- What differs between systems: linux.c ------------------------------------------------------
 */

/* Who is at the other end of a Unix socket; false: it is none, or the system does not tell. */
bool system_peer(int fd, pid_t *ret_pid, uid_t *ret_uid);

#endif
