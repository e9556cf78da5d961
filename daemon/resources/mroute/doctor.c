#include "doctor.h"

#include "doctor_checks.h"

#include <string.h>

const char *verdict_word(enum verdict verdict)
{
    static const char *const words[] = {
#define V(name, word) [VERDICT_##name] = word,
        VERDICTS(V)
#undef V
    };

    return words[verdict];
}

void checks_run(struct examination *e, const struct check *checks, size_t count)
{
    for (size_t i = 0; i < count && !e->hopeless; i++) {
        e->check = checks[i].word;
        checks[i].run(e);
    }
}

static const struct address *known(const struct address *address)
{
    return address->family && !address_is_any(address) ? address : NULL;
}

/* What is wanted of an interface is looked at for each one that a pattern means, but only what is
 * wrong is told. */
static void examine_pattern(struct examination *e)
{
    const struct link_info *link = NULL;

    e->quiet = e->one_of_many = true;
    while ((link = links_next(e->links, link))) {
        if (!port_name_matches(e->pattern, link->name))
            continue;
        e->iif = link->name;
        e->iif_link = link;
        e->hopeless = false;
        checks_run(e, interface_checks, interface_check_count);
    }
}

/* The interface, or the pattern, that packets are to come in by. */
static void set_iif(struct examination *e, const char *iif)
{
    e->pattern = iif && port_name_is_pattern(iif) ? iif : NULL;
    e->iif = e->pattern ? NULL : iif;
    e->iif_link = e->iif ? links_find(e->links, e->iif) : NULL;
}

/* What is known of the question, with the route. */
static struct examination open_flow(struct mroute *mroute, const struct links *links,
                                    const struct args_diagnose *question)
{
    struct examination e = {
        .mroute = mroute,
        .links = links,
        .family = question->group.family    ? question->group.family
                  : question->source.family ? question->source.family
                                            : FAMILY_IPV4,
        .group = question->group,
        .any_source = !known(&question->source),
        .asked_iif = question->iif.text[0] ? question->iif.text : NULL,
    };

    if (known(&question->source))
        e.source = question->source;
    e.table = family_table(e.family, question->table);
    mroute_read_upcalls(mroute, e.family, e.table);
    e.mfc = mroute_table(mroute, e.family, e.table);
    if (e.mfc && e.group.family)
        e.route = find_route(&e);
    return e;
}

bool doctor_watch_begin(struct mroute *mroute, const struct links *links,
                        const struct args_diagnose *question, struct flow_watch *ret)
{
    struct examination e = open_flow(mroute, links, question);

    watch_begin(&e, ret);
    return ret->runs;
}

bool doctor_watch_look(struct mroute *mroute, const struct links *links,
                       const struct args_diagnose *question, struct flow_watch *watch)
{
    struct examination e = open_flow(mroute, links, question);

    watch_look(&e, watch);
    return watch->runs;
}

static void examine_flow(struct mroute *mroute, const struct links *links,
                         const struct args_diagnose *question, const struct flow_watch *watch,
                         struct findings *findings)
{
    struct examination e = open_flow(mroute, links, question);

    e.watch = watch && watch->grown.packets > 0 ? watch : NULL;
    e.findings = findings;
    if (e.route) {
        route_describe(e.route, true, &e.view);
        if (prefix_is_single(&e.view.source) && !e.route->learned)
            e.source = e.view.source.address;
        count_arrivals(&e, &e.arrivals);
    }
    set_iif(&e, e.asked_iif ? e.asked_iif : e.route ? e.view.iif : NULL);
    checks_run(&e, flow_checks, flow_check_count);
    if (e.pattern && !e.hopeless)
        examine_pattern(&e);
}

/* --- Everything ---------------------------------------------------------------------------- */

enum { INTERFACES_EXAMINED_MAX = 64 };

struct round {
    struct mroute *mroute;
    const struct links *links;
    uint32_t table; /* only this one; 0: all */
    struct findings *findings;
    unsigned count;
    struct {
        const char *name;
        uint8_t family;
    } seen[INTERFACES_EXAMINED_MAX];
};

/* False: the interface was looked at, for another table, or there are too many. */
static bool is_new(struct round *round, const char *name, uint8_t family)
{
    for (unsigned i = 0; i < round->count; i++)
        if (round->seen[i].family == family && strcmp(round->seen[i].name, name) == 0)
            return false;
    if (round->count == INTERFACES_EXAMINED_MAX)
        return false;
    round->seen[round->count].name = name;
    round->seen[round->count++].family = family;
    return true;
}

/* Whether a route that is wanted names the interface itself, and not by a pattern only. */
static bool is_named(const struct mfc *mfc, const struct port *port)
{
    const struct route *route;

    TAILQ_FOREACH (route, &mfc->routes.order, in_order) {
        if (route->learned)
            continue;
        if (route->iif == port)
            return true;
        for (unsigned i = 0; i < route->oif_count; i++)
            if (route->oifs[i].port == port)
                return true;
    }
    return false;
}

static void examine_table(void *context, const struct mroute_socket *socket)
{
    struct round *round = context;
    struct examination e = {
        .mroute = round->mroute,
        .mfc = mroute_table(round->mroute, socket->family, socket->table),
        .links = round->links,
        .family = socket->family,
        .table = socket->table,
        .quiet = true,
        .findings = round->findings,
    };
    const struct port *port;

    if (round->table && round->table != socket->table)
        return;
    TAILQ_FOREACH (port, &e.mfc->ports.list, in_ports) {
        if (!is_new(round, port->name, socket->family))
            continue;
        set_iif(&e, port->name);
        e.one_of_many = e.iif_link && !e.iif_link->running && !is_named(e.mfc, port);
        e.hopeless = false;
        checks_run(&e, interface_checks, interface_check_count);
    }
    mroute_read_upcalls(round->mroute, socket->family, socket->table);
    e.quiet = false;
    e.check = "unrouted";
    e.iif = NULL;
    check_strays(&e);
}

static void examine_all(struct mroute *mroute, const struct links *links, uint32_t table,
                        struct findings *findings)
{
    struct round round = {mroute, links, table, findings, 0, {{NULL, 0}}};
    struct examination e = {.check = "routes", .findings = findings};
    struct mroute_totals totals = mroute_totals(mroute);

    mroute_visit_sockets(mroute, examine_table, &round);
    add_finding(&e, totals.routes ? VERDICT_OK : VERDICT_INFO,
                totals.routes ? "netbroker doctor --source ADDRESS --group GROUP" : "",
                "Routes: %zu, of which %zu are learned and %zu wait; interfaces looked at: %u. A "
                "single flow is looked at more closely.",
                totals.routes, totals.learned, totals.waiting, round.count);
}

void doctor_examine(struct mroute *mroute, const struct links *links,
                    const struct args_diagnose *question, const struct flow_watch *watch,
                    struct findings *ret)
{
    ret->count = 0;
    ret->omitted = 0;
    if (question->group.family || question->source.family || question->iif.text[0])
        examine_flow(mroute, links, question, watch, ret);
    else
        examine_all(mroute, links, question->table, ret);
}
