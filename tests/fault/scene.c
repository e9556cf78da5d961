#include "scene.h"
#include "broker/wire/dispatch.h"
#include "broker/wire/pending.h"
#include "broker/wire/session.h"

#include "client.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TURNS = 8,              /* of the loop without work, until a step is done */
    TURNS_MAX = 2000,       /* with work: what waits for memory may do so for ever */
    TABLE = 77,             /* opened for a client, in two steps */
    ROUTES_BEFORE = 64,     /* so that the set of routes grows in the story */
    HEARD_MAX = 256 * 1024, /* of one client */
};

/* '+' and '-' make and delete an interface, '=' lets the keeper answer, '*' is a packet of one flow
 * that comes in by an interface, '~' lets some time pass; all else is sent. A step has parts:
 * between them the service does what it can. */
#define THEN "|"

#define DEL_JOIN                                                                                   \
    "{\"action\":\"DEL_JOIN\",\"payload\":{\"source\":\"10.0.0.0/30\",\"group\":\"232.1.1.0/30\"," \
    "\"iif\":\"b\"}}"

/* Of what was learned no events are told: without memory it may be learned later. */
static const char *const story[] = {
    "{\"action\":\"PING\",\"id\":[1,{\"a\":null}]}",
    "{\"action\":\"SUBSCRIBE\",\"payload\":{\"topics\":[\"mfc.added\",\"mfc.deleted\","
    "\"mfc.waiting\",\"mfc.restored\",\"join.*\"]}}",
    "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\",\"iif\":"
    "\"a\",\"oifs\":[\"b\",\"c\"],\"ttls\":[2,3]}}",
    "{\"action\":\"ADD_MFC\",\"payload\":{\"group\":\"ff0e::1\",\"iif\":\"a\",\"oifs\":[\"b\"]}}",
    "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.0.0.1\",\"group\":\"239.1.1.2\",\"iif\":"
    "\"a\",\"oifs\":[\"b\"],\"table\":77},\"id\":\"waits\"}" THEN "=",
    "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\",\"iif\":"
    "\"b\",\"oifs\":[\"c\"]}}",
    "{\"action\":\"ADD_JOIN\",\"payload\":{\"source\":\"10.0.0.0/30\",\"group\":\"232.1.1.0/"
    "30\",\"iif\":"
    "\"b\"},\"id\":\"waits\"}",
    "-b",
    "{\"action\":\"SHOW_MFC\"}",
    "+b",
    "{\"action\":\"SHOW_JOIN\"}",
    "{\"action\":\"SHOW_VIF\"}",
    "{\"action\":\"SHOW\"}",
    "{\"action\":\"LEASES\"}",
    "{\"action\":\"DIAGNOSE\",\"payload\":{\"source\":\"10.0.0.9\",\"group\":\"239.9.9.9\"}}",
    "{\"action\":\"CHECK_POLICY\",\"payload\":{\"verb\":\"mroute.write\",\"interfaces\":[\"a\"]}}",
    "{\"action\":\"STATUS\"}",
    "{\"action\":\"METRICS\",\"payload\":{\"routes\":true}}",
    "{\"action\":\"DESCRIBE\"}",
    "{\"action\":\"ADD_MFC\",\"payload\":{\"group\":\"239.1.1.3\",\"iif\":\"nowhere\",\"oifs\":"
    "[\"b\"]}}",
    "{\"action\":\"DEL_MFC\",\"payload\":{\"source\":\"10.0.0.1\",\"group\":\"239.1.1.1\"}}",
    DEL_JOIN,
    "{\"action\":\"ADD_MFC\",\"payload\":{\"group\":\"239.5.0.0/16\",\"iif\":\"+\",\"oifs\":"
    "[\"b+\",\"d\"],\"wait\":true}}",
    "*a",
    "*c",
    "+d",
    "~",
    "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.0.0.0/8\",\"group\":\"239.5.0.0/24\","
    "\"iif\":\"c\",\"oifs\":[\"a\"],\"while_connected\":true}}",
    "~",
    "*c",
    "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.0.0.0/8\",\"group\":\"239.5.0.0/24\","
    "\"iif\":\"c\",\"oifs\":[\"d\",\"+\"]}}",
    "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.0.0.9\",\"group\":\"239.5.0.5\",\"iif\":"
    "\"c\",\"oifs\":[\"a\"]}}",
    "*c",
    "{\"action\":\"DEL_MFC\",\"payload\":{\"source\":\"10.0.0.9\",\"group\":\"239.5.0.5\"}}",
    "*a",
    "*c",
    "-c",
    "+c",
    "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.0.0.9\",\"group\":\"239.5.0.6\",\"iif\":"
    "\"c\",\"oifs\":[\"a\"],\"append\":true}}",
    "{\"action\":\"ADD_MFC\",\"payload\":{\"source\":\"10.0.0.9\",\"group\":\"239.5.0.6\",\"iif\":"
    "\"c\",\"oifs\":[\"b\",\"d\"],\"append\":true}}",
    "{\"action\":\"DEL_MFC\",\"payload\":{\"source\":\"10.0.0.9\",\"group\":\"239.5.0.6\",\"oifs\":"
    "[\"a\"]}}",
    "{\"action\":\"BEGIN_REPLACE\",\"payload\":{\"family\":\"ipv4\"}}" THEN
    "{\"action\":\"ADD_MFC\",\"payload\":{\"group\":\"239.5.0.0/16\",\"iif\":\"a\",\"oifs\":[\"b\","
    "\"c+\"]}}" THEN "{\"action\":\"COMMIT\",\"payload\":{\"dry_run\":true}}",
    "*a",
    "{\"action\":\"FLUSH_MFC\",\"payload\":{\"learned\":true}}",
    "{\"action\":\"REVOKE\",\"payload\":{\"lease\":\"000000000000\"}}",
    "{\"action\":\"PI" THEN "NG\"}{\"action\":\"PING\"}",
    "{\"action\":\"FLUSH_MFC\"}",
    "{\"action\":\"FLUSH_MFC\",\"payload\":{\"all\":true}}",
};

