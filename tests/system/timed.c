/* usage: timed send|wrong|hold IFACE PEER [UID]
 *
 * A client, of this user, whose frames have a time, out of IFACE, and what arrives at PEER, the
 * other end of a veth pair, by the kernel's time. send    1,000 frames, 1 ms apart, from the
 * beginning of a second on: each arrives, not before its time, or is told to have been too late,
 * once; prints what was told of them wrong   frames whose times go back, or are more than the rate
 * allows hold    1,000 frames a second, until it is killed */
#include "netbroker.h"

#include <arpa/inet.h>
#include <grp.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { COUNT = 1000, LENGTH = 60, HEADER = 14, ETHERTYPE = 0x88b5, MS = 1000000 };

static const uint64_t second = 1000000000;

static void require(int holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "FAILED: %s\n", what);
    exit(1);
}

/* --- The client ---------------------------------------------------------------------------- */

static struct nb_client *client;

static struct nb_inject *begin(const char *iface, uint32_t rate, uint64_t start)
{
    struct nb_request *request;
    struct nb_inject *inject;
    struct nb_reply *reply;

    require(nb_connect(&client, NULL) == 0, "a connection");
    require(nb_request_new(&request, "OPEN_INJECT") == 0, "a request");
    nb_request_set_string(request, "interface", iface);
    nb_request_add_string(request, "sources", "any");
    nb_request_set_integer(request, "rate", rate);
    nb_request_set_bool(request, "timed", true);
    nb_request_set_integer(request, "start", (int64_t)(start / MS));
    require(nb_call(client, request, &reply) == 0, "OPEN_INJECT");
    require(nb_inject_open(&inject, reply) == 0, nb_reply_message(reply));
    nb_reply_free(reply);
    nb_request_free(request);
    return inject;
}

static void put(struct nb_inject *inject, uint32_t number, uint64_t time)
{
    unsigned char frame[LENGTH] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
    struct pollfd room = {nb_inject_fd(inject), POLLIN, 0};
    struct nb_inject_refusal refusal;

    memcpy(frame + HEADER, &number, sizeof number);
    while (nb_inject_put(inject, frame, LENGTH, time, number) == 0) {
        nb_inject_publish(inject);
        while (nb_inject_next_refusal(inject, &refusal) > 0)
            ;
        if (nb_inject_wait(inject, LENGTH))
            poll(&room, 1, 1000);
        require(!(room.revents & POLLHUP), "the service is there");
    }
    nb_inject_publish(inject);
    require(!*nb_inject_end(inject), nb_inject_end(inject));
}

static void wait_until_judged(struct nb_inject *inject, uint64_t count)
{
    struct nb_inject_counts counts;

    do {
        poll(NULL, 0, 5);
        nb_inject_counts(inject, &counts);
        require(!*nb_inject_end(inject), nb_inject_end(inject));
    } while (counts.judged < count);
}

static uint64_t refused(struct nb_inject *inject, const char *word)
{
    struct nb_inject_counts counts;

    nb_inject_counts(inject, &counts);
    for (unsigned i = 0; i < NB_INJECT_REASONS; i++)
        if (strcmp(nb_inject_reason_word(i), word) == 0)
            return counts.refused[i];
    return UINT64_MAX;
}

/* --- The other end ------------------------------------------------------------------------- */

static int open_peer(const char *iface)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(ETHERTYPE),
                                  .sll_ifindex = (int)if_nametoindex(iface)};
    int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1, bytes = 8 << 20;

    require(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
                setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one) == 0,
            "the other end");
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    return fd;
}

/* Who opens it needs a right that the user has not. */
static int open_peer_as(const char *iface, int uid)
{
    int fd = open_peer(iface);

    require(uid == 0 ||
                (setgroups(0, NULL) == 0 && setgid((gid_t)uid) == 0 && setuid((uid_t)uid) == 0),
            "becoming another user");
    return fd;
}

/* The next frame, when it came and its number. False: there is none. */
static int receive(int fd, uint64_t *ret_time, uint32_t *ret_number)
{
    unsigned char bytes[LENGTH];
    char control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec vector = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct timespec time;

    if (recvmsg(fd, &message, MSG_DONTWAIT) != LENGTH)
        return 0;
    memcpy(&time, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof time);
    memcpy(ret_number, bytes + HEADER, sizeof *ret_number);
    *ret_time = (uint64_t)time.tv_sec * second + (uint64_t)time.tv_nsec;
    return 1;
}

/* --- Modes --------------------------------------------------------------------------------- */

static uint64_t next_second(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return ((uint64_t)now.tv_sec + 2) * second;
}

static void send_all(const char *iface, int peer)
{
    uint64_t start = next_second(), time, arrived = 0;
    struct nb_inject *inject = begin(iface, 1100, start);
    struct nb_inject_timing timing;
    struct nb_inject_counts counts;
    uint32_t number, expected = 0;

    for (uint32_t i = 0; i < COUNT; i++)
        put(inject, i, (uint64_t)i * MS);
    wait_until_judged(inject, COUNT);
    for (; receive(peer, &time, &number); arrived++) {
        require(number >= expected, "frames arrive in their order, each once");
        require(time >= start + (uint64_t)number * MS, "no frame arrives before its time");
        expected = number + 1;
    }
    nb_inject_counts(inject, &counts);
    nb_inject_timing(inject, &timing);
    require(counts.sent == arrived, "what was sent arrives");
    require(counts.sent + refused(inject, "late") == COUNT, "what was not sent was too late");
    require(timing.started == start, "the start is the one that was asked for");
    printf("sent %llu late %llu p50 %llu\n", (unsigned long long)counts.sent,
           (unsigned long long)refused(inject, "late"),
           (unsigned long long)nb_inject_lateness(&timing, 500000));
    nb_inject_close(inject);
}

static void send_wrong(const char *iface, int peer)
{
    struct nb_inject *inject = begin(iface, 1000, 0);

    (void)peer;
    put(inject, 0, 20 * MS);
    put(inject, 1, 10 * MS);
    put(inject, 2, UINT64_MAX);
    for (uint32_t i = 3; i < 103; i++)
        put(inject, i, 1000 * MS);
    wait_until_judged(inject, 103);
    require(refused(inject, "time") == 2, "times that go back, or are too far, are refused");
    require(refused(inject, "rate") == 90, "the rate is held by the times");
    nb_inject_close(inject);
}

static void send_on(const char *iface, int peer)
{
    struct nb_inject *inject = begin(iface, 1000, 0);

    (void)peer;
    puts("holds");
    fflush(stdout);
    for (uint32_t i = 0;; i++)
        put(inject, i, (uint64_t)i * MS);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(const char *iface, int peer);
    } modes[] = {{"send", send_all}, {"wrong", send_wrong}, {"hold", send_on}};

    require(argc == 4 || argc == 5, "usage: timed send|wrong|hold IFACE PEER [UID]");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(modes[i].name, argv[1]) == 0)
            modes[i].run(argv[2], open_peer_as(argv[3], argc == 5 ? atoi(argv[4]) : 0));
    nb_close(client);
    return 0;
}
