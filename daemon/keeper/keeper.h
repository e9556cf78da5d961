/* The keeper: the privileged half. See keeper.c. */
#ifndef NB_KEEPER_H
#define NB_KEEPER_H

#include "channel.h"
#include "config.h"
#include "kept.h"
#include "platform/sandbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What a broker begins with. It has its own copies of all descriptors. */
struct broker_start {
    const struct config *config;
    const struct kept *kept;
    struct channel channel; /* to the keeper */
    pid_t keeper;
    char keeper_privileges[64], broker_privileges[64];
    struct sandbox_report keeper_sandbox, broker_sandbox;
    int counters[2]; /* of IPv4 and IPv6, of diagnose.h; negative: none */
    int names;       /* the descriptor of names.h; negative: none */
    int journal_log; /* to journald, for fields; -1: none */
    unsigned restarts;
};

/* Runs brokers until the service is told to stop. ready_fd gets one byte when the first one
 * serves, and is closed; -1: nobody asks. broker is the main function of a broker; it returns its
 * exit status. Returns the service's exit status. */
int keeper_run(const struct config *config, struct kept *kept, int ready_fd,
               int (*broker)(const struct broker_start *start));

#endif
