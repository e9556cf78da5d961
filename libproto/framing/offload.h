/* The offload header, which stands before each frame of a link with offload.
 *
 * It is struct virtio_net_hdr_v1 of the virtio specification (1.2, 5.1.6), twelve bytes whose
 * fields are little-endian, as a tap has it with IFF_VNET_HDR, a header of twelve bytes and
 * TUNSETVNETLE:
 *
 *     0  flags        1: the checksum at csum_start + csum_offset is to be made; 2: it was checked
 *     1  gso_type     0: one frame; 1, 4: TCP over IPv4, IPv6, to be cut into segments
 *     2  hdr_len      bytes of the headers of Ethernet, IP and TCP; a hint
 *     4  gso_size     bytes of TCP in each segment
 *     6  csum_start, 8 csum_offset     from where on, and where behind that
 *    10  num_buffers  0; nobody looks at it
 *
 * Nothing else is carried: no UDP fragmentation, no ECN, no tunnels. Who takes part in such a link
 * leaves no more than this to others, and is held to it: a header decides what others' kernels
 * write into the frame, and into how many frames they cut it. */
#ifndef NB_OFFLOAD_H
#define NB_OFFLOAD_H

#include "framing.h"

/* What a frame with its header, together of this length, is on a link whose frames have no more
 * than `limit` bytes once they are cut into segments. Of FRAMING_INVALID ret_why is set to a
 * sentence without its full stop, of static text. */
enum framing_fate offload_judge(const unsigned char *bytes, size_t length, uint32_t limit,
                                const char **ret_why);

/* The kernel writes ten of the twelve bytes: sets the others of a frame that was read of a tap. */
void offload_complete(unsigned char header[OFFLOAD_HEADER]);

#endif
