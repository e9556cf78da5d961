/* How routes, VIFs, joins, taps, captures and leases are shown, once, again and again with --watch,
 * and as the changes of a replacement: each kind is a table of columns. */
#include "cli.h"

#include "address.h"
#include "scopes.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

const char *member_text(const struct nb_value *object, const char *key)
{
    return nb_value_string(nb_value_get(object, key));
}

int64_t member_number(const struct nb_value *object, const char *key)
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
    const char *source = member_text(route, "source");

    return strcmp(source, "0.0.0.0") == 0 || strcmp(source, "::") == 0 ? "*" : source;
}

/* --- Cells --------------------------------------------------------------------------------- */

static void add_text(struct columns *columns, const struct nb_value *item, const char *key)
{
    columns_add(columns, "%s", member_text(item, key));
}

static void add_number(struct columns *columns, const struct nb_value *item, const char *key)
{
    columns_add(columns, "%" PRId64, member_number(item, key));
}

/* A number whose growth --watch shows. */
static void add_counter(struct columns *columns, const struct nb_value *item, const char *key)
{
    add_number(columns, item, key);
}

static void add_source(struct columns *columns, const struct nb_value *item, const char *key)
{
    (void)key;
    columns_add(columns, "%s", route_source(item));
}

static void add_oifs(struct columns *columns, const struct nb_value *item, const char *key)
{
    char oifs[512];

    (void)key;
    route_oifs(item, oifs, sizeof oifs);
    columns_add(columns, "%s", oifs);
}

/* Who asked for it first, and how many others hold it: "client", "configuration+1". */
static void add_origin(struct columns *columns, const struct nb_value *item, const char *key)
{
    int64_t owners = member_number(item, "owners");

    if (owners > 1)
        columns_add(columns, "%s+%" PRId64, member_text(item, key), owners - 1);
    else
        add_text(columns, item, key);
}

/* Users without a number of the system; see netbroker-policy(5). */
#define USER_ROOT_ELSEWHERE          INT64_C(4294967294)
#define USER_ADMINISTRATOR_ELSEWHERE INT64_C(4294967293)

/* The user's name where this machine knows it, or netbroker-policy(5) says it. NULL: neither. */
static const char *name_user(int64_t uid)
{
    const struct passwd *entry = getpwuid((uid_t)uid);

    if (entry)
        return entry->pw_name;
    return uid == USER_ROOT_ELSEWHERE            ? "root-elsewhere"
           : uid == USER_ADMINISTRATOR_ELSEWHERE ? "administrator-elsewhere"
                                                 : NULL;
}

static void add_user(struct columns *columns, const struct nb_value *item, const char *key)
{
    const struct nb_value *uid = nb_value_get(item, key);
    const char *name = uid ? name_user(nb_value_integer(uid)) : NULL;

    if (name)
        columns_add(columns, "%s", name);
    else if (uid)
        columns_add(columns, "%" PRId64, nb_value_integer(uid));
    else
        columns_add(columns, "-"); /* the configuration's, or nobody knows whose */
}

/* The name of the member that the item itself is. */
static void add_name(struct columns *columns, const struct nb_value *item, const char *key)
{
    (void)key;
    columns_add(columns, "%s", nb_value_key(item));
}

static void add_mark(struct columns *columns, const struct nb_value *item, const char *key)
{
    static const char *const marks[][2] = {{"added", "+"}, {"replaced", "~"}, {"deleted", "-"}};
    const char *word = member_text(item, key);

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strcmp(word, marks[i][0]) == 0)
            word = marks[i][1];
    columns_add(columns, "%s", word);
}

/* "-" where there is none. */
static void add_given(struct columns *columns, const struct nb_value *item, const char *key)
{
    const char *text = member_text(item, key);

    columns_add(columns, "%s", text[0] ? text : "-");
}

/* Of a list of texts. */
static void add_texts(struct columns *columns, const struct nb_value *item, const char *key)
{
    const struct nb_value *part = nb_value_first(nb_value_get(item, key));
    char line[512] = "-";

    for (size_t used = 0; part && used < sizeof line; part = nb_value_next(part))
        used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", used ? " " : "",
                                 nb_value_string(part));
    columns_add(columns, "%s", line);
}

/* What of an interface may be captured. */
static void add_scopes(struct columns *columns, const struct nb_value *item, const char *key)
{
    char text[SCOPES_TEXT_MAX];

    columns_add(columns, "%s", scopes_text(nb_value_get(item, key), text));
}

