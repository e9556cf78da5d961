/* A switch: each of its rules, and 100,000 random steps beside a model. */
#include "suite.h"
#include "switch/switch.h"
#include "switch_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORTS = 6, MACS = 48, SECOND_NS = 1000000000 };

/* Stations: destinations and sources. */
enum { ALL = 0xff, GROUP = 0xfe };

static const struct switch_port plain, isolated = {.isolated = true}, locked = {.locked = true};

static void *memory;
static struct ether_switch *sw;
static uint64_t now;
static struct switch_verdict verdict;

static void begin(void)
{
    const struct switch_config config = {.ports = PORTS, .macs = MACS, .seed = {3, 4}};
    size_t bytes = switch_bytes(PORTS, MACS);

    memory = malloc(bytes);
    sw = switch_init(memory, bytes, &config);
    ck_assert_ptr_nonnull(sw);
    now = 1;
}

static void end(void)
{
    free(memory);
}

static void attach(unsigned port, const struct switch_port *config)
{
    ck_assert(switch_attach(sw, now, port, config));
}

/* The ports from 0 on. */
static void attach_plain(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        attach(i, &plain);
}

static void write_mac(uint8_t *mac, unsigned station)
{
    memcpy(mac, (uint8_t[]){0x02, 0, 0, 0, (uint8_t)(station >> 8), (uint8_t)station}, 6);
    if (station == ALL)
        memset(mac, 0xff, 6);
    if (station == GROUP)
        memcpy(mac, (uint8_t[]){0x33, 0x33, 0, 0, 0, 1}, 6);
}

static enum switch_way send_bytes(unsigned port, const uint8_t *frame, size_t length)
{
    memset(&verdict, 0xaa, sizeof verdict);
    switch_forward(sw, now, port, frame, length, &verdict);
    return verdict.way;
}

static enum switch_way send_frame(unsigned port, unsigned to, unsigned from)
{
    uint8_t frame[60] = {0};

    write_mac(frame, to);
    write_mac(frame + 6, from);
    return send_bytes(port, frame, sizeof frame);
}

#define assert_dropped(way, expected)                                                              \
    do {                                                                                           \
        ck_assert_int_eq(way, SWITCH_DROP);                                                        \
        ck_assert_str_eq(switch_drop_word(verdict.reason), expected);                              \
    } while (0)

#define assert_to_port(way, expected)                                                              \
    do {                                                                                           \
        ck_assert_int_eq(way, SWITCH_TO_PORT);                                                     \
        ck_assert_uint_eq(verdict.port, expected);                                                 \
    } while (0)

/* Ports as digits: "024". */
static void assert_ports(const char *expected)
{
    char seen[PORTS + 1] = "", *at = seen;

    PORT_SET_FOREACH(port, &verdict.ports)
    *at++ = (char)('0' + port);
    *at = '\0';
    ck_assert_str_eq(seen, expected);
}

#define assert_flooded(way, expected)                                                              \
    do {                                                                                           \
        ck_assert_int_eq(way, SWITCH_TO_PORTS);                                                    \
        assert_ports(expected);                                                                    \
    } while (0)

/* The port of a station, or -1. */
static int where(unsigned station)
{
    struct switch_mac found;
    uint8_t mac[6];

    write_mac(mac, station);
    return switch_find(sw, now, mac, &found) ? (int)found.port : -1;
}

static const struct switch_counters *counters(unsigned port)
{
    return switch_counters(sw, port);
}

/* --- Forwarding ---------------------------------------------------------------------------- */

START_TEST(a_frame_goes_to_the_port_of_its_destination)
{
    attach_plain(4);
    assert_flooded(send_frame(0, 11, 10), "123");
    assert_to_port(send_frame(1, 10, 11), 0);
    assert_to_port(send_frame(0, 11, 10), 1);
    assert_flooded(send_frame(2, 13, 12), "013");
    assert_to_port(send_frame(0, 12, 10), 2);
}
END_TEST

START_TEST(groups_go_to_all_others)
{
    attach_plain(3);
    assert_flooded(send_frame(1, ALL, 10), "02");
    assert_flooded(send_frame(1, GROUP, 10), "02");
    ck_assert_int_eq(where(ALL), -1);
}
END_TEST

