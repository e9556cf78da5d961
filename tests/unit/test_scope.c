/* What somebody may send: lists as they are written, scopes that cover and touch others, and frames
 * that are held to one. */
#include "frame/scope.h"
#include "suite.h"

#include <string.h>

static void fill(struct send_scope *scope, const char *sources, const char *destinations,
                 const char *vlans)
{
    char text[256], *item, *rest;

    memset(scope, 0, sizeof *scope);
    for (rest = strcpy(text, sources); (item = strtok_r(rest, " ", &rest));)
        ck_assert_int_eq(source_list_add(&scope->sources, item), SCOPE_ADDED);
    for (rest = strcpy(text, destinations); (item = strtok_r(rest, " ", &rest));)
        ck_assert_int_eq(destination_list_add(&scope->destinations, item), SCOPE_ADDED);
    for (rest = strcpy(text, vlans); (item = strtok_r(rest, " ", &rest));)
        ck_assert_int_eq(vlan_list_add(&scope->vlans, item), SCOPE_ADDED);
}

/* --- Lists --------------------------------------------------------------------------------- */

static const char *const wrong_sources[] = {
    "",
    "02:00:00:00:00",
    "02:00:00:00:00:0",
    "02:00:00:00:00:01:",
    "02-00-00-00-00-01",
    "00:00:00:00:00:00",
    "01:00:00:00:00:01",
    "02:00:00:00:00:01/48",
    "OWN",
    "gg:00:00:00:00:00",
};
static const char *const wrong_destinations[] = {
    "",
    "any",
    "01:0c:cd:04:00:00/",
    "01:0c:cd:04:00:00/0",
    "01:0c:cd:04:00:00/49",
    "01:0c:cd:04:00:01/47",
    "01:0c:cd:04:00:00/8",
    "01:0c:cd:04:00:00/-1",
    "01:0c:cd:04:00:00x",
    "01:0c:cd:04:00:00/4294967328",
};
static const char *const wrong_vlans[] = {"", "4095", "-1", "1x", "any", "0x1", "99999999999"};

#define COUNT(list) (sizeof(list) / sizeof *(list))

START_TEST(what_is_no_item_is_refused)
{
    struct send_scope scope = {.sources.kinds = 0};

    for (size_t i = 0; i < COUNT(wrong_sources); i++)
        ck_assert_int_eq(source_list_add(&scope.sources, wrong_sources[i]), SCOPE_WRONG);
    for (size_t i = 0; i < COUNT(wrong_destinations); i++)
        ck_assert_int_eq(destination_list_add(&scope.destinations, wrong_destinations[i]),
                         SCOPE_WRONG);
    for (size_t i = 0; i < COUNT(wrong_vlans); i++)
        ck_assert_int_eq(vlan_list_add(&scope.vlans, wrong_vlans[i]), SCOPE_WRONG);
    ck_assert(scope_is_open(&scope));
}
END_TEST

START_TEST(an_item_stands_there_once)
{
    struct send_scope scope;
    char text[SCOPE_MAC_TEXT + 1];

    fill(&scope, "own 02:00:00:00:00:0a", "01:0c:cd:04:00:00/32 ff:ff:ff:ff:ff:ff", "none 0 4094");
    ck_assert_int_eq(source_list_add(&scope.sources, "own"), SCOPE_TWICE);
    ck_assert_int_eq(source_list_add(&scope.sources, "02:00:00:00:00:0A"), SCOPE_TWICE);
    ck_assert_int_eq(destination_list_add(&scope.destinations, "FF:FF:ff:ff:ff:ff/48"),
                     SCOPE_TWICE);
    ck_assert_int_eq(vlan_list_add(&scope.vlans, "none"), SCOPE_TWICE);
    ck_assert_int_eq(vlan_list_add(&scope.vlans, "00"), SCOPE_TWICE);
    ck_assert_uint_eq(scope_items(&scope, SCOPE_SOURCES), 2);
    ck_assert_uint_eq(scope_items(&scope, SCOPE_DESTINATIONS), 2);
    ck_assert_uint_eq(scope_items(&scope, SCOPE_VLANS), 3);
    scope_text(&scope, SCOPE_SOURCES, 0, text);
    ck_assert_str_eq(text, "own");
    scope_text(&scope, SCOPE_SOURCES, 1, text);
    ck_assert_str_eq(text, "02:00:00:00:00:0a");
    scope_text(&scope, SCOPE_DESTINATIONS, 0, text);
    ck_assert_str_eq(text, "01:0c:cd:04:00:00/32");
    scope_text(&scope, SCOPE_DESTINATIONS, 1, text);
    ck_assert_str_eq(text, "ff:ff:ff:ff:ff:ff");
    scope_text(&scope, SCOPE_VLANS, 0, text);
    ck_assert_str_eq(text, "none");
    scope_text(&scope, SCOPE_VLANS, 2, text);
    ck_assert_str_eq(text, "4094");
}
END_TEST

