/* Routes under a program of changes: the bytes are operations on a small alphabet of sources,
 * groups and interfaces. Routes are added, held, let go, swept, revoked and flushed by several
 * owners; interfaces come, go and change their names; packets come; time passes; the process ends
 * and another one takes the tables over.
 *
 * After each operation what always holds must hold (unit/invariants.c), and each packet must go
 * where a slow and obvious look at the list of the wanted routes says. */
#include "fuzz.h"
#include "invariants.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    TABLE = 9, /* beside the default one */
    OWNERS = 5,
    ADDED_MAX = 16,
    /* What the first byte chooses. */
    FEW_VIFS = 1,
    FEW_LEARNED = 2,
    FEW_UNMATCHED = 4,
    VIFS_TAKEN = 26,
};

static const char *const names[] = {"e0", "e1", "e2", "f0", "f1", "w"};
static const char *const interfaces[] = {"e0", "e1", "e2", "f0", "f1", "w", "e+", "f+", "+"};
static const char *const sources[] = {"0.0.0.0",  "10.0.0.1",    "10.0.0.2",
                                      "10.1.0.1", "10.0.0.0/24", "10.0.0.0/8"};
static const char *const groups[] = {"239.1.1.1",    "239.1.1.2",   "239.2.0.1",
                                     "239.1.1.0/24", "239.0.0.0/8", "224.0.0.0/4"};
static const char *const senders[] = {"10.0.0.1", "10.0.0.2", "10.1.0.1", "11.0.0.1", "0.0.0.0"};
static const char *const flows[] = {"239.1.1.1", "239.1.1.2", "239.2.0.1", "239.3.3.3", "10.9.9.9"};

#define COUNT(array)       (sizeof(array) / sizeof *(array))
#define PICK(world, array) (array)[take(world) % COUNT(array)]

struct world {
    const uint8_t *bytes;
    size_t left;
    unsigned mode;
    struct links *links;
    struct mroute *mroute;
    bool exists[COUNT(names)];
    struct session_holds sessions[2];
    uint32_t generation;
    struct args_add_mfc added[ADDED_MAX];
    unsigned added_count;
    struct route_cursor cursor;
    bool walking, failing;
    uint64_t now; /* milliseconds ahead of the clock */
};

static uint8_t take(struct world *world)
{
    if (world->left == 0)
        return 0;
    world->left--;
    return *world->bytes++;
}

/* --- The broker's part --------------------------------------------------------------------- */

static bool open_table(void *context, uint8_t family, uint32_t table)
{
    (void)context;
    (void)family;
    (void)table;
    return true;
}

static void tell_route(void *context, enum route_news news, const struct route *route)
{
    struct route_view view;

    (void)context;
    (void)news;
    route_describe(route, true, &view);
    must(strlen(view.iif) > 0, "a route that is told of is whole");
}

static void tell_upcall(void *context, uint8_t family, uint32_t table, const struct upcall *upcall)
{
    (void)context;
    (void)family;
    (void)table;
    (void)upcall;
}

static void begin_hold(void *context, const struct lease *lease)
{
    (void)context;
    (void)lease;
}

static void end_hold(void *context, const struct route *route, const struct lease *lease)
{
    (void)lease;
    tell_route(context, ROUTE_DELETED_NEWS, route);
}

static void need_ticks(void *context)
{
    (void)context;
}

static void pass_link(void *context, const struct link_info *was, const struct link_info *is)
{
    struct world *world = context;

    if (world->mroute)
        mroute_link_changed(world->mroute, was, is);
}

static void adopt(struct world *world, uint32_t table, int fd)
{
    struct mroute_socket socket = {fd, FAMILY_IPV4, table};

    must(fd >= 0 && mroute_adopt(world->mroute, &socket) == 0, "a table is adopted");
}

