#include "operations.h"

#include "keeper/notify.h"
#include "keeper/operations.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    PATIENCE = 25, /* of PAUSE_NS each: so long the broker of a killed keeper may take to end */
    PAUSE_NS = 20000000,
};

/* --- Names --------------------------------------------------------------------------------- */

static void format_name(char *name, uint32_t family, uint32_t table)
{
    snprintf(name, KEPT_NAME_MAX + 1, "mroute-%s-%u", family_name((uint8_t)family), table);
}

bool mroute_parse_name(const char *name, int fd, struct mroute_socket *ret)
{
    char again[KEPT_NAME_MAX + 1];
    unsigned family, table;

    if (sscanf(name, "mroute-ipv%u-%u", &family, &table) != 2 ||
        (family != FAMILY_IPV4 && family != FAMILY_IPV6))
        return false;
    format_name(again, family, table);
    *ret = (struct mroute_socket){fd, (uint8_t)family, table};
    return strcmp(name, again) == 0;
}

static int find_table(const struct kept *kept, uint32_t family, uint32_t table)
{
    char name[KEPT_NAME_MAX + 1];

    format_name(name, family, table);
    return kept_find(kept, name);
}

static bool accept_table(struct kept *kept, const char *name, int fd)
{
    struct mroute_socket ignored;

    (void)kept;
    return mroute_parse_name(name, fd, &ignored);
}

/* --- The start ----------------------------------------------------------------------------- */

/* The broker of a keeper that was killed holds its tables until it has noticed. */
static int open_patiently(uint8_t family, uint32_t table, int *patience)
{
    struct timespec pause = {.tv_nsec = PAUSE_NS};
    int fd = mroute_socket_open(family, table);

    while (fd == -EADDRINUSE && *patience > 0) {
        (*patience)--;
        nanosleep(&pause, NULL);
        fd = mroute_socket_open(family, table);
    }
    return fd;
}

static void explain_failure(uint8_t family, int result)
{
    char owner[256];

    if (result == -EADDRINUSE) {
        mroute_owner_describe(family, owner, sizeof owner);
        log_line(LOG_ERR, "the %s multicast routing table belongs to another process: %s.",
                 family_name(family), owner);
    } else if (result == -EPERM || result == -EACCES) {
        log_line(LOG_ERR, "the capabilities CAP_NET_RAW and CAP_NET_ADMIN are missing; start "
                          "netbrokerd as root, or from a service manager that gives it both.");
    } else {
        log_line(LOG_ERR, "cannot open the %s multicast routing table: %s.", family_name(family),
                 strerror(-result));
    }
}

/* Opens the default table of a family, unless the service manager kept it for us. */
static bool open_default(struct kept *kept, const struct config *config, uint8_t family,
                         int *patience)
{
    uint32_t table = family_table(family, 0);
    char name[KEPT_NAME_MAX + 1];
    int fd;

    if (find_table(kept, family, table) >= 0 || !table_is_allowed(&config->tables, family, table))
        return true;
    fd = open_patiently(family, table, patience);
    if (fd >= 0) {
        format_name(name, family, table);
        return kept_take(kept, name, fd) == 0;
    }
    if (fd == -ENOPROTOOPT || fd == -EAFNOSUPPORT) {
        log_line(LOG_WARNING, "this kernel has no multicast routing for %s; going on without it.",
                 family_name(family));
        return true;
    }
    explain_failure(family, fd);
    return false;
}

/* Tables that rules of ours lead to, although they are not kept. */
struct left {
    const struct kept *kept;
    size_t count;
    uint32_t tables[KEPT_NAMES_EVER_MAX];
};

static void note_left(void *context, const struct mroute_rule *rule, bool ours)
{
    struct left *left = context;

    if (!ours || find_table(left->kept, rule->family, rule->table) >= 0)
        return;
    for (size_t i = 0; i < left->count; i++)
        if (left->tables[i] == rule->table)
            return;
    if (left->count < KEPT_NAMES_EVER_MAX)
        left->tables[left->count++] = rule->table;
}

/* A keeper that was killed could not delete its rules, which lead packets to a table that nobody
 * has: they are lost there. A table that another process has may be another netbrokerd's. */
static void clear_left(const struct kept *kept, uint8_t family, int *patience)
{
    struct left left = {.kept = kept};

    mroute_rules_read(family, note_left, &left);
    for (size_t i = 0; i < left.count; i++) {
        int fd = open_patiently(family, left.tables[i], patience);

        if (fd < 0)
            continue;
        mroute_rules_clear(family, left.tables[i]);
        close(fd);
        log_line(LOG_NOTICE,
                 "deleted the rules that led to the %s multicast table %u, left by a "
                 "service that was killed.",
                 family_name(family), left.tables[i]);
    }
}

static bool start(struct kept *kept, const struct config *config)
{
    int patience = PATIENCE;

    if (!open_default(kept, config, FAMILY_IPV4, &patience) ||
        !open_default(kept, config, FAMILY_IPV6, &patience))
        return false;
    clear_left(kept, FAMILY_IPV4, &patience);
    clear_left(kept, FAMILY_IPV6, &patience);
    return true;
}

/* --- A new broker -------------------------------------------------------------------------- */

static int reopen(struct kept *kept, const char *name, const struct mroute_socket *table)
{
    int fd;

    mroute_socket_release(table);
    kept_remove(kept, name);
    fd = mroute_socket_open(table->family, table->table);
    return fd < 0 ? fd : kept_add(kept, name, fd);
}

