/* Ethernet frames for the tests of framings: some written out, others of a given random state. */
#ifndef NB_UNIT_FRAMES_H
#define NB_UNIT_FRAMES_H

#include <stddef.h>
#include <stdint.h>

struct sample {
    const char *what;
    const unsigned char *bytes;
    size_t length;
};

/* Each is as long as its own headers say. */
enum { SAMPLES = 6 };
extern const struct sample samples[SAMPLES];

/* The next number of a sequence that its state decides; the state is not 0. */
uint32_t next_random(uint32_t *state);

/* Fills in a frame of this length, of any bytes, at least 14. */
void fill_frame(unsigned char *frame, size_t length, uint32_t *state);

/* Fills in the headers so that they say this length: IPv4, IPv6 or ARP, with up to two VLAN tags,
 * and any bytes behind them. Returns the length that they say, which differs for ARP alone. The
 * length is at least 62. */
size_t fill_known_frame(unsigned char *frame, size_t length, uint32_t *state);

#endif
