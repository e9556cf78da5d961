#include "stock.h"

#include "log.h"
#include "operations.h"
#include "taps.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum {
    REFILL_MS = 10,     /* behind the first that is taken */
    PAUSE_SECONDS = 30, /* behind one that could not be made */
    RETRY_SECONDS = 5,
};

static void refill(struct stock *stock);

/* --- Shapes -------------------------------------------------------------------------------- */

static struct stock_shape shape_of(const struct tap_config *config)
{
    struct stock_shape shape = {.mtu = config->mtu, .flags = config->flags};

    memcpy(shape.bridge, config->bridge, sizeof shape.bridge);
    return shape;
}

static bool is_shape(const struct stock_shape *a, const struct stock_shape *b)
{
    return a->mtu == b->mtu && a->flags == b->flags && strcmp(a->bridge, b->bridge) == 0;
}

static bool has_shape(const struct stock_spare *spare, const struct stock_shape *shape)
{
    struct stock_shape its = shape_of(&spare->config);

    return spare->state != STOCK_NONE && spare->state != STOCK_ENDING && is_shape(&its, shape);
}

static bool can_be_made(const struct stock *stock, const struct stock_shape *shape)
{
    return !shape->bridge[0] || netifs_find(stock->taps->host.netifs, shape->bridge);
}

/* As many of each that can be made, and one more of the first where that does not come out even. */
static size_t share_of(const struct stock *stock, size_t i)
{
    size_t before = 0, all = 1; /* with this one */

    if (!can_be_made(stock, &stock->shapes[i]))
        return 0;
    for (size_t j = 0; j < stock->shape_count; j++) {
        bool can = j != i && can_be_made(stock, &stock->shapes[j]);

        all += can;
        before += can && j < i;
    }
    return stock->limit / all + (before < stock->limit % all);
}

static size_t find_shape(const struct stock *stock, const struct stock_shape *shape)
{
    size_t i = 0;

    while (i < stock->shape_count && !is_shape(&stock->shapes[i], shape))
        i++;
    return i;
}

static size_t count_of(const struct stock *stock, const struct stock_shape *shape)
{
    size_t count = 0;

    for (size_t i = 0; i < TAP_SPARES_MAX; i++)
        count += has_shape(&stock->spares[i], shape);
    return count;
}

static void on_timer(uv_timer_t *timer)
{
    refill(timer->data);
}

static void schedule(struct stock *stock)
{
    if (stock->has_timer && !uv_is_active((uv_handle_t *)&stock->timer))
        uv_timer_start(&stock->timer, on_timer, REFILL_MS, 0);
}

/* The place of one that there is no room for is that of the one which was not asked for longest. */
static size_t make_place(struct stock *stock)
{
    if (stock->shape_count < STOCK_SHAPES_MAX && stock->shape_count < stock->limit)
        stock->shape_count++;
    return stock->shape_count - 1;
}

/* --- Which there are ----------------------------------------------------------------------- */

struct stock_spare *stock_find(const struct stock *stock, const char *name)
{
    for (size_t i = 0; i < TAP_SPARES_MAX; i++)
        if (stock->spares[i].state != STOCK_NONE && strcmp(stock->spares[i].config.name, name) == 0)
            return &((struct stock *)stock)->spares[i];
    return NULL;
}

unsigned stock_count(const struct stock *stock)
{
    unsigned count = 0;

    for (size_t i = 0; i < TAP_SPARES_MAX; i++)
        count += stock->spares[i].state == STOCK_READY;
    return count;
}

static unsigned count_all(const struct stock *stock)
{
    unsigned count = 0;

    for (size_t i = 0; i < TAP_SPARES_MAX; i++)
        count += stock->spares[i].state != STOCK_NONE;
    return count;
}

/* NULL: there are as many as there can be. */
static struct stock_spare *add(struct stock *stock, const struct tap_config *config,
                               enum stock_state state)
{
    for (size_t i = 0; i < TAP_SPARES_MAX; i++) {
        struct stock_spare *spare = &stock->spares[i];

        if (spare->state == STOCK_NONE && !spare->asked) {
            spare->config = *config;
            spare->state = state;
            return spare;
        }
    }
    return NULL;
}

/* Its name is free. */
static void forget(struct stock_spare *spare)
{
    spare->state = STOCK_NONE;
    waiters_resume(&spare->waiters, NULL);
    schedule(spare->stock);
}

static void drop(struct stock_spare *spare)
{
    struct keeper_request request = {.operation = KEEPER_DROP_SPARE};

    spare->state = STOCK_ENDING;
    memcpy(request.tap.name, spare->config.name, sizeof request.tap.name);
    keeper_tell(spare->stock->taps->host.keeper, &request);
}

