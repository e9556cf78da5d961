#include "state.h"

#include "log.h"
#include "state_source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WRITE_DELAY_MS = 200,  /* changes that come together are written together */
    RETRY_DELAY_MS = 2000, /* behind a failure, e.g. of a full disk */
    ROUTES_A_TURN = 500,   /* then clients have their turn; about 0.3 ms */
};

struct state {
    uv_loop_t *loop;
    struct mroute *mroute;
    struct joins *joins;
    struct links *links;
    const char *path;
    char new_path[PATH_MAX + 8];

    uv_timer_t delay;
    uv_idle_t writer;
    uv_work_t work;
    size_t open_handles;
    bool touched; /* changes are not in the file yet */
    bool busy;    /* a file is being written or synced */
    bool stopped;

    int fd; /* of the new file; -1: none */
    struct route_cursor cursor;
    struct join_cursor join_cursor;
    size_t written; /* lines */
    uint64_t digest;
    int error;   /* of the file that is being written */
    int problem; /* why the last file could not be written; 0: it was */

    struct state_source source; /* while loading */
    bool load_all, load_joins;
    size_t loaded, loaded_joins;
    struct mroute_waiter waiter;
    struct saved waiting_for;     /* its table is being opened */
    struct session_holds orphans; /* what sessions held that are gone */
    void (*done)(void *context);
    void *context;
};

/* --- Writing ------------------------------------------------------------------------------- */

static void put(struct state *state, const char *bytes, size_t length)
{
    if (state->error == 0 && write(state->fd, bytes, length) != (ssize_t)length)
        state->error = errno ? errno : EIO;
}

/* #syscalls broker: open openat write */
static void begin_file(struct state *state)
{
    struct mroute_filter everything = {0};
    struct join_filter all_joins = {0};

    state->touched = false;
    state->busy = true;
    state->written = 0;
    state->digest = STATE_DIGEST_START;
    state->error = 0;
    state->fd = open(state->new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (state->fd < 0)
        state->error = errno;
    put(state, STATE_HEAD, strlen(STATE_HEAD));
    route_cursor_open(&state->cursor, state->mroute, &everything);
    join_cursor_open(&state->join_cursor, state->joins, &all_joins);
}

static void write_holds(struct state *state, struct json *lines, const struct route *route)
{
    struct route_view view;
    const struct hold *hold;

    route_describe(route, false, &view);
    LIST_FOREACH (hold, &view.holding->holds, in_holding) {
        state_line_write(lines, &view, hold);
        state->written++;
    }
}

static void write_join_holds(struct state *state, struct json *lines, const struct join *join)
{
    struct join_view view;
    const struct hold *hold;

    join_describe(join, &view);
    LIST_FOREACH (hold, &view.holding->holds, in_holding) {
        state_line_write_join(lines, &view, hold);
        state->written++;
    }
}

/* Writes one route or, behind the last, one join. False: there is none left. */
static bool write_next(struct state *state, struct json *lines)
{
    const struct route *route = route_cursor_next(&state->cursor);
    const struct join *join = route ? NULL : join_cursor_next(&state->join_cursor);

    if (route)
        write_holds(state, lines, route);
    if (join)
        write_join_holds(state, lines, join);
    return route || join;
}

static void write_end(struct state *state, struct json *lines)
{
    char end[80];
    int length = snprintf(end, sizeof end, "{\"lines\":%zu,\"digest\":\"%016" PRIx64 "\"}\n",
                          state->written, state->digest);

    json_bytes(lines, end, (size_t)length);
    route_cursor_close(&state->cursor);
    join_cursor_close(&state->join_cursor);
}

/* Writes some of it. False when that was the last. */
static bool write_some(struct state *state)
{
    struct json lines = {.limit = 1 << 24};
    bool more = true;

    for (int i = 0; i < ROUTES_A_TURN && more; i++)
        more = write_next(state, &lines);
    state->digest = state_digest(state->digest, lines.text, lines.length);
    if (!more)
        write_end(state, &lines);
    if (lines.failed)
        state->error = ENOMEM;
    else
        put(state, lines.text, lines.length);
    json_clear(&lines);
    return more;
}

/* The rename itself must reach the disk: that is the folder's content. */
static int sync_folder(const char *path)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof copy, "%s", path);

    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 || fsync(fd) < 0 ? errno : 0;

    if (fd >= 0)
        close(fd);
    return error;
}

