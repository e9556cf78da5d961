/* The state file: read at a start, with the tables that it asks for opened a turn later, written at
 * the stop, and read again, which brings the same routes.
 *
 * The first byte chooses: the rest is the file, or the lines between a head and an end that fit. */
#include "fake.h"
#include "fuzz.h"
#include "log.h"
#include "platform/joins.h"
#include "state.h"

#include <string.h>
#include <unistd.h>

enum { WRAPPED = 1, ALL = 2 };

struct world {
    uv_loop_t loop;
    struct links *links;
    struct mroute *mroute;
    struct joins *joins;
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

static void pass_news(void *context, enum route_news news, const struct route *route)
{
    (void)context;
    (void)news;
    (void)route;
}

static void pass_upcall(void *context, uint8_t family, uint32_t table, const struct upcall *upcall)
{
    (void)context;
    (void)family;
    (void)table;
    (void)upcall;
}

static void pass_hold(void *context, const struct lease *lease)
{
    (void)context;
    (void)lease;
}

static void pass_release(void *context, const struct route *route, const struct lease *lease)
{
    (void)context;
    (void)route;
    (void)lease;
}

static void pass_need(void *context)
{
    (void)context;
}

static void pass_link(void *context, const struct link_info *was, const struct link_info *is)
{
    (void)context;
    (void)was;
    (void)is;
}

/* --- Joins --------------------------------------------------------------------------------- */

static void open_joins(void *context, uint8_t family)
{
    struct world *world = context;

    joins_socket_opened(world->joins, family, joins_socket_open(family), NULL);
}

static void pass_join_news(void *context, enum join_news news, const struct join *join)
{
    (void)context;
    (void)news;
    (void)join;
}

static void pass_refusal(void *context, const struct join *join, const struct error *error)
{
    (void)context;
    (void)join;
    (void)error;
}

static void pass_join_hold(void *context, const struct join *join, const struct hold *hold)
{
    (void)context;
    (void)join;
    (void)hold;
}

static void begin_joins(struct world *world)
{
    struct joins_callbacks callbacks = {open_joins,     pass_need,    pass_need,
                                        pass_join_news, pass_refusal, pass_join_hold,
                                        pass_join_hold, world};

    world->joins = joins_new(world->links, &callbacks, 1);
    must(world->joins != NULL, "there is memory");
}

static void note_loaded(void *context)
{
    ((struct world *)context)->loaded = true;
}

static void begin_world(struct world *world)
{
    struct mroute_callbacks callbacks = {
        .open_table = open_table,
        .close_table = close_table,
        .route_news = pass_news,
        .upcall = pass_upcall,
        .hold_begins = pass_hold,
        .hold_ends = pass_release,
        .needs_ticks = pass_need,
        .context = world,
    };

    *world = (struct world){0};
    fake_reset();
    fake_link_add("a");
    fake_link_add("b");
    uv_loop_init(&world->loop);
    world->links = links_new(pass_link, world);
    world->mroute = mroute_new(world->links, &callbacks, 1);
    must(world->mroute != NULL, "there is memory");
    begin_joins(world);
}

/* The keeper refuses tables of even numbers. */
static void answer_table(struct world *world)
{
    uint8_t family = world->asked_family;
    struct error error;
    int fd = world->asked_table % 2 ? mroute_socket_open(family, world->asked_table) : -1;

    error_set(&error, ERROR_IN_USE, "table", "owned");
    world->asked_family = FAMILY_NONE;
    mroute_table_opened(world->mroute, family, world->asked_table, fd, &error);
}

/* A start and a stop; returns how many routes there were in between. */
static size_t run(const char *path, bool all)
{
    struct world world;
    struct state *state;
    size_t routes;

    begin_world(&world);
    state = state_new(&world.loop, world.mroute, world.joins, world.links, path);
    must(state != NULL, "there is memory");
    state_load(state, all, true, note_loaded, &world);
    while (world.asked_family != FAMILY_NONE)
        answer_table(&world);
    must(world.loaded, "reading ends");
    must(fake_strangers() == 0, "no VIF is lent to a stranger");
    routes = mroute_totals(world.mroute).routes;
    state_touch(state);
    state_stop(state);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    must(uv_loop_close(&world.loop) == 0, "no handle is left");
    while (joins_work(world.joins))
        ;
    joins_free(world.joins);
    mroute_free(world.mroute);
    links_free(world.links);
    return routes;
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
    size_t routes;

    if (n == 0)
        return 0;
    log_set_level(LOG_ERR - 1); /* damage is told there */
    must(mkdtemp(folder) != NULL, "there is a folder");
    snprintf(path, sizeof path, "%s/state", folder);
    snprintf(damaged, sizeof damaged, "%s.damaged", path);
    write_file(path, (const char *)bytes + 1, n - 1, bytes[0] & WRAPPED);
    routes = run(path, bytes[0] & ALL);
    must(run(path, true) == routes, "what was written is read back");
    unlink(path);
    unlink(damaged);
    must(rmdir(folder) == 0, "no other file is left");
    return 0;
}
