#include "state.h"

#include "decode.h"
#include "json.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD "{\"netbroker-state\":1}\n"

enum {
    WRITE_DELAY_MS = 200, /* changes that come together are written together */
    ROUTES_A_TURN = 500,  /* then clients have their turn; about 0.3 ms */
    LINE_LIMIT = REQUEST_MAX,
};

/* A route of the file. */
struct saved {
    struct args_add_mfc args;
    struct lease lease;
};

struct state {
    uv_loop_t *loop;
    struct mroute *mroute;
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
    size_t written;
    int error;

    FILE *source; /* while loading */
    bool load_all;
    size_t loaded;
    struct mroute_waiter waiter;
    struct saved waiting_for; /* its table is being opened */
    void (*done)(void *context);
    void *context;
};

/* --- Writing ------------------------------------------------------------------------------- */

static void write_args(struct json *json, const struct route_view *view)
{
    char text[ADDRESS_TEXT_MAX];

    json_open(json, '{');
    json_member_string(json, "source", address_format(&view->source, text));
    json_member_string(json, "group", address_format(&view->group, text));
    json_member_string(json, "iif", view->iif);
    json_key(json, "oifs");
    json_open(json, '[');
    for (uint32_t i = 0; i < view->oif_count; i++)
        json_string(json, view->oifs[i].name);
    json_close(json, ']');
    if (view->family == FAMILY_IPV4) {
        json_key(json, "ttls");
        json_open(json, '[');
        for (uint32_t i = 0; i < view->oif_count; i++)
            json_unsigned(json, view->oifs[i].ttl);
        json_close(json, ']');
    }
    json_member_unsigned(json, "table", view->table);
    json_close(json, '}');
}

/* The owner stands in the request's id, which the decoder hands over as it is. */
static void write_lease(struct json *json, const struct lease *lease)
{
    char id[LEASE_ID_SIZE];

    json_key(json, "id");
    json_open(json, '{');
    json_member_string(json, "lease", lease_id_format(lease->id, id));
    json_member_unsigned(json, "uid", lease->uid);
    json_key(json, "since");
    json_number(json, lease->since);
    json_close(json, '}');
}

static void write_line(struct json *json, const struct route *route)
{
    struct route_view view;

    route_describe(route, false, &view);
    json->comma = false;
    json_open(json, '{');
    json_member_string(json, "action", "ADD_MFC");
    json_key(json, "payload");
    write_args(json, &view);
    write_lease(json, &view.lease);
    json_close(json, '}');
    json_bytes(json, "\n", 1);
}

static void put(struct state *state, const char *bytes, size_t length)
{
    if (state->error == 0 && write(state->fd, bytes, length) != (ssize_t)length)
        state->error = errno ? errno : EIO;
}

