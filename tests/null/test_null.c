/* A kind of resource by its folder and its rows alone, as clients see it: a descriptor that the
 * keeper opens and keeps, a lease, and what ends while a request waits. */
#include "broker/wire/pending.h"
#include "broker/wire/session_internal.h"
#include "client.h"
#include "fdpass.h"
#include "log.h"
#include "platform/memory.h"
#include "resources/null/null.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { ROOT, FIRST, SECOND, OTHER }; /* clients: Alice has two */
enum { ALICE = 1001, BOB = 1002 };

#define ADD(payload) "{\"action\":\"ADD_NULL\",\"payload\":{" payload "}}"
#define DEL(payload) "{\"action\":\"DEL_NULL\",\"payload\":{" payload "}}"
#define A            "\"name\":\"a\""
#define B            "\"name\":\"b\""
#define HELD         ",\"while_connected\":true"

/* Everybody may do everything. */
static struct rule rule = {.name = "all", .everyone = true, .verb_count = 1, .verbs = {"*"}};

static void connect_all(struct service *s)
{
    s->services.policy.rules = &rule;
    s->services.policy.count = 1;
    client_connect(s, ROOT);
    client_connect_as(s, FIRST, ALICE);
    client_connect_as(s, SECOND, ALICE);
    client_connect_as(s, OTHER, BOB);
}

static void begin(struct service *s)
{
    log_set_level(LOG_ERR);
    service_begin(s, "a");
    connect_all(s);
}

static void end(struct service *s)
{
    service_settle(s);
    ck_assert(LIST_EMPTY(&s->services.pendings));
    service_end(s);
}

static struct null_kind *kind_of(struct service *s)
{
    return kind_self(&s->services.kinds, &null_ops);
}

/* Until the service has seen that what it lent is read: it takes no request before. */
static void wait_until_read(struct service *s)
{
    for (int i = 0; i < 2000 && s->services.users.sent.used > 0; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        service_settle(s);
    }
    ck_assert_uint_eq(s->services.users.sent.used, 0);
}

/* The descriptor that comes with the reply, the caller's. */
static int lend(struct service *s, int n, const char *request)
{
    struct fdpass_list list = {0};
    char text[4096];
    ssize_t length;

    client_say(s, n, request);
    service_settle(s);
    length = fdpass_receive_some(s->clients[n], text, sizeof text - 1, &list, FDPASS_MAX);
    ck_assert_int_gt(length, 0);
    text[length] = '\0';
    ck_assert_msg(list.count == 1, "%zu descriptors with %s", list.count, text);
    wait_until_read(s);
    return list.fds[0];
}

static uint64_t read_counter(int fd)
{
    uint64_t value;

    ck_assert_int_eq(read(fd, &value, sizeof value), sizeof value);
    close(fd);
    return value;
}

static void write_counter(int fd, uint64_t value)
{
    ck_assert_int_eq(write(fd, &value, sizeof value), sizeof value);
    close(fd);
}

/* The leases there are, each as "NAME UID KIND ". Valid until the next call. */
static const char *leases_of(struct service *s)
{
    static char text[1024];
    char what[RESOURCE_TEXT_MAX];
    const struct lease *lease;
    size_t used = 0;

    text[0] = '\0';
    TAILQ_FOREACH (lease, &s->services.leases.order, in_order) {
        lease->resource->ops->describe(lease->resource, what);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %u %s ", what,
                                 lease->info.uid, holder_kind_word(lease->kind));
    }
    return text;
}

static bool is_kept(const struct service *s, const char *name)
{
    return kept_find(&s->keeper.kept, name) >= 0;
}

/* Alice's request waits for the keeper. */
static void begin_wait(struct service *s, const char *request)
{
    keeper_end_listen(&s->keeper, false);
    client_say(s, FIRST, request);
    service_settle(s);
    ck_assert_ptr_null(client_line(s, FIRST, NULL));
}

static void end_wait(struct service *s)
{
    keeper_end_listen(&s->keeper, true);
    service_settle(s);
}