enum { STEPS = sizeof story / sizeof *story };

static_assert((int)STEPS <= (int)SCENES_MAX, "there is room for the words of all steps");

struct stage {
    struct service service;
    enum fault fault;
    int client;   /* -1: its connection has ended */
    size_t start; /* in `heard`: of what no step has looked at */
    size_t length;
    uint64_t sequence; /* of the last event */
    uint64_t events;   /* told of, or told as missed */
    bool broken_off;   /* the last line was the beginning of a reply: the next one says why */
    char heard[HEARD_MAX + 1];
};

/* --- The client ------------------------------------------------------------------------------ */

/* With a switched fault the service may find no memory for it. */
static bool connect_client(struct stage *stage)
{
    static const struct peer peer;
    int pair[2], size = 16384;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    for (int i = 0; i < 2; i++)
        fcntl(pair[i], F_SETFL, O_NONBLOCK);
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    stage->client = pair[0];
    stage->sequence = 0;
    inject_switch(true);
    bool connected = session_new(&stage->service.host, pair[1], &peer) != NULL;
    inject_switch(false);
    if (connected)
        return true;
    close(pair[1]);
    close(stage->client);
    stage->client = -1;
    return false;
}

static void hang_up(struct stage *stage)
{
    close(stage->client);
    stage->client = -1;
    for (int i = 0, idle = 0; i < TURNS_MAX && idle < TURNS; i++) {
        uv_run(&stage->service.loop, UV_RUN_NOWAIT);
        idle += !service_is_at_work(&stage->service);
    }
}

