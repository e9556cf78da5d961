/* What a GOOSE message is after those before it. */
#include "goose_state.h"
#include "suite.h"

static const uint64_t MS = 1000000;

/* Messages one after the other, each allowing 100 ms. */
static const struct {
    const char *what;
    uint32_t st_num, sq_num;
    enum goose_change change;
    uint64_t lost;
} messages[] = {
    {"the first, in whatever state", 7, 30, GOOSE_STATE, 0},
    {"its repetition", 7, 31, GOOSE_RETRANSMIT, 0},
    {"two are lost", 7, 34, GOOSE_RETRANSMIT, 2},
    {"the same again", 7, 34, GOOSE_RETRANSMIT, 0},
    {"a new state", 8, 0, GOOSE_STATE, 0},
    {"a new state, whose first is lost", 9, 1, GOOSE_STATE, 1},
    {"two states are lost", 12, 0, GOOSE_STATE, 2},
    {"the publisher begins anew", 1, 0, GOOSE_STATE, 0},
    {"far on", UINT32_MAX, 0, GOOSE_STATE, 0},
    {"the number after the last is 1", 1, 0, GOOSE_STATE, 0},
    {"out of its order", 1, UINT32_MAX - 1, GOOSE_RETRANSMIT, 0},
    {"the last number", 1, UINT32_MAX, GOOSE_RETRANSMIT, 0},
    {"the number after it is 1", 1, 1, GOOSE_RETRANSMIT, 0},
    {"one behind it is lost", 1, 3, GOOSE_RETRANSMIT, 1},
};

START_TEST(messages_follow_each_other)
{
    struct goose_state state = {.has_begun = false};
    enum goose_change change;

    for (unsigned i = 0; i < sizeof messages / sizeof *messages; i++) {
        uint64_t lost =
            goose_state_take(&state, messages[i].st_num, messages[i].sq_num, 100, i, &change);

        ck_assert_msg(change == messages[i].change, "%s", messages[i].what);
        ck_assert_msg(lost == messages[i].lost, "%s: %lu", messages[i].what, (unsigned long)lost);
    }
    ck_assert_uint_eq(state.repeated, 2);
    ck_assert_uint_eq(state.lost, 6);
}
END_TEST

START_TEST(silence_is_told_once)
{
    struct goose_state state = {.has_begun = false};
    enum goose_change change;

    ck_assert(!goose_state_tick(&state, UINT64_MAX));
    goose_state_take(&state, 1, 0, 100, 50 * MS, &change);
    ck_assert(!goose_state_tick(&state, 150 * MS));
    ck_assert(goose_state_tick(&state, 150 * MS + 1));
    ck_assert(!goose_state_tick(&state, 300 * MS));
    goose_state_take(&state, 1, 1, 100, 400 * MS, &change);
    ck_assert_int_eq(change, GOOSE_RETRANSMIT);
    ck_assert(!goose_state_tick(&state, 500 * MS));
    ck_assert(goose_state_tick(&state, 600 * MS));
    ck_assert_uint_eq(state.timeouts, 2);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, messages_follow_each_other);
    tcase_add_test(tests, silence_is_told_once);
}

int main(void)
{
    return suite_run("goose_state", add_tests);
}
