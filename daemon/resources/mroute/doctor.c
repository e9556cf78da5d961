#include "doctor.h"

#include "doctor_findings.h"

#include <stdio.h>
#include <string.h>

static const struct address *known(const struct address *address)
{
    return address->family && !address_is_any(address) ? address : NULL;
}

/* The interface, or the pattern, that packets are to come in by. */
static void set_iif(struct examination *e, const char *iif)
{
    e->pattern = iif && interface_name_is_pattern(iif) ? iif : NULL;
    e->iif = e->pattern ? NULL : iif;
    e->netif_in = e->iif ? netifs_find(e->netifs, e->iif) : NULL;
}

struct examination open_examination(const struct inquiry *inquiry)
{
    const struct args_diagnose *question = inquiry->question;
    struct examination e = {
        .mroute = inquiry->mroute,
        .reader = inquiry->reader,
        .netifs = inquiry->netifs,
        .family = question->group.family    ? question->group.family
                  : question->source.family ? question->source.family
                                            : FAMILY_IPV4,
        .group = question->group,
        .any_source = !known(&question->source),
        .found = inquiry->found,
        .asked_iif = question->iif.text[0] ? question->iif.text : NULL,
    };

    if (known(&question->source))
        e.source = question->source;
    e.table = family_table(e.family, question->table);
    mroute_read_upcalls(e.mroute, e.family, e.table);
    e.mfc = mroute_table(e.mroute, e.family, e.table);
    if (e.mfc && e.group.family)
        e.route = find_route(&e);
    e.others = inquiry->found && inquiry->found->wanted > (e.route && !e.route->learned)
                   ? inquiry->found->wanted - (e.route && !e.route->learned)
                   : 0;
    return e;
}

/* --- A flow -------------------------------------------------------------------------------- */

static struct examination examine_route(const struct doctor *doctor, struct findings *findings)
{
    struct examination e = open_examination(&doctor->inquiry);

    e.watch = doctor->watch && doctor->watch->grown.packets > 0 ? doctor->watch : NULL;
    e.findings = findings;
    if (e.route) {
        route_describe(e.route, true, &e.view);
        if (prefix_is_single(&e.view.source) && !e.route->learned)
            e.source = e.view.source.address;
    }
    set_iif(&e, e.asked_iif ? e.asked_iif : e.route ? e.view.iif : NULL);
    return e;
}

/* What is wanted of an interface is looked at for each one that a pattern means, but only what is
 * wrong is told. */
static void examine_meant(struct doctor *doctor, struct findings *findings)
{
    struct examination e = examine_route(doctor, findings);
    const struct netif *netif = netifs_next(e.netifs, NULL);

    for (unsigned i = 0; netif && i < doctor->place; i++)
        netif = netifs_next(e.netifs, netif);
    doctor->place++;
    if (!netif || !e.pattern)
        doctor->next = NULL;
    else if (iface_name_matches(e.pattern, netif->name)) {
        e.quiet = e.one_of_many = true;
        e.iif = netif->name;
        e.netif_in = netif;
        run_checks(&e, true);
    }
}

static void examine_flow(struct doctor *doctor, struct findings *findings)
{
    struct examination e = examine_route(doctor, findings);

    if (e.route)
        count_arrivals(&e, &e.arrivals);
    run_checks(&e, false);
    doctor->next = e.pattern && !e.hopeless ? examine_meant : NULL;
}

/* --- Everything ---------------------------------------------------------------------------- */

enum { NAMED_LOOKS_MAX = 512 };

/* False: the interface was looked at, for another table, or there are too many. */
static bool is_new(struct doctor *doctor, const char *name, uint8_t family)
{
    for (unsigned i = 0; i < doctor->seen_count; i++)
        if (doctor->seen[i].family == family && strcmp(doctor->seen[i].name, name) == 0)
            return false;
    if (doctor->seen_count == INTERFACES_EXAMINED_MAX)
        return false;
    snprintf(doctor->seen[doctor->seen_count].name, sizeof doctor->seen->name, "%s", name);
    doctor->seen[doctor->seen_count++].family = family;
    return true;
}

static bool is_meant(const struct mfc *mfc, const struct iface *iface)
{
    const struct iface *pattern;

    TAILQ_FOREACH (pattern, &mfc->ifaces.list, in_ifaces)
        if (pattern->pattern && iface_name_matches(pattern->name, iface->name))
            return true;
    return false;
}

/* Whether a route that is wanted names the interface itself, and not by a pattern only. Only where
 * a pattern means it, too, and routes were learned, they are looked at, and not all of many: then
 * it counts as named. */
static bool is_named(const struct mfc *mfc, const struct iface *iface)
{
    const struct route *route;
    unsigned looks = 0;

    if (mfc->learned_count == 0 || !is_meant(mfc, iface))
        return iface->ref_count > iface->gathered;
    TAILQ_FOREACH (route, &mfc->routes.order, in_order)
        if (looks++ == NAMED_LOOKS_MAX ||
            (!route->learned && (route->iif == iface || route_names_oif(route, iface->name))))
            return true;
    return false;
}