static void begin_process(struct world *world)
{
    struct mroute_callbacks callbacks = {open_table, open_table, tell_route, tell_upcall,
                                         begin_hold, end_hold,   need_ticks, world};
    struct mroute_limits limits = {world->mode & FEW_LEARNED ? 3 : 1000,
                                   world->mode & FEW_UNMATCHED ? 2 : 1024};

    world->links = links_new(pass_link, world);
    world->mroute = mroute_new(world->links, &callbacks, 1);
    must(world->links && world->mroute, "there is memory");
    mroute_set_limits(world->mroute, &limits);
}

static void stop_walking(struct world *world)
{
    if (world->walking)
        route_cursor_close(&world->cursor);
    world->walking = false;
}

static void end_process(struct world *world)
{
    stop_walking(world);
    mroute_free(world->mroute);
    links_free(world->links);
    world->mroute = NULL;
    memset(world->sessions, 0, sizeof world->sessions);
}

/* --- Requests ------------------------------------------------------------------------------ */

/* As the decoder reads one. */
static struct prefix prefix(const char *text)
{
    struct prefix prefix;

    must(prefix_parse(text, &prefix), "the alphabet is right");
    if (address_is_any(&prefix.address))
        prefix.length = 0;
    return prefix;
}

static struct owner take_owner(struct world *world)
{
    unsigned who = take(world) % OWNERS;
    struct owner owner = {.kind = HOLD_USER, .administrator = who == 0};

    if (who == 1 || who == 2) {
        owner.kind = HOLD_SESSION;
        owner.session = &world->sessions[who - 1];
    } else if (who == 3) {
        owner.kind = HOLD_CONFIGURATION;
        owner.generation = world->generation;
        owner.administrator = true;
    }
    owner.lease = mroute_lease(world->mroute, who == 0 ? 0 : 1000 + who / 4);
    return owner;
}

static struct args_add_mfc take_route(struct world *world)
{
    struct args_add_mfc args = {.source = prefix(PICK(world, sources)),
                                .group = prefix(PICK(world, groups))};
    unsigned oifs, flags;

    strcpy(args.iif.text, PICK(world, interfaces));
    oifs = take(world);
    flags = take(world);
    for (unsigned i = 0; i < COUNT(interfaces) && i < 8; i++)
        if (oifs & 1u << i) {
            args.ttls.values[args.oifs.count] = 1 + i;
            strcpy(args.oifs.names[args.oifs.count++].text, interfaces[i]);
        }
    args.ttls.count = flags & 1 ? args.oifs.count : 0;
    args.wait = flags & 2;
    args.table = flags & 4 ? TABLE : 0;
    args.dry_run = flags & 8;
    args.idle = 1 + flags / 16;
    return args;
}

static void add(struct world *world, const struct args_add_mfc *args, const struct owner *owner)
{
    enum route_change change;
    struct error error;

    if (args->table && !args->dry_run && !mroute_table_is_open(world->mroute, FAMILY_IPV4, TABLE))
        adopt(world, TABLE, mroute_socket_open(FAMILY_IPV4, TABLE));
    mroute_add(world->mroute, args, owner, &change, &error);
}

static void do_add(struct world *world)
{
    struct owner owner = take_owner(world);
    struct args_add_mfc args = take_route(world);

    world->added[world->added_count++ % ADDED_MAX] = args;
    links_update(world->links);
    add(world, &args, &owner);
}

/* One interface more, or another threshold. */
static void do_append(struct world *world)
{
    struct owner owner = take_owner(world);
    struct args_add_mfc args = world->added[take(world) % ADDED_MAX], whole;
    struct error error;

    if (!args.group.address.family)
        return;
    args.oifs.count = args.ttls.count = 1;
    strcpy(args.oifs.names[0].text, PICK(world, interfaces));
    args.ttls.values[0] = 1 + take(world) % 254;
    if (args.group.address.family == FAMILY_IPV6)
        args.ttls.count = 0;
    links_update(world->links);
    if (mroute_append(world->mroute, &args, &whole, &error))
        add(world, &whole, &owner);
}

