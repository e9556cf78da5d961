/* Ports: the interfaces that the routes of one table name, and the VIFs that stand for them.
 *
 * A route may also name a pattern, such as "eth+": every interface whose name begins with "eth".
 * The pattern is a port without an interface; the interfaces that it means today are ports of their
 * own, which it gathers as long as packets may come in by them. */
#ifndef NB_PORT_H
#define NB_PORT_H

#include "error.h"
#include "platform/mroute.h"
#include "resources/links.h"

#include <sys/queue.h>

struct port {
    TAILQ_ENTRY(port) in_ports; /* struct ports owns it */
    char name[INTERFACE_NAME_MAX + 1];
    unsigned ifindex;   /* 0: the interface is missing, or it is a pattern */
    int vif;            /* -1: none */
    unsigned ref_count; /* routes that name it, as iif or oif, and one if it is gathered */
    unsigned iif_count; /* those of them that take packets from it */
    bool pattern;
    bool gathered; /* because a pattern that is an iif means it */
};

struct ports {
    const struct mroute_socket *socket; /* borrowed from the table */
    TAILQ_HEAD(, port) list;
    unsigned count;
    unsigned pattern_count;
    uint32_t used_vifs; /* bit n: VIF n is taken, or kernel entries may still name it */
    bool passed_over;   /* an interface that a pattern means found no VIF, or no memory */
    bool iifs_changed;  /* which interfaces routes take packets from; see rules.h */
};

void ports_init(struct ports *ports, const struct mroute_socket *socket);

/* Frees all ports without touching the kernel. */
void ports_clear(struct ports *ports);

/* Whether the interface is one of those that the pattern stands for. */
bool port_name_matches(const char *pattern, const char *name);

/* The port of an interface that exists (by index) or is missing (ifindex 0: by name), or of a
 * pattern, or NULL. */
struct port *port_find(const struct ports *ports, const char *name, unsigned ifindex);

/* The port of an interface that is missing, or NULL; patterns are none. */
struct port *port_find_missing(const struct ports *ports, const char *name);

/* The port that holds the VIF, or NULL. */
struct port *port_of_vif(const struct ports *ports, unsigned vif);

/* VIFs that are free. */
unsigned ports_free_vifs(const struct ports *ports);

/* Counts one more route on the interface's port. It is made where it is missing, and so is the VIF
 * of an interface that exists. NULL with *error: nothing was changed. */
struct port *port_acquire(struct ports *ports, const char *name, unsigned ifindex,
                          struct error *error);

/* Counts one route less. The last one gives the VIF back: no kernel entry may name it any more. */
void port_release(struct ports *ports, struct port *port);

/* Counts one more (1) or one less (-1) of the port's routes as taking packets from there. */
void port_count_iif(struct ports *ports, struct port *port, int change);

/* The interface has another name now. */
void port_rename(struct ports *ports, struct port *port, const char *name);

/* Counts one more route on the port of an interface that a pattern means. NULL: there is no VIF for
 * it, or no memory. */
struct port *port_acquire_meant(struct ports *ports, const struct link_info *link);

/* Makes ports of all interfaces that the inbound patterns mean, and lets go of those that none
 * means any more. Interfaces for which there is no VIF are passed over. */
void ports_gather(struct ports *ports, const struct links *links);

/* Whether packets may come in by the port, or by any that it means. */
bool port_is_open(const struct ports *ports, const struct port *port);

/* A port that the kernel holds already, found at adoption, with no route yet. NULL: no memory. */
struct port *port_adopt(struct ports *ports, const char *name, unsigned ifindex, unsigned vif);

/* Gives back the VIFs of ports that no route names. */
void ports_drop_unused(struct ports *ports);

/* Gives the port of an interface that came back a VIF. False: all 32 are taken. */
bool port_attach(struct ports *ports, struct port *port, unsigned ifindex);

/* The interface is gone, and with it, in the kernel, the VIF. The number stays taken until
 * port_free_vif: entries that name it would send to whoever gets it next. Returns the number, or
 * -1. */
int port_detach(struct ports *ports, struct port *port);
void port_free_vif(struct ports *ports, int vif);

/* Everything about the VIF of a port that has one. The name is borrowed from the port. */
struct vif_view;
void port_describe(const struct ports *ports, const struct port *port, struct vif_view *ret);

#endif