struct choice {
    unsigned place;
    const struct mroute_socket *socket;
};

static void choose(void *context, const struct mroute_socket *socket)
{
    struct choice *choice = context;

    if (choice->place-- == 0)
        choice->socket = socket;
}

static const struct mroute_socket *socket_at(struct mroute *mroute, unsigned place)
{
    struct choice choice = {place, NULL};

    mroute_visit_sockets(mroute, choose, &choice);
    return choice.socket;
}

static const struct iface *iface_at(const struct mfc *mfc, unsigned place)
{
    const struct iface *iface = TAILQ_FIRST(&mfc->ifaces.list);

    while (iface && place-- > 0)
        iface = TAILQ_NEXT(iface, in_ifaces);
    return iface;
}

static void examine_iface(struct doctor *doctor, struct examination *e, const struct iface *iface)
{
    if (!may_tell_netif(e, iface->name, e->table) || !is_new(doctor, iface->name, e->family))
        return;
    set_iif(e, iface->name);
    e->quiet = true;
    e->one_of_many = e->netif_in && !e->netif_in->running && !is_named(e->mfc, iface);
    run_checks(e, true);
}

static void end_table(struct doctor *doctor, struct examination *e)
{
    doctor->totals.routes += e->mfc->routes.keys.count;
    doctor->totals.learned += e->mfc->learned_count;
    doctor->totals.waiting += e->mfc->waiting;
    doctor->table++;
    doctor->place = 0;
    mroute_read_upcalls(e->mroute, e->family, e->table);
    e->check = "unrouted";
    check_unrouted(e);
}

/* Who may ask for everything may read it, or all of the table. */
static void end_tables(struct doctor *doctor, struct findings *findings)
{
    const struct mroute_totals *totals = &doctor->totals;
    struct examination e = {.check = "routes", .findings = findings};

    doctor->next = NULL;
    found(&e, ROUTES, .verdict = totals->routes ? VERDICT_OK : VERDICT_INFO,
          .advice = totals->routes ? "netbroker doctor --source ADDRESS --group GROUP" : "",
          .numbers = {totals->routes, totals->learned, totals->waiting, doctor->seen_count});
}

static void examine_table(struct doctor *doctor, const struct mroute_socket *socket,
                          struct findings *findings)
{
    const struct inquiry *inquiry = &doctor->inquiry;
    struct examination e = {
        .mroute = inquiry->mroute,
        .reader = inquiry->reader,
        .mfc = mroute_table(inquiry->mroute, socket->family, socket->table),
        .netifs = inquiry->netifs,
        .family = socket->family,
        .table = socket->table,
        .findings = findings,
    };
    const struct iface *iface = iface_at(e.mfc, doctor->place++);

    if (iface)
        examine_iface(doctor, &e, iface);
    else
        end_table(doctor, &e);
}

/* One interface of one table. */
static void examine_next(struct doctor *doctor, struct findings *findings)
{
    const struct inquiry *inquiry = &doctor->inquiry;
    const struct mroute_socket *socket = socket_at(inquiry->mroute, doctor->table);

    if (!socket)
        end_tables(doctor, findings);
    else if (inquiry->question->table && inquiry->question->table != socket->table)
        doctor->table++;
    else
        examine_table(doctor, socket, findings);
}

/* --- The way of a question ----------------------------------------------------------------- */

enum { SEARCH_LOOKS = 32 };

static void end_search(struct doctor *doctor)
{
    if (doctor->walks)
        route_cursor_close(&doctor->routes);
    doctor->walks = false;
}

static void search(struct doctor *doctor, struct findings *findings)
{
    const struct route *route;

    (void)findings;
    for (int i = 0; i < SEARCH_LOOKS; i++) {
        if (!route_cursor_look(&doctor->routes, &route)) {
            end_search(doctor);
            doctor->next = NULL;
            return;
        }
        if (route)
            consider_route(&doctor->inquiry, route, &doctor->found);
    }
}

void doctor_begin(struct doctor *doctor, const struct inquiry *inquiry)
{
    const struct args_diagnose *question = inquiry->question;
    uint8_t family = question->group.family;
    struct mroute_filter filter = {
        .family = family,
        .table = family ? family_table(family, question->table) : 0,
    };

    *doctor = (struct doctor){.inquiry = *inquiry};
    if (!family || known(&question->source))
        return;
    doctor->inquiry.found = &doctor->found;
    route_cursor_open(&doctor->routes, inquiry->mroute, &filter);
    doctor->walks = true;
    doctor->next = search;
}

void doctor_begin_examination(struct doctor *doctor, const struct flow_watch *watch)
{
    const struct args_diagnose *question = doctor->inquiry.question;

    doctor->watch = watch;
    doctor->next = question->group.family || question->source.family || question->iif.text[0]
                       ? examine_flow
                       : examine_next;
}

bool doctor_go_on(struct doctor *doctor, struct findings *findings)
{
    if (doctor->next)
        doctor->next(doctor, findings);
    return doctor->next != NULL;
}

void doctor_end(struct doctor *doctor)
{
    end_search(doctor);
}
