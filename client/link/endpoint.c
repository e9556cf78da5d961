/* Where sockets are: paths and addresses, as users write them. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int parse_path(struct link *link, const char *text, struct endpoint *ret)
{
    size_t length = strlen(text);

    if (length == 0 || length >= sizeof ret->path.sun_path)
        return link_fail(link, -EINVAL, "a path of a socket has 1 to %zu bytes, and '%s' has %zu",
                         sizeof ret->path.sun_path - 1, text, length);
    ret->path.sun_family = AF_UNIX;
    memcpy(ret->path.sun_path, text, length + 1);
    ret->length = sizeof ret->path;
    return 0;
}

static bool is_number(const char *text)
{
    return *text && !text[strspn(text, "0123456789")];
}

static bool is_port(const char *text)
{
    return is_number(text) && strlen(text) < 6 && strtol(text, NULL, 10) <= UINT16_MAX;
}

static int resolve(struct link *link, const char *host, const char *port, struct endpoint *ret)
{
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int result = getaddrinfo(host, port, &wanted, &found);

    if (result != 0)
        return link_fail(link, -EINVAL, "'%s' is no address: %s", host, gai_strerror(result));
    memcpy(&ret->storage, found->ai_addr, found->ai_addrlen);
    ret->length = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

/* ADDRESS:PORT, with brackets around an address that has colons itself. */
static int parse_address(struct link *link, const char *text, const char *colon,
                         struct endpoint *ret)
{
    bool brackets = text[0] == '[' && colon > text && colon[-1] == ']';
    int length = (int)(colon - text) - 2 * brackets;
    char host[256];

    if (length < 1 || length >= (int)sizeof host)
        return link_fail(link, -EINVAL, "'%s' is no address with a port", text);
    snprintf(host, sizeof host, "%.*s", length, text + brackets);
    if (!brackets && strchr(host, ':'))
        return link_fail(link, -EINVAL,
                         "an IPv6 address with a port is written [ADDRESS]:PORT, not '%s'", text);
    return resolve(link, host, colon + 1, ret);
}

int endpoint_parse(struct link *link, const char *text, struct endpoint *ret)
{
    const char *colon = strrchr(text, ':');

    *ret = (struct endpoint){.length = 0};
    if (strchr(text, '/'))
        return parse_path(link, text, ret);
    if (is_port(text))
        return resolve(link, "127.0.0.1", text, ret);
    if (colon && is_port(colon + 1))
        return parse_address(link, text, colon, ret);
    if (is_number(colon ? colon + 1 : text))
        return link_fail(link, -EINVAL,
                         "'%s' has no port from 0 to 65535; a path of that name is './%s'", text,
                         text);
    return parse_path(link, text, ret);
}

void endpoint_name(const struct endpoint *address, char *ret, size_t size)
{
    char host[64], port[8];

    if (address->any.sa_family == AF_UNIX)
        snprintf(ret, size, "%.*s", (int)sizeof address->path.sun_path, address->path.sun_path);
    else if (getnameinfo(&address->any, address->length, host, sizeof host, port, sizeof port,
                         NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(ret, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
    else
        snprintf(ret, size, "?");
}

/* --- Sockets ------------------------------------------------------------------------------- */

static const int types[] = {
    [LINK_SOCKET_STREAM] = SOCK_STREAM,
    [LINK_SOCKET_SEQPACKET] = SOCK_SEQPACKET,
    [LINK_SOCKET_DGRAM] = SOCK_DGRAM,
};

int link_check_framing(struct link *link, enum framing framing)
{
    const struct framing_row *row = framing_row(framing);

    if (link->prefix == 0 || row->offload)
        return 0;
    return link_fail(link, -EINVAL,
                     "the framing '%s' cannot carry offload, whose frames have up to %d bytes: "
                     "'u32be' and 'message' can",
                     row->name, OFFLOAD_LIMIT);
}

int socket_type_of(struct link *link, const struct link_options *options,
                   const struct endpoint *address)
{
    const struct framing_row *row = framing_row(options->framing);
    enum link_socket socket = options->socket;

    if (socket == LINK_SOCKET_DEFAULT)
        socket = row->stream ? LINK_SOCKET_STREAM : LINK_SOCKET_SEQPACKET;
    if (row->stream != (socket == LINK_SOCKET_STREAM))
        return link_fail(link, -EINVAL, "the framing '%s' is spoken on %s sockets", row->name,
                         row->stream ? "stream" : "SEQPACKET and DGRAM");
    if (!row->stream && address->any.sa_family != AF_UNIX)
        return link_fail(link, -EINVAL, "the framing '%s' needs a path, not a port of TCP",
                         row->name);
    if (link_check_framing(link, options->framing) < 0)
        return -EINVAL;
    return types[socket];
}

void socket_set_flags(int fd)
{
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int socket_new(const struct endpoint *address, int type)
{
    int fd = socket(address->any.sa_family, type, 0);

    if (fd < 0)
        return -errno;
    socket_set_flags(fd);
    return fd;
}

/* It works without any of these as well. */
void socket_tune(int fd)
{
    int size = SOCKET_BUFFER, yes = 1;

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}
