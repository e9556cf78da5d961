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

/* Fills the record; rule and text are borrowed. */
static struct audit_record make_record(const struct call *call, enum audit_verdict verdict,
                                       const char *verb, const char *rule, const char *target)
{
    return (struct audit_record){
        .verdict = verdict,
        .action = action_row(call->request.action)->name,
        .verb = verb,
        .target = target,
        .rule = rule,
        .lease = lease_of(call),
        .uid = call->peer->uid,
        .pid = call->peer->pid,
    };
}

static void record_refusal(const struct call *call, const char *verb,
                           const struct decision *decision, const struct target *target)
{
    struct audit *audit = &call->services->audit;
    const char *rule = decision->rule ? decision->rule->name : "none";
    char text[AUDIT_TARGET_MAX];
    bool told = audit_has_room(audit, AUDIT_REFUSED);
    struct audit_record line = make_record(call, AUDIT_REFUSED, verb, rule,
                                           told ? target_format(target, text, sizeof text) : NULL);

    audit_write(audit, &line);
}

static bool refuse(const struct call *call, const char *verb, const struct decision *decision,
                   const struct target *target, struct error *error)
{
    char text[AUDIT_TARGET_MAX], user[USER_TEXT_MAX];

    user_format(call->services->names, call->peer->uid, user);
    target_format(target, text, sizeof text);
    if (call->services->policy.closed)
        return error_set(error, ERROR_NOT_ALLOWED, NULL,
                         "User %u may not do %s on %s: the policy has mistakes, and only root "
                         "may do anything until they are corrected. Tell your administrator; "
                         "the log and 'netbroker status' list the mistakes.",
                         (unsigned)call->peer->uid, verb, text);
    if (decision->rule)
        return error_set(error, ERROR_NOT_ALLOWED, NULL,
                         "User %s may not do %s on %s: the rule 'deny %s' forbids it. Ask your "
                         "administrator, who writes the policy; see netbroker-policy(5).",
                         user, verb, text, decision->rule->name);
    return error_set(
        error, ERROR_NOT_ALLOWED, NULL,
        "User %s may not do %s on %s: no rule allows it. Ask your administrator for one; "
        "see netbroker-policy(5).",
        user, verb, text);
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
    case ACTION_FLUSH_MFC:
        return flush_is_of_own(&call->request.args.flush_mfc)
                   ? policy_decide_somewhere(policy, call->peer, verb)
                   : policy_decide(policy, call->peer, verb, target);
    default:
        return policy_decide(policy, call->peer, verb, target);
    }
}

static bool asks_for_lease(const struct call *call)
{
    return call->request.action == ACTION_ADD_MFC || call->request.action == ACTION_ADD_JOIN;
}

static bool is_dry_run(const struct request *request)
{
    switch (request->action) {
    case ACTION_ADD_MFC:
        return request->args.add_mfc.dry_run;
    case ACTION_DEL_MFC:
        return request->args.del_mfc.dry_run;
    case ACTION_FLUSH_MFC:
        return request->args.flush_mfc.dry_run;
    case ACTION_COMMIT:
        return request->args.commit.dry_run;
    case ACTION_ADD_JOIN:
        return request->args.add_join.dry_run;
    case ACTION_DEL_JOIN:
        return request->args.del_join.dry_run;
    default:
        return false;
    }
}

/* Whether a deletion names what is not there, and the peer may know that: who may read the routes
 * or joins is told so, and not that the policy forbids to delete it. Nothing is changed here;
 * *error is the answer. */
static bool is_missing(const struct call *call, const struct target *target, struct error *error)
{
    struct request request = call->request;
    struct owner owner = {.lease = {.uid = call->peer->uid}};
    const char *verb = request.action == ACTION_DEL_MFC ? "mroute.read" : "join.read";
    struct route_deletion unused;
    bool kept;

    if ((request.action != ACTION_DEL_MFC && request.action != ACTION_DEL_JOIN) ||
        !policy_decide(&call->services->policy, call->peer, verb, target).allowed)
        return false;
    if (request.action == ACTION_DEL_JOIN) {
        const struct args_del_join *args = &request.args.del_join;
        struct join_key key = {args->source, args->group, args->iif};

        return !joins_del(call->services->joins, &key, &owner, true, &kept, error) &&
               error->code == ERROR_NOT_FOUND;
    }
    request.args.del_mfc.dry_run = true;
    return !mroute_del(call->services->mroute, &request.args.del_mfc, &owner, &unused, error) &&
           error->code == ERROR_NOT_FOUND;
}

