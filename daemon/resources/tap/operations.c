#include "operations.h"

#include "decode.h"
#include "keeper/operations.h"
#include "log.h"
#include "spares.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert((int)TAP_QUEUES_MAX <= (int)KEEPER_FDS_MAX, "an answer brings all queues");

/* --- Values -------------------------------------------------------------------------------- */

bool tap_mac_is_valid(const uint8_t mac[MAC_BYTES])
{
    static const uint8_t zero[MAC_BYTES];

    return !(mac[0] & 1) && memcmp(mac, zero, MAC_BYTES) != 0;
}

static bool is_valid_host(const struct host_address *host)
{
    uint8_t family = host->address.family;

    return (family == FAMILY_IPV4 || family == FAMILY_IPV6) && host->length > 0 &&
           host->length <= family_bits(family) && host_address_is_sound(host);
}

bool tap_has_family(const struct tap_config *tap, uint8_t family)
{
    for (uint32_t i = 0; i < tap->host_count; i++)
        if (tap->hosts[i].address.family == family)
            return true;
    return false;
}

bool tap_is_plain(const struct tap_config *tap)
{
    return tap->host_count == 0 && tap->route_count == 0 && tap->queues == 1 && !tap->uplink[0] &&
           !(tap->flags & TAP_PERSISTENT);
}

bool tap_can_be_on_uplink(const struct tap_config *tap)
{
    return !tap->bridge[0] && tap->host_count == 0 && tap->route_count == 0 && tap->queues == 1 &&
           !(tap->flags & TAP_PERSISTENT);
}

bool tap_spare_fits(const struct tap_config *spare, const struct tap_config *wanted)
{
    return strcmp(spare->name, wanted->name) == 0 && strcmp(spare->bridge, wanted->bridge) == 0 &&
           memcmp(spare->mac, wanted->mac, MAC_BYTES) == 0 && spare->mtu == wanted->mtu &&
           spare->flags == wanted->flags && tap_is_plain(wanted);
}

/* --- Checks -------------------------------------------------------------------------------- */

int tap_check_name(const struct operations *operations, const struct keeper_request *request)
{
    return tap_name_is_allowed(operations->config->tap_prefix, request->tap.name) ? 0 : -EACCES;
}

/* The bits behind the length are zero, as the kernel wants them. */
static bool is_valid_route(const struct tap_config *tap, const struct prefix *route)
{
    uint8_t family = route->address.family;
    struct prefix whole;

    if ((family != FAMILY_IPV4 && family != FAMILY_IPV6) || route->length == 0 ||
        route->length > family_bits(family) || address_is_multicast(&route->address))
        return false;
    whole = prefix_of(&route->address, route->length);
    return prefix_equal(&whole, route) && tap_has_family(tap, family);
}

static int check_values(const struct tap_config *tap)
{
    if (tap->flags & ~(unsigned)TAP_FLAGS_ALL || !tap_mac_is_valid(tap->mac) ||
        tap->mtu < TAP_MTU_LEAST || tap->mtu > TAP_MTU_MAX || tap->host_count > TAP_HOSTS_MAX ||
        tap->route_count > TAP_ROUTES_MAX || tap->queues < 1 || tap->queues > TAP_QUEUES_MAX)
        return -EINVAL;
    if (tap->owner == UINT32_MAX) /* nobody's: then everybody may attach it */
        return -EINVAL;
    if (tap->uplink[0])
        return tap_can_be_on_uplink(tap) ? 0 : -EINVAL;
    if (!tap->bridge[0])
        return tap->flags & TAP_ISOLATED ? -EINVAL : 0;
    return tap->host_count == 0 && tap->mac[0] == TAP_PORT_MAC_FIRST ? 0 : -EINVAL;
}

static int check_hosts(const struct config *config, const struct tap_config *tap)
{
    for (uint32_t i = 0; i < tap->host_count; i++) {
        const struct host_address *host = &tap->hosts[i];
        struct prefix network;

        if (!is_valid_host(host) || (host->address.family == FAMILY_IPV6 && tap->flags & TAP_QUIET))
            return -EINVAL;
        network = prefix_of(&host->address, host->length);
        if (!tap_network_is_allowed(&config->tap_networks, &network))
            return -EACCES;
    }
    return 0;
}

static int check_routes(const struct config *config, const struct tap_config *tap)
{
    for (uint32_t i = 0; i < tap->route_count; i++) {
        if (!is_valid_route(tap, &tap->routes[i]))
            return -EINVAL;
        if (!tap_network_is_allowed(&config->tap_networks, &tap->routes[i]))
            return -EACCES;
    }
    return 0;
}

