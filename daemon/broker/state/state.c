#include "state.h"

#include "broker/waiter.h"
#include "checkpoint.h"
#include "journal.h"
#include "log.h"
#include "state_line.h"
#include "state_source.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
    COMPACT_A_TURN = 50, /* records, then clients have their turn; about 50 us */
    /* Of restoring, then the keeper is told that the loop turns; no client is served yet. */
    RESTORE_SLICE_NS = 10 * 1000 * 1000,
    RECORDS_A_STEP = 64, /* that are looked through */
    REFUSALS_TOLD = 10,  /* one by one; a hostile broker may leave half a million */
};

enum restoring_step { STEP_MORE, STEP_WAITS, STEP_LAST };

struct state {
    struct state_host host;
    struct checkpoint *checkpoint; /* NULL: there is none */
    struct journal *journal;       /* the same */
    uv_idle_t work;                /* restoring, and later compaction */
    struct json line;              /* of the lease that is written to the journal */

    /* While restoring. */
    enum restoring_step (*step)(struct state *state);
    struct journal_found found;
    struct state_source source; /* the file, unless the journal is whole */
    size_t position;            /* in the journal */
    struct saved saved;         /* the next one */
    struct waiter waiter;
    size_t restored, refused;
    void (*done)(void *context);
    void *context;
};

/* --- Writing ------------------------------------------------------------------------------- */

static void on_compaction(uv_idle_t *idle)
{
    struct state *state = idle->data;

    if (!journal_compact(state->journal, COMPACT_A_TURN))
        uv_idle_stop(idle);
}

/* What a session holds ends with the broker. */
static bool is_kept(const struct lease *lease)
{
    return lease->kind != HOLDER_SESSION && lease->info.id != 0;
}

static void touch_file(struct state *state)
{
    struct transaction *transaction = state->host.leases->transaction;

    if (!state->checkpoint)
        return;
    checkpoint_touch(state->checkpoint);
    if (!transaction)
        return;
    transaction->changes++;
    checkpoint_change(state->checkpoint, transaction);
}

void state_put(struct state *state, const struct lease *lease)
{
    if (!is_kept(lease))
        return;
    touch_file(state);
    if (!state->journal)
        return;
    json_cut(&state->line, 0);
    state_line_write(&state->line, lease);
    journal_put(state->journal, state->host.leases->transaction, lease->info.id, state->line.text,
                state->line.length);
    if (journal_wants_compaction(state->journal))
        uv_idle_start(&state->work, on_compaction);
}

void state_drop(struct state *state, const struct lease *lease)
{
    if (!is_kept(lease))
        return;
    touch_file(state);
    if (state->journal)
        journal_drop(state->journal, state->host.leases->transaction, lease->info.id);
}

bool state_has_room(struct state *state, size_t count, size_t n, struct error *error)
{
    return !state->journal || journal_has_room(state->journal, count, n) ||
           error_set(error, ERROR_LIMIT, NULL,
                     "The service has no room to write down what is wanted: its journal of %zu MiB "
                     "is full. End some leases first; 'netbroker leases' lists them.",
                     journal_use(state->journal).capacity >> 20);
}

void state_commit(struct state *state, struct transaction *transaction)
{
    if (state->journal)
        journal_commit(state->journal, transaction);
    if (state->checkpoint && transaction->changes > 0)
        checkpoint_commit(state->checkpoint);
    transaction->changes = 0;
}

struct state_facts state_facts(const struct state *state)
{
    struct state_facts facts = {.journal_problem = "there is none"};
    struct journal_use use;

    if (state->checkpoint)
        facts.file_problem = checkpoint_problem(state->checkpoint);
    if (!state->journal)
        return facts;
    use = journal_use(state->journal);
    facts.journal_used = use.used;
    facts.journal_size = use.capacity;
    facts.journal_problem = use.problem;
    return facts;
}

/* --- Where it is read from ----------------------------------------------------------------- */

static void open_journal(struct state *state)
{
    if (state->host.journal < 0)
        return;
    state->journal = journal_begin(state->host.journal);
    if (!state->journal)
        log_line(LOG_ERR, "cannot use the journal: %s.", strerror(errno));
}

static bool is_whole(const struct state *state)
{
    return state->found.content == JOURNAL_WHOLE;
}

static bool read_next(struct state *state)
{
    struct journal_line line;

    if (!is_whole(state))
        return state->source.file && state_source_next(&state->source, &state->saved);
    if (!journal_next(state->journal, &state->position, &line))
        return false;
    if (state_line_read(line.text, line.length, &state->saved))
        return true;
    log_line(LOG_ERR, "the journal changed at byte %zu while it was read; the rest is not used.",
             line.offset);
    return false;
}

/* --- Restoring ----------------------------------------------------------------------------- */

static void end_restore(struct state *state)
{
    if (is_whole(state))
        log_line(LOG_NOTICE, "%zu leases restored from the journal.", state->restored);
    else if (state->source.file)
        log_line(LOG_NOTICE, "%zu leases restored from %s.", state->restored, state->host.path);
    if (state->refused > REFUSALS_TOLD)
        log_line(LOG_WARNING, "%zu more leases are not restored.", state->refused - REFUSALS_TOLD);
    state_source_close(&state->source);
    state->done(state->context);
}

void state_settle(struct state *state)
{
    for (size_t i = 0; kinds[i]; i++)
        if (kinds[i]->settled)
            kinds[i]->settled(state->host.kinds->list[i], is_whole(state));
    if (state->journal)
        journal_trust(state->journal);
    if (state->checkpoint)
        checkpoint_begin(state->checkpoint);
}

