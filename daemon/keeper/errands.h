/* What takes long is done by a process of its own, in the order in which it came: the keeper's loop
 * does not wait for it, and the kernel's locks are asked for by one at a time.
 *
 * The process has the keeper's privileges and memory as they were when it began, and none of its
 * descriptors but a socket, by which it hands over what it makes. It does all that waits when it
 * starts; what comes meanwhile, the next one does. */
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

/* Each may come twice, where the first was interrupted. */
struct errand {
    /* Does those with the same function that come one after the other. */
    void (*run)(const struct errand *errands, size_t count);
    /* Or makes something: returns its descriptor, or a negative errno, */
    int (*make)(const void *context, uint32_t number);
    /* which the keeper's loop takes; a descriptor is the callee's. */
    void (*made)(void *context, uint32_t number, int result);
    uint32_t number;
};

/* So that who tests does the same without a process. */
void errand_do(const struct errand *errand, void *context);

struct errands {
    int keepers, childs;              /* ends of the socket */
    void *context;                    /* of make and made */
    struct errand queue[ERRANDS_MAX]; /* a ring: the first of them run */
    size_t first, count, running;
    unsigned attempts;
    pid_t child; /* 0: none runs */
};

/* Makes the socket. Returns 0 or a negative errno. */
int errands_open(struct errands *errands, void *context);

/* In a process that has nothing to do with errands: closes the socket. */
void errands_close(const struct errands *errands);

/* Takes what was made and handed over, all that is there. */
void errands_take(const struct errands *errands);

/* False: there are too many. The same one as waits already is not added again. */
bool errands_add(struct errands *errands, const struct errand *errand);

/* Starts the process, if something waits and none runs. */
void errands_start(struct errands *errands);

/* A child of the keeper ended, with this status of waitpid(2): starts the next one. False: it was
 * not this process. */
bool errands_end(struct errands *errands, pid_t child, int status);

#endif
