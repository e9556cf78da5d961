#include "authorise.h"

#include "services.h"
#include "session.h"

#include <stdio.h>
#include <string.h>

/* More than there is room for are taken for all there are. */
void target_add_interface(struct target *target, const char *name)
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
        target_add_interface(target, list->names[i].text);
}

static void set_ethertypes(struct target *target, const struct ethertype_list *list)
{
    target->ethertype_count = list->count;
    memcpy(target->ethertypes, list->types, sizeof target->ethertypes);
}

/* The row says what is meant where none are given. */
static void set_sources(struct target *target, const struct field *field,
                        const struct source_list *list)
{
    target->scope.sources = *list;
    if (list->kinds == 0)
        target->scope.sources.kinds = field->fallback;
}

static void add_field(struct target *target, const struct field *field, const char *args)
{
    const void *value = args + field->offset;

    switch (field->type) {
    case FIELD_interface:
        target_add_interface(target, ((const struct interface_name *)value)->text);
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
    case FIELD_ethertypes:
        set_ethertypes(target, value);
        break;
    case FIELD_direction:
        target->directions = *(const uint8_t *)value;
        break;
    case FIELD_flag:
        if (strcmp(field->name, "promiscuous") == 0)
            target->promiscuous = *(const bool *)value;
        break;
    case FIELD_sources:
        set_sources(target, field, value);
        break;
    case FIELD_destinations:
        target->scope.destinations = *(const struct destination_list *)value;
        break;
    case FIELD_vlans:
        target->scope.vlans = *(const struct vlan_list *)value;
        break;
    case FIELD_rate:
        target->rate = *(const uint32_t *)value;
        break;
    default:
        break;
    }
}

/* What the fields of the request name. */
static void fields_of(const struct call *call, struct target *ret)
{
    const struct request *request = &call->request;
    const struct action_row *row = action_row(request->action);
    bool has_table = false;

    *ret = (struct target){0};
    for (size_t i = 0; i < row->field_count; i++) {
        add_field(ret, &row->fields[i], (const char *)&request->args);
        has_table |= row->fields[i].type == FIELD_table;
    }
    if (has_table && ret->group.address.family)
        ret->table = family_table(ret->group.address.family, ret->table);
}

void target_of(const struct call *call, struct target *ret)
{
    const struct request *request = &call->request;
    const struct resource_ops *kind = kind_of_verb(action_row(request->action)->policy);

    fields_of(call, ret);
    /* What is replaced or deleted was somebody's: its interfaces are meant as well. */
    if (kind && kind->add_displaced)
        kind->add_displaced(kind_self(&call->services->kinds, kind), request, ret);
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
        .peer = call->peer,
    };
}

static bool has_flag(const struct call *call, enum action_flags flag)
{
    return (action_row(call->request.action)->flags & flag) != 0;
}

/* Whether the request would change something, if it were allowed. */
static bool is_change(const struct call *call)
{
    return has_flag(call, ACTION_CHANGES) && !request_flag(&call->request, "dry_run");
}

static void record_refusal(const struct call *call, const char *verb,
                           const struct decision *decision, const struct target *target)
{
    struct audit *audit = &call->services->audit;
    enum audit_verdict verdict = is_change(call) ? AUDIT_REFUSED : AUDIT_REFUSED_LOOK;
    const char *rule = decision->rule ? decision->rule->name : "none";
    char text[AUDIT_TARGET_MAX];
    bool told = audit_has_room(audit, call->peer->uid, verdict);
    struct audit_record line = make_record(call, verdict, verb, rule,
                                           told ? target_format(target, text, sizeof text) : NULL);

    audit_write(audit, &line);
}

struct reader call_reader(const struct call *call)
{
    return (struct reader){&call->services->policy, call->peer};
}

/* What the request is about, as far as the peer may know it: the interfaces of what it would
 * replace or delete may be others'. */