/* What is so of a tap. */
static void add_flags(struct columns *columns, const struct nb_value *item, const char *key)
{
    static const char *const words[] = {"carrier", "isolated", "offload", "persistent"};
    char line[64] = "-";
    size_t used = 0;

    (void)key;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (nb_value_bool(nb_value_get(item, words[i])))
            used += (size_t)snprintf(line + used, sizeof line - used, "%s%s", used ? "," : "",
                                     words[i]);
    columns_add(columns, "%s", line);
}

/* Frames of a tap that were dropped, whichever way they went. */
static void add_drops(struct columns *columns, const struct nb_value *item, const char *key)
{
    (void)key;
    columns_add(columns, "%" PRId64,
                member_number(item, "rx_dropped") + member_number(item, "tx_dropped"));
}

/* What went one way through a tap: key "rx" or "tx". */
static void add_way(struct columns *columns, const struct nb_value *item, const char *key)
{
    static const char *const parts[] = {"frames", "bytes", "dropped"};
    char text[128], name[32];
    size_t used = 0;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        snprintf(name, sizeof name, "%s_%s", key, parts[i]);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRId64 " %s", i ? ", " : "",
                                 member_number(item, name), parts[i]);
    }
    columns_add(columns, "%s", text);
}

/* A stream whose frames the service makes. */
static void add_stream(struct columns *columns, const struct nb_value *item, const char *key)
{
    const struct nb_value *stream = nb_value_get(item, key);

    if (!stream) {
        columns_add(columns, "-");
        return;
    }
    columns_add(columns,
                "%s: %" PRId64 "/s, at %" PRId64 ", smpSynch %" PRId64 ", %" PRId64
                " queued, %" PRId64 " starved",
                member_text(stream, "svID"), member_number(stream, "samples_per_second"),
                member_number(stream, "next"), member_number(stream, "smpSynch"),
                member_number(stream, "queued"), member_number(stream, "starved"));
}

/* --- The kinds ----------------------------------------------------------------------------- */

static const struct listing routes = {
    .list = "mfc_rules",
    .none = "No routes.",
    .columns = {{"SOURCE", "source", add_source},
                {"GROUP", "group", add_text},
                {"IIF", "iif", add_text},
                {"TABLE", "table", add_number},
                {"STATE", "state", add_text},
                {"ORIGIN", "origin", add_origin},
                {"PACKETS", "packets", add_counter},
                {"BYTES", "bytes", add_counter},
                {"WRONG-IF", "wrong_if", add_number},
                COLUMN_RATES,
                {"OIFS", "oifs", add_oifs}},
    .spare = "?TABLE =WRONG-IF BYTES BYTES/S ORIGIN TABLE =STATE WRONG-IF STATE PACKETS",
    .identity = {"source", "group", "iif", "table"},
};

static const struct listing vifs = {
    .list = "vifs",
    .none = "No VIFs: the first route that names an interface makes its VIF.",
    .columns = {{"VIF", "vifi", add_number},
                {"INTERFACE", "name", add_text},
                {"FAMILY", "family", add_text},
                {"TABLE", "table", add_number},
                {"ROUTES", "ref_count", add_number},
                {"PACKETS-IN", "packets_in", add_counter},
                {"BYTES-IN", "bytes_in", add_counter},
                {"PACKETS-OUT", "packets_out", add_counter},
                {"BYTES-OUT", "bytes_out", add_counter},
                COLUMN_RATES},
    .spare = "?TABLE =FAMILY BYTES-IN BYTES-OUT +PACKETS-IN +PACKETS-OUT ROUTES VIF",
    .identity = {"family", "table", "name", "ifindex", "vifi"},
};

static const struct listing joins = {
    .list = "joins",
    .none = "No joins.",
    .columns = {{"SOURCE", "source", add_source},
                {"GROUP", "group", add_text},
                {"INTERFACE", "iif", add_text},
                {"STATE", "state", add_text},
                {"ORIGIN", "origin", add_text},
                {"MEMBERSHIPS", "memberships", add_number},
                {"OWNERS", "owners", add_number}},
    .spare = "MEMBERSHIPS ORIGIN OWNERS",
};

static const struct listing taps = {
    .list = "taps",
    .none = "No taps.",
    .columns = {{"NAME", "name", add_text},
                {"USER", "uid", add_user},
                {"STATE", "state", add_text},
                {"MAC", "mac", add_text},
                {"MTU", "mtu", add_number},
                {"BRIDGE", "bridge", add_given},
                {"RX", "rx_frames", add_counter},
                {"RX-BYTES", "rx_bytes", add_counter},
                {"TX", "tx_frames", add_counter},
                {"TX-BYTES", "tx_bytes", add_counter},
                {"DROPS", NULL, add_drops},
                COLUMN_RATES,
                {"HOSTS", "hosts", add_texts},
                {"FLAGS", NULL, add_flags}},
    .spare =
        "=MTU =BRIDGE RX-BYTES TX-BYTES MAC +HOSTS +FLAGS +RX +TX FLAGS MTU HOSTS BRIDGE STATE",
    .identity = {"name", "ifindex"},
};

