/* Lifelines: how the end of a macvtap's holder is seen, and how the holder sees its end.
 *
 * The kernel tells nobody that the descriptor of a macvtap was closed, and tells its holder nothing
 * of the interface's end. So a pipe is made with it: the holder has the end that is written, and
 * keeper and broker the other one. When no process has the holder's end any more, the lease ends.
 * When the service ends the lease, it closes its end, and poll(2) gives the holder POLLERR.
 *
 * What is written to it is never read: the pipe is full at some time, and that is all. The keeper
 * keeps its copy by the name of the tap, so the next broker goes on where this one ends. */
#ifndef NB_TAP_LIFELINE_H
#define NB_TAP_LIFELINE_H

#include "bounds.h"
#include "broker/watch.h"

#include <stdbool.h>
#include <sys/queue.h>

struct tap;
struct taps;

struct lifeline {
    struct watch watch;           /* first */
    LIST_ENTRY(lifeline) in_list; /* lifelines->inherited, while it has no tap; owned */
    struct tap *tap;              /* NULL: none yet */
    int fd;                       /* owned */
    bool watched;
    char name[INTERFACE_NAME_MAX + 1]; /* of the tap that it was made with */
};

/* All of a kind, but those that taps have. */
struct lifelines {
    struct taps *taps;
    LIST_HEAD(, lifeline) inherited; /* that no tap has taken */
    uv_timer_t timer;                /* until taps whose device was not there are tried again */
    bool has_timer;
};

void lifelines_init(struct lifelines *lifelines, struct taps *taps);

/* Closes its handles, and the lifelines that no tap has. */
void lifelines_stop(struct lifelines *lifelines);

/* Takes what the keeper kept, if its name is a lifeline's. */
bool lifelines_inherit(struct lifelines *lifelines, const char *name, int fd);

/* Whether one came over for the tap of that name. */
bool lifelines_have(const struct lifelines *lifelines, const char *tap);

/* Gives it the lifeline that came over for it, if there is one. */
void lifelines_adopt(struct tap *tap);

/* All that is wanted was restored: those of no tap end, here and with the keeper. */
void lifelines_settle(struct lifelines *lifelines);

/* Begins to watch the tap's lifeline; fd is owned in any case. False: no memory. */
bool lifeline_begin(struct tap *tap, int fd);

/* Closes the broker's end, if it has one. */
void lifeline_end(struct tap *tap);

/* The device of a macvtap is not there yet: taps_try_again comes in a moment. False: it was tried
 * for long enough. */
bool lifelines_try_again(struct tap *tap);

#endif
