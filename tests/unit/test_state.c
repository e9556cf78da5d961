/* The state file: written, read, and not used at all when it is damaged. */
#include "broker/state/state.h"
#include "kernel.h"
#include "log.h"
#include "resources/join/join.h"
#include "resources/join/kind.h"
#include "resources/mroute/kind.h"
#include "resources/tap/kind.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct kernel kernel;
    uv_loop_t loop;
    struct kind_selves kinds;
    struct mroute_kind mroute;
    struct join_kind join;
    char folder[64], path[80];
    bool loaded;
};

static void take_done(void *context)
{
    ((struct fixture *)context)->loaded = true;
}

static void begin(struct fixture *f, const char *interfaces)
{
    log_set_level(LOG_ERR - 1); /* damage is told there, and here it is wanted */
    strcpy(f->folder, "/tmp/netbroker-unit-state-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/state", f->folder);
    kernel_begin(&f->kernel, interfaces);
    kernel_start_joins(&f->kernel);
    uv_loop_init(&f->loop);
}

/* There are none. */
static void start_taps(struct fixture *f)
{
    struct resource_host host = {.netifs = f->kernel.netifs, .leases = &f->kernel.leases};
    void *self;

    ck_assert(tap_ops.start(&host, &self));
    kind_set_self(&f->kinds, &tap_ops, self);
}

static void start(struct fixture *f)
{
    struct state_host host = {&f->loop, &f->kernel.leases, &f->kinds, f->path, -1};

    f->mroute.mroute = f->kernel.mroute;
    f->join.joins = f->kernel.joins;
    kind_set_self(&f->kinds, &mroute_ops, &f->mroute);
    kind_set_self(&f->kinds, &join_ops, &f->join);
    start_taps(f);
    f->loaded = false;
    f->kernel.state = state_new(&host);
    ck_assert_ptr_nonnull(f->kernel.state);
    state_restore(f->kernel.state, take_done, f);
}

static void stop(struct fixture *f)
{
    state_stop(f->kernel.state);
    f->kernel.state = NULL;
    tap_ops.free(kind_self(&f->kinds, &tap_ops));
    uv_run(&f->loop, UV_RUN_DEFAULT);
}

static void end(struct fixture *f)
{
    char damaged[96];

    snprintf(damaged, sizeof damaged, "%s.damaged", f->path);
    unlink(damaged);
    unlink(f->path);
    ck_assert_int_eq(rmdir(f->folder), 0); /* and no other file is left */
    ck_assert_int_eq(uv_loop_close(&f->loop), 0);
    kernel_end(&f->kernel);
}

static void write_file(const struct fixture *f, const char *bytes, size_t length)
{
    FILE *file = fopen(f->path, "w");

    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
}

static size_t read_file(const struct fixture *f, char *text, size_t size)
{
    FILE *file = fopen(f->path, "r");
    size_t length;

    ck_assert_ptr_nonnull(file);
    length = fread(text, 1, size - 1, file);
    text[length] = '\0';
    fclose(file);
    return length;
}

/* Loads the file into an empty module; returns how many routes there are then. */
static size_t load(struct fixture *f)
{
    struct mroute_filter everything = {0};

    kernel_flush(&f->kernel, &everything, false);
    start(f);
    while (!f->loaded)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    state_settle(f->kernel.state);
    stop(f);
    return mroute_totals(f->kernel.mroute).routes;
}

/* A user's join of 16 groups, and one that a session holds. */
static void add_joins(struct fixture *f, struct held_leases *session)
{
    struct join_wish wish = {.key = {.iif = {"a"}}};
    struct holder holder = {.kind = HOLDER_USER, .lease = {.id = 7, .uid = 1000, .since = 8}};
    struct holder passing = {
        .kind = HOLDER_SESSION, .lease = {.id = 9, .uid = 1000}, .session = session};
    enum join_change change;
    struct error error;

    ck_assert(prefix_parse("10.0.0.0/30", &wish.key.source));
    ck_assert(prefix_parse("232.1.1.0/30", &wish.key.group));
    ck_assert(joins_add(f->kernel.joins, &wish, &holder, &change, &error));
    ck_assert(prefix_parse("232.1.2.0/30", &wish.key.group));
    ck_assert(joins_add(f->kernel.joins, &wish, &passing, &change, &error));
}

