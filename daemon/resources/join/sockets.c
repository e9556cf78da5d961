#include "sockets.h"

#include "hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

struct join_socket {
    TAILQ_ENTRY(join_socket) in_sockets;
    int fd;
    uint8_t family;
    bool of_sources; /* what kind of memberships it has, where it has any */
    bool full;       /* it refused another group, and nothing was left since */
    unsigned places; /* groups that it is a member of */
    uint64_t passed; /* the search that has seen it */
};

/* One group on one interface, as one socket is a member of it. */
struct place {
    struct hash_link in_places;
    struct join_socket *socket;
    unsigned ifindex;
    struct address group;
    unsigned members; /* sources, or 1 */
    bool full;        /* it refused another source, and none was left since */
    bool lost;        /* its interface was not a member at the last check */
};

struct membership {
    struct hash_link in_memberships;
    struct membership_key key;
    struct place *place;
    unsigned count; /* how often it was asked for */
};

struct join_sockets {
    TAILQ_HEAD(, join_socket) list;
    struct hash_table memberships;
    struct hash_table places; /* by interface and group; the newest first */
    uint64_t seed, searches;
    size_t count;
};

struct join_sockets *join_sockets_new(uint64_t seed)
{
    struct join_sockets *sockets = calloc(1, sizeof *sockets);

    if (!sockets)
        return NULL;
    TAILQ_INIT(&sockets->list);
    sockets->seed = seed;
    return sockets;
}

static void free_memberships(struct join_sockets *sockets)
{
    struct membership *membership;
    struct place *place;

    HASH_FOREACH_ALL (membership, &sockets->memberships, in_memberships)
        free(membership);
    hash_clear(&sockets->memberships);
    HASH_FOREACH_ALL (place, &sockets->places, in_places)
        free(place);
    hash_clear(&sockets->places);
}

void join_sockets_free(struct join_sockets *sockets)
{
    struct join_socket *socket;

    if (!sockets)
        return;
    free_memberships(sockets);
    while ((socket = TAILQ_FIRST(&sockets->list))) {
        TAILQ_REMOVE(&sockets->list, socket, in_sockets);
        close(socket->fd);
        free(socket);
    }
    free(sockets);
}

int join_sockets_add(struct join_sockets *sockets, uint8_t family, int fd)
{
    struct join_socket *socket = calloc(1, sizeof *socket);

    if (!socket) {
        close(fd);
        return -ENOMEM;
    }
    socket->fd = fd;
    socket->family = family;
    TAILQ_INSERT_TAIL(&sockets->list, socket, in_sockets);
    sockets->count++;
    return 0;
}

/* --- Finding ------------------------------------------------------------------------------- */

static uint64_t hash_group(const struct join_sockets *sockets, const struct membership_key *key)
{
    return hash_address(hash_word(sockets->seed, key->ifindex), &key->group);
}

static uint64_t hash_membership(const struct join_sockets *sockets,
                                const struct membership_key *key)
{
    return hash_address(hash_group(sockets, key), &key->source);
}

static struct membership *find_membership(const struct join_sockets *sockets,
                                          const struct membership_key *key)
{
    struct membership *membership;

    HASH_FOREACH (membership, &sockets->memberships, hash_membership(sockets, key), in_memberships)
        if (membership->key.ifindex == key->ifindex &&
            address_equal(&membership->key.group, &key->group) &&
            address_equal(&membership->key.source, &key->source))
            return membership;
    return NULL;
}

static bool is_place_of(const struct place *place, const struct membership_key *key)
{
    return place->ifindex == key->ifindex && address_equal(&place->group, &key->group);
}

/* --- Joining ------------------------------------------------------------------------------- */

static bool is_exhaustion(int result)
{
    return result == -ENOBUFS || result == -ENOMEM;
}

/* Adds a source to a place that there is. -EAGAIN: all that there are refuse. */
static int join_at_place(struct join_sockets *sockets, const struct membership_key *key,
                         struct place **ret)
{
    struct place *place;
    int result;

    sockets->searches++;
    HASH_FOREACH (place, &sockets->places, hash_group(sockets, key), in_places) {
        if (!is_place_of(place, key))
            continue;
        place->socket->passed = sockets->searches;
        if (place->full || !place->socket->of_sources || !key->source.family)
            continue;
        result = joins_join(place->socket->fd, key);
        if (!is_exhaustion(result)) {
            *ret = place;
            return result;
        }
        place->full = true;
    }
    return -EAGAIN;
}

