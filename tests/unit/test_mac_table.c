/* The parts of a switch: its table of MACs, sets of ports, token buckets. */
#include "suite.h"
#include "switch/bucket.h"
#include "switch/mac_table.h"
#include "switch/port_set.h"

#include <stdlib.h>
#include <string.h>

enum { PORTS = 4, SECOND_NS = 1000000000 };

static struct mac_table table;
static struct mac_port ports[PORTS];

/* A table of so many sets, and ports without a limit worth the name. */
static void begin(uint32_t sets, uint64_t seed)
{
    table = (struct mac_table){.seed = {seed, seed + 1}, .age = SECOND_NS, .sets = sets};
    table.keys = calloc(mac_table_places(&table), sizeof *table.keys);
    table.entries = calloc(mac_table_places(&table), sizeof *table.entries);
    table.ports = ports;
    memset(ports, 0, sizeof ports);
    for (unsigned i = 0; i < PORTS; i++) {
        mac_table_forget(&table, i);
        ports[i].limit = UINT32_MAX;
    }
}

static void end(void)
{
    free(table.keys);
    free(table.entries);
}

/* Python's hash() of the bytes, with PYTHONHASHSEED=0, is this hash under a key of zeros. */
START_TEST(the_hash_is_siphash)
{
    static const uint64_t seed[2];

    ck_assert_uint_eq(mac_hash(seed, 0x021122334455), 0x4bcf41bd00604126);
    ck_assert_uint_eq(mac_hash(seed, 0x0807060504030201), 0x884ccc87cb0e5fb0);
}
END_TEST

START_TEST(the_hash_depends_on_both_words_of_its_key)
{
    static const uint64_t seeds[][2] = {{0, 0}, {1, 0}, {0, 1}};

    ck_assert_uint_ne(mac_hash(seeds[0], 1), mac_hash(seeds[1], 1));
    ck_assert_uint_ne(mac_hash(seeds[0], 1), mac_hash(seeds[2], 1));
    ck_assert_uint_ne(mac_hash(seeds[1], 1), mac_hash(seeds[2], 1));
}
END_TEST

START_TEST(a_mac_is_a_number_of_its_bytes)
{
    uint8_t bytes[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55}, copy[6];

    ck_assert_uint_eq(mac_read(bytes), 0x021122334455);
    mac_write(copy, mac_read(bytes));
    ck_assert_mem_eq(copy, bytes, sizeof bytes);
    ck_assert(mac_is_group(0x010000000000) && !mac_is_group(0xfeffffffffff));
}
END_TEST

/* As many MACs as were promised, whatever they are: the table of that many is half full. */
START_TEST(what_was_promised_has_a_place)
{
    const uint32_t sizes[] = {8, 100, 1000, 10000}, macs = sizes[_i % 4];

    begin(mac_table_sets(macs), (uint64_t)_i);
    for (uint32_t i = 0; i < macs; i++)
        ck_assert_int_eq(mac_table_add(&table, UINT64_C(0x020000000000) + i, i % PORTS, 1),
                         MAC_ADDED);
    for (uint32_t i = 0; i < macs; i++) {
        uint32_t place = mac_table_find(&table, UINT64_C(0x020000000000) + i, 1);

        ck_assert(place != MAC_NONE);
        ck_assert_uint_eq(table.entries[place].port, i % PORTS);
    }
    end();
}
END_TEST

/* The next MAC behind this one both sets of which are the first. */
static uint64_t find_collision(uint64_t mac)
{
    uint32_t sets[2];

    do
        mac_table_find_sets(&table, ++mac, sets);
    while (sets[0] != 0 || sets[1] != 0);
    return mac;
}

START_TEST(collisions_move_nobody_out)
{
    uint64_t macs[MAC_WAYS + 1] = {0};

    begin(4, 7);
    for (unsigned i = 0; i <= MAC_WAYS; i++)
        macs[i] = find_collision(i ? macs[i - 1] : 0x020000000000);
    for (unsigned i = 0; i < MAC_WAYS; i++)
        ck_assert_int_eq(mac_table_add(&table, macs[i], 0, 1), MAC_ADDED);
    ck_assert_int_eq(mac_table_add(&table, macs[MAC_WAYS], 1, 1), MAC_HAS_NO_PLACE);
    for (unsigned i = 0; i < MAC_WAYS; i++)
        ck_assert(mac_table_find(&table, macs[i], 1) != MAC_NONE);
    ck_assert(mac_table_find(&table, macs[MAC_WAYS], 1) == MAC_NONE);
    ck_assert_uint_eq(ports[1].count, 0);
    end();
}
END_TEST

