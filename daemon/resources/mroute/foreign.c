#include "demand.h"
#include "mroute_internal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    READS_A_TURN = 512,
    /* Messages that no deletion of ours explains. */
    UNEXPLAINED_MAX = 1024,
    /* More of these than a socket holds. */
    DRAINS_MAX = 16,
    /* What changes together is undone together. */
    ROUND_DELAY_MS = 100,
    ROUND_DELAY_MAX_MS = 8000,
    /* Rounds without delay, for somebody who tries out what happens. */
    STREAK_CALM = 4,
    STREAK_ENDS_MS = 10000,
    /* All of a table costs about a microsecond an entry. */
    ENTRIES_DELAY_MS = 1000,
    /* A slice of it is about a millisecond. */
    SLICE_DELAY_MS = 5,
    DUMPS_A_SLICE = 4,
    LOOKS_A_SLICE = 1024,
    UNSETTLED_DELAY_MS = 250,
};

void foreign_start(struct mroute *mroute)
{
    mroute->foreign = (struct foreign){.fd = mroute_changes_open(), .dump_fd = -1};
}

/* --- Whether an entry is the route's ------------------------------------------------------- */

/* The threshold that the kernel has for the interface; 0: it does not send there. */
static unsigned found_ttl(const struct mfc_found *found, unsigned ifindex)
{
    for (unsigned i = 0; i < found->oif_count; i++)
        if (found->oifs[i].ifindex == ifindex)
            return found->oifs[i].ttl;
    return 0;
}

/* Whether the kernel sends by the interface as the route says; the VIF of the inbound interface may
 * be in the entry, too. IPv6 has no thresholds. */
static bool oif_fits(const struct route *route, const struct mfc_found *found,
                     const struct route_oif *oif)
{
    unsigned ttl = found_ttl(found, oif->iface->ifindex);

    return oif->iface->vif < 0 || oif->iface == route->iif ||
           (route->group.address.family == FAMILY_IPV4 ? ttl == oif->ttl : ttl > 0);
}

static bool is_outgoing(const struct route *route, unsigned ifindex)
{
    for (unsigned i = 0; i < route->oif_count; i++)
        if (route->oifs[i].iface->ifindex == ifindex)
            return true;
    return route->iif->ifindex == ifindex;
}

bool entry_fits(const struct route *route, const struct mfc_found *found)
{
    if (found->iif != route->iif->ifindex)
        return false;
    for (unsigned i = 0; i < route->oif_count; i++)
        if (!oif_fits(route, found, &route->oifs[i]))
            return false;
    for (unsigned i = 0; i < found->oif_count; i++)
        if (!is_outgoing(route, found->oifs[i].ifindex))
            return false;
    return true;
}

/* --- Suspicions ---------------------------------------------------------------------------- */

/* The route that has this entry in the kernel, or should have it; NULL: none. */
static struct route *find_owner(const struct mfc *mfc, const struct address *source,
                                const struct address *group)
{
    struct prefix any = {.address = *source}, single = prefix_single(group);
    struct route *route;

    if (!address_is_any(source)) {
        route = route_set_find_flow(&mfc->routes, source, group);
        return route && route->in_kernel ? route : NULL;
    }
    route = route_set_find(&mfc->routes, &any, &single, NULL);
    while (route && !route->in_kernel)
        route = route_set_next(route);
    return route;
}

static uint64_t round_delay(const struct foreign *foreign)
{
    unsigned delay = ROUND_DELAY_MS;

    for (unsigned i = STREAK_CALM; i < foreign->streak && delay < ROUND_DELAY_MAX_MS; i++)
        delay *= 2;
    return delay < ROUND_DELAY_MAX_MS ? delay : ROUND_DELAY_MAX_MS;
}

/* A round is needed; entries: one that looks at all of a table. */
static void need_round(struct foreign *foreign, bool entries)
{
    uint64_t earliest = foreign->ended_ms ? foreign->ended_ms + ENTRIES_DELAY_MS : 0;

    if (foreign->now_ms - foreign->healed_ms > STREAK_ENDS_MS)
        foreign->streak = 0;
    if (!foreign->due_ms)
        foreign->due_ms = foreign->now_ms + round_delay(foreign);
    if (entries && foreign->due_ms < earliest)
        foreign->due_ms = earliest;
}

