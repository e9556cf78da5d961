/* How routes are shown: SHOW_MFC, SHOW_VIF, SHOW, and the events that tell of them. */
#include "route_json.h"
#include "services.h"

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
    const struct hold *first = holding_first(view->holding);

    json_member_string(json, "origin",
                       view->learned ? "learned"
                                     : hold_kind_word(first ? first->kind : HOLD_FOUND));
    if (!view->learned)
        json_member_unsigned(json, "owners", holding_count(view->holding));
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

/* A reply that lists routes, slice by slice: any number of them costs the memory of one slice. */
struct route_listing {
    struct producer producer;
    struct route_cursor cursor;
    void (*write)(struct json *out, const struct route *route);
};

static bool list_more(struct producer *producer, struct json *out)
{
    struct route_listing *listing = (struct route_listing *)producer;
    const struct route *route;

    while (out->length < OUT_PAUSE) {
        route = route_cursor_next(&listing->cursor);
        if (!route) {
            json_close(out, ']');
            reply_close(out);
            return false;
        }
        listing->write(out, route);
    }
    return true;
}

static void destroy_listing(struct producer *producer)
{
    struct route_listing *listing = (struct route_listing *)producer;

    route_cursor_close(&listing->cursor);
    free(listing);
}

void reply_routes(struct call *call, struct json *out, const char *key,
                  const struct mroute_filter *filter,
                  void (*write)(struct json *out, const struct route *route))
{
    struct route_listing *listing = calloc(1, sizeof *listing);

    if (!listing) {
        out->failed = true; /* the session answers that there is no memory */
        return;
    }
    listing->producer = (struct producer){list_more, destroy_listing};
    listing->write = write;
    route_cursor_open(&listing->cursor, call->services->mroute, filter);
    json_key(out, key);
    json_open(out, '[');
    if (list_more(&listing->producer, out))
        session_produce(call->session, &listing->producer);
    else
        destroy_listing(&listing->producer);
}

static void write_rule(struct json *out, const struct route *route)
{
    struct route_view view;

    route_describe(route, true, &view);
    write_route(out, &view);
}

enum outcome handle_show_mfc(struct call *call, const struct args_show_mfc *args)
{
    struct mroute_filter filter = {
        .family = args->family,
        .table = args->table,
        .source = args->source,
        .group = args->group,
    };

    reply_routes(call, reply_open(call, "Multicast routes."), "mfc_rules", &filter, write_rule);
    return OUTCOME_REPLIED;
}

static void write_vif(void *context, const struct vif_view *vif)
{
    struct json *out = context;

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

enum outcome handle_show_vif(struct call *call, const struct args_show_vif *args)
{
    struct mroute_filter filter = {.family = args->family, .table = args->table};
    struct json *out = reply_open(call, "Virtual interfaces.");

    json_key(out, "vifs");
    json_open(out, '[');
    mroute_visit_vifs(call->services->mroute, &filter, write_vif, out);
    json_close(out, ']');
    reply_close(out);
    return OUTCOME_REPLIED;
}

/* SHOW names each interface once, though it may have a VIF in several tables: the first one
 * counts, which is that of the default IPv4 table where there is one. */
enum { VIF_NAMES_MAX = TABLES_MAX * VIFS_MAX };

struct vif_names {
    struct vif_view views[VIF_NAMES_MAX];
    size_t count;
};

static void merge_vif(void *context, const struct vif_view *vif)
{
    struct vif_names *names = context;

    for (size_t i = 0; i < names->count; i++)
        if (names->views[i].ifindex == vif->ifindex) {
            names->views[i].ref_count += vif->ref_count;
            return;
        }
    if (names->count < VIF_NAMES_MAX)
        names->views[names->count++] = *vif;
}

static void write_vif_map(struct json *out, const struct vif_names *names)
{
    json_key(out, "vif_map");
    json_open(out, '{');
    for (size_t i = 0; i < names->count; i++) {
        json_key(out, names->views[i].name);
        json_open(out, '{');
        json_member_unsigned(out, "vifi", names->views[i].vif);
        json_member_unsigned(out, "ref_count", names->views[i].ref_count);
        json_member_unsigned(out, "ifindex", names->views[i].ifindex);
        json_close(out, '}');
    }
    json_close(out, '}');
}

enum outcome handle_show(struct call *call, const struct args_show *args)
{
    struct mroute_filter everything = {0};
    struct vif_names *names = calloc(1, sizeof *names);
    struct json *out = reply_open(call, "Multicast routing.");

    (void)args;
    if (!names) {
        out->failed = true;
        return OUTCOME_REPLIED;
    }
    mroute_visit_vifs(call->services->mroute, &everything, merge_vif, names);
    write_vif_map(out, names);
    free(names);
    reply_routes(call, out, "mfc_rules", &everything, write_rule);
    return OUTCOME_REPLIED;
}

/* --- Events -------------------------------------------------------------------------------- */

static const char *const news_topics[] = {
#define R(name, topic) [ROUTE_##name##_NEWS] = topic,
    ROUTE_NEWS(R)
#undef R
};

void publish_route(struct services *services, enum route_news news, const struct route *route)
{
    struct json payload = {.limit = OUT_MAX};
    struct route_view view;

    if (!events_wanted(&services->events, news_topics[news]))
        return;
    route_describe(route, true, &view);
    write_route(&payload, &view);
    events_publish(&services->events, news_topics[news], &payload);
    json_clear(&payload);
}

void publish_upcall(struct services *services, uint8_t family, uint32_t table,
                    const struct upcall *upcall)
{
    const char *topic = upcall->kind == UPCALL_NO_ROUTE ? "mfc.no-route" : "mfc.wrong-interface";
    struct prefix source = prefix_single(&upcall->source), group = prefix_single(&upcall->group);
    struct json payload = {.limit = OUT_MAX};

    if (!events_wanted(&services->events, topic))
        return;
    json_open(&payload, '{');
    write_key(&payload, &source, &group);
    json_member_string(&payload, "iif",
                       mroute_vif_name(services->mroute, family, table, upcall->vif));
    json_member_string(&payload, "family", family_name(family));
    json_member_unsigned(&payload, "table", table);
    json_member_unsigned(&payload, "vifi", upcall->vif);
    json_close(&payload, '}');
    events_publish(&services->events, topic, &payload);
    json_clear(&payload);
}
