/* Ifaces: the interfaces that the routes of one table name, and the VIFs that stand for them.
 *
 * A route may also name a pattern, such as "eth+": every interface whose name begins with "eth".
 * The pattern is an iface without an interface; the interfaces that it means today are ifaces of
 * their own, which it gathers as long as packets may come in by them. */
#ifndef NB_IFACE_H
#define NB_IFACE_H

#include "broker/netifs.h"
#include "broker/shared.h"
#include "error.h"
#include "platform/mroute.h"

#include <sys/queue.h>

struct iface {
    TAILQ_ENTRY(iface) in_ifaces; /* struct ifaces owns it */
    char name[INTERFACE_NAME_MAX + 1];
    unsigned ifindex;     /* 0: the interface is missing, or it is a pattern */
    int vif;              /* -1: none */
    unsigned ref_count;   /* routes that name it, as iif or oif, and one if it is gathered */
    unsigned iif_count;   /* those of them that take packets from it */
    struct shared shared; /* its VIF, among those who hold routes that name it */
    uid_t gatherer;       /* who is charged for it where it is gathered */
    bool pattern;
    bool gathered; /* because a pattern that is an iif means it */
    bool leaves;   /* it is gathered, and no pattern means it any more */
};

struct ifaces {
    const struct mroute_socket *socket; /* borrowed from the table */
    TAILQ_HEAD(, iface) list;
    unsigned count;
    unsigned pattern_count;
    uint32_t used_vifs; /* bit n: VIF n is taken, or kernel entries may still name it */
    bool passed_over;   /* an interface that a pattern means found no VIF, or no memory */
    struct pool *pool;  /* of VIFs; borrowed; NULL: they are not charged */
    uid_t asker;        /* who makes a route now, and holds it soon; or nobody */
    bool iifs_changed;  /* which interfaces routes take packets from; see rules.h */
};

void ifaces_init(struct ifaces *ifaces, const struct mroute_socket *socket);

/* Frees all ifaces without touching the kernel. */
void ifaces_clear(struct ifaces *ifaces);

/* Whether the interface is one of those that the pattern stands for. */
bool iface_name_matches(const char *pattern, const char *name);

/* Whether an interface may be meant by both names, each of which may be a pattern. */
bool interface_names_overlap(const char *a, const char *b);

/* The iface of an interface that exists (by index) or is missing (ifindex 0: by name), or of a
 * pattern, or NULL. */
struct iface *iface_find(const struct ifaces *ifaces, const char *name, unsigned ifindex);

/* The iface of an interface that is missing, or NULL; patterns are none. */
struct iface *iface_find_missing(const struct ifaces *ifaces, const char *name);

/* The iface that holds the VIF, or NULL. */
struct iface *iface_of_vif(const struct ifaces *ifaces, unsigned vif);

/* VIFs that are free. */
unsigned ifaces_free_vifs(const struct ifaces *ifaces);

/* Counts one more route on the interface's iface. It is made where it is missing, and so is the VIF
 * of an interface that exists; with wait, it may have none for now: the kernel knows before its
 * news are read that an interface went. NULL with *error: nothing was changed. */
struct iface *iface_acquire(struct ifaces *ifaces, const char *name, unsigned ifindex, bool wait,
                            struct error *error);

/* Counts one route less. The last one gives the VIF back: no kernel entry may name it any more. */
void iface_release(struct ifaces *ifaces, struct iface *iface);

/* Counts one more (1) or one less (-1) of the iface's routes as taking packets from there. */
void iface_count_iif(struct ifaces *ifaces, struct iface *iface, int change);

/* The interface has another name now. */
void iface_rename(struct ifaces *ifaces, struct iface *iface, const char *name);

/* Counts one more route on the iface of an interface that a pattern of this user means. NULL: there
 * is no VIF for it, or none for him, or no memory. */
struct iface *iface_acquire_meant(struct ifaces *ifaces, const struct netif *netif, uid_t uid);

/* Makes ifaces of all interfaces that the inbound patterns mean, and drops those that none
 * means any more. Interfaces for which there is no VIF are passed over. */
void ifaces_gather(struct ifaces *ifaces, const struct netifs *netifs);

/* Whether packets may come in by the iface, or by any that it means. */
bool iface_is_open(const struct ifaces *ifaces, const struct iface *iface);

/* A iface that the kernel holds already, found at adoption, with no route yet. NULL: no memory. */
struct iface *iface_adopt(struct ifaces *ifaces, const char *name, unsigned ifindex, unsigned vif);

/* Gives back the VIFs of ifaces that no route names. */
void ifaces_drop_unused(struct ifaces *ifaces);

/* Gives the iface of an interface that came back a VIF. False: all 32 are taken, or the shares of
 * all who use it. */
bool iface_attach(struct ifaces *ifaces, struct iface *iface, unsigned ifindex);

/* The interface is gone, and with it, in the kernel, the VIF. The number stays taken until
 * iface_free_vif: entries that name it would send to whoever gets it next. Returns the number, or
 * -1. */
int iface_detach(struct ifaces *ifaces, struct iface *iface);
void iface_free_vif(struct ifaces *ifaces, int vif);

/* Everything about the VIF of an iface that has one. The name is borrowed from the iface. */
struct vif_view;
void iface_describe(const struct ifaces *ifaces, const struct iface *iface, struct vif_view *ret);

#endif