START_TEST(nothing_goes_back_where_it_came_from)
{
    attach_plain(2);
    send_frame(0, ALL, 10);
    send_frame(0, ALL, 11);
    assert_dropped(send_frame(0, 10, 11), "same-port");
    assert_dropped(send_frame(0, 10, 10), "same-port");
}
END_TEST

START_TEST(without_others_there_is_nobody)
{
    attach_plain(1);
    assert_dropped(send_frame(0, ALL, 10), "nobody");
    ck_assert_int_eq(where(10), 0);
}
END_TEST

START_TEST(short_frames_are_dropped)
{
    uint8_t *frame = malloc((size_t)_i + (_i == 0)); /* nothing behind its end is read */

    for (int i = 0; i < _i; i++)
        frame[i] = (uint8_t)(2 * (i + 1));
    attach_plain(2);
    if (_i < SWITCH_HEADER_BYTES)
        assert_dropped(send_bytes(0, frame, (size_t)_i), "short");
    else
        assert_flooded(send_bytes(0, frame, (size_t)_i), "1");
    ck_assert_uint_eq(counters(0)->rx_bytes, (unsigned)_i);
    free(frame);
}
END_TEST

START_TEST(reserved_groups_are_not_forwarded)
{
    uint8_t frame[60] = {0x01, 0x80, 0xc2, 0, 0, (uint8_t)_i, 2};

    attach_plain(2);
    if (_i < 16)
        assert_dropped(send_bytes(0, frame, sizeof frame), "reserved");
    else
        assert_flooded(send_bytes(0, frame, sizeof frame), "1");
    ck_assert_uint_eq(counters(0)->learned, _i >= 16);
}
END_TEST

START_TEST(a_source_is_one_station)
{
    uint8_t frame[60];

    memset(frame, 0xff, sizeof frame);
    attach_plain(2);
    assert_dropped(send_bytes(0, frame, sizeof frame), "source");
    memset(frame + 6, 0, 6);
    assert_dropped(send_bytes(0, frame, sizeof frame), "source");
    frame[6] = 0x03;
    assert_dropped(send_bytes(0, frame, sizeof frame), "source");
    frame[6] = 0x02;
    ck_assert_int_eq(send_bytes(0, frame, sizeof frame), SWITCH_TO_PORTS);
    ck_assert_uint_eq(counters(0)->learned, 1);
}
END_TEST

START_TEST(no_station_is_zero)
{
    uint8_t frame[60] = {[6] = 2};

    attach_plain(2);
    assert_flooded(send_bytes(0, frame, sizeof frame), "1");
    ck_assert(!switch_find(sw, now, frame, &(struct switch_mac){0}));
}
END_TEST

START_TEST(frames_are_counted)
{
    attach_plain(3);
    send_frame(0, ALL, 10);
    send_frame(1, 10, 11);
    send_frame(1, 11, 11);
    ck_assert_uint_eq(counters(0)->rx_frames, 1);
    ck_assert_uint_eq(counters(0)->flooded, 1);
    ck_assert_uint_eq(counters(0)->tx_frames, 1);
    ck_assert_uint_eq(counters(1)->rx_frames, 2);
    ck_assert_uint_eq(counters(1)->rx_bytes, 120);
    ck_assert_uint_eq(counters(1)->drops[SWITCH_DROP_SAME_PORT], 1);
    ck_assert_uint_eq(counters(2)->tx_frames, 1);
    ck_assert_uint_eq(counters(2)->tx_bytes, 60);
    ck_assert_ptr_null(counters(PORTS));
}
END_TEST

START_TEST(each_reason_has_its_word)
{
    for (int i = 0; i < SWITCH_DROP_COUNT; i++) {
        ck_assert(switch_drop_word(i)[0] && switch_drop_meaning(i)[0]);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(switch_drop_word(i), switch_drop_word(j));
    }
}
END_TEST

/* --- Learning ------------------------------------------------------------------------------ */

START_TEST(the_silent_are_forgotten)
{
    attach_plain(2);
    send_frame(0, ALL, 10);
    now += SWITCH_AGE_NS;
    assert_to_port(send_frame(1, 10, 11), 0);
    now++;
    assert_flooded(send_frame(1, 10, 11), "0");
    send_frame(0, ALL, 10);
    assert_to_port(send_frame(1, 10, 11), 0);
    ck_assert_uint_eq(counters(0)->learned, 2);
}
END_TEST