/* Reads what is there. False when the service has ended the connection. */
static bool hear(struct stage *stage)
{
    ssize_t length;

    do {
        ck_assert_uint_lt(stage->length, HEARD_MAX);
        length = read(stage->client, stage->heard + stage->length, HEARD_MAX - stage->length);
        if (length > 0)
            stage->length += (size_t)length;
    } while (length > 0);
    return length < 0 && errno == EAGAIN;
}

/* Lets the service work, with the fault switched on, while the client reads. */
static bool settle(struct stage *stage)
{
    bool connected = true;

    for (int i = 0, idle = 0; connected && i < TURNS_MAX && idle < TURNS; i++) {
        size_t length = stage->length;

        inject_switch(true);
        uv_run(&stage->service.loop, UV_RUN_NOWAIT);
        inject_switch(false);
        connected = hear(stage);
        idle = stage->length > length ? 0 : idle + !service_is_at_work(&stage->service);
    }
    return connected;
}

/* --- What it hears ---------------------------------------------------------------------------- */

static void take_event(struct stage *stage, const cJSON *event)
{
    uint64_t sequence = (uint64_t)cJSON_GetObjectItem(event, "seq")->valuedouble;
    const cJSON *missed = cJSON_GetObjectItem(cJSON_GetObjectItem(event, "payload"), "count");

    ck_assert_uint_eq(sequence, stage->sequence + 1);
    stage->sequence = sequence;
    stage->events += missed ? (uint64_t)missed->valuedouble : 1;
}

static void take_line(struct stage *stage, const char *line, size_t length, char *word)
{
    cJSON *tree = cJSON_ParseWithLength(line, length);

    if (!tree) {
        ck_assert_msg(!stage->broken_off, "not JSON: %.*s", (int)length, line);
        stage->broken_off = true;
        return;
    }

    const cJSON *status = cJSON_GetObjectItem(tree, "status");
    const cJSON *code = cJSON_GetObjectItem(tree, "code");

    if (stage->broken_off)
        ck_assert_str_eq(code ? code->valuestring : "no reason", "no-memory");
    stage->broken_off = false;
    if (status)
        snprintf(word, WORD_MAX, "%s", (code ? code : status)->valuestring);
    else
        take_event(stage, tree);
    cJSON_Delete(tree);
}

/* Looks at all whole lines; *word becomes the word of the last reply. */
static void take_lines(struct stage *stage, char *word)
{
    char *end;

    while ((end = memchr(stage->heard + stage->start, '\n', stage->length - stage->start))) {
        char *line = stage->heard + stage->start;

        take_line(stage, line, (size_t)(end - line), word);
        stage->start = (size_t)(end + 1 - stage->heard);
    }
}

/* --- The story -------------------------------------------------------------------------------- */

static void answer_as_keeper(struct stage *stage)
{
    struct kernel *kernel = &stage->service.kernel;
    static const struct error none;

    if (kernel->asked == 0)
        return;
    kernel->asked = 0;
    inject_switch(true);
    mroute_table_opened(kernel->mroute, FAMILY_IPV4, TABLE, mroute_socket_open(FAMILY_IPV4, TABLE),
                        &none);
    inject_switch(false);
}

/* The tables of the fixture are read by nobody else. The kernel's messages come whole. */
static void send_packet(struct stage *stage, const char *iif)
{
    struct kernel *kernel = &stage->service.kernel;
    const struct netif *netif = netifs_find(kernel->netifs, iif);
    struct address source = {FAMILY_IPV4, {10, 0, 0, 9}}, group = {FAMILY_IPV4, {239, 5, 0, 5}};
    uint32_t table = TABLE_ID_DEFAULT_IPV4;

    ck_assert_ptr_nonnull(netif);
    fake_forget_flows();
    fake_packet(FAMILY_IPV4, table, netif->ifindex, &source, &group);
    inject_switch(stage->fault == FAULT_NO_MEMORY);
    mroute_read_upcalls(kernel->mroute, FAMILY_IPV4, table);
    inject_switch(false);
}

