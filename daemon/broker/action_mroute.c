/* The actions of multicast routing: ADD_MFC, DEL_MFC, FLUSH_MFC, SHOW_MFC, SHOW_VIF, SHOW. */
#include "services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Changing ------------------------------------------------------------------------------ */

struct deferred_call {
    struct deferral deferral; /* first: the session frees it */
    struct mroute_waiter waiter;
};

static void resume_call(struct mroute_waiter *waiter, const struct error *error)
{
    struct deferred_call *call =
        (struct deferred_call *)((char *)waiter - offsetof(struct deferred_call, waiter));

    session_resume(&call->deferral, error);
}

static void cancel_call(struct deferral *deferral)
{
    struct deferred_call *call = (struct deferred_call *)deferral;

    mroute_waiter_cancel(deferral->call.services->mroute, &call->waiter);
}

bool defer_for_table(struct call *call, uint8_t family, uint32_t table)
{
    struct mroute *mroute = call->services->mroute;
    struct deferred_call *deferred = calloc(1, sizeof *deferred);

    if (!deferred)
        return false;
    deferred->waiter.resume = resume_call;
    deferred->deferral.cancel = cancel_call;
    if (mroute_table_open(mroute, family, table, &deferred->waiter)) {
        if (session_defer(&deferred->deferral, call))
            return true;
        mroute_waiter_cancel(mroute, &deferred->waiter);
    }
    free(deferred);
    return false;
}

void reply_entry(struct call *call, const struct prefix *source, const struct prefix *group,
                 const char *done)
{
    char source_text[PREFIX_TEXT_MAX], group_text[PREFIX_TEXT_MAX];
    struct prefix any = {.address = address_any(group->address.family)};

    reply_success(call, "MFC entry for (%s, %s) %s.",
                  prefix_format(source->address.family ? source : &any, source_text),
                  prefix_format(group, group_text), done);
}

/* One more lease is one too many, unless the route is the user's already. */
static bool may_hold(const struct call *call, const struct args_add_mfc *args,
                     const struct owner *owner, struct error *error)
{
    const struct route *route;

    if (users_may_hold_lease(&call->services->users, call->peer->uid, call->lease_limit, error))
        return true;
    route = mroute_find(call->services->mroute, &args->source, &args->group, args->iif.text,
                        args->table);
    return route && route_hold(route, owner);
}

static bool waits_for_table(struct call *call, const struct args_add_mfc *args)
{
    uint8_t family = args->group.address.family;

    return !args->dry_run && !mroute_table_is_open(call->services->mroute, family, args->table) &&
           defer_for_table(call, family, args->table);
}

/* Until packets are led to the table. */
static bool waits_for_rules(struct call *call, const struct args_add_mfc *args)
{
    uint8_t family = args->group.address.family;

    return !args->dry_run && mroute_rules_pending(call->services->mroute, family, args->table) &&
           defer_for_table(call, family, args->table);
}

/* What was added may have to do without packets; then the reply says so. */
static void reply_added(struct call *call, const struct args_add_mfc *args)
{
    uint32_t other = mroute_packets_elsewhere(call->services->mroute, args->group.address.family,
                                              args->table, args->iif.text);
    char done[256];

    snprintf(done, sizeof done,
             "added. No packets come to it yet: those of %s go to table %u, whose routes named it "
             "first",
             args->iif.text, other);
    reply_entry(call, &args->source, &args->group, other ? done : "added");
}

enum outcome handle_add_mfc(struct call *call, const struct args_add_mfc *args)
{
    struct owner owner = owner_of(call, args->while_connected);
    enum route_change change;
    struct error error;

    if (*session_staging(call->session)) {
        stage_route(call, args);
        return OUTCOME_REPLIED;
    }
    if (waits_for_table(call, args))
        return OUTCOME_DEFERRED;
    if (!may_hold(call, args, &owner, &error) ||
        !mroute_add(call->services->mroute, args, &owner, &change, &error))
        reply_error(call, &error);
    else if (waits_for_rules(call, args))
        return OUTCOME_DEFERRED;
    else if (!args->dry_run)
        reply_added(call, args);
    else
        reply_entry(call, &args->source, &args->group,
                    change == CHANGE_NONE       ? "is there already, nothing would be written"
                    : change == CHANGE_REPLACED ? "would be replaced"
                                                : "would be added");
    return OUTCOME_REPLIED;
}

