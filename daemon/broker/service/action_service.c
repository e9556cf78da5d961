/* The actions about the service itself: STATUS, PING, DESCRIBE, SUBSCRIBE. */
#include "broker/wire/services.h"
#include "broker/wire/session.h"

#include "broker/state/state.h"
#include "pools_report.h"
#include "schema.h"

#include <stdlib.h>
#include <string.h>

enum outcome handle_ping(struct call *call, const struct args_ping *args)
{
    (void)args;
    reply_success(call, "pong");
    return OUTCOME_REPLIED;
}

static void write_texts(struct json *out, const struct mistakes *mistakes)
{
    for (size_t i = 0; i < mistakes_kept(mistakes); i++)
        json_string(out, mistakes->texts[i]);
}

/* They quote the administrator's files. */
static void write_mistakes(struct json *out, const struct call *call)
{
    const struct file_mistakes *mistakes = &call->services->mistakes;
    const char *instead = call_hidden_mistakes(call);

    json_key(out, "mistakes");
    json_open(out, '[');
    if (instead) {
        json_string(out, instead);
    } else {
        write_texts(out, &mistakes->configuration);
        write_texts(out, &mistakes->policy);
        write_texts(out, &mistakes->multicast);
    }
    json_close(out, ']');
}

static void write_process(struct json *out, const char *name, pid_t pid, const char *privileges,
                          const struct sandbox_report *sandbox)
{
    json_key(out, name);
    json_open(out, '{');
    json_member_unsigned(out, "pid", (uint64_t)pid);
    json_member_string(out, "capabilities", privileges);
    json_member_string(out, "sandbox", sandbox ? sandbox->in_force : "");
    json_member_string(out, "missing", sandbox ? sandbox->missing : "");
    json_close(out, '}');
}

static void write_limits(struct json *out, const struct users *users)
{
    json_key(out, "limits");
    json_open(out, '{');
#define L(member, name, value, least, most)                                                        \
    json_member_unsigned(out, #member, users->limits.member);
    LIMITS(L)
#undef L
    json_close(out, '}');
}

static void write_load(struct json *out, const struct services *services)
{
    const struct users *users = &services->users;

    json_key(out, "load");
    json_open(out, '{');
    json_member_unsigned(out, "users", users->pools.accounts.count);
    json_member_unsigned(out, "queued_bytes", users->bytes.used);
    json_member_unsigned(out, "refused_connections", users->connections.refused);
    json_member_unsigned(out, "throttled_seconds", users->throttled_seconds);
    json_key(out, "ended");
    json_open(out, '{');
#define W(name, limit, word) json_member_unsigned(out, word, services->sessions.ended[WAIT_##name]);
    WAITS(W)
#undef W
    json_close(out, '}');
    json_close(out, '}');
}

/* How well it is known who clients are. */
static void write_identity(struct json *out, const struct identity *identity)
{
    const struct subuids *subuids = identity->subuids;
    const char *problem = subuids ? subuids->file.problem : NULL;

    if (!problem && identity->names)
        problem = identity->names->file.problem;
    json_key(out, "identity");
    json_open(out, '{');
    json_member_bool(out, "netns_known", identity->place.netns != 0);
    json_member_bool(out, "uids_mapped", identity->place.maps_users);
    json_member_unsigned(out, "subordinate_ranges", subuids ? subuids->count : 0);
    json_member_unsigned(out, "ignored_lines", subuids ? subuids->ignored : 0);
    json_member_string(out, "problem", problem ? problem : "");
    json_close(out, '}');
}

static void write_state(struct json *out, const struct services *services)
{
    struct state_facts facts = {.journal_problem = ""};

    if (services->state)
        facts = state_facts(services->state);
    json_member_string(out, "state_file", services->facts.state_file);
    json_member_string(out, "state_problem",
                       facts.file_problem ? strerror(facts.file_problem) : "");
    json_key(out, "journal");
    json_open(out, '{');
    json_member_unsigned(out, "bytes", facts.journal_used);
    json_member_unsigned(out, "capacity", facts.journal_size);
    json_member_string(out, "problem", facts.journal_problem ? facts.journal_problem : "");
    json_close(out, '}');
}

enum outcome handle_status(struct call *call, const struct args_status *args)
{
    const struct services *services = call->services;
    const struct service_facts *facts = &services->facts;
    struct reader reader = call_reader(call);
    struct json *out = reply_open(call, "netbrokerd %s is serving.", NB_VERSION);

    (void)args;
    json_member_string(out, "version", NB_VERSION);
    json_member_unsigned(out, "uptime_seconds", (uv_hrtime() - facts->started_ns) / 1000000000);
    json_member_string(out, "socket", facts->socket);
    write_state(out, services);
    write_process(out, "keeper", facts->keeper, facts->keeper_privileges, facts->keeper_sandbox);
    write_process(out, "broker", facts->broker, facts->broker_privileges, facts->broker_sandbox);
    json_member_unsigned(out, "broker_restarts", facts->restarts);
    json_member_bool(out, "root_only", services->policy.closed);
    write_mistakes(out, call);
    write_identity(out, &services->identity);
    json_member_unsigned(out, "connections", services->sessions.count);
    json_member_unsigned(out, "subscribers", services->events.count);
    write_limits(out, &services->users);
    write_load(out, services);
    pools_write_status(&services->users.pools, &reader, out);
    for (size_t i = 0; kinds[i]; i++)
        if (kinds[i]->write_status)
            kinds[i]->write_status(kind_self(&services->kinds, kinds[i]), out, &reader);
    reply_close(out);
    return OUTCOME_REPLIED;
}

enum outcome handle_describe(struct call *call, const struct args_describe *args)
{
    enum action only = args->name.text[0] ? action_find(args->name.text) : ACTION_COUNT;
    struct error error;

    if (args->name.text[0] && only == ACTION_COUNT) {
        error_set(&error, ERROR_NOT_FOUND, "name",
                  "Invalid argument: 'name' is not an action, such as ADD_MFC; without it, all "
                  "actions are described.");
        reply_error(call, &error);
        return OUTCOME_REPLIED;
    }
    schema_write(reply_open_value(call, "The requests, as a JSON Schema."), only);
    reply_close_value(call->out);
    return OUTCOME_REPLIED;
}

enum outcome handle_subscribe(struct call *call, const struct args_subscribe *args)
{
    struct subscriber *subscriber = session_subscriber(call->session);

    if (!subscriber || !events_subscribe(&call->services->events, subscriber, &args->topics)) {
        call->out->failed = true; /* the session answers that there is no memory */
        return OUTCOME_REPLIED;
    }
    reply_success(call, "Subscribed.");
    return OUTCOME_REPLIED;
}
