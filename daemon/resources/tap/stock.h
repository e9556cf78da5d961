/* Which spare taps there are, and which there should be: the broker's side of spares.h.
 *
 * A request that names no tap, gives no addresses and is otherwise as a spare is gets that one. Its
 * lease is recorded before the keeper is asked for it, as with every tap; until then a spare is
 * nobody's. There are as many as tap-spares says, of the shapes that were asked for lately. They
 * are made a moment after one was taken, so that who asks for several does not wait for that. */
#ifndef NB_TAP_STOCK_H
#define NB_TAP_STOCK_H

#include "broker/keeper_link.h"
#include "broker/netifs.h"
#include "broker/waiter.h"
#include "platform/taps.h"
#include "taps_allowed.h"

#include <uv.h>

enum { STOCK_SHAPES_MAX = 4 };

/* ASKED: the keeper is asked to make it. MAKING: it will. READY: it may be taken. ENDING: it is
 * being deleted; its name is taken until that is done. */
enum stock_state { STOCK_NONE, STOCK_ASKED, STOCK_MAKING, STOCK_READY, STOCK_ENDING };

struct stock_spare {
    enum stock_state state;
    bool asked; /* the keeper's answer is to come: the place is not used again before */
    struct tap_config config;
    struct keeper_call call;
    struct waiters waiters; /* for its name */
    struct stock *stock;
};

struct stock_shape {
    uint32_t mtu, flags;
    char bridge[INTERFACE_NAME_MAX + 1];
};

struct stock {
    struct taps *taps;
    unsigned limit; /* so many, with those that are being made and deleted */
    bool begun;
    bool admitted;   /* a shape, in this second */
    unsigned paused; /* so many seconds nothing is made */
    unsigned seconds;
    uint64_t taken; /* by this broker */
    uv_timer_t timer;
    bool has_timer;
    struct stock_shape shapes[STOCK_SHAPES_MAX]; /* the one that was asked for last is the first */
    size_t shape_count;
    struct stock_spare spares[TAP_SPARES_MAX];
};

/* Begins to listen to the keeper. */
void stock_init(struct stock *stock, struct taps *taps, unsigned limit);

/* All that is wanted was restored: begins to have spares made. */
void stock_begin(struct stock *stock);

/* Closes its handles. */
void stock_stop(struct stock *stock);

/* The spare that has the name, or is to have it, or had it just now; NULL: none. */
struct stock_spare *stock_find(const struct stock *stock, const char *name);

/* Writes the name of a spare that is as this says, but for name and address, to
 * ret[INTERFACE_NAME_MAX + 1]. False: there is none. */
bool stock_choose(const struct stock *stock, const struct tap_config *wanted, char *ret);

/* Whether the spare is what is wanted, and can be taken. */
bool stock_offers(const struct stock_spare *spare, const struct tap_config *wanted);

/* The keeper is being asked for what is wanted: if a spare is that, it is none from now on. */
void stock_take(struct stock *stock, const struct tap_config *wanted);

/* Somebody needs its name: the waiter is resumed when that is free. */
void stock_give_up(struct stock_spare *spare, struct waiter *waiter);

/* Somebody asked for one as this, whatever its name is. */
void stock_note(struct stock *stock, const struct tap_config *wanted);

void stock_netif_changed(struct stock *stock, const struct netif *was, const struct netif *is);

/* A second has passed. */
void stock_tick(struct stock *stock);

/* How many may be taken. */
unsigned stock_count(const struct stock *stock);

#endif
