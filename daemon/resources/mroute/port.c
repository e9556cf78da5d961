#include "port.h"

#include "mroute.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ports_init(struct ports *ports, const struct mroute_socket *socket)
{
    *ports = (struct ports){.socket = socket};
    TAILQ_INIT(&ports->list);
}

void ports_clear(struct ports *ports)
{
    struct port *port;

    while ((port = TAILQ_FIRST(&ports->list))) {
        TAILQ_REMOVE(&ports->list, port, in_ports);
        free(port);
    }
    ports_init(ports, ports->socket);
}

bool port_name_is_pattern(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && name[length - 1] == '+';
}

bool port_name_matches(const char *pattern, const char *name)
{
    return strncmp(pattern, name, strlen(pattern) - 1) == 0;
}

struct port *port_find(const struct ports *ports, const char *name, unsigned ifindex)
{
    struct port *port;

    TAILQ_FOREACH (port, &ports->list, in_ports)
        if (port->ifindex == ifindex && (ifindex || strcmp(port->name, name) == 0))
            return port;
    return NULL;
}

struct port *port_find_missing(const struct ports *ports, const char *name)
{
    return port_name_is_pattern(name) ? NULL : port_find(ports, name, 0);
}

struct port *port_of_vif(const struct ports *ports, unsigned vif)
{
    struct port *port;

    TAILQ_FOREACH (port, &ports->list, in_ports)
        if (port->vif >= 0 && (unsigned)port->vif == vif)
            return port;
    return NULL;
}

unsigned ports_free_vifs(const struct ports *ports)
{
    return (unsigned)__builtin_popcount(~ports->used_vifs);
}

/* Takes the lowest free VIF. A number that somebody outside took is marked and passed over. */
static int take_vif(struct ports *ports, unsigned ifindex)
{
    for (unsigned vif = 0; vif < VIFS_MAX; vif++) {
        if (ports->used_vifs & 1u << vif)
            continue;

        int result = mroute_vif_add(ports->socket, vif, ifindex);

        if (result == 0 || result == -EADDRINUSE)
            ports->used_vifs |= 1u << vif;
        if (result == 0)
            return (int)vif;
        if (result != -EADDRINUSE)
            return result;
    }
    return -ENFILE;
}

static bool explain(int result, const struct ports *ports, const char *name, struct error *error)
{
    if (result == -ENFILE)
        return error_set(error, ERROR_LIMIT, NULL,
                         "Interface '%s' would be the 33rd of table %u: the kernel routes "
                         "between at most 32. 'netbroker vif show' lists those in use.",
                         name, ports->socket->table);
    if (result == -EADDRNOTAVAIL || result == -ENODEV)
        return error_set(error, ERROR_NOT_FOUND, NULL,
                         "Invalid argument: Interface '%s' not found.", name);
    return error_set(error, result == -ENOMEM ? ERROR_NO_MEMORY : ERROR_INTERNAL, NULL,
                     "The kernel refused a VIF for '%s': %s.", name, strerror(-result));
}

static struct port *port_new(struct ports *ports, const char *name, unsigned ifindex,
                             struct error *error)
{
    if (ports->count == PORTS_MAX) {
        error_set(error, ERROR_LIMIT, NULL,
                  "The routes of table %u may name at most %d interfaces; delete some first.",
                  ports->socket->table, PORTS_MAX);
        return NULL;
    }
    struct port *port = calloc(1, sizeof *port);

    if (!port) {
        error_set(error, ERROR_NO_MEMORY, NULL, "The service has no memory for another interface.");
        return NULL;
    }
    strncpy(port->name, name, INTERFACE_NAME_MAX);
    port->ifindex = ifindex;
    port->vif = -1;
    port->pattern = ifindex == 0 && port_name_is_pattern(name);
    TAILQ_INSERT_TAIL(&ports->list, port, in_ports);
    ports->count++;
    ports->pattern_count += port->pattern;
    return port;
}

static void port_free(struct ports *ports, struct port *port)
{
    if (port->vif >= 0) {
        mroute_vif_del(ports->socket, (unsigned)port->vif);
        port_free_vif(ports, port->vif);
    }
    TAILQ_REMOVE(&ports->list, port, in_ports);
    ports->count--;
    ports->pattern_count -= port->pattern;
    free(port);
}

struct port *port_acquire(struct ports *ports, const char *name, unsigned ifindex,
                          struct error *error)
{
    struct port *port = port_find(ports, name, ifindex);

