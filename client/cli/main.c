/* netbroker: one request from the command line, and its reply on the terminal. */
#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Others are lists, or have nothing to show but their message. */
static printer *const printers[ACTION_COUNT] = {
    [ACTION_ADD_MFC] = print_addition,      [ACTION_SHOW] = print_everything,
    [ACTION_DIAGNOSE] = print_findings,     [ACTION_STATUS] = print_status,
    [ACTION_METRICS] = print_metrics,       [ACTION_DESCRIBE] = print_schema,
    [ACTION_DIAGNOSE_TAP] = print_findings, [ACTION_OPEN_TAP] = print_tap,
    [ACTION_GET_TAP] = print_tap_facts,
};

/* Of actions that answer a question with yes or no. */
static judge *const judges[ACTION_COUNT] = {
    [ACTION_DIAGNOSE] = judge_findings,
    [ACTION_DIAGNOSE_TAP] = judge_findings,
    [ACTION_CHECK_POLICY] = judge_decision,
};

static int run_tap_create(const struct command_line *line, struct nb_request *request);

static int (*const own_commands[])(const struct command_line *, struct nb_request *) = {
    [OWN_REPLACE] = run_replace,
    [OWN_IMPORT] = run_import,
    [OWN_TAP_EXEC] = run_tap_exec,
    [OWN_TAP_CREATE] = run_tap_create,
    [OWN_TAPSERVER] = run_tapserver,
    [OWN_LINK_SERVE] = run_link_serve,
    [OWN_CAPTURE] = run_capture,
    [OWN_SV_SUBSCRIBE] = run_sv_subscribe,
    [OWN_GOOSE_SUBSCRIBE] = run_goose_subscribe,
    [OWN_SV_PUBLISH] = run_sv_publish,
    [OWN_SV_RUN] = run_sv_run,
    [OWN_GOOSE_PUBLISH] = run_goose_publish,
    [OWN_SEND] = run_send,
    [OWN_REPLAY] = run_replay,
};
_Static_assert(sizeof own_commands / sizeof *own_commands == OWN_COUNT, "each command is there");

/* What was asked for ends with the connection: it lasts until this command is ended. */
static int hold(struct nb_client *client, const struct command_line *line)
{
    int result = 0;

    fflush(stdout);
    if (!line->json) /* what a program reads there are errors */
        fputs("It is held until this command ends.\n", stderr);
    while (result == 0) {
        struct pollfd polled = {.fd = nb_fd(client), .events = nb_poll_events(client)};

        if (poll(&polled, 1, -1) > 0)
            result = nb_dispatch(client);
    }
    return result;
}

unsigned timeout_ms(const struct command_line *line)
{
    return (unsigned)(line->timeout * 1000);
}

int connect_service(const struct command_line *line, struct nb_client **ret_client)
{
    return nb_connect_within(ret_client, line->socket, timeout_ms(line));
}

struct nb_reply *call_again(const struct command_line *line, const struct nb_request *request,
                            struct nb_client **client)
{
    struct nb_reply *reply = NULL;

    nb_close(*client);
    *client = NULL;
    if (connect_service(line, client) == 0)
        nb_call(*client, request, &reply);
    if (!reply || !nb_reply_code(reply))
        return reply;
    nb_reply_free(reply);
    return NULL;
}

/* Takes what the host sends and drops it, until the tap is closed: the kernel wakes nobody who
 * waits for that alone. One on an uplink has a lifeline, which says so; else that is negative. */
static void drop_frames(int fd, int lifeline)
{
    struct pollfd polled[] = {{.fd = fd, .events = POLLIN}, {.fd = lifeline}};
    char frame[4096]; /* the rest of a longer one is cut off */

    while (poll(polled, 2, -1) < 0 || (!polled[1].revents && (read(fd, frame, sizeof frame) >= 0 ||
                                                              errno == EAGAIN || errno == EINTR)))
        ;
}