/* What is granted is recorded when it is done, because then a route that it names may be gone. */
static void prepare_record(const struct call *call, const char *verb,
                           const struct decision *decision, const struct target *target,
                           struct grant *ret)
{
    ret->wanted = !is_reading(verb) && !is_dry_run(&call->request);
    if (!ret->wanted)
        return;
    ret->rule = decision->rule      ? decision->rule->name
                : decision->allowed ? "administrator"
                                    : "none";
    ret->told = audit_has_room(&call->services->audit, AUDIT_GRANTED);
    if (ret->told)
        target_format(target, ret->target, sizeof ret->target);
}

void record_grant(const struct call *call, const struct grant *grant)
{
    bool staged = call->request.action == ACTION_ADD_MFC && *session_staging(call->session);
    struct audit_record line;

    if (!grant->wanted)
        return;
    line = make_record(call, staged ? AUDIT_STAGED : AUDIT_GRANTED,
                       action_row(call->request.action)->policy, grant->rule,
                       grant->told ? grant->target : NULL);
    audit_write(&call->services->audit, &line);
}

void record_late_grant(const struct call *call)
{
    const char *verb = action_row(call->request.action)->policy;
    struct decision decision;
    struct target target;
    struct grant grant;

    target_of(call, &target);
    decision = decide(call, verb, &target);
    prepare_record(call, verb, &decision, &target, &grant);
    record_grant(call, &grant);
}

bool authorise(struct call *call, struct grant *ret, struct error *error)
{
    const char *verb = action_row(call->request.action)->policy;
    struct target target;
    struct decision decision;

    target_of(call, &target);
    decision = decide(call, verb, &target);
    if (!decision.allowed) {
        if (is_missing(call, &target, error))
            return false;
        record_refusal(call, verb, &decision, &target);
        return refuse(call, verb, &decision, &target, error);
    }
    if (asks_for_lease(call) && call->lease.id == 0)
        call->lease = mroute_lease(call->services->mroute, call->peer->uid);
    call->lease_limit = decision.rule ? decision.rule->leases : 0;
    prepare_record(call, verb, &decision, &target, ret);
    return true;
}

bool authorise_also(const struct call *call, const char *verb, struct error *error)
{
    struct target target = {0};
    struct decision decision = policy_decide(&call->services->policy, call->peer, verb, &target);

    if (decision.allowed)
        return true;
    record_refusal(call, verb, &decision, &target);
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
    record_refusal(&one, write_verb, &decision, &target);
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
    record_refusal(call, write_verb, &decision, &target);
    return refuse(call, write_verb, &decision, &target, error);
}

/* A lease of this user ended, on what the target names. */
static void record_end(struct services *services, const char *action, const char *verb,
                       const struct target *target, const struct lease *lease)
{
    char text[AUDIT_TARGET_MAX];
    struct audit_record line = {
        .verdict = AUDIT_RELEASED,
        .action = action,
        .verb = verb,
        .rule = "-",
        .lease = lease->id,
        .uid = lease->uid,
    };

    if (audit_has_room(&services->audit, AUDIT_RELEASED))
        line.target = target_format(target, text, sizeof text);
    audit_write(&services->audit, &line);
}

void record_release(struct services *services, const struct route *route, const struct lease *lease)
{
    struct target target;

    target_of_route(route, &target);
    record_end(services, "DEL_MFC", write_verb, &target, lease);
}

void record_join_release(struct services *services, const struct join *join,
                         const struct lease *lease)
{
    struct target target = {0};
    struct join_view view;

    join_describe(join, &view);
    add_interface(&target, view.key->iif.text);
    target.group = view.key->group;
    record_end(services, "DEL_JOIN", "join.write", &target, lease);
}
