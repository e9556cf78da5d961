/* A request that waits: for the keeper, the kernel, a set at work, or for work of its own that
 * takes a while.
 *
 * What was decided and done before a wait is not decided and done again: the request goes on with
 * the step after it, which replies or waits again. What ends meanwhile ends the wait as well: the
 * session without an answer, the request's lease and the policy's permission with an error. */
#ifndef NB_PENDING_H
#define NB_PENDING_H

#include "broker/waiter.h"
#include "call.h"

struct pending;
typedef enum outcome pending_step(struct pending *pending);

struct pending {
    struct waiter waiter;            /* first: on the list of what it waits for, if that has one */
    LIST_ENTRY(pending) in_services; /* not owned */
    struct call call;                /* a copy, with an id of its own */
    pending_step *step;              /* goes on with it */

    /* --- The action's ---------------------------------------------------------------------- */
    void (*cancel)(struct pending *pending);  /* forgets what goes on for it beside the waiter */
    void (*allowed)(struct pending *pending); /* again, by a new policy; NULL: that is all */
    void *context;                            /* for these */
    unsigned change;                          /* that was made, in the action's own terms */
    unsigned until;                           /* when it gives up, the same */
    bool lease_is_new; /* it began with this request, and ends if that is not allowed any more */
    bool is_final;     /* it cannot be undone: a new policy comes too late */

    bool judged; /* by the policy that is new */
    char id[];   /* of the call */
};

/* Makes the call wait; one that did before waits with another step. The session owns it until the
 * step replies. Something must resume it. NULL: no memory. */
struct pending *pending_begin(struct call *call, pending_step *step);

/* What it takes of memory, with the id that the client chose. */
size_t pending_bytes(const struct pending *pending);

/* The call's changes go on in its pending. */
void pending_take_transaction(const struct call *call);

/* There is nothing to wait for: the call of pending_begin goes on at once. */
void pending_withdraw(struct pending *pending, const struct call *call);

/* Goes on with the step, or answers with the error. The waiter's resume does so. */
void pending_resume(struct pending *pending, const struct error *error);

/* The session ends: what is done stays done, the rest is not done, and nobody is answered. */
void pending_cancel(struct pending *pending);

/* Answers all that the policy, which is new, does not allow any more, and ends the leases that
 * began with them. */
void pendings_policy_changed(struct services *services);

/* The lease is about to end: answers the requests that it was granted to. */
void pendings_lease_ended(struct services *services, uint64_t lease);

#endif
