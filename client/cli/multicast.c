/* How routes, VIFs and joins are shown: mfc show, vif show, show, join show, leases. */
#include "cli.h"

#include "address.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

static const char *text(const struct nb_value *object, const char *key)
{
    return nb_value_string(nb_value_get(object, key));
}

static int64_t number(const struct nb_value *object, const char *key)
{
    return nb_value_integer(nb_value_get(object, key));
}

void route_oifs(const struct nb_value *route, char *line, size_t size)
{
    const struct nb_value *ttl = nb_value_first(nb_value_get(route, "ttls"));
    const struct nb_value *oif = nb_value_first(nb_value_get(route, "oifs"));
    size_t used = 0;

    snprintf(line, size, "%s", oif ? "" : "(none)");
    for (; oif && used < size; oif = nb_value_next(oif), ttl = nb_value_next(ttl)) {
        used += (size_t)snprintf(line + used, size - used, "%s%s", used ? " " : "",
                                 nb_value_string(oif));
        if (nb_value_integer(ttl) > 1 && used < size)
            used += (size_t)snprintf(line + used, size - used, "(ttl %" PRId64 ")",
                                     nb_value_integer(ttl));
    }
}

const char *route_source(const struct nb_value *route)
{
    const char *source = text(route, "source");

    return strcmp(source, "0.0.0.0") == 0 || strcmp(source, "::") == 0 ? "*" : source;
}

/* Who asked for it first, and how many others hold it: "client", "configuration+1". */
static void add_origin(struct columns *columns, const struct nb_value *route)
{
    int64_t owners = number(route, "owners");

    if (owners > 1)
        columns_add(columns, "%s+%" PRId64, text(route, "origin"), owners - 1);
    else
        columns_add(columns, "%s", text(route, "origin"));
}

/* Whether all are of their family's default table, which need not be told. */
static bool are_of_default_tables(const struct nb_value *things)
{
    const struct nb_value *thing = nb_value_first(things);

    for (; thing; thing = nb_value_next(thing)) {
        bool is_ipv4 = strcmp(text(thing, "family"), family_name(FAMILY_IPV4)) == 0;

        if (number(thing, "table") != family_table(is_ipv4 ? FAMILY_IPV4 : FAMILY_IPV6, 0))
            return false;
    }
    return true;
}

/* What a terminal may have no room for, from what says least on: the packets stay longest. */
static void spare_route_columns(struct columns *columns, const struct nb_value *routes)
{
    columns_may_leave_out(columns, "TABLE", !are_of_default_tables(routes));
    columns_may_leave_out(columns, "WRONG-IF", true);
    columns_may_leave_out(columns, "BYTES", false);
    columns_may_leave_out(columns, "BYTES/S", false);
    columns_may_leave_out(columns, "ORIGIN", false);
    columns_may_leave_out(columns, "TABLE", false);
    columns_may_leave_out(columns, "STATE", true);
    columns_may_leave_out(columns, "WRONG-IF", false);
    columns_may_leave_out(columns, "STATE", false);
    columns_may_leave_out(columns, "PACKETS", false);
}

void print_route_list(const struct nb_value *routes, struct live *live)
{
    static const char *const headings[] = {"SOURCE",   "GROUP",  "IIF",     "TABLE",
                                           "STATE",    "ORIGIN", "PACKETS", "BYTES",
                                           "WRONG-IF", "OIFS",   NULL};
    static const char *const live_headings[] = {
        "SOURCE", "GROUP",    "IIF",       "TABLE",   "STATE", "ORIGIN", "PACKETS",
        "BYTES",  "WRONG-IF", "PACKETS/S", "BYTES/S", "OIFS",  NULL};
    const struct nb_value *route = nb_value_first(routes);
    struct columns *columns;
    char oifs[512];

    if (!route) {
        puts("No routes.");
        return;
    }
    columns = columns_new(live ? live_headings : headings);
    for (; route; route = nb_value_next(route)) {
        route_oifs(route, oifs, sizeof oifs);
        columns_add(columns, "%s", route_source(route));
        columns_add(columns, "%s", text(route, "group"));
        columns_add(columns, "%s", text(route, "iif"));
        columns_add(columns, "%" PRId64, number(route, "table"));
        columns_add(columns, "%s", text(route, "state"));
        add_origin(columns, route);
        columns_add(columns, "%" PRId64, number(route, "packets"));
        columns_add(columns, "%" PRId64, number(route, "bytes"));
        columns_add(columns, "%" PRId64, number(route, "wrong_if"));
        live_add_rates(live, columns, route);
        columns_add(columns, "%s", oifs);
    }
    spare_route_columns(columns, routes);
    columns_print_within(columns, live_lines(live));
}

void print_routes(const struct nb_reply *reply)
{
    print_route_list(nb_value_get(nb_reply_payload(reply), "mfc_rules"), NULL);
}