static void add_some(struct fixture *f)
{
    struct args_add_mfc args = route_args("10.0.0.2", "239.1.1.2", "missing", "b");

    ck_assert(kernel_add(&f->kernel, "10.0.0.1", "239.1.1.1", "a", "b,c"));
    args.ttls = (struct number_list){1, {16}};
    args.wait = true;
    ck_assert(mroute_add(f->kernel.mroute, &args, &f->kernel.holder, &f->kernel.change,
                         &f->kernel.error));
    ck_assert(kernel_add(&f->kernel, NULL, "ff05::1", "a", "b"));
    ck_assert(kernel_add(&f->kernel, "fd00::1", "ff05::2", "a", ""));
}

/* Tells of each lease. */
static void touch(struct fixture *f)
{
    struct lease_cursor cursor;
    const struct lease *lease;

    lease_cursor_open(&cursor, &f->kernel.leases);
    while ((lease = lease_cursor_next(&cursor)))
        state_put(f->kernel.state, lease);
    lease_cursor_close(&cursor);
}

/* Writes the file with these routes, as a stop does. */
static void save(struct fixture *f)
{
    start(f);
    state_settle(f->kernel.state);
    touch(f);
    stop(f);
}

START_TEST(what_is_written_is_read_back)
{
    struct fixture f;
    char before[1024];
    struct stat info;

    begin(&f, "a b c");
    add_some(&f);
    snprintf(before, sizeof before, "%s", kernel_routes(&f.kernel));
    save(&f);
    ck_assert_int_eq(stat(f.path, &info), 0);
    ck_assert_uint_eq(info.st_mode & 0777, 0600);
    ck_assert_uint_eq(load(&f), 4);
    ck_assert_str_eq(kernel_routes(&f.kernel), before);
    kernel_check(&f.kernel);
    end(&f);
}
END_TEST

START_TEST(no_file_is_fine)
{
    struct fixture f;

    begin(&f, "a b c");
    ck_assert_uint_eq(load(&f), 0);
    end(&f);
}
END_TEST

START_TEST(nothing_is_written_when_nothing_changed)
{
    struct fixture f;
    struct stat info;

    begin(&f, "a b c");
    start(&f);
    stop(&f);
    ck_assert_int_ne(stat(f.path, &info), 0);
    end(&f);
}
END_TEST

/* No byte may stand for another, at each place: one that JSON has no place for, or another that is
 * much like it. */
START_TEST(a_file_with_one_wrong_byte_is_not_used)
{
    struct fixture f;
    char good[4096], bad[4096];
    size_t length;

    begin(&f, "a b c");
    add_some(&f);
    save(&f);
    length = read_file(&f, good, sizeof good);
    for (size_t i = 0; i < length; i++) {
        memcpy(bad, good, length);
        bad[i] = (char)(_i < 2 ? _i : good[i] ^ 1);
        write_file(&f, bad, length);
        ck_assert_msg(load(&f) == 0, "byte %zu of %zu: %.40s", i, length, good + i);
    }
    end(&f);
}
END_TEST

START_TEST(a_file_that_is_cut_is_not_used)
{
    struct fixture f;
    char good[4096];
    size_t length;

    begin(&f, "a b c");
    add_some(&f);
    save(&f);
    length = read_file(&f, good, sizeof good);
    for (size_t n = 0; n < length; n++) {
        write_file(&f, good, n);
        ck_assert_msg(load(&f) == 0, "%zu of %zu bytes", n, length);
    }
    write_file(&f, good, length);
    ck_assert_uint_eq(load(&f), 4);
    end(&f);
}
END_TEST

START_TEST(a_file_without_one_of_its_lines_is_not_used)
{
    struct fixture f;
    char good[4096], bad[4096];
    size_t length;

    begin(&f, "a b c");
    add_some(&f);
    save(&f);
    length = read_file(&f, good, sizeof good);
    for (char *line = good; *line;) {
        char *next = strchr(line, '\n') + 1;
        size_t before = (size_t)(line - good), after = length - (size_t)(next - good);

        memcpy(bad, good, before);
        memcpy(bad + before, next, after);
        write_file(&f, bad, before + after);
        ck_assert_msg(load(&f) == 0, "without %.60s", line);
        line = next;
    }
    end(&f);
}
END_TEST

