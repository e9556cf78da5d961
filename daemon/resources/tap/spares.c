#include "spares.h"

#include "keeper/operations.h"
#include "log.h"
#include "operations.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(struct spares) <= KEEPER_STATE_MAX, "the keeper has room for them");
_Static_assert(sizeof(struct tap_config) <= KEEPER_PAYLOAD_MAX, "a notice has room for one");

struct spares *spares_of(const struct operations *operations)
{
    return operations_state(operations, KEEPER_HOOKS_tap);
}

static struct spare *find(struct spares *spares, const char *name)
{
    for (size_t i = 0; i < SPARES_MAX; i++) {
        struct spare *spare = &spares->list[i];

        if (spare->state != SPARE_NONE && strcmp(spare->config.name, name) == 0)
            return spare;
    }
    return NULL;
}

const struct spare *spares_find(const struct operations *operations, const char *name)
{
    return find(spares_of(operations), name);
}

bool spares_have(const struct operations *operations, unsigned ifindex)
{
    const struct spares *spares = spares_of(operations);

    for (size_t i = 0; i < SPARES_MAX; i++)
        if (spares->list[i].state != SPARE_NONE && spares->list[i].ifindex == ifindex)
            return true;
    return false;
}

void spares_close(const struct operations *operations)
{
    const struct spares *spares = spares_of(operations);

    for (size_t i = 0; i < SPARES_MAX; i++)
        if (spares->list[i].state == SPARE_READY || spares->list[i].state == SPARE_ENDING)
            close(spares->list[i].fd);
    if (spares->is_open)
        close(spares->socket);
}

/* --- The broker hears of it ---------------------------------------------------------------- */

static void tell(struct operations *operations, const struct spare *spare, int error)
{
    struct keeper_answer notice = {.id = 0, .operation = KEEPER_SPARE_TAP, .error = error};

    memcpy(notice.payload, &spare->config, sizeof spare->config);
    if (operations->notify)
        operations->notify(operations->context, &notice);
}

static void begin(struct operations *operations)
{
    for (size_t i = 0; i < SPARES_MAX; i++) {
        const struct spare *spare = &spares_of(operations)->list[i];

        if (spare->state != SPARE_NONE)
            tell(operations, spare, spare->state == SPARE_READY ? 0 : -EINPROGRESS);
    }
}

static void forget(struct operations *operations, struct spare *spare, int error)
{
    spare->state = SPARE_NONE;
    tell(operations, spare, error);
}

/* --- Its end ------------------------------------------------------------------------------- */

/* What is gone costs nothing to close. What an administrator has moved to another network namespace
 * cannot be deleted from here, and ends with its descriptor; the kernel takes its time for that,
 * but else this one would be in another's place for ever. */
static bool is_to_be_closed(const struct spare *spare)
{
    return taps_is_gone(spare->fd) || !taps_is_here(spare->ifindex);
}

static void end(struct operations *operations, struct spare *spare)
{
    struct errand errand = {.run = tap_delete_all, .number = spare->ifindex};

    if (is_to_be_closed(spare)) {
        close(spare->fd);
        forget(operations, spare, -ENODEV);
        return;
    }
    spare->state = SPARE_ENDING;
    if (!operations->defer(operations->context, &errand))
        log_line(LOG_WARNING, "%s stays: too many taps are being deleted.", spare->config.name);
}

/* Those that were being deleted may be gone. */
static void settle(struct operations *operations)
{
    for (size_t i = 0; i < SPARES_MAX; i++) {
        struct spare *spare = &spares_of(operations)->list[i];

        if (spare->state == SPARE_ENDING && is_to_be_closed(spare)) {
            close(spare->fd);
            forget(operations, spare, -ENODEV);
        }
    }
}

const struct keeper_hooks tap_hooks = {
    .begin = begin,
    .errands_ended = settle,
    .forked = spares_close,
};

