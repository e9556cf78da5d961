/* A tap of the service's, and the command that hands it on: tap exec. */
#include "tap.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Ethernet addresses -------------------------------------------------------------------- */

bool mac_read(const char *text, char ret[MAC_TEXT_MAX])
{
    char separator = strlen(text) == MAC_TEXT_MAX - 1 ? text[2] : '\0';
    size_t used = 0;

    if (separator && separator != ':' && separator != '-')
        return false;
    for (unsigned i = 0; i < MAC_BYTES; i++) {
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
            return false;
        used += (size_t)snprintf(ret + used, MAC_TEXT_MAX - used, "%s%c%c", i ? ":" : "",
                                 tolower((unsigned char)text[0]), tolower((unsigned char)text[1]));
        text += 2;
        if (separator && i + 1 < MAC_BYTES && *text++ != separator)
            return false;
    }
    return *text == '\0';
}

void mac_derive(const char *text, char ret[MAC_TEXT_MAX])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    snprintf(ret, MAC_TEXT_MAX, "fe:%02x:%02x:%02x:%02x:%02x", (unsigned)(hash >> 56 & 0xff),
             (unsigned)(hash >> 48 & 0xff), (unsigned)(hash >> 40 & 0xff),
             (unsigned)(hash >> 32 & 0xff), (unsigned)(hash >> 24 & 0xff));
}

/* --- A tap --------------------------------------------------------------------------------- */

static int take_tap(const struct command_line *line, const struct nb_reply *reply, struct tap *ret)
{
    const struct nb_value *payload = nb_reply_payload(reply);

    *ret = (struct tap){.fd = nb_reply_fd(reply, "tap"),
                        .mtu = (uint32_t)member_number(payload, "mtu")};
    if (ret->fd < 0) {
        report(line, &(struct fault){.code = "internal"},
               "the service's reply brought no descriptor: %s.", strerror(-ret->fd));
        return EXIT_REFUSED;
    }
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

int tap_inherit(struct tap *tap)
{
    int lowest = fcntl(tap->fd, F_DUPFD, STDERR_FILENO + 1);

    if (lowest < 0)
        return -errno;
    if (lowest > tap->fd && tap->fd > STDERR_FILENO) {
        close(lowest);
        return fcntl(tap->fd, F_SETFD, 0) < 0 ? -errno : 0;
    }
    close(tap->fd);
    tap->fd = lowest;
    return 0;
}

/* --- tap exec ------------------------------------------------------------------------------ */

struct substitute {
    const char *name, *value;
};

/* The one whose name the word begins with; NULL: none. */
static const struct substitute *find_substitute(const struct substitute *list, const char *word)
{
    for (; list->name; list++)
        if (strncmp(word, list->name, strlen(list->name)) == 0)
            return list;
    return NULL;
}

char *tap_word(const struct tap *tap, const char *word)
{
    char *text = NULL, number[16];
    const struct substitute substitutes[] = {
        {"{fd}", number}, {"{name}", tap->name}, {"{mac}", tap->mac}, {NULL, NULL}};
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    snprintf(number, sizeof number, "%d", tap->fd);
    while (*word) {
        const struct substitute *substitute = find_substitute(substitutes, word);

        if (substitute)
            fputs(substitute->value, out);
        else
            putc(*word, out);
        word += substitute ? strlen(substitute->name) : 1;
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* As env(1) and the shell have it. */
enum { EXIT_NOT_EXECUTED = 126, EXIT_NOT_FOUND = 127 };

int run_tap_exec(const struct command_line *line, struct nb_request *request)
{
    struct tap tap;
    int error, status = tap_get(line, request, &tap);

    if (status != EXIT_DONE)
        return status;
    error = tap_inherit(&tap);
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
