#include "kernel.h"

#include "invariants.h"
#include "platform/joins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Callbacks ----------------------------------------------------------------------------- */

static bool take_question(void *context, uint8_t family, uint32_t table)
{
    struct kernel *kernel = context;

    (void)family;
    kernel->asked++;
    kernel->asked_table = table;
    return true;
}

static void take_close(void *context, uint8_t family, uint32_t table)
{
    struct kernel *kernel = context;

    (void)family;
    (void)table;
    kernel->closed++;
}

static void take_events(void *context, enum route_event event, const struct route *route)
{
    static const char *const topics[] = {
#define R(name, topic) [ROUTE_##name##_EVENT] = topic,
        ROUTE_EVENTS(R)
#undef R
    };
    struct kernel *kernel = context;
    size_t used = strlen(kernel->event);
    char source[PREFIX_TEXT_MAX], group[PREFIX_TEXT_MAX];
    struct route_view view;

    route_describe(route, true, &view);
    if (used < sizeof kernel->event - 128)
        sprintf(kernel->event + used, "%s %s %s\n", topics[event],
                prefix_format(&view.source, source), prefix_format(&view.group, group));
}

static void take_upcall(void *context, uint8_t family, uint32_t table, const struct upcall *upcall)
{
    struct kernel *kernel = context;

    (void)family;
    (void)table;
    kernel->upcall = *upcall;
}

static void take_healed(void *context, const struct mroute_healed *healed)
{
    struct kernel *kernel = context;

    kernel->healed = *healed;
    kernel->rounds++;
}

static void release_resource(void *context, struct resource *resource)
{
    (void)context;
    resource->ops->release(resource);
}

static void take_lease(void *context, const struct lease *lease)
{
    struct kernel *kernel = context;

    kernel->owned += lease->resource->ops == &mroute_ops && lease->kind != HOLDER_FOUND;
    if (kernel->state)
        state_put(kernel->state, lease);
}

static void take_release(void *context, const struct lease *lease)
{
    struct kernel *kernel = context;

    kernel->owned -= lease->resource->ops == &mroute_ops && lease->kind != HOLDER_FOUND;
    if (kernel->state)
        state_drop(kernel->state, lease);
}

static void take_change(void *context, const struct resource *resource)
{
    (void)context;
    (void)resource;
}

static void take_need(void *context)
{
    struct kernel *kernel = context;

    kernel->ticks_needed = true;
}

static void count_work(void *context)
{
    ((struct kernel *)context)->works++;
}

static void take_netif(void *context, const struct netif *was, const struct netif *is)
{
    struct kernel *kernel = context;

    if (kernel->mroute)
        mroute_netif_changed(kernel->mroute, was, is);
    if (kernel->joins)
        joins_netif_changed(kernel->joins, was, is);
    if (kernel->netif_changed)
        kernel->netif_changed(kernel->netif_context, was, is);
}

/* --- Begin and end ------------------------------------------------------------------------- */

void kernel_start(struct kernel *kernel)
{
    struct mroute_callbacks callbacks = {
        .open_table = take_question,
        .close_table = take_close,
        .route_event = take_events,
        .upcall = take_upcall,
        .healed = take_healed,
        .needs_ticks = take_need,
        .works = count_work,
        .context = kernel,
    };

    struct leases_host leases = {
        .release = release_resource,
        .begins = take_lease,
        .ends = take_release,
        .changed = take_change,
        .context = kernel,
    };

    memset(kernel, 0, sizeof *kernel);
    leases_init(&kernel->leases, &leases);
    kernel->netifs = netifs_new(take_netif, kernel);
    ck_assert_ptr_nonnull(kernel->netifs);
    kernel->holder = (struct holder){
        .kind = HOLDER_USER,
        .lease = {.id = 1, .uid = 1000},
        .administrator = true,
    };
    kernel->mroute = mroute_new(kernel->netifs, &kernel->leases, &callbacks, 1);
    ck_assert_ptr_nonnull(kernel->mroute);
}

static void open_joins(void *context, uint8_t family)
{
    struct kernel *kernel = context;

    joins_socket_opened(kernel->joins, family, joins_socket_open(family), NULL);
}

static void ignore(void *context)
{
    (void)context;
}

static void ignore_event(void *context, enum join_event event, const struct join *join)
{
    (void)context;
    (void)event;
    (void)join;
}

static void ignore_refusal(void *context, const struct join *join, const struct error *error)
{
    (void)context;
    (void)join;
    (void)error;
}

void kernel_start_joins(struct kernel *kernel)
{
    struct joins_callbacks callbacks = {open_joins,   ignore,         NULL,  ignore,
                                        ignore_event, ignore_refusal, kernel};

    kernel->joins = joins_new(kernel->netifs, &kernel->leases, &callbacks, 1);
    ck_assert_ptr_nonnull(kernel->joins);
}

int kernel_open_table(struct kernel *kernel, uint8_t family, uint32_t table)
{
    struct mroute_socket socket = {mroute_socket_open(family, table), family, table};
    int copy;

    ck_assert_int_ge(socket.fd, 0);
    copy = dup(socket.fd);
    ck_assert_int_eq(mroute_adopt(kernel->mroute, &socket), 0);
    return copy;
}

void kernel_begin(struct kernel *kernel, const char *interfaces)
{
    char names[4096], *rest = names, *name;

    fake_reset();
    snprintf(names, sizeof names, "%s", interfaces);
    while ((name = strsep(&rest, " ")))
        fake_netif_add(name);
    kernel_start(kernel);
    close(kernel_open_table(kernel, V4, TABLE_ID_DEFAULT_IPV4));
    close(kernel_open_table(kernel, V6, TABLE_ID_DEFAULT_IPV6));
}

