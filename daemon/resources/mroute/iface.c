#include "iface.h"

#include "mroute.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ifaces_init(struct ifaces *ifaces, const struct mroute_socket *socket)
{
    *ifaces = (struct ifaces){.socket = socket, .asker = POOL_UID_NOBODY};
    TAILQ_INIT(&ifaces->list);
}

void ifaces_clear(struct ifaces *ifaces)
{
    struct iface *iface;

    while ((iface = TAILQ_FIRST(&ifaces->list))) {
        TAILQ_REMOVE(&ifaces->list, iface, in_ifaces);
        shared_clear(&iface->shared);
        free(iface);
    }
    ifaces_init(ifaces, ifaces->socket);
}

bool iface_name_matches(const char *pattern, const char *name)
{
    return strncmp(pattern, name, strlen(pattern) - 1) == 0;
}

bool interface_names_overlap(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || (interface_name_is_pattern(a) && interface_pattern_has(a, b)) ||
           (interface_name_is_pattern(b) && interface_pattern_has(b, a));
}

struct iface *iface_find(const struct ifaces *ifaces, const char *name, unsigned ifindex)
{
    struct iface *iface;

    TAILQ_FOREACH (iface, &ifaces->list, in_ifaces)
        if (iface->ifindex == ifindex && (ifindex || strcmp(iface->name, name) == 0))
            return iface;
    return NULL;
}

struct iface *iface_find_missing(const struct ifaces *ifaces, const char *name)
{
    return interface_name_is_pattern(name) ? NULL : iface_find(ifaces, name, 0);
}

struct iface *iface_of_vif(const struct ifaces *ifaces, unsigned vif)
{
    struct iface *iface;

    TAILQ_FOREACH (iface, &ifaces->list, in_ifaces)
        if (iface->vif >= 0 && (unsigned)iface->vif == vif)
            return iface;
    return NULL;
}

unsigned ifaces_free_vifs(const struct ifaces *ifaces)
{
    return (unsigned)__builtin_popcount(~ifaces->used_vifs);
}

/* Takes the lowest free VIF. A number that somebody outside took is marked and passed over. */
static int take_vif(struct ifaces *ifaces, unsigned ifindex)
{
    for (unsigned vif = 0; vif < VIFS_MAX; vif++) {
        if (ifaces->used_vifs & 1u << vif)
            continue;

        int result = mroute_vif_add(ifaces->socket, vif, ifindex);

        if (result == 0 || result == -EADDRINUSE)
            ifaces->used_vifs |= 1u << vif;
        if (result == 0)
            return (int)vif;
        if (result != -EADDRINUSE)
            return result;
    }
    return -ENFILE;
}

static bool explain(int result, const struct ifaces *ifaces, const char *name, struct error *error)
{
    if (result == -ENFILE)
        return error_set(error, ERROR_LIMIT, NULL,
                         "Interface '%s' would be the 33rd of table %u: the kernel routes "
                         "between at most 32. 'netbroker vif show' lists those in use.",
                         name, ifaces->socket->table);
    if (result == -EADDRNOTAVAIL || result == -ENODEV)
        return error_set(error, ERROR_NOT_FOUND, NULL,
                         "Invalid argument: Interface '%s' not found.", name);
    return error_set(error, result == -ENOMEM ? ERROR_NO_MEMORY : ERROR_INTERNAL, NULL,
                     "The kernel refused a VIF for '%s': %s.", name, strerror(-result));
}

static void set_vif(struct iface *iface, int vif)
{
    iface->vif = vif < 0 ? -1 : vif;
    shared_set_cost(&iface->shared, vif >= 0);
}

static struct iface *iface_new(struct ifaces *ifaces, const char *name, unsigned ifindex,
                               struct error *error)
{
    if (ifaces->count == IFACES_MAX) {
        error_set(error, ERROR_LIMIT, NULL,
                  "The routes of table %u may name at most %d interfaces; delete some first.",
                  ifaces->socket->table, IFACES_MAX);
        return NULL;
    }
    struct iface *iface = calloc(1, sizeof *iface);