START_TEST(two_users_hold_one_counter)
{
    struct service s;

    begin(&s);
    write_counter(lend(&s, FIRST, ADD(A)), 7);
    ck_assert_uint_eq(read_counter(lend(&s, OTHER, ADD(A))), 7);
    close(lend(&s, FIRST, ADD(A))); /* it has it already */
    ck_assert_str_eq(leases_of(&s), "a 1001 client a 1002 client ");
    expect(client_ask(&s, SECOND, DEL(A)), "success"); /* of the same user */
    ck_assert_str_eq(leases_of(&s), "a 1002 client ");
    expect(client_ask(&s, FIRST, DEL(A)), "not-allowed");
    expect(client_ask(&s, FIRST, DEL(B)), "not-found");
    ck_assert(is_kept(&s, "null-a"));
    expect(client_ask(&s, ROOT, DEL(A)), "success");
    service_settle(&s);
    ck_assert(!is_kept(&s, "null-a"));
    ck_assert_str_eq(leases_of(&s), "");
    end(&s);
}
END_TEST

START_TEST(it_may_end_with_its_connection)
{
    struct service s;

    begin(&s);
    close(lend(&s, FIRST, ADD(A HELD)));
    close(lend(&s, OTHER, ADD(B)));
    ck_assert_str_eq(leases_of(&s), "a 1001 session b 1002 client ");
    client_close(&s, FIRST);
    client_close(&s, OTHER);
    service_settle(&s);
    ck_assert_str_eq(leases_of(&s), "b 1002 client ");
    ck_assert(!is_kept(&s, "null-a") && is_kept(&s, "null-b"));
    end(&s);
}
END_TEST

START_TEST(what_cannot_be_lent_leaves_nothing)
{
    struct service s;
    char request[96];

    begin(&s);
    expect(client_ask(&s, FIRST, ADD("\"name\":\"a b\"")), "invalid-name");
    expect(client_ask(&s, FIRST, ADD(A ",\"dry_run\":true")), "success");
    ck_assert_str_eq(leases_of(&s), "");
    for (int i = 0; i <= NULLS_MAX; i++) {
        snprintf(request, sizeof request, ADD("\"name\":\"n%d\""), i);
        if (i < NULLS_MAX)
            close(lend(&s, FIRST, request));
    }
    expect(client_ask(&s, FIRST, request), "limit");
    ck_assert_ptr_null(null_find(kind_of(&s), "n16"));
    ck_assert_uint_eq(s.services.leases.by_id.count, NULLS_MAX);
    end(&s);
}
END_TEST

/* --- While a request waits ----------------------------------------------------------------- */

START_TEST(a_lease_is_revoked_while_its_request_waits)
{
    struct service s;
    char request[96], id[LEASE_ID_SIZE];

    begin(&s);
    begin_wait(&s, ADD(A));
    ck_assert_str_eq(leases_of(&s), "a 1001 client ");
    snprintf(request, sizeof request, "{\"action\":\"REVOKE\",\"payload\":{\"lease\":\"%s\"}}",
             lease_id_format(TAILQ_FIRST(&s.services.leases.order)->info.id, id));
    expect(client_ask(&s, ROOT, request), "success");
    expect(client_line(&s, FIRST, NULL), "not-found");
    ck_assert_str_eq(leases_of(&s), "");
    end_wait(&s);
    ck_assert(!is_kept(&s, "null-a"));
    write_counter(lend(&s, FIRST, ADD(A)), 1);
    end(&s);
}
END_TEST

START_TEST(a_new_policy_ends_the_wait)
{
    struct service s;

    begin(&s);
    begin_wait(&s, ADD(A));
    s.services.policy.count = 0;
    pendings_policy_changed(&s.services);
    expect(client_line(&s, FIRST, NULL), "not-allowed");
    ck_assert_str_eq(leases_of(&s), "");
    end_wait(&s);
    ck_assert(!is_kept(&s, "null-a"));
    end(&s);
}
END_TEST

/* What a user asked for stays; what the session was to hold goes with it. */
START_TEST(the_session_ends_while_its_request_waits)
{
    struct service s;
    bool held = _i;

    begin(&s);
    begin_wait(&s, held ? ADD(A HELD) : ADD(A));
    client_close(&s, FIRST);
    session_close(LIST_NEXT(LIST_NEXT(LIST_FIRST(&s.services.sessions.list), in_sessions),
                            in_sessions)); /* FIRST's: the newest one stands first */
    end_wait(&s);
    ck_assert_str_eq(leases_of(&s), held ? "" : "a 1001 client ");
    ck_assert(is_kept(&s, "null-a") == !held);
    end(&s);
}
END_TEST

