/* The broker's end of the channel to the keeper. See keeper/channel.h for the messages. */
#ifndef NB_KEEPER_LINK_H
#define NB_KEEPER_LINK_H

#include "keeper/channel.h"

#include <stdbool.h>
#include <uv.h>

struct keeper_link {
    uv_poll_t poll;
    uv_timer_t alive;
    int channel;
    /* An answer to keeper_link_open_mroute; fd is negative on an error, else the callee's. */
    void (*opened)(void *context, const struct keeper_answer *answer, int fd);
    /* An answer to keeper_link_add_rule. */
    void (*ruled)(void *context, const struct keeper_answer *answer);
    /* An answer to keeper_link_open_joins: a descriptor, the callee's, or a negative errno. */
    void (*joins_opened)(void *context, uint8_t family, int fd);
    void (*lost)(void *context); /* the keeper is gone: there is no going on */
    void *context;
    char told[STATUS_TEXT_MAX + 1]; /* by keeper_link_status */
};

/* Begins to listen, and to tell the keeper that the loop turns. */
void keeper_link_start(struct keeper_link *link, uv_loop_t *loop);
void keeper_link_stop(struct keeper_link *link);

void keeper_link_ready(struct keeper_link *link);
void keeper_link_open_mroute(struct keeper_link *link, uint8_t family, uint32_t table);
void keeper_link_close_mroute(struct keeper_link *link, uint8_t family, uint32_t table);

/* Asks for the rule from this interface to a table. False: there will be no answer. */
bool keeper_link_add_rule(struct keeper_link *link, uint8_t family, uint32_t table,
                          unsigned ifindex);
void keeper_link_del_rule(struct keeper_link *link, uint8_t family, uint32_t table,
                          const char *iif);

/* What the service does: the text is sent where it differs from the last one. */
void keeper_link_status(struct keeper_link *link, const char *text);

/* Asks for a socket of memberships. */
void keeper_link_open_joins(struct keeper_link *link, uint8_t family);

/* All that is wanted is joined on the sockets that this broker asked for. */
void keeper_link_joined(struct keeper_link *link);

#endif
