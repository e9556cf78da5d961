#include "errands.h"

#include "descriptors.h"
#include "fdpass.h"
#include "log.h"
#include "platform/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the process says of one that makes something. It is this program, with the same functions.
 */
struct outcome {
    struct errand errand;
    int32_t error;
};

int errands_open(struct errands *errands, void *context)
{
    int pair[2];

    errands->context = context;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    fcntl(pair[0], F_SETFL, O_NONBLOCK);
    errands->keepers = pair[0];
    errands->childs = pair[1];
    return 0;
}

void errands_close(const struct errands *errands)
{
    close(errands->keepers);
    close(errands->childs);
}

static struct errand *at(struct errands *errands, size_t i)
{
    return &errands->queue[(errands->first + i) % ERRANDS_MAX];
}

static bool is_like(const struct errand *a, const struct errand *b)
{
    return a->run == b->run && a->make == b->make;
}

bool errands_add(struct errands *errands, const struct errand *errand)
{
    for (size_t i = errands->running; i < errands->count; i++)
        if (is_like(at(errands, i), errand) && at(errands, i)->number == errand->number)
            return true;
    if (errands->count == ERRANDS_MAX)
        return false;
    *at(errands, errands->count++) = *errand;
    return true;
}

void errand_do(const struct errand *errand, void *context)
{
    if (errand->make)
        errand->made(context, errand->number, errand->make(context, errand->number));
    else
        errand->run(errand, 1);
}

/* Its standard input is the socket. What is handed over stays open until the process ends: then it
 * is the keeper's alone. */
static void hand_over(const struct errand *errand, int result)
{
    static const struct fdpass_target keeper = {NULL, 0};
    struct outcome outcome = {*errand, result < 0 ? result : 0};

    fdpass_send(STDIN_FILENO, &keeper, &outcome, sizeof outcome, result < 0 ? -1 : result);
}

/* How many from this one on are like it, and side by side in the ring. */
static size_t count_alike(struct errands *errands, size_t first)
{
    size_t i = first + 1;

    while (i < errands->running && at(errands, i) == at(errands, i - 1) + 1 &&
           is_like(at(errands, i), at(errands, first)))
        i++;
    return i - first;
}

/* In the child, whose queue is a copy. */
static void run_all(struct errands *errands)
{
    size_t count;

    dup2(errands->childs, STDIN_FILENO);
    process_work_for_parent("netbroker-work", DESCRIPTOR_LOG);
    for (size_t i = 0; i < errands->running; i += count) {
        const struct errand *errand = at(errands, i);

        count = errand->make ? 1 : count_alike(errands, i);
        if (errand->make)
            hand_over(errand, errand->make(errands->context, errand->number));
        else
            errand->run(errand, count);
    }
}

void errands_take(const struct errands *errands)
{
    struct outcome outcome;
    int fd;

    while (fdpass_receive(errands->keepers, &outcome, sizeof outcome, &fd) == 1)
        outcome.errand.made(errands->context, outcome.errand.number,
                            outcome.error < 0 ? outcome.error : fd);
}

/* #syscalls keeper: fork clone */
void errands_start(struct errands *errands)
{
    if (errands->child || errands->count == 0)
        return;
    if (errands->running == 0)
        errands->running = errands->count;
    errands->child = fork();
    if (errands->child == 0) {
        run_all(errands);
        _exit(0);
    }
    if (errands->child < 0) {
        log_line(LOG_ERR, "cannot start a process for what waits: %s.", strerror(errno));
        errands->child = 0;
    }
}

/* What was not made is told to who waits for it. */
static void give_up_running(struct errands *errands)
{
    for (size_t i = 0; i < errands->running; i++)
        if (at(errands, i)->made)
            at(errands, i)->made(errands->context, at(errands, i)->number, -ECANCELED);
}

static void drop_running(struct errands *errands)
{
    errands->first = (errands->first + errands->running) % ERRANDS_MAX;
    errands->count -= errands->running;
    errands->running = 0;
    errands->attempts = 0;
}

bool errands_end(struct errands *errands, pid_t child, int status)
{
    if (child != errands->child)
        return false;
    errands_take(errands);
    errands->child = 0;
    errands->attempts++;
    if (WIFEXITED(status)) {
        drop_running(errands);
    } else if (errands->attempts == ERRAND_ATTEMPTS) {
        log_line(LOG_ERR,
                 "a process that worked for the keeper was killed; %zu pieces of its "
                 "work are given up.",
                 errands->running);
        give_up_running(errands);
        drop_running(errands);
    }
    errands_start(errands);
    return true;
}
