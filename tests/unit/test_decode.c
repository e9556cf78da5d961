#include "decode.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>

static bool decode(const char *text, struct request *ret, struct error *error)
{
    *error = (struct error){0};
    return decode_request(text, strlen(text), ret, error);
}

static void assert_decodes(const char *text, struct request *ret)
{
    struct error error;

    ck_assert_msg(decode(text, ret, &error), "%s: %s", text, error.message);
}

#define TAP(fields) "{\"action\":\"OPEN_TAP\",\"payload\":{" fields "}}"
#define USER(json)  "{\"action\":\"CHECK_POLICY\",\"payload\":{\"verb\":\"PING\",\"user\":" json "}}"

static const struct {
    const char *text, *code, *field;
} refusals[] = {
    /* The envelope. */
    {"[]", "invalid-json", ""},
    {"{}", "missing-field", "action"},
    {"{\"action\":1}", "invalid-type", "action"},
    {"{\"action\":\"NOPE\"}", "unknown-action", "action"},
    {"{\"action\":\"ping\"}", "unknown-action", "action"},
    {"{\"action\":\"\"}", "unknown-action", "action"},
    {"{\"action\":\"PING\",\"extra\":1}", "unknown-field", "extra"},
    {"{\"action\":\"PING\",\"Payload\":{}}", "unknown-field", "Payload"},
    {"{\"action\":\"PING\",\"payload\":[]}", "invalid-type", "payload"},
    {"{\"action\":\"PING\",\"payload\":null}", "invalid-type", "payload"},
    {"{\"action\":\"PING\",\"payload\":{\"x\":1}}", "unknown-field", "x"},
    /* Required fields. */
    {"{\"action\":\"ADD_MFC\"}", "missing-field", "group"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{}}", "missing-field", "group"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{\"group\":\"239.1.1.1\",\"oifs\":[]}}", "missing-field",
     "iif"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{\"group\":\"239.1.1.1\",\"iif\":\"a\"}}",
     "missing-field", "oifs"},
    {"{\"action\":\"DEL_MFC\"}", "missing-field", "group"},
    /* user: an object of two parts, or nobody */
    {USER("1000"), "invalid-type", "user"},
    {USER("{\"uid\":1000}"), "out-of-range", "user"},
    {USER("{\"uid\":1000,\"gids\":[],\"name\":1}"), "out-of-range", "user"},
    {USER("{\"uid\":-1,\"gids\":[]}"), "out-of-range", "user"},
    {USER("{\"uid\":4294967295,\"gids\":[]}"), "out-of-range", "user"},
    {USER("{\"uid\":\"root\",\"gids\":[]}"), "out-of-range", "user"},
    {USER("{\"uid\":1000,\"gids\":44}"), "out-of-range", "user"},
    {USER("{\"uid\":1000,\"gids\":[44,\"video\"]}"), "out-of-range", "user"},
    {USER("{\"uid\":1000,\"UID\":1000}"), "out-of-range", "user"},
    /* address, source, group */
    {"{\"action\":\"DIAGNOSE\",\"payload\":{\"source\":1}}", "invalid-type", "source"},
    {"{\"action\":\"DIAGNOSE\",\"payload\":{\"source\":\"10.0.0\"}}", "invalid-address", "source"},
    {"{\"action\":\"DEL_MFC\",\"payload\":{\"group\":null}}", "invalid-type", "group"},
    {"{\"action\":\"DEL_MFC\",\"payload\":{\"group\":\"10.0.0.1\"}}", "not-multicast", "group"},
    {"{\"action\":\"DEL_MFC\",\"payload\":{\"group\":\"fe80::1\"}}", "not-multicast", "group"},
    {"{\"action\":\"DEL_MFC\",\"payload\":{\"group\":\"224.0.0.5\"}}", "not-forwarded", "group"},
    {"{\"action\":\"DEL_MFC\",\"payload\":{\"group\":\"ff02::1\"}}", "not-forwarded", "group"},
    {"{\"action\":\"DEL_MFC\",\"payload\":{\"group\":\"239.1.1.1/33\"}}", "invalid-address",
     "group"},
    {"{\"action\":\"DEL_MFC\",\"payload\":{\"group\":\"239.1.1.1/16\"}}", "invalid-address",
     "group"},
    {"{\"action\":\"SHOW_MFC\",\"payload\":{\"source\":\"fd00::1/64\"}}", "invalid-address",
     "source"},
    {"{\"action\":\"DEL_MFC\",\"payload\":{\"group\":\"224.0.0.0/3\"}}", "not-multicast", "group"},
    {"{\"action\":\"DEL_MFC\",\"payload\":{\"group\":\"224.0.0.0/24\"}}", "not-forwarded", "group"},
    {"{\"action\":\"DEL_MFC\",\"payload\":{\"source\":\"239.1.1.1\"}}", "invalid-address",
     "source"},
    {"{\"action\":\"DEL_MFC\",\"payload\":{\"source\":\"ff05::1\"}}", "invalid-address", "source"},
    /* interface, interfaces */
    {"{\"action\":\"ADD_MFC\",\"payload\":{\"iif\":7}}", "invalid-type", "iif"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{\"iif\":\"\"}}", "invalid-name", "iif"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{\"iif\":\"sixteen_letters_\"}}", "invalid-name", "iif"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{\"oifs\":\"a\"}}", "invalid-type", "oifs"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{\"oifs\":[1]}}", "invalid-type", "oifs"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{\"oifs\":[\"a\",\"a\"]}}", "invalid-name", "oifs"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{\"oifs\":[\"a/b\"]}}", "invalid-name", "oifs"},
    /* number, numbers */
    {"{\"action\":\"FLUSH_MFC\",\"payload\":{\"table\":\"1\"}}", "invalid-type", "table"},
    {"{\"action\":\"FLUSH_MFC\",\"payload\":{\"table\":0}}", "out-of-range", "table"},
    {"{\"action\":\"FLUSH_MFC\",\"payload\":{\"table\":-1}}", "out-of-range", "table"},
    {"{\"action\":\"FLUSH_MFC\",\"payload\":{\"table\":1000000000}}", "out-of-range", "table"},
    {"{\"action\":\"FLUSH_MFC\",\"payload\":{\"table\":4294967297}}", "out-of-range", "table"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{\"ttls\":1}}", "invalid-type", "ttls"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{\"ttls\":[\"1\"]}}", "invalid-type", "ttls"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{\"ttls\":[0]}}", "out-of-range", "ttls"},
    {"{\"action\":\"ADD_MFC\",\"payload\":{\"ttls\":[255]}}", "out-of-range", "ttls"},
    /* flag */
    {"{\"action\":\"FLUSH_MFC\",\"payload\":{\"dry_run\":1}}", "invalid-type", "dry_run"},
    {"{\"action\":\"FLUSH_MFC\",\"payload\":{\"dry_run\":null}}", "invalid-type", "dry_run"},
    {"{\"action\":\"FLUSH_MFC\",\"payload\":{\"dry_run\":\"true\"}}", "invalid-type", "dry_run"},
    /* word */
    {"{\"action\":\"DESCRIBE\",\"payload\":{\"name\":1}}", "invalid-type", "name"},
    {"{\"action\":\"DESCRIBE\",\"payload\":{\"name\":\"\"}}", "out-of-range", "name"},
    {"{\"action\":\"DESCRIBE\",\"payload\":{\"name\":\"32 characters are one too many: x\"}}",
     "out-of-range", "name"},
    /* family */
    {"{\"action\":\"SHOW_VIF\",\"payload\":{\"family\":4}}", "invalid-type", "family"},
    {"{\"action\":\"SHOW_VIF\",\"payload\":{\"family\":\"IPv4\"}}", "out-of-range", "family"},
    /* mac, hosts */
    {TAP("\"mac\":7"), "invalid-type", "mac"},
    {TAP("\"mac\":\"52:54:00:12:34\""), "invalid-address", "mac"},
    {TAP("\"mac\":\"52:54:00:12:34:56:78\""), "invalid-address", "mac"},
    {TAP("\"mac\":\"52-54-00-12-34-56\""), "invalid-address", "mac"},
    {TAP("\"mac\":\"5:254:00:12:34:56\""), "invalid-address", "mac"},
    {TAP("\"mac\":\"52:54:00:12:34:5g\""), "invalid-address", "mac"},
    {TAP("\"mac\":\"\""), "invalid-address", "mac"},
    {TAP("\"mac\":\"01:00:5e:00:00:01\""), "invalid-address", "mac"},
    {TAP("\"mac\":\"00:00:00:00:00:00\""), "invalid-address", "mac"},
    {TAP("\"mtu\":575"), "out-of-range", "mtu"},
    {TAP("\"mtu\":65522"), "out-of-range", "mtu"},
    {TAP("\"hosts\":\"10.0.0.1/24\""), "invalid-type", "hosts"},
    {TAP("\"hosts\":[1]"), "invalid-type", "hosts"},
    {TAP("\"hosts\":[\"10.0.0.1\"]"), "invalid-address", "hosts"},
    {TAP("\"hosts\":[\"10.0.0.1/0\"]"), "invalid-address", "hosts"},
    {TAP("\"hosts\":[\"10.0.0.1/33\"]"), "invalid-address", "hosts"},
    {TAP("\"hosts\":[\"10.0.0.0/24\"]"), "invalid-address", "hosts"},
    {TAP("\"hosts\":[\"10.0.0.255/24\"]"), "invalid-address", "hosts"},
    {TAP("\"hosts\":[\"127.0.0.2/8\"]"), "invalid-address", "hosts"},
    {TAP("\"hosts\":[\"224.0.1.1/24\"]"), "invalid-address", "hosts"},
    {TAP("\"hosts\":[\"::1/64\"]"), "invalid-address", "hosts"},
    {TAP("\"hosts\":[\"ff0e::1/64\"]"), "invalid-address", "hosts"},
    {TAP("\"hosts\":[\"::/64\"]"), "invalid-address", "hosts"},
    {TAP("\"hosts\":[\"fd00::/64\"]"), "invalid-address", "hosts"},
    {TAP("\"hosts\":[\"10.0.0.1/24\",\"10.0.0.1/16\"]"), "invalid-address", "hosts"},
    {TAP("\"hosts\":[\"10.0.0.1/24\",\"10.0.0.2/24\",\"10.0.0.3/24\",\"10.0.0.4/24\","
         "\"10.0.0.5/24\",\"10.0.0.6/24\",\"10.0.0.7/24\",\"10.0.0.8/24\",\"10.0.0.9/24\"]"),
     "out-of-range", "hosts"},
    {TAP("\"queues\":0"), "out-of-range", "queues"},
    {TAP("\"queues\":9"), "out-of-range", "queues"},
    /* routes */
    {TAP("\"routes\":\"10.0.0.0/24\""), "invalid-type", "routes"},
    {TAP("\"routes\":[1]"), "invalid-type", "routes"},
    {TAP("\"routes\":[\"a\"]"), "invalid-address", "routes"},
    {TAP("\"routes\":[\"10.0.0.1/24\"]"), "invalid-address", "routes"},
    {TAP("\"routes\":[\"10.0.0.0/33\"]"), "invalid-address", "routes"},
    {TAP("\"routes\":[\"0.0.0.0/0\"]"), "invalid-address", "routes"},
    {TAP("\"routes\":[\"0.0.0.0/1\"]"), "invalid-address", "routes"},
    {TAP("\"routes\":[\"239.0.0.0/8\"]"), "invalid-address", "routes"},
    {TAP("\"routes\":[\"ff00::/8\"]"), "invalid-address", "routes"},
    {TAP("\"routes\":[\"10.0.0.0/24\",\"10.0.0.0/24\"]"), "invalid-address", "routes"},
    {TAP("\"routes\":[\"10.0.0.0/24\",\"10.0.1.0/24\",\"10.0.2.0/24\",\"10.0.3.0/24\","
         "\"10.0.4.0/24\",\"10.0.5.0/24\",\"10.0.6.0/24\",\"10.0.7.0/24\",\"10.0.8.0/24\"]"),
     "out-of-range", "routes"},
    /* owner */
    {TAP("\"owner\":\"root\""), "invalid-type", "owner"},
    {TAP("\"owner\":-1"), "out-of-range", "owner"},
    {TAP("\"owner\":4294967295"), "out-of-range", "owner"},
    /* topics */
    {"{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":\"mfc.*\"}}", "invalid-type", "topics"},
    {"{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[1]}}", "invalid-type", "topics"},
    {"{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[]}}", "out-of-range", "topics"},
    {"{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[\"\"]}}", "out-of-range", "topics"},
    {"{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[\"mfc.foo\"]}}", "out-of-range", "topics"},
};

START_TEST(each_mistake_has_its_code_and_field)
{
    struct request request;
    struct error error;

    ck_assert_msg(!decode(refusals[_i].text, &request, &error), "accepted: %s", refusals[_i].text);
    ck_assert_msg(strcmp(error_word(error.code), refusals[_i].code) == 0 &&
                      strcmp(error.field, refusals[_i].field) == 0,
                  "%s: %s, field '%s': %s", refusals[_i].text, error_word(error.code), error.field,
                  error.message);
    ck_assert_str_ne(error.message, "");
}
END_TEST

START_TEST(a_route_is_decoded_with_all_its_fields)
{
    struct request request;
    const struct args_add_mfc *args = &request.args.add_mfc;

    assert_decodes("{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.0.0.1\",\"group\":"
                   "\"239.1.2.3\",\"iif\":\"fifteen_letters\",\"oifs\":[\"a\",\"b@x\"],\"ttls\":"
                   "[1,254],\"table\":999999999,\"dry_run\":true},\"id\":[1.5]}",
                   &request);
    ck_assert_int_eq(request.action, ACTION_ADD_MFC);
    ck_assert_mem_eq(request.id.start, "[1.5]", request.id.length);
    ck_assert_int_eq(args->source.address.family, FAMILY_IPV4);
    ck_assert_mem_eq(args->source.address.bytes, "\x0a\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    ck_assert_mem_eq(args->group.address.bytes, "\xef\x01\x02\x03", 4);
    ck_assert_str_eq(args->iif.text, "fifteen_letters");
    ck_assert_uint_eq(args->oifs.count, 2);
    ck_assert_str_eq(args->oifs.names[0].text, "a");
    ck_assert_str_eq(args->oifs.names[1].text, "b@x");
    ck_assert_uint_eq(args->ttls.count, 2);
    ck_assert_uint_eq(args->ttls.values[1], 254);
    ck_assert_uint_eq(args->table, 999999999);
    ck_assert(args->dry_run);
}
END_TEST

START_TEST(the_other_actions_are_decoded_with_all_their_fields)
{
    struct request request;

    assert_decodes("{\"action\":\"DEL_MFC\",\"payload\":{\"source\":\"fd00::1\",\"group\":"
                   "\"ff05::1\",\"table\":7,\"dry_run\":false}}",
                   &request);
    ck_assert_int_eq(request.args.del_mfc.group.address.family, FAMILY_IPV6);
    ck_assert_uint_eq(request.args.del_mfc.table, 7);
    assert_decodes("{\"action\":\"FLUSH_MFC\",\"payload\":{\"family\":\"ipv6\",\"table\":1,"
                   "\"dry_run\":true}}",
                   &request);
    ck_assert_int_eq(request.args.flush_mfc.family, FAMILY_IPV6);
    assert_decodes("{\"action\":\"SHOW_MFC\",\"payload\":{\"source\":\"0.0.0.0\",\"group\":"
                   "\"239.1.1.1\",\"family\":\"ipv4\",\"table\":2}}",
                   &request);
    ck_assert(request.args.show_mfc.source.length == 0);
    assert_decodes("{\"action\":\"SHOW_MFC\",\"payload\":{\"source\":\"0.0.0.0/1\"}}", &request);
    ck_assert(request.args.show_mfc.source.length == 1); /* half of all senders */
    assert_decodes("{\"action\":\"SHOW_VIF\",\"payload\":{\"family\":\"ipv4\",\"table\":3}}",
                   &request);
    ck_assert_uint_eq(request.args.show_vif.table, 3);
    assert_decodes("{\"action\":\"DIAGNOSE\",\"payload\":{\"source\":\"1.2.3.4\",\"group\":"
                   "\"224.0.0.1\",\"iif\":\"eth0\",\"table\":4}}",
                   &request);
    ck_assert_str_eq(request.args.diagnose.iif.text, "eth0");
    assert_decodes("{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[\"mfc.*\",\"lost\"]}}",
                   &request);
    ck_assert_uint_eq(request.args.subscribe.topics.count, 2);
    ck_assert_str_eq(request.args.subscribe.topics.patterns[1], "lost");
    assert_decodes("{\"action\":\"DESCRIBE\",\"payload\":{\"name\":\"PING\"}}", &request);
    ck_assert_str_eq(request.args.describe.name.text, "PING");
    assert_decodes("{\"action\":\"STATUS\",\"payload\":{}}", &request);
    assert_decodes("{\"action\":\"SHOW\"}", &request);
    assert_decodes("{\"action\":\"PING\",\"id\":null}", &request);
    ck_assert_uint_eq(request.id.length, 4);
}
END_TEST

START_TEST(missing_fields_hold_their_fallback)
{
    static const union args zero;
    struct request request;

    assert_decodes("{\"action\":\"SHOW_MFC\"}", &request);
    ck_assert_mem_eq(&request.args, &zero, sizeof zero);
    ck_assert_ptr_null(request.id.start);
}
END_TEST

/* {"action":"...","payload":{"FIELD":[ITEM,ITEM...]}} */
static bool decodes_list(const char *action, const char *field, int count, const char *item,
                         struct error *error)
{
    struct request request;
    char text[4096], *at = text;

    at += sprintf(at, "{\"action\":\"%s\",\"payload\":{\"group\":\"239.1.1.1\",\"iif\":\"i\",",
                  action);
    if (strcmp(field, "oifs") != 0)
        at += sprintf(at, "\"oifs\":[],");
    at += sprintf(at, "\"%s\":[", field);
    for (int i = 0; i < count; i++) {
        at += sprintf(at, "%s", i ? "," : "");
        at += snprintf(at, 64, item, i);
    }
    sprintf(at, "]}}");
    return decode(text, &request, error);
}

START_TEST(lists_have_their_limits)
{
    struct error error;

    ck_assert(decodes_list("ADD_MFC", "oifs", 32, "\"o%d\"", &error));
    ck_assert(!decodes_list("ADD_MFC", "oifs", 33, "\"o%d\"", &error));
    assert_error(&error, "out-of-range");
    ck_assert(decodes_list("ADD_MFC", "ttls", 32, "1%d", &error));
    ck_assert(!decodes_list("ADD_MFC", "ttls", 33, "1%d", &error));
    assert_error(&error, "out-of-range");
}
END_TEST

START_TEST(a_user_is_given_by_number_with_all_groups)
{
    struct request request;
    const struct user *user = &request.args.check_policy.user;

    assert_decodes(USER("{\"uid\":1000,\"gids\":[1000,44,0]}"), &request);
    ck_assert(user->given);
    ck_assert_uint_eq(user->uid, 1000);
    ck_assert_uint_eq(user->gid_count, 3);
    ck_assert_uint_eq(user->gids[0], 1000);
    ck_assert_uint_eq(user->gids[1], 44);
    ck_assert_uint_eq(user->gids[2], 0);
    assert_decodes(USER("{\"gids\":[],\"uid\":4294967294}"), &request);
    ck_assert_uint_eq(user->uid, 4294967294);
    ck_assert_uint_eq(user->gid_count, 0);
}
END_TEST

START_TEST(a_user_is_in_64_groups_at_most)
{
    for (unsigned count = USER_GROUPS_MAX; count <= USER_GROUPS_MAX + 1; count++) {
        struct request request;
        struct error error;
        char text[1024] = "", whole[2048];

        for (unsigned i = 0; i < count; i++)
            sprintf(text + strlen(text), "%s%u", i ? "," : "", i);
        snprintf(whole, sizeof whole, USER("{\"uid\":1,\"gids\":[%s]}"), text);
        ck_assert_int_eq(decode(whole, &request, &error), count == USER_GROUPS_MAX);
    }
}
END_TEST

START_TEST(topics_have_their_limits)
{
    static const char stars[] = "************************************************";
    char text[2048], *at;
    struct request request;
    struct error error;

    for (int count = TOPICS_MAX; count <= TOPICS_MAX + 1; count++) {
        at = text + sprintf(text, "{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[");
        for (int i = 0; i < count; i++)
            at += sprintf(at, "%s\"%.47s\"", i ? "," : "", stars);
        sprintf(at, "]}}");
        ck_assert_int_eq(decode(text, &request, &error), count == TOPICS_MAX);
    }
    sprintf(text, "{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[\"%.48s\"]}}", stars);
    ck_assert(!decode(text, &request, &error));
    assert_error(&error, "out-of-range");
}
END_TEST

START_TEST(a_request_has_16384_bytes_at_most)
{
    static char text[REQUEST_MAX + 2];
    struct request request;
    struct error error;

    memset(text, ' ', sizeof text);
    memcpy(text, "{\"action\":\"PING\"", 16);
    text[REQUEST_MAX - 1] = '}';
    ck_assert(decode_request(text, REQUEST_MAX, &request, &error));
    text[REQUEST_MAX - 1] = ' ';
    text[REQUEST_MAX] = '}';
    ck_assert(!decode_request(text, REQUEST_MAX + 1, &request, &error));
    assert_error(&error, "too-large");
}
END_TEST

START_TEST(an_error_keeps_the_id_and_nothing_else)
{
    static const char text[] = "{\"action\":\"PING\",\"payload\":{\"x\":1},\"id\":9}";
    static const union args zero;
    struct request request;
    struct error error;

    memset(&request, 0xff, sizeof request);
    ck_assert(!decode(text, &request, &error));
    ck_assert_uint_eq(request.id.length, 1);
    ck_assert_int_eq(*request.id.start, '9');
    ck_assert_mem_eq(&request.args, &zero, sizeof zero);
}
END_TEST

/* Some versions of cJSON give up behind 63 characters; what the check lets pass is read whole. */
START_TEST(a_long_number_may_be_an_id)
{
    struct request request;
    char text[256];

    sprintf(text, "{\"action\":\"PING\",\"id\":%0100d}", 0);
    text[strlen("{\"action\":\"PING\",\"id\":")] = '1';
    assert_decodes(text, &request);
    ck_assert_uint_eq(request.id.length, 100);
}
END_TEST

START_TEST(text_of_a_client_is_quoted_harmlessly)
{
    struct request request;
    struct error error;

    ck_assert(!decode("{\"action\":\"PING\",\"payload\":{\"\x7f\xc3\xa9\":1}}", &request, &error));
    ck_assert_str_eq(error.field, "???");
    ck_assert(!decode("{\"action\":\"A\\u001b[31m\"}", &request, &error));
    ck_assert_ptr_null(strchr(error.message, 0x1b));
}
END_TEST

static const struct {
    const char *name;
    bool valid;
} names[] = {
    {"a", true},     {"eth0.100", true}, {"br-lan", true}, {"fifteen_letters", true},
    {"a:b", true},   {"...", true},      {"", false},      {".", false},
    {"..", false},   {"a b", false},     {"a/b", false},   {"sixteen_letters_", false},
    {"a%d", false},  {"a\tb", false},    {"\x7f", false},  {"\xc3\xa9", false},
    {"a\nb", false},
};

static const struct {
    const char *payload, *message;
} answers[] = {
    {"{\"group\":\"239.1.1.1/33\"}",
     "'group' '239.1.1.1/33' has a wrong prefix length; it takes an "
     "address, '/' and a length from 0 to 32."},
    {"{\"group\":\"239.1.1.1/16\"}",
     "'group' '239.1.1.1/16' has bits set after its prefix length; it takes 239.1.0.0/16 for the "
     "prefix, or the address without '/16'."},
    {"{\"source\":\"fd00::1:1/112\"}",
     "'source' 'fd00::1:1/112' has bits set after its prefix length; it takes fd00::1:0/112 for "
     "the prefix, or the address without '/112'."},
    {"{\"group\":\"10.0.0.1\"}", "'group' '10.0.0.1' is not a multicast address; it takes"},
};

START_TEST(a_wrong_address_is_answered_with_the_right_one)
{
    struct request request;
    struct error error;
    char text[256];

    snprintf(text, sizeof text, "{\"action\":\"DEL_MFC\",\"payload\":%s}", answers[_i].payload);
    ck_assert(!decode(text, &request, &error));
    ck_assert_msg(strstr(error.message, answers[_i].message), "%s", error.message);
}
END_TEST

START_TEST(a_tap_is_decoded_with_all_its_fields)
{
    static const uint8_t mac[] = {0x52, 0x54, 0x00, 0xab, 0xcd, 0xef};
    struct request request;
    const struct args_open_tap *args = &request.args.open_tap;

    assert_decodes(TAP("\"name\":\"nb-a\",\"mac\":\"52:54:00:aB:Cd:EF\",\"hosts\":[\"10.0.0.1/24\","
                       "\"fd00::/127\",\"10.0.0.4/31\",\"10.0.0.7/32\"],\"owner\":4294967294"),
                   &request);
    ck_assert(args->owner.given);
    ck_assert_uint_eq(args->owner.number, 4294967294);
    ck_assert_str_eq(args->name.text, "nb-a");
    ck_assert(args->mac.given);
    ck_assert_mem_eq(args->mac.bytes, mac, sizeof mac);
    ck_assert_uint_eq(args->mtu, TAP_MTU_DEFAULT);
    ck_assert_uint_eq(args->hosts.count, 4);
    ck_assert_uint_eq(args->hosts.hosts[0].length, 24);
    ck_assert_mem_eq(args->hosts.hosts[0].address.bytes, "\x0a\0\0\x01", 4);
    ck_assert_uint_eq(args->hosts.hosts[1].length, 127);
    assert_decodes(TAP("\"routes\":[\"10.9.0.0/16\",\"fd00:2::/64\",\"10.8.0.1\"]"), &request);
    ck_assert_uint_eq(args->routes.count, 3);
    ck_assert_uint_eq(args->routes.prefixes[0].length, 16);
    ck_assert_uint_eq(args->routes.prefixes[1].address.family, FAMILY_IPV6);
    ck_assert_uint_eq(args->routes.prefixes[2].length, 32);
    assert_decodes("{\"action\":\"OPEN_TAP\"}", &request);
    ck_assert(!args->owner.given && args->queues == 1);
    ck_assert(!args->mac.given && args->hosts.count == 0 && !args->name.text[0]);
}
END_TEST

/* All with the same first word stand in the message, whose room is limited; or all first words. */
START_TEST(a_topic_that_nothing_matches_is_answered_with_what_is_like_it)
{
    struct request request;
    struct error error;

    ck_assert(
        !decode("{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[\"lost\",\"mfc.added.*\"]}}",
                &request, &error));
    for (size_t i = 0; event_topic(i); i++)
        ck_assert_msg(!strstr(error.message, event_topic(i)) ==
                          (strncmp(event_topic(i), "mfc.", 4) != 0),
                      "%s", error.message);
    ck_assert_int_eq(error.message[strlen(error.message) - 1], '.');
    ck_assert(!decode("{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[\"mfcs.added\"]}}",
                      &request, &error));
    ck_assert_str_eq(error.message,
                     "Invalid argument: 'topics' 'mfcs.added' matches no event; it "
                     "takes mfc.*, join.*, tap.*, link.*, capture.*, inject.*, lost.");
}
END_TEST

START_TEST(interface_names_are_those_that_the_kernel_takes)
{
    ck_assert_int_eq(interface_name_is_valid(names[_i].name), names[_i].valid);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, each_mistake_has_its_code_and_field, 0,
                        (int)(sizeof refusals / sizeof *refusals));
    tcase_add_test(tests, a_route_is_decoded_with_all_its_fields);
    tcase_add_test(tests, the_other_actions_are_decoded_with_all_their_fields);
    tcase_add_test(tests, missing_fields_hold_their_fallback);
    tcase_add_test(tests, lists_have_their_limits);
    tcase_add_test(tests, a_user_is_given_by_number_with_all_groups);
    tcase_add_test(tests, a_user_is_in_64_groups_at_most);
    tcase_add_test(tests, topics_have_their_limits);
    tcase_add_test(tests, a_request_has_16384_bytes_at_most);
    tcase_add_test(tests, an_error_keeps_the_id_and_nothing_else);
    tcase_add_test(tests, a_long_number_may_be_an_id);
    tcase_add_test(tests, text_of_a_client_is_quoted_harmlessly);
    tcase_add_loop_test(tests, a_wrong_address_is_answered_with_the_right_one, 0,
                        (int)(sizeof answers / sizeof *answers));
    tcase_add_test(tests, a_tap_is_decoded_with_all_its_fields);
    tcase_add_test(tests, a_topic_that_nothing_matches_is_answered_with_what_is_like_it);
    tcase_add_loop_test(tests, interface_names_are_those_that_the_kernel_takes, 0,
                        (int)(sizeof names / sizeof *names));
}

int main(void)
{
    return suite_run("decode", add_tests);
}