static void do_hold(struct world *world)
{
    struct owner owner = take_owner(world);

    mroute_hold(world->mroute, &world->added[take(world) % ADDED_MAX], &owner);
}

static void do_del(struct world *world)
{
    struct owner owner = take_owner(world);
    struct args_del_mfc args = {.source = prefix(PICK(world, sources)),
                                .group = prefix(PICK(world, groups))};
    struct error error;
    unsigned flags;
    struct route_deletion deletion;

    flags = take(world);
    if (flags & 1)
        strcpy(args.iif.text, PICK(world, interfaces));
    args.table = flags & 2 ? TABLE : 0;
    args.dry_run = flags & 4;
    for (unsigned i = 0; flags & 8 && i <= (flags >> 4 & 1); i++)
        strcpy(args.oifs.names[args.oifs.count++].text, PICK(world, interfaces));
    if (owner.kind == HOLD_USER)
        owner.session = &world->sessions[flags >> 7];
    mroute_del(world->mroute, &args, &owner, &deletion, &error);
}

static void do_flush(struct world *world)
{
    unsigned flags = take(world);
    struct mroute_filter filter = {.learned = flags & 1, .table = flags & 2 ? TABLE : 0};

    if (flags & 16)
        filter.group = prefix(PICK(world, groups));
    mroute_flush(world->mroute, &filter, flags & 4);
}

static void do_end_session(struct world *world)
{
    session_holds_end(&world->sessions[take(world) % 2]);
}

static void do_sweep(struct world *world)
{
    struct mroute_filter everything = {0};
    struct owner owner = {.kind = HOLD_CONFIGURATION, .generation = world->generation};

    struct route_cursor cursor;
    const struct route *route;

    owner.lease.uid = 1000;
    route_cursor_open(&cursor, world->mroute, &everything);
    while ((route = route_cursor_next(&cursor)))
        mroute_sweep(world->mroute, (struct route *)route, &owner);
    route_cursor_close(&cursor);
    world->generation = mroute_next_generation(world->mroute);
}

/* The nth route's oldest hold. */
static void do_revoke(struct world *world)
{
    struct mroute_filter everything = {0};
    struct route_cursor cursor;
    const struct route *route;
    unsigned skip = take(world) % 8;
    uint64_t lease = 0;

    route_cursor_open(&cursor, world->mroute, &everything);
    while ((route = route_cursor_next(&cursor)) && lease == 0) {
        struct route_view view;

        route_describe(route, false, &view);
        if (holding_first(view.holding) && skip-- == 0)
            lease = holding_first(view.holding)->lease.id;
    }
    route_cursor_close(&cursor);
    must(lease == 0 || mroute_revoke(world->mroute, lease), "a lease that is there is revoked");
}

/* A walk that goes on while routes come and go. */
static void do_walk(struct world *world)
{
    struct mroute_filter everything = {0};

    if (!world->walking)
        route_cursor_open(&world->cursor, world->mroute, &everything);
    world->walking = true;
    for (unsigned steps = take(world) % 4; steps > 0; steps--) {
        const struct route *route = route_cursor_next(&world->cursor);

        if (!route) {
            stop_walking(world);
            return;
        }
        tell_route(world, ROUTE_ADDED_NEWS, route);
    }
}

/* --- Interfaces ---------------------------------------------------------------------------- */

static void toggle_link(struct world *world, unsigned i)
{
    if (world->exists[i])
        fake_link_del(names[i]);
    else
        fake_link_add(names[i]);
    world->exists[i] = !world->exists[i];
}

static void do_toggle(struct world *world)
{
    toggle_link(world, take(world) % COUNT(names));
}

/* Gone and made again before anybody looks. */
static void do_make_again(struct world *world)
{
    unsigned i = take(world) % COUNT(names);

    toggle_link(world, i);
    toggle_link(world, i);
}

