/* The fake kernel's rules of multicast routing. */
#include "platform/mroute.h"

#include "kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct fake_rule *find_rule(const struct mroute_rule *rule, bool ours)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->rule_count; i++) {
        struct fake_rule *r = &kernel->rules[i];

        if (r->ours == ours && r->rule.family == rule->family && r->rule.table == rule->table &&
            strcmp(r->rule.iif, rule->iif) == 0)
            return r;
    }
    return NULL;
}

static int add_rule(const struct mroute_rule *rule, bool ours)
{
    struct fake *kernel = fake_kernel();

    if (find_rule(rule, ours))
        return -EEXIST;
    if (kernel->rule_count == FAKE_RULES_MAX)
        return -ENOMEM;
    kernel->rules[kernel->rule_count++] = (struct fake_rule){*rule, ours};
    return 0;
}

int mroute_rule_add(uint8_t family, uint32_t table, unsigned ifindex)
{
    const struct fake *kernel = fake_kernel();
    struct mroute_rule rule = {.family = family, .table = table};

    for (size_t i = 0; i < kernel->netif_count; i++)
        if (kernel->netifs[i].ifindex == ifindex) {
            memcpy(rule.iif, kernel->netifs[i].name, sizeof rule.iif);
            return add_rule(&rule, true);
        }
    return -ENODEV;
}

static void drop_rule(struct fake_rule *place)
{
    struct fake *kernel = fake_kernel();

    *place = kernel->rules[--kernel->rule_count];
}

int mroute_rule_del(const struct mroute_rule *rule)
{
    struct fake_rule *place = find_rule(rule, true);

    if (!place)
        return -ENOENT;
    fake_tell_change(&(struct mroute_change){
        .kind = MROUTE_RULE_DELETED, .family = rule->family, .table = rule->table});
    drop_rule(place);
    return 0;
}

int mroute_rules_clear(uint8_t family, uint32_t table)
{
    struct fake *kernel = fake_kernel();

    for (size_t i = kernel->rule_count; i > 0; i--) {
        struct fake_rule *r = &kernel->rules[i - 1];

        if (r->ours && r->rule.family == family && (!table || r->rule.table == table))
            drop_rule(r);
    }
    return 0;
}

int mroute_rules_read(uint8_t family, mroute_rule_visit *visit, void *context)
{
    const struct fake *kernel = fake_kernel();

    for (size_t i = 0; i < kernel->rule_count; i++)
        if (kernel->rules[i].rule.family == family)
            visit(context, &kernel->rules[i].rule, kernel->rules[i].ours);
    return 0;
}

/* --- The test's side ----------------------------------------------------------------------- */

void fake_rule_add(uint8_t family, uint32_t table, const char *iif, bool ours)
{
    struct mroute_rule rule = {.family = family, .table = table};

    strncpy(rule.iif, iif, INTERFACE_NAME_MAX);
    if (add_rule(&rule, ours) < 0)
        abort();
}

bool fake_rule_exists(uint8_t family, uint32_t table, const char *iif, bool ours)
{
    struct mroute_rule rule = {.family = family, .table = table};

    strncpy(rule.iif, iif, INTERFACE_NAME_MAX);
    return find_rule(&rule, ours) != NULL;
}

size_t fake_rule_count(void)
{
    return fake_kernel()->rule_count;
}