START_TEST(two_wait_for_one)
{
    struct service s;

    begin(&s);
    begin_wait(&s, ADD(A));
    client_say(&s, OTHER, ADD(A));
    service_settle(&s);
    expect(client_ask(&s, SECOND, DEL(A)), "success");
    expect(client_line(&s, FIRST, NULL), "not-found");
    end_wait(&s);
    expect(client_line(&s, OTHER, NULL), "success");
    ck_assert_str_eq(leases_of(&s), "a 1002 client ");
    end(&s);
}
END_TEST

/* --- A broker after another ---------------------------------------------------------------- */

/* What the keeper of the one before kept. */
static void inherit(struct service *s, const struct kept *kept)
{
    for (size_t i = 0; i < kept->count; i++) {
        int fd = fcntl(kept->entries[i].fd, F_DUPFD_CLOEXEC, 0);

        ck_assert_int_eq(kept_take(&s->keeper.kept, kept->entries[i].name, fd), 0);
        null_ops.inherit(kind_of(s), kept->entries[i].name, fcntl(fd, F_DUPFD_CLOEXEC, 0));
    }
}

/* A broker after one that was killed; or a start after both, where nothing is inherited. */
static void follow(struct service *next, const struct service *s, int journal, bool inherits)
{
    service_follow(next, s);
    if (inherits)
        inherit(next, &s->keeper.kept);
    service_keep(next, journal, "");
    connect_all(next);
}

START_TEST(another_broker_has_what_was_acknowledged)
{
    static struct service s, next; /* s has what it has: nobody ends it */
    int journal = memory_make("journal", 16 << 20);

    begin(&s);
    service_keep(&s, journal, "");
    write_counter(lend(&s, FIRST, ADD(A)), 5);
    close(lend(&s, SECOND, ADD(A HELD)));
    close(lend(&s, OTHER, ADD(B HELD)));
    begin_wait(&s, ADD("\"name\":\"c\""));
    ck_assert_str_eq(leases_of(&s), "a 1001 client a 1001 session b 1002 session c 1001 client ");
    kept_take(&s.keeper.kept, "null-c", eventfd(0, 0)); /* so far the keeper came */

    follow(&next, &s, journal, true);
    ck_assert_str_eq(leases_of(&next), "a 1001 client ");
    service_settle(&next);
    ck_assert(is_kept(&next, "null-a"));
    ck_assert(!is_kept(&next, "null-b") && !is_kept(&next, "null-c"));
    ck_assert_uint_eq(read_counter(lend(&next, FIRST, ADD(A))), 5);
    end(&next);
    close(journal);
}
END_TEST

START_TEST(what_is_not_inherited_is_opened_again)
{
    static struct service s, next; /* s has what it has: nobody ends it */
    int journal = memory_make("journal", 16 << 20);

    begin(&s);
    service_keep(&s, journal, "");
    write_counter(lend(&s, FIRST, ADD(A)), 5);
    close(lend(&s, OTHER, ADD(B)));
    expect(client_ask(&s, OTHER, DEL(B)), "success");

    follow(&next, &s, journal, false);
    ck_assert_str_eq(leases_of(&next), "a 1001 client ");
    service_settle(&next);
    ck_assert(is_kept(&next, "null-a") && !is_kept(&next, "null-b"));
    write_counter(lend(&next, FIRST, ADD(A)), 1);
    end(&next);
    close(journal);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, two_users_hold_one_counter);
    tcase_add_test(tests, it_may_end_with_its_connection);
    tcase_add_test(tests, what_cannot_be_lent_leaves_nothing);
    tcase_add_test(tests, a_lease_is_revoked_while_its_request_waits);
    tcase_add_test(tests, a_new_policy_ends_the_wait);
    tcase_add_loop_test(tests, the_session_ends_while_its_request_waits, 0, 2);
    tcase_add_test(tests, two_wait_for_one);
    tcase_add_test(tests, another_broker_has_what_was_acknowledged);
    tcase_add_test(tests, what_is_not_inherited_is_opened_again);
}

int main(void)
{
    return suite_run("null", add_tests);
}