START_TEST(a_damaged_file_is_kept_beside)
{
    struct fixture f;
    char path[96], text[64];
    FILE *file;

    begin(&f, "a b c");
    write_file(&f, "rubbish\n", 8);
    ck_assert_uint_eq(load(&f), 0);
    snprintf(path, sizeof path, "%s.damaged", f.path);
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_str_eq(fgets(text, sizeof text, file), "rubbish\n");
    fclose(file);
    end(&f);
}
END_TEST

START_TEST(other_requests_than_routes_are_damage)
{
    static const char text[] =
        "{\"netbroker-state\":1}\n{\"action\":\"FLUSH_MFC\"}\n{\"routes\":1}\n";
    struct fixture f;

    begin(&f, "a b c");
    write_file(&f, text, strlen(text));
    ck_assert_uint_eq(load(&f), 0);
    end(&f);
}
END_TEST

static void add_many(struct fixture *f, int first, int count)
{
    for (int n = first; n < first + count; n++) {
        char group[32];

        sprintf(group, "239.1.%d.%d", n / 256, n % 256);
        ck_assert(kernel_add(&f->kernel, "10.0.0.1", group, "a", "b"));
    }
}

static bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

START_TEST(changes_are_written_soon)
{
    struct fixture f;

    begin(&f, "a b c");
    start(&f);
    state_settle(f.kernel.state);
    add_many(&f, 0, 1200); /* more than one turn writes */
    for (int i = 0; i < 5000 && !file_exists(f.path); i++) {
        uv_run(&f.loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    ck_assert(file_exists(f.path));
    stop(&f);
    ck_assert_uint_eq(load(&f), 1200);
    end(&f);
}
END_TEST

/* Of a write that takes only a part, the reason is told that ended it, and not an older one. */
START_TEST(the_reason_is_that_of_the_disk)
{
    struct rlimit before, limit;
    struct fixture f;

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    begin(&f, "a b c");
    start(&f);
    state_settle(f.kernel.state);
    add_many(&f, 0, 1200);
    limit = (struct rlimit){20000, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 5000 && !state_facts(f.kernel.state).file_problem; i++) {
        uv_run(&f.loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    setrlimit(RLIMIT_FSIZE, &before);
    ck_assert_int_eq(state_facts(f.kernel.state).file_problem, EFBIG);
    ck_assert(!file_exists(f.path));
    stop(&f);
    ck_assert_uint_eq(load(&f), 1200);
    end(&f);
}
END_TEST

/* A stop in the middle of writing: what came after the file was begun is not lost. */
START_TEST(a_stop_while_it_is_written_loses_nothing)
{
    struct fixture f;
    char new_path[96];

    begin(&f, "a b c");
    start(&f);
    state_settle(f.kernel.state);
    add_many(&f, 0, 1200);
    snprintf(new_path, sizeof new_path, "%s.new", f.path);
    for (int i = 0; i < 5000 && !file_exists(new_path); i++) {
        uv_run(&f.loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    ck_assert(file_exists(new_path));
    add_many(&f, 1200, 10);
    stop(&f);
    ck_assert_uint_eq(load(&f), 1210);
    end(&f);
}
END_TEST

/* Turns the loop until the file is there, or so many milliseconds are over. */
static bool await_file(struct fixture *f, const char *path, int milliseconds)
{
    for (int i = 0; i < milliseconds && !file_exists(path); i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    return file_exists(path);
}

static size_t count_leases(const struct fixture *f)
{
    FILE *file = fopen(f->path, "r");
    size_t lines = 0;
    int c;

    while ((c = getc(file)) != EOF)
        lines += c == '\n';
    fclose(file);
    return lines - 2; /* the head and the end */
}

static void add_in(struct fixture *f, struct transaction *transaction, int first, int count)
{
    struct transaction *before = leases_use(&f->kernel.leases, transaction);

    add_many(f, first, count);
    leases_use(&f->kernel.leases, before);
}

START_TEST(no_file_begins_in_a_transaction)
{
    struct transaction transaction = {0};
    struct fixture f;

    begin(&f, "a b c");
    start(&f);
    state_settle(f.kernel.state);
    add_in(&f, &transaction, 0, 600);
    ck_assert(!await_file(&f, f.path, 400));
    add_in(&f, &transaction, 600, 600);
    state_commit(f.kernel.state, &transaction);
    ck_assert(await_file(&f, f.path, 5000));
    ck_assert_uint_eq(count_leases(&f), 1200);
    stop(&f);
    end(&f);
}
END_TEST

/* Known while it is written, of one that changes more than one lease (1), or at its end (0). */
START_TEST(a_file_with_a_part_of_a_transaction_is_given_up)
{
    struct transaction transaction = {0};
    struct fixture f;
    char new_path[96];

    begin(&f, "a b c");
    start(&f);
    state_settle(f.kernel.state);
    add_many(&f, 0, 1200);
    snprintf(new_path, sizeof new_path, "%s.new", f.path);
    ck_assert(await_file(&f, new_path, 5000));
    add_in(&f, &transaction, 1200, 1 + 4 * _i);
    ck_assert(!await_file(&f, f.path, 400));
    add_in(&f, &transaction, 1300, 5);
    state_commit(f.kernel.state, &transaction);
    ck_assert(await_file(&f, f.path, 5000));
    ck_assert_uint_eq(count_leases(&f), 1206 + 4 * (size_t)_i);
    stop(&f);
    end(&f);
}
END_TEST

/* What waits for others for long keeps no changes out of the file. */
START_TEST(a_file_does_not_wait_for_ever)
{
    struct transaction transaction = {0};
    struct fixture f;

    begin(&f, "a b c");
    start(&f);
    state_settle(f.kernel.state);
    add_in(&f, &transaction, 0, 1);
    ck_assert(await_file(&f, f.path, 30000));
    ck_assert_uint_eq(count_leases(&f), 1);
    stop(&f);
    end(&f);
}
END_TEST

START_TEST(routes_of_other_tables_wait_for_them)
{
    struct fixture f;
    struct args_add_mfc args = route_args("10.0.0.1", "239.1.1.1", "a", "b");

    begin(&f, "a b c");
    args.table = 7;
    close(kernel_open_table(&f.kernel, V4, 7));
    ck_assert(
        mroute_add(f.kernel.mroute, &args, &f.kernel.holder, &f.kernel.change, &f.kernel.error));
    ck_assert(kernel_add(&f.kernel, NULL, "ff05::1", "a", "b"));
    save(&f);

    struct mroute_filter everything = {0};

    kernel_flush(&f.kernel, &everything, false);
    start(&f);
    while (!f.loaded && f.kernel.asked_table == 0)
        uv_run(&f.loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(f.kernel.asked_table, 7);
    ck_assert(!f.loaded);
    mroute_table_opened(f.kernel.mroute, V4, 7, mroute_socket_open(V4, 7), NULL);
    while (!f.loaded)
        uv_run(&f.loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(mroute_totals(f.kernel.mroute).routes, 2);
    stop(&f);
    end(&f);
}
END_TEST

START_TEST(joins_come_back_but_those_of_sessions)
{
    struct held_leases session = TAILQ_HEAD_INITIALIZER(session);
    struct fixture f;
    struct join_cursor cursor;
    const struct join *join;
    const struct lease *first;
    char text[JOIN_TEXT_MAX];

    begin(&f, "a b c");
    add_some(&f);
    add_joins(&f, &session);
    save(&f);
    end_leases(&f.kernel.leases, &session);
    joins_free(f.kernel.joins);
    kernel_start_joins(&f.kernel);
    load(&f);
    ck_assert_uint_eq(joins_totals(f.kernel.joins).joins, 1);
    while (joins_work(f.kernel.joins))
        ;
    ck_assert_uint_eq(fake_memberships(1), 16);
    join_cursor_open(&cursor, f.kernel.joins, FAMILY_NONE);
    join = join_cursor_next(&cursor);
    first = resource_first_lease(&join->resource);
    ck_assert_str_eq(join_key_format(&join->key, text), "232.1.1.0/30 from 10.0.0.0/30 on a");
    ck_assert_uint_eq(first->info.id, 7);
    ck_assert_uint_eq(first->info.uid, 1000);
    ck_assert_int_eq(first->info.since, 8);
    join_cursor_close(&cursor);
    end(&f);
}
END_TEST

/* Another process takes the kernel's table over, and what the file says. */
static void restart(struct fixture *f)
{
    struct mroute_socket socket = {kernel_open_copy(&f->kernel, V4), V4, 253};

    kernel_end(&f->kernel);
    kernel_start(&f->kernel);
    kernel_start_joins(&f->kernel);
    ck_assert_int_eq(mroute_adopt(f->kernel.mroute, &socket), 0);
    start(f);
    while (!f->loaded)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    state_settle(f->kernel.state);
    kernel_check(&f->kernel);
    stop(f);
}

static void packet(struct fixture *f, const char *source, const char *group)
{
    struct address s, g;

    ck_assert(address_parse(source, &s) && address_parse(group, &g));
    fake_packet(V4, 253, netifs_find(f->kernel.netifs, "a")->ifindex, &s, &g);
    mroute_read_upcalls(f->kernel.mroute, V4, 253);
}

static bool add_held(struct fixture *f, const char *group, enum holder_kind kind,
                     struct held_leases *session, uint32_t idle)
{
    struct args_add_mfc args = route_args(NULL, group, "a", "b");
    struct holder holder = {.kind = kind, .lease = {.id = 7, .uid = 1000}, .session = session};

    args.idle = idle;
    return mroute_add(f->kernel.mroute, &args, &holder, &f->kernel.change, &f->kernel.error);
}

/* Also of a range that is the kernel's own, which knows none. */
START_TEST(an_idle_time_outlives_a_crash)
{
    struct fixture f;
    struct route_view view;
    struct prefix any = {.length = 0}, group = kernel_prefix("239.1.1.1");

    begin(&f, "a b c");
    ck_assert(add_held(&f, "239.1.1.1", HOLDER_USER, NULL, 5));
    save(&f);
    restart(&f);
    route_describe(mroute_find(f.kernel.mroute, &any, &group, "a", 0), false, &view);
    ck_assert_uint_eq(view.idle, 5);
    ck_assert_int_eq(view.state, ROUTE_INSTALLED);
    end(&f);
}
END_TEST

/* The holders in the file, each on a line. */
static unsigned count_words(const struct fixture *f, const char *word)
{
    char text[8192], *at = text;
    unsigned count = 0;

    read_file(f, text, sizeof text);
    while ((at = strstr(at, word))) {
        at += strlen(word);
        count++;
    }
    return count;
}

START_TEST(each_lease_is_a_line_but_those_of_sessions)
{
    struct held_leases session = TAILQ_HEAD_INITIALIZER(session);
    struct fixture f;

    begin(&f, "a b c");
    ck_assert(add_held(&f, "239.0.0.0/8", HOLDER_SESSION, &session, 60));
    ck_assert(add_held(&f, "239.0.0.0/8", HOLDER_USER, NULL, 60));
    ck_assert(add_held(&f, "239.0.0.0/8", HOLDER_CONFIGURATION, NULL, 60));
    packet(&f, "10.0.0.1", "239.1.1.1");
    save(&f);
    ck_assert_uint_eq(count_words(&f, "239.0.0.0/8"), 2);
    ck_assert_uint_eq(count_words(&f, "\"kind\":\"session\""), 0);
    ck_assert_uint_eq(count_words(&f, "\"kind\":\"client\""), 1);
    ck_assert_uint_eq(count_words(&f, "\"kind\":\"configuration\""), 1);
    ck_assert_uint_eq(count_words(&f, "239.1.1.1"), 0);
    end_leases(&f.kernel.leases, &session);
    ck_assert_uint_eq(load(&f), 1);
    end(&f);
}
END_TEST

#define V1_LINE                                                                                    \
    "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.0.0.1\",\"group\":\"239.1.1.%d\","       \
    "\"iif\":\"a\",\"oifs\":[\"b\"],\"ttls\":[1],\"table\":253}%s}\n"

/* As a service before this one wrote it: no digest, no kinds, and before that no leases. */
START_TEST(a_file_of_the_first_version_is_read)
{
    char text[2048], *at = text;
    struct fixture f;

    begin(&f, "a b c");
    at += sprintf(at, "{\"netbroker-state\":1}\n");
    at += sprintf(at, V1_LINE, 1, "");
    at += sprintf(at, V1_LINE, 2, ",\"id\":{\"lease\":\"0000000000ab\",\"uid\":1000,\"since\":5}");
    at += sprintf(at, V1_LINE, 3,
                  ",\"id\":{\"lease\":\"0000000000ac\",\"uid\":4294967295,\"since\":5}");
    at += sprintf(at, "{\"routes\":3}\n");
    write_file(&f, text, (size_t)(at - text));
    ck_assert_uint_eq(load(&f), 3);
    ck_assert_int_eq(f.kernel.owned, 1);
    ck_assert(lease_end(&f.kernel.leases, leases_find(&f.kernel.leases, 0xab)));
    kernel_check(&f.kernel);
    end(&f);
}
END_TEST

static const char *const wrong_ids[] = {
    "5",
    "{\"lease\":\"0000000000zz\",\"uid\":1000,\"since\":5}",
    "{\"lease\":\"000000000000\",\"uid\":1000,\"since\":5}",
    "{\"lease\":\"0000000000ab\",\"uid\":-,\"since\":5}",
    "{\"lease\":\"0000000000ab\",\"uid\":1000}",
    "{\"lease\":\"0000000000ab\",\"uid\":1000,\"since\":5,\"kind\":\"king\"}",
};

START_TEST(a_lease_that_is_none_is_damage)
{
    char text[1024], id[256], *at = text;
    struct fixture f;

    begin(&f, "a b c");
    snprintf(id, sizeof id, ",\"id\":%s", wrong_ids[_i]);
    at += sprintf(at, "{\"netbroker-state\":1}\n");
    at += sprintf(at, V1_LINE, 1, id);
    at += sprintf(at, "{\"routes\":1}\n");
    write_file(&f, text, (size_t)(at - text));
    ck_assert_uint_eq(load(&f), 0);
    end(&f);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, joins_come_back_but_those_of_sessions);
    tcase_add_test(tests, an_idle_time_outlives_a_crash);
    tcase_add_test(tests, each_lease_is_a_line_but_those_of_sessions);
    tcase_add_test(tests, a_file_of_the_first_version_is_read);
    tcase_add_loop_test(tests, a_lease_that_is_none_is_damage, 0,
                        (int)(sizeof wrong_ids / sizeof *wrong_ids));
    tcase_add_test(tests, what_is_written_is_read_back);
    tcase_add_test(tests, no_file_is_fine);
    tcase_add_test(tests, nothing_is_written_when_nothing_changed);
    tcase_add_loop_test(tests, a_file_with_one_wrong_byte_is_not_used, 0, 3);
    tcase_add_test(tests, a_file_that_is_cut_is_not_used);
    tcase_add_test(tests, a_file_without_one_of_its_lines_is_not_used);
    tcase_add_test(tests, a_damaged_file_is_kept_beside);
    tcase_add_test(tests, other_requests_than_routes_are_damage);
    tcase_add_test(tests, changes_are_written_soon);
    tcase_add_test(tests, no_file_begins_in_a_transaction);
    tcase_add_loop_test(tests, a_file_with_a_part_of_a_transaction_is_given_up, 0, 2);
    tcase_add_test(tests, a_file_does_not_wait_for_ever);
    tcase_add_test(tests, the_reason_is_that_of_the_disk);
    tcase_add_test(tests, a_stop_while_it_is_written_loses_nothing);
    tcase_add_test(tests, routes_of_other_tables_wait_for_them);
}

int main(void)
{
    return suite_run("state", add_tests);
}
