#include "doctor_findings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    enum verdict verdict;
    const char *texts[2]; /* message and hint; see FINDINGS */
} rows[] = {
#define F(name, verdict, ...) {VERDICT_##verdict, {__VA_ARGS__}},
    FINDINGS(F)
#undef F
};

/* "(S, G)" of a route, which may be prefixes. */
static const char *route_text(const struct route *route, char *text)
{
    char source[PREFIX_TEXT_MAX] = "*", group[PREFIX_TEXT_MAX];

    if (!route)
        return "";
    if (route->source.length > 0)
        prefix_format(&route->source, source);
    snprintf(text, FLOW_TEXT_MAX, "(%s, %s)", source, prefix_format(&route->group, group));
    return text;
}

/* "*" where none is known. */
static const char *address_text(const struct address *address, char *text)
{
    return address->family ? address_format(address, text) : "*";
}

static void write_finding(const struct examination *e, const struct finding_values *values,
                          struct finding *finding)
{
    const struct route *wanted = e->route ? wanted_route(e->route) : NULL;
    char addresses[2][ADDRESS_TEXT_MAX], flow[FLOW_TEXT_MAX];
    const char *source = address_text(&e->source, addresses[0]);
    const char *group = address_text(&e->group, addresses[1]);
    char route[FLOW_TEXT_MAX], wanted_text[FLOW_TEXT_MAX], table[16], numbers[4][24];
    const struct meaning words[] = {
        {"name", values->name},
        {"other", values->other},
        {"advice", values->advice},
        {"1", numbers[0]},
        {"2", numbers[1]},
        {"3", numbers[2]},
        {"4", numbers[3]},
        {"source", source},
        {"group", group},
        {"flow", flow},
        {"table", table},
        {"family", family_name(e->family)},
        {"ip", e->family == FAMILY_IPV4 ? "ip" : "ip -6"},
        {"iif", e->iif ? e->iif : "any interface"},
        {"pattern", e->pattern},
        {"asked", e->asked_iif},
        {"route", route_text(e->route, route)},
        {"from", e->route ? e->route->iif->name : NULL},
        {"wanted", route_text(wanted, wanted_text)},
        {"wanted-from", wanted ? wanted->iif->name : NULL},
        {NULL, NULL},
    };

    snprintf(flow, sizeof flow, "(%s, %s)", address_is_any(&e->source) ? "*" : source, group);
    snprintf(table, sizeof table, "%u", e->table);
    for (unsigned i = 0; i < 4; i++)
        snprintf(numbers[i], sizeof numbers[i], "%" PRIu64, values->numbers[i]);
    finding_expand(rows[values->finding].texts[0], words, finding->message,
                   sizeof finding->message);
    finding_expand(rows[values->finding].texts[1], words, finding->hint, sizeof finding->hint);
}

void add_finding(const struct examination *e, const struct finding_values *values)
{
    enum verdict verdict = values->verdict ? values->verdict : rows[values->finding].verdict;
    struct finding *finding;

    if (verdict == VERDICT_OK && e->quiet)
        return;
    finding = findings_add(e->findings);
    if (!finding)
        return;
    finding->check = e->check;
    finding->verdict = verdict;
    write_finding(e, values, finding);
}
