/* How routes are shown: SHOW_MFC, SHOW_VIF, SHOW, and the events that tell of them. */
#include "actions.h"
#include "route.h"
#include "route_json.h"

#include <stdlib.h>

const char *const route_state_words[] = {
#define T(name, word) [ROUTE_##name] = word,
    ROUTE_STATES(T)
#undef T
};

static void write_key(struct json *json, const struct prefix *source, const struct prefix *group)
{
    char text[PREFIX_TEXT_MAX];

    json_member_string(json, "source", prefix_format(source, text));
    json_member_string(json, "group", prefix_format(group, text));
}

/* Where it comes from, and how many hold it. */
static void write_holders(struct json *json, const struct route_view *view)
{
    const struct lease *first = resource_first_lease(view->resource);

    json_member_string(json, "origin",
                       view->learned ? "learned"
                                     : holder_kind_word(first ? first->kind : HOLDER_FOUND));
    if (!view->learned)
        json_member_unsigned(json, "owners", resource_lease_count(view->resource));
    if (view->idle)
        json_member_unsigned(json, "idle", view->idle);
}

static void write_members(struct json *json, const struct route_view *view)
{
    route_json_write(json, view);
    json_member_string(json, "family", family_name(view->family));
    json_member_unsigned(json, "table", view->table);
    json_member_string(json, "state", route_state_words[view->state]);
    write_holders(json, view);
    json_member_unsigned(json, "packets", view->counters.packets);
    json_member_unsigned(json, "bytes", view->counters.bytes);
    json_member_unsigned(json, "wrong_if", view->counters.wrong_interface);
}

void write_route(struct json *json, const struct route_view *view)
{
    json_open(json, '{');
    write_members(json, view);
    json_close(json, '}');
}

void write_change(struct json *json, const char *change, const struct route *route)
{
    struct route_view view;

    route_describe(route, true, &view);
    json_open(json, '{');
    json_member_string(json, "change", change);
    write_members(json, &view);
    json_close(json, '}');
}

/* --- Lists --------------------------------------------------------------------------------- */

/* Of all that is shown; what is first is first in the reply. */
struct show {
    struct mroute *mroute;
    struct mroute_filter filter; /* of VIFs */
    struct vif_cursor vifs;
    struct route_cursor routes;
};

static struct show *show_begin(struct call *call, const struct mroute_filter *filter)
{
    struct show *show = calloc(1, sizeof *show);

    if (!show)
        return NULL;
    show->mroute = mroute_of(call);
    show->filter = *filter;
    route_cursor_open(&show->routes, show->mroute, filter);
    return show;
}

static void close_show(void *cursor)
{
    route_cursor_close(&((struct show *)cursor)->routes);
}

static bool write_next_route(void *cursor, struct json *out)
{
    const struct route *route;
    struct route_view view;

    if (!route_cursor_look(&((struct show *)cursor)->routes, &route))
        return false;
    if (!route)
        return true;
    route_describe(route, true, &view);
    write_route(out, &view);
    return true;
}

static const struct reply_list route_list = {
    .key = "mfc_rules",
    .write_next = write_next_route,
    .close = close_show,
};

enum outcome handle_show_mfc(struct call *call, const struct args_show_mfc *args)
{
    struct mroute_filter filter = {
        .family = args->family,
        .table = args->table,
        .source = args->source,
        .group = args->group,
    };

    reply_open(call, "Multicast routes.");
    return reply_list(call, &route_list, show_begin(call, &filter));
}

static void write_vif(struct json *out, const struct vif_view *vif)
{
    json_open(out, '{');
    json_member_string(out, "name", vif->name);
    json_member_unsigned(out, "vifi", vif->vif);
    json_member_unsigned(out, "ref_count", vif->ref_count);
    json_member_unsigned(out, "ifindex", vif->ifindex);
    json_member_string(out, "family", family_name(vif->family));
    json_member_unsigned(out, "table", vif->table);
    json_member_unsigned(out, "packets_in", vif->counters.packets_in);
    json_member_unsigned(out, "bytes_in", vif->counters.bytes_in);
    json_member_unsigned(out, "packets_out", vif->counters.packets_out);
    json_member_unsigned(out, "bytes_out", vif->counters.bytes_out);
    json_close(out, '}');
}

static bool write_next_vif(void *cursor, struct json *out)
{
    struct show *show = cursor;
    struct vif_view vif;
    bool there;

    if (!vif_cursor_look(&show->vifs, show->mroute, &show->filter, &there, &vif))
        return false;
    if (there)
        write_vif(out, &vif);
    return true;
}