/* A reply that brought a tap: it lasts as long as this command, or until somebody closes it. */
static int hold_tap(const struct command_line *line, const struct nb_reply *reply)
{
    const char *name = member_text(nb_reply_payload(reply), "name");
    int fd = nb_reply_fd(reply, "tap");

    if (fd == -ENOENT) /* nothing was opened, or it lasts by itself */
        return EXIT_DONE;
    fflush(stdout);
    if (!line->json)
        fputs("It is open until this command ends.\n", stderr);
    if (fd >= 0)
        drop_frames(fd, nb_reply_fd(reply, "lifeline"));
    report(line, &(struct fault){.code = fd < 0 ? "internal" : "not-found"},
           fd < 0 ? "there is no descriptor left for tap %s."
                  : "tap %s is closed: by its user, by an administrator, or because its lease was "
                    "revoked.",
           name);
    return EXIT_REFUSED;
}

static bool is_held(const struct command_line *line)
{
    return command_line_flag(line, "while_connected") && !command_line_flag(line, "dry_run");
}

static void show(const struct nb_reply *reply, enum action action)
{
    const struct listing *listing = listing_of(action);

    if (printers[action])
        printers[action](reply);
    else if (listing)
        print_list(listing, nb_reply_payload(reply), NULL);
    else
        print_message(reply);
}

/* Returns an exit status, or a negative errno of the connection. */
static int perform(struct nb_client *client, const struct command_line *line,
                   const struct nb_request *request)
{
    struct nb_reply *reply;
    int status = EXIT_DONE;
    int result;

    if (line->command.action == ACTION_SUBSCRIBE)
        return watch_events(client, line, request);
    result = nb_call(client, request, &reply);
    if (result < 0)
        return result;
    if (nb_reply_code(reply))
        status = explain_refusal(line, reply);
    else if (line->json)
        print_payload(reply);
    else
        show(reply, line->command.action);
    if (!nb_reply_code(reply) && judges[line->command.action])
        status = judges[line->command.action](reply);
    if (!nb_reply_code(reply) && line->command.action == ACTION_OPEN_TAP)
        status = hold_tap(line, reply);
    nb_reply_free(reply);
    return status == EXIT_DONE && is_held(line) ? hold(client, line) : status;
}

static int run(const struct command_line *line, const struct nb_request *request)
{
    struct nb_client *client;
    int result = connect_service(line, &client);

    if (result == 0) {
        result = perform(client, line, request);
        nb_close(client);
    }
    return result < 0 ? explain_unreachable(line, result) : result;
}

/* It is `tap open --persistent`. */
static int run_tap_create(const struct command_line *line, struct nb_request *request)
{
    struct command_line open = *line;

    open.command.action = ACTION_OPEN_TAP;
    if (!command_line_flag(line, "persistent"))
        nb_request_set_bool(request, "persistent", true);
    return run(&open, request);
}

/* On a full disk, or in a closed pipe, what was asked for is not there. */
static int end_output(int status)
{
    if (fflush(stdout) == 0)
        return status;
    if (errno != EPIPE)
        fprintf(stderr, "netbroker: cannot write the output: %s.\n", strerror(errno));
    return status == EXIT_DONE ? EXIT_REFUSED : status;
}

static int run_command(struct command_line *line, int argc, char **argv)
{
    struct nb_request *request;
    int status;

    if (nb_request_new(&request, line->command.row->name) < 0)
        return explain_no_memory(line);
    status = command_line_request(line, argc, argv, request);
    if (status == EXIT_DONE && line->help)
        help_print_command(line->command.row);
    else if (status == EXIT_DONE && line->command.own != OWN_COUNT)
        status = own_commands[line->command.own](line, request);
    else if (status == EXIT_DONE)
        status = line->interval > 0 ? live_run(line, request) : run(line, request);
    nb_request_free(request);
    return end_output(status);
}

int main(int argc, char **argv)
{
    struct command_line line;
    int status = command_line_parse(&line, argc, argv);

    if (status != EXIT_DONE)
        return status;
    if (line.version) {
        puts("netbroker " NB_VERSION);
        return EXIT_DONE;
    }
    if (line.command.row)
        return run_command(&line, argc, argv);
    if (line.family)
        help_print_family(line.family);
    else
        help_print();
    return end_output(EXIT_DONE);
}
