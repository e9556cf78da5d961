/* rtnetlink(7) as far as this folder needs it: building requests, walking messages and attributes,
 * and dumps. */
#ifndef NB_LINUX_NETLINK_H
#define NB_LINUX_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message's attributes by number: table[type] points to the attribute, or is NULL. Unknown and
 * ill-sized ones are passed over. */
void netlink_attributes(const void *start, size_t length, const struct rtattr **table,
                        size_t table_size);

/* An attribute's 32-bit value; fallback where it is missing or of another size. */
unsigned netlink_u32(const struct rtattr *attribute, unsigned fallback);

/* Whether an attribute is a byte that is not 0, as the kernel writes a flag. */
bool netlink_flag(const struct rtattr *attribute);

/* Whether an attribute holds the text; the kernel sends it with or without its end. */
bool netlink_text_equal(const struct rtattr *attribute, const char *text);

/* Checks the message's type, finds what stands behind its fixed part of `size` bytes, and reads
 * the attributes behind that. Returns the fixed part; NULL: it is another message, or too short. */
const void *netlink_read(const struct nlmsghdr *header, unsigned type, size_t size,
                         const struct rtattr **attributes, size_t attribute_count);

/* Whether a whole next hop is there; RTNH_OK alone reads its length before it knows that. */
bool netlink_hop_ok(const struct rtnexthop *hop, int left);

/* --- Requests ------------------------------------------------------------------------------ */

/* What is appended must fit: the callers know what they append. */
struct netlink_request {
    struct nlmsghdr header;
    char body[512];
};

/* Begins one with NLM_F_REQUEST, NLM_F_ACK and more flags, and the struct that its type has before
 * the attributes. */
void netlink_request_begin(struct netlink_request *request, uint16_t type, uint16_t flags,
                           const void *prologue, size_t length);

void netlink_append(struct netlink_request *request, unsigned short type, const void *value,
                    size_t length);

/* What is appended between the two is within the attribute that begin returns. */
struct rtattr *netlink_nest_begin(struct netlink_request *request, unsigned short type);
void netlink_nest_end(struct netlink_request *request, struct rtattr *nest);

/* A socket for several requests, one after the other; to be closed. Or a negative errno. */
int netlink_open(void);

/* Sends it and waits for the kernel's answer: 0 or a negative errno. */
int netlink_do(int fd, const struct netlink_request *request);

/* --- Answers ------------------------------------------------------------------------------- */

typedef void netlink_message(void *context, const struct nlmsghdr *header);

/* Calls `message` for each whole message in a datagram. Returns false when the last of a dump was
 * among them. */
bool netlink_walk(const void *bytes, size_t length, netlink_message *message, void *context);

/* Sends a request and walks the answer until its end. Returns 0 or a negative errno, also the one
 * that the kernel answered. */
int netlink_ask_by(int fd, const struct nlmsghdr *request, netlink_message *message, void *context);

/* The same on a socket of its own. */
int netlink_ask(const struct nlmsghdr *request, netlink_message *message, void *context);

/* The same for what the kernel tells of one interface (RTM_NEWLINK), and of all addresses of the
 * host of a native family, AF_UNSPEC being all (RTM_NEWADDR, one message each). */
int netlink_ask_link(unsigned ifindex, netlink_message *message, void *context);
int netlink_ask_addresses(int family, netlink_message *message, void *context);

/* The same a datagram at a time: begin returns a descriptor for next, to be closed, or a negative
 * errno; next returns 1 while there is more, then 0 or a negative errno. */
int netlink_begin(const struct nlmsghdr *request);
int netlink_next(int fd, netlink_message *message, void *context);

#endif
