/* A client at the other end of a socket pair, and the service that answers it: session, dispatch
 * and all below on the fake platform, in one process and one loop. */
#ifndef NB_UNIT_CLIENT_H
#define NB_UNIT_CLIENT_H

#include "broker/wire/dispatch.h"
#include "broker/wire/pending.h"
#include "broker/wire/services.h"
#include "broker/wire/session.h"
#include "keeper_end.h"
#include "kernel.h"
#include "resources/join/kind.h"
#include "resources/mroute/kind.h"

#include <cjson/cJSON.h>
#include <uv.h>

enum { CLIENTS_MAX = 24 };

struct service {
    uv_loop_t loop;
    struct kernel kernel;
    struct services services;
    struct keeper_end keeper;
    struct mroute_kind mroute; /* without a loop: no DIAGNOSE waits */
    struct join_kind *join;
    struct session_host host;
    unsigned closed;                   /* sessions that ended */
    unsigned restore_turns;            /* of the loop, while leases were restored */
    int clients[CLIENTS_MAX];          /* -1: none */
    struct json received[CLIENTS_MAX]; /* what they have read and nobody took */
};

/* A fake platform with these interfaces, and a service on it. */
void service_begin(struct service *service, const char *interfaces);
void service_end(struct service *service);

/* A test wrote other ones to services.users.limits. */
void service_apply_limits(struct service *service);

/* Keeps what is wanted in this memory and this file (negative, "": in none), as they have it now.
 */
void service_keep(struct service *service, int journal, const char *path);

/* The service after one whose broker was killed: on the same fake platform, with the keeper's
 * copies of the tables' sockets. The dead one stays as it is, and is never touched again. */
void service_follow(struct service *service, const struct service *dead);

/* Connects the nth client. Its socket does not block. */
void client_connect(struct service *service, int n);
void client_connect_as(struct service *service, int n, uid_t uid); /* else root; gid is the same */
void client_close(struct service *service, int n);

/* Sends all of the bytes; while the socket is full it turns the loop and reads. */
void client_send(struct service *service, int n, const char *bytes, size_t length);
void client_say(struct service *service, int n, const char *text);

/* Whether there is work that goes on with the next turn of the loop: a reply may come only when
 * long work is done, however few steps of it a slow build does in a turn. */
bool service_is_at_work(const struct service *service);

/* Turns the loop until nothing more is to be done without the clients. */
void service_settle(struct service *service);

/* The next line that comes, parsed, the caller's; NULL when none comes. *ret_line, if not NULL, is
 * the line itself, to be freed. */
cJSON *client_line(struct service *service, int n, char **ret_line);

/* Sends a request and takes one reply. */
cJSON *client_ask(struct service *service, int n, const char *text);

/* Whether the service has ended the connection and all was read. */
bool client_at_end(struct service *service, int n);

/* Asserts the status or code of a reply ("success" or an error's word), and deletes it. */
void expect(cJSON *reply, const char *word);

#endif