START_TEST(a_port_at_its_limit_gives_up_its_own)
{
    attach(0, &plain);
    attach(1, &(struct switch_port){.macs = 3});
    send_frame(0, ALL, 10);
    for (unsigned i = 20; i < 23; i++)
        send_frame(1, ALL, i);
    send_frame(1, ALL, 20);
    send_frame(1, ALL, 23); /* 21 was silent for the longest time */
    ck_assert_int_eq(where(21), -1);
    ck_assert(where(20) == 1 && where(22) == 1 && where(23) == 1 && where(10) == 0);
    ck_assert_uint_eq(counters(1)->replaced, 1);
}
END_TEST

START_TEST(aged_macs_do_not_count_as_replaced)
{
    attach(0, &(struct switch_port){.macs = 1});
    send_frame(0, ALL, 10);
    now += 2 * SWITCH_AGE_NS;
    send_frame(0, ALL, 11);
    ck_assert_uint_eq(counters(0)->replaced, 0);
    ck_assert_uint_eq(counters(0)->learned, 2);
}
END_TEST

START_TEST(a_flood_of_macs_is_the_loss_of_its_port)
{
    attach_plain(2);
    attach(2, &plain);
    for (unsigned i = 0; i < MACS / PORTS; i++) {
        send_frame(0, ALL, 1000 + i);
        send_frame(1, ALL, 2000 + i);
    }
    for (unsigned i = 0; i < 50000; i++)
        send_frame(2, ALL, 3000 + i);
    for (unsigned i = 0; i < MACS / PORTS; i++)
        ck_assert(where(1000 + i) == 0 && where(2000 + i) == 1);
    ck_assert_uint_eq(counters(2)->replaced, 50000 - MACS / PORTS);
    ck_assert_uint_eq(counters(2)->no_place, 0);
}
END_TEST

START_TEST(a_mac_moves_with_its_station)
{
    attach_plain(3);
    send_frame(0, ALL, 10);
    send_frame(1, ALL, 10);
    assert_to_port(send_frame(2, 10, 12), 1);
    ck_assert_uint_eq(counters(1)->moved, 1);
    ck_assert_uint_eq(counters(0)->moved, 0);
}
END_TEST

START_TEST(macs_do_not_move_all_the_time)
{
    attach(0, &plain);
    attach(1, &(struct switch_port){.moves = {2, 2}});
    for (unsigned i = 0; i < 3; i++)
        send_frame(0, ALL, 10 + i);
    for (unsigned i = 0; i < 2; i++)
        ck_assert_int_eq(send_frame(1, ALL, 10 + i), SWITCH_TO_PORTS);
    assert_dropped(send_frame(1, ALL, 12), "moves");
    ck_assert_int_eq(where(12), 0);
    send_frame(0, ALL, 10); /* what was taken may come back: each port has a rate of its own */
    ck_assert_int_eq(where(10), 0);
    now += SECOND_NS / 2;
    ck_assert_int_eq(send_frame(1, ALL, 12), SWITCH_TO_PORTS);
}
END_TEST

/* --- Rules of ports ------------------------------------------------------------------------ */

START_TEST(the_isolated_do_not_reach_each_other)
{
    attach(0, &plain);
    attach(1, &isolated);
    attach(2, &isolated);
    attach(3, &plain);
    assert_flooded(send_frame(1, ALL, 11), "03");
    assert_flooded(send_frame(0, ALL, 10), "123");
    assert_dropped(send_frame(2, 11, 12), "isolated");
    assert_to_port(send_frame(2, 10, 12), 0);
    assert_to_port(send_frame(0, 12, 10), 2);
    switch_detach(sw, 2);
    attach(2, &plain);
    assert_to_port(send_frame(2, 11, 12), 1);
}
END_TEST

START_TEST(isolated_among_themselves_there_is_nobody)
{
    attach(0, &isolated);
    attach(1, &isolated);
    assert_dropped(send_frame(0, ALL, 10), "nobody");
    assert_dropped(send_frame(0, 11, 10), "nobody");
}
END_TEST

