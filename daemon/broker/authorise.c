#include "authorise.h"

#include "services.h"

#include <stdio.h>
#include <string.h>

/* More than there is room for are taken for all there are. */
static void add_interface(struct target *target, const char *name)
{
    for (unsigned i = 0; i < target->interface_count; i++)
        if (strcmp(target->interfaces[i], name) == 0)
            return;
    if (target->interface_count == TARGET_INTERFACES_MAX)
        target->everywhere = true;
    else if (name[0])
        target->interfaces[target->interface_count++] = name;
}

static void add_interfaces(struct target *target, const struct interface_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        add_interface(target, list->names[i].text);
}

static void add_field(struct target *target, const struct field *field, const char *args)
{
    const void *value = args + field->offset;

    switch (field->type) {
    case FIELD_interface:
        add_interface(target, ((const struct interface_name *)value)->text);
        break;
    case FIELD_interfaces:
        add_interfaces(target, value);
        break;
    case FIELD_group:
        target->group = *(const struct prefix *)value;
        break;
    case FIELD_table:
        target->table = *(const uint32_t *)value;
        break;
    default:
        break;
    }
}

/* A route that is replaced or deleted was somebody's: its interfaces are meant as well. */
static void add_route(struct target *target, const struct route *route)
{
    struct route_view view;

    if (!route)
        return;
    route_describe(route, false, &view);
    add_interface(target, view.iif);
    for (uint32_t i = 0; i < view.oif_count; i++)
        add_interface(target, view.oifs[i].name);
}

/* All routes of one source and group, or the one from the interface iif. */
static void add_routes(struct target *target, const struct route *route, const char *iif)
{
    for (; route; route = mroute_find_next(route)) {
        struct route_view view;

        route_describe(route, false, &view);
        if (!iif[0] || strcmp(view.iif, iif) == 0)
            add_route(target, route);
    }
}

void target_of(const struct call *call, struct target *ret)
{
    const struct request *request = &call->request;
    const struct action_row *row = action_row(request->action);
    const struct mroute *mroute = call->services->mroute;

    bool has_table = false;

    *ret = (struct target){0};
    for (size_t i = 0; i < row->field_count; i++) {
        add_field(ret, &row->fields[i], (const char *)&request->args);
        has_table |= row->fields[i].type == FIELD_table;
    }
    const struct args_add_mfc *add = &request->args.add_mfc;
    const struct args_del_mfc *del = &request->args.del_mfc;

    if (has_table && ret->group.address.family)
        ret->table = family_table(ret->group.address.family, ret->table);
    if (request->action == ACTION_ADD_MFC)
        add_route(ret, mroute_find(mroute, &add->source, &add->group, add->iif.text, ret->table));
    if (request->action == ACTION_DEL_MFC)
        add_routes(ret, mroute_find(mroute, &del->source, &del->group, NULL, ret->table),
                   del->iif.text);
    if (ret->everywhere)
        ret->interface_count = 0;
}

/* The lease that the request is about: the new one, or the one that is taken back. */
static uint64_t lease_of(const struct call *call)
{
    uint64_t id;

    if (call->request.action == ACTION_REVOKE &&
        lease_id_parse(call->request.args.revoke.lease.text, &id))
        return id;
    return call->lease.id;
}

static void record(const struct call *call, const char *verb, const struct decision *decision,
                   const struct target *target)
{
    const struct action_row *row = action_row(call->request.action);
    struct audit_record line = {
        .verdict = decision->allowed ? AUDIT_GRANTED : AUDIT_REFUSED,
        .action = row->name,
        .verb = verb,
        .target = target,
        .rule = decision->rule      ? decision->rule->name
                : decision->allowed ? "administrator"
                                    : "none",
        .lease = lease_of(call),
        .uid = call->peer->uid,
        .pid = call->peer->pid,
    };

    audit_write(&call->services->audit, &line);
}

static bool refuse(const struct call *call, const char *verb, const struct decision *decision,
                   const struct target *target, struct error *error)
{
    char text[AUDIT_TARGET_MAX];

    target_format(target, text, sizeof text);
    if (call->services->policy.closed)
        return error_set(error, ERROR_NOT_ALLOWED, NULL,
                         "User %u may not do %s on %s: the policy has mistakes, so the service "
                         "does only what root asks until it is correct. Tell your administrator; "
                         "the log and 'netbroker status' name the mistakes.",
                         (unsigned)call->peer->uid, verb, text);
    if (decision->rule)
        return error_set(error, ERROR_NOT_ALLOWED, NULL,
                         "User %u may not do %s on %s: the rule 'deny %s' forbids it. Ask your "
                         "administrator, who writes the policy; see netbroker-policy(5).",
                         (unsigned)call->peer->uid, verb, text, decision->rule->name);
    return error_set(
        error, ERROR_NOT_ALLOWED, NULL,
        "User %u may not do %s on %s: no rule allows it. Ask your administrator for one; "
        "see netbroker-policy(5).",
        (unsigned)call->peer->uid, verb, text);
}