/* Others may have deleted or renamed it, or taken it out of its bridge. */
static void verify(struct stock_spare *spare)
{
    const struct netifs *netifs = spare->stock->taps->host.netifs;
    const struct netif *netif = netifs_find(netifs, spare->config.name);
    const struct netif *bridge = netifs_find(netifs, spare->config.bridge);

    if (spare->state != STOCK_READY)
        return;
    if (!netif || !netif->up || netif->master != (bridge ? bridge->ifindex : 0) ||
        (spare->config.bridge[0] && !bridge))
        drop(spare);
}

static bool is_about(const struct stock_spare *spare, const struct netif *netif)
{
    return netif && (strcmp(spare->config.name, netif->name) == 0 ||
                     strcmp(spare->config.bridge, netif->name) == 0);
}

void stock_netif_changed(struct stock *stock, const struct netif *was, const struct netif *is)
{
    for (size_t i = 0; i < TAP_SPARES_MAX; i++)
        if (is_about(&stock->spares[i], was) || is_about(&stock->spares[i], is))
            verify(&stock->spares[i]);
}

/* --- Making them --------------------------------------------------------------------------- */

static void pause_for(struct stock *stock, unsigned seconds)
{
    stock->paused = seconds > stock->paused ? seconds : stock->paused;
}

static void answered(struct keeper_call *call, const struct keeper_answer *answer, int fd)
{
    struct stock_spare *spare =
        (struct stock_spare *)((char *)call - offsetof(struct stock_spare, call));

    (void)fd;
    spare->asked = false;
    if (answer->error == -ECANCELED)
        return;
    if (answer->error < 0) {
        pause_for(spare->stock, RETRY_SECONDS);
        forget(spare);
    } else if (spare->state == STOCK_ASKED) {
        spare->state = STOCK_MAKING;
    }
}

/* False: there is no name, or no room. */
static bool order(struct stock *stock, const struct stock_shape *shape)
{
    struct args_open_tap args = {
        .mtu = shape->mtu,
        .offload = shape->flags & TAP_OFFLOAD,
        .isolated = shape->flags & TAP_ISOLATED,
        .queues = 1,
    };
    struct stock_spare *spare;
    struct tap_config config;

    memcpy(args.bridge.text, shape->bridge, sizeof shape->bridge);
    if (!taps_choose_name(stock->taps, args.name.text))
        return false;
    config = tap_config_of(&args, 0); /* the keeper knows whose it is */
    spare = add(stock, &config, STOCK_ASKED);
    if (!spare)
        return false;
    spare->call.request = (struct keeper_request){.operation = KEEPER_SPARE_TAP, .tap = config};
    spare->call.done = answered;
    spare->asked = true;
    keeper_ask(stock->taps->host.keeper, &spare->call);
    return true;
}

/* One makes room of which there are more than there should be. */
static void make_room(struct stock *stock)
{
    for (size_t i = 0; i < TAP_SPARES_MAX; i++) {
        struct stock_spare *spare = &stock->spares[i];
        struct stock_shape shape = shape_of(&spare->config);
        size_t place = find_shape(stock, &shape);

        if (spare->state == STOCK_READY &&
            (place == stock->shape_count || count_of(stock, &shape) > share_of(stock, place))) {
            drop(spare);
            return;
        }
    }
}

static void refill_shape(struct stock *stock, size_t i)
{
    const struct stock_shape *shape = &stock->shapes[i];

    for (size_t have = count_of(stock, shape); have < share_of(stock, i); have++)
        if (count_all(stock) >= stock->limit)
            make_room(stock);
        else if (!order(stock, shape))
            return;
}

static void refill(struct stock *stock)
{
    if (!stock->begun || stock->paused > 0)
        return;
    for (size_t i = 0; i < stock->shape_count; i++)
        refill_shape(stock, i);
}

/* --- The keeper's word --------------------------------------------------------------------- */

static void take_ready(struct stock *stock, struct stock_spare *spare,
                       const struct tap_config *config)
{
    netifs_update(stock->taps->host.netifs);
    if (!spare)
        spare = add(stock, config, STOCK_READY);
    else if (spare->state != STOCK_ENDING)
        spare->state = STOCK_READY;
    if (spare)
        verify(spare);
}

static void take_end(struct stock_spare *spare, const struct keeper_answer *notice)
{
    struct stock *stock = spare->stock;

    netifs_update(stock->taps->host.netifs);
    if (spare->state == STOCK_READY) { /* somebody else did that, and may do it again */
        pause_for(stock, 1);
    } else if (spare->state != STOCK_ENDING) {
        if (stock->paused == 0)
            log_line(LOG_INFO, "no spare taps are made for %d seconds: %s.", PAUSE_SECONDS,
                     strerror(-notice->error));
        pause_for(stock, PAUSE_SECONDS);
    }
    forget(spare);
}

