/* What a link needs of Linux alone. */
#include "internal.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <sys/ioctl.h>

_Static_assert(LINK_TAP_NAME == IFNAMSIZ, "an interface's name");

bool system_peer(int fd, pid_t *ret_pid, uid_t *ret_uid)
{
    struct ucred who;
    socklen_t length = sizeof who;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) < 0 || who.pid <= 0)
        return false;
    *ret_pid = who.pid;
    *ret_uid = who.uid;
    return true;
}

static const char *judge_tap(int fd, bool offload, struct ifreq *request)
{
    if (ioctl(fd, TUNGETIFF, request) < 0)
        return errno == EBADFD ? "its interface does not exist any more" : "it is no tap";
    if ((request->ifr_flags & (IFF_TAP | IFF_TUN)) != IFF_TAP)
        return "it is a tun interface, which has no Ethernet frames";
    if (!(request->ifr_flags & IFF_NO_PI))
        return "its frames have packet information before them (no IFF_NO_PI)";
    if (!offload && request->ifr_flags & IFF_VNET_HDR)
        return "its frames have an offload header before them (IFF_VNET_HDR), which is for "
               "--offload";
    if (offload && !(request->ifr_flags & IFF_VNET_HDR))
        return "its frames have no offload header before them (no IFF_VNET_HDR)";
    return NULL;
}

/* The header before the rest: until it has its size, frames would be taken apart in another way. */
static const char *set_offload(int fd)
{
    int size = OFFLOAD_HEADER, yes = 1;

    if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0 || ioctl(fd, TUNSETVNETLE, &yes) < 0)
        return "the kernel does not take an offload header of 12 bytes";
    if (ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0)
        return "the kernel leaves no checksums or segmentation to others";
    return NULL;
}

int link_prepare_tap(int fd, bool offload, char ret_name[LINK_TAP_NAME], const char **ret_problem)
{
    struct ifreq request = {.ifr_flags = 0};
    const char *problem = judge_tap(fd, offload, &request);

    if (!problem && offload)
        problem = set_offload(fd);
    if (problem) {
        *ret_problem = problem;
        return -EINVAL;
    }
    snprintf(ret_name, LINK_TAP_NAME, "%s", request.ifr_name);
    return 0;
}
