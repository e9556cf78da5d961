/* The broker's end of the channel to the keeper. See keeper/channel.h for the messages.
 *
 * Who asks embeds a keeper_call, which stays where it is until its answer comes: done is called
 * once, and may free it. Each answer finds its call by the id. What the channel does not take now,
 * and what would be more than the keeper grants, is sent later, in its order. */
#ifndef NB_KEEPER_LINK_H
#define NB_KEEPER_LINK_H

#include "keeper/channel.h"
#include "watch.h"

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

struct keeper_call {
    TAILQ_ENTRY(keeper_call) in_link; /* of unsent, then of calls, until it is answered */
    struct keeper_request request;    /* as it was sent */
    /* fd: what came with the answer, the callee's; -1: nothing did. NULL: a statement, which the
     * link owns and which has no answer. */
    void (*done)(struct keeper_call *call, const struct keeper_answer *answer, int fd);
};

typedef void keeper_noticed(void *context, const struct keeper_answer *notice);

struct keeper_link {
    struct watch watch;
    uv_timer_t alive;
    uint64_t alive_ms;  /* when the keeper was told last that the broker is */
    uv_timer_t pause;   /* until it is tried again to send more */
    unsigned left;      /* requests that may be sent now, of PACE_BURST */
    uint64_t filled_ms; /* when some were added last */
    struct channel channel;
    uint32_t last_id;
    /* Descriptors behind the first one of the answer, while done is called: they are closed when it
     * returns, but those that it has taken (keeper_take_more). */
    struct {
        unsigned count, taken;
        int fds[KEEPER_FDS_MAX];
    } came;
    uint32_t names_ever;                         /* as the keeper told last (channel.h) */
    TAILQ_HEAD(keeper_calls, keeper_call) calls; /* that wait for their answers, oldest first */
    struct keeper_calls unsent;                  /* that wait for room in the pipe, or their time */
    /* Who hears what the keeper tells of each operation without being asked (channel.h). */
    struct {
        keeper_noticed *noticed; /* NULL: nobody */
        void *context;
    } listeners[KEEPER_OPERATION_COUNT];
    void (*lost)(void *context); /* the keeper is gone: there is no going on */
    void *context;
};

/* From now on the notices of this operation go there, and to nobody else. Before the link starts:
 * of *link, which is zero else, nothing need be set. */
void keeper_listen(struct keeper_link *link, enum keeper_operation operation,
                   keeper_noticed *noticed, void *context);

/* Begins to listen, and to tell the keeper that the loop turns. Of *link, channel, names_ever, lost
 * and context are set. What the keeper has told by now comes before this returns. */
void keeper_link_start(struct keeper_link *link, uv_loop_t *loop);

/* Calls that wait are told that it is over (error -ECANCELED). */
void keeper_link_stop(struct keeper_link *link);

/* Sends call->request; done brings the answer, never before this function returns. */
void keeper_ask(struct keeper_link *link, struct keeper_call *call);

/* The next descriptor of the answer that a keeper_call's done is called with, behind the one that
 * it has as fd: the caller's from now on. -1: there is no more. */
int keeper_take_more(struct keeper_link *link);

/* For what takes a second of one turn, at the start, and is bounded: tells the keeper in between
 * that the broker is alive, if it was not told lately. */
void keeper_reassure(struct keeper_link *link);

/* Sends a request that has no answer. */
void keeper_tell(struct keeper_link *link, const struct keeper_request *request);

#endif