static void format_readable(const struct call *call, const struct target *target, char *text,
                            size_t size)
{
    const struct resource_ops *kind = kind_of_verb(action_row(call->request.action)->policy);
    struct reader reader = call_reader(call);
    struct target fields;

    if (!kind || !kind->add_displaced || reader_may_read(&reader, kind->read_verb, target)) {
        target_format(target, text, size);
        return;
    }
    fields_of(call, &fields);
    target_format(&fields, text, size);
    if (fields.interface_count < target->interface_count)
        snprintf(text + strlen(text), size - strlen(text), " and what is there");
}

static bool refuse(const struct call *call, const char *verb, const struct decision *decision,
                   const struct target *target, struct error *error)
{
    char text[AUDIT_TARGET_MAX], user[PEER_TEXT_MAX];

    peer_format(call->services->names, call->peer, user);
    format_readable(call, target, text, sizeof text);
    if (call->services->policy.closed)
        return error_set(error, ERROR_NOT_ALLOWED, NULL,
                         "User %s may not do %s on %s: the policy has mistakes, and only root "
                         "may do anything until they are corrected. Tell your administrator; "
                         "the log and 'netbroker status' list the mistakes.",
                         user, verb, text);
    if (decision->rule)
        return error_set(error, ERROR_NOT_ALLOWED, NULL,
                         "User %s may not do %s on %s: the rule 'deny %s' forbids it. Ask your "
                         "administrator, who writes the policy; see netbroker-policy(5).",
                         user, verb, text, decision->rule->name);
    return error_set(
        error, ERROR_NOT_ALLOWED, NULL,
        "User %s may not do %s on %s: no rule%s allows it. Ask your administrator for one; "
        "see netbroker-policy(5).",
        user, verb, text, call->peer->elsewhere ? " with 'netns = any'" : "");
}

/* Whether what the request is done to is decided one by one, when it is known. That is not so where
 * its fields reach beyond what the peer holds. */
static bool is_decided_later(const struct request *request)
{
    unsigned flags = action_row(request->action)->flags;

    return (flags & (ACTION_DECIDED_LATER | ACTION_TELLS_RIGHTS)) &&
           !request_flag(request, "all") && !request_flag(request, "learned");
}

/* What the peer holds is shown to it, so whoever may hold something is not refused; who may do
 * nothing of the kind is, for the verb. */
static struct decision decide_list(const struct policy *policy, const struct peer *peer,
                                   const char *verb, const struct target *target)
{
    struct decision decision = policy_decide(policy, peer, verb, target), other;
    size_t name = (size_t)(strchr(verb, '.') - verb) + 1;

    for (enum action action = 0; action < ACTION_COUNT && !decision.allowed; action++) {
        if (strncmp(action_row(action)->policy, verb, name) != 0)
            continue;
        other = policy_decide_somewhere(policy, peer, action_row(action)->policy);
        if (other.allowed)
            decision = other;
    }
    return decision;
}

static struct decision decide(const struct call *call, const char *verb,
                              const struct target *target)
{
    const struct policy *policy = &call->services->policy;

    if (has_flag(call, ACTION_LISTS_OWN))
        return decide_list(policy, call->peer, verb, target);
    return is_decided_later(&call->request) ? policy_decide_somewhere(policy, call->peer, verb)
                                            : policy_decide(policy, call->peer, verb, target);
}

/* Whether a deletion names what is not there, and the peer may know that: who may read what there
 * is is told so, and not that the policy forbids to delete it. *error is the answer. */
static bool is_missing(const struct call *call, const struct target *target, struct error *error)
{
    const struct resource_ops *kind = kind_of_verb(action_row(call->request.action)->policy);
    struct reader reader = call_reader(call);

    if (!has_flag(call, ACTION_DELETES) || !kind)
        return false;
    return reader_may_read(&reader, kind->read_verb, target) &&
           kind->is_missing(kind_self(&call->services->kinds, kind), &call->request,
                            call->peer->uid, error);
}

/* Of what is allowed. */
static enum audit_verdict verdict_of(const struct call *call)
{
    return has_flag(call, ACTION_STAGED) && *call_collected(call) ? AUDIT_STAGED : AUDIT_GRANTED;
}

