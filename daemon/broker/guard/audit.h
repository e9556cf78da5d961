/* The audit log: who was granted or refused what, and who gave back what. A grant is recorded when
 * it is done: no dry run is one, and nothing that failed.
 *
 * A record is one line of the log, in logfmt; under systemd its parts are fields of the journal as
 * well (NETBROKER_ACTION=REVOKE ...), to be searched by journalctl. A flood is summarised: who has
 * no more lines (audit_shares.h) has counts instead, told once a second. */
#ifndef NB_AUDIT_H
#define NB_AUDIT_H

#include "audit_shares.h"
#include "policy.h"
#include "user_names.h"

#include <stddef.h>
#include <stdint.h>

enum { AUDIT_TARGET_MAX = 200 };

/* What the log is told of a request that was allowed, when it is done. */
struct grant {
    bool wanted;      /* it changes something, and was not told yet */
    bool told;        /* there is room for a line of its own */
    const char *rule; /* borrowed from the policy */
    char target[AUDIT_TARGET_MAX];
};

struct audit_record {
    enum audit_verdict verdict;
    const char *action;
    const char *verb;
    const char *target; /* by target_format, or ""; NULL: it is only counted */
    const char *rule;   /* the name of the rule that decided; "administrator", or "none" */
    uint64_t lease;     /* 0: none */
    uid_t uid;          /* the user */
    pid_t pid;
    const struct peer *peer; /* who asked, for what is told besides; borrowed; NULL: nothing is */
};

struct audit {
    int journal;              /* a socket connected to journald; -1: none */
    struct user_names *names; /* borrowed; NULL: users are numbers only */
    uint64_t (*now_ms)(void); /* any clock that only goes forward */
    uint64_t summary_ms;      /* when the last summary was written */
    struct audit_shares shares;
};

void audit_open(struct audit *audit, uint64_t (*now_ms)(void));
void audit_close(struct audit *audit);

/* Whether a record of the user would be a line of its own. Without room its target need not be
 * written. */
bool audit_has_room(struct audit *audit, uid_t uid, enum audit_verdict verdict);

void audit_write(struct audit *audit, const struct audit_record *record);

/* Writes what was only counted, if a second has passed. Call it now and then. */
void audit_summarise(struct audit *audit);

/* "interfaces=eth0,eth1 group=239.1.1.1 table=253", or "everything". Of many interfaces, the first
 * ones and "...". size is at least AUDIT_TARGET_MAX. Returns text. */
const char *target_format(const struct target *target, char *text, size_t size);

#endif