/* Runs in a thread of its own: a disk may take seconds.
 * #syscalls broker: clone fsync close rename renameat renameat2 unlink unlinkat open openat */
static void finish_file(uv_work_t *work)
{
    struct state *state = work->data;

    if (state->error == 0 && fsync(state->fd) < 0)
        state->error = errno;
    if (state->fd >= 0)
        close(state->fd);
    state->fd = -1;
    if (state->error == 0 && rename(state->new_path, state->path) < 0)
        state->error = errno;
    if (state->error == 0)
        state->error = sync_folder(state->path);
    else
        unlink(state->new_path); /* it would use the space that the next try needs */
}

static void start_delay(struct state *state, uint64_t milliseconds);
static void free_when_done(struct state *state);

/* Once when it begins, and once when it is over. */
static void tell_problem(struct state *state)
{
    if (state->error && !state->problem)
        log_line(LOG_ERR,
                 "cannot write the state file %s: %s. It is tried again every %d seconds; until "
                 "then a restart of the service brings back what the file had before.",
                 state->path, strerror(state->error), RETRY_DELAY_MS / 1000);
    if (!state->error && state->problem)
        log_line(LOG_NOTICE, "the state file %s is written again.", state->path);
    state->problem = state->error;
}

static void after_file(uv_work_t *work, int status)
{
    struct state *state = work->data;

    (void)status;
    state->busy = false;
    tell_problem(state);
    state->touched |= state->error != 0;
    if (state->stopped)
        free_when_done(state);
    else if (state->touched)
        start_delay(state, state->error ? RETRY_DELAY_MS : WRITE_DELAY_MS);
}

int state_problem(const struct state *state)
{
    return state->problem;
}

static void on_writer(uv_idle_t *writer)
{
    struct state *state = writer->data;

    if (write_some(state))
        return;
    uv_idle_stop(writer);
    uv_queue_work(state->loop, &state->work, finish_file, after_file);
}

static void on_delay(uv_timer_t *timer)
{
    struct state *state = timer->data;

    begin_file(state);
    uv_idle_start(&state->writer, on_writer);
}

static void start_delay(struct state *state, uint64_t milliseconds)
{
    uv_timer_start(&state->delay, on_delay, milliseconds, 0);
}

void state_touch(struct state *state)
{
    /* While routes are read from the file, it holds more than there is yet. */
    if (!state->touched && !state->busy && !state->stopped && !state->source.file)
        start_delay(state, WRITE_DELAY_MS);
    state->touched = true;
}

/* --- Reading ------------------------------------------------------------------------------- */

static bool is_missing(const struct state *state, const char *name)
{
    return !port_name_is_pattern(name) && !links_find(state->links, name);
}

static bool names_missing_interface(const struct state *state, const struct args_add_mfc *args)
{
    if (is_missing(state, args->iif.text))
        return true;
    for (uint32_t i = 0; i < args->oifs.count; i++)
        if (is_missing(state, args->oifs.names[i].text))
            return true;
    return false;
}

static unsigned index_of(const struct state *state, const char *name)
{
    const struct link_info *link =
        port_name_is_pattern(name) ? NULL : links_find(state->links, name);

    return link ? link->ifindex : 0;
}