static bool is_reading(const char *verb)
{
    const char *dot = strrchr(verb, '.');

    return dot && strcmp(dot, ".read") == 0;
}

/* The routes of a set are decided one by one, when they come. */
static struct decision decide(const struct call *call, const char *verb,
                              const struct target *target)
{
    const struct policy *policy = &call->services->policy;

    switch (call->request.action) {
    case ACTION_BEGIN_REPLACE:
    case ACTION_COMMIT:
    case ACTION_ABORT:
        return policy_decide_somewhere(policy, call->peer, verb);
    default:
        return policy_decide(policy, call->peer, verb, target);
    }
}

static bool asks_for_lease(const struct call *call)
{
    return call->request.action == ACTION_ADD_MFC || call->request.action == ACTION_ADD_JOIN;
}

bool authorise(struct call *call, struct error *error)
{
    const char *verb = action_row(call->request.action)->policy;
    struct target target;
    struct decision decision;
    bool waited = call->lease.id != 0; /* and is recorded already */

    target_of(call, &target);
    decision = decide(call, verb, &target);
    if (decision.allowed && asks_for_lease(call) && !waited)
        call->lease = mroute_lease(call->services->mroute, call->peer->uid);
    call->lease_limit = decision.rule ? decision.rule->leases : 0;
    if (!decision.allowed || (!is_reading(verb) && !waited))
        record(call, verb, &decision, &target);
    return decision.allowed || refuse(call, verb, &decision, &target, error);
}

bool authorise_also(const struct call *call, const char *verb, struct error *error)
{
    struct target target = {0};
    struct decision decision = policy_decide(&call->services->policy, call->peer, verb, &target);

    if (decision.allowed)
        return true;
    record(call, verb, &decision, &target);
    return refuse(call, verb, &decision, &target, error);
}

static const char write_verb[] = "mroute.write";

bool authorise_route(const struct call *call, const struct args_add_mfc *args, unsigned *ret_limit,
                     struct error *error)
{
    struct call one = *call;
    struct target target;
    struct decision decision;

    one.request.action = ACTION_ADD_MFC;
    one.request.args.add_mfc = *args;
    target_of(&one, &target);
    decision = policy_decide(&call->services->policy, call->peer, write_verb, &target);
    *ret_limit = decision.rule ? decision.rule->leases : 0;
    if (decision.allowed)
        return true;
    record(&one, write_verb, &decision, &target);
    return refuse(&one, write_verb, &decision, &target, error);
}

/* All that a target can say of a route. */
static void target_of_route(const struct route *route, struct target *ret)
{
    struct route_view view;

    route_describe(route, false, &view);
    *ret = (struct target){.group = view.group, .table = view.table};
    add_route(ret, route);
    if (ret->everywhere)
        ret->interface_count = 0;
}

bool authorise_deletion(const struct call *call, const struct route *route, struct error *error)
{
    struct target target;
    struct decision decision;

    target_of_route(route, &target);
    decision = policy_decide(&call->services->policy, call->peer, write_verb, &target);
    if (decision.allowed)
        return true;
    record(call, write_verb, &decision, &target);
    return refuse(call, write_verb, &decision, &target, error);
}

void record_release(struct services *services, const struct route *route, const struct lease *lease)
{
    struct target target;

    target_of_route(route, &target);
    audit_write(&services->audit, &(struct audit_record){
                                      .verdict = AUDIT_RELEASED,
                                      .action = "DEL_MFC",
                                      .verb = write_verb,
                                      .target = &target,
                                      .rule = "-",
                                      .lease = lease->id,
                                      .uid = lease->uid,
                                  });
}

void record_join_release(struct services *services, const struct join *join,
                         const struct lease *lease)
{
    struct target target = {0};
    struct join_view view;

    join_describe(join, &view);
    add_interface(&target, view.key->iif.text);
    target.group = view.key->group;
    audit_write(&services->audit, &(struct audit_record){
                                      .verdict = AUDIT_RELEASED,
                                      .action = "DEL_JOIN",
                                      .verb = "join.write",
                                      .target = &target,
                                      .rule = "-",
                                      .lease = lease->id,
                                      .uid = lease->uid,
                                  });
}
