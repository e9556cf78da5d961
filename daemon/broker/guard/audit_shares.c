#include "audit_shares.h"

#include "broker/lease.h"

#include <string.h>

enum {
    EIGHTHS = 8,
    FIRST_LINES = RECORDS_BURST / 8, /* of a user who has written little lately */
};

static const unsigned eighths_left[] = {
#define V(verdict, word, sum, eighths) eighths,
    AUDIT_VERDICT_LIST(V)
#undef V
};

void audit_shares_init(struct audit_shares *shares, uint64_t now_ms)
{
    *shares = (struct audit_shares){.all = {ALL_BURST, now_ms}};
    shares->shares[AUDIT_USERS].bucket = (struct audit_bucket){RECORDS_BURST, now_ms};
}

/* --- Buckets ------------------------------------------------------------------------------- */

/* Lines come back with time; a part of one is kept for the next time. */
static void fill(struct audit_bucket *bucket, uint64_t burst, uint64_t a_second, uint64_t now_ms)
{
    uint64_t more = (now_ms - bucket->filled_ms) * a_second / 1000;

    bucket->tokens += more;
    bucket->filled_ms += more * 1000 / a_second;
    if (bucket->tokens < burst)
        return;
    bucket->tokens = burst;
    bucket->filled_ms = now_ms;
}

static void fill_share(struct audit_share *share, uint64_t now_ms)
{
    fill(&share->bucket, RECORDS_BURST, RECORDS_A_SECOND, now_ms);
}

static bool is_change(enum audit_verdict verdict)
{
    return eighths_left[verdict] == 0;
}

static bool is_administrator(const struct audit_shares *shares, uid_t uid)
{
    return uid == 0 || uid == shares->administrator || uid == LEASE_UID_UNKNOWN;
}

/* Eighths of the bucket of all that are left beside those of the verdict. */
static unsigned left_to_others(const struct audit_shares *shares, uid_t uid,
                               const struct audit_share *share)
{
    if (is_administrator(shares, uid))
        return 0;
    return share->bucket.tokens >= RECORDS_BURST - FIRST_LINES ? 1 : 2;
}

/* --- The table ----------------------------------------------------------------------------- */

static bool has_counts(const struct audit_share *share)
{
    for (size_t i = 0; i < AUDIT_VERDICTS; i++)
        if (share->counts[i] > 0)
            return true;
    return false;
}

/* Whether nothing is lost where another user takes the place. */
static bool is_idle(struct audit_share *share, uint64_t now_ms)
{
    fill_share(share, now_ms);
    return share->bucket.tokens == RECORDS_BURST && !has_counts(share);
}

/* Who was counted and has no place any more is told with the others. */
static void add_to_others(struct audit_shares *shares, const struct audit_share *share)
{
    for (size_t i = 0; i < AUDIT_VERDICTS; i++)
        shares->shares[AUDIT_USERS].counts[i] += share->counts[i];
}

/* AUDIT_USERS: there is none. */
static size_t find_place(struct audit_shares *shares, enum audit_verdict verdict, uint64_t now_ms)
{
    if (shares->count < AUDIT_USERS)
        return shares->count++;
    for (size_t i = 0; i < AUDIT_USERS; i++)
        if (is_idle(&shares->shares[i], now_ms))
            return i;
    for (size_t i = 0; is_change(verdict) && i < AUDIT_USERS; i++)
        if (!shares->shares[i].changes) {
            add_to_others(shares, &shares->shares[i]);
            return i;
        }
    return AUDIT_USERS;
}

static size_t find(const struct audit_shares *shares, uid_t uid)
{
    if (shares->last < shares->count && shares->uids[shares->last] == uid)
        return shares->last;
    for (size_t i = 0; i < shares->count; i++)
        if (shares->uids[i] == uid)
            return i;
    return AUDIT_USERS;
}

/* The share of the user, or the others'. */
static struct audit_share *share_of(struct audit_shares *shares, uid_t uid,
                                    enum audit_verdict verdict, uint64_t now_ms)
{
    size_t place = find(shares, uid);

    if (place == AUDIT_USERS) {
        place = find_place(shares, verdict, now_ms);
        if (place == AUDIT_USERS)
            return &shares->shares[AUDIT_USERS];
        shares->uids[place] = uid;
        shares->shares[place] = (struct audit_share){.bucket = {RECORDS_BURST, now_ms}};
    }
    shares->last = place;
    return &shares->shares[place];
}

/* --- What the log asks --------------------------------------------------------------------- */

static bool has_own_room(const struct audit_share *share, enum audit_verdict verdict)
{
    return share->bucket.tokens > RECORDS_BURST * eighths_left[verdict] / EIGHTHS;
}

bool audit_shares_have_room(struct audit_shares *shares, uid_t uid, enum audit_verdict verdict,
                            uint64_t now_ms)
{
    struct audit_share *share = share_of(shares, uid, verdict, now_ms);
    unsigned left;

    fill_share(share, now_ms);
    fill(&shares->all, ALL_BURST, ALL_A_SECOND, now_ms);
    left = eighths_left[verdict] + left_to_others(shares, uid, share);
    return has_own_room(share, verdict) && shares->all.tokens > ALL_BURST * left / EIGHTHS;
}

void audit_shares_spend(struct audit_shares *shares, uid_t uid, enum audit_verdict verdict,
                        uint64_t now_ms)
{
    struct audit_share *share = share_of(shares, uid, verdict, now_ms);

    share->changes |= is_change(verdict);
    share->bucket.tokens--;
    shares->all.tokens--;
}

void audit_shares_count(struct audit_shares *shares, uid_t uid, enum audit_verdict verdict,
                        uint64_t now_ms)
{
    struct audit_share *share = share_of(shares, uid, verdict, now_ms);

    share->counts[verdict]++;
    share->bucket.tokens -= has_own_room(share, verdict); /* who is cut has not been silent */
}

void audit_shares_sum_up(struct audit_shares *shares,
                         void (*tell)(void *context, const uid_t *uid, const uint64_t *counts),
                         void *context)
{
    struct audit_share *others = &shares->shares[AUDIT_USERS];

    for (size_t i = 0, lines = 0; i < shares->count && lines < SUMMARY_USERS; i++) {
        size_t place = shares->told++ % shares->count;
        struct audit_share *share = &shares->shares[place];

        if (!has_counts(share))
            continue;
        lines++;
        tell(context, &shares->uids[place], share->counts);
        memset(share->counts, 0, sizeof share->counts);
    }
    if (has_counts(others))
        tell(context, NULL, others->counts);
    memset(others->counts, 0, sizeof others->counts);
}