/* An interface of the route came, went or was made again while nobody looked. */
static bool means_others(const struct state *state, const struct saved *saved)
{
    const struct args_add_mfc *args = &saved->request.args.add_mfc;
    uint64_t digest = state_digest_index(STATE_DIGEST_START, index_of(state, args->iif.text));

    for (uint32_t i = 0; i < args->oifs.count; i++)
        digest = state_digest_index(digest, index_of(state, args->oifs.names[i].text));
    return saved->interfaces && saved->interfaces != digest;
}

static void load_route(struct state *state, const struct saved *saved)
{
    const struct args_add_mfc *args = &saved->request.args.add_mfc;
    char source[PREFIX_TEXT_MAX], group[PREFIX_TEXT_MAX];
    struct owner owner = saved->owner;
    enum route_change change;
    struct error error;

    if (owner.lease.id == 0)
        owner.lease = mroute_lease(state->mroute, LEASE_UID_UNKNOWN);
    owner.administrator = true; /* what is there already was asked for by somebody */
    if (mroute_add(state->mroute, args, &owner, &change, &error))
        state->loaded++;
    else
        log_line(LOG_WARNING, "the route (%s, %s) of the state file was not restored: %s",
                 prefix_format(&args->source, source), prefix_format(&args->group, group),
                 error.message);
}

/* Sockets of memberships are not taken over: all joins are added again. What was joined before goes
 * when they are there (KEEPER_JOINED). */
static void load_join(struct state *state, const struct saved *saved)
{
    const struct args_add_join *args = &saved->request.args.add_join;
    struct join_wish wish = {.key = {args->source, args->group, args->iif}, .wait = true};
    enum join_change change;
    struct error error;
    char text[JOIN_TEXT_MAX];

    if (saved->owner.kind == HOLD_SESSION || !state->load_joins)
        return;
    if (joins_add(state->joins, &wish, &saved->owner, &change, &error))
        state->loaded_joins++;
    else
        log_line(LOG_WARNING, "the join of %s of the state file was not restored: %s",
                 join_key_format(&wish.key, text), error.message);
}

static void end_load(struct state *state)
{
    if (state->source.file) {
        state_source_close(&state->source);
        log_line(LOG_INFO, "%zu routes and %zu joins restored from %s.", state->loaded,
                 state->loaded_joins, state->path);
    }
    /* Routes that were found in the kernel may be newer than the file. */
    if (state->touched || !state->load_all) {
        state->touched = false;
        state_touch(state);
    }
    state->done(state->context);
}

static bool is_exact(const struct args_add_mfc *args)
{
    bool patterns = port_name_is_pattern(args->iif.text);

    for (uint32_t i = 0; i < args->oifs.count; i++)
        patterns |= port_name_is_pattern(args->oifs.names[i].text);
    return !patterns && prefix_is_single(&args->source) && prefix_is_single(&args->group);
}

/* Whether the route of the line must be added. After a broker's death the kernel knows better: the
 * broker may have changed or deleted routes after the file was written. But it knows nothing of
 * ranges, of what waits, and of what waited until no broker was there. */
static bool must_add(const struct state *state, const struct saved *saved)
{
    const struct args_add_mfc *args = &saved->request.args.add_mfc;

    if (state->load_all || names_missing_interface(state, args) || means_others(state, saved))
        return true;
    return !is_exact(args) &&
           !mroute_find(state->mroute, &args->source, &args->group, args->iif.text, args->table);
}

/* A session is not there any more: what it held, and nobody else holds, goes; a range not before it
 * is known what was learned from it. */
static void load_orphan(struct state *state, const struct saved *saved)
{
    const struct args_add_mfc *args = &saved->request.args.add_mfc;
    struct owner owner = saved->owner;
    enum route_change change;
    struct error error;

    owner.session = &state->orphans;
    owner.administrator = true;
    if (state->load_all)
        return;
    if (!is_exact(args) && must_add(state, saved))
        mroute_add(state->mroute, args, &owner, &change, &error);
    else
        mroute_hold(state->mroute, args, &owner);
}