static void pass_time(struct stage *stage)
{
    inject_switch(true);
    mroute_tick(stage->service.kernel.mroute, 0);
    inject_switch(false);
}

static void perform(struct stage *stage, const char *part, size_t length)
{
    char name[8];

    snprintf(name, sizeof name, "%.*s", (int)length - 1, part + 1);
    switch (part[0]) {
    case '+':
        fake_netif_add(name);
        break;
    case '-':
        fake_netif_del(name);
        break;
    case '=':
        answer_as_keeper(stage);
        break;
    case '*':
        send_packet(stage, name);
        break;
    case '~':
        pass_time(stage);
        break;
    default:
        ck_assert(send(stage->client, part, length, MSG_NOSIGNAL) == (ssize_t)length);
        return;
    }
    inject_switch(true);
    netifs_update(stage->service.kernel.netifs);
    inject_switch(false);
}

static void play_step(struct stage *stage, const char *step, char *word)
{
    bool connected = stage->client >= 0 || connect_client(stage);

    while (connected && *step) {
        size_t length = strcspn(step, THEN);

        perform(stage, step, length);
        connected = settle(stage);
        step += length + (step[length] != '\0');
    }
    take_lines(stage, word);
    if (connected)
        return;
    if (strcmp(word, "no-memory") != 0) /* which was the last word, and says why */
        strcpy(word, "end");
    stage->start = stage->length;
    if (stage->client >= 0)
        hang_up(stage);
}

static void add_routes(struct stage *stage)
{
    char group[32];

    for (int i = 0; i < ROUTES_BEFORE; i++) {
        snprintf(group, sizeof group, "239.2.0.%d", i + 1);
        ck_assert(kernel_add(&stage->service.kernel, "10.0.0.1", group, "a", "b"));
    }
}

/* The service is as before all of this, and serves. */
static void check_end(struct stage *stage)
{
    char word[WORD_MAX] = "";

    if (stage->client >= 0)
        hang_up(stage);
    play_step(stage, "{\"action\":\"FLUSH_MFC\",\"payload\":{\"all\":true}}", word);
    ck_assert_str_eq(word, "success");
    play_step(stage, DEL_JOIN, word); /* if it is there still */
    hang_up(stage);
    ck_assert_uint_eq(joins_totals(stage->service.kernel.joins).memberships, 0);
    ck_assert_uint_eq(stage->service.services.events.count, 0);
    for (int i = 0; i < 2; i++) {
        uint8_t family = i ? FAMILY_IPV6 : FAMILY_IPV4;

        ck_assert_uint_eq(fake_mfc_count(family, family_table(family, 0)), 0);
        ck_assert_uint_eq(fake_vif_count(family, family_table(family, 0)), 0);
    }
    ck_assert(!fake_table_is_owned(FAMILY_IPV4, TABLE));
}

void scene_play(struct scene *scene, enum fault fault, unsigned nth)
{
    static struct stage stage;

    memset(&stage, 0, sizeof stage);
    stage.fault = fault;
    *scene = (struct scene){.steps = STEPS, .struck = STEPS};
    inject_plan(fault, nth);
    service_begin(&stage.service, "a b c");
    stage.client = -1;
    add_routes(&stage);
    for (size_t i = 0; i < STEPS; i++) {
        play_step(&stage, story[i], scene->words[i]);
        if (scene->struck == STEPS && inject_happened()) {
            scene->struck = i;
            kernel_check(&stage.service.kernel);
        }
    }
    kernel_check(&stage.service.kernel);
    inject_plan(FAULT_NONE, 0);
    check_end(&stage);
    service_end(&stage.service);
    fake_reset(); /* the kernel in memory has some, too */
    ck_assert_msg(inject_live() == 0, "%zu allocations are lost", inject_live());
    scene->events = stage.events;
}
