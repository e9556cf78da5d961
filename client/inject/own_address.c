/* By SIOCGIFHWADDR of Linux, netdevice(7), which needs no privilege. */
#include "own_address.h"

#include "contents.h"

#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

uint64_t own_address(const char *interface)
{
    struct ifreq request = {.ifr_ifindex = 0};
    int result, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return OWN_ADDRESS_UNKNOWN;
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
    result = ioctl(fd, SIOCGIFHWADDR, &request);
    close(fd);
    return result == 0 && request.ifr_hwaddr.sa_family == ARPHRD_ETHER
               ? mac_number((const uint8_t *)request.ifr_hwaddr.sa_data)
               : OWN_ADDRESS_UNKNOWN;
}
