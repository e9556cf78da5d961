#include "worker.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { SILENT_SECONDS_MAX = 60 }; /* it takes a turn twice a second */

static struct worker_item *take_first(struct worker *worker, struct worker_items *items)
{
    struct worker_item *item;

    uv_mutex_lock(&worker->mutex);
    item = STAILQ_FIRST(items);
    if (item)
        STAILQ_REMOVE_HEAD(items, in_list);
    uv_mutex_unlock(&worker->mutex);
    return item;
}

static void add(struct worker *worker, struct worker_items *items, struct worker_item *item)
{
    uv_mutex_lock(&worker->mutex);
    STAILQ_INSERT_TAIL(items, item, in_list);
    uv_mutex_unlock(&worker->mutex);
}

/* --- The loop's side ----------------------------------------------------------------------- */

static void destroy(struct worker *worker)
{
    close(worker->wake);
    uv_mutex_destroy(&worker->mutex);
}

/* #syscalls broker: eventfd2 read write close */
int worker_start(struct worker *worker, void (*run)(void *of), void *of,
                 void (*news)(void *context), void *context)
{
    int result;

    *worker = (struct worker){.news = news, .context = context};
    STAILQ_INIT(&worker->given);
    STAILQ_INIT(&worker->returned);
    worker->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (worker->wake < 0)
        return -errno;
    uv_mutex_init(&worker->mutex);
    result = uv_thread_create(&worker->thread, run, of);
    if (result < 0)
        destroy(worker);
    return result;
}

void worker_command(struct worker *worker)
{
    uint64_t one = 1;
    ssize_t written;

    atomic_store(&worker->has_command, true);
    written = write(worker->wake, &one, sizeof one);
    (void)written;
}

void worker_give(struct worker *worker, struct worker_item *item)
{
    add(worker, &worker->given, item);
    worker_command(worker);
}

struct worker_item *worker_next_returned(struct worker *worker)
{
    return take_first(worker, &worker->returned);
}

void worker_stop(struct worker *worker)
{
    atomic_store(&worker->stopping, true);
    worker_command(worker);
}

bool worker_has_ended(struct worker *worker)
{
    bool ended;

    uv_mutex_lock(&worker->mutex);
    ended = worker->ended;
    uv_mutex_unlock(&worker->mutex);
    return ended;
}

void worker_free(struct worker *worker)
{
    uv_thread_join(&worker->thread);
    destroy(worker);
}

bool worker_is_stuck(struct worker *worker)
{
    uint64_t turns = atomic_load_explicit(&worker->turns, memory_order_relaxed);

    worker->silent = turns == worker->seen ? worker->silent + 1 : 0;
    worker->seen = turns;
    return worker->silent >= SILENT_SECONDS_MAX;
}

/* --- The thread's side --------------------------------------------------------------------- */

bool worker_begins_turn(struct worker *worker)
{
    atomic_fetch_add_explicit(&worker->turns, 1, memory_order_relaxed);
    return !atomic_load(&worker->stopping);
}

void worker_woken(struct worker *worker)
{
    uint64_t rung;
    ssize_t taken = read(worker->wake, &rung, sizeof rung);

    (void)taken;
}

bool worker_take_command(struct worker *worker)
{
    return atomic_load(&worker->has_command) && atomic_exchange(&worker->has_command, false);
}

struct worker_item *worker_next_given(struct worker *worker)
{
    return take_first(worker, &worker->given);
}

void worker_give_back(struct worker *worker, struct worker_item *item)
{
    add(worker, &worker->returned, item);
    worker->news(worker->context);
}

void worker_end(struct worker *worker)
{
    uv_mutex_lock(&worker->mutex);
    worker->ended = true;
    uv_mutex_unlock(&worker->mutex);
    worker->news(worker->context);
}