int tap_drop_spare(struct operations *operations, const struct keeper_request *request,
                   struct keeper_answer *answer)
{
    struct spare *spare = find(spares_of(operations), request->tap.name);

    (void)answer;
    if (spare && spare->state == SPARE_MAKING)
        spare->state = SPARE_UNWANTED;
    else if (spare && spare->state != SPARE_UNWANTED)
        end(operations, spare);
    return 0;
}

/* --- Making one ---------------------------------------------------------------------------- */

/* In the process beside the loop. Where one was killed the next may find some that are made. */
static int make(const void *context, uint32_t number)
{
    const struct operations *operations = context;
    const struct spare *spare = &spares_of(operations)->list[number];

    return spare->state == SPARE_MAKING ? taps_open(&spare->config) : -ECANCELED;
}

static void made(void *context, uint32_t number, int result)
{
    struct operations *operations = context;
    struct spare *spare = &spares_of(operations)->list[number];
    bool wanted = spare->state == SPARE_MAKING;

    if (!wanted && spare->state != SPARE_UNWANTED) {
        if (result >= 0)
            close(result);
        return;
    }
    if (result < 0) {
        forget(operations, spare, result);
        return;
    }
    spare->fd = result;
    spare->ifindex = taps_find(spare->config.name);
    spare->state = SPARE_READY;
    if (!wanted || !spare->ifindex)
        end(operations, spare);
    else
        tell(operations, spare, 0);
}

/* Plain ones, of which no user is known: addresses are checked against those of other interfaces
 * when they are given, and who may open a persistent one is to be told to the kernel. */
int tap_check_spare(const struct operations *operations, const struct keeper_request *request)
{
    if (!tap_is_plain(&request->tap))
        return -EINVAL;
    return tap_check_open(operations, request);
}

static struct spare *find_room(struct operations *operations)
{
    struct spare *room = NULL;
    size_t count = 0;

    for (size_t i = 0; i < SPARES_MAX; i++) {
        struct spare *spare = &spares_of(operations)->list[i];

        if (spare->state == SPARE_NONE)
            room = room ? room : spare;
        else
            count++;
    }
    return count < operations->config->tap_spares ? room : NULL;
}

/* The owner is the service: while its descriptor is held nobody else attaches it in any case, and
 * its holder may set another one.
 * #syscalls keeper: getuid getuid32 */
int tap_spare(struct operations *operations, const struct keeper_request *request,
              struct keeper_answer *answer)
{
    struct spare *spare = find_room(operations);
    struct errand errand = {.make = make, .made = made};

    (void)answer;
    if (find(spares_of(operations), request->tap.name))
        return -EEXIST;
    if (!spare)
        return -ENOSPC;
    *spare = (struct spare){.state = SPARE_MAKING, .fd = -1, .config = request->tap};
    spare->config.owner = getuid();
    errand.number = (uint32_t)(spare - spares_of(operations)->list);
    if (operations->defer(operations->context, &errand))
        return 0;
    spare->state = SPARE_NONE;
    return -EAGAIN;
}

/* --- Handing it over ----------------------------------------------------------------------- */

static void open_socket(struct spares *spares)
{
    if (spares->is_open)
        return;
    spares->socket = taps_open_socket();
    spares->is_open = spares->socket >= 0;
}

/* Its name may be another interface's by now. Neither question waits for a lock of the kernel's. */
static bool is_whole(struct spares *spares, const struct spare *spare)
{
    open_socket(spares);
    return !taps_is_gone(spare->fd) &&
           taps_find_by(spares->socket, spare->config.name) == spare->ifindex;
}

int spares_take(struct operations *operations, const struct tap_config *config)
{
    struct spare *spare = find(spares_of(operations), config->name);

    if (!spare || spare->state != SPARE_READY)
        return -1;
    if (!is_whole(spares_of(operations), spare)) {
        end(operations, spare);
        return -1;
    }
    if (!tap_spare_fits(&spare->config, config))
        return -1;
    spare->state = SPARE_NONE;
    return spare->fd;
}