/* #syscalls broker: open openat write */
static void begin_file(struct state *state)
{
    struct mroute_filter everything = {0};

    state->touched = false;
    state->busy = true;
    state->written = 0;
    state->error = 0;
    state->fd = open(state->new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (state->fd < 0)
        state->error = errno;
    put(state, HEAD, strlen(HEAD));
    route_cursor_open(&state->cursor, state->mroute, &everything);
}

/* Writes some routes. False when that was the last. */
static bool write_some(struct state *state)
{
    struct json lines = {.limit = 1 << 24};
    const struct route *route = NULL;

    for (int i = 0; i < ROUTES_A_TURN && (route = route_cursor_next(&state->cursor)); i++) {
        write_line(&lines, route);
        state->written++;
    }
    if (!route) {
        char end[48];

        json_bytes(&lines, end,
                   (size_t)snprintf(end, sizeof end, "{\"routes\":%zu}\n", state->written));
        route_cursor_close(&state->cursor);
    }
    if (lines.failed)
        state->error = ENOMEM;
    else
        put(state, lines.text, lines.length);
    json_clear(&lines);
    return route != NULL;
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
 * #syscalls broker: clone fsync close rename renameat renameat2 open openat */
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
}

static void start_delay(struct state *state);
static void free_when_done(struct state *state);

static void after_file(uv_work_t *work, int status)
{
    struct state *state = work->data;

    (void)status;
    state->busy = false;
    if (state->error)
        log_line(LOG_ERR,
                 "cannot write the state file %s: %s. Routes added now are lost at the "
                 "next restart.",
                 state->path, strerror(state->error));
    if (state->stopped)
        free_when_done(state);
    else if (state->touched)
        start_delay(state);
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

static void start_delay(struct state *state)
{
    uv_timer_start(&state->delay, on_delay, WRITE_DELAY_MS, 0);
}

void state_touch(struct state *state)
{
    /* While routes are read from the file, it holds more than there is yet. */
    if (!state->touched && !state->busy && !state->stopped && !state->source)
        start_delay(state);
    state->touched = true;
}

/* --- Reading ------------------------------------------------------------------------------- */

/* Reads the owner out of a request's id; a file of an older version has none. */
static struct lease parse_lease(const struct span *id)
{
    struct lease lease = {.uid = LEASE_UID_UNKNOWN};
    char text[128], digits[LEASE_ID_SIZE];
    long long since;
    unsigned uid;

    if (!id->start || id->length >= sizeof text)
        return lease;
    memcpy(text, id->start, id->length);
    text[id->length] = '\0';
    if (sscanf(text, "{\"lease\":\"%12[0-9a-f]\",\"uid\":%u,\"since\":%lld}", digits, &uid,
               &since) == 3 &&
        lease_id_parse(digits, &lease.id)) {
        lease.uid = uid;
        lease.since = since;
    }
    return lease;
}

/* Reads the next line as a request. 1: one; 0: the end, with the number of routes; -1: damage. */
static int read_line(FILE *file, struct saved *ret, unsigned long *ret_count)
{
    char line[LINE_LIMIT + 2];
    struct request request;
    struct error error;
    int used = 0;

    if (!fgets(line, sizeof line, file))
        return -1;
    if (sscanf(line, "{\"routes\":%lu}%n", ret_count, &used) == 1 && used > 0 && line[used] == '\n')
        return 0;
    line[strcspn(line, "\n")] = '\0';
    if (!decode_request(line, strlen(line), &request, &error) || request.action != ACTION_ADD_MFC)
        return -1;
    *ret = (struct saved){request.args.add_mfc, parse_lease(&request.id)};
    return 1;
}

/* Reads the file to its end without using it. Returns 0, or the number of the bad line. */
static size_t find_damage(FILE *file)
{
    char head[sizeof HEAD];
    struct saved saved;
    unsigned long count = 0;
    size_t lines = 0;
    int result;

    if (!fgets(head, sizeof head, file) || strcmp(head, HEAD) != 0)
        return 1;
    while ((result = read_line(file, &saved, &count)) > 0)
        lines++;
    return result == 0 && count == lines ? 0 : lines + 2;
}

/* #syscalls broker: open openat read lseek rename renameat renameat2 close */
static bool open_source(struct state *state)
{
    state->source = fopen(state->path, "re");
    if (!state->source) {
        if (errno != ENOENT)
            log_line(LOG_ERR, "cannot read the state file %s: %s.", state->path, strerror(errno));
        return false;
    }
    size_t line = find_damage(state->source);

    if (line == 0) {
        rewind(state->source);
        return true;
    }
    log_line(LOG_ERR,
             "the state file %s is damaged in line %zu: none of it is used. It stays as "
             "%s.damaged.",
             state->path, line, state->path);
    char damaged[PATH_MAX + 16];

    snprintf(damaged, sizeof damaged, "%s.damaged", state->path);
    rename(state->path, damaged);
    fclose(state->source);
    state->source = NULL;
    return false;
}

static bool names_missing_interface(const struct state *state, const struct args_add_mfc *args)
{
    if (!links_find(state->links, args->iif.text))
        return true;
    for (uint32_t i = 0; i < args->oifs.count; i++)
        if (!links_find(state->links, args->oifs.names[i].text))
            return true;
    return false;
}

static void load_route(struct state *state, const struct saved *saved)
{
    const struct args_add_mfc *args = &saved->args;
    char source[ADDRESS_TEXT_MAX], group[ADDRESS_TEXT_MAX];
    struct lease lease =
        saved->lease.id ? saved->lease : mroute_lease(state->mroute, LEASE_UID_UNKNOWN);
    enum route_change change;
    struct error error;

    if (mroute_add(state->mroute, args, &lease, true, &change, &error))
        state->loaded++;
    else
        log_line(LOG_WARNING, "the route (%s, %s) of the state file was not restored: %s",
                 address_format(&args->source, source), address_format(&args->group, group),
                 error.message);
}

static void end_load(struct state *state)
{
    if (state->source) {
        fclose(state->source);
        state->source = NULL;
        log_line(LOG_INFO, "%zu routes restored from %s.", state->loaded, state->path);
    }
    /* Routes that were found in the kernel may be newer than the file. */
    if (state->touched || !state->load_all) {
        state->touched = false;
        state_touch(state);
    }
    state->done(state->context);
}

/* Adds routes until one needs a table that is not open, or the end. */
static void load_some(struct state *state)
{
    struct saved saved;
    unsigned long count;

    while (read_line(state->source, &saved, &count) > 0) {
        const struct args_add_mfc *args = &saved.args;

        if (!state->load_all && !names_missing_interface(state, args)) {
            if (saved.lease.id)
                mroute_restore_lease(state->mroute, args, &saved.lease);
            continue;
        }
        if (!mroute_table_is_open(state->mroute, args->group.family, args->table)) {
            state->waiting_for = saved;
            if (mroute_table_open(state->mroute, args->group.family, args->table, &state->waiter))
                return;
        }
        load_route(state, &saved);
    }
    end_load(state);
}

static void resume_load(struct mroute_waiter *waiter, const struct error *error)
{
    struct state *state = (struct state *)((char *)waiter - offsetof(struct state, waiter));

    if (error)
        log_line(LOG_WARNING, "routes of table %u were not restored: %s",
                 state->waiting_for.args.table, error->message);
    else
        load_route(state, &state->waiting_for);
    load_some(state);
}

void state_load(struct state *state, bool all, void (*done)(void *context), void *context)
{
    char head[sizeof HEAD];

    state->load_all = all;
    state->done = done;
    state->context = context;
    if (open_source(state) && fgets(head, sizeof head, state->source))
        load_some(state);
    else
        end_load(state);
}

/* --- Life ---------------------------------------------------------------------------------- */

struct state *state_new(uv_loop_t *loop, struct mroute *mroute, struct links *links,
                        const char *path)
{
    struct state *state = calloc(1, sizeof *state);

    if (!state)
        return NULL;
    state->loop = loop;
    state->mroute = mroute;
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
    if (state->source)
        fclose(state->source); /* and the file stays: it holds more than was read */
    else
        write_last_file(state);
    uv_close((uv_handle_t *)&state->delay, on_closed);
    uv_close((uv_handle_t *)&state->writer, on_closed);
}