static void suspect_entry(struct foreign *foreign, struct suspicion *suspicion,
                          const struct mroute_change *change)
{
    struct suspect suspect = {change->source, change->group};

    for (unsigned i = 0; i < suspicion->count; i++)
        if (address_equal(&suspicion->suspects[i].source, &suspect.source) &&
            address_equal(&suspicion->suspects[i].group, &suspect.group))
            return;
    if (suspicion->count < SUSPECTS_MAX)
        suspicion->suspects[suspicion->count++] = suspect;
    else
        suspicion->entries = true;
    need_round(foreign, suspicion->entries);
}

/* What a change says of a table that it may be of. What we deleted is no route's any more. */
static void suspect(struct foreign *foreign, struct mfc *mfc, const struct mroute_change *change)
{
    struct suspicion *suspicion = &mfc->suspicion;

    switch (change->kind) {
    case MROUTE_VIFS_CHANGED:
        suspicion->vifs = true;
        need_round(foreign, false);
        break;
    case MROUTE_RULE_DELETED:
        suspicion->rules = true;
        need_round(foreign, false);
        break;
    case MROUTE_ENTRY_DELETED:
        if (!find_owner(mfc, &change->source, &change->group))
            break;
        /* fall through */
    case MROUTE_ENTRY_WRITTEN:
        suspect_entry(foreign, suspicion, change);
        break;
    }
}

static void take_change(void *context, const struct mroute_change *change)
{
    struct mroute *mroute = context;
    struct mfc *mfc;

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        if (mfc->socket.fd >= 0 && mfc->socket.family == change->family &&
            (!change->table || mfc->socket.table == change->table))
            suspect(&mroute->foreign, mfc, change);
}

static void suspect_all(struct mroute *mroute)
{
    struct mfc *mfc;

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        mfc->suspicion.entries = mfc->suspicion.vifs = mfc->suspicion.rules = true;
    need_round(&mroute->foreign, true);
}

static struct mroute_listening listening(const struct foreign *foreign)
{
    struct mroute_listening ret = {.listen = foreign->fd >= 0 && !foreign->deaf};

    if (foreign->in_round)
        ret.heal_ms = SLICE_DELAY_MS;
    else if (foreign->due_ms)
        ret.heal_ms =
            foreign->due_ms > foreign->now_ms ? (unsigned)(foreign->due_ms - foreign->now_ms) : 1;
    return ret;
}

int mroute_changes_fd(const struct mroute *mroute)
{
    return mroute->foreign.fd;
}

struct mroute_listening mroute_read_changes(struct mroute *mroute, uint64_t now_ms)
{
    struct foreign *foreign = &mroute->foreign;
    int result;

    foreign->now_ms = now_ms;
    result = mroute_changes_read(foreign->fd, READS_A_TURN, take_change, mroute);
    if (result > 0)
        foreign->unexplained += (unsigned)result;
    foreign->deaf =
        result < 0 || foreign->unexplained > mroute->erased - foreign->erased + UNEXPLAINED_MAX;
    if (foreign->deaf)
        suspect_all(mroute);
    return listening(foreign);
}

/* --- Undoing ------------------------------------------------------------------------------- */

/* 0: the entry is there, as found. -ENOENT: it is not. Else it is there, and the kernel cannot tell
 * more. */
static int find_entry(const struct mfc *mfc, const struct suspect *suspect, struct mfc_found *found)
{
    int result = mroute_mfc_find(&mfc->socket, &suspect->source, &suspect->group, found);
    struct mfc_counters counters;

    if (result < 0 && result != -ENOENT &&
        mroute_mfc_count(&mfc->socket, &suspect->source, &suspect->group, &counters) < 0)
        return -ENOENT;
    return result;
}

/* Makes the kernel's entry the route's, or forgets the route if it was learned: the flow is learned
 * again when it goes on. */
static void restore(struct mfc *mfc, struct route *route, bool rewrite)
{
    if (route->learned) {
        mfc_del(mfc, route, ROUTE_EXPIRED_EVENT);
        mfc->suspicion.healed.forgotten++;
        return;
    }
    mfc->suspicion.healed.restored += mfc_restore(mfc, route, rewrite);
}

/* Asks the kernel what is there, and undoes what somebody else did. */
static void inspect(struct mfc *mfc, const struct suspect *suspect)
{
    struct route *route = find_owner(mfc, &suspect->source, &suspect->group);
    struct mfc_found found;
    int result = find_entry(mfc, suspect, &found);

    if (route && result == -ENOENT)
        restore(mfc, route, false);
    else if (route && result == 0 && (found.foreign || !entry_fits(route, &found)))
        restore(mfc, route, found.foreign);
    else if (!route && result != -ENOENT)
        mfc->suspicion.healed.deleted +=
            mroute_mfc_del(&mfc->socket, &suspect->source, &suspect->group) == 0;
}