static void do_rename(struct world *world)
{
    unsigned from = take(world) % COUNT(names), to = take(world) % COUNT(names);

    if (!world->exists[from] || world->exists[to])
        return;
    fake_link_rename(names[from], names[to]);
    world->exists[from] = false;
    world->exists[to] = true;
}

static void do_overrun(struct world *world)
{
    (void)world;
    fake_links_overrun();
}

static void do_update(struct world *world)
{
    links_update(world->links);
}

/* --- Packets and time ---------------------------------------------------------------------- */

static uint64_t clock_ms(const struct world *world)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 + world->now;
}

static void do_tick(struct world *world)
{
    world->now += take(world) * 100u;
    mroute_tick(world->mroute, clock_ms(world));
}

static void do_forget(struct world *world)
{
    (void)world;
    fake_forget_flows();
}

static bool was_sent_to(const struct fake_delivery *delivery, const struct link_info *link)
{
    for (unsigned i = 0; link && i < delivery->count; i++)
        if (delivery->oifs[i] == link->ifindex)
            return true;
    return false;
}

/* Where VIFs or learned routes are rationed, less may be sent; never more. */
static void compare(struct world *world, const struct fake_delivery *delivery,
                    const struct expected *expected)
{
    bool rationed = world->mode & (FEW_VIFS | FEW_LEARNED);
    unsigned sent = 0;

    for (unsigned i = 0; i < expected->count; i++)
        sent += was_sent_to(delivery, links_find(world->links, expected->names[i]));
    must(sent == delivery->count, "a packet goes nowhere else");
    must(sent == expected->count || rationed, "a packet goes everywhere that it should");
}

static void send_packet(struct world *world, uint32_t table, const char *iif,
                        const struct address *source, const struct address *group)
{
    const struct link_info *link = links_find(world->links, iif);
    struct fake_delivery delivery;
    struct expected expected;

    if (!link)
        return;
    fake_forget_flows();
    for (int i = 0; i < 3; i++) { /* asked for, or moved; then forwarded */
        delivery = fake_packet(FAMILY_IPV4, table, link->ifindex, source, group);
        mroute_read_upcalls(world->mroute, FAMILY_IPV4, table);
    }
    expected = expected_packet(world->mroute, world->links, table, source, group, iif);
    if (!world->failing)
        compare(world, &delivery, &expected);
}

/* What was learned before is brought up to date first. */
static void do_packet(struct world *world)
{
    const char *iif = PICK(world, names);
    uint32_t table = take(world) % 4 ? TABLE_ID_DEFAULT_IPV4 : TABLE;
    struct address source, group;

    must(address_parse(senders[take(world) % 4], &source) &&
             address_parse(flows[take(world) % 4], &group),
         "the alphabet is right");
    links_update(world->links);
    if (!mroute_table_is_open(world->mroute, FAMILY_IPV4, table))
        return;
    mroute_tick(world->mroute, clock_ms(world));
    send_packet(world, table, iif, &source, &group);
}

/* Packets whose upcalls nobody reads for now. */
static void do_quick_packet(struct world *world)
{
    unsigned i = take(world) % COUNT(names);
    const struct link_info *link = links_find(world->links, names[i]);
    struct address source, group;

    must(address_parse(senders[take(world) % 4], &source) &&
             address_parse(flows[take(world) % 4], &group),
         "the alphabet is right");
    if (link)
        fake_packet(FAMILY_IPV4, TABLE_ID_DEFAULT_IPV4, link->ifindex, &source, &group);
}

static void do_upcall(struct world *world)
{
    struct upcall upcall = {.kind = take(world) % 3, .vif = take(world)};

    must(address_parse(PICK(world, senders), &upcall.source) &&
             address_parse(PICK(world, flows), &upcall.group),
         "the alphabet is right");
    fake_upcall(FAMILY_IPV4, TABLE_ID_DEFAULT_IPV4, &upcall);
}

static void do_read(struct world *world)
{
    mroute_read_upcalls(world->mroute, FAMILY_IPV4, TABLE_ID_DEFAULT_IPV4);
}