enum outcome handle_del_mfc(struct call *call, const struct args_del_mfc *args)
{
    struct owner owner = owner_of(call, false);
    struct error error;
    size_t kept;

    owner.session = session_holds(call->session);
    if (mroute_del(call->services->mroute, args, &owner, &kept, &error))
        reply_entry(call, &args->source, &args->group,
                    kept && args->dry_run ? "would be let go of, and kept, because others hold it"
                    : kept                ? "let go of, and kept, because others hold it"
                    : args->dry_run       ? "would be deleted"
                                          : "deleted");
    else
        reply_error(call, &error);
    return OUTCOME_REPLIED;
}

/* --- Deleting all -------------------------------------------------------------------------- */

/* In slices, as 50,000 take the kernel 200 ms. It goes on although its session ends. */
struct flush {
    struct slice_job job; /* first */
    struct route_cursor cursor;
    struct owner owner;
    bool dry_run;
    size_t count;
    struct flush_call *call; /* NULL: nobody waits for the reply any more */
};

struct flush_call {
    struct deferral deferral; /* first: the session frees it */
    struct flush *flush;
};

static enum slice_step flush_next(struct slice_job *job)
{
    struct flush *flush = (struct flush *)job;

    return mroute_flush_next(&flush->cursor, &flush->owner, flush->dry_run, &flush->count)
               ? SLICE_MORE
               : SLICE_DONE;
}

static void answer_flush(struct call *call, const void *what)
{
    const struct flush *flush = what;
    struct json *out =
        reply_open(call, "%zu MFC %s %s.", flush->count, flush->count == 1 ? "entry" : "entries",
                   flush->dry_run ? "would be deleted" : "deleted");

    json_member_unsigned(out, "count", flush->count);
    reply_close(out);
}

static void end_flush(struct slice_job *job)
{
    struct flush *flush = (struct flush *)job;

    route_cursor_close(&flush->cursor);
    if (flush->call)
        session_answer(&flush->call->deferral, answer_flush, flush);
    free(flush);
}

static void leave_flush(struct deferral *deferral)
{
    struct flush *flush = ((struct flush_call *)deferral)->flush;

    flush->call = NULL;
    flush->owner.session = NULL;
}

/* False: no memory. */
static bool begin_flush(struct call *call, const struct args_flush_mfc *args)
{
    struct mroute_filter filter = {
        .family = args->family,
        .table = args->table,
        .learned = args->learned,
    };
    struct flush_call *waiting = calloc(1, sizeof *waiting);
    struct flush *flush = calloc(1, sizeof *flush);

    if (!waiting || !flush || !session_defer(&waiting->deferral, call)) {
        free(waiting);
        free(flush);
        return false;
    }
    waiting->deferral.cancel = leave_flush;
    waiting->flush = flush;
    flush->job = (struct slice_job){.step = flush_next, .end = end_flush};
    flush->owner = owner_of(call, false);
    flush->owner.session = session_holds(call->session);
    flush->dry_run = args->dry_run;
    flush->call = waiting;
    route_cursor_open(&flush->cursor, call->services->mroute, &filter);
    slices_add(&call->services->slices, &flush->job);
    return true;
}

enum outcome handle_flush_mfc(struct call *call, const struct args_flush_mfc *args)
{
    struct error error;

    if (begin_flush(call, args))
        return OUTCOME_DEFERRED;
    error_set(&error, ERROR_NO_MEMORY, NULL, "The service has no memory to delete routes.");
    reply_error(call, &error);
    return OUTCOME_REPLIED;
}

/* --- Showing ------------------------------------------------------------------------------- */

const char *const route_state_words[] = {
#define T(name, word) [ROUTE_##name] = word,
    ROUTE_STATES(T)
#undef T
};

static void write_oifs(struct json *json, const struct route_view *view)
{
    json_key(json, "oifs");
    json_open(json, '[');
    for (uint32_t i = 0; i < view->oif_count; i++)
        json_string(json, view->oifs[i].name);
    json_close(json, ']');
    if (view->family != FAMILY_IPV4)
        return;
    json_key(json, "ttls");
    json_open(json, '[');
    for (uint32_t i = 0; i < view->oif_count; i++)
        json_unsigned(json, view->oifs[i].ttl);
    json_close(json, ']');
}

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
    write_key(json, &view->source, &view->group);
    json_member_string(json, "iif", view->iif);
    write_oifs(json, view);
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
