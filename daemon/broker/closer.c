#include "closer.h"

#include "log.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENCE_NS UINT64_C(1000000000)
#define HURRY_NS    UINT64_C(1000000) /* after which a close is interrupted */

struct closer {
    uv_thread_t thread, hurry;
    uv_mutex_t mutex; /* of all below */
    uv_cond_t changed;
    uv_cond_t begun;  /* a close, or the end */
    uint64_t closes;  /* that were begun */
    bool closing;     /* the last of them has not returned */
    uv_async_t *tell; /* borrowed; NULL: nobody wants to know */
    struct closings waiting, done;
    bool stopping, ended;
    bool hurries; /* there is the thread `hurry` */
};

/* #syscalls broker: close write */
static void note_done(struct closer *closer, struct closing *closing)
{
    STAILQ_INSERT_TAIL(&closer->done, closing, in_list);
    if (closer->tell)
        uv_async_send(closer->tell);
}

static void begin_close(struct closer *closer)
{
    closer->closes++;
    closer->closing = true;
    uv_cond_signal(&closer->begun);
}

static void run(void *context)
{
    struct closer *closer = context;

    uv_mutex_lock(&closer->mutex);
    while (!STAILQ_EMPTY(&closer->waiting) || !closer->stopping) {
        struct closing *closing = STAILQ_FIRST(&closer->waiting);

        if (!closing) {
            uv_cond_wait(&closer->changed, &closer->mutex);
            continue;
        }
        STAILQ_REMOVE_HEAD(&closer->waiting, in_list);
        begin_close(closer);
        uv_mutex_unlock(&closer->mutex);
        close(closing->fd);
        uv_mutex_lock(&closer->mutex);
        closer->closing = false;
        if (closing->user)
            note_done(closer, closing);
        else
            free(closing);
    }
    closer->ended = true;
    uv_cond_signal(&closer->changed);
    uv_cond_signal(&closer->begun);
    uv_mutex_unlock(&closer->mutex);
}

/* A signal ends the wait of SO_LINGER (sk_stream_wait_close() of Linux, socket(7)): the data are
 * sent in the background, as without the option. So nobody keeps the closer by sockets that linger.
 * #syscalls broker: tgkill tkill rt_sigaction rt_sigprocmask */
static void interrupt_closes(void *context)
{
    struct closer *closer = context;

    uv_mutex_lock(&closer->mutex);
    while (!closer->ended) {
        uint64_t close = closer->closes;

        if (!closer->closing)
            uv_cond_wait(&closer->begun, &closer->mutex);
        else if (uv_cond_timedwait(&closer->begun, &closer->mutex, HURRY_NS) != 0 &&
                 closer->closing && closer->closes == close)
            pthread_kill(closer->thread, SIGURG);
    }
    uv_mutex_unlock(&closer->mutex);
}

static void ignore_signal(int number)
{
    (void)number;
}

/* With a handler, because a signal that is ignored interrupts nothing. */
static void allow_interruptions(void)
{
    struct sigaction action = {.sa_handler = ignore_signal};
    sigset_t set;

    sigemptyset(&action.sa_mask);
    sigaction(SIGURG, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGURG);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void free_closer(struct closer *closer)
{
    uv_cond_destroy(&closer->changed);
    uv_cond_destroy(&closer->begun);
    uv_mutex_destroy(&closer->mutex);
    free(closer);
}

static struct closer *start(uv_async_t *tell)
{
    struct closer *closer = calloc(1, sizeof *closer);

    if (!closer)
        return NULL;
    uv_mutex_init(&closer->mutex);
    uv_cond_init(&closer->changed);
    uv_cond_init(&closer->begun);
    STAILQ_INIT(&closer->waiting);
    STAILQ_INIT(&closer->done);
    closer->tell = tell;
    allow_interruptions();
    if (uv_thread_create(&closer->thread, run, closer) == 0) {
        closer->hurries = uv_thread_create(&closer->hurry, interrupt_closes, closer) == 0;
        return closer;
    }
    free_closer(closer);
    return NULL;
}

bool closer_take(struct closer **closer, uv_async_t *tell, const struct closing *what)
{
    struct closing *closing = malloc(sizeof *closing);

    if (!*closer)
        *closer = start(tell);
    if (!*closer || !closing) {
        free(closing);
        close(what->fd);
        return false;
    }
    *closing = *what;
    uv_mutex_lock(&(*closer)->mutex);
    STAILQ_INSERT_TAIL(&(*closer)->waiting, closing, in_list);
    uv_cond_signal(&(*closer)->changed);
    uv_mutex_unlock(&(*closer)->mutex);
    return true;
}

void closer_take_done(struct closer *closer, struct closings *ret)
{
    if (!closer)
        return;
    uv_mutex_lock(&closer->mutex);
    STAILQ_CONCAT(ret, &closer->done);
    uv_mutex_unlock(&closer->mutex);
}

void closer_stop(struct closer *closer, struct closings *ret)
{
    bool ended;

    if (!closer)
        return;
    uv_mutex_lock(&closer->mutex);
    closer->stopping = true;
    closer->tell = NULL;
    uv_cond_signal(&closer->changed);
    while (!closer->ended && uv_cond_timedwait(&closer->changed, &closer->mutex, PATIENCE_NS) == 0)
        ;
    ended = closer->ended;
    if (ret)
        STAILQ_CONCAT(ret, &closer->done);
    uv_mutex_unlock(&closer->mutex);
    if (ended) {
        uv_thread_join(&closer->thread);
        if (closer->hurries)
            uv_thread_join(&closer->hurry);
        free_closer(closer);
    } else {
        log_line(LOG_WARNING, "a descriptor that a client sent cannot be closed; leaving it.");
    }
}
