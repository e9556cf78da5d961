/* The audit log: who was granted or refused what, and who gave back what. A grant is recorded when
 * it is done: no dry run is one, and nothing that failed.
 *
 * A record is one line of the log, in logfmt; under systemd its parts are fields of the journal as
 * well (NETBROKER_ACTION=ADD_MFC ...), to be searched by journalctl. A flood is summarised: past
 * RECORDS_BURST lines, each user has counts instead, told once a second. Refusals have their own
 * burst: who may do nothing cannot hide what others do. */
#ifndef NB_AUDIT_H
#define NB_AUDIT_H

#include "policy.h"
#include "user_names.h"

#include <stddef.h>
#include <stdint.h>

/* STAGED: allowed as part of a set, which a COMMIT applies; it has its own record. */
enum audit_verdict { AUDIT_GRANTED, AUDIT_STAGED, AUDIT_REFUSED, AUDIT_RELEASED, AUDIT_VERDICTS };

enum {
    RECORDS_BURST = 200, /* lines that may come at once */
    RECORDS_A_SECOND = 50,
    SUMMARY_USERS = 16, /* whose floods are told apart; the others' are told together */
    AUDIT_TARGET_MAX = 200,
};

struct audit_record {
    enum audit_verdict verdict;
    const char *action;
    const char *verb;
    const char *target; /* by target_format, or ""; NULL: it is only counted */
    const char *rule;   /* the name of the rule that decided; "administrator", or "none" */
    uint64_t lease;     /* 0: none */
    uid_t uid;
    pid_t pid;
};

struct audit {
    int journal;              /* a socket connected to journald; -1: none */
    struct user_names *names; /* borrowed; NULL: users are numbers only */
    uint64_t (*now_ms)(void); /* any clock that only goes forward */
    struct {
        uint64_t tokens, filled_ms;
    } buckets[2];        /* for refusals, and for all else */
    uint64_t summary_ms; /* when the last summary was written */
    size_t user_count;
    struct {
        uid_t uid;
        uint64_t counts[AUDIT_VERDICTS];
    } users[SUMMARY_USERS + 1]; /* the last stands for all others */
};

void audit_open(struct audit *audit, uint64_t (*now_ms)(void));
void audit_close(struct audit *audit);

/* Whether a record would be a line of its own. Without room its target need not be written. */
bool audit_has_room(struct audit *audit, enum audit_verdict verdict);

void audit_write(struct audit *audit, const struct audit_record *record);

/* Writes what was only counted, if a second has passed. Call it now and then. */
void audit_summarise(struct audit *audit);

/* "interfaces=eth0,eth1 group=239.1.1.1 table=253", or "everything". Of many interfaces, the first
 * ones and "...". size is at least AUDIT_TARGET_MAX. Returns text. */
const char *target_format(const struct target *target, char *text, size_t size);

#endif
