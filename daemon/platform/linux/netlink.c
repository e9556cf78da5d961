#include "netlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DATAGRAM_MAX = 64 * 1024 };

void netlink_attributes(const void *start, size_t length, const struct rtattr **table,
                        size_t table_size)
{
    const struct rtattr *attribute = start;

    memset(table, 0, table_size * sizeof *table);
    for (int left = (int)length; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
        unsigned type = attribute->rta_type & NLA_TYPE_MASK;

        if (type < table_size)
            table[type] = attribute;
    }
}

unsigned netlink_u32(const struct rtattr *attribute, unsigned fallback)
{
    unsigned value;

    if (!attribute || RTA_PAYLOAD(attribute) != sizeof value)
        return fallback;
    memcpy(&value, RTA_DATA(attribute), sizeof value);
    return value;
}

bool netlink_flag(const struct rtattr *attribute)
{
    return attribute && RTA_PAYLOAD(attribute) == 1 && *(const uint8_t *)RTA_DATA(attribute) != 0;
}

bool netlink_text_equal(const struct rtattr *attribute, const char *text)
{
    size_t length = attribute ? strnlen(RTA_DATA(attribute), RTA_PAYLOAD(attribute)) : 0;

    return attribute && length == strlen(text) && memcmp(RTA_DATA(attribute), text, length) == 0;
}

const void *netlink_read(const struct nlmsghdr *header, unsigned type, size_t size,
                         const struct rtattr **attributes, size_t attribute_count)
{
    size_t fixed = NLMSG_ALIGN(size);

    if (header->nlmsg_type != type || header->nlmsg_len < NLMSG_LENGTH(fixed))
        return NULL;
    netlink_attributes((const char *)NLMSG_DATA(header) + fixed,
                       header->nlmsg_len - NLMSG_LENGTH(fixed), attributes, attribute_count);
    return NLMSG_DATA(header);
}

bool netlink_hop_ok(const struct rtnexthop *hop, int left)
{
    return left >= (int)sizeof *hop && RTNH_OK(hop, left);
}

bool netlink_walk(const void *bytes, size_t length, netlink_message *message, void *context)
{
    const char *at = bytes;

    for (size_t left = length, step; NLMSG_OK((const struct nlmsghdr *)at, left);
         at += step, left -= step) {
        const struct nlmsghdr *header = (const struct nlmsghdr *)at;

        if (header->nlmsg_type == NLMSG_DONE)
            return false;
        message(context, header);
        /* NLMSG_NEXT would count below zero where the last message has no padding. */
        step = NLMSG_ALIGN(header->nlmsg_len);
        step = step < left ? step : left;
    }
    return true;
}

struct answer {
    netlink_message *message;
    void *context;
    int error;
    bool complete;
};

static void take_message(void *context, const struct nlmsghdr *header)
{
    struct answer *answer = context;

    if (header->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *error = NLMSG_DATA(header);

        answer->complete = true;
        if (header->nlmsg_len >= NLMSG_LENGTH(sizeof *error))
            answer->error = error->error;
        return;
    }
    if (!(header->nlmsg_flags & NLM_F_MULTI))
        answer->complete = true;
    answer->message(answer->context, header);
}

/* Takes one datagram of the answer; a negative errno where there is none. */
static int receive_some(int fd, struct answer *answer)
{
    char buffer[DATAGRAM_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
    ssize_t length;

    do
        length = recv(fd, buffer, sizeof buffer, 0);
    while (length < 0 && errno == EINTR);
    if (length < 0)
        return -errno;
    if (!netlink_walk(buffer, (size_t)length, take_message, answer))
        answer->complete = true;
    return 0;
}

/* #syscalls broker: socket send sendto recv recvfrom close */
int netlink_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0)
        return -errno;
    return fd;
}

int netlink_begin(const struct nlmsghdr *request)
{
    int fd = netlink_open();
    int result;

    if (fd < 0)
        return fd;
    if (send(fd, request, request->nlmsg_len, 0) >= 0)
        return fd;
    result = -errno;
    close(fd);
    return result;
}

int netlink_next(int fd, netlink_message *message, void *context)
{
    struct answer answer = {message, context, 0, false};
    int result = receive_some(fd, &answer);

    if (result < 0)
        return result;
    return answer.complete ? answer.error : 1;
}

int netlink_ask_by(int fd, const struct nlmsghdr *request, netlink_message *message, void *context)
{
    int result;

    if (send(fd, request, request->nlmsg_len, 0) < 0)
        return -errno;
    do
        result = netlink_next(fd, message, context);
    while (result > 0);
    return result;
}

int netlink_ask(const struct nlmsghdr *request, netlink_message *message, void *context)
{
    int fd = netlink_open(), result;

    if (fd < 0)
        return fd;
    result = netlink_ask_by(fd, request, message, context);
    close(fd);
    return result;
}

int netlink_ask_link(unsigned ifindex, netlink_message *message, void *context)
{
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } request = {
        .header = {sizeof request, RTM_GETLINK, NLM_F_REQUEST, 1, 0},
        .link = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex},
    };

    return netlink_ask(&request.header, message, context);
}

int netlink_ask_addresses(int family, netlink_message *message, void *context)
{
    struct {
        struct nlmsghdr header;
        struct ifaddrmsg address;
    } request = {
        .header = {sizeof request, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
        .address = {.ifa_family = (uint8_t)family},
    };

    return netlink_ask(&request.header, message, context);
}

/* --- Requests ------------------------------------------------------------------------------ */

/* Room for so many more bytes, which are zero. */
static void *extend(struct netlink_request *request, size_t length)
{
    size_t at = NLMSG_ALIGN(request->header.nlmsg_len);

    if (at + length > sizeof *request)
        abort();
    request->header.nlmsg_len = (uint32_t)(at + length);
    return (char *)request + at;
}

void netlink_request_begin(struct netlink_request *request, uint16_t type, uint16_t flags,
                           const void *prologue, size_t length)
{
    *request = (struct netlink_request){.header = {
                                            .nlmsg_len = sizeof request->header,
                                            .nlmsg_type = type,
                                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags,
                                        }};
    memcpy(extend(request, length), prologue, length);
}

void netlink_append(struct netlink_request *request, unsigned short type, const void *value,
                    size_t length)
{
    struct rtattr *attribute = extend(request, RTA_LENGTH(length));

    attribute->rta_type = type;
    attribute->rta_len = (unsigned short)RTA_LENGTH(length);
    if (length > 0)
        memcpy(RTA_DATA(attribute), value, length);
}

struct rtattr *netlink_nest_begin(struct netlink_request *request, unsigned short type)
{
    struct rtattr *nest = extend(request, RTA_LENGTH(0));

    nest->rta_type = type | NLA_F_NESTED;
    return nest;
}

void netlink_nest_end(struct netlink_request *request, struct rtattr *nest)
{
    const char *end = (const char *)request + request->header.nlmsg_len;

    nest->rta_len = (unsigned short)(end - (const char *)nest);
}

static void pass_over(void *context, const struct nlmsghdr *header)
{
    (void)context;
    (void)header;
}

int netlink_do(int fd, const struct netlink_request *request)
{
    return netlink_ask_by(fd, &request->header, pass_over, NULL);
}
