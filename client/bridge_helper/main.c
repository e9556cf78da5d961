/* netbroker-bridge-helper: a tap in a bridge, for QEMU and libvirt.
 *
 * They start it as they start qemu-bridge-helper(8), with the number of a Unix socket that it
 * inherits, and receive there one byte, which is 0, with the tap's descriptor
 * (net_bridge_run_helper and recv_fd of QEMU's net/tap.c). QEMU runs it by sh -c where its own
 * arguments stand behind it. The tap is the service's: it lasts as long as somebody has the
 * descriptor, so it needs nothing of this process, which ends. */
#include "bounds.h"
#include "fdpass.h"
#include "netbroker.h"

#include <errno.h>
#include <net/if.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EXIT_DONE = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3 };

#define PROGRAM        "netbroker-bridge-helper"
#define BRIDGE_DEFAULT "br0" /* as QEMU has it */
#define TAP_PREFIX     "nb-" /* of names, unless the service's settings say another */
#define TIMEOUT_MS     10000

struct helper {
    int fd; /* where the tap is passed on; -1: not given */
    const char *bridge;
    const char *socket; /* of the service; NULL: the default */
    bool vnet, isolated, help, version;
};

static int say(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int say(int status, const char *format, ...)
{
    va_list arguments;

    fputs(PROGRAM ": ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    putc('\n', stderr);
    return status;
}

/* --- The command line ---------------------------------------------------------------------- */

static bool set_fd(struct helper *helper, const char *text)
{
    char *end;
    long fd = strtol(text, &end, 10);

    helper->fd = (int)fd;
    return *text && !*end && fd >= 0 && fd < 1 << 20;
}

static bool set_bridge(struct helper *helper, const char *text)
{
    helper->bridge = text;
    return *text && strlen(text) <= INTERFACE_NAME_MAX;
}

static bool set_socket(struct helper *helper, const char *text)
{
    helper->socket = text;
    return *text;
}

static bool set_vnet(struct helper *helper, const char *text)
{
    (void)text;
    return helper->vnet = true;
}

static bool set_isolated(struct helper *helper, const char *text)
{
    (void)text;
    return helper->isolated = true;
}

static bool set_help(struct helper *helper, const char *text)
{
    (void)text;
    return helper->help = true;
}

static bool set_version(struct helper *helper, const char *text)
{
    (void)text;
    return helper->version = true;
}

static const struct option {
    const char *name, *value; /* NULL: it takes none */
    bool (*set)(struct helper *helper, const char *text);
    const char *documentation;
} options[] = {
    {"--br", "BRIDGE", set_bridge, "the bridge (default " BRIDGE_DEFAULT ")"},
    {"--fd", "NUMBER", set_fd, "the Unix socket to pass the tap through; QEMU gives it"},
    {"--use-vnet", NULL, set_vnet, "a virtio_net_hdr is before each frame; QEMU gives it"},
    {"--isolated", NULL, set_isolated, "no frames to other isolated ports of the bridge"},
    {"--socket", "PATH", set_socket, "the service's socket ($NETBROKER_SOCKET, else the default)"},
    {"--help", NULL, set_help, "print this text"},
    {"--version", NULL, set_version, "print the version"},
};

enum { OPTIONS = sizeof options / sizeof *options };

static const struct option *find_option(const char *word, size_t length)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (strlen(options[i].name) == length && memcmp(options[i].name, word, length) == 0)
            return &options[i];
    return NULL;
}

/* Reads one option, as --fd=3 or --fd 3. Returns how many words it took, -1 on a mistake. */
static int take_option(struct helper *helper, char **words)
{
    const char *equals = strchr(words[0], '=');
    const struct option *option = find_option(words[0], strcspn(words[0], "="));
    const char *value = equals ? equals + 1 : words[1];

    if (!option) {
        say(0, "there is no option '%s'. Try '" PROGRAM " --help'.", words[0]);
        return -1;
    }
    if (!option->value && equals) {
        say(0, "%s takes no value.", option->name);
        return -1;
    }
    if (option->value && (!value || !option->set(helper, value))) {
        say(0, "%s takes %s, not '%s'.", option->name, option->value, value ? value : "");
        return -1;
    }
    if (!option->value)
        option->set(helper, NULL);
    return option->value && !equals ? 2 : 1;
}

static void print_help(void)
{
    puts("Usage: " PROGRAM " [--use-vnet] [--isolated] --fd=NUMBER [--br=BRIDGE]\n"
         "Get a tap in a bridge from netbrokerd, for QEMU (-netdev tap,helper=...) and libvirt\n"
         "(bridge_helper in qemu.conf), which start this program; see " PROGRAM "(1).\n"
         "\nOptions:");
    for (size_t i = 0; i < OPTIONS; i++) {
        char form[32];

        snprintf(form, sizeof form, "%s%s%s", options[i].name, options[i].value ? "=" : "",
                 options[i].value ? options[i].value : "");
        printf("  %-14s  %s\n", form, options[i].documentation);
    }
}

/* --- The bridge and the socket ------------------------------------------------------------- */

/* 0: not known, because it is in another network namespace, or not there. */
static uint32_t mtu_of(const char *interface)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct ifreq request = {0};
    uint32_t mtu = 0;

    if (fd < 0)
        return 0;
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    if (ioctl(fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu > 0)
        mtu = (uint32_t)request.ifr_mtu;
    close(fd);
    return mtu;
}

/* A socket that passes descriptors. */
static bool is_unix_socket(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;

    return getsockname(fd, (struct sockaddr *)&address, &length) == 0 &&
           address.ss_family == AF_UNIX;
}

/* --- The request --------------------------------------------------------------------------- */

static void fill_request(const struct helper *helper, struct nb_request *request)
{
    uint32_t mtu = mtu_of(helper->bridge);

    nb_request_set_string(request, "bridge", helper->bridge);
    if (mtu >= TAP_MTU_LEAST && mtu <= TAP_MTU_MAX)
        nb_request_set_integer(request, "mtu", mtu);
    if (helper->vnet)
        nb_request_set_bool(request, "offload", true);
    if (helper->isolated)
        nb_request_set_bool(request, "isolated", true);
}

/* What the administrator would write. How names of taps begin is a setting of the service's, which
 * it does not tell to who may not have one. */
static void say_rule(const struct helper *helper)
{
    const struct passwd *entry = getpwuid(getuid());
    char number[16];

    snprintf(number, sizeof number, "%u", (unsigned)getuid());
    fprintf(stderr,
            "In /etc/netbroker/policy.conf or a file in policy.d beside it, this rule would allow "
            "it where no other one denies it:\n"
            "  [allow taps of %.30s]\n"
            "  %s = %s\n"
            "  verbs = tap.write\n"
            "  interfaces = " TAP_PREFIX "*, %s\n"
            "Where tap-prefix of netbrokerd.conf is set, it stands there for '" TAP_PREFIX
            "'. 'systemctl reload netbrokerd' puts the rule into force.\n",
            entry ? entry->pw_name : number, entry ? "user" : "users",
            entry ? entry->pw_name : number, helper->bridge);
}

static void say_setting(const struct helper *helper)
{
    fprintf(stderr,
            "In /etc/netbroker/netbrokerd.conf, this line in [service] would allow it, behind the "
            "bridges that are there already:\n"
            "  tap-bridges = %s\n"
            "'systemctl restart netbrokerd' puts it into force.\n",
            helper->bridge);
}

static int explain_refusal(const struct helper *helper, const struct nb_reply *reply)
{
    bool is_not_allowed = strcmp(nb_reply_code(reply), "not-allowed") == 0;

    say(EXIT_REFUSED, "no tap in bridge '%s': %s", helper->bridge, nb_reply_message(reply));
    if (is_not_allowed && strcmp(nb_reply_field(reply), "bridge") == 0)
        say_setting(helper);
    else if (is_not_allowed)
        say_rule(helper);
    return EXIT_REFUSED;
}

static int explain_unreachable(const struct helper *helper, int error)
{
    const char *help = error == -EACCES ? " You must be in the group of that socket, netbroker by "
                                          "default: ask your administrator to add you to it "
                                          "(usermod -aG netbroker USER), then log in again."
                       : error == -ENOENT || error == -ECONNREFUSED
                           ? " Is netbrokerd running? (systemctl start netbrokerd)"
                           : "";

    return say(EXIT_UNREACHABLE, "cannot reach the service at %s: %s.%s",
               nb_socket_path(helper->socket), strerror(-error), help);
}

static int pass_tap(const struct helper *helper, const struct nb_reply *reply)
{
    static const struct fdpass_target connected;
    static const char done = 0;
    int result, tap = nb_reply_fd(reply, "tap");

    if (tap < 0)
        return say(EXIT_REFUSED, "the service's reply brought no tap: %s.", strerror(-tap));
    result = fdpass_send(helper->fd, &connected, &done, sizeof done, tap);
    close(tap);
    if (result < 0)
        return say(EXIT_REFUSED, "the tap cannot be passed through descriptor %d: %s.", helper->fd,
                   strerror(-result));
    return EXIT_DONE;
}

static int ask(const struct helper *helper, const struct nb_request *request)
{
    struct nb_reply *reply = NULL;
    struct nb_client *client;
    int status, result = nb_connect_within(&client, helper->socket, TIMEOUT_MS);

    if (result < 0)
        return explain_unreachable(helper, result);
    result = nb_call(client, request, &reply);
    if (result < 0)
        status = explain_unreachable(helper, result);
    else
        status = nb_reply_code(reply) ? explain_refusal(helper, reply) : pass_tap(helper, reply);
    nb_reply_free(reply);
    nb_close(client);
    return status;
}

static int run(const struct helper *helper)
{
    struct nb_request *request;
    int status;

    if (helper->fd < 0)
        return say(EXIT_USAGE, "--fd is missing: QEMU and libvirt start this program, with the "
                               "socket that they wait at.");
    if (!is_unix_socket(helper->fd))
        return say(EXIT_USAGE, "descriptor %d is no Unix socket.", helper->fd);
    if (nb_request_new(&request, "OPEN_TAP") < 0)
        return say(EXIT_REFUSED, "out of memory.");
    fill_request(helper, request);
    status = ask(helper, request);
    nb_request_free(request);
    return status;
}

int main(int argc, char **argv)
{
    struct helper helper = {.fd = -1, .bridge = BRIDGE_DEFAULT};

    for (int at = 1, words; at < argc; at += words) {
        words = take_option(&helper, argv + at);
        if (words < 0)
            return EXIT_USAGE;
    }
    if (helper.version)
        puts(PROGRAM " " NB_VERSION);
    else if (helper.help)
        print_help();
    else
        return run(&helper);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_REFUSED;
}