static int check_bridge(const struct config *config, const char *bridge)
{
    return tap_bridge_is_allowed(&config->tap_bridges, bridge) ? 0 : -EACCES;
}

int tap_check_open(const struct operations *operations, const struct keeper_request *request)
{
    const struct tap_config *tap = &request->tap;
    int result = check_values(tap);

    if (result == 0)
        result = tap_check_name(operations, request);
    if (result == 0 && tap->bridge[0])
        result = check_bridge(operations->config, tap->bridge);
    if (result == 0 && tap->uplink[0] &&
        !tap_bridge_is_allowed(&operations->config->tap_uplinks, tap->uplink))
        result = -EACCES;
    if (result == 0)
        result = check_hosts(operations->config, tap);
    return result < 0 ? result : check_routes(operations->config, tap);
}

int tap_check_join(const struct operations *operations, const struct keeper_request *request)
{
    int result = tap_check_name(operations, request);

    if (result < 0)
        return result;
    if (request->tap.flags & ~(unsigned)TAP_ISOLATED)
        return -EINVAL;
    return check_bridge(operations->config, request->tap.bridge);
}

/* --- Acts ---------------------------------------------------------------------------------- */

/* The error is what the network is for: that of a host's address, or of a route. */
static int find_owner(const struct prefix *network, int error, struct keeper_answer *answer)
{
    char other[INTERFACE_NAME_MAX + 1], text[PREFIX_TEXT_MAX];
    int result = taps_find_overlap(network, other);

    if (result <= 0)
        return result;
    snprintf(answer->text, sizeof answer->text, "%s has an address of that network, %s", other,
             prefix_format(network, text));
    return error;
}

static int find_route(const struct prefix *network, int error, struct keeper_answer *answer)
{
    char other[INTERFACE_NAME_MAX + 1], text[PREFIX_TEXT_MAX];
    int result = taps_find_route(network, other);

    if (result <= 0)
        return result;
    snprintf(answer->text, sizeof answer->text, "the host has a route to %s already%s%s",
             prefix_format(network, text), other[0] ? ", by " : "", other);
    return error;
}

static int find_either(const struct prefix *network, int error, struct keeper_answer *answer)
{
    int result = find_owner(network, error, answer);

    return result == 0 ? find_route(network, error, answer) : result;
}

/* A network that another interface has, or that the host reaches by another way, would be led to
 * the tap's holder: the kernel makes a route of each address, and prefers it to those with a
 * metric. */
static int find_overlap(const struct tap_config *tap, struct keeper_answer *answer)
{
    int result = 0;

    for (uint32_t i = 0; i < tap->host_count && result == 0; i++) {
        struct prefix network = prefix_of(&tap->hosts[i].address, tap->hosts[i].length);

        result = find_either(&network, -EADDRINUSE, answer);
    }
    for (uint32_t i = 0; i < tap->route_count && result == 0; i++)
        result = find_either(&tap->routes[i], -EEXIST, answer);
    return result;
}

static void close_queues(struct operations *operations)
{
    while (operations->more_count > 0)
        close(operations->more[--operations->more_count]);
}

/* A persistent one has no descriptor to hand out: whoever owns it opens its queues. Returns the
 * first one's descriptor, or a negative errno. */
static int open_queues(struct operations *operations, const struct tap_config *tap)
{
    int first = taps_open(tap), fd = 0;

    if (first < 0 || tap->flags & TAP_PERSISTENT)
        return first;
    while (fd >= 0 && operations->more_count + 1 < tap->queues) {
        fd = taps_open_queue(tap);
        if (fd >= 0)
            operations->more[operations->more_count++] = fd;
    }
    if (fd >= 0)
        return first;
    close_queues(operations);
    close(first);
    return fd;
}

/* --- Lifelines ----------------------------------------------------------------------------- */

#define LIFELINE TAP_LIFELINE_PREFIX

static void lifeline_name(const char *tap, char ret[KEPT_NAME_MAX + 1])
{
    snprintf(ret, KEPT_NAME_MAX + 1, LIFELINE "%s", tap);
}

/* A pipe's end that is read. #syscalls keeper: fstat fstat64 newfstatat fstatat64 statx */
static bool accept_lifeline(struct kept *kept, const char *name, int fd)
{
    struct stat status;

    (void)kept;
    return interface_name_is_valid(name + strlen(LIFELINE)) && fstat(fd, &status) == 0 &&
           S_ISFIFO(status.st_mode) && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
}

