/* What is told of frames that were to be sent: each of them is in just one number. */
#include "inject_report.h"
#include "log_capture.h"
#include "suite.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum {
    SOURCE = 4,
    VLAN = 7,
    LATE = 11
}; /* of NB_INJECT_REASONS; the test looks whether they are */

static char *text;
static size_t size;

static const char *print(void (*write)(FILE *, const struct injection_tally *),
                         const struct injection_tally *tally)
{
    FILE *file = open_memstream(&text, &size);

    write(file, tally);
    fclose(file);
    return text;
}

static struct injection_tally some(void)
{
    struct injection_tally tally = {
        .interface = "eth1",
        .is_timed = true,
        .put = 100,
        .first = 0,
        .last = UINT64_C(9900000000),
        .duration = UINT64_C(9900100000),
        .counts = {.judged = 100, .sent = 100, .sent_bytes = 6000},
    };

    return tally;
}

static uint64_t number(const cJSON *object, const char *key)
{
    const cJSON *member = cJSON_GetObjectItem(object, key);

    ck_assert_msg(cJSON_IsNumber(member), "%s is a number", key);
    return (uint64_t)member->valuedouble;
}

static uint64_t asked_of(const struct injection_tally *tally)
{
    cJSON *object = cJSON_Parse(print(injection_report_json, tally));
    uint64_t frames = number(object, "frames");

    cJSON_Delete(object);
    free(text);
    return frames;
}

static void expect(const char *what)
{
    ck_assert_msg(strstr(text, what) != NULL, "'%s' is not in: %s", what, text);
}

START_TEST(the_reasons_have_these_numbers)
{
    ck_assert_str_eq(nb_inject_reason_word(SOURCE), "source");
    ck_assert_str_eq(nb_inject_reason_word(VLAN), "vlan");
    ck_assert_str_eq(nb_inject_reason_word(LATE), "late");
}
END_TEST

START_TEST(all_were_sent)
{
    struct injection_tally tally = some();

    ck_assert(injection_is_complete(&tally));
    print(injection_report, &tally);
    expect("100 of 100 frames sent on eth1, 6000 bytes.\n");
    expect("Rate: 10.00 frames/s achieved, 10.00 asked; time: 9.900 s, 9.900 s asked.\n");
    ck_assert_ptr_null(strstr(text, "Not sent"));
    free(text);
}
END_TEST

START_TEST(the_time_ends_with_the_last_frame)
{
    struct injection_tally tally = some();

    tally.duration = UINT64_C(9904000000);
    tally.timing.latest = 30000;
    injection_settle(&tally);
    ck_assert_uint_eq(tally.duration, 9900030000);
    tally.timing.latest = 5000000;
    injection_settle(&tally);
    ck_assert_uint_eq(tally.duration, 9900030000);
    tally.is_timed = false;
    tally.duration = UINT64_C(9999000000);
    injection_settle(&tally);
    ck_assert_uint_eq(tally.duration, 9999000000);
}
END_TEST

/* 100 and 3 were asked for: 90 sent, 4 + 2 refused, 4 not reached, 1 too long, 2 cut. */
START_TEST(what_was_not_sent_has_a_reason_each)
{
    struct injection_tally tally = some();

    tally.counts = (struct nb_inject_counts){.judged = 96, .sent = 90};
    tally.counts.refused[SOURCE] = 4;
    tally.counts.refused[LATE] = 2;
    tally.too_long = 1;
    tally.cut = 2;
    for (unsigned i = 0; i < 2; i++) {
        tally.total = i * 101; /* known before, or not */
        ck_assert_uint_eq(asked_of(&tally), 103);
    }
    ck_assert(!injection_is_complete(&tally));
    print(injection_report, &tally);
    expect("90 of 103 frames sent");
    expect("Not sent: 4 (source)");
    expect("Not sent: 2 (late)");
    expect("Not sent: 1 (too-long)");
    expect("Not sent: 2 (cut)");
    expect("Not sent: 4 (ended)");
    free(text);
}
END_TEST