void state_drop_orphans(struct state *state)
{
    session_holds_end(&state->orphans);
}

/* Takes one line; false: its table must be opened first. */
static bool load_line(struct state *state, const struct saved *saved)
{
    const struct args_add_mfc *args = &saved->request.args.add_mfc;
    uint8_t family = args->group.address.family;

    if (saved->request.action == ACTION_ADD_JOIN) {
        load_join(state, saved);
        return true;
    }
    if (saved->owner.kind == HOLD_SESSION) {
        load_orphan(state, saved);
        return true;
    }
    if (!must_add(state, saved)) {
        mroute_hold(state->mroute, args, &saved->owner);
        return true;
    }
    if (!mroute_table_is_open(state->mroute, family, args->table)) {
        state->waiting_for = *saved;
        if (mroute_table_open(state->mroute, family, args->table, &state->waiter))
            return false;
    }
    load_route(state, saved);
    return true;
}

/* Adds routes until one needs a table that is not open, or the end. */
static void load_some(struct state *state)
{
    struct saved saved;

    while (state_source_next(&state->source, &saved))
        if (!load_line(state, &saved))
            return;
    end_load(state);
}

static void resume_load(struct mroute_waiter *waiter, const struct error *error)
{
    struct state *state = (struct state *)((char *)waiter - offsetof(struct state, waiter));

    if (error)
        log_line(LOG_WARNING, "the routes of table %u were not restored: %s",
                 state->waiting_for.request.args.add_mfc.table, error->message);
    else
        load_route(state, &state->waiting_for);
    load_some(state);
}

void state_load(struct state *state, bool all, bool joins, void (*done)(void *context),
                void *context)
{
    state->load_all = all;
    state->load_joins = joins;
    state->done = done;
    state->context = context;
    if (state_source_open(&state->source, state->path))
        load_some(state);
    else
        end_load(state);
}

/* --- Life ---------------------------------------------------------------------------------- */

struct state *state_new(uv_loop_t *loop, struct mroute *mroute, struct joins *joins,
                        struct links *links, const char *path)
{
    struct state *state = calloc(1, sizeof *state);

    if (!state)
        return NULL;
    state->loop = loop;
    state->mroute = mroute;
    state->joins = joins;
    state->links = links;
    state->path = path;
    state->fd = -1;
    state->waiter.resume = resume_load;
    snprintf(state->new_path, sizeof state->new_path, "%s.new", path);
    uv_timer_init(loop, &state->delay);
    uv_idle_init(loop, &state->writer);
    state->delay.data = state->writer.data = state->work.data = state;
    state->open_handles = 2;
    return state;
}

static void free_when_done(struct state *state)
{
    if (state->open_handles == 0 && !state->busy)
        free(state);
}

static void on_closed(uv_handle_t *handle)
{
    struct state *state = handle->data;

    state->open_handles--;
    free_when_done(state);
}

/* Writes the rest of the file that was begun, here and now. */
static void complete_file(struct state *state)
{
    while (write_some(state))
        ;
    finish_file(&state->work);
    after_file(&state->work, 0);
}

static void write_last_file(struct state *state)
{
    if (uv_is_active((uv_handle_t *)&state->writer)) {
        uv_idle_stop(&state->writer);
        complete_file(state);
    }
    /* A worker that still syncs an older file writes to the same name: let it finish. */
    while (state->touched && state->busy && uv_run(state->loop, UV_RUN_ONCE))
        ;
    if (state->touched) {
        begin_file(state);
        complete_file(state);
    }
}

void state_stop(struct state *state)
{
    state->stopped = true;
    state_drop_orphans(state);
    if (state->source.file)
        state_source_close(&state->source); /* and the file stays: it holds more than was read */
    else
        write_last_file(state);
    uv_close((uv_handle_t *)&state->delay, on_closed);
    uv_close((uv_handle_t *)&state->writer, on_closed);
}