const struct keeper_kind tap_kept = {
    .prefix = LIFELINE,
    .most = TAP_LIFELINES_MAX,
    .lent = true,
    .accept = accept_lifeline,
};

/* The end that is read is kept, and goes to the broker as well; the other one is the holder's
 * alone. #syscalls keeper: pipe2 */
static int make_lifeline(struct operations *operations, const char *name)
{
    int ends[2], copy, result = 0;

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    copy = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        result = -errno;
    kept_remove(operations->kept, name); /* of one that ended without a word of the broker's */
    if (result == 0)
        result = kept_add(operations->kept, name, ends[0]);
    if (result == 0) {
        operations->more[operations->more_count++] = ends[1];
        operations->more[operations->more_count++] = copy;
        return 0;
    }
    close(ends[0]);
    close(ends[1]);
    if (copy >= 0)
        close(copy);
    return result;
}

/* One that has a lifeline was handed over: what was made before, and was not, has none. */
static int open_on_uplink(struct operations *operations, const struct keeper_request *request,
                          struct keeper_answer *answer)
{
    char name[KEPT_NAME_MAX + 1];
    int fd, result;

    lifeline_name(request->tap.name, name);
    result = kept_judge(operations->kept, name);
    if (result < 0)
        return result;
    fd = taps_open_on_uplink(&request->tap, kept_find(operations->kept, name) < 0);
    if (fd < 0)
        return fd;
    result = make_lifeline(operations, name);
    if (result == 0)
        return fd;
    close(fd);
    tap_close(operations, request, answer);
    return result;
}

static int open_new(struct operations *operations, const struct keeper_request *request,
                    struct keeper_answer *answer)
{
    bool has_uplink = request->tap.uplink[0];
    int fd = has_uplink ? open_on_uplink(operations, request, answer)
                        : open_queues(operations, &request->tap);
    const char *more = NULL;

    if (fd < 0)
        more = has_uplink ? taps_explain_uplink(fd) : taps_explain(fd);
    if (more)
        snprintf(answer->text, sizeof answer->text, "%s", more);
    return fd;
}

int tap_open(struct operations *operations, const struct keeper_request *request,
             struct keeper_answer *answer)
{
    int fd = spares_take(operations, &request->tap);

    if (fd >= 0)
        return fd;
    fd = find_overlap(&request->tap, answer);
    return fd < 0 ? fd : open_new(operations, request, answer);
}

enum { DELETED_TOGETHER = 128 }; /* so that others wait for the kernel's lock 0.1 s and no more */

static void delete_each(const struct errand *errands, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int result = taps_delete(errands[i].number);

        if (result < 0)
            log_line(LOG_WARNING, "the interface %u is not deleted: %s.", errands[i].number,
                     strerror(-result));
    }
}

void tap_delete_all(const struct errand *errands, size_t count)
{
    unsigned ifindexes[DELETED_TOGETHER];

    while (count > 0) {
        size_t some = count < DELETED_TOGETHER ? count : DELETED_TOGETHER;

        for (size_t i = 0; i < some; i++)
            ifindexes[i] = errands[i].number;
        if (some > 1)
            taps_delete_together(ifindexes, some);
        delete_each(errands, some);
        errands += some;
        count -= some;
    }
}

/* Its name may be another's by now, and its index is never. Spares are the keeper's. Its holder
 * learns by the lifeline that it has ended: no process has the end that is read any more. */
int tap_close(struct operations *operations, const struct keeper_request *request,
              struct keeper_answer *answer)
{
    struct errand errand = {.run = tap_delete_all, .number = request->ifindex};
    char name[KEPT_NAME_MAX + 1];

    (void)answer;
    lifeline_name(request->tap.name, name);
    kept_remove(operations->kept, name);
    if (spares_have(operations, request->ifindex))
        return 0;
    if (errand.number && !operations->defer(operations->context, &errand))
        log_line(LOG_WARNING, "%s stays: too many taps are being deleted.", request->tap.name);
    return 0;
}

/* A spare stays as it was made: who takes it gets what it was said to be, isolation included, which
 * no broker sees. */
int tap_join(struct operations *operations, const struct keeper_request *request,
             struct keeper_answer *answer)
{
    const struct tap_config *tap = &request->tap;

    (void)answer;
    if (spares_find(operations, tap->name))
        return -EBUSY;
    return taps_join(tap->name, tap->bridge, tap->flags & TAP_ISOLATED);
}
