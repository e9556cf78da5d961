#include "rules.h"

#include "mfc.h"

#include <stdio.h>
#include <string.h>

void rules_init(struct rules *rules, const struct rules_host *host, uint8_t family, uint32_t table)
{
    *rules = (struct rules){.host = host, .family = family, .table = table};
}

/* The place of an interface in the list, a new one where it has none; TABLE_RULES_MAX: there is no
 * room.
 */
static unsigned place_of(struct rules *rules, const char *iif)
{
    unsigned i = 0;

    while (i < rules->count && strcmp(rules->list[i].iif, iif) != 0)
        i++;
    if (i == rules->count && i < TABLE_RULES_MAX) {
        memset(&rules->list[i], 0, sizeof rules->list[i]);
        snprintf(rules->list[i].iif, sizeof rules->list[i].iif, "%s", iif);
        rules->count++;
    }
    return i;
}

static void take_ours(void *context, const struct mroute_rule *rule, bool ours)
{
    struct rules *rules = context;
    unsigned i = ours && rule->table == rules->table ? place_of(rules, rule->iif) : TABLE_RULES_MAX;

    if (i < TABLE_RULES_MAX)
        rules->list[i].ours = true;
}

void rules_load(struct rules *rules)
{
    mroute_rules_read(rules->family, take_ours, rules);
}

void rules_begin(struct rules *rules)
{
    for (unsigned i = 0; i < rules->count; i++)
        rules->list[i].wanted = false;
}

void rules_want(struct rules *rules, const char *iif, unsigned ifindex)
{
    unsigned i = place_of(rules, iif);

    if (i == TABLE_RULES_MAX)
        return;
    /* The kernel's rule names the interface by name: it holds for one that was made again. */
    rules->list[i].wanted = true;
    rules->list[i].ifindex = rules->list[i].ours ? 0 : ifindex;
}

static void ask(struct rules *rules, unsigned i)
{
    struct mroute_rule rule = {.family = rules->family, .table = rules->table};

    memcpy(rule.iif, rules->list[i].iif, sizeof rule.iif);
    rules->pending += rules->host->change(rules->host->context, &rule, rules->list[i].ifindex);
}

static void delete_unwanted(struct rules *rules)
{
    for (unsigned i = rules->count; i > 0; i--) {
        if (rules->list[i - 1].wanted)
            continue;
        rules->list[i - 1].ifindex = 0;
        if (rules->list[i - 1].ours)
            ask(rules, i - 1);
        rules->list[i - 1] = rules->list[--rules->count];
    }
}

/* A rule that is there needs not be made, whoever made it. */
static void note_existing(void *context, const struct mroute_rule *rule, bool ours)
{
    struct rules *rules = context;

    for (unsigned i = 0; rule->table == rules->table && i < rules->count; i++)
        if (strcmp(rules->list[i].iif, rule->iif) == 0) {
            rules->list[i].ifindex = 0;
            rules->list[i].ours |= ours;
        }
}

void rules_settle(struct rules *rules)
{
    bool missing = false;

    if (!rules->host)
        return;
    delete_unwanted(rules);
    for (unsigned i = 0; i < rules->count; i++)
        missing |= rules->list[i].ifindex != 0;
    if (missing)
        mroute_rules_read(rules->family, note_existing, rules);
    for (unsigned i = 0; i < rules->count; i++)
        if (rules->list[i].ifindex != 0) {
            ask(rules, i);
            rules->list[i].ours = true;
            rules->list[i].ifindex = 0;
        }
}

struct presence {
    const struct rules *rules;
    bool there[TABLE_RULES_MAX];
};

static void note_presence(void *context, const struct mroute_rule *rule, bool ours)
{
    struct presence *presence = context;

    (void)ours;
    for (unsigned i = 0; rule->table == presence->rules->table && i < presence->rules->count; i++)
        presence->there[i] |= strcmp(presence->rules->list[i].iif, rule->iif) == 0;
}

unsigned rules_note_lost(struct rules *rules)
{
    struct presence presence = {.rules = rules};
    unsigned count = 0;

    if (!rules->host || rules->count == 0 ||
        mroute_rules_read(rules->family, note_presence, &presence) < 0)
        return 0;
    for (unsigned i = 0; i < rules->count; i++)
        if (rules->list[i].wanted && !presence.there[i]) {
            rules->list[i].ours = false;
            count++;
        }
    return count;
}

/* --- Of all tables ------------------------------------------------------------------------- */

static bool is_default(const struct mfc *mfc)
{
    return mfc->socket.table == family_table(mfc->socket.family, 0);
}

static bool has_rule(const struct rules *rules, const char *iif)
{
    for (unsigned i = 0; i < rules->count; i++)
        if (strcmp(rules->list[i].iif, iif) == 0)
            return true;
    return false;
}

/* Whether the packets of the interface are for the routes of the table. */
static bool owns_packets(const struct mfc *mfc, const struct iface *of)
{
    const struct iface *iface = iface_find(&mfc->ifaces, of->name, of->ifindex);

    return iface && iface->iif_count > 0 && (is_default(mfc) || has_rule(&mfc->rules, of->name));
}

/* The other table that has the interface, or NULL. A rule is worth more than the default. */
static const struct mfc *find_other(const struct mfc_list *tables, const struct mfc *mfc,
                                    const struct iface *iface)
{
    const struct mfc *other, *found = NULL;

    TAILQ_FOREACH (other, tables, in_tables)
        if (other != mfc && other->socket.family == mfc->socket.family &&
            owns_packets(other, iface) && (!found || has_rule(&other->rules, iface->name)))
            found = other;
    return found;
}

uint32_t rules_elsewhere(const struct mfc_list *tables, const struct mfc *mfc,
                         const struct iface *iface)
{
    const struct mfc *other =
        has_rule(&mfc->rules, iface->name) ? NULL : find_other(tables, mfc, iface);

    return other ? other->socket.table : 0;
}

static void settle_table(const struct mfc_list *tables, struct mfc *mfc)
{
    const struct iface *iface;

    rules_begin(&mfc->rules);
    TAILQ_FOREACH (iface, &mfc->ifaces.list, in_ifaces)
        if (iface->iif_count > 0 && iface->vif >= 0 &&
            (has_rule(&mfc->rules, iface->name) || !find_other(tables, mfc, iface)))
            rules_want(&mfc->rules, iface->name, iface->ifindex);
    rules_settle(&mfc->rules);
}

/* Those that give interfaces up come first, and then those that get them. */
void rules_settle_tables(const struct mfc_list *tables, uint8_t family)
{
    struct mfc *mfc;
    bool changed = false;

    TAILQ_FOREACH (mfc, tables, in_tables)
        if (mfc->socket.family == family) {
            changed |= mfc->ifaces.iifs_changed;
            if (mfc->ifaces.iifs_changed && !is_default(mfc))
                settle_table(tables, mfc);
            mfc->ifaces.iifs_changed = false;
        }
    TAILQ_FOREACH (mfc, tables, in_tables)
        if (changed && mfc->socket.family == family && !is_default(mfc))
            settle_table(tables, mfc);
}

void rules_answered(struct rules *rules)
{
    rules->pending -= rules->pending > 0;
}