/* What is granted is recorded when it is done, because then what it names may be gone. */
static void prepare_record(const struct call *call, const struct decision *decision,
                           const struct target *target, struct grant *ret)
{
    ret->wanted = is_change(call);
    if (!ret->wanted)
        return;
    ret->rule = decision->rule      ? decision->rule->name
                : decision->allowed ? "administrator"
                                    : "none";
    ret->told = audit_has_room(&call->services->audit, call->peer->uid, verdict_of(call));
    if (ret->told)
        target_format(target, ret->target, sizeof ret->target);
}

void record_grant(struct call *call)
{
    struct grant *grant = &call->grant;
    struct audit_record line;

    if (!grant->wanted)
        return;
    grant->wanted = false;
    line = make_record(call, verdict_of(call), action_row(call->request.action)->policy,
                       grant->rule, grant->told ? grant->target : NULL);
    audit_write(&call->services->audit, &line);
}

/* --- What others would lose ---------------------------------------------------------------- */

/* To judge one takes up to 1 us, and one range may be around 60,000 of others. */
enum { LOSERS_MAX = 256 };

/* Whether the peer may take from others what its request would. */
struct judgement {
    const struct call *call;
    const char *verb;
    unsigned count;               /* of losers, so far */
    bool too_many;                /* more than are judged for one request */
    const struct resource *loser; /* the first one that it may not take from, or NULL */
    struct target lost;
    struct decision decision;
};

static bool judge(void *context, const struct resource *loser, const struct target *lost)
{
    struct judgement *judgement = context;
    const struct call *call = judgement->call;

    judgement->too_many = ++judgement->count > LOSERS_MAX && !call_is_administrator(call);
    if (judgement->too_many)
        return false;
    judgement->decision = policy_decide(&call->services->policy, call->peer, judgement->verb, lost);
    if (judgement->decision.allowed)
        return true;
    judgement->loser = loser;
    judgement->lost = *lost;
    return false;
}

static const char *holder_text(const struct call *call, const struct resource *resource,
                               const struct target *target, char text[USER_TEXT_MAX + 8])
{
    const struct lease *first = resource_first_lease(resource);
    struct reader reader = call_reader(call);
    char user[USER_TEXT_MAX];

    if (first && first->kind == HOLDER_CONFIGURATION)
        return "The configuration";
    if (!first || first->kind == HOLDER_FOUND || !reader_may_read(&reader, "lease.read", target))
        return "Another user";
    snprintf(text, USER_TEXT_MAX + 8, "User %s",
             user_format(call->services->names, first->info.uid, user));
    return text;
}

/* The interfaces as a list, cut where they are many. */
static const char *interfaces_text(const struct target *target, char *text, size_t size)
{
    struct target only = *target;

    only.group = (struct prefix){0};
    only.table = 0;
    return target_format(&only, text, size);
}

static bool refuse_overriding(const struct judgement *judgement, struct error *error)
{
    const struct call *call = judgement->call;
    const struct resource *loser = judgement->loser;
    const struct rule *rule = judgement->decision.rule;
    struct reader reader = call_reader(call);
    char what[RESOURCE_TEXT_MAX], whose[USER_TEXT_MAX + 8], why[RULE_NAME_MAX + 40], text[128];

    snprintf(why, sizeof why, rule ? "the rule 'deny %s' forbids it" : "no rule allows it",
             rule ? rule->name : "");
    if (!reader_may_see(&reader, loser))
        return error_set(error, ERROR_IN_USE, NULL,
                         "What others hold here, which you may not read, would lose packets to "
                         "this. You need %s on its interfaces, too, but %s. Ask your "
                         "administrator, or use another group or table.",
                         judgement->verb, why);
    loser->ops->describe(loser, what);
    return error_set(error, ERROR_IN_USE, NULL,
                     "%s holds %s, which would lose packets to this. You need %s on its %s, but "
                     "%s. Ask your administrator, or use another group or table.",
                     holder_text(call, loser, &judgement->lost, whose), what, judgement->verb,
                     interfaces_text(&judgement->lost, text, sizeof text), why);
}

