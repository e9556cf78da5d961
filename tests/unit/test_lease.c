/* Leases: their ids, that nobody guesses and nobody mistypes. */
#include "resources/lease.h"
#include "suite.h"

#include <string.h>
#include <time.h>

START_TEST(a_lease_is_its_user_s_from_now_on)
{
    struct lease_source source = {.left = 0};
    struct lease lease = lease_new(&source, 1000);

    ck_assert_uint_eq(lease.uid, 1000);
    ck_assert_int_le(time(NULL) - lease.since, 1);
}
END_TEST

static int bit_count(uint64_t number)
{
    int count = 0;

    for (; number; number &= number - 1)
        count++;
    return count;
}

/* Of random ids no two are equal, the next one differs in about half of its 48 bits, and every bit
 * is sometimes 0 and sometimes 1. */
START_TEST(ids_cannot_be_guessed)
{
    struct lease_source source = {.left = 0};
    uint64_t ids[1000], zeros = 0, ones = 0;
    int changed = 0;

    for (int i = 0; i < 1000; i++) {
        ids[i] = lease_new(&source, 0).id;
        ck_assert_uint_eq(ids[i] >> 48, 0);
        ones |= ids[i];
        zeros |= ~ids[i] & 0xffffffffffff;
        for (int j = 0; j < i; j++)
            ck_assert(ids[i] != ids[j]);
        changed += i ? bit_count(ids[i] ^ ids[i - 1]) : 0;
    }
    ck_assert_uint_eq(ones, 0xffffffffffff);
    ck_assert_uint_eq(zeros, 0xffffffffffff);
    ck_assert_int_gt(changed, 999L * 23);
    ck_assert_int_lt(changed, 999L * 25);
}
END_TEST

START_TEST(an_id_is_read_as_it_is_written)
{
    static const uint64_t ids[] = {1, 0xabc, 0x123456789abc, 0xffffffffffff};
    char text[LEASE_ID_SIZE];
    uint64_t id;

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        ck_assert_uint_eq(strlen(lease_id_format(ids[i], text)), LEASE_ID_LENGTH);
        ck_assert(lease_id_parse(text, &id));
        ck_assert_uint_eq(id, ids[i]);
    }
}
END_TEST

static const char *const mistakes[] = {
    "",
    "0",
    "000000000000", /* no lease's */
    "00000000001",
    "0000000000001",
    "00000000000A",
    "00000000000g",
    "+00000000001",
    " 00000000001",
    "00000000001 ",
    "0x0000000001",
};

START_TEST(what_is_no_id_is_refused)
{
    uint64_t id = 0;

    ck_assert_msg(!lease_id_parse(mistakes[_i], &id), "%s", mistakes[_i]);
}
END_TEST

/* --- Holds --------------------------------------------------------------------------------- */

static void let_go(struct hold *hold)
{
    hold_release(hold);
}

static const struct holding_class class = {let_go};

static struct owner owner_of(enum hold_kind kind, uid_t uid, struct session_holds *session)
{
    return (struct owner){.kind = kind, .lease = {.id = 1, .uid = uid}, .session = session};
}

START_TEST(an_owner_holds_a_thing_once)
{
    struct owner owner = owner_of(HOLD_USER, 1000, NULL);
    struct holding holding;
    struct hold *first;
    bool new;

    holding_init(&holding, &class);
    ck_assert(holding_is_empty(&holding) && !holding_find(&holding, &owner));
    first = holding_add(&holding, &owner, &new);
    ck_assert(first && new);
    owner.generation = 7;
    ck_assert(holding_add(&holding, &owner, &new) == first && !new);
    ck_assert_uint_eq(first->generation, 7);
    ck_assert_uint_eq(holding_count(&holding), 1);
    ck_assert(holding_find(&holding, &owner) == first);
    hold_release(first);
    ck_assert(holding_is_empty(&holding));
}
END_TEST

START_TEST(two_users_and_two_sessions_are_four_owners)
{
    struct session_holds sessions[2] = {LIST_HEAD_INITIALIZER(0), LIST_HEAD_INITIALIZER(0)};
    struct owner owners[] = {
        owner_of(HOLD_USER, 1000, NULL),
        owner_of(HOLD_USER, 1001, NULL),
        owner_of(HOLD_SESSION, 1000, &sessions[0]),
        owner_of(HOLD_SESSION, 1000, &sessions[1]),
    };
    struct holding holding;
    bool new;

    holding_init(&holding, &class);
    for (int i = 0; i < 4; i++)
        ck_assert(holding_add(&holding, &owners[i], &new) && new);
    ck_assert_uint_eq(holding_count(&holding), 4);
    ck_assert_uint_eq(holding_first(&holding)->lease.uid, 1000);
    ck_assert(holding_has_others(&holding, &owners[0]));
    session_holds_end(&sessions[0]);
    ck_assert_uint_eq(holding_count(&holding), 3);
    ck_assert(!holding_find(&holding, &owners[2]) && holding_find(&holding, &owners[3]));
    hold_release(holding_find(&holding, &owners[1]));
    ck_assert(!holding_has_others(&holding, &owners[0]));
    holding_clear(&holding);
    ck_assert(LIST_EMPTY(&sessions[1]));
}
END_TEST

START_TEST(what_is_found_or_configured_has_no_user)
{
    struct owner owner = owner_of(HOLD_USER, 0, NULL),
                 found = owner_of(HOLD_FOUND, LEASE_UID_UNKNOWN, NULL),
                 configured = owner_of(HOLD_CONFIGURATION, 0, NULL);
    struct holding holding;
    bool new;

    holding_init(&holding, &class);
    holding_add(&holding, &found, &new);
    ck_assert(!holding_has_others(&holding, &owner));
    holding_add(&holding, &configured, &new);
    ck_assert(holding_has_others(&holding, &owner));
    ck_assert(!holding_has_others(&holding, &configured));
    holding_clear(&holding);
}
END_TEST

START_TEST(a_thing_is_held_by_so_many)
{
    struct owner owner = owner_of(HOLD_USER, 0, NULL);
    struct holding holding;
    struct error error;
    bool new;

    holding_init(&holding, &class);
    for (uid_t uid = 0; uid < HOLDS_MAX; uid++) {
        owner.lease.uid = uid;
        ck_assert(holding_has_room(&holding, &owner, &error));
        ck_assert(holding_add(&holding, &owner, &new) && new);
    }
    ck_assert(holding_has_room(&holding, &owner, &error)); /* it is one of them */
    owner.lease.uid = HOLDS_MAX;
    ck_assert(!holding_has_room(&holding, &owner, &error));
    ck_assert_int_eq(error.code, ERROR_LIMIT);
    holding_clear(&holding);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_lease_is_its_user_s_from_now_on);
    tcase_add_test(tests, ids_cannot_be_guessed);
    tcase_add_test(tests, an_id_is_read_as_it_is_written);
    tcase_add_loop_test(tests, what_is_no_id_is_refused, 0,
                        (int)(sizeof mistakes / sizeof *mistakes));
    tcase_add_test(tests, an_owner_holds_a_thing_once);
    tcase_add_test(tests, two_users_and_two_sessions_are_four_owners);
    tcase_add_test(tests, what_is_found_or_configured_has_no_user);
    tcase_add_test(tests, a_thing_is_held_by_so_many);
}

int main(void)
{
    return suite_run("lease", add_tests);
}
