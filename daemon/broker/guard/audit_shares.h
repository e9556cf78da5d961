/* Who may write how many lines of the audit log.
 *
 * Each user has a bucket of lines, which fills again with time, and there is one bucket for all. A
 * line costs one of both. What tells less leaves a part of each to what tells more: dry runs, reads
 * and sets that are not applied yet spend nothing that changes and refusals need. Of the bucket of
 * all, the last part is the administrator's, and the part before it is left to users who have
 * written little lately: no crowd takes the first lines of another user.
 *
 * The memory is bounded. A user who is not in the table shares one bucket with all others who are
 * not; who changes something takes the place of one who only was refused. */
#ifndef NB_AUDIT_SHARES_H
#define NB_AUDIT_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* V(verdict, word in a line, word in a summary, eighths of a bucket that it leaves to others), what
 * tells most first. STAGED: allowed as part of a set, which a COMMIT applies; it has its own
 * record. REFUSED_LOOK: the refused request would have changed nothing, being a dry run or a read.
 */
#define AUDIT_VERDICT_LIST(V)                                                                      \
    V(GRANTED, "granted", "granted", 0)                                                            \
    V(RELEASED, "released", "released", 0)                                                         \
    V(REFUSED, "refused", "refused", 2)                                                            \
    V(STAGED, "staged", "staged", 3)                                                               \
    V(REFUSED_LOOK, "refused", "refused-look", 4)

enum audit_verdict {
#define V(verdict, word, sum, eighths) AUDIT_##verdict,
    AUDIT_VERDICT_LIST(V)
#undef V
        AUDIT_VERDICTS
};

enum {
    RECORDS_BURST = 200, /* lines of one user that may come at once */
    RECORDS_A_SECOND = 50,
    ALL_BURST = 1600, /* lines of all users */
    ALL_A_SECOND = 200,
    AUDIT_USERS = 256,  /* who have buckets of their own */
    SUMMARY_USERS = 16, /* whose summaries may come in one second */
};

struct audit_bucket {
    uint64_t tokens, filled_ms;
};

struct audit_share {
    bool changes; /* it has written a line about a change */
    struct audit_bucket bucket;
    uint64_t counts[AUDIT_VERDICTS]; /* records without a line since the last summary */
};

struct audit_shares {
    uid_t administrator; /* beside root, and records that are nobody's */
    struct audit_bucket all;
    size_t count;                               /* users in the table */
    size_t last;                                /* who was looked up last */
    size_t told;                                /* whose summary comes next */
    uid_t uids[AUDIT_USERS];                    /* of the shares */
    struct audit_share shares[AUDIT_USERS + 1]; /* the last is that of all others */
};

/* Full buckets. now_ms: of a clock that only goes forward, as in all that follows. */
void audit_shares_init(struct audit_shares *shares, uint64_t now_ms);

/* Whether a record of the user may have a line now; and one that has one. */
bool audit_shares_have_room(struct audit_shares *shares, uid_t uid, enum audit_verdict verdict,
                            uint64_t now_ms);
void audit_shares_spend(struct audit_shares *shares, uid_t uid, enum audit_verdict verdict,
                        uint64_t now_ms);

/* A record of the user has no line. */
void audit_shares_count(struct audit_shares *shares, uid_t uid, enum audit_verdict verdict,
                        uint64_t now_ms);

/* Gives, to at most SUMMARY_USERS of them and to the others together, what was counted: each is
 * told in turn. uid is NULL for the others. */
void audit_shares_sum_up(struct audit_shares *shares,
                         void (*tell)(void *context, const uid_t *uid, const uint64_t *counts),
                         void *context);

#endif
