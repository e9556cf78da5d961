/* A tap of the service's, and the command that hands it on: tap exec. */
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* --- A tap --------------------------------------------------------------------------------- */

static int take_tap(const struct command_line *line, const struct nb_reply *reply, struct tap *ret)
{
    const struct nb_value *payload = nb_reply_payload(reply);

    *ret = (struct tap){.fd = nb_reply_fd(reply, "tap"),
                        .lifeline = nb_reply_fd(reply, "lifeline"),
                        .mtu = (uint32_t)member_number(payload, "mtu")};
    if (ret->fd < 0) {
        report(line, &(struct fault){.code = "internal"},
               "the service's reply brought no descriptor: %s.", strerror(-ret->fd));
        return EXIT_REFUSED;
    }
    while (ret->more_count < TAP_QUEUES_MAX - 1 &&
           (ret->more[ret->more_count] = nb_reply_fd(reply, "tap")) >= 0)
        ret->more_count++;
    snprintf(ret->name, sizeof ret->name, "%s", member_text(payload, "name"));
    snprintf(ret->mac, sizeof ret->mac, "%s", member_text(payload, "mac"));
    return EXIT_DONE;
}

int tap_get(const struct command_line *line, const struct nb_request *request, struct tap *ret)
{
    struct nb_reply *reply = NULL;
    struct nb_client *client;
    int status, result = connect_service(line, &client);

    if (result < 0)
        return explain_unreachable(line, result);
    result = nb_call(client, request, &reply);
    if (result < 0)
        status = explain_unreachable(line, result);
    else if (nb_reply_code(reply))
        status = explain_refusal(line, reply);
    else
        status = take_tap(line, reply, ret);
    nb_reply_free(reply);
    nb_close(client);
    return status;
}

/* --- tap exec ------------------------------------------------------------------------------ */

/* As env(1) and the shell have it. */
enum { EXIT_NOT_EXECUTED = 126, EXIT_NOT_FOUND = 127 };

int run_tap_exec(const struct command_line *line, struct nb_request *request)
{
    struct tap tap;
    int error, status = tap_get(line, request, &tap);

    if (status != EXIT_DONE)
        return status;
    error = line->words[0] ? tap_inherit(&tap) : -EINVAL;
    for (char **word = line->words; error == 0 && *word; word++) {
        *word = tap_word(&tap, *word);
        error = *word ? 0 : -ENOMEM;
    }
    if (error < 0) {
        report(line, &(struct fault){.code = "internal"}, "the tap cannot be handed on: %s.",
               strerror(-error));
        return EXIT_REFUSED;
    }
    execvp(line->words[0], line->words);
    error = errno;
    report(line, &(struct fault){.code = "file"}, "cannot run '%s': %s.", line->words[0],
           strerror(error));
    return error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTED;
}
