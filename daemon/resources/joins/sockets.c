#include "sockets.h"

#include "hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

/* JOIN_MEMBERSHIPS_MAX of them make chains of five. */
enum { BUCKETS = 2048 };

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
    LIST_ENTRY(place) in_bucket;
    struct join_socket *socket;
    unsigned ifindex;
    struct address group;
    unsigned members; /* sources, or 1 */
    bool full;        /* it refused another source, and none was left since */
};

struct membership {
    LIST_ENTRY(membership) in_bucket;
    struct membership_key key;
    struct place *place;
    unsigned count; /* how often it was asked for */
};

struct join_sockets {
    TAILQ_HEAD(, join_socket) list;
    LIST_HEAD(, membership) memberships[BUCKETS];
    LIST_HEAD(place_list, place) places[BUCKETS]; /* by interface and group; the newest first */
    uint64_t seed, searches;
    size_t count, membership_count;
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

    for (size_t i = 0; i < BUCKETS; i++) {
        while ((membership = LIST_FIRST(&sockets->memberships[i]))) {
            LIST_REMOVE(membership, in_bucket);
            free(membership);
        }
        while ((place = LIST_FIRST(&sockets->places[i]))) {
            LIST_REMOVE(place, in_bucket);
            free(place);
        }
    }
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

static size_t membership_bucket(const struct join_sockets *sockets,
                                const struct membership_key *key)
{
    return hash_address(hash_group(sockets, key), &key->source) % BUCKETS;
}

static size_t place_bucket(const struct join_sockets *sockets, const struct membership_key *key)
{
    return hash_group(sockets, key) % BUCKETS;
}

static struct membership *find_membership(const struct join_sockets *sockets,
                                          const struct membership_key *key)
{
    struct membership *membership;

    LIST_FOREACH (membership, &sockets->memberships[membership_bucket(sockets, key)], in_bucket)
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
    LIST_FOREACH (place, &sockets->places[place_bucket(sockets, key)], in_bucket) {
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
            LIST_INSERT_HEAD(&sockets->places[place_bucket(sockets, key)], place, in_bucket);
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
    sockets->membership_count++;
    LIST_INSERT_HEAD(&sockets->memberships[membership_bucket(sockets, key)], membership, in_bucket);
    return 0;
}

/* --- Leaving ------------------------------------------------------------------------------- */

static void leave_place(struct place *place)
{
    place->full = place->socket->full = false;
    if (--place->members > 0)
        return;
    place->socket->places--;
    LIST_REMOVE(place, in_bucket);
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
    leave_place(membership->place);
    sockets->membership_count--;
    LIST_REMOVE(membership, in_bucket);
    free(membership);
}

size_t join_sockets_memberships(const struct join_sockets *sockets)
{
    return sockets->membership_count;
}

size_t join_sockets_count(const struct join_sockets *sockets)
{
    return sockets->count;
}
