/* Frames of Sampled Values that are made from a template and a table of samples: a supply of the
 * timed sender.
 *
 *     writer: put ──► commands: play, stop, synch, template ──► sender: next, done
 *             told ◄── numbers: what became of frames, segments that are over ◄──
 *
 * The sender has a timeline of its own: segments, each of which plays places of the table from one
 * sample number to another. They do not overlap, and follow each other. A command is applied before
 * the next frame is made; where a frame was made already and its time has not come, it is made
 * again (timed_change), so that a segment begins with the sample that it names.
 *
 * The order between the two threads. There is one writer and one sender.
 * - Commands are a ring. The writer stores `head` with release semantics behind a command, and the
 *   sender loads it with acquire semantics before it reads one; `taken` is the same in the other
 *   direction, so a place is written again only when its command was read.
 * - A template lies in one of a few slots, which are used in turn. Its command hands the slot over,
 *   and the sender uses the slot of the last such command that it has taken. The writer writes to a
 *   slot again when the command of the slot behind it was taken: `taken` is stored when the sender
 *   has left the slots before that one for good.
 * - The samples of a segment are written before its command, which `head` shows with them. `played`
 *   is stored with release semantics when the sender has read the last sample of a segment, and the
 *   writer loads it with acquire semantics before it writes to its places again.
 * - Numbers are told by relaxed stores, each with the sender for its only writer.
 *
 * The sender allocates nothing, takes no lock and makes no system call here, and reads only memory
 * of the service. A frame costs it a copy of its samples, and of a few bytes beside them. */
#ifndef NB_INJECT_TIMED_TEMPLATE_H
#define NB_INJECT_TIMED_TEMPLATE_H

#include "iec61850/sv.h"
#include "ring/transmit.h"
#include "timed.h"

enum {
    TEMPLATE_BYTES_MAX = 1522, /* an Ethernet frame with two tags */
    TEMPLATE_RATE_MAX = 65535, /* smpCnt has 16 bits */
    TEMPLATE_SEGMENTS = 16,
    TEMPLATE_COMMANDS = 64,
    TEMPLATE_SLOTS = 4, /* one that is used, and so many more on their way */
};

/* What all templates of a stream have in common. */
struct template_shape {
    uint32_t rate;          /* samples a second: a multiple of the ASDUs */
    uint32_t asdus;         /* 0: there is no template */
    uint32_t sample_length; /* bytes */
};

struct template_slot {
    struct template_shape shape;
    bool needs_own;  /* it is right as long as the interface has its address (frame/scope.h) */
    uint64_t number; /* of slots that were handed over */
    uint32_t length;
    struct sv_places places[SV_ASDUS_MAX];
    unsigned char bytes[TEMPLATE_BYTES_MAX];
};

/* Samples from `begin` to the one before `end`. */
struct template_segment {
    uint64_t begin, end;   /* numbers of samples: multiples of the ASDUs */
    uint32_t first, count; /* places of the table */
    enum stream_how how;
};

enum template_act {
    TEMPLATE_PLAY,  /* the segment */
    TEMPLATE_STOP,  /* from segment.begin on */
    TEMPLATE_SYNCH, /* value */
    TEMPLATE_SLOT,  /* value: the slot */
};

struct template_command {
    enum template_act act;
    uint32_t value;
    struct template_segment segment;
};

/* By the sender, for whoever looks. */
struct template_told {
    _Atomic uint64_t played, next, starved, dropped;
    _Atomic uint64_t sent, sent_bytes, late, latest;
    _Atomic uint64_t refused[TRANSMIT_REASON_COUNT];
    _Atomic uint64_t histogram[TRANSMIT_BUCKETS];
};

struct timed_template {
    _Alignas(RING_LINE) struct template_told told;
    struct template_slot memory[TEMPLATE_SLOTS];
    struct template_command commands[TEMPLATE_COMMANDS];
    const unsigned char *table; /* borrowed */
    uint64_t late;              /* ns: as timed_config */

    /* The writer's. */
    _Alignas(RING_LINE) _Atomic uint64_t head; /* commands before it are there */
    uint64_t slot_at[TEMPLATE_SLOTS];          /* the position behind the last command of each */
    uint64_t slots;                            /* that were handed over */
    _Atomic uint64_t own_from; /* those before it have an address that was the interface's */

    /* The sender's. */
    _Alignas(RING_LINE) _Atomic uint64_t taken; /* commands before it were */
    struct template_slot *slot;                 /* NULL: there is none yet */
    struct template_segment segments[TEMPLATE_SEGMENTS];
    uint64_t position; /* frames before this sample are done, or were not to be */
    uint64_t sample;   /* the first one of the frame that was made */
    unsigned count;    /* of segments */
    uint32_t copies;   /* of the frame that was made */
    int synch;         /* of all frames; -1: that of the template */
    bool is_made;      /* and is not done */
    bool is_marker;    /* it is none, but the moment when one is missing */
    bool is_running;   /* the frame before `position` was one */
    bool is_stopped;   /* it is to be silent behind the last segment */
};

/* late: as timed_config has it. */
void timed_template_begin(struct timed_template *template, const unsigned char *table,
                          uint64_t late);

/* --- The writer's -------------------------------------------------------------------------- */

/* Whether there is room for a command of any kind. */
bool timed_template_has_room(const struct timed_template *template);

/* Puts one, for which there is room; the sender sees it when it looks. Of segments that are not
 * over there are TEMPLATE_SEGMENTS at most. */
void timed_template_put(struct timed_template *template, const struct template_command *command);

/* The slot for the next template, which is handed over by timed_template_put_slot. */
struct template_slot *timed_template_next_slot(struct timed_template *template);
void timed_template_put_slot(struct timed_template *template);

/* The interface has another address: no frame of a template that needs the one before is sent. */
void timed_template_own_changed(struct timed_template *template);

/* Segments that are over. */
uint64_t timed_template_played(const struct timed_template *template);

/* Up to the next frame: the numbers of samples that frames begin with. */
uint64_t template_round_up(const struct template_shape *shape, uint64_t sample);

/* --- The sender's: what a stream takes ----------------------------------------------------- */

/* As timed_config has it. */
enum transmit_refusal_reason timed_template_judge(void *supply);
extern const struct timed_supply_ops timed_template_supply;

#endif