static bool may_take(const struct join_socket *socket, const struct membership_key *key,
                     uint64_t search)
{
    return socket->family == key->group.family && !socket->full && socket->passed != search &&
           (socket->places == 0 || socket->of_sources == (key->source.family != FAMILY_NONE));
}

/* Makes a place on a socket that has none of this group. What the search has passed has one. */
static int join_at_socket(struct join_sockets *sockets, const struct membership_key *key,
                          struct place *place)
{
    struct join_socket *socket;
    int result;

    TAILQ_FOREACH (socket, &sockets->list, in_sockets) {
        if (!may_take(socket, key, sockets->searches))
            continue;
        result = joins_join(socket->fd, key);
        if (result < 0) /* a source may be refused after the group was joined for it */
            joins_leave(socket->fd, &(struct membership_key){key->ifindex, {0}, key->group});
        if (is_exhaustion(result) && socket->places > 0) {
            socket->full = true;
            continue;
        }
        if (result == 0) {
            *place = (struct place){.socket = socket, .ifindex = key->ifindex, .group = key->group};
            socket->of_sources = key->source.family != FAMILY_NONE;
            socket->places++;
            hash_insert(&sockets->places, &place->in_places, hash_group(sockets, key));
        }
        return result;
    }
    return -EAGAIN;
}

static int find_place(struct join_sockets *sockets, const struct membership_key *key,
                      struct place **ret)
{
    int result = join_at_place(sockets, key, ret);
    struct place *place;

    if (result != -EAGAIN)
        return result;
    place = calloc(1, sizeof *place);
    if (!place)
        return -ENOMEM;
    result = join_at_socket(sockets, key, place);
    if (result == 0)
        *ret = place;
    else
        free(place);
    return result;
}

int join_sockets_join(struct join_sockets *sockets, const struct membership_key *key)
{
    struct membership *membership = find_membership(sockets, key);
    int result;

    if (membership) {
        membership->count++;
        return 0;
    }
    membership = calloc(1, sizeof *membership);
    if (!membership)
        return -ENOMEM;
    result = find_place(sockets, key, &membership->place);
    if (result != 0) {
        free(membership);
        return result;
    }
    membership->key = *key;
    membership->count = 1;
    membership->place->members++;
    hash_insert(&sockets->memberships, &membership->in_memberships, hash_membership(sockets, key));
    return 0;
}

/* --- Leaving ------------------------------------------------------------------------------- */

static void leave_place(struct join_sockets *sockets, struct place *place)
{
    place->full = place->socket->full = false;
    if (--place->members > 0)
        return;
    place->socket->places--;
    hash_remove(&sockets->places, &place->in_places);
    free(place);
}

void join_sockets_leave(struct join_sockets *sockets, const struct membership_key *key)
{
    struct membership *membership = find_membership(sockets, key);

    if (!membership || --membership->count > 0)
        return;
    /* It fails where the interface was gone, and with it the membership: it is left all the same.
     */
    joins_leave(membership->place->socket->fd, key);
    leave_place(sockets, membership->place);
    hash_remove(&sockets->memberships, &membership->in_memberships);
    free(membership);
}

/* --- What the kernel has ------------------------------------------------------------------- */

static void note_member(void *context, unsigned ifindex, const struct address *group)
{
    struct join_sockets *sockets = context;
    struct membership_key key = {.ifindex = ifindex, .group = *group};
    struct place *place;

    HASH_FOREACH (place, &sockets->places, hash_group(sockets, &key), in_places)
        if (is_place_of(place, &key))
            place->lost = false;
}

static void set_lost(struct join_sockets *sockets, bool lost)
{
    struct place *place;

    HASH_FOREACH_ALL (place, &sockets->places, in_places)
        place->lost = lost && place->group.family == FAMILY_IPV6;
}

int join_sockets_check(struct join_sockets *sockets)
{
    int result;

    set_lost(sockets, true);
    result = joins_members_read(note_member, sockets);
    if (result < 0)
        set_lost(sockets, false);
    return result;
}

bool join_sockets_is_lost(const struct join_sockets *sockets, const struct membership_key *key)
{
    const struct membership *membership = find_membership(sockets, key);

    return membership && membership->place->lost;
}

size_t join_sockets_memberships(const struct join_sockets *sockets)
{
    return sockets->memberships.count;
}

size_t join_sockets_count(const struct join_sockets *sockets)
{
    return sockets->count;
}