/* The same of one, line by line, with what a table has no room for. */
static const struct listing tap_facts = {
    .list = "taps",
    .columns = {{"NAME", "name", add_text},
                {"USER", "uid", add_user},
                {"SINCE", "since", add_given},
                {"LEASE", "lease", add_given},
                {"STATE", "state", add_text},
                {"MAC", "mac", add_text},
                {"MTU", "mtu", add_number},
                {"BRIDGE", "bridge", add_given},
                {"INTERFACE", "interface", add_given},
                {"UPLINK", "uplink", add_given},
                {"HOSTS", "hosts", add_texts},
                {"ROUTES", "routes", add_texts},
                {"QUEUES", "queues", add_number},
                {"FLAGS", NULL, add_flags},
                {"RECEIVED", "rx", add_way},
                {"SENT", "tx", add_way}},
};

/* Names come last: they may be long. */
static const struct listing links = {
    .list = "links",
    .none = "No clients of relays.",
    .columns = {{"TAP", "tap", add_text},
                {"PORT", "port", add_number},
                {"USER", "uid", add_user},
                {"PID", "pid", add_number},
                {"FRAMING", "framing", add_given},
                {"RX", "rx_frames", add_counter},
                {"RX-BYTES", "rx_bytes", add_counter},
                {"TX", "tx_frames", add_counter},
                {"TX-BYTES", "tx_bytes", add_counter},
                {"DROPS", "tx_dropped", add_counter},
                COLUMN_RATES,
                {"SINCE", "since", add_given},
                {"CLIENT", "name", add_given}},
    .spare = "SINCE RX-BYTES TX-BYTES PID +USER +RX +TX =DROPS/S +FRAMING +PORT USER FRAMING "
             "RX-BYTES/S TX-BYTES/S",
    .identity = {"tap", "port", "since"},
};

static const struct listing captures = {
    .list = "captures",
    .none = "No captures.",
    .columns = {{"CAPTURE", "capture", add_number},
                {"USER", "uid", add_user},
                {"INTERFACE", "interface", add_text},
                {"ETHERTYPES", "ethertypes", add_texts},
                {"DIRECTION", "direction", add_text},
                {"STATE", "state", add_text},
                {"FRAMES", "frames", add_number},
                {"BYTES", "bytes", add_number},
                {"LOST", "lost", add_number},
                {"KERNEL-DROPPED", "kernel_dropped", add_number}},
    .spare = "=STATE =DIRECTION BYTES ETHERTYPES",
};

static const struct listing injectors = {
    .list = "injectors",
    .none = "No injectors.",
    .columns = {{"INJECTOR", "inject", add_number},
                {"USER", "uid", add_user},
                {"INTERFACE", "interface", add_text},
                {"ETHERTYPES", "ethertypes", add_texts},
                {"SOURCES", "sources", add_texts},
                {"DESTINATIONS", "destinations", add_texts},
                {"VLANS", "vlans", add_texts},
                {"RATE", "rate", add_number},
                {"STATE", "state", add_text},
                {"SENT", "sent", add_number},
                {"REFUSED", "refused_frames", add_number},
                {"BYTES", "bytes", add_number},
                {"STREAM", "stream", add_stream}},
    .spare = "=STATE =STREAM BYTES VLANS DESTINATIONS SOURCES ETHERTYPES RATE",
};

static const struct listing capturable = {
    .list = "interfaces",
    .none =
        "No interfaces that you may capture. The administrator names them in capture-interfaces "
        "of netbrokerd.conf(5), and who may capture them in the policy, by raw.capture.",
    .columns = {{"INTERFACE", "interface", add_text},
                {"TYPE", "type", add_text},
                {"STATE", "state", add_text},
                {"ETHERTYPES", "scopes", add_scopes}},
    .spare = "TYPE",
};

static const struct listing leases = {
    .list = "leases",
    .none = "No leases: nobody holds anything.",
    .columns = {{"LEASE", "lease", add_text},
                {"USER", "uid", add_user},
                {"SINCE", "since", add_text},
                {"KIND", "kind", add_text},
                {"ORIGIN", "origin", add_text},
                {"WHAT", "what", add_text}},
    .spare = "SINCE =KIND ORIGIN",
};

static const struct listing interfaces = {
    .list = "vif_map",
    .columns = {{"INTERFACE", NULL, add_name},
                {"VIF", "vifi", add_number},
                {"INDEX", "ifindex", add_number},
                {"ROUTES", "ref_count", add_number}},
};