    if (!iface) {
        error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for another interface.");
        return NULL;
    }
    strncpy(iface->name, name, INTERFACE_NAME_MAX);
    iface->ifindex = ifindex;
    iface->vif = -1;
    iface->shared.pool = ifaces->pool;
    iface->pattern = ifindex == 0 && interface_name_is_pattern(name);
    TAILQ_INSERT_TAIL(&ifaces->list, iface, in_ifaces);
    ifaces->count++;
    ifaces->pattern_count += iface->pattern;
    return iface;
}

static void iface_free(struct ifaces *ifaces, struct iface *iface)
{
    if (iface->vif >= 0) {
        mroute_vif_del(ifaces->socket, (unsigned)iface->vif);
        iface_free_vif(ifaces, iface->vif);
    }
    shared_clear(&iface->shared);
    TAILQ_REMOVE(&ifaces->list, iface, in_ifaces);
    ifaces->count--;
    ifaces->pattern_count -= iface->pattern;
    free(iface);
}

/* One that went, or for which there is no VIF, may have one later: lose_netif and
 * mfc_attach_ifaces see to it. */
static bool may_come(int result)
{
    return result == -ENODEV || result == -EADDRNOTAVAIL || result == -ENFILE;
}

struct iface *iface_acquire(struct ifaces *ifaces, const char *name, unsigned ifindex, bool wait,
                            struct error *error)
{
    int vif;

    struct iface *iface = iface_find(ifaces, name, ifindex);

    if (!iface)
        iface = iface_new(ifaces, name, ifindex, error);
    if (!iface)
        return NULL;
    iface->ref_count++;
    if (ifindex && iface->vif < 0) {
        vif = take_vif(ifaces, ifindex);
        set_vif(iface, vif);
        if (vif < 0 && !(wait && may_come(vif))) {
            explain(vif, ifaces, name, error);
            iface_release(ifaces, iface);
            return NULL;
        }
    }
    return iface;
}

void iface_release(struct ifaces *ifaces, struct iface *iface)
{
    if (--iface->ref_count == 0)
        iface_free(ifaces, iface);
}

void iface_count_iif(struct ifaces *ifaces, struct iface *iface, int change)
{
    bool was = iface->iif_count > 0;

    iface->iif_count += (unsigned)change;
    ifaces->iifs_changed |= was != (iface->iif_count > 0);
}

void iface_rename(struct ifaces *ifaces, struct iface *iface, const char *name)
{
    ifaces->iifs_changed |= iface->iif_count > 0 && strcmp(iface->name, name) != 0;
    memset(iface->name, 0, sizeof iface->name);
    strncpy(iface->name, name, INTERFACE_NAME_MAX);
}

/* --- What patterns mean -------------------------------------------------------------------- */

/* Whether the iface is a pattern by which packets may come in, and means the interface. */
static bool is_meant_by(const struct iface *pattern, const char *name)
{
    return pattern->pattern && pattern->iif_count > 0 && iface_name_matches(pattern->name, name);
}

static bool is_meant(const struct ifaces *ifaces, const char *name)
{
    const struct iface *iface;

    TAILQ_FOREACH (iface, &ifaces->list, in_ifaces)
        if (is_meant_by(iface, name))
            return true;
    return false;
}

static void let_go(struct ifaces *ifaces)
{
    struct iface *iface, *next;

    TAILQ_FOREACH (iface, &ifaces->list, in_ifaces)
        iface->leaves = iface->gathered && (!iface->ifindex || !is_meant(ifaces, iface->name));
    for (iface = TAILQ_FIRST(&ifaces->list); iface; iface = next) {
        next = TAILQ_NEXT(iface, in_ifaces);
        if (iface->leaves) {
            iface->gathered = iface->leaves = false;
            shared_leave(&iface->shared, iface->gatherer);
            iface_count_iif(ifaces, iface, -1);
            iface_release(ifaces, iface);
        }
    }
}

static bool may_have_vif(const struct ifaces *ifaces, const struct iface *iface, uid_t uid)
{
    return (iface && iface->vif >= 0) || !ifaces->pool ||
           pool_may(ifaces->pool, uid, &(struct pool_request){.more = 1}, NULL);
}

struct iface *iface_acquire_meant(struct ifaces *ifaces, const struct netif *netif, uid_t uid)
{
    struct error unused;
    struct iface *iface = iface_find(ifaces, netif->name, netif->ifindex);