struct vif_table {
    unsigned ifindex[VIFS_MAX];
};

static void note_vif(void *context, unsigned vif, unsigned ifindex)
{
    struct vif_table *found = context;

    found->ifindex[vif] = ifindex;
}

/* What the kernel has for the number is not what we have. One of our own that cannot be made again
 * has lost its interface, of which we are told otherwise. */
static void restore_vif(struct mfc *mfc, unsigned vif, unsigned wanted, unsigned found)
{
    unsigned healed = found && mroute_vif_del(&mfc->socket, vif) == 0;

    if (wanted)
        healed = mroute_vif_add(&mfc->socket, vif, wanted) == 0;
    mfc->suspicion.healed.vifs += healed;
    mfc->suspicion.in_round |= healed; /* entries may have been written without it */
}

/* Numbers that are nobody's, but not free either, were there before us. */
static void inspect_vifs(struct mfc *mfc)
{
    struct vif_table found = {0};
    struct mroute_visitor visitor = {.vif = note_vif, .context = &found};

    if (mroute_dump_vifs(&mfc->socket, &visitor) < 0)
        return;
    for (unsigned vif = 0; vif < VIFS_MAX; vif++) {
        const struct iface *iface = iface_of_vif(&mfc->ifaces, vif);
        unsigned wanted = iface ? iface->ifindex : 0;

        if (wanted != found.ifindex[vif] && (iface || !(mfc->ifaces.used_vifs & 1u << vif)))
            restore_vif(mfc, vif, wanted, found.ifindex[vif]);
    }
}

static void inspect_rules(struct mroute *mroute, struct mfc *mfc)
{
    unsigned lost;

    if (mfc->rules.pending > 0) { /* some are being made: later */
        mfc->suspicion.rules = true;
        need_round(&mroute->foreign, false);
        return;
    }
    lost = rules_note_lost(&mfc->rules);
    mfc->suspicion.healed.rules += lost;
    mfc->ifaces.iifs_changed |= lost > 0;
    rules_settle_tables(&mroute->tables, mfc->socket.family);
}

/* --- All of a table ------------------------------------------------------------------------ */

/* Tells of what differs, and of what nobody wants. The kernel wrote it a moment ago, so it is asked
 * again. */
static void compare_entry(void *context, const struct mfc_found *found)
{
    struct mfc *mfc = context;
    struct suspect suspect = {found->source, found->group};
    const struct route *route =
        found->unresolved ? NULL : find_owner(mfc, &found->source, &found->group);

    if (!found->unresolved && (!route || found->foreign || !entry_fits(route, found)))
        inspect(mfc, &suspect);
}

static void begin_table(struct mroute *mroute, struct mfc *mfc)
{
    struct foreign *foreign = &mroute->foreign;
    struct mroute_filter filter = {.family = mfc->socket.family, .table = mfc->socket.table};

    mfc->suspicion.in_round = false;
    foreign->mfc = mfc;
    foreign->dump_fd = mroute_dump_begin(&mfc->socket);
    route_cursor_open(&foreign->cursor, mroute, &filter);
}

static void end_table(struct foreign *foreign)
{
    if (foreign->dump_fd >= 0)
        close(foreign->dump_fd);
    foreign->dump_fd = -1;
    foreign->mfc = NULL;
    route_cursor_close(&foreign->cursor);
}

static void compare_some(struct foreign *foreign)
{
    struct mroute_visitor visitor = {.mfc = compare_entry, .context = foreign->mfc};
    int result = 1;

    for (unsigned i = 0; i < DUMPS_A_SLICE && result > 0; i++)
        result = mroute_dump_next(foreign->dump_fd, &foreign->mfc->socket, &visitor);
    if (result > 0)
        return;
    close(foreign->dump_fd);
    foreign->dump_fd = -1;
}

/* Those that are missing were in no dump. False: there are no more routes. */
static bool look_at_some(struct foreign *foreign)
{
    struct mfc *mfc = foreign->mfc;
    const struct route *route;

    for (unsigned i = 0; i < LOOKS_A_SLICE; i++) {
        struct mfc_counters counters;

        if (!route_cursor_look(&foreign->cursor, &route))
            return false;
        if (route && route->in_kernel &&
            mroute_mfc_count(&mfc->socket, &route->source.address, &route->group.address,
                             &counters) < 0)
            inspect(mfc, &(struct suspect){route->source.address, route->group.address});
    }
    return true;
}

