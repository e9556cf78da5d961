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

static void examine_flow(struct mroute *mroute, const struct links *links,
                         const struct args_diagnose *question, struct findings *findings)
{
    struct examination e = {
        .mroute = mroute,
        .links = links,
        .family = question->group.family    ? question->group.family
                  : question->source.family ? question->source.family
                                            : FAMILY_IPV4,
        .group = question->group,
        .asked_iif = question->iif.text[0] ? question->iif.text : NULL,
        .findings = findings,
    };

    if (known(&question->source))
        e.source = question->source;
    e.table = family_table(e.family, question->table);
    mroute_read_upcalls(mroute, e.family, e.table);
    e.mfc = mroute_table(mroute, e.family, e.table);
    if (e.mfc && e.group.family)
        e.route = find_route(e.mfc, &e.source, &e.group);
    if (e.route) {
        route_describe(e.route, true, &e.view);
        e.source = known(&e.source) || e.view.source.length == 0 ? e.source : e.view.source.address;
        e.source.family = known(&e.source) ? e.source.family : FAMILY_NONE;
    }
    e.iif = e.asked_iif ? e.asked_iif : e.route ? e.view.iif : NULL;
    e.iif_link = e.iif ? links_find(links, e.iif) : NULL;
    checks_run(&e, flow_checks, flow_check_count);
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
        e.iif = port->name;
        e.iif_link = links_find(round->links, port->name);
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
                "Routes: %zu, of which %zu wait; interfaces looked at: %u. A single flow is looked "
                "at more closely.",
                totals.routes, totals.waiting, round.count);
}

void doctor_examine(struct mroute *mroute, const struct links *links,
                    const struct args_diagnose *question, struct findings *ret)
{
    ret->count = 0;
    ret->omitted = 0;
    if (question->group.family || question->source.family || question->iif.text[0])
        examine_flow(mroute, links, question, ret);
    else
        examine_all(mroute, links, question->table, ret);
}
