/* The doctor of taps: why does a tap not carry frames to where they should go? It compares what the
 * tap was opened as with what the kernel says of it, of its bridge and of the bridge's other ports,
 * and with what the relay on it tells. It changes nothing. */
#ifndef NB_TAP_DOCTOR_H
#define NB_TAP_DOCTOR_H

#include "broker/findings.h"
#include "kind.h"
#include "platform/tap_facts.h"

/* One question on its way. Between the pieces of the work others are served, so it has a copy of
 * what was known of the tap when it was asked, and no pointer to what may go. */
struct tap_doctor {
    const struct netifs *netifs; /* borrowed */
    struct reader reader;        /* who asks: other ports are named to who may read them */
    struct tap_config config;
    enum tap_state state;
    unsigned ifindex;
    uid_t uid; /* its owner */

    /* The relay's word: clients that it told of, and those that lose frames, the worst first. */
    unsigned clients, losing;
    uint64_t lost;
    char loser[LABEL_LENGTH_MAX + 16];

    struct tap_facts tap, bridge;
    /* Works for some ten microseconds; NULL: it is done. */
    void (*next)(struct tap_doctor *doctor);
    unsigned place; /* index of the port that was looked at last */
    unsigned ports, isolated, uplinks, other_offload;
    bool mtu_told;
    struct findings findings;
};

/* Begins to examine the tap. */
void tap_doctor_begin(struct tap_doctor *doctor, const struct tap *tap,
                      const struct reader *reader);

/* Goes on with a piece of work. False: it is done, and the findings are whole. */
bool tap_doctor_go_on(struct tap_doctor *doctor);

#endif