START_TEST(a_port_sends_from_its_own_macs)
{
    struct switch_port own = {.allowed_count = 2};

    write_mac(own.allowed[0], 10);
    write_mac(own.allowed[1], 11);
    attach(0, &own);
    attach(1, &plain);
    send_frame(1, ALL, 12);
    ck_assert_int_eq(send_frame(0, ALL, 10), SWITCH_TO_PORTS);
    ck_assert_int_eq(send_frame(0, ALL, 11), SWITCH_TO_PORTS);
    assert_dropped(send_frame(0, ALL, 12), "spoofed");
    assert_dropped(send_frame(0, ALL, 13), "spoofed");
    ck_assert(where(12) == 1 && where(13) == -1);
}
END_TEST

START_TEST(what_goes_to_all_has_a_rate)
{
    attach(0, &(struct switch_port){.flood = {.per_second = 10, .burst = 3}});
    attach(1, &plain);
    send_frame(1, ALL, 11);
    ck_assert_int_eq(send_frame(0, ALL, 10), SWITCH_TO_PORTS);
    ck_assert_int_eq(send_frame(0, GROUP, 10), SWITCH_TO_PORTS);
    ck_assert_int_eq(send_frame(0, 12, 10), SWITCH_TO_PORTS);
    assert_dropped(send_frame(0, ALL, 10), "flood");
    assert_dropped(send_frame(0, GROUP, 10), "flood");
    assert_dropped(send_frame(0, 12, 10), "flood");
    assert_to_port(send_frame(0, 11, 10), 1);
    ck_assert_int_eq(send_frame(1, ALL, 11), SWITCH_TO_PORTS);
    now += SECOND_NS / 10;
    ck_assert_int_eq(send_frame(0, ALL, 10), SWITCH_TO_PORTS);
    assert_dropped(send_frame(0, ALL, 10), "flood");
}
END_TEST

START_TEST(a_locked_port_keeps_its_macs)
{
    attach(0, &locked);
    attach(1, &plain);
    send_frame(0, ALL, 10);
    assert_dropped(send_frame(1, ALL, 10), "locked");
    now += 10 * SWITCH_AGE_NS;
    assert_dropped(send_frame(1, ALL, 10), "locked");
    assert_to_port(send_frame(1, 10, 11), 0);
    switch_detach(sw, 0);
    ck_assert_int_eq(where(10), -1);
}
END_TEST

START_TEST(a_locked_port_gets_no_more_than_its_limit)
{
    attach(0, &(struct switch_port){.locked = true, .macs = 1});
    attach(1, &plain);
    send_frame(1, ALL, 11);
    send_frame(0, ALL, 10);
    assert_dropped(send_frame(0, ALL, 12), "limit");
    assert_dropped(send_frame(0, ALL, 11), "limit");
    ck_assert_int_eq(send_frame(0, ALL, 10), SWITCH_TO_PORTS);
    ck_assert(where(10) == 0 && where(11) == 1 && where(12) == -1);
}
END_TEST

/* A locked port that may send from stations 10 and 11. */
static struct switch_port locked_for(unsigned first, unsigned second)
{
    struct switch_port config = {.locked = true, .allowed_count = 2};

    write_mac(config.allowed[0], first);
    write_mac(config.allowed[1], second);
    return config;
}

START_TEST(a_locked_port_has_what_it_may_use_from_the_start)
{
    struct switch_port own = locked_for(10, 11);

    attach(1, &(struct switch_port){.moves = {1, 1}});
    send_frame(1, ALL, 10);
    attach(0, &own);
    ck_assert(where(10) == 0 && where(11) == 0);
    assert_dropped(send_frame(1, ALL, 11), "locked");
    assert_to_port(send_frame(1, 11, 12), 0);
}
END_TEST

START_TEST(of_two_locked_ports_the_first_keeps_a_mac)
{
    struct switch_port first = locked_for(10, 11), second = locked_for(11, 12);

    attach(0, &first);
    attach(1, &second);
    ck_assert(where(10) == 0 && where(11) == 0 && where(12) == 1);
    assert_dropped(send_frame(1, ALL, 11), "locked");
}
END_TEST

/* --- Ports come and go --------------------------------------------------------------------- */

