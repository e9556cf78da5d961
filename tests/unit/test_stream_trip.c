/* A trip is a member that becomes the value, and not one that has it already. */
#include "suite.h"
#include "trip.h"

#include <string.h>

static struct spec_trip spec = {
    .reference = "R/LLN0$GO$g", .index = 1, .is_boolean = true, .boolean = true};
static struct trip trip;

/* Members: an integer 5, a boolean, a float 1.5, and a structure of a boolean and bits 10. */
static bool take(const char *reference, uint32_t sq_num, bool is_on)
{
    static const uint8_t bits[] = {0x80};
    struct mms_value values[] = {
        {.type = MMS_INTEGER, .integer = 5},
        {.type = MMS_BOOLEAN, .boolean = is_on},
        {.type = MMS_FLOAT, .real = 1.5, .is_short = true},
        {.type = MMS_STRUCTURE},
        {.type = MMS_BOOLEAN, .boolean = is_on, .depth = 1},
        {.type = MMS_BIT_STRING, .bytes = bits, .length = 1, .bits = 2, .depth = 1},
        {.type = MMS_BIT_STRING, .bytes = bits, .length = 1, .bits = 2},
    };
    uint8_t data[128];
    struct goose_message message = {
        .gocb_ref = {reference, strlen(reference)},
        .sq_num = sq_num,
        .all_data = data,
        .all_data_length = mms_encode(values, sizeof values / sizeof *values, data, sizeof data),
    };

    ck_assert_uint_gt(message.all_data_length, 0);
    return trip_take(&trip, &message);
}

static void begin(unsigned index)
{
    spec.index = index;
    trip = (struct trip){.spec = &spec};
}

START_TEST(a_member_becomes_the_value)
{
    begin(1);
    ck_assert(!take("R/LLN0$GO$g", 3, false));
    ck_assert(!take("R/LLN0$GO$h", 0, true));
    ck_assert(take("R/LLN0$GO$g", 0, true));
    ck_assert(!take("R/LLN0$GO$g", 1, true));
    ck_assert(!take("R/LLN0$GO$g", 0, false));
    ck_assert(take("R/LLN0$GO$g", 0, true));
}
END_TEST

START_TEST(what_was_so_before_is_no_trip)
{
    begin(1);
    ck_assert(!take("R/LLN0$GO$g", 7, true));
    begin(1);
    ck_assert(take("R/LLN0$GO$g", 0, true));
}
END_TEST

START_TEST(members_are_compared_by_their_type)
{
    begin(3); /* what the structure begins with */
    ck_assert(take("R/LLN0$GO$g", 0, true));
    begin(0);
    ck_assert(!take("R/LLN0$GO$g", 0, true));
    spec.is_boolean = false;
    spec.number = 5;
    begin(0);
    ck_assert(take("R/LLN0$GO$g", 0, true));
    spec.number = 1.5;
    begin(2);
    ck_assert(take("R/LLN0$GO$g", 0, true));
    spec.number = 2;
    begin(4);
    ck_assert(take("R/LLN0$GO$g", 0, true));
    begin(5);
    ck_assert(!take("R/LLN0$GO$g", 0, true));
    spec.is_boolean = true;
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_member_becomes_the_value);
    tcase_add_test(tests, what_was_so_before_is_no_trip);
    tcase_add_test(tests, members_are_compared_by_their_type);
}

int main(void)
{
    return suite_run("stream_trip", add_tests);
}