START_TEST(a_list_has_an_end)
{
    struct send_scope scope = {.sources.kinds = 0};
    char text[] = "02:00:00:00:01:00", id[] = "100";

    for (unsigned i = 0; i < SCOPE_ITEMS_MAX + 1; i++) {
        enum scope_added right = i < SCOPE_ITEMS_MAX ? SCOPE_ADDED : SCOPE_FULL;

        text[15] = id[1] = (char)('0' + i / 10);
        text[16] = id[2] = (char)('0' + i % 10);
        ck_assert_int_eq(source_list_add(&scope.sources, text), right);
        ck_assert_int_eq(destination_list_add(&scope.destinations, text), right);
        ck_assert_int_eq(vlan_list_add(&scope.vlans, id), right);
    }
}
END_TEST

/* --- Scopes -------------------------------------------------------------------------------- */

#define ONE "02:00:00:00:00:01"
#define TWO "02:00:00:00:00:02"

/* Of a rule, of a request; whether the one covers, and touches, the other. */
static const struct {
    const char *sources, *destinations, *vlans, *asked_sources, *asked_destinations, *asked_vlans;
    bool covers, touches;
} scopes[] = {
    {"", "", "", "any", "", "", true, true},
    {"", "", "", "own", ONE, "5", true, true},
    {"own", "", "", "own", "", "", true, true},
    {"own", "", "", "any", "", "", false, true},
    {"own", "", "", "", "", "", false, true},  /* not said is any */
    {"own", "", "", ONE, "", "", false, true}, /* may be the interface's own */
    {"own", "", "", "own " ONE, "", "", false, true},
    {"own " ONE, "", "", "own " ONE, "", "", true, true},
    {ONE, "", "", "own", "", "", false, true},
    {ONE, "", "", TWO, "", "", false, false},
    {ONE, "", "", ONE " " TWO, "", "", false, true},
    {"any", "", "", "any", "", "", true, true},
    {"any", "", "", "own " ONE, "", "", true, true},
    {"", "01:0c:cd:04:00:00/32", "", "", "", "", false, true},
    {"", "01:0c:cd:04:00:00/32", "", "", "01:0c:cd:04:01:02", "", true, true},
    {"", "01:0c:cd:04:00:00/32", "", "", "01:0c:cd:04:01:00/40", "", true, true},
    {"", "01:0c:cd:04:00:00/32", "", "", "01:0c:cd:04:00:00/31", "", false, true},
    {"", "01:0c:cd:04:00:00/32", "", "", "01:0c:cd:05:00:00/32", "", false, false},
    {"", "01:0c:cd:04:00:00/32", "", "", "01:0c:cd:04:00:00 " ONE, "", false, true},
    {"", "01:0c:cd:04:00:00/31", "", "", "01:0c:cd:05:00:00/32", "", true, true},
    {"", "", "none 5", "", "", "", false, true},
    {"", "", "none 5", "", "", "none", true, true},
    {"", "", "none 5", "", "", "5", true, true},
    {"", "", "none 5", "", "", "5 6", false, true},
    {"", "", "5", "", "", "none", false, false},
    {"", "", "none", "", "", "0", false, false},
};

START_TEST(scopes_are_compared)
{
    struct send_scope rule, asked;

    fill(&rule, scopes[_i].sources, scopes[_i].destinations, scopes[_i].vlans);
    fill(&asked, scopes[_i].asked_sources, scopes[_i].asked_destinations, scopes[_i].asked_vlans);
    ck_assert_int_eq(scope_covers(&rule, &asked), scopes[_i].covers);
    ck_assert_int_eq(scope_touches(&rule, &asked), scopes[_i].touches);
}
END_TEST

/* --- Frames -------------------------------------------------------------------------------- */

#define TO    "\xff\xff\xff\xff\xff\xff"
#define GOOSE "\x01\x0c\xcd\x01\x00\x05"
#define OWN   "\x02\0\0\0\0\x77"
#define FROM  "\x02\0\0\0\0\x01"
#define SV    "\x88\xba"
#define ARP   "\x08\x06"
#define TAG5  "\x81\0\xe0\x05"
#define TAG6  "\x81\0\x00\x06"
#define OUTER "\x88\xa8\x00\x05"

#define FRAME(text) text, sizeof(text) - 1

