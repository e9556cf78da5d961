/* Routes under a program of changes: the bytes are operations on a small alphabet of sources,
 * groups and interfaces. Routes are added, held, given up, swept, revoked and flushed by several
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
    WHOLE = 8, /* a process that takes over is told all that is wanted */
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
    struct netifs *netifs;
    struct leases leases;
    struct mroute *mroute;
    bool exists[COUNT(names)];
    struct held_leases sessions[2];
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

static void close_table(void *context, uint8_t family, uint32_t table)
{
    (void)context;
    (void)family;
    (void)table;
}

static void tell_route(void *context, enum route_event event, const struct route *route)
{
    struct route_view view;

    (void)context;
    (void)event;
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

static void pass_healed(void *context, const struct mroute_healed *healed)
{
    (void)context;
    (void)healed;
}

static void release(void *context, struct resource *resource)
{
    (void)context;
    resource->ops->release(resource);
}

static void tell_lease(void *context, const struct lease *lease)
{
    struct route_view view;

    (void)context;
    route_describe(route_of_resource(lease->resource), false, &view);
    must(strlen(view.iif) > 0, "a route that is held is whole");
}

static void tell_change(void *context, const struct resource *resource)
{
    const struct lease *lease;

    LIST_FOREACH (lease, &resource->leases, in_resource)
        tell_lease(context, lease);
}

static void need_ticks(void *context)
{
    (void)context;
}

static void pass_netif(void *context, const struct netif *was, const struct netif *is)
{
    struct world *world = context;

    if (world->mroute)
        mroute_netif_changed(world->mroute, was, is);
}

static void adopt(struct world *world, uint32_t table, int fd)
{
    struct mroute_socket socket = {fd, FAMILY_IPV4, table};

    must(fd >= 0 && mroute_adopt(world->mroute, &socket) == 0, "a table is adopted");
}

static void begin_process(struct world *world)
{
    struct mroute_callbacks callbacks = {
        .open_table = open_table,
        .close_table = close_table,
        .route_event = tell_route,
        .upcall = tell_upcall,
        .healed = pass_healed,
        .needs_ticks = need_ticks,
        .context = world,
    };
    struct leases_host host = {
        .release = release,
        .begins = tell_lease,
        .ends = tell_lease,
        .changed = tell_change,
        .context = world,
    };
    struct mroute_limits limits = {world->mode & FEW_LEARNED ? 3 : 1000,
                                   world->mode & FEW_UNMATCHED ? 2 : 1024};

    world->netifs = netifs_new(pass_netif, world);
    leases_init(&world->leases, &host);
    TAILQ_INIT(&world->sessions[0]);
    TAILQ_INIT(&world->sessions[1]);
    world->mroute = mroute_new(world->netifs, &world->leases, &callbacks, 1);
    must(world->netifs && world->mroute, "there is memory");
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
    leases_clear(&world->leases);
    netifs_free(world->netifs);
    world->mroute = NULL;
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

static struct holder take_holder(struct world *world)
{
    unsigned who = take(world) % OWNERS;
    struct holder holder = {.kind = HOLDER_USER, .administrator = who == 0};

    if (who == 1 || who == 2) {
        holder.kind = HOLDER_SESSION;
        holder.session = &world->sessions[who - 1];
    } else if (who == 3) {
        holder.kind = HOLDER_CONFIGURATION;
        holder.generation = world->generation;
        holder.administrator = true;
    }
    holder.lease = lease_prepare(&world->leases, who == 0 ? 0 : 1000 + who / 4);
    return holder;
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

static void add(struct world *world, const struct args_add_mfc *args, const struct holder *holder)
{
    enum route_change change;
    struct error error;

    if (args->table && !args->dry_run && !mroute_table_is_open(world->mroute, FAMILY_IPV4, TABLE))
        adopt(world, TABLE, mroute_socket_open(FAMILY_IPV4, TABLE));
    mroute_add(world->mroute, args, holder, &change, &error);
}

static void do_add(struct world *world)
{
    struct holder holder = take_holder(world);
    struct args_add_mfc args = take_route(world);

    world->added[world->added_count++ % ADDED_MAX] = args;
    netifs_update(world->netifs);
    add(world, &args, &holder);
}

/* One interface more, or another threshold. */
static void do_append(struct world *world)
{
    struct holder holder = take_holder(world);
    struct args_add_mfc args = world->added[take(world) % ADDED_MAX], whole;
    struct error error;

    if (!args.group.address.family)
        return;
    args.oifs.count = args.ttls.count = 1;
    strcpy(args.oifs.names[0].text, PICK(world, interfaces));
    args.ttls.values[0] = 1 + take(world) % 254;
    if (args.group.address.family == FAMILY_IPV6)
        args.ttls.count = 0;
    netifs_update(world->netifs);
    if (mroute_append(world->mroute, &args, &whole, &error))
        add(world, &whole, &holder);
}

static void do_mark(struct world *world)
{
    struct holder holder = take_holder(world);

    mroute_mark(world->mroute, &world->added[take(world) % ADDED_MAX], &holder);
}

static void do_del(struct world *world)
{
    struct holder holder = take_holder(world);
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
    if (holder.kind == HOLDER_USER)
        holder.session = &world->sessions[flags >> 7];
    mroute_del(world->mroute, &args, &holder, &deletion, &error);
}

static void do_flush(struct world *world)
{
    unsigned flags = take(world);
    struct mroute_filter filter = {.learned = flags & 1, .table = flags & 2 ? TABLE : 0};
    size_t count = 0, expected = mroute_flush_count(world->mroute, &filter);
    struct route_cursor cursor;

    if (flags & 4)
        return;
    if (flags & 16)
        filter.group = prefix(PICK(world, groups));
    route_cursor_open(&cursor, world->mroute, &filter);
    while (mroute_flush_next(&cursor, &count))
        ;
    route_cursor_close(&cursor);
    must(flags & 16 ? count <= expected : count == expected, "as many are deleted as are counted");
}

static void do_end_session(struct world *world)
{
    struct held_leases *session = &world->sessions[take(world) % 2];

    while (!TAILQ_EMPTY(session))
        lease_end(&world->leases, TAILQ_FIRST(session));
}

static void do_sweep(struct world *world)
{
    struct mroute_filter everything = {0};
    struct holder holder = {.kind = HOLDER_CONFIGURATION, .generation = world->generation};

    struct route_cursor cursor;
    const struct route *route;

    holder.lease.uid = 1000;
    route_cursor_open(&cursor, world->mroute, &everything);
    while ((route = route_cursor_next(&cursor)))
        mroute_sweep(world->mroute, (struct route *)route, &holder);
    route_cursor_close(&cursor);
    world->generation = mroute_next_generation(world->mroute);
}

/* The nth lease of all; what was found has no id. */
static void do_revoke(struct world *world)
{
    struct lease_cursor cursor;
    const struct lease *lease;
    unsigned skip = take(world) % 8;
    uint64_t id;

    lease_cursor_open(&cursor, &world->leases);
    do
        lease = lease_cursor_next(&cursor);
    while (lease && skip-- > 0);
    lease_cursor_close(&cursor);
    id = lease ? lease->info.id : 0;
    if (id == 0)
        return;
    must(leases_find(&world->leases, id) != NULL, "a lease that is there is found");
    lease_end(&world->leases, leases_find(&world->leases, id));
    must(leases_find(&world->leases, id) == NULL, "a lease that ended is not there");
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
        tell_route(world, ROUTE_ADDED_EVENT, route);
    }
}

/* --- Interfaces ---------------------------------------------------------------------------- */

static void toggle_netif(struct world *world, unsigned i)
{
    if (world->exists[i])
        fake_netif_del(names[i]);
    else
        fake_netif_add(names[i]);
    world->exists[i] = !world->exists[i];
}

static void do_toggle(struct world *world)
{
    toggle_netif(world, take(world) % COUNT(names));
}

/* Gone and made again before anybody looks. */
static void do_make_again(struct world *world)
{
    unsigned i = take(world) % COUNT(names);

    toggle_netif(world, i);
    toggle_netif(world, i);
}

static void do_rename(struct world *world)
{
    unsigned from = take(world) % COUNT(names), to = take(world) % COUNT(names);

    if (!world->exists[from] || world->exists[to])
        return;
    fake_netif_rename(names[from], names[to]);
    world->exists[from] = false;
    world->exists[to] = true;
}

static void do_overrun(struct world *world)
{
    (void)world;
    fake_netifs_overrun();
}

static void do_update(struct world *world)
{
    netifs_update(world->netifs);
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
    world->now += take(world) * 100UL;
    mroute_tick(world->mroute, clock_ms(world));
}

static void do_forget(struct world *world)
{
    (void)world;
    fake_forget_flows();
}

static bool was_sent_to(const struct fake_delivery *delivery, const struct netif *netif)
{
    for (unsigned i = 0; netif && i < delivery->count; i++)
        if (delivery->oifs[i] == netif->ifindex)
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
        sent += was_sent_to(delivery, netifs_find(world->netifs, expected->names[i]));
    must(sent == delivery->count, "a packet goes nowhere else");
    must(sent == expected->count || rationed, "a packet goes everywhere that it should");
}

static void send_packet(struct world *world, uint32_t table, const char *iif,
                        const struct address *source, const struct address *group)
{
    const struct netif *netif = netifs_find(world->netifs, iif);
    struct fake_delivery delivery;
    struct expected expected;

    if (!netif)
        return;
    fake_forget_flows();
    for (int i = 0; i < 3; i++) { /* asked for, or moved; then forwarded */
        delivery = fake_packet(FAMILY_IPV4, table, netif->ifindex, source, group);
        mroute_read_upcalls(world->mroute, FAMILY_IPV4, table);
    }
    expected = expected_packet(world->mroute, world->netifs, table, source, group, iif);
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
    netifs_update(world->netifs);
    if (!mroute_table_is_open(world->mroute, FAMILY_IPV4, table))
        return;
    mroute_tick(world->mroute, clock_ms(world));
    send_packet(world, table, iif, &source, &group);
}

/* Packets whose upcalls nobody reads for now. */
static void do_quick_packet(struct world *world)
{
    unsigned i = take(world) % COUNT(names);
    const struct netif *netif = netifs_find(world->netifs, names[i]);
    struct address source, group;

    must(address_parse(senders[take(world) % 4], &source) &&
             address_parse(flows[take(world) % 4], &group),
         "the alphabet is right");
    if (netif)
        fake_packet(FAMILY_IPV4, TABLE_ID_DEFAULT_IPV4, netif->ifindex, &source, &group);
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
    struct holder holder = {.kind = HOLDER_CONFIGURATION, .administrator = true};
    unsigned told = take(world);
    struct kept kept = {0};

    mroute_visit_sockets(world->mroute, keep, &kept);
    end_process(world);
    begin_process(world);
    for (unsigned i = 0; i < kept.count; i++)
        adopt(world, kept.sockets[i].table, kept.sockets[i].fd);
    for (unsigned i = 0; i < ADDED_MAX && i < world->added_count; i++) {
        holder.lease = lease_prepare(&world->leases, 1000);
        if (told & 1u << i % 8)
            add(world, &world->added[i], &holder);
    }
    mroute_settle(world->mroute, world->mode & WHOLE);
}

/* --- One run ------------------------------------------------------------------------------- */

static void (*const operations[])(struct world *world) = {
    do_add,    do_add,     do_add,        do_packet,      do_packet, do_del,          do_mark,
    do_flush,  do_sweep,   do_revoke,     do_end_session, do_walk,   do_toggle,       do_rename,
    do_update, do_overrun, do_make_again, do_tick,        do_forget, do_quick_packet, do_upcall,
    do_read,   do_restart, do_fail,       do_append,
};

static void check(const struct world *world, bool updated)
{
    enum invariants which = world->failing ? INVARIANTS_INSIDE
                            : updated      ? INVARIANTS_NETIFS
                                           : INVARIANTS_KERNEL;
    const char *broken = invariants_broken(world->mroute, world->netifs, which);

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
        netifs_update(world->netifs);
    check(world, update);
}

/* A route of many interfaces, so that patterns are short of VIFs. */
static void take_vifs(struct world *world)
{
    struct args_add_mfc args = {.source = prefix("10.9.9.9"), .group = prefix("239.9.9.9")};
    struct holder holder = {.kind = HOLDER_USER, .lease = lease_prepare(&world->leases, 1002)};

    strcpy(args.iif.text, "t0");
    args.oifs.count = VIFS_TAKEN - 1;
    for (unsigned i = 0; i < VIFS_TAKEN; i++) {
        char name[8];

        snprintf(name, sizeof name, "t%u", i);
        fake_netif_add(name);
        if (i > 0)
            strcpy(args.oifs.names[i - 1].text, name);
    }
    netifs_update(world->netifs);
    add(world, &args, &holder);
}

static void run(struct world *world)
{
    fake_reset();
    for (unsigned i = 0; i < 4; i++)
        toggle_netif(world, i);
    begin_process(world);
    adopt(world, TABLE_ID_DEFAULT_IPV4, mroute_socket_open(FAMILY_IPV4, TABLE_ID_DEFAULT_IPV4));
    mroute_settle(world->mroute, true);
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
