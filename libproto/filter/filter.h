/* Filters of frames: classic BPF, as bpf(4) of the BSDs and socket(7) describe it, such as libpcap
 * compiles an expression to.
 *
 * A program comes from a client: it is judged once, and one that was judged right may run on any
 * bytes: it ends, because it jumps forward only, and reads nothing but the frame and its own
 * memory. Pure code. */
#ifndef NB_FILTER_H
#define NB_FILTER_H

#include "table.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether the program may run: each instruction is known, jumps lie within it, it ends with a
 * return, no constant divisor is 0. NULL: it may; else what is wrong with the instruction of this
 * number, a sentence without its full stop. */
const char *filter_judge(const struct program *program, uint32_t *ret_at);

/* Runs a program that was judged right on a frame of `length` bytes, of which `captured` are here.
 * Returns how many bytes of it are wanted; 0: it is not. */
uint32_t filter_run(const struct program *program, const uint8_t *frame, uint32_t captured,
                    uint32_t length);

#endif
