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

int link_examine_tap(int fd, char ret_name[LINK_TAP_NAME], const char **ret_problem)
{
    struct ifreq request = {.ifr_flags = 0};

    if (ioctl(fd, TUNGETIFF, &request) < 0)
        *ret_problem = errno == EBADFD ? "its interface does not exist any more" : "it is no tap";
    else if ((request.ifr_flags & (IFF_TAP | IFF_TUN)) != IFF_TAP)
        *ret_problem = "it is a tun interface, which has no Ethernet frames";
    else if (!(request.ifr_flags & IFF_NO_PI))
        *ret_problem = "its frames have packet information before them (no IFF_NO_PI)";
    else if (request.ifr_flags & IFF_VNET_HDR)
        *ret_problem = "its frames have an offload header before them (IFF_VNET_HDR)";
    else {
        snprintf(ret_name, LINK_TAP_NAME, "%s", request.ifr_name);
        return 0;
    }
    return -EINVAL;
}