/* What the broker before did to a table that it was lent is put right. The journal has its routes,
 * which the next broker makes again. */
static void renew(struct kept *kept, const char *name, const struct mroute_socket *table)
{
    int result = mroute_socket_renew(table);

    if (result == 0)
        return;
    if (result == -ESHUTDOWN)
        result = reopen(kept, name, table);
    log_line(LOG_ERR, "a broker spoilt the %s multicast table %u; %s.", family_name(table->family),
             table->table, result < 0 ? strerror(-result) : "it is made anew");
}

/* Backwards: what is made anew goes to the end. */
static void renew_tables(struct kept *kept)
{
    struct mroute_socket table;

    for (size_t i = kept->count; i > 0; i--) {
        char name[KEPT_NAME_MAX + 1];

        memcpy(name, kept->entries[i - 1].name, sizeof name);
        if (mroute_parse_name(name, kept->entries[i - 1].fd, &table))
            renew(kept, name, &table);
    }
}

/* --- The end ------------------------------------------------------------------------------- */

/* Deletes the rules, unless a manager keeps the tables for the next service. */
static void end(const struct kept *kept)
{
    struct mroute_socket table;

    for (size_t i = 0; i < kept->count && !notify_has_manager(); i++)
        if (mroute_parse_name(kept->entries[i].name, -1, &table))
            mroute_rules_clear(table.family, table.table);
}

const struct keeper_kind mroute_kept = {
    .prefix = "mroute-",
    .most = KEPT_TABLES_MAX,
    .lent = true,
    /* The kernel frees a table other than its default only with the network namespace
     * (ipmr_new_table in net/ipv4/ipmr.c). */
    .lasts = true,
    .accept = accept_table,
    .start = start,
    .broker_begins = renew_tables,
    .service_ends = end,
};

/* --- Checks -------------------------------------------------------------------------------- */

/* A table that the configuration lets the service use at all. */
int mroute_check_table(const struct operations *operations, const struct keeper_request *request)
{
    uint32_t family = request->family, table = request->number;

    if ((family != FAMILY_IPV4 && family != FAMILY_IPV6) || table == 0 || table > TABLE_ID_MAX)
        return -EINVAL;
    return table_is_allowed(&operations->config->tables, (uint8_t)family, table) ? 0 : -EACCES;
}

/* Rules lead to other tables than the default one, which needs none. */
int mroute_check_rule(const struct operations *operations, const struct keeper_request *request)
{
    int result = mroute_check_table(operations, request);

    if (result < 0)
        return result;
    return request->number != family_table((uint8_t)request->family, 0) ? 0 : -EINVAL;
}

/* Packets are led only to a table that is open. */
int mroute_check_new_rule(const struct operations *operations, const struct keeper_request *request)
{
    int result = mroute_check_rule(operations, request);

    if (result < 0)
        return result;
    if (request->ifindex < 1 || request->ifindex > INT32_MAX)
        return -EINVAL;
    return find_table(operations->kept, request->family, request->number) >= 0 ? 0 : -EBADF;
}

/* --- Acts ---------------------------------------------------------------------------------- */

int mroute_lend_table(struct operations *operations, const struct keeper_request *request,
                      struct keeper_answer *answer)
{
    char name[KEPT_NAME_MAX + 1];
    int fd, result;

    format_name(name, request->family, request->number);
    fd = kept_find(operations->kept, name);
    if (fd >= 0)
        return fd;
    result = kept_judge(operations->kept, name);
    if (result < 0)
        return result;
    fd = mroute_socket_open((uint8_t)request->family, request->number);
    if (fd >= 0)
        kept_add(operations->kept, name, fd);
    else if (fd == -EADDRINUSE)
        mroute_owner_describe((uint8_t)request->family, answer->text, sizeof answer->text);
    return fd;
}

/* The manager closes its copy when it comes to it, and until then the table would have an owner. */
int mroute_close_table(struct operations *operations, const struct keeper_request *request,
                       struct keeper_answer *answer)
{
    struct mroute_socket table = {.family = (uint8_t)request->family, .table = request->number};
    char name[KEPT_NAME_MAX + 1];

    (void)answer;
    format_name(name, request->family, request->number);
    table.fd = kept_find(operations->kept, name);
    if (table.fd < 0)
        return 0;
    mroute_rules_clear(table.family, table.table);
    mroute_socket_release(&table);
    kept_remove(operations->kept, name);
    return 0;
}

int mroute_add_rule(struct operations *operations, const struct keeper_request *request,
                    struct keeper_answer *answer)
{
    int result = mroute_rule_add((uint8_t)request->family, request->number, request->ifindex);

    (void)operations;
    (void)answer;
    return result == -EEXIST ? 0 : result;
}

/* The platform deletes only rules that carry our mark. */
int mroute_del_rule(struct operations *operations, const struct keeper_request *request,
                    struct keeper_answer *answer)
{
    struct mroute_rule rule = {.family = (uint8_t)request->family, .table = request->number};
    int result;

    (void)operations;
    (void)answer;
    memcpy(rule.iif, request->name, INTERFACE_NAME_MAX);
    result = mroute_rule_del(&rule);
    if (result < 0 && result != -ENOENT)
        log_line(LOG_WARNING, "cannot delete the rule that leads %s to multicast table %u: %s.",
                 rule.iif, rule.table, strerror(-result));
    return 0;
}