START_TEST(a_port_is_attached_once)
{
    attach(0, &plain);
    ck_assert(!switch_attach(sw, now, 0, &plain));
    ck_assert(!switch_attach(sw, now, PORTS, &plain));
    ck_assert(port_set_has(switch_ports(sw), 0) && !port_set_has(switch_ports(sw), 1));
    switch_detach(sw, 0);
    switch_detach(sw, 0);
    switch_detach(sw, PORTS);
    ck_assert(port_set_is_empty(switch_ports(sw)));
    attach(0, &plain);
}
END_TEST

START_TEST(a_detached_port_neither_sends_nor_receives)
{
    attach_plain(2);
    send_frame(0, ALL, 10);
    send_frame(1, ALL, 11);
    switch_detach(sw, 0);
    assert_dropped(send_frame(0, 11, 10), "detached");
    assert_dropped(send_frame(PORTS, 11, 10), "detached");
    assert_dropped(send_frame(1, 10, 11), "nobody");
    ck_assert_uint_eq(counters(0)->rx_frames, 2);
    ck_assert_uint_eq(counters(0)->drops[SWITCH_DROP_DETACHED], 1);
}
END_TEST

START_TEST(a_port_begins_anew)
{
    attach_plain(2);
    send_frame(0, ALL, 10);
    switch_detach(sw, 0);
    attach(0, &plain);
    ck_assert_int_eq(where(10), -1);
    ck_assert_uint_eq(counters(0)->rx_frames, 0);
    send_frame(1, ALL, 10);
    ck_assert_int_eq(where(10), 1);
    ck_assert_uint_eq(counters(1)->moved, 0);
}
END_TEST

START_TEST(no_more_macs_are_promised_than_there_is_room_for)
{
    attach(0, &(struct switch_port){.macs = MACS - MACS / PORTS});
    ck_assert(!switch_attach(sw, now, 1, &(struct switch_port){.macs = MACS / PORTS + 1}));
    attach(1, &plain);
    ck_assert(!switch_attach(sw, now, 2, &(struct switch_port){.macs = 1}));
    switch_detach(sw, 0);
    attach(2, &(struct switch_port){.macs = MACS - MACS / PORTS});
}
END_TEST

START_TEST(wrong_lists_of_macs_are_refused)
{
    struct switch_port config = locked_for(10, 11);

    config.macs = 1;
    ck_assert(!switch_attach(sw, now, 0, &config));
    config.locked = false;
    attach(0, &config);
    config.allowed[1][0] |= 1;
    ck_assert(!switch_attach(sw, now, 1, &config));
    memset(config.allowed[1], 0, 6);
    ck_assert(!switch_attach(sw, now, 1, &config));
    config.allowed_count = SWITCH_ALLOWED_MAX + 1;
    ck_assert(!switch_attach(sw, now, 1, &config));
    ck_assert(!port_set_has(switch_ports(sw), 1));
}
END_TEST

START_TEST(sizes_have_bounds)
{
    static const struct {
        unsigned ports;
        uint32_t macs;
    } wrong[] = {{0, 8}, {SWITCH_PORTS_MAX + 1, 1000}, {2, 1}, {2, SWITCH_MACS_MAX + 1}};
    struct switch_config config = {.ports = PORTS, .macs = MACS};
    size_t bytes = switch_bytes(PORTS, MACS);

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_uint_eq(switch_bytes(wrong[i].ports, wrong[i].macs), 0);
        config.ports = wrong[i].ports;
        config.macs = wrong[i].macs;
        ck_assert_ptr_null(switch_init(memory, bytes, &config));
    }
    config = (struct switch_config){.ports = PORTS, .macs = MACS};
    ck_assert_ptr_null(switch_init(memory, bytes - 1, &config));
    ck_assert_uint_lt(switch_bytes(2, 1000), 100000);
    ck_assert_uint_gt(switch_bytes(SWITCH_PORTS_MAX, SWITCH_MACS_MAX),
                      SWITCH_MACS_MAX * UINT64_C(64));
}
END_TEST

/* --- The table is told --------------------------------------------------------------------- */

