/* What takes long is done by a process of its own, in the order in which it came: the keeper's loop
 * does not wait for it, and the kernel's locks are asked for by one at a time.
 *
 * The process has the keeper's privileges and none of its descriptors. It does all that waits when
 * it starts; what comes meanwhile, the next one does. */
#ifndef NB_KEEPER_ERRANDS_H
#define NB_KEEPER_ERRANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    ERRANDS_MAX = 4096,
    ERRAND_ATTEMPTS = 3, /* that end by a signal; then those of the process are given up */
};

struct errand {
    void (*run)(const struct errand *errand); /* may come twice, where the first was interrupted */
    uint32_t number;
};

struct errands {
    struct errand queue[ERRANDS_MAX]; /* a ring: the first of them run */
    size_t first, count, running;
    unsigned attempts;
    pid_t child; /* 0: none runs */
};

/* False: there are too many. The same one as waits already is not added again. */
bool errands_add(struct errands *errands, const struct errand *errand);

/* Starts the process, if something waits and none runs. */
void errands_start(struct errands *errands);

/* A child of the keeper ended, with this status of waitpid(2): starts the next one. False: it was
 * not this process. */
bool errands_end(struct errands *errands, pid_t child, int status);

#endif