/* Whether the peer may take from others what the call's request would take. */
static bool may_override(const struct call *call, const char *verb, struct error *error)
{
    const struct resource_ops *kind = kind_of_verb(verb);
    struct judgement judgement; /* what is lost is filled in with its loser */
    struct holder holder;

    if (!kind || !kind->visit_overridden)
        return true;
    judgement.call = call;
    judgement.verb = verb;
    judgement.loser = NULL;
    judgement.count = 0;
    judgement.too_many = false;
    holder = call_holder(call, false);
    kind->visit_overridden(kind_self(&call->services->kinds, kind), &call->request, &holder, judge,
                           &judgement);
    if (judgement.too_many)
        return error_set(error, ERROR_LIMIT, NULL,
                         "Of others more than %d %ss would lose packets to this, more than one "
                         "request may take from. Name fewer groups, or sources, or ask your "
                         "administrator to add it.",
                         LOSERS_MAX, kind->noun);
    if (!judgement.loser)
        return true;
    record_refusal(call, verb, &judgement.decision, &judgement.lost);
    return refuse_overriding(&judgement, error);
}

/* --- The gate ------------------------------------------------------------------------------ */

bool authorise(struct call *call, struct error *error)
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
    if (!may_override(call, verb, error))
        return false;
    if (has_flag(call, ACTION_WANTS_LEASE) && call->lease.id == 0)
        call->lease = lease_prepare(&call->services->leases, call->peer->uid);
    call->lease_limit = decision.rule ? decision.rule->leases : 0;
    call->rate_limit = decision.rule ? decision.rule->rate : 0;
    prepare_record(call, &decision, &target, &call->grant);
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

/* Holds what is changed by another request than its own against the policy. */
static bool authorise_target(const struct call *call, const char *verb, const struct target *target,
                             unsigned *ret_limit, struct error *error)
{
    struct decision decision = policy_decide(&call->services->policy, call->peer, verb, target);

    *ret_limit = decision.rule ? decision.rule->leases : 0;
    if (decision.allowed)
        return true;
    record_refusal(call, verb, &decision, target);
    return refuse(call, verb, &decision, target, error);
}

bool authorise_request(const struct call *call, const struct request *request, unsigned *ret_limit,
                       struct error *error)
{
    struct call one = *call;
    struct target target;

    one.request = *request;
    target_of(&one, &target);
    return authorise_target(&one, action_row(request->action)->policy, &target, ret_limit, error) &&
           may_override(&one, action_row(request->action)->policy, error);
}

bool authorise_release(const struct call *call, const struct resource *resource,
                       struct error *error)
{
    struct target target;
    unsigned unused;

    resource->ops->get_target(resource, &target);
    return authorise_target(call, action_row(call->request.action)->policy, &target, &unused,
                            error);
}

void record_stranger(struct services *services, const struct peer *peer)
{
    struct audit_record line = {
        .verdict = AUDIT_REFUSED_LOOK,
        .action = "connect",
        .verb = "-",
        .target = "",
        .rule = "none",
        .uid = peer->uid,
        .pid = peer->pid,
        .peer = peer,
    };

    audit_write(&services->audit, &line);
}

void record_release(struct services *services, const struct lease *lease)
{
    const struct resource_ops *ops = lease->resource->ops;
    char text[AUDIT_TARGET_MAX];
    struct target target;
    struct audit_record line = {
        .verdict = AUDIT_RELEASED,
        .action = ops->end_action,
        .verb = action_row(action_find(ops->end_action))->policy,
        .rule = "-",
        .lease = lease->info.id,
        .uid = lease->info.uid,
    };

    if (audit_has_room(&services->audit, line.uid, AUDIT_RELEASED)) {
        ops->get_target(lease->resource, &target);
        line.target = target_format(&target, text, sizeof text);
    }
    audit_write(&services->audit, &line);
}
