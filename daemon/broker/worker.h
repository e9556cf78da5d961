/* A worker: a thread that has things of the loop's, such as rings of clients.
 *
 *     loop ── worker_give, worker_command ──► thread
 *          ◄── worker_next_returned ─────────
 *
 * What is given belongs to the thread until it comes back, and holds a struct worker_item. The
 * thread takes a turn at least twice a second, so that it is seen that it works. In a turn it looks
 * for commands, each time before it waits; what it waits for has worker.wake among it. Nothing here
 * allocates after worker_start. */
#ifndef NB_WORKER_H
#define NB_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <uv.h>

enum { WORKER_TURN_MS = 500 }; /* the longest wait */

struct worker_item {
    STAILQ_ENTRY(worker_item) in_list; /* of its worker: on its way to the thread, or back */
};

STAILQ_HEAD(worker_items, worker_item);

struct worker {
    int wake; /* readable when there is a command */
    uv_thread_t thread;
    void (*news)(void *context);
    void *context;

    uv_mutex_t mutex; /* of these */
    struct worker_items given, returned;
    bool ended;

    _Atomic bool stopping, has_command;
    _Atomic uint64_t turns;

    /* The loop's own. */
    uint64_t seen;   /* turns, when they were looked at last */
    unsigned silent; /* seconds since there was one */
};

/* --- The loop's side ----------------------------------------------------------------------- */

/* Starts run(of) as a thread. news: called by the thread when something came back, or it has ended.
 * 0 or a negative errno; nothing is left then. */
int worker_start(struct worker *worker, void (*run)(void *of), void *of,
                 void (*news)(void *context), void *context);

void worker_give(struct worker *worker, struct worker_item *item);

/* Has the thread look at what is told it elsewhere, by atomic stores before. */
void worker_command(struct worker *worker);

/* What came back, each once; NULL: there is none. */
struct worker_item *worker_next_returned(struct worker *worker);

/* Ends the thread; it gives all back before. worker_has_ended: it is at its end, and worker_free
 * waits for no time worth the word. */
void worker_stop(struct worker *worker);
bool worker_has_ended(struct worker *worker);
void worker_free(struct worker *worker);

/* A second has passed. Whether the thread has taken no turn for so long that it takes none. */
bool worker_is_stuck(struct worker *worker);

/* --- The thread's side --------------------------------------------------------------------- */

/* Counts a turn. False: it is to end. */
bool worker_begins_turn(struct worker *worker);

/* It was woken by worker.wake, or may have been. A command may have been taken before that is rung.
 */
void worker_woken(struct worker *worker);

/* Whether there is a command, which is taken. What it is about is looked at afterwards. */
bool worker_take_command(struct worker *worker);

struct worker_item *worker_next_given(struct worker *worker);
void worker_give_back(struct worker *worker, struct worker_item *item);

/* The last thing that the thread does. */
void worker_end(struct worker *worker);

#endif