/* The broker before this one had it made: what was asked for then is wanted now. */
static void inherit_shape(struct stock *stock, const struct tap_config *config)
{
    struct stock_shape shape = shape_of(config);

    if (find_shape(stock, &shape) == stock->shape_count && stock->limit > 0)
        stock->shapes[make_place(stock)] = shape;
}

static void on_notice(void *context, const struct keeper_answer *notice)
{
    struct stock *stock = context;
    struct stock_spare *spare;
    struct tap_config config;

    memcpy(&config, notice->payload, sizeof config);
    spare = stock_find(stock, config.name);
    if (!spare)
        inherit_shape(stock, &config);
    if (notice->error == 0)
        take_ready(stock, spare, &config);
    else if (notice->error == -EINPROGRESS && !spare)
        add(stock, &config, STOCK_MAKING);
    else if (notice->error != -EINPROGRESS && spare)
        take_end(spare, notice);
}

/* --- Taking one ---------------------------------------------------------------------------- */

bool stock_offers(const struct stock_spare *spare, const struct tap_config *wanted)
{
    return spare->state == STOCK_READY && tap_spare_fits(&spare->config, wanted);
}

/* Whether a name comes before another one that ends in a number. */
static bool is_before(const char *a, const char *b)
{
    return strlen(a) != strlen(b) ? strlen(a) < strlen(b) : strcmp(a, b) < 0;
}

bool stock_choose(const struct stock *stock, const struct tap_config *wanted, char *ret)
{
    struct stock_shape shape = shape_of(wanted);
    const struct stock_spare *found = NULL;

    if (!tap_is_plain(wanted))
        return false;
    for (size_t i = 0; i < TAP_SPARES_MAX; i++) {
        const struct stock_spare *spare = &stock->spares[i];

        if (spare->state == STOCK_READY && has_shape(spare, &shape) &&
            (!found || is_before(spare->config.name, found->config.name)))
            found = spare;
    }
    if (found)
        memcpy(ret, found->config.name, sizeof found->config.name);
    return found;
}

void stock_take(struct stock *stock, const struct tap_config *wanted)
{
    struct stock_spare *spare = stock_find(stock, wanted->name);

    if (!spare || !stock_offers(spare, wanted))
        return;
    stock->taken++;
    forget(spare);
}

void stock_give_up(struct stock_spare *spare, struct waiter *waiter)
{
    waiters_add(&spare->waiters, waiter);
    if (spare->state != STOCK_ENDING)
        drop(spare);
}

static void move_to_front(struct stock *stock, size_t place, const struct stock_shape *shape)
{
    memmove(stock->shapes + 1, stock->shapes, place * sizeof *stock->shapes);
    stock->shapes[0] = *shape;
}

/* One new shape a second: who asks for ever others does not have spares made and deleted without
 * end. */
void stock_note(struct stock *stock, const struct tap_config *wanted)
{
    struct stock_shape shape = shape_of(wanted);
    size_t place = find_shape(stock, &shape);

    if (stock->limit == 0 || !tap_is_plain(wanted) ||
        (place == stock->shape_count && stock->admitted))
        return;
    if (place == stock->shape_count) {
        stock->admitted = true;
        place = make_place(stock);
    }
    move_to_front(stock, place, &shape);
    schedule(stock);
}

/* --- Life ---------------------------------------------------------------------------------- */

void stock_init(struct stock *stock, struct taps *taps, unsigned limit)
{
    struct keeper_link *keeper = taps->host.keeper;

    stock->taps = taps;
    stock->limit = limit < TAP_SPARES_MAX ? limit : TAP_SPARES_MAX;
    for (size_t i = 0; i < TAP_SPARES_MAX; i++) {
        stock->spares[i].stock = stock;
        TAILQ_INIT(&stock->spares[i].waiters);
    }
    if (keeper)
        keeper_listen(keeper, KEEPER_SPARE_TAP, on_notice, stock);
    if (taps->host.loop) {
        uv_timer_init(taps->host.loop, &stock->timer);
        stock->timer.data = stock;
        stock->has_timer = true;
    }
}

void stock_begin(struct stock *stock)
{
    stock->begun = stock->limit > 0;
    schedule(stock);
}

void stock_stop(struct stock *stock)
{
    if (stock->has_timer)
        uv_close((uv_handle_t *)&stock->timer, NULL);
    stock->has_timer = false;
}

/* The keeper may have had too much to delete, and what it does twice is the same. */
void stock_tick(struct stock *stock)
{
    stock->admitted = false;
    if (stock->paused > 0)
        stock->paused--;
    if (++stock->seconds % RETRY_SECONDS == 0)
        for (size_t i = 0; i < TAP_SPARES_MAX; i++)
            if (stock->spares[i].state == STOCK_ENDING)
                drop(&stock->spares[i]);
    schedule(stock);
}
