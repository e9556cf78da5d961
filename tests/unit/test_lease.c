/* Leases: their ids, that nobody guesses and nobody mistypes. */
#include "broker/resource.h"
#include "kernel.h"

#include <string.h>
#include <time.h>

static struct leases leases;
static unsigned begun, ended, released;

static void note_begin(void *context, const struct lease *lease)
{
    (void)context;
    (void)lease;
    begun++;
}

static void note_end(void *context, const struct lease *lease)
{
    (void)context;
    (void)lease;
    ended++;
}

static void note_change(void *context, const struct resource *resource)
{
    (void)context;
    (void)resource;
}

static void note_release(void *context, struct resource *resource)
{
    (void)context;
    ck_assert(resource_is_free(resource));
    released++;
}

static const struct resource_ops ops = {.kind = "test"};

static void begin(void)
{
    struct leases_host host = {
        .release = note_release, .begins = note_begin, .ends = note_end, .changed = note_change};

    begun = ended = released = 0;
    leases_init(&leases, &host);
}

START_TEST(a_lease_is_its_user_s_from_now_on)
{
    struct lease_info lease;

    begin();
    lease = lease_prepare(&leases, 1000);
    ck_assert_uint_eq(lease.uid, 1000);
    ck_assert_int_le(time(NULL) - lease.since, 1);
    leases_clear(&leases);
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
    uint64_t ids[1000], zeros = 0, ones = 0;
    int changed = 0;

    begin();
    for (int i = 0; i < 1000; i++) {
        ids[i] = lease_prepare(&leases, 0).id;
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
    leases_clear(&leases);
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

/* --- Who holds what ------------------------------------------------------------------------ */

static struct holder holder_of(enum holder_kind kind, uid_t uid, struct held_leases *session)
{
    return (struct holder){
        .kind = kind,
        .lease = lease_prepare(&leases, uid),
        .session = session,
    };
}

START_TEST(a_holder_has_one_lease_on_a_resource)
{
    struct holder holder;
    struct resource resource;
    struct lease *first;

    begin();
    holder = holder_of(HOLDER_USER, 1000, NULL);
    resource_init(&resource, &ops);
    ck_assert(resource_is_free(&resource) && !resource_lease(&resource, &holder));
    first = lease_begin(&leases, &resource, &holder);
    ck_assert(first);
    holder.generation = 7;
    ck_assert(lease_begin(&leases, &resource, &holder) == first);
    ck_assert_uint_eq(first->generation, 7);
    ck_assert_uint_eq(resource_lease_count(&resource), 1);
    ck_assert_uint_eq(begun, 1);
    ck_assert(resource_lease(&resource, &holder) == first);
    ck_assert(leases_find(&leases, holder.lease.id) == first);
    ck_assert(lease_end(&leases, first));
    ck_assert(resource_is_free(&resource));
    ck_assert_uint_eq(ended, 1);
    ck_assert_uint_eq(released, 1);
    ck_assert(!leases_find(&leases, holder.lease.id));
    leases_clear(&leases);
}
END_TEST

START_TEST(two_users_and_two_sessions_are_four_holders)
{
    struct held_leases sessions[2] = {
        TAILQ_HEAD_INITIALIZER(sessions[0]),
        TAILQ_HEAD_INITIALIZER(sessions[1]),
    };
    struct resource resource;
    struct holder holders[4];

    begin();
    holders[0] = holder_of(HOLDER_USER, 1000, NULL);
    holders[1] = holder_of(HOLDER_USER, 1001, NULL);
    holders[2] = holder_of(HOLDER_SESSION, 1000, &sessions[0]);
    holders[3] = holder_of(HOLDER_SESSION, 1000, &sessions[1]);
    resource_init(&resource, &ops);
    for (int i = 0; i < 4; i++)
        ck_assert(lease_begin(&leases, &resource, &holders[i]));
    ck_assert_uint_eq(resource_lease_count(&resource), 4);
    ck_assert_uint_eq(resource_first_lease(&resource)->info.uid, 1000);
    ck_assert(resource_has_others(&resource, &holders[0]));
    end_leases(&leases, &sessions[0]);
    ck_assert_uint_eq(resource_lease_count(&resource), 3);
    ck_assert(!resource_lease(&resource, &holders[2]) && resource_lease(&resource, &holders[3]));
    ck_assert(!lease_end(&leases, resource_lease(&resource, &holders[1])));
    ck_assert(!resource_has_others(&resource, &holders[0]));
    ck_assert_uint_eq(released, 0);
    resource_end_leases(&leases, &resource);
    ck_assert_uint_eq(ended, 4);
    ck_assert_uint_eq(released, 0);
    ck_assert(TAILQ_EMPTY(&sessions[1]));
    leases_clear(&leases);
}
END_TEST

START_TEST(what_is_found_or_configured_has_no_user)
{
    struct holder holder, found, configured;
    struct resource resource;

    begin();
    holder = holder_of(HOLDER_USER, 0, NULL);
    found = holder_of(HOLDER_FOUND, LEASE_UID_UNKNOWN, NULL);
    configured = holder_of(HOLDER_CONFIGURATION, 0, NULL);
    resource_init(&resource, &ops);
    lease_begin(&leases, &resource, &found);
    ck_assert_uint_eq(begun, 1);
    ck_assert(!resource_has_others(&resource, &holder));
    lease_begin(&leases, &resource, &configured);
    ck_assert(!resource_lease(&resource, &found)); /* it was taken over */
    ck_assert(resource_has_others(&resource, &holder));
    ck_assert(!resource_has_others(&resource, &configured));
    resource_forget(&leases, &resource);
    ck_assert_uint_eq(ended, 1);
    leases_clear(&leases);
}
END_TEST

START_TEST(a_resource_is_held_by_so_many)
{
    struct resource resource;
    struct holder holder;
    struct error error;

    begin();
    resource_init(&resource, &ops);
    for (uid_t uid = 0; uid < RESOURCE_LEASES_MAX; uid++) {
        holder = holder_of(HOLDER_USER, uid, NULL);
        ck_assert(resource_has_room(&resource, &holder, &error));
        ck_assert(lease_begin(&leases, &resource, &holder));
    }
    ck_assert(resource_has_room(&resource, &holder, &error)); /* it is one of them */
    holder.lease.uid = RESOURCE_LEASES_MAX;
    ck_assert(!resource_has_room(&resource, &holder, &error));
    ck_assert_int_eq(error.code, ERROR_LIMIT);
    resource_forget(&leases, &resource);
    leases_clear(&leases);
}
END_TEST

static unsigned hold_by_sessions(struct resource *resource, uid_t uid)
{
    static struct held_leases sessions[RESOURCE_LEASES_MAX];
    static unsigned used;
    unsigned count = 0;
    struct error error;

    for (;; count++, used++) {
        struct held_leases *session = &sessions[used % RESOURCE_LEASES_MAX];
        struct holder holder = holder_of(HOLDER_SESSION, uid, session);

        TAILQ_INIT(session);
        if (!resource_has_room(resource, &holder, &error))
            return count;
        ck_assert(lease_begin(&leases, resource, &holder));
    }
}

START_TEST(one_user_leaves_a_resource_to_others)
{
    struct resource resource;
    struct holder holder;
    struct error error;

    begin();
    resource_init(&resource, &ops);
    ck_assert_uint_eq(hold_by_sessions(&resource, 1000), 256);
    ck_assert_uint_eq(hold_by_sessions(&resource, 1001), 256);
    ck_assert_uint_eq(hold_by_sessions(&resource, 1002), 1); /* half is for who has none */
    holder = holder_of(HOLDER_USER, 1003, NULL);
    ck_assert(resource_has_room(&resource, &holder, &error));
    holder = holder_of(HOLDER_USER, 1002, NULL);
    ck_assert(!resource_has_room(&resource, &holder, &error));
    holder.administrator = true;
    ck_assert(resource_has_room(&resource, &holder, &error));
    resource_forget(&leases, &resource);
    leases_clear(&leases);
}
END_TEST

/* The registry grows, finds each, and walks over what is there while leases come and go. */
START_TEST(a_walk_goes_on_while_leases_come_and_go)
{
    enum { COUNT = 2000 };
    static struct resource resources[COUNT + 1];
    struct lease_cursor cursor;
    const struct lease *lease;
    struct lease *all[COUNT];
    unsigned seen = 0;

    begin();
    for (int i = 0; i < COUNT; i++) {
        struct holder holder = holder_of(HOLDER_USER, (uid_t)i, NULL);

        resource_init(&resources[i], &ops);
        all[i] = lease_begin(&leases, &resources[i], &holder);
    }
    for (int i = 0; i < COUNT; i++)
        ck_assert(leases_find(&leases, all[i]->info.id) == all[i]);
    lease_cursor_open(&cursor, &leases);
    ck_assert(lease_cursor_next(&cursor) == all[0]);
    lease_end(&leases, all[1]); /* which would be the next */
    while ((lease = lease_cursor_next(&cursor))) {
        struct holder holder = holder_of(HOLDER_USER, COUNT, NULL);

        if (seen++ == 0) { /* it begins after the walk did */
            resource_init(&resources[COUNT], &ops);
            lease_begin(&leases, &resources[COUNT], &holder);
        }
        ck_assert_uint_ne(lease->info.uid, COUNT);
    }
    ck_assert_uint_eq(seen, COUNT - 2);
    lease_cursor_close(&cursor);
    for (int i = 0; i <= COUNT; i++)
        resource_forget(&leases, &resources[i]);
    ck_assert_uint_eq(leases.by_id.count, 0);
    leases_clear(&leases);
}
END_TEST

/* What others have is not looked at, and what ends or begins meanwhile is passed over. */
START_TEST(a_walk_over_what_one_holder_has_meets_nobody_elses)
{
    enum { COUNT = 40 };
    static struct resource resources[COUNT + 1];
    struct held_leases session = TAILQ_HEAD_INITIALIZER(session);
    struct holder holders[] = {
        holder_of(HOLDER_USER, 1000, NULL),
        holder_of(HOLDER_USER, 1001, NULL),
        holder_of(HOLDER_SESSION, 1000, &session),
        holder_of(HOLDER_CONFIGURATION, LEASE_UID_UNKNOWN, NULL),
    };
    struct lease *all[COUNT];
    struct lease_cursor cursor;

    begin();
    for (int i = 0; i <= COUNT; i++)
        resource_init(&resources[i], &ops);
    for (int i = 0; i < COUNT; i++)
        all[i] = lease_begin(&leases, &resources[i], &holders[i % 4]);
    for (int who = 0; who < 4; who++) {
        lease_cursor_open_holder(&cursor, &leases, &holders[who]);
        for (int i = who; i < COUNT; i += 4)
            ck_assert(lease_cursor_next(&cursor) == all[i]);
        ck_assert_ptr_null(lease_cursor_next(&cursor));
        lease_cursor_close(&cursor);
    }
    lease_cursor_open_holder(&cursor, &leases, &holders[1]);
    lease_begin(&leases, &resources[COUNT], &holders[1]);
    lease_end(&leases, all[1]);
    for (int i = 5; i < COUNT; i += 4) {
        ck_assert(lease_cursor_next(&cursor) == all[i]);
        lease_end(&leases, all[i]);
    }
    ck_assert_ptr_null(lease_cursor_next(&cursor));
    lease_cursor_close(&cursor);
    for (int i = 0; i <= COUNT; i++)
        resource_forget(&leases, &resources[i]);
    ck_assert_uint_eq(leases.holders.count, 0);
    lease_cursor_open_holder(&cursor, &leases, &holders[0]);
    ck_assert_ptr_null(lease_cursor_next(&cursor));
    lease_cursor_close(&cursor);
    leases_clear(&leases);
}
END_TEST

static size_t lines, bytes;

static bool note_room(void *context, size_t count, size_t n, struct error *error)
{
    (void)context;
    (void)error;
    lines = count;
    bytes = n;
    return true;
}

/* Others have what is left of the room, and who was promised it has it. */
START_TEST(what_is_promised_to_one_is_no_room_for_others)
{
    struct transaction set = {0}, other = {0};
    size_t lines_before, bytes_before;
    struct error error;

    begin();
    leases.host.has_room = note_room;
    ck_assert(leases_have_room(&leases, 1, 100, &error));
    lines_before = lines;
    bytes_before = bytes;
    leases_use(&leases, &set);
    leases_promise(&leases, 10, 2000);
    ck_assert(leases_have_room(&leases, 1, 100, &error));
    ck_assert_uint_eq(lines, lines_before);
    leases_use(&leases, &other);
    ck_assert(leases_have_room(&leases, 1, 100, &error));
    ck_assert_uint_eq(lines, lines_before + 10);
    ck_assert_uint_eq(bytes, bytes_before + 2000);
    leases_commit(&leases, &other);
    leases_use(&leases, NULL);
    ck_assert(leases_have_room(&leases, 1, 100, &error));
    ck_assert_uint_eq(lines, lines_before + 10);
    leases_commit(&leases, &set);
    ck_assert(leases_have_room(&leases, 1, 100, &error));
    ck_assert_uint_eq(lines, lines_before);
    leases_clear(&leases);
}
END_TEST

START_TEST(a_sweep_ends_what_the_configuration_names_no_more)
{
    static const struct resource_ops others = {.kind = "other"};
    struct resource resources[3];
    struct holder holder;

    begin();
    for (int i = 0; i < 3; i++)
        resource_init(&resources[i], i < 2 ? &ops : &others);
    for (int i = 0; i < 3; i++) {
        holder = holder_of(HOLDER_CONFIGURATION, LEASE_UID_UNKNOWN, NULL);
        holder.generation = 1;
        lease_begin(&leases, &resources[i], &holder);
    }
    holder.generation = 2;
    lease_begin(&leases, &resources[1], &holder);
    ck_assert_uint_eq(leases_sweep(&leases, &ops, 2), 1);
    ck_assert(resource_is_free(&resources[0]));
    ck_assert(!resource_is_free(&resources[1]) && !resource_is_free(&resources[2]));
    for (int i = 1; i < 3; i++)
        resource_forget(&leases, &resources[i]);
    leases_clear(&leases);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_lease_is_its_user_s_from_now_on);
    tcase_add_test(tests, ids_cannot_be_guessed);
    tcase_add_test(tests, an_id_is_read_as_it_is_written);
    tcase_add_loop_test(tests, what_is_no_id_is_refused, 0,
                        (int)(sizeof mistakes / sizeof *mistakes));
    tcase_add_test(tests, a_holder_has_one_lease_on_a_resource);
    tcase_add_test(tests, two_users_and_two_sessions_are_four_holders);
    tcase_add_test(tests, what_is_found_or_configured_has_no_user);
    tcase_add_test(tests, a_resource_is_held_by_so_many);
    tcase_add_test(tests, one_user_leaves_a_resource_to_others);
    tcase_add_test(tests, a_walk_goes_on_while_leases_come_and_go);
    tcase_add_test(tests, what_is_promised_to_one_is_no_room_for_others);
    tcase_add_test(tests, a_walk_over_what_one_holder_has_meets_nobody_elses);
    tcase_add_test(tests, a_sweep_ends_what_the_configuration_names_no_more);
}

int main(void)
{
    return suite_run("lease", add_tests);
}
