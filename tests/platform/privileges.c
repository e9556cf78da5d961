/* What the owner's descriptor allows a process without privileges.
 *
 * Opening the socket takes CAP_NET_RAW. What is done on it afterwards is checked against the
 * socket, not the caller: a process without any capability, another user, that only inherited or
 * received the descriptor adds and deletes VIFs and entries, reads counters and upcalls. And the
 * table lives on in its hands when the process that opened it is killed: forwarding goes on.
 *
 * Sources: capabilities(7); ip_mroute_setsockopt() of net/ipv4/ipmr.c and ip6_mroute_setsockopt()
 * of net/ipv6/ip6mr.c, where rtnl and the owner are all that is asked for; unix(7), SCM_RIGHTS. */
#include "fdpass.h"
#include "ground.h"
#include "platform/process.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, COUNT = 5 };

/* In a user namespace with one user id there is no other user to become. */
static void give_up_privileges(void)
{
    struct error error;
    char text[128];

    if (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0)
        ground_require(setresuid(NOBODY, NOBODY, NOBODY) == 0, "setresuid");
    ground_require(process_become_broker(&error), "giving up privileges");
    process_privileges_describe(text, sizeof text);
    printf("now user %u, capabilities: %s\n", getuid(), text);
    ground_require(strcmp(text, "none") == 0, "no capabilities");
}

static int wait_for_upcall(const struct mroute_socket *s, struct upcall *ret)
{
    int result = -EAGAIN;

    for (unsigned i = 0; i < 2000 && result == -EAGAIN; i++) {
        result = mroute_upcall_read(s, ret);
        if (result == 0 && ret->kind == UPCALL_OTHER)
            result = -EAGAIN;
        else if (result == -EAGAIN)
            usleep(1000);
    }
    return result;
}

static void use_table(struct ground *ground, void *context)
{
    const struct mroute_socket *s = context;
    struct mfc_entry entry = ground_entry(s->family, 1, 1 << 1);
    struct mfc_entry unknown = ground_entry(s->family, 2, 0);
    struct mfc_counters counters;
    struct vif_counters vif_counters;
    struct upcall upcall;

    give_up_privileges();
    ground_expect_result(ground, "without privileges, no such socket can be opened", -EPERM,
                         mroute_socket_open(s->family, 77));
    ground_expect_result(ground, "but on the given one: deleting a VIF", 0, mroute_vif_del(s, 2));
    ground_expect_result(ground, "adding a VIF", 0,
                         mroute_vif_add(s, 2, ground->netifs[2].ifindex));
    ground_expect_result(ground, "adding an entry", 0, mroute_mfc_set(s, &entry));
    ground_expect_result(ground, "an entry's counters", 0,
                         mroute_mfc_count(s, &entry.source, &entry.group, &counters));
    ground_expect_result(ground, "a VIF's counters", 0, mroute_vif_count(s, 0, &vif_counters));
    ground_expect_result(ground, "deleting an entry", 0,
                         mroute_mfc_del(s, &entry.source, &entry.group));
    ground_send(ground, 0, &unknown, 8, 1);
    ground_expect_result(ground, "reading an upcall", 0, wait_for_upcall(s, &upcall));
}

static void own_until_killed(struct ground *ground, uint8_t family, int channel)
{
    struct mroute_socket s = ground_router_open(ground, family);
    struct mfc_entry entry = ground_entry(family, 3, 1 << 1);
    struct fdpass_target peer = {NULL, 0};

    ground_require(mroute_mfc_set(&s, &entry) == 0, "entry");
    ground_require(fdpass_send(channel, &peer, "x", 1, s.fd) == 0, "sending the descriptor");
    pause();
    _exit(1);
}

/* Returns the descriptor that a process, which is killed then, owned a table by. */
static int take_over(struct ground *ground, uint8_t family)
{
    int channel[2], fd, status;
    char byte;
    pid_t owner;

    ground_require(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) == 0, "pair");
    owner = fork();
    ground_require(owner >= 0, "fork");
    if (owner == 0)
        own_until_killed(ground, family, channel[1]);
    close(channel[1]);
    ground_require(fdpass_receive(channel[0], &byte, 1, &fd) == 1 && fd >= 0, "descriptor");
    close(channel[0]);
    kill(owner, SIGKILL);
    ground_require(waitpid(owner, &status, 0) == owner && WIFSIGNALED(status), "killed owner");
    return fd;
}

static void use_taken_over(struct ground *ground, void *context)
{
    const struct mroute_socket *s = context;
    struct mfc_entry entry = ground_entry(s->family, 3, 1 << 1);

    give_up_privileges();
    ground_send(ground, 0, &entry, 8, COUNT);
    ground_expect(ground, "the owner was killed; packets forwarded after it", COUNT,
                  ground_received(ground, 1, &entry.group, COUNT));
    entry = ground_entry(s->family, 4, 1 << 2);
    ground_expect_result(ground, "who received the descriptor adds an entry", 0,
                         mroute_mfc_set(s, &entry));
    ground_send(ground, 0, &entry, 8, COUNT);
    ground_expect(ground, "and its packets are forwarded", COUNT,
                  ground_received(ground, 2, &entry.group, COUNT));
}

static void check(struct ground *ground, uint8_t family)
{
    struct mroute_socket s = ground_router_open(ground, family);

    ground_in_child(ground, use_table, &s);
    close(s.fd);
    s.fd = take_over(ground, family);
    ground_in_child(ground, use_taken_over, &s);
    close(s.fd);
}

int main(void)
{
    return ground_run_families(check);
}
