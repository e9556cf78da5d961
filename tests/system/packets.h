/* What mcsend and mcreceive agree on, and what both do to name a group. */
#ifndef NB_TEST_PACKETS_H
#define NB_TEST_PACKETS_H

#include <arpa/inet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    PORT = 5001,
    NUMBERS_MAX = 1 << 20, /* packets that one run may number */
};

struct packet {
    uint32_t number; /* from 0, in network byte order */
    char filling[96];
};

static inline void give_up(const char *what)
{
    perror(what);
    exit(1);
}

/* The number that the text is, from 1 to NUMBERS_MAX; ends the program on a mistake. */
static inline long number_of(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (end == text || *end || number < 1 || number > NUMBERS_MAX) {
        fprintf(stderr, "%s is no number from 1 to %d\n", text, NUMBERS_MAX);
        exit(2);
    }
    return number;
}

/* The address of the group, and the index of the interface; ends the program on a mistake. */
static inline struct sockaddr_storage group_address(const char *text, const char *interface,
                                                    unsigned *ret_ifindex)
{
    struct sockaddr_storage address = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address;

    *ret_ifindex = if_nametoindex(interface);
    if (*ret_ifindex == 0)
        give_up(interface);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(PORT);
    } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(PORT);
    } else {
        fprintf(stderr, "%s is no address\n", text);
        exit(2);
    }
    return address;
}

static inline void *address_bytes(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET ? (void *)&((struct sockaddr_in *)address)->sin_addr
                                         : (void *)&((struct sockaddr_in6 *)address)->sin6_addr;
}

static inline size_t address_size(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr);
}

/* The group that is so many after the first; the last four bytes of addresses are counted. */
static inline struct sockaddr_storage group_after(const struct sockaddr_storage *first, long steps)
{
    struct sockaddr_storage group = *first;
    char *last = (char *)address_bytes(&group) + address_size(&group) - sizeof(uint32_t);
    uint32_t number;

    memcpy(&number, last, sizeof number);
    number = htonl(ntohl(number) + (uint32_t)steps);
    memcpy(last, &number, sizeof number);
    return group;
}

static inline socklen_t address_length(const struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

#endif
