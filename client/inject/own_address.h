/* The Ethernet address of an interface, as this process sees it. */
#ifndef NB_OWN_ADDRESS_H
#define NB_OWN_ADDRESS_H

#include <stdint.h>

#define OWN_ADDRESS_UNKNOWN UINT64_MAX

/* As a number (contents.h). OWN_ADDRESS_UNKNOWN: there is no such interface here, such as where the
 * service is that of another network namespace. */
uint64_t own_address(const char *interface);

#endif
