/* The acts of holders.h that are done with a tap. */
#include "holders.h"

#include <net/if.h>

#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ETHERNET = 1 /* ARPHRD_ETHER of net/if_arp.h */, FRAME = 60 };

static bool does(const struct held *held, unsigned long request, void *argument)
{
    return ioctl(held->tap, request, argument) == 0;
}

/* What is read is what the host sends, which may be nothing. */
bool tap_frames(const struct held *held, int which)
{
    unsigned char frame[FRAME] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, [12] = 0x88, 0xb5};

    (void)which;
    return write(held->tap, frame, sizeof frame) == (ssize_t)sizeof frame &&
           (read(held->tap, frame, sizeof frame) > 0 || errno == EAGAIN);
}

bool tap_persists(const struct held *held, int which)
{
    (void)which;
    return does(held, TUNSETPERSIST, (void *)1) && does(held, TUNSETPERSIST, NULL);
}

bool tap_owner(const struct held *held, int which)
{
    (void)which;
    return does(held, TUNSETOWNER, NULL);
}

bool tap_address(const struct held *held, int which)
{
    struct ifreq request = {.ifr_hwaddr = {.sa_family = ETHERNET, .sa_data = {2, 2}}};

    (void)which;
    return does(held, SIOCSIFHWADDR, &request);
}

bool tap_carrier(const struct held *held, int which)
{
    int carrier = 0;

    (void)which;
    return does(held, TUNSETCARRIER, &carrier);
}

bool tap_queue(const struct held *held, int which)
{
    struct ifreq out = {.ifr_flags = IFF_DETACH_QUEUE}, in = {.ifr_flags = IFF_ATTACH_QUEUE};

    (void)which;
    return does(held, TUNSETQUEUE, &out) && does(held, TUNSETQUEUE, &in);
}

bool tap_offload(const struct held *held, int which)
{
    (void)which;
    return does(held, TUNSETOFFLOAD, (void *)(TUN_F_CSUM | TUN_F_TSO4));
}

bool tap_header(const struct held *held, int which)
{
    int size = 20;

    (void)which;
    return does(held, TUNSETVNETHDRSZ, &size);
}

bool tap_buffer(const struct held *held, int which)
{
    int size = 1 << 30;

    (void)which;
    return does(held, TUNSETSNDBUF, &size);
}

bool tap_filter(const struct held *held, int which)
{
    struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog filter = {1, &drop};

    (void)which;
    return does(held, TUNATTACHFILTER, &filter);
}

bool tap_name(const struct held *held, int which)
{
    struct ifreq name = {.ifr_name = TAP, .ifr_newname = "nb-other"};
    struct ifreq mtu = {.ifr_name = TAP, .ifr_mtu = 9000};

    (void)which;
    return does(held, SIOCSIFNAME, &name) || does(held, SIOCSIFMTU, &mtu) ||
           ioctl(held->tables[0].fd, SIOCSIFNAME, &name) == 0 ||
           ioctl(held->tables[0].fd, SIOCSIFMTU, &mtu) == 0;
}

bool tap_namespace(const struct held *held, int which)
{
    (void)which;
    return ioctl(held->tap, SIOCGSKNS) >= 0;
}