static void do_fail(struct world *world)
{
    fake_fail(1 + take(world) % 8, -ENOMEM);
    world->failing = true;
}

/* --- Another process ----------------------------------------------------------------------- */

/* The keeper's copies. */
struct kept {
    unsigned count;
    struct mroute_socket sockets[2];
};

static void keep(void *context, const struct mroute_socket *socket)
{
    struct kept *kept = context;

    kept->sockets[kept->count] = *socket;
    kept->sockets[kept->count++].fd = dup(socket->fd);
}

/* The next process is told some of what was wanted, in the name of the configuration. */
static void do_restart(struct world *world)
{
    struct owner owner = {.kind = HOLD_CONFIGURATION, .administrator = true};
    unsigned told = take(world);
    struct kept kept = {0};

    mroute_visit_sockets(world->mroute, keep, &kept);
    end_process(world);
    begin_process(world);
    for (unsigned i = 0; i < kept.count; i++)
        adopt(world, kept.sockets[i].table, kept.sockets[i].fd);
    for (unsigned i = 0; i < ADDED_MAX && i < world->added_count; i++) {
        owner.lease = mroute_lease(world->mroute, 1000);
        if (told & 1u << i % 8)
            add(world, &world->added[i], &owner);
    }
    mroute_settle(world->mroute);
}

/* --- One run ------------------------------------------------------------------------------- */

static void (*const operations[])(struct world *world) = {
    do_add,    do_add,     do_add,        do_packet,      do_packet, do_del,          do_hold,
    do_flush,  do_sweep,   do_revoke,     do_end_session, do_walk,   do_toggle,       do_rename,
    do_update, do_overrun, do_make_again, do_tick,        do_forget, do_quick_packet, do_upcall,
    do_read,   do_restart, do_fail,       do_append,
};

static void check(const struct world *world, bool updated)
{
    enum invariants which = world->failing ? INVARIANTS_INSIDE
                            : updated      ? INVARIANTS_LINKS
                                           : INVARIANTS_KERNEL;
    const char *broken = invariants_broken(world->mroute, world->links, which);

    if (broken)
        fprintf(stderr, "%s\n", broken);
    must(broken == NULL, "what always holds");
}

static void step(struct world *world)
{
    uint8_t operation = take(world);
    bool update = operation & 128;

    operations[(operation & 127) % COUNT(operations)](world);
    if (update)
        links_update(world->links);
    check(world, update);
}

/* A route of many interfaces, so that patterns are short of VIFs. */
static void take_vifs(struct world *world)
{
    struct args_add_mfc args = {.source = prefix("10.9.9.9"), .group = prefix("239.9.9.9")};
    struct owner owner = {.kind = HOLD_USER, .lease = mroute_lease(world->mroute, 1002)};

    strcpy(args.iif.text, "t0");
    args.oifs.count = VIFS_TAKEN - 1;
    for (unsigned i = 0; i < VIFS_TAKEN; i++) {
        char name[8];

        snprintf(name, sizeof name, "t%u", i);
        fake_link_add(name);
        if (i > 0)
            strcpy(args.oifs.names[i - 1].text, name);
    }
    links_update(world->links);
    add(world, &args, &owner);
}

static void run(struct world *world)
{
    fake_reset();
    for (unsigned i = 0; i < 4; i++)
        toggle_link(world, i);
    begin_process(world);
    adopt(world, TABLE_ID_DEFAULT_IPV4, mroute_socket_open(FAMILY_IPV4, TABLE_ID_DEFAULT_IPV4));
    mroute_settle(world->mroute);
    if (world->mode & FEW_VIFS)
        take_vifs(world);
    while (world->left > 0)
        step(world);
    end_process(world);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct world *world = calloc(1, sizeof *world);

    *world = (struct world){.bytes = bytes, .left = n, .generation = 1};
    world->mode = take(world);
    run(world);
    free(world);
    return 0;
}