    iface = may_have_vif(ifaces, iface, uid)
                ? iface_acquire(ifaces, netif->name, netif->ifindex, false, &unused)
                : NULL;
    ifaces->passed_over |= !iface;
    return iface;
}

/* Who pays for what the pattern means: one of its users who has room, or else who is charged for
 * it, or makes it. */
static uid_t gatherer_of(const struct ifaces *ifaces, const struct iface *pattern)
{
    uid_t uid = ifaces->asker;

    if (!shared_find_room(&pattern->shared, 1, &uid))
        shared_payer(&pattern->shared, &uid);
    return uid;
}

static bool gather(struct ifaces *ifaces, const struct iface *pattern, const struct netif *netif)
{
    uid_t uid = gatherer_of(ifaces, pattern);
    struct iface *iface = iface_acquire_meant(ifaces, netif, uid);

    if (!iface)
        return false;
    iface->gathered = true;
    iface->gatherer = uid;
    shared_use(&iface->shared, uid);
    iface_count_iif(ifaces, iface, 1);
    return true;
}

/* Of several patterns that mean it, it is gathered by the first one whose users have room. */
static void gather_netif(struct ifaces *ifaces, const struct netif *netif)
{
    bool passed_over = ifaces->passed_over;
    const struct iface *pattern;

    TAILQ_FOREACH (pattern, &ifaces->list, in_ifaces)
        if (is_meant_by(pattern, netif->name) && gather(ifaces, pattern, netif)) {
            ifaces->passed_over = passed_over;
            return;
        }
}

void ifaces_gather(struct ifaces *ifaces, const struct netifs *netifs)
{
    const struct netif *netif = NULL;

    while ((netif = netifs_next(netifs, netif))) {
        const struct iface *iface = iface_find(ifaces, netif->name, netif->ifindex);

        if (!(iface && iface->gathered))
            gather_netif(ifaces, netif);
    }
    let_go(ifaces);
}

bool iface_is_open(const struct ifaces *ifaces, const struct iface *iface)
{
    const struct iface *other;

    if (!iface->pattern)
        return iface->vif >= 0;
    TAILQ_FOREACH (other, &ifaces->list, in_ifaces)
        if (other->vif >= 0 && iface_name_matches(iface->name, other->name))
            return true;
    return false;
}

struct iface *iface_adopt(struct ifaces *ifaces, const char *name, unsigned ifindex, unsigned vif)
{
    struct error unused; /* adoption goes on without the iface */
    struct iface *iface = iface_new(ifaces, name, ifindex, &unused);

    ifaces->used_vifs |= 1u << vif;
    if (iface)
        set_vif(iface, (int)vif);
    return iface;
}

void ifaces_drop_unused(struct ifaces *ifaces)
{
    struct iface *iface = TAILQ_FIRST(&ifaces->list);

    while (iface) {
        struct iface *next = TAILQ_NEXT(iface, in_ifaces);

        if (iface->ref_count == 0)
            iface_free(ifaces, iface);
        iface = next;
    }
}

bool iface_attach(struct ifaces *ifaces, struct iface *iface, unsigned ifindex)
{
    int vif = -1;

    if (shared_raise_cost(&iface->shared, 1))
        vif = take_vif(ifaces, ifindex);
    iface->ifindex = ifindex;
    set_vif(iface, vif);
    ifaces->iifs_changed |= iface->iif_count > 0;
    return vif >= 0;
}

int iface_detach(struct ifaces *ifaces, struct iface *iface)
{
    int vif = iface->vif;

    iface->ifindex = 0;
    set_vif(iface, -1);
    ifaces->iifs_changed |= iface->iif_count > 0;
    return vif;
}

void iface_free_vif(struct ifaces *ifaces, int vif)
{
    ifaces->used_vifs &= ~(1u << vif);
}

void iface_describe(const struct ifaces *ifaces, const struct iface *iface, struct vif_view *ret)
{
    *ret = (struct vif_view){
        .family = ifaces->socket->family,
        .table = ifaces->socket->table,
        .name = iface->name,
        .ifindex = iface->ifindex,
        .vif = (unsigned)iface->vif,
        .ref_count = iface->ref_count,
    };
    mroute_vif_count(ifaces->socket, ret->vif, &ret->counters);
}