static const struct listing changes = {
    .list = "changes",
    .columns = {{"", "change", add_mark},
                {"SOURCE", "source", add_source},
                {"GROUP", "group", add_text},
                {"IIF", "iif", add_text},
                {"TABLE", "table", add_number},
                {"OIFS", "oifs", add_oifs}},
    .spare = "TABLE",
};

const struct listing *listing_of(enum action action)
{
    static const struct listing *const listings[ACTION_COUNT] = {
        [ACTION_SHOW_MFC] = &routes,
        [ACTION_SHOW_VIF] = &vifs,
        [ACTION_SHOW_JOIN] = &joins,
        [ACTION_SHOW_TAP] = &taps,
        [ACTION_GET_TAP] = &taps,
        [ACTION_SHOW_LINK] = &links,
        [ACTION_LEASES] = &leases,
        [ACTION_SHOW_CAPTURE] = &captures,
        [ACTION_SHOW_CAPTURE_INTERFACES] = &capturable,
        [ACTION_SHOW_INJECT] = &injectors,
    };

    return listings[action];
}

/* --- Listings ------------------------------------------------------------------------------ */

const struct column *listing_counter(const struct listing *listing, size_t index)
{
    for (const struct column *column = listing->columns; column->heading; column++)
        if (column->add == add_counter && index-- == 0)
            return column;
    return NULL;
}

static void add_headings(struct columns *columns, const struct listing *listing, bool watched)
{
    const struct column *counter;

    for (const struct column *column = listing->columns; column->heading; column++) {
        if (column->add)
            columns_add(columns, "%s", column->heading);
        for (size_t i = 0; !column->add && watched && (counter = listing_counter(listing, i)); i++)
            columns_add(columns, "%s/S", counter->heading);
    }
    columns_end_headings(columns);
}

static void add_row(struct columns *columns, const struct listing *listing,
                    const struct nb_value *item, struct live *live)
{
    for (const struct column *column = listing->columns; column->heading; column++)
        if (column->add)
            column->add(columns, item, column->key);
        else if (live)
            live_add_rates(live, columns, item);
}

/* Whether all are of their family's default table, which need not be told. */
static bool are_of_default_tables(const struct nb_value *items)
{
    const struct nb_value *item = nb_value_first(items);

    for (; item; item = nb_value_next(item)) {
        bool is_ipv4 = strcmp(member_text(item, "family"), family_name(FAMILY_IPV4)) == 0;

        if (member_number(item, "table") != family_table(is_ipv4 ? FAMILY_IPV4 : FAMILY_IPV6, 0))
            return false;
    }
    return true;
}

static void spare_columns(struct columns *columns, const struct listing *listing,
                          const struct nb_value *items, bool watched)
{
    char headings[128], *rest = headings, *word;

    snprintf(headings, sizeof headings, "%s", listing->spare ? listing->spare : "");
    while ((word = strsep(&rest, " "))) {
        bool if_same = *word == '=' || (*word == '?' && !are_of_default_tables(items));

        if (*word != '+' || watched)
            columns_may_leave_out(columns, word + strspn(word, "=?+"), if_same);
    }
}

bool print_list(const struct listing *listing, const struct nb_value *payload, struct live *live)
{
    const struct nb_value *items = nb_value_get(payload, listing->list);
    const struct nb_value *item = nb_value_first(items);
    struct columns *columns;

    if (!item) {
        if (listing->none)
            puts(listing->none);
        return false;
    }
    columns = columns_new();
    add_headings(columns, listing, live != NULL);
    for (; item; item = nb_value_next(item))
        add_row(columns, listing, item, live);
    spare_columns(columns, listing, items, live != NULL);
    columns_print(columns, live ? live_lines(live) : 0);
    return true;
}

void print_changes(const struct nb_value *payload)
{
    if (print_list(&changes, payload, NULL))
        putchar('\n');
}

void print_tap_facts(const struct nb_reply *reply)
{
    const struct nb_value *item =
        nb_value_first(nb_value_get(nb_reply_payload(reply), tap_facts.list));
    struct columns *columns = columns_new();

    for (const struct column *column = tap_facts.columns; column->heading; column++) {
        columns_add(columns, "%s", column->heading);
        column->add(columns, item, column->key);
        if (column == tap_facts.columns)
            columns_end_headings(columns);
    }
    columns_print(columns, 0);
}

void print_everything(const struct nb_reply *reply)
{
    if (print_list(&interfaces, nb_reply_payload(reply), NULL))
        putchar('\n');
    print_list(&routes, nb_reply_payload(reply), NULL);
}
