/* Long work: users take turns between jobs, and only who must makes others wait. */
#include "broker/slices.h"
#include "suite.h"

#include <string.h>

enum { JOBS = 4 };

struct worker {
    struct slice_user work; /* first */
    uint64_t busy_ns;
};

struct job {
    struct slice_job job; /* first */
    enum slice_hold hold;
    unsigned left;  /* steps */
    unsigned steps; /* that were taken */
    bool waits;     /* for something outside, before the last step */
    bool ended;
};

struct ground {
    uv_loop_t loop;
    struct leases leases;
    struct slices slices;
    struct worker users[3];
    struct job jobs[JOBS];
};

static struct ground g;

/* The fake time of a user: what was served is noted, and what is charged is not. */
static void charge(struct slice_user *work, uint64_t ns)
{
    ((struct worker *)work)->busy_ns += ns;
}

static uint64_t time_ns;

static uint64_t look_at_clock(void)
{
    return time_ns;
}

/* Longer than a slice. */
static void spend_a_slice(void)
{
    time_ns += 150UL * 1000;
}

static enum slice_step step(struct slice_job *slice)
{
    struct job *job = (struct job *)slice;

    if (job->hold != HOLD_NOBODY && !slices_hold(&g.slices, slice, job->hold))
        return SLICE_WAIT;
    if (job->waits && job->left == 1) {
        job->waits = false;
        return SLICE_WAIT;
    }
    spend_a_slice();
    job->steps++;
    return --job->left > 0 ? SLICE_MORE : SLICE_DONE;
}

static void note_end(struct slice_job *slice)
{
    ((struct job *)slice)->ended = true;
}

static bool concerns_delete(const struct slice_job *slice, const struct request *request)
{
    (void)slice;
    return request->action == ACTION_DEL_MFC;
}

static void begin(void)
{
    static const struct leases_host host = {0};

    memset(&g, 0, sizeof g);
    uv_loop_init(&g.loop);
    leases_init(&g.leases, &host);
    slices_init(&g.slices, &g.loop, &g.leases);
    g.slices.clock = look_at_clock;
    for (int i = 0; i < 3; i++)
        slice_user_init(&g.users[i].work, &g.users[i].busy_ns, charge);
}

static void turn(int count)
{
    while (count-- > 0)
        uv_run(&g.loop, UV_RUN_NOWAIT);
}

static void end(void)
{
    slices_finish(&g.slices);
    ck_assert(!slices_are_busy(&g.slices));
    for (int i = 0; i < 3; i++)
        ck_assert(slice_user_may_go(&g.users[i].work));
    slices_stop(&g.slices);
    uv_run(&g.loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&g.loop), 0);
    leases_clear(&g.leases);
}

static void add(int n, int user, unsigned steps, enum slice_hold hold)
{
    g.jobs[n] = (struct job){
        .job = {.step = step, .end = note_end, .concerns = concerns_delete},
        .left = steps,
        .hold = hold,
    };
    slices_add(&g.slices, &g.users[user].work, &g.jobs[n].job);
}

static bool holds_up(int user, enum action action)
{
    struct request request = {.action = action};

    return slices_hold_up(&g.slices, &g.users[user].work, &request);
}

/* --- Turns --------------------------------------------------------------------------------- */

START_TEST(who_has_little_to_do_does_not_wait_for_who_has_much)
{
    begin();
    for (int n = 0; n < 3; n++)
        add(n, 0, 100, HOLD_NOBODY);
    turn(10);
    add(3, 1, 2, HOLD_NOBODY);
    turn(2);
    ck_assert(g.jobs[3].ended);
    ck_assert_uint_eq(g.jobs[0].steps, 10);
    ck_assert_uint_eq(g.jobs[1].steps, 0); /* one after the other */
    end();
    ck_assert(g.jobs[2].ended);
}
END_TEST

START_TEST(who_used_less_time_lately_comes_first)
{
    begin();
    g.users[0].busy_ns = 1000000000;
    add(0, 0, 100, HOLD_NOBODY);
    add(1, 1, 100, HOLD_NOBODY);
    turn(40);
    ck_assert_uint_eq(g.jobs[0].steps, 10); /* who waited longest */
    ck_assert_uint_eq(g.jobs[1].steps, 30);
    ck_assert_uint_ge(g.users[1].busy_ns, UINT64_C(30) * 150000);
    ck_assert_uint_ge(g.users[0].busy_ns, 1000000000 + UINT64_C(10) * 150000);
    end();
}
END_TEST

START_TEST(a_user_has_so_many_jobs)
{
    static struct job many[SLICE_JOBS_MAX];
    struct error error;

    begin();
    for (int i = 0; i < SLICE_JOBS_MAX; i++) {
        ck_assert(slice_user_has_room(&g.users[0].work, &error));
        many[i] = (struct job){.job = {.step = step, .end = note_end}, .left = 1};
        slices_add(&g.slices, &g.users[0].work, &many[i].job);
    }
    ck_assert(!slice_user_has_room(&g.users[0].work, &error));
    ck_assert_int_eq(error.code, ERROR_LIMIT);
    ck_assert(slice_user_has_room(&g.users[1].work, &error));
    ck_assert(!slice_user_may_go(&g.users[0].work));
    end();
    ck_assert(slice_user_has_room(&g.users[0].work, &error));
}
END_TEST

