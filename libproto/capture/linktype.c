/* The link types that captures mostly have, of the registry in draft-ietf-opsawg-pcaplinktype. */
#include "capture.h"

static const struct {
    uint16_t number;
    const char *name;
} rows[] = {
    {0, "NULL (BSD loopback)"},
    {1, "EN10MB (Ethernet)"},
    {6, "IEEE802_5 (Token Ring)"},
    {9, "PPP"},
    {101, "RAW (IP without a link layer)"},
    {105, "IEEE802_11 (Wi-Fi)"},
    {108, "LOOP (OpenBSD loopback)"},
    {113, "LINUX_SLL (cooked, of all interfaces)"},
    {127, "IEEE802_11_RADIOTAP (Wi-Fi with radio information)"},
    {147, "USER0"},
    {189, "USB_LINUX"},
    {192, "PPI"},
    {195, "IEEE802_15_4_WITHFCS"},
    {201, "BLUETOOTH_HCI_H4_WITH_PHDR"},
    {220, "USB_LINUX_MMAPPED"},
    {227, "CAN_SOCKETCAN"},
    {228, "IPV4"},
    {229, "IPV6"},
    {249, "USBPCAP"},
    {253, "NETLINK"},
    {276, "LINUX_SLL2 (cooked, of all interfaces)"},
};

const char *savefile_linktype_name(uint16_t linktype)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].number == linktype)
            return rows[i].name;
    return NULL;
}