static void fill_first_set(uint64_t *ret_next)
{
    uint64_t mac = 0x020000000000;

    for (unsigned i = 0; i < MAC_WAYS; i++) {
        mac = find_collision(mac);
        ck_assert_int_eq(mac_table_add(&table, mac, 0, 1), MAC_ADDED);
    }
    *ret_next = find_collision(mac);
}

START_TEST(places_of_the_aged_are_free)
{
    uint64_t next;

    begin(4, 7);
    fill_first_set(&next);
    ck_assert_int_eq(mac_table_add(&table, next, 1, SECOND_NS + 2), MAC_ADDED);
    ck_assert_uint_eq(ports[0].count, MAC_WAYS - 1);
    ck_assert_uint_eq(ports[1].count, 1);
    end();
}
END_TEST

START_TEST(places_of_the_forgotten_are_free)
{
    uint64_t next;

    begin(4, 7);
    fill_first_set(&next);
    mac_table_forget(&table, 0);
    ck_assert_int_eq(mac_table_add(&table, next, 1, 1), MAC_ADDED);
    ck_assert_uint_eq(ports[0].count, 0);
    ck_assert_int_eq(mac_table_add(&table, 0x020000000001, 0, 1), MAC_ADDED);
    ck_assert_uint_eq(ports[0].count, 1);
    end();
}
END_TEST

START_TEST(a_set_has_its_ports_in_order)
{
    static const unsigned members[] = {0, 1, 63, 64, 130, 255};
    struct port_set set = {0}, others = {0};
    unsigned i = 0;

    ck_assert(port_set_is_empty(&set));
    for (unsigned j = 0; j < 6; j++)
        port_set_add(&set, members[j]);
    PORT_SET_FOREACH(port, &set)
    ck_assert_uint_eq(port, members[i++]);
    ck_assert_uint_eq(i, 6);
    port_set_add(&others, 63);
    port_set_add(&others, 62);
    port_set_subtract(&set, &others);
    ck_assert(!port_set_has(&set, 63) && port_set_has(&set, 64));
    port_set_remove(&set, 64);
    ck_assert_uint_eq(port_set_next(&set, 2), 130);
    ck_assert_uint_eq(port_set_next(&set, 256), SWITCH_PORTS_MAX);
}
END_TEST

static unsigned take_all(struct bucket *bucket, uint64_t now)
{
    unsigned count = 0;

    while (count < 1000 && bucket_take(bucket, now))
        count++;
    return count;
}

START_TEST(a_bucket_fills_again)
{
    struct bucket bucket;

    bucket_fill(&bucket, &(struct switch_rate){.per_second = 10, .burst = 5});
    ck_assert_uint_eq(take_all(&bucket, SECOND_NS), 5);
    ck_assert_uint_eq(take_all(&bucket, SECOND_NS + 99999999), 0);
    ck_assert_uint_eq(take_all(&bucket, SECOND_NS + 100000000), 1);
    ck_assert_uint_eq(take_all(&bucket, SECOND_NS + 350000000), 2);
    ck_assert_uint_eq(take_all(&bucket, SECOND_NS + 400000000), 1);
    ck_assert_uint_eq(take_all(&bucket, UINT64_C(90) * SECOND_NS), 5);
}
END_TEST

START_TEST(a_bucket_without_a_rate_is_endless)
{
    struct bucket bucket;

    bucket_fill(&bucket, &(struct switch_rate){0});
    ck_assert_uint_eq(take_all(&bucket, 0), 1000);
    bucket_fill(&bucket, &(struct switch_rate){.per_second = 7});
    ck_assert_uint_eq(take_all(&bucket, 0), 7);
    bucket_fill(&bucket, &(struct switch_rate){1, UINT32_MAX});
    ck_assert_uint_eq(take_all(&bucket, UINT64_C(1) << 62), 1000);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, the_hash_is_siphash);
    tcase_add_test(tests, the_hash_depends_on_both_words_of_its_key);
    tcase_add_test(tests, a_mac_is_a_number_of_its_bytes);
    tcase_add_loop_test(tests, what_was_promised_has_a_place, 0, 20);
    tcase_add_test(tests, collisions_move_nobody_out);
    tcase_add_test(tests, places_of_the_aged_are_free);
    tcase_add_test(tests, places_of_the_forgotten_are_free);
    tcase_add_test(tests, a_set_has_its_ports_in_order);
    tcase_add_test(tests, a_bucket_fills_again);
    tcase_add_test(tests, a_bucket_without_a_rate_is_endless);
}

int main(void)
{
    return suite_run("mac_table", add_tests);
}