static void refuse(struct state *state, const struct error *error)
{
    char id[LEASE_ID_SIZE];

    if (++state->refused > REFUSALS_TOLD)
        return;
    log_line(LOG_WARNING, "lease %s, of a request %s, is not restored: %s",
             lease_id_format(state->saved.holder.lease.id, id),
             action_row(state->saved.request.action)->name, error->message);
}

/* False: it waits. */
static bool restore_one(struct state *state)
{
    const struct request *request = &state->saved.request;
    struct holder *holder = &state->saved.holder;
    const struct resource_ops *ops = kind_of_verb(action_row(request->action)->policy);
    struct error error;

    if (holder->kind == HOLDER_SESSION || !ops->restore) /* it has ended */
        return true;
    if (holder->lease.id == 0)
        holder->lease = lease_prepare(state->host.leases, LEASE_UID_UNKNOWN);
    holder->administrator = true; /* what is there already was asked for by somebody */
    switch (
        ops->restore(kind_self(state->host.kinds, ops), request, holder, &state->waiter, &error)) {
    case RESTORE_DONE:
        state->restored++;
        break;
    case RESTORE_REFUSED:
        refuse(state, &error);
        break;
    case RESTORE_WAITS:
        return false;
    case RESTORE_GONE:
        break;
    }
    return true;
}

static enum restoring_step restore_next(struct state *state)
{
    if (!read_next(state))
        return STEP_LAST;
    return restore_one(state) ? STEP_MORE : STEP_WAITS;
}

static enum restoring_step check_file(struct state *state)
{
    if (!state_source_check(&state->source, state->host.path))
        state->step = restore_next;
    return STEP_MORE;
}

static void end_check(struct state *state)
{
    bool wants_file = !is_whole(state) && state->host.path[0];

    if (state->found.content == JOURNAL_DAMAGED)
        log_line(LOG_ERR,
                 "the journal is damaged at byte %zu: nothing of it is used. %s is nobody's.",
                 state->found.damage,
                 state->host.path[0] ? "What the state file has is restored, and what the kernel "
                                       "has besides"
                                     : "There is no state file: what the kernel has");
    state->position = 0;
    state->step = wants_file && state_source_open(&state->source, state->host.path) ? check_file
                                                                                    : restore_next;
}

/* All lines of the journal are read before one is used. */
static enum restoring_step check_next(struct state *state)
{
    struct journal_line line;

    if (!is_whole(state) || !journal_next(state->journal, &state->position, &line))
        end_check(state);
    else if (!state_line_read(line.text, line.length, &state->saved) ||
             state->saved.holder.lease.id != line.lease)
        state->found = (struct journal_found){JOURNAL_DAMAGED, line.offset};
    return STEP_MORE;
}

/* Before that, its records are. */
static enum restoring_step find_next(struct state *state)
{
    int result = state->journal ? journal_find(state->journal, RECORDS_A_STEP, &state->found) : 0;

    if (result > 0)
        return STEP_MORE;
    if (result < 0) {
        log_line(LOG_ERR, "cannot use the journal: %s.", strerror(-result));
        journal_close(state->journal);
        state->journal = NULL;
    }
    state->step = check_next;
    return STEP_MORE;
}

static void on_restoring(uv_idle_t *idle)
{
    struct state *state = idle->data;
    uint64_t end = uv_hrtime() + RESTORE_SLICE_NS;
    enum restoring_step step;

    do
        step = state->step(state);
    while (step == STEP_MORE && uv_hrtime() < end);
    if (step == STEP_MORE)
        return;
    uv_idle_stop(idle);
    if (step == STEP_LAST)
        end_restore(state);
}

/* The first slice is now: most restarts need no more. */
static void restore_some(struct state *state)
{
    uv_idle_start(&state->work, on_restoring);
    on_restoring(&state->work);
}

static void resume(struct waiter *waiter, const struct error *error)
{
    struct state *state = (struct state *)((char *)waiter - offsetof(struct state, waiter));

    if (error)
        refuse(state, error);
    if (error || restore_one(state))
        restore_some(state);
}

void state_restore(struct state *state, void (*done)(void *context), void *context)
{
    state->done = done;
    state->context = context;
    state->step = find_next;
    open_journal(state);
    restore_some(state);
}

/* --- Life ---------------------------------------------------------------------------------- */

struct state *state_new(const struct state_host *host)
{
    struct state *state = calloc(1, sizeof *state);

    if (!state)
        return NULL;
    state->host = *host;
    state->line.limit = LEASE_LINE_SIZE;
    state->waiter.resume = resume;
    if (host->path[0])
        state->checkpoint = checkpoint_new(host->loop, host->leases, host->path);
    json_bytes(&state->line, (char[LEASE_LINE_SIZE]){0},
               LEASE_LINE_SIZE); /* later, none may lack */
    if (state->line.failed || (host->path[0] && !state->checkpoint)) {
        json_clear(&state->line);
        free(state);
        return NULL;
    }
    uv_idle_init(host->loop, &state->work);
    state->work.data = state;
    return state;
}

static void free_state(uv_handle_t *handle)
{
    struct state *state = handle->data;

    if (state->journal)
        journal_close(state->journal);
    json_clear(&state->line);
    free(state);
}

void state_stop(struct state *state)
{
    waiter_cancel(&state->waiter);
    state_source_close(&state->source);
    if (state->checkpoint)
        checkpoint_stop(state->checkpoint);
    uv_close((uv_handle_t *)&state->work, free_state);
}
