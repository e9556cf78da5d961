/* The actions about the service itself: STATUS, PING, DESCRIBE, SUBSCRIBE. */
#include "services.h"

#include "schema.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>

enum outcome handle_ping(struct call *call, const struct args_ping *args)
{
    (void)args;
    reply_success(call, "pong");
    return OUTCOME_REPLIED;
}

static void write_table(void *context, const struct mroute_socket *socket)
{
    struct json *out = context;

    json_open(out, '{');
    json_member_string(out, "family", family_name(socket->family));
    json_member_unsigned(out, "table", socket->table);
    json_close(out, '}');
}

static void write_texts(struct json *out, const struct mistakes *mistakes)
{
    for (size_t i = 0; i < mistakes_kept(mistakes); i++)
        json_string(out, mistakes->texts[i]);
}

static void write_mistakes(struct json *out, const struct file_mistakes *mistakes)
{
    json_key(out, "mistakes");
    json_open(out, '[');
    write_texts(out, &mistakes->configuration);
    write_texts(out, &mistakes->policy);
    write_texts(out, &mistakes->multicast);
    json_close(out, ']');
}

static void write_process(struct json *out, const char *name, pid_t pid, const char *privileges,
                          const char *sandbox)
{
    json_key(out, name);
    json_open(out, '{');
    json_member_unsigned(out, "pid", (uint64_t)pid);
    json_member_string(out, "capabilities", privileges);
    json_member_string(out, "sandbox", sandbox);
    json_close(out, '}');
}

static void write_multicast(struct json *out, struct mroute *mroute)
{
    struct mroute_totals totals = mroute_totals(mroute);

    json_key(out, "mroute");
    json_open(out, '{');
    json_key(out, "tables");
    json_open(out, '[');
    mroute_visit_sockets(mroute, write_table, out);
    json_close(out, ']');
    json_member_unsigned(out, "routes", totals.routes);
    json_member_unsigned(out, "waiting", totals.waiting);
    json_member_unsigned(out, "learned", totals.learned);
    json_member_unsigned(out, "kernel_writes", totals.kernel_writes);
    json_member_unsigned(out, "no_route", totals.no_route);
    json_member_unsigned(out, "wrong_interface", totals.wrong_interface);
    json_member_unsigned(out, "unmatched_dropped", totals.unmatched_dropped);
    json_close(out, '}');
}

static void write_joins(struct json *out, const struct joins *joins)
{
    struct joins_totals totals = joins_totals(joins);

    json_key(out, "joins");
    json_open(out, '{');
    json_member_unsigned(out, "joins", totals.joins);
    json_member_unsigned(out, "waiting", totals.waiting);
    json_member_unsigned(out, "memberships", totals.memberships);
    json_member_unsigned(out, "sockets", totals.sockets);
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
    json_member_unsigned(out, "users", users->count);
    json_member_unsigned(out, "queued_bytes", users->queued);
    json_member_unsigned(out, "refused_connections", users->refused);
    json_member_unsigned(out, "throttled_seconds", users->throttled_seconds);
    json_key(out, "ended");
    json_open(out, '{');
#define W(name, limit, word) json_member_unsigned(out, word, services->sessions.ended[WAIT_##name]);
    WAITS(W)
#undef W
    json_close(out, '}');
    json_close(out, '}');
}

static const char *describe_problem(const struct state *state)
{
    int problem = state ? state_problem(state) : 0;

    return problem ? strerror(problem) : "";
}

enum outcome handle_status(struct call *call, const struct args_status *args)
{
    const struct services *services = call->services;
    const struct service_facts *facts = &services->facts;
    struct json *out = reply_open(call, "netbrokerd %s is serving.", NB_VERSION);

    (void)args;
    json_member_string(out, "version", NB_VERSION);
    json_member_unsigned(out, "uptime_seconds", (uv_hrtime() - facts->started_ns) / 1000000000);
    json_member_string(out, "socket", facts->socket);
    json_member_string(out, "state_file", facts->state_file);
    json_member_string(out, "state_problem", describe_problem(services->state));
    write_process(out, "keeper", facts->keeper, facts->keeper_privileges, facts->keeper_sandbox);
    write_process(out, "broker", facts->broker, facts->broker_privileges, facts->broker_sandbox);
    json_member_unsigned(out, "broker_restarts", facts->restarts);
    json_member_bool(out, "root_only", services->policy.closed);
    write_mistakes(out, &services->mistakes);
    json_member_unsigned(out, "connections", services->sessions.count);
    json_member_unsigned(out, "subscribers", services->events.count);
    write_limits(out, &services->users);
    write_load(out, services);
    write_multicast(out, services->mroute);
    write_joins(out, services->joins);
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

    if (!subscriber) {
        call->out->failed = true; /* the session answers that there is no memory */
        return OUTCOME_REPLIED;
    }
    events_subscribe(&call->services->events, subscriber, &args->topics);
    reply_success(call, "Subscribed.");
    return OUTCOME_REPLIED;
}
