/* The options of tapserver: what the service is asked for, and how clients are served. */
#include "tap.h"
#include "tapserver.h"

#include <ctype.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_DEFAULT "172.30.0.1" /* as that program has it */

enum { HOST_TEXT_MAX = 64, HOST_BITS_IPV4 = 24, HOST_BITS_IPV6 = 64 };

/* Options that mean nothing here, and why. */
static const struct {
    const char *name, *why;
} ignored[] = {
    {"metric", "--metric: the link has one route, that of its own network, and no other competes."},
    {"disable_nud", "--disable-nud: what IPv6 knows of neighbours is the kernel's own."},
    {"enable_router_advertisements",
     "--enable-router-advertisements: the host takes no routers from the clients of a link."},
    {"network_device_number",
     "--network-device-number: there is one interface, whose name is that of --name."},
    {"io_device_number", "--io-device-number: there is one interface, and no pair."},
    {"ifconfig_command",
     "--ifconfig-command: the service sets the interface up, without a command."},
};

void tapserver_tell_ignored(const struct command_line *line)
{
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        if (command_line_flag(line, ignored[i].name))
            report(line, &(struct fault){.code = "note"}, "%signored: %s",
                   line->json ? "" : "note: ", ignored[i].why);
}

static int wrong_value(const struct command_line *line, const char *field, const char *what,
                       const char *text)
{
    return say_usage(line, line->command.row->cli, field, what, text);
}

static int set_mode(const struct command_line *line, struct link_options *ret)
{
    const char *text = command_line_value(line, "mode", 0);
    char *end;

    if (!text)
        return EXIT_DONE;
    ret->mode = (mode_t)strtoul(text, &end, 8);
    ret->has_mode = true;
    if (!isdigit((unsigned char)text[0]) || *end || ret->mode > 0777)
        return wrong_value(line, "mode",
                           "'%s' is not a mode; --mode takes three octal digits, such "
                           "as 660.",
                           text);
    return EXIT_DONE;
}

static int set_group(const struct command_line *line, struct link_options *ret)
{
    const char *text = command_line_value(line, "group", 0);
    const struct group *group = text ? getgrnam(text) : NULL;
    char *end;

    if (!text)
        return EXIT_DONE;
    ret->has_group = true;
    if (group) {
        ret->group = group->gr_gid;
        return EXIT_DONE;
    }
    ret->group = (gid_t)strtoul(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || *end)
        return wrong_value(line, "group", "there is no group '%s' on this machine.", text);
    return EXIT_DONE;
}

/* The host's address with the length of its prefix. */
static void set_host(const struct command_line *line, struct nb_request *request)
{
    const char *given = command_line_value(line, "ip_address", 0);
    const char *text = given ? given : HOST_DEFAULT;
    char host[HOST_TEXT_MAX];

    if (strcmp(text, "none") == 0)
        return;
    if (strchr(text, '/'))
        snprintf(host, sizeof host, "%s", text);
    else
        snprintf(host, sizeof host, "%s/%d", text,
                 strchr(text, ':') ? HOST_BITS_IPV6 : HOST_BITS_IPV4);
    nb_request_add_string(request, "hosts", host);
}

static int set_mac(const struct command_line *line, struct nb_request *request)
{
    const char *text = command_line_value(line, "mac_address", 0);
    char mac[MAC_TEXT_MAX];

    if (!text)
        mac_derive(command_line_value(line, "listen", 0), mac);
    else if (!mac_read(text, mac))
        return wrong_value(line, "mac_address",
                           "'%s' is not an Ethernet address; --mac-address takes one such as "
                           "52:54:00:12:34:56.",
                           text);
    nb_request_set_string(request, "mac", mac);
    return EXIT_DONE;
}

int tapserver_read(const struct command_line *line, struct nb_request *request,
                   struct tapserver_options *ret)
{
    int status = set_mode(line, &ret->link);

    ret->link.framing =
        command_line_flag(line, "use_framed_protocol") ? FRAMING_U16LE : FRAMING_UNFRAMED;
    ret->show_data = command_line_flag(line, "show_data");
    ret->show_size_warnings = command_line_flag(line, "show_size_warnings");
    if (status == EXIT_DONE)
        status = set_group(line, &ret->link);
    if (status == EXIT_DONE)
        status = set_mac(line, request);
    set_host(line, request);
    return status == EXIT_DONE ? command_line_check(line, request) : status;
}