void print_vif_list(const struct nb_value *vifs, struct live *live)
{
    static const char *const headings[] = {"VIF",       "INTERFACE",  "FAMILY",   "TABLE",
                                           "ROUTES",    "PACKETS-IN", "BYTES-IN", "PACKETS-OUT",
                                           "BYTES-OUT", NULL};
    static const char *const live_headings[] = {
        "VIF",        "INTERFACE",     "FAMILY",      "TABLE",     "ROUTES",
        "PACKETS-IN", "BYTES-IN",      "PACKETS-OUT", "BYTES-OUT", "PACKETS-IN/S",
        "BYTES-IN/S", "PACKETS-OUT/S", "BYTES-OUT/S", NULL};
    const struct nb_value *vif = nb_value_first(vifs);
    struct columns *columns;

    if (!vif) {
        puts("No VIFs: the first route that names an interface makes its VIF.");
        return;
    }
    columns = columns_new(live ? live_headings : headings);
    for (; vif; vif = nb_value_next(vif)) {
        columns_add(columns, "%" PRId64, number(vif, "vifi"));
        columns_add(columns, "%s", text(vif, "name"));
        columns_add(columns, "%s", text(vif, "family"));
        columns_add(columns, "%" PRId64, number(vif, "table"));
        columns_add(columns, "%" PRId64, number(vif, "ref_count"));
        columns_add(columns, "%" PRId64, number(vif, "packets_in"));
        columns_add(columns, "%" PRId64, number(vif, "bytes_in"));
        columns_add(columns, "%" PRId64, number(vif, "packets_out"));
        columns_add(columns, "%" PRId64, number(vif, "bytes_out"));
        live_add_rates(live, columns, vif);
    }
    columns_may_leave_out(columns, "TABLE", !are_of_default_tables(vifs));
    columns_may_leave_out(columns, "FAMILY", true);
    columns_may_leave_out(columns, "BYTES-IN", false);
    columns_may_leave_out(columns, "BYTES-OUT", false);
    if (live) {
        columns_may_leave_out(columns, "PACKETS-IN", false);
        columns_may_leave_out(columns, "PACKETS-OUT", false);
    }
    columns_may_leave_out(columns, "ROUTES", false);
    columns_may_leave_out(columns, "VIF", false);
    columns_print_within(columns, live_lines(live));
}

void print_vifs(const struct nb_reply *reply)
{
    print_vif_list(nb_value_get(nb_reply_payload(reply), "vifs"), NULL);
}

void print_joins(const struct nb_reply *reply)
{
    static const char *const headings[] = {"SOURCE", "GROUP",       "INTERFACE", "STATE",
                                           "ORIGIN", "MEMBERSHIPS", "OWNERS",    NULL};
    const struct nb_value *join = nb_value_first(nb_value_get(nb_reply_payload(reply), "joins"));
    struct columns *columns;

    if (!join) {
        puts("No joins.");
        return;
    }
    columns = columns_new(headings);
    for (; join; join = nb_value_next(join)) {
        columns_add(columns, "%s", route_source(join));
        columns_add(columns, "%s", text(join, "group"));
        columns_add(columns, "%s", text(join, "iif"));
        columns_add(columns, "%s", text(join, "state"));
        columns_add(columns, "%s", text(join, "origin"));
        columns_add(columns, "%" PRId64, number(join, "memberships"));
        columns_add(columns, "%" PRId64, number(join, "owners"));
    }
    columns_may_leave_out(columns, "MEMBERSHIPS", false);
    columns_may_leave_out(columns, "ORIGIN", false);
    columns_may_leave_out(columns, "OWNERS", false);
    columns_print(columns);
}

/* The user's name where this machine knows it. */
static void add_user(struct columns *columns, const struct nb_value *uid)
{
    const struct passwd *entry = uid ? getpwuid((uid_t)nb_value_integer(uid)) : NULL;

    if (entry)
        columns_add(columns, "%s", entry->pw_name);
    else if (uid)
        columns_add(columns, "%" PRId64, nb_value_integer(uid));
    else
        columns_add(columns, "-"); /* the configuration's, or nobody knows whose */
}

void print_leases(const struct nb_reply *reply)
{
    static const char *const headings[] = {"LEASE",  "USER", "SINCE", "KIND",
                                           "ORIGIN", "WHAT", NULL};
    const struct nb_value *lease = nb_value_first(nb_value_get(nb_reply_payload(reply), "leases"));
    struct columns *columns;

    if (!lease) {
        puts("No leases: nobody holds a route or a join.");
        return;
    }
    columns = columns_new(headings);
    for (; lease; lease = nb_value_next(lease)) {
        columns_add(columns, "%s", text(lease, "lease"));
        add_user(columns, nb_value_get(lease, "uid"));
        columns_add(columns, "%s", text(lease, "since"));
        columns_add(columns, "%s", text(lease, "kind"));
        columns_add(columns, "%s", text(lease, "origin"));
        columns_add(columns, "%s", text(lease, "what"));
    }
    columns_may_leave_out(columns, "SINCE", false);
    columns_may_leave_out(columns, "KIND", true);
    columns_may_leave_out(columns, "ORIGIN", false);
    columns_print(columns);
}

void print_everything(const struct nb_reply *reply)
{
    static const char *const headings[] = {"INTERFACE", "VIF", "INDEX", "ROUTES", NULL};
    const struct nb_value *payload = nb_reply_payload(reply);
    const struct nb_value *vif = nb_value_first(nb_value_get(payload, "vif_map"));

    if (vif) {
        struct columns *columns = columns_new(headings);

        for (; vif; vif = nb_value_next(vif)) {
            columns_add(columns, "%s", nb_value_key(vif));
            columns_add(columns, "%" PRId64, number(vif, "vifi"));
            columns_add(columns, "%" PRId64, number(vif, "ifindex"));
            columns_add(columns, "%" PRId64, number(vif, "ref_count"));
        }
        columns_print(columns);
        putchar('\n');
    }
    print_route_list(nb_value_get(payload, "mfc_rules"), NULL);
}