START_TEST(a_job_that_waits_keeps_nobody_from_work)
{
    begin();
    add(0, 0, 2, HOLD_NOBODY);
    g.jobs[0].waits = true;
    add(1, 1, 2, HOLD_NOBODY);
    turn(10);
    ck_assert(g.jobs[1].ended);
    ck_assert(!g.jobs[0].ended);
    ck_assert(slices_are_busy(&g.slices));
    slices_wake(&g.slices, &g.jobs[0].job);
    turn(2);
    ck_assert(g.jobs[0].ended);
    end();
}
END_TEST

/* --- Holding others up --------------------------------------------------------------------- */

START_TEST(who_waits_depends_on_what_is_held)
{
    begin();
    add(0, 0, 4, _i);
    turn(1);
    ck_assert_int_eq(holds_up(0, ACTION_ADD_MFC), _i != HOLD_NOBODY);
    ck_assert(!holds_up(1, ACTION_ADD_MFC)); /* it does not concern the job */
    ck_assert_int_eq(holds_up(1, ACTION_DEL_MFC), _i == HOLD_OTHERS);
    turn(4);
    ck_assert(g.jobs[0].ended);
    for (int user = 0; user < 2; user++)
        ck_assert(!holds_up(user, ACTION_DEL_MFC));
    end();
}
END_TEST

/* Others who only look, and have used no time, do not draw it out. */
START_TEST(who_holds_others_up_has_every_second_slice)
{
    begin();
    g.users[0].busy_ns = 1000000000;
    add(0, 0, 10, HOLD_OTHERS);
    turn(1);
    add(1, 1, 1000, HOLD_NOBODY);
    turn(20);
    ck_assert(g.jobs[0].ended);
    ck_assert_uint_gt(g.jobs[1].steps, 8);
    end();
}
END_TEST

START_TEST(one_job_at_a_time_holds_others_up)
{
    begin();
    add(0, 0, 5, HOLD_OTHERS);
    add(1, 1, 5, HOLD_OTHERS);
    add(2, 2, 5, HOLD_NOBODY);
    turn(8);
    ck_assert_uint_gt(g.jobs[0].steps, 0);
    ck_assert_uint_eq(g.jobs[0].ended ? 0 : g.jobs[1].steps, 0);
    end();
    ck_assert(g.jobs[0].ended && g.jobs[1].ended && g.jobs[2].ended);
}
END_TEST

struct asker {
    struct waiter waiter; /* first */
    unsigned resumed;
    unsigned steps; /* of the second job, at that time */
};

static void note_resumed(struct waiter *waiter, const struct error *error)
{
    struct asker *asker = (struct asker *)waiter;

    ck_assert_ptr_null(error);
    asker->resumed++;
    asker->steps = g.jobs[1].steps;
}

START_TEST(who_waited_has_a_turn_before_others_are_held_up_again)
{
    struct asker asker = {.waiter = {.resume = note_resumed}};
    struct asker gone = {.waiter = {.resume = note_resumed}};

    begin();
    g.users[2].busy_ns = 1000000000;
    add(0, 0, 5, HOLD_OTHERS);
    add(1, 1, 5, HOLD_OTHERS);
    turn(1);
    slices_wait(&g.slices, &g.users[2].work, &asker.waiter);
    slices_wait(&g.slices, &g.users[2].work, &gone.waiter);
    ck_assert(!slice_user_may_go(&g.users[2].work));
    waiter_cancel(&gone.waiter);
    ck_assert_uint_eq(asker.resumed, 0);
    turn(20);
    ck_assert_uint_eq(asker.resumed, 1);
    ck_assert_uint_eq(asker.steps, 0);
    ck_assert_uint_eq(gone.resumed, 0);
    end();
    ck_assert(g.jobs[1].ended);
}
END_TEST

/* A user whose turn is owed has gone meanwhile. */
START_TEST(nobody_waits_for_who_has_gone)
{
    struct asker asker = {.waiter = {.resume = note_resumed}};

    begin();
    add(0, 0, 1, HOLD_OTHERS);
    g.jobs[0].left = 2;
    turn(1);
    add(1, 1, 1, HOLD_OTHERS);
    slices_wait(&g.slices, &g.users[2].work, &asker.waiter);
    slices_cancel(&g.slices, &g.jobs[0].job);
    waiter_cancel(&asker.waiter);
    ck_assert(slice_user_may_go(&g.users[2].work));
    turn(3);
    ck_assert(g.jobs[1].ended);
    ck_assert(!g.jobs[0].ended);
    end();
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, who_has_little_to_do_does_not_wait_for_who_has_much);
    tcase_add_test(tests, who_used_less_time_lately_comes_first);
    tcase_add_test(tests, a_user_has_so_many_jobs);
    tcase_add_test(tests, a_job_that_waits_keeps_nobody_from_work);
    tcase_add_loop_test(tests, who_waits_depends_on_what_is_held, HOLD_NOBODY, HOLD_OTHERS + 1);
    tcase_add_test(tests, who_holds_others_up_has_every_second_slice);
    tcase_add_test(tests, one_job_at_a_time_holds_others_up);
    tcase_add_test(tests, who_waited_has_a_turn_before_others_are_held_up_again);
    tcase_add_test(tests, nobody_waits_for_who_has_gone);
}

int main(void)
{
    return suite_run("slices", add_tests);
}