/* --- Rounds -------------------------------------------------------------------------------- */

static void inspect_suspects(struct mroute *mroute, struct mfc *mfc)
{
    struct suspicion was = mfc->suspicion;

    mfc->suspicion = (struct suspicion){
        .in_round = was.entries,
        .healed = {.family = mfc->socket.family, .table = mfc->socket.table},
    };
    if (was.vifs)
        inspect_vifs(mfc);
    if (was.rules)
        inspect_rules(mroute, mfc);
    for (unsigned i = 0; i < was.count && !mfc->suspicion.in_round; i++)
        inspect(mfc, &was.suspects[i]);
}

static void ignore_change(void *context, const struct mroute_change *change)
{
    (void)context;
    (void)change;
}

/* What a deaf socket holds is old. One that was overrun is given nothing more, and nobody is told
 * of what it loses, until it is empty (NETLINK_S_CONGESTED of net/netlink/af_netlink.c). */
static void empty(const struct foreign *foreign)
{
    int result = 1;

    for (unsigned i = 0; i < DRAINS_MAX && result != 0; i++)
        result = mroute_changes_read(foreign->fd, UNEXPLAINED_MAX, ignore_change, NULL);
}

static void begin_round(struct mroute *mroute)
{
    struct foreign *foreign = &mroute->foreign;
    struct mfc *mfc;

    if (foreign->deaf)
        empty(foreign);
    foreign->deaf = false;
    foreign->unexplained = 0;
    foreign->erased = mroute->erased;
    foreign->due_ms = 0;
    foreign->in_round = true;
    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        if (mfc->socket.fd >= 0)
            inspect_suspects(mroute, mfc);
}

static bool has_healed(const struct mroute_healed *healed)
{
    return healed->restored || healed->forgotten || healed->deleted || healed->vifs ||
           healed->rules;
}

static void end_round(struct mroute *mroute)
{
    struct foreign *foreign = &mroute->foreign;
    bool any = false;
    struct mfc *mfc;

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        any |= has_healed(&mfc->suspicion.healed);
    if (any) {
        foreign->streak++;
        foreign->healed_ms = foreign->now_ms;
    }
    foreign->in_round = false;
    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        if (has_healed(&mfc->suspicion.healed)) {
            mfc->suspicion.healed.fought = foreign->streak == STREAK_CALM;
            mroute->callbacks.healed(mroute->callbacks.context, &mfc->suspicion.healed);
            mfc->suspicion.healed = (struct mroute_healed){0};
        }
}

static struct mfc *next_in_round(const struct mroute *mroute)
{
    struct mfc *mfc;

    TAILQ_FOREACH (mfc, &mroute->tables, in_tables)
        if (mfc->suspicion.in_round)
            return mfc;
    return NULL;
}

/* One slice of a round. */
static void go_on(struct mroute *mroute)
{
    struct foreign *foreign = &mroute->foreign;
    struct mfc *next;

    if (foreign->mfc && foreign->dump_fd >= 0) {
        compare_some(foreign);
    } else if (foreign->mfc && !look_at_some(foreign)) {
        foreign->ended_ms = foreign->now_ms;
        end_table(foreign);
    }
    if (foreign->mfc)
        return;
    next = next_in_round(mroute);
    if (next)
        begin_table(mroute, next);
    else
        end_round(mroute);
}

struct mroute_listening mroute_heal(struct mroute *mroute, uint64_t now_ms)
{
    struct foreign *foreign = &mroute->foreign;

    foreign->now_ms = now_ms;
    if (!mroute->settled && foreign->due_ms)
        foreign->due_ms = now_ms + UNSETTLED_DELAY_MS;
    if (!foreign->in_round && foreign->due_ms && foreign->due_ms <= now_ms)
        begin_round(mroute);
    if (foreign->in_round)
        go_on(mroute);
    return listening(foreign);
}

/* --- Ends ---------------------------------------------------------------------------------- */

void foreign_forget(struct mroute *mroute, const struct mfc *mfc)
{
    if (mroute->foreign.mfc == mfc)
        end_table(&mroute->foreign);
}

void foreign_stop(struct mroute *mroute)
{
    if (mroute->foreign.fd >= 0)
        close(mroute->foreign.fd);
}