START_TEST(the_table_is_told_in_parts)
{
    unsigned seen[MACS] = {0}, parts = 0, total = 0;
    struct switch_mac macs[3];
    uint32_t cursor = 0;

    attach(0, &locked);
    attach(1, &(struct switch_port){.macs = MACS / 2});
    for (unsigned i = 0; i < 20; i++)
        send_frame(i > 0, ALL, i);
    for (; cursor != SWITCH_DUMP_END; parts++) {
        size_t count = switch_dump(sw, now, &cursor, macs, 3);

        for (size_t i = 0; i < count; i++, total++) {
            unsigned station = macs[i].mac[5];

            ck_assert(macs[i].port == (station > 0) && macs[i].locked == (station == 0));
            ck_assert_uint_eq(macs[i].seen_ns, now);
            seen[station]++;
        }
    }
    for (unsigned i = 0; i < 20; i++)
        ck_assert_uint_eq(seen[i], 1);
    ck_assert(total == 20 && parts >= 7);
    ck_assert_uint_eq(switch_dump(sw, now, &cursor, macs, 3), 0);
}
END_TEST

/* --- The model ----------------------------------------------------------------------------- */

/* xorshift64* (Vigna). */
static uint8_t random_byte(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint8_t)(*state * 0x2545f4914f6cdd1d >> 56);
}

START_TEST(it_does_what_the_model_does)
{
    uint64_t random = 1;
    struct scene *scene = scene_new();
    uint8_t bytes[SCENE_STEP_BYTES];
    const char *wrong = NULL;

    ck_assert_ptr_nonnull(scene);
    for (unsigned step = 0; step < 100000 && !wrong; step++) {
        for (int i = 0; i < SCENE_STEP_BYTES; i++)
            bytes[i] = random_byte(&random);
        wrong = scene_step(scene, bytes);
        if (!wrong && step % 100 == 0)
            wrong = scene_check_table(scene);
        ck_assert_msg(!wrong, "step %u: %s", step, wrong);
    }
    for (int i = 0; i < SWITCH_DROP_COUNT; i++)
        ck_assert_msg(scene_fate(scene, i) > 20, "%s: too few", switch_drop_word(i));
    scene_free(scene);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, a_frame_goes_to_the_port_of_its_destination);
    tcase_add_test(tests, groups_go_to_all_others);
    tcase_add_test(tests, nothing_goes_back_where_it_came_from);
    tcase_add_test(tests, without_others_there_is_nobody);
    tcase_add_loop_test(tests, short_frames_are_dropped, 0, SWITCH_HEADER_BYTES + 2);
    tcase_add_loop_test(tests, reserved_groups_are_not_forwarded, 0, 18);
    tcase_add_test(tests, a_source_is_one_station);
    tcase_add_test(tests, no_station_is_zero);
    tcase_add_test(tests, frames_are_counted);
    tcase_add_test(tests, each_reason_has_its_word);
    tcase_add_test(tests, the_silent_are_forgotten);
    tcase_add_test(tests, a_port_at_its_limit_gives_up_its_own);
    tcase_add_test(tests, aged_macs_do_not_count_as_replaced);
    tcase_add_test(tests, a_flood_of_macs_is_the_loss_of_its_port);
    tcase_add_test(tests, a_mac_moves_with_its_station);
    tcase_add_test(tests, macs_do_not_move_all_the_time);
    tcase_add_test(tests, the_isolated_do_not_reach_each_other);
    tcase_add_test(tests, isolated_among_themselves_there_is_nobody);
    tcase_add_test(tests, a_port_sends_from_its_own_macs);
    tcase_add_test(tests, what_goes_to_all_has_a_rate);
    tcase_add_test(tests, a_locked_port_keeps_its_macs);
    tcase_add_test(tests, a_locked_port_gets_no_more_than_its_limit);
    tcase_add_test(tests, a_locked_port_has_what_it_may_use_from_the_start);
    tcase_add_test(tests, of_two_locked_ports_the_first_keeps_a_mac);
    tcase_add_test(tests, a_port_is_attached_once);
    tcase_add_test(tests, a_detached_port_neither_sends_nor_receives);
    tcase_add_test(tests, a_port_begins_anew);
    tcase_add_test(tests, no_more_macs_are_promised_than_there_is_room_for);
    tcase_add_test(tests, wrong_lists_of_macs_are_refused);
    tcase_add_test(tests, sizes_have_bounds);
    tcase_add_test(tests, the_table_is_told_in_parts);
    tcase_add_test(tests, it_does_what_the_model_does);
}

int main(void)
{
    return suite_run("switch", add_tests);
}
