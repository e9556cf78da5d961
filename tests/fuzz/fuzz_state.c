/* The state file: read at a start, with the tables that it asks for opened a turn later, written at
 * the stop, and read again, which brings the same routes.
 *
 * The first byte chooses: the rest is the file, or the lines between a head and an end that fit. */
#include "broker/state/state.h"
#include "fake.h"
#include "fuzz.h"
#include "keeper_end.h"
#include "log.h"
#include "platform/joins.h"
#include "resources/join/kind.h"
#include "resources/mroute/kind.h"
#include "resources/tap/kind.h"

#include <string.h>
#include <unistd.h>

enum { WRAPPED = 1 };

struct world {
    uv_loop_t loop;
    struct netifs *netifs;
    struct leases leases;
    struct kind_selves kinds;
    struct mroute_kind mroute; /* without a loop: nothing comes from the kernel */
    struct join_kind join;
    struct keeper_end keeper;
    struct tap_kind *tap; /* NULL: there is none yet */
    struct state *state;
    bool loaded;
    uint8_t asked_family; /* for a table; NONE: for none */
    uint32_t asked_table;
};

/* --- The broker's part --------------------------------------------------------------------- */

static bool open_table(void *context, uint8_t family, uint32_t table)
{
    struct world *world = context;

    must(world->asked_family == FAMILY_NONE, "tables are opened one after the other");
    world->asked_family = family;
    world->asked_table = table;
    return true;
}

static void close_table(void *context, uint8_t family, uint32_t table)
{
    (void)context;
    (void)family;
    (void)table;
}

static void pass_event(void *context, enum route_event event, const struct route *route)
{
    (void)context;
    (void)event;
    (void)route;
}

static void pass_upcall(void *context, uint8_t family, uint32_t table, const struct upcall *upcall)
{
    (void)context;
    (void)family;
    (void)table;
    (void)upcall;
}

static void pass_need(void *context)
{
    (void)context;
}

static void pass_netif(void *context, const struct netif *was, const struct netif *is)
{
    (void)context;
    (void)was;
    (void)is;
}

static void open_joins(void *context, uint8_t family)
{
    struct world *world = context;

    joins_socket_opened(world->join.joins, family, joins_socket_open(family), NULL);
}

static void pass_join_event(void *context, enum join_event event, const struct join *join)
{
    (void)context;
    (void)event;
    (void)join;
}

static void pass_refusal(void *context, const struct join *join, const struct error *error)
{
    (void)context;
    (void)join;
    (void)error;
}

static void release(void *context, struct resource *resource)
{
    (void)context;
    resource->ops->release(resource);
}

static void begin_lease(void *context, const struct lease *lease)
{
    struct world *world = context;

    if (world->state)
        state_put(world->state, lease);
}

static void end_lease(void *context, const struct lease *lease)
{
    struct world *world = context;

    if (world->state)
        state_drop(world->state, lease);
}

static void pass_change(void *context, const struct resource *resource)
{
    const struct lease *lease;

    LIST_FOREACH (lease, &resource->leases, in_resource)
        begin_lease(context, lease);
}

static void note_loaded(void *context)
{
    ((struct world *)context)->loaded = true;
}

/* Persistent ones are made again. */
static void begin_taps(struct world *world)
{
    struct resource_host host = {
        .keeper = &world->keeper.link,
        .netifs = world->netifs,
        .leases = &world->leases,
        .config = &world->keeper.config,
    };
    void *self;

    strcpy(world->keeper.config.tap_prefix, "nb-");
    keeper_end_start(&world->keeper, &world->loop);
    must(tap_ops.start(&host, &self), "there is memory");
    kind_set_self(&world->kinds, &tap_ops, self);
    world->tap = self;
}