static const struct {
    const char *sources, *destinations, *vlans;
    bool sv; /* the only EtherType */
    const char *frame;
    size_t length;
    enum frame_verdict right;
} frames[] = {
    {"any", "", "", false, FRAME(TO FROM SV), FRAME_RIGHT},
    {"any", "", "", false, FRAME(TO FROM "\x88"), FRAME_TOO_SHORT},
    {"any", "", "", false, FRAME(""), FRAME_TOO_SHORT},
    {"any", "", "", false, FRAME(TO FROM TAG5), FRAME_TOO_SHORT},
    {"any", "", "", false, FRAME(TO FROM OUTER TAG5 "\x88"), FRAME_TOO_SHORT},
    {"any", "", "", false, FRAME(TO "\x03\0\0\0\0\x01" SV), FRAME_RIGHT},
    {"own", "", "", false, FRAME(TO OWN SV), FRAME_RIGHT},
    {"own", "", "", false, FRAME(TO FROM SV), FRAME_WRONG_SOURCE},
    {ONE, "", "", false, FRAME(TO FROM SV), FRAME_RIGHT},
    {ONE, "", "", false, FRAME(TO OWN SV), FRAME_WRONG_SOURCE},
    {ONE, "", "", false, FRAME(TO "\x03\0\0\0\0\x01" SV), FRAME_WRONG_SOURCE},
    {"", "", "", false, FRAME(TO OWN SV), FRAME_WRONG_SOURCE}, /* nothing said is nothing here */
    {"any", "01:0c:cd:00:00:00/24", "", false, FRAME(GOOSE FROM SV), FRAME_RIGHT},
    {"any", "01:0c:cd:00:00:00/24", "", false, FRAME(TO FROM SV), FRAME_WRONG_DESTINATION},
    {"any", "01:0c:cd:02:00:00/31", "", false, FRAME(GOOSE FROM SV), FRAME_WRONG_DESTINATION},
    {"any", "", "", true, FRAME(TO FROM ARP), FRAME_WRONG_ETHERTYPE},
    {"any", "", "", true, FRAME(TO FROM TAG5 SV), FRAME_RIGHT},
    {"any", "", "", true, FRAME(TO FROM TAG5 ARP), FRAME_WRONG_ETHERTYPE},
    {"any", "", "", true, FRAME(TO FROM OUTER TAG5 SV), FRAME_RIGHT},
    {"any", "", "", true, FRAME(TO FROM OUTER TAG5 ARP), FRAME_WRONG_ETHERTYPE},
    {"any", "", "", true, FRAME(TO FROM OUTER TAG5 TAG5 SV), FRAME_WRONG_ETHERTYPE},
    {"any", "", "", true, FRAME(TO FROM "\x91\0\x00\x05" SV), FRAME_WRONG_ETHERTYPE},
    {"any", "", "", true, FRAME(TO FROM "\x00\x02" SV), FRAME_WRONG_ETHERTYPE}, /* a length */
    {"any", "", "none", false, FRAME(TO FROM SV), FRAME_RIGHT},
    {"any", "", "none", false, FRAME(TO FROM TAG5 SV), FRAME_WRONG_VLAN},
    {"any", "", "none", false, FRAME(TO FROM "\x81\0\0\0" SV), FRAME_WRONG_VLAN},
    {"any", "", "0", false, FRAME(TO FROM "\x81\0\xe0\0" SV), FRAME_RIGHT},
    {"any", "", "5", false, FRAME(TO FROM SV), FRAME_WRONG_VLAN},
    {"any", "", "5", false, FRAME(TO FROM TAG5 SV), FRAME_RIGHT},
    {"any", "", "5", false, FRAME(TO FROM TAG6 SV), FRAME_WRONG_VLAN},
    {"any", "", "5", false, FRAME(TO FROM OUTER TAG6 SV), FRAME_WRONG_VLAN},
    {"any", "", "6", false, FRAME(TO FROM OUTER TAG6 SV), FRAME_WRONG_VLAN},
    {"any", "", "5 6", false, FRAME(TO FROM OUTER TAG6 SV), FRAME_RIGHT},
    {"any", "", "5 6", false, FRAME(TO FROM OUTER TAG5 TAG6 SV), FRAME_WRONG_VLAN},
    {"any", "", "", false, FRAME(TO FROM OUTER TAG5 TAG6 SV), FRAME_RIGHT},
};

START_TEST(frames_are_held_to_a_scope)
{
    static const uint16_t sv[] = {0x88ba};
    struct send_scope scope;
    struct frame_grant grant = {&scope, sv, frames[_i].sv, (const uint8_t *)OWN};

    fill(&scope, frames[_i].sources, frames[_i].destinations, frames[_i].vlans);
    ck_assert_int_eq(frame_judge(&grant, (const uint8_t *)frames[_i].frame, frames[_i].length),
                     frames[_i].right);
}
END_TEST

/* A tag's own EtherType in the list lets no frame behind more tags pass. */
START_TEST(a_tag_is_no_ethertype)
{
    static const uint16_t types[] = {0x8100};
    struct send_scope scope;
    struct frame_grant grant = {&scope, types, 1, (const uint8_t *)OWN};

    fill(&scope, "any", "", "");
    ck_assert_int_eq(frame_judge(&grant, (const uint8_t *)FRAME(TO FROM OUTER TAG5 TAG6 ARP)),
                     FRAME_WRONG_ETHERTYPE);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, what_is_no_item_is_refused);
    tcase_add_test(tests, an_item_stands_there_once);
    tcase_add_test(tests, a_list_has_an_end);
    tcase_add_loop_test(tests, scopes_are_compared, 0, (int)COUNT(scopes));
    tcase_add_loop_test(tests, frames_are_held_to_a_scope, 0, (int)COUNT(frames));
    tcase_add_test(tests, a_tag_is_no_ethertype);
}

int main(void)
{
    return suite_run("scope", add_tests);
}
