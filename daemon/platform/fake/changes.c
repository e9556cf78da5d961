/* What the fake kernel tells of changes to its tables, and who else changes them. */
#include "kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int mroute_changes_open(void)
{
    struct fake *kernel = fake_kernel();
    int pair[2];
    int result = fake_pair(pair);

    if (result < 0)
        return result;
    if (kernel->changes_peer >= 0)
        close(kernel->changes_peer);
    kernel->changes_peer = pair[0];
    kernel->change_count = 0;
    kernel->changes_lost = false;
    return pair[1];
}

void fake_tell_change(const struct mroute_change *change)
{
    struct fake *kernel = fake_kernel();

    if (kernel->changes_peer < 0)
        return;
    if (kernel->change_count == FAKE_CHANGES_MAX)
        kernel->changes_lost = true;
    else
        kernel->changes[kernel->change_count++] = *change;
    if (send(kernel->changes_peer, "", 1, MSG_NOSIGNAL) < 0) /* a full socket is readable as well */
        return;
}

int mroute_changes_read(int fd, unsigned limit, mroute_change_visit *visit, void *context)
{
    struct fake *kernel = fake_kernel();
    unsigned count = kernel->change_count < limit ? (unsigned)kernel->change_count : limit;
    char byte;

    if (kernel->changes_lost) {
        kernel->changes_lost = false;
        return -ENOBUFS;
    }
    for (unsigned i = 0; i < count; i++)
        visit(context, &kernel->changes[i]);
    kernel->change_count -= count;
    memmove(kernel->changes, kernel->changes + count,
            kernel->change_count * sizeof *kernel->changes);
    while (kernel->change_count == 0 && recv(fd, &byte, 1, 0) > 0)
        ;
    return (int)count;
}

/* --- The test's side ----------------------------------------------------------------------- */

void fake_changes_overrun(void)
{
    struct fake *kernel = fake_kernel();

    kernel->change_count = 0;
    kernel->changes_lost = true;
}

static struct mfc_entry read_entry(const char *source, const char *group)
{
    struct mfc_entry entry = {0};

    if (!address_parse(source, &entry.source) || !address_parse(group, &entry.group))
        abort();
    return entry;
}

/* The default table of the family; any descriptor will do. */
static struct mroute_socket default_table(uint8_t family)
{
    return (struct mroute_socket){0, family, family_table(family, 0)};
}

void fake_foreign_set(const char *source, const char *group, unsigned parent, unsigned oif)
{
    struct mfc_entry entry = read_entry(source, group);
    struct mroute_socket table = default_table(entry.group.family);

    entry.parent = parent;
    entry.ttls[oif] = 1;
    if (mroute_mfc_set(&table, &entry) < 0)
        abort();
    fake_mark_foreign(&table, &entry);
    fake_tell_change(&(struct mroute_change){.kind = MROUTE_ENTRY_WRITTEN,
                                             .family = table.family,
                                             .table = table.table,
                                             .source = entry.source,
                                             .group = entry.group});
}

void fake_foreign_del(const char *source, const char *group)
{
    struct mfc_entry entry = read_entry(source, group);
    struct mroute_socket table = default_table(entry.group.family);

    if (mroute_mfc_del(&table, &entry.source, &entry.group) < 0)
        abort();
}

void fake_foreign_rule_del(uint8_t family, uint32_t table, const char *iif)
{
    struct mroute_rule rule = {.family = family, .table = table};

    strncpy(rule.iif, iif, INTERFACE_NAME_MAX);
    if (mroute_rule_del(&rule) < 0)
        abort();
}