    if (!port)
        port = port_new(ports, name, ifindex, error);
    if (!port)
        return NULL;
    port->ref_count++;
    if (ifindex && port->vif < 0) {
        port->vif = take_vif(ports, ifindex);
        if (port->vif < 0) {
            explain(port->vif, ports, name, error);
            port->vif = -1;
            port_release(ports, port);
            return NULL;
        }
    }
    return port;
}

void port_release(struct ports *ports, struct port *port)
{
    if (--port->ref_count == 0)
        port_free(ports, port);
}

void port_count_iif(struct ports *ports, struct port *port, int change)
{
    bool was = port->iif_count > 0;

    port->iif_count += (unsigned)change;
    ports->iifs_changed |= was != (port->iif_count > 0);
}

void port_rename(struct ports *ports, struct port *port, const char *name)
{
    ports->iifs_changed |= port->iif_count > 0 && strcmp(port->name, name) != 0;
    memset(port->name, 0, sizeof port->name);
    strncpy(port->name, name, INTERFACE_NAME_MAX);
}

/* --- What patterns mean -------------------------------------------------------------------- */

static bool is_meant(const struct ports *ports, const char *name)
{
    const struct port *port;

    TAILQ_FOREACH (port, &ports->list, in_ports)
        if (port->pattern && port->iif_count > 0 && port_name_matches(port->name, name))
            return true;
    return false;
}

static void let_go(struct ports *ports)
{
    struct port *port = TAILQ_FIRST(&ports->list);

    while (port) {
        struct port *next = TAILQ_NEXT(port, in_ports);

        if (port->gathered && (!port->ifindex || !is_meant(ports, port->name))) {
            port->gathered = false;
            port_count_iif(ports, port, -1);
            port_release(ports, port);
        }
        port = next;
    }
}

struct port *port_acquire_meant(struct ports *ports, const struct link_info *link)
{
    struct error unused;
    struct port *port = port_acquire(ports, link->name, link->ifindex, &unused);

    ports->passed_over |= !port;
    return port;
}

void ports_gather(struct ports *ports, const struct links *links)
{
    const struct link_info *link = NULL;

    while ((link = links_next(links, link))) {
        struct port *port = port_find(ports, link->name, link->ifindex);

        if ((port && port->gathered) || !is_meant(ports, link->name))
            continue;
        port = port_acquire_meant(ports, link);
        if (!port)
            continue;
        port->gathered = true;
        port_count_iif(ports, port, 1);
    }
    let_go(ports);
}

bool port_is_open(const struct ports *ports, const struct port *port)
{
    const struct port *other;

    if (!port->pattern)
        return port->vif >= 0;
    TAILQ_FOREACH (other, &ports->list, in_ports)
        if (other->vif >= 0 && port_name_matches(port->name, other->name))
            return true;
    return false;
}

struct port *port_adopt(struct ports *ports, const char *name, unsigned ifindex, unsigned vif)
{
    struct error unused; /* adoption goes on without the port */
    struct port *port = port_new(ports, name, ifindex, &unused);

    ports->used_vifs |= 1u << vif;
    if (port)
        port->vif = (int)vif;
    return port;
}

void ports_drop_unused(struct ports *ports)
{
    struct port *port = TAILQ_FIRST(&ports->list);

    while (port) {
        struct port *next = TAILQ_NEXT(port, in_ports);

        if (port->ref_count == 0)
            port_free(ports, port);
        port = next;
    }
}

bool port_attach(struct ports *ports, struct port *port, unsigned ifindex)
{
    int vif = take_vif(ports, ifindex);

    port->ifindex = ifindex;
    port->vif = vif < 0 ? -1 : vif;
    ports->iifs_changed |= port->iif_count > 0;
    return vif >= 0;
}

int port_detach(struct ports *ports, struct port *port)
{
    int vif = port->vif;

    port->ifindex = 0;
    port->vif = -1;
    ports->iifs_changed |= port->iif_count > 0;
    return vif;
}

void port_free_vif(struct ports *ports, int vif)
{
    ports->used_vifs &= ~(1u << vif);
}

void port_describe(const struct ports *ports, const struct port *port, struct vif_view *ret)
{
    *ret = (struct vif_view){
        .family = ports->socket->family,
        .table = ports->socket->table,
        .name = port->name,
        .ifindex = port->ifindex,
        .vif = (unsigned)port->vif,
        .ref_count = port->ref_count,
    };
    mroute_vif_count(ports->socket, ret->vif, &ret->counters);
}