START_TEST(json_has_each_frame_once)
{
    struct injection_tally tally = some();
    cJSON *object;

    tally.counts = (struct nb_inject_counts){.judged = 96, .sent = 90};
    tally.counts.refused[VLAN] = 6;
    tally.cut = 2;
    tally.knows_realtime = true;
    tally.timing.latest = 5000;
    tally.timing.histogram[49] = 90; /* 5120 ns and more */
    object = cJSON_Parse(print(injection_report_json, &tally));
    ck_assert(cJSON_IsObject(object));
    ck_assert_uint_eq(number(object, "frames"), 102);
    ck_assert_uint_eq(number(object, "sent"), 90);
    ck_assert_uint_eq(number(object, "ended"), 4);
    ck_assert_uint_eq(number(object, "cut"), 2);
    ck_assert_uint_eq(number(cJSON_GetObjectItem(object, "refused"), "vlan"), 6);
    ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(object, "refused")), 1);
    ck_assert_uint_eq(number(cJSON_GetObjectItem(object, "lateness_ns"), "p99.9"), 5000);
    ck_assert(cJSON_IsFalse(cJSON_GetObjectItem(object, "realtime")));
    ck_assert_int_eq(strchr(text, '\n')[1], '\0');
    cJSON_Delete(object);
    free(text);
}
END_TEST

/* Also what was not even put when it was interrupted was asked for. */
START_TEST(what_was_not_reached_is_not_forgotten)
{
    struct injection_tally tally = some();

    tally.total = 100000;
    tally.counts = (struct nb_inject_counts){.judged = 40, .sent = 40};
    tally.interrupted = true;
    print(injection_report, &tally);
    expect("40 of 100000 frames sent");
    expect("Not sent: 99960 (ended): it was interrupted before.");
    free(text);
}
END_TEST

/* What was written ahead belongs to nothing that was asked for: an interruption is the end. */
START_TEST(what_has_no_end_is_complete_when_it_is_ended)
{
    struct injection_tally tally = some();

    tally.counts = (struct nb_inject_counts){.judged = 40, .sent = 40};
    tally.interrupted = true;
    ck_assert(!injection_is_complete(&tally));
    tally.is_endless = true;
    ck_assert(injection_is_complete(&tally));
    print(injection_report, &tally);
    expect("40 of 40 frames sent on eth1, 0 bytes; interrupted.\n");
    free(text);
    tally.counts.sent = 39;
    tally.counts.refused[SOURCE] = 1;
    ck_assert(!injection_is_complete(&tally));
}
END_TEST

static void expect_explained(unsigned reason, const char *frame, size_t length, const char *what)
{
    struct nb_inject_refusal refusal = {.tag = 7, .length = 60, .reason = reason};
    struct command_line line = {.json = false};
    struct log_capture log;

    log_capture_begin(&log);
    injection_explain(&line, "eth1", &refusal, (const unsigned char *)frame, length);
    log_capture_end(&log);
    ck_assert_msg(strstr(log.text, "frame 7 (60 bytes) was not sent on eth1: ") != NULL, "%s",
                  log.text);
    ck_assert_msg(strstr(log.text, what) != NULL, "%s", log.text);
}

START_TEST(refusals_say_what_would_be_right)
{
    static const char frame[] = "\1\2\3\4\5\6\2\0\0\0\0\5\x81\0\0\x64\x88\xba";

    expect_explained(SOURCE, frame, 18, "It is from 02:00:00:00:00:05: --sources names");
    expect_explained(SOURCE + 1, frame, 18, "It is to 01:02:03:04:05:06: --destinations names");
    expect_explained(SOURCE + 2, frame, 18, "Its EtherType is 0x88ba: --ethertypes names");
    expect_explained(VLAN, frame, 18, "Its tag is of VLAN 100: --vlans names");
    expect_explained(VLAN, frame + 4, 14, "It has no tag");
    expect_explained(VLAN, frame, 0, "Others of this kind are counted.");
    expect_explained(LATE, frame, 18, "With --late 0");
    expect_explained(VLAN + 3, frame, 18, "ip link set dev eth1 up");
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, the_reasons_have_these_numbers);
    tcase_add_test(tests, all_were_sent);
    tcase_add_test(tests, the_time_ends_with_the_last_frame);
    tcase_add_test(tests, what_was_not_sent_has_a_reason_each);
    tcase_add_test(tests, json_has_each_frame_once);
    tcase_add_test(tests, what_was_not_reached_is_not_forgotten);
    tcase_add_test(tests, what_has_no_end_is_complete_when_it_is_ended);
    tcase_add_test(tests, refusals_say_what_would_be_right);
}

int main(void)
{
    return suite_run("inject_report", add_tests);
}