enum outcome handle_show_vif(struct call *call, const struct args_show_vif *args)
{
    static const struct reply_list vifs = {
        .key = "vifs", .write_next = write_next_vif, .close = close_show};
    struct mroute_filter filter = {.family = args->family, .table = args->table};

    reply_open(call, "Virtual interfaces.");
    return reply_list(call, &vifs, show_begin(call, &filter));
}

/* Each interface once, though it may have a VIF in several tables: the first one counts, which is
 * that of the default IPv4 table where there is one. */
static bool write_next_name(void *cursor, struct json *out)
{
    struct show *show = cursor;
    struct vif_view vif;
    unsigned routes;
    bool there;

    if (!vif_cursor_look(&show->vifs, show->mroute, &show->filter, &there, &vif))
        return false;
    if (!there || !vif_is_first(show->mroute, &vif, &routes))
        return true;
    json_key(out, vif.name);
    json_open(out, '{');
    json_member_unsigned(out, "vifi", vif.vif);
    json_member_unsigned(out, "ref_count", routes);
    json_member_unsigned(out, "ifindex", vif.ifindex);
    json_close(out, '}');
    return true;
}

enum outcome handle_show(struct call *call, const struct args_show *args)
{
    static const struct reply_list names = {
        .key = "vif_map", .is_object = true, .write_next = write_next_name, .then = &route_list};
    struct mroute_filter everything = {0};

    (void)args;
    reply_open(call, "Multicast routing.");
    return reply_list(call, &names, show_begin(call, &everything));
}

/* --- Events -------------------------------------------------------------------------------- */

static const char *const event_topics[] = {
#define R(name, topic) [ROUTE_##name##_EVENT] = topic,
    ROUTE_EVENTS(R)
#undef R
};

/* A learned route is seen by those who hold the one that it was learned for. */
static void publish(struct events *events, const char *topic, const struct json *payload,
                    const struct route *route)
{
    const struct resource *resource = route_resource(route->learned ? route->learned->by : route);
    struct target target;

    mroute_ops.get_target(route_resource(route), &target);
    events_publish(events, topic, payload,
                   &(struct event_subject){mroute_ops.read_verb, &target, resource});
}

void publish_route(struct events *events, enum route_event event, const struct route *route)
{
    struct json payload = {.limit = OUT_MAX};
    struct route_view view;

    if (!events_wanted(events, event_topics[event]))
        return;
    route_describe(route, true, &view);
    write_route(&payload, &view);
    publish(events, event_topics[event], &payload, route);
    json_clear(&payload);
}

/* The members of the route that lost, and what it lost; who took it may be none of its holder's
 * business. */
void publish_overridden(struct events *events, const struct route *loser,
                        const struct prefix *source, const struct prefix *group)
{
    struct json payload = {.limit = OUT_MAX};
    struct route_view view;

    if (!events_wanted(events, MFC_OVERRIDDEN))
        return;
    route_describe(loser, true, &view);
    json_open(&payload, '{');
    write_members(&payload, &view);
    json_key(&payload, "lost");
    json_open(&payload, '{');
    write_key(&payload, source, group);
    json_close(&payload, '}');
    json_close(&payload, '}');
    publish(events, MFC_OVERRIDDEN, &payload, loser);
    json_clear(&payload);
}

void publish_upcall(struct mroute_kind *kind, uint8_t family, uint32_t table,
                    const struct upcall *upcall)
{
    const char *topic = upcall->kind == UPCALL_NO_ROUTE ? "mfc.no-route" : "mfc.wrong-interface";
    struct prefix source = prefix_single(&upcall->source), group = prefix_single(&upcall->group);
    const char *iif = mroute_vif_name(kind->mroute, family, table, upcall->vif);
    struct target target = {.group = group, .table = table};
    struct json payload = {.limit = OUT_MAX};

    if (!events_wanted(kind->host.events, topic))
        return;
    target_add_interface(&target, iif);
    json_open(&payload, '{');
    write_key(&payload, &source, &group);
    json_member_string(&payload, "iif", iif);
    json_member_string(&payload, "family", family_name(family));
    json_member_unsigned(&payload, "table", table);
    json_member_unsigned(&payload, "vifi", upcall->vif);
    json_close(&payload, '}');
    events_publish(kind->host.events, topic, &payload,
                   &(struct event_subject){mroute_ops.read_verb, &target, NULL});
    json_clear(&payload);
}