void kernel_end(struct kernel *kernel)
{
    joins_free(kernel->joins);
    kernel->joins = NULL;
    mroute_free(kernel->mroute);
    leases_clear(&kernel->leases);
    netifs_free(kernel->netifs);
    kernel->mroute = NULL;
    kernel->netifs = NULL;
}

struct wanted_copy {
    uint8_t family;
    int fd;
};

static void copy_socket(void *context, const struct mroute_socket *socket)
{
    struct wanted_copy *wanted = context;

    if (socket->family == wanted->family && socket->table == family_table(socket->family, 0))
        wanted->fd = dup(socket->fd);
}

int kernel_open_copy(struct kernel *kernel, uint8_t family)
{
    struct wanted_copy wanted = {family, -1};

    mroute_visit_sockets(kernel->mroute, copy_socket, &wanted);
    ck_assert_int_ge(wanted.fd, 0);
    return wanted.fd;
}

/* --- Requests ------------------------------------------------------------------------------ */

/* As the decoder reads one. */
struct prefix kernel_prefix(const char *text)
{
    struct prefix prefix;

    ck_assert_msg(prefix_parse(text, &prefix), "%s", text);
    if (address_is_any(&prefix.address))
        prefix.length = 0;
    return prefix;
}

struct args_add_mfc route_args(const char *source, const char *group, const char *iif,
                               const char *oifs)
{
    struct args_add_mfc args = {.idle = IDLE_SECONDS_DEFAULT};
    char names[1024], *rest = names, *name;

    if (source)
        args.source = kernel_prefix(source);
    args.group = kernel_prefix(group);
    strcpy(args.iif.text, iif);
    snprintf(names, sizeof names, "%s", oifs);
    while ((name = strsep(&rest, ",")))
        if (*name)
            strcpy(args.oifs.names[args.oifs.count++].text, name);
    return args;
}

bool kernel_add(struct kernel *kernel, const char *source, const char *group, const char *iif,
                const char *oifs)
{
    struct args_add_mfc args = route_args(source, group, iif, oifs);

    return mroute_add(kernel->mroute, &args, &kernel->holder, &kernel->change, &kernel->error);
}

bool kernel_del(struct kernel *kernel, const char *source, const char *group)
{
    struct args_del_mfc args = {.dry_run = false};

    if (source)
        args.source = kernel_prefix(source);
    args.group = kernel_prefix(group);
    return mroute_del(kernel->mroute, &args, &kernel->holder, &kernel->deletion, &kernel->error);
}

size_t kernel_flush(struct kernel *kernel, const struct mroute_filter *filter, bool dry_run)
{
    struct route_cursor cursor;
    size_t count = 0;

    if (dry_run)
        return mroute_flush_count(kernel->mroute, filter);
    route_cursor_open(&cursor, kernel->mroute, filter);
    while (mroute_flush_next(&cursor, &count))
        ;
    route_cursor_close(&cursor);
    return count;
}

void end_leases(struct leases *leases, struct held_leases *session)
{
    while (!TAILQ_EMPTY(session))
        lease_end(leases, TAILQ_FIRST(session));
}

void kernel_update(struct kernel *kernel)
{
    netifs_update(kernel->netifs);
}

/* --- Views --------------------------------------------------------------------------------- */

static int print_route(const struct route *route, char *text)
{
    static const char *const states[] = {
#define T(name, word) word,
        ROUTE_STATES(T)
#undef T
    };
    char source[PREFIX_TEXT_MAX], group[PREFIX_TEXT_MAX], *at = text;
    struct route_view view;

    route_describe(route, false, &view);
    at += sprintf(at, "%s %s %s ", prefix_format(&view.source, source),
                  prefix_format(&view.group, group), view.iif);
    for (uint32_t i = 0; i < view.oif_count; i++)
        at += sprintf(at, "%s%s", i ? "," : "", view.oifs[i].name);
    return (int)(at - text) + sprintf(at, " %s\n", states[view.state]);
}

const char *kernel_routes(struct kernel *kernel)
{
    static char text[65536];
    struct mroute_filter everything = {0};
    struct route_cursor cursor;
    const struct route *route;
    char *at = text;

    *at = '\0';
    route_cursor_open(&cursor, kernel->mroute, &everything);
    while ((route = route_cursor_next(&cursor)) && at < text + sizeof text - 1024)
        at += print_route(route, at);
    route_cursor_close(&cursor);
    return text;
}

static const char *vif_name(struct kernel *kernel, uint8_t family, unsigned vif)
{
    unsigned ifindex = fake_vif_ifindex(family, family_table(family, 0), vif);
    const struct netif *netif = ifindex ? netifs_find_index(kernel->netifs, ifindex) : NULL;

    return netif ? netif->name : "?";
}

const char *kernel_entry(struct kernel *kernel, const char *source, const char *group)
{
    static char text[1024];
    uint8_t family = strchr(group, ':') ? V6 : V4;
    const struct mfc_entry *entry = fake_mfc_find(family, family_table(family, 0), source, group);
    char *at = text;

    ck_assert_msg(entry != NULL, "no entry (%s, %s)", source, group);
    at += sprintf(at, "%s", vif_name(kernel, family, entry->parent));
    for (unsigned vif = 0; vif < VIFS_MAX; vif++)
        if (entry->ttls[vif])
            at += sprintf(at, " %s:%u", vif_name(kernel, family, vif), entry->ttls[vif]);
    return text;
}

/* --- What always holds --------------------------------------------------------------------- */

void kernel_check(struct kernel *kernel)
{
    const char *broken = invariants_broken(kernel->mroute, kernel->netifs, INVARIANTS_NETIFS);

    ck_assert_msg(broken == NULL, "%s\n%s", broken, kernel_routes(kernel));
}
