#include "errands.h"

#include "descriptors.h"
#include "log.h"
#include "platform/process.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct errand *at(struct errands *errands, size_t i)
{
    return &errands->queue[(errands->first + i) % ERRANDS_MAX];
}

bool errands_add(struct errands *errands, const struct errand *errand)
{
    for (size_t i = errands->running; i < errands->count; i++)
        if (at(errands, i)->run == errand->run && at(errands, i)->number == errand->number)
            return true;
    if (errands->count == ERRANDS_MAX)
        return false;
    *at(errands, errands->count++) = *errand;
    return true;
}

/* In the child, whose queue is a copy. */
static void run_all(struct errands *errands)
{
    process_work_for_parent("netbroker-work", DESCRIPTOR_LOG);
    for (size_t i = 0; i < errands->running; i++)
        at(errands, i)->run(at(errands, i));
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
    errands->child = 0;
    errands->attempts++;
    if (WIFEXITED(status)) {
        drop_running(errands);
    } else if (errands->attempts == ERRAND_ATTEMPTS) {
        log_line(LOG_ERR,
                 "a process that worked for the keeper was killed; %zu pieces of its "
                 "work are given up.",
                 errands->running);
        drop_running(errands);
    }
    errands_start(errands);
    return true;
}