static void begin_kinds(struct world *world)
{
    struct mroute_callbacks routes = {
        .open_table = open_table,
        .close_table = close_table,
        .route_event = pass_event,
        .upcall = pass_upcall,
        .needs_ticks = pass_need,
        .context = world,
    };
    struct joins_callbacks joins = {open_joins,      pass_need,    NULL, pass_need,
                                    pass_join_event, pass_refusal, world};

    world->mroute.mroute = mroute_new(world->netifs, &world->leases, &routes, 1);
    world->join.joins = joins_new(world->netifs, &world->leases, &joins, 1);
    must(world->mroute.mroute && world->join.joins, "there is memory");
    kind_set_self(&world->kinds, &mroute_ops, &world->mroute);
    kind_set_self(&world->kinds, &join_ops, &world->join);
    begin_taps(world);
}

static void begin_world(struct world *world)
{
    struct leases_host host = {
        .release = release,
        .begins = begin_lease,
        .ends = end_lease,
        .changed = pass_change,
        .context = world,
    };

    *world = (struct world){0};
    fake_reset();
    fake_netif_add("a");
    fake_netif_add("b");
    uv_loop_init(&world->loop);
    world->netifs = netifs_new(pass_netif, world);
    leases_init(&world->leases, &host);
    begin_kinds(world);
}

static void end_world(struct world *world)
{
    keeper_end_stop(&world->keeper);
    uv_run(&world->loop, UV_RUN_DEFAULT);
    must(uv_loop_close(&world->loop) == 0, "no handle is left");
    while (joins_work(world->join.joins))
        ;
    joins_free(world->join.joins);
    tap_ops.free(world->tap);
    world->tap = NULL;
    mroute_free(world->mroute.mroute);
    leases_clear(&world->leases);
    netifs_free(world->netifs);
}

/* The keeper refuses tables of even numbers. */
static void answer_table(struct world *world)
{
    uint8_t family = world->asked_family;
    struct error error;
    int fd = world->asked_table % 2 ? mroute_socket_open(family, world->asked_table) : -1;

    error_set(&error, ERROR_IN_USE, "table", "owned");
    world->asked_family = FAMILY_NONE;
    mroute_table_opened(world->mroute.mroute, family, world->asked_table, fd, &error);
}

/* A start and a stop; returns how many routes and joins there were in between. */
static size_t run(const char *path)
{
    struct world world;
    size_t count;

    begin_world(&world);
    world.state =
        state_new(&(struct state_host){&world.loop, &world.leases, &world.kinds, path, -1});
    must(world.state != NULL, "there is memory");
    state_restore(world.state, note_loaded, &world);
    while (!world.loaded)
        if (world.asked_family != FAMILY_NONE)
            answer_table(&world);
        else
            uv_run(&world.loop, UV_RUN_NOWAIT);
    must(fake_strangers() == 0, "no VIF is lent to a stranger");
    state_settle(world.state);
    count = mroute_totals(world.mroute.mroute).routes + joins_totals(world.join.joins).joins;
    state_stop(world.state);
    world.state = NULL;
    end_world(&world);
    return count;
}

/* --- The file ------------------------------------------------------------------------------ */

static void write_file(const char *path, const char *text, size_t n, bool wrapped)
{
    FILE *file = fopen(path, "w");
    size_t lines = 0;

    must(file != NULL, "there is a file");
    if (wrapped)
        fputs("{\"netbroker-state\":1}\n", file);
    fwrite(text, 1, n, file);
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    if (wrapped)
        fprintf(file, "{\"routes\":%zu}\n", lines);
    fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char folder[] = "/dev/shm/netbroker-fuzz-XXXXXX", path[64], damaged[80];
    size_t count;

    if (n == 0)
        return 0;
    log_set_level(LOG_ERR - 1); /* damage is told there */
    must(mkdtemp(folder) != NULL, "there is a folder");
    snprintf(path, sizeof path, "%s/state", folder);
    snprintf(damaged, sizeof damaged, "%s.damaged", path);
    write_file(path, (const char *)bytes + 1, n - 1, bytes[0] & WRAPPED);
    count = run(path);
    must(run(path) == count, "what was written is read back");
    unlink(path);
    unlink(damaged);
    must(rmdir(folder) == 0, "no other file is left");
    return 0;
}
