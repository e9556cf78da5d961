/* The seam, frames that are sent out of an interface. Only to open a descriptor for that needs a
 * privilege; it sends, and receives nothing. */
#ifndef NB_PLATFORM_INJECTION_H
#define NB_PLATFORM_INJECTION_H

#include <stdbool.h>
#include <stdint.h>

/* Opens a descriptor for frames out of one interface. What is sent by injection_send leaves there
 * or nowhere, also where another interface has got its name or its number. Returns the descriptor,
 * which does not block, or a negative errno. */
int injection_open(uint32_t ifindex);

/* A sentence's end for people about a negative errno of it, or NULL. */
const char *injection_explain(int error);

/* Writes the Ethernet address that the interface has now to ret[MAC_BYTES]. 0 or a negative errno.
 */
int injection_address(int fd, uint8_t *ret);

/* Sends one frame, with its header as it is to be on the wire. 0 or a negative errno: -EAGAIN, the
 * kernel has no room now; -ENETDOWN, the interface is down or gone; -EMSGSIZE, the frame is too
 * long for it; -EINVAL, it is too short. */
int injection_send(int fd, const void *bytes, uint32_t length);

enum { INJECTION_FRAMES = 64 }; /* at once */

struct injection_frame {
    const void *bytes;
    uint32_t length;
};

/* Sends frames one behind the other, at most INJECTION_FRAMES, until there is one that cannot be
 * sent. Returns how many left, at least one, or why the first did not, as injection_send does. */
int injection_send_some(int fd, const struct injection_frame *frames, unsigned count);

/* Where the kernel has no room: whether the descriptor is writable when it has again. False:
 * nothing tells of that. */
bool injection_tells_room(int fd);

#endif
