/* Expressions of filters, as pcap-filter(7) has them, made programs that the service takes. */
#ifndef NB_CAPTURE_FILTER_H
#define NB_CAPTURE_FILTER_H

#include <stdint.h>

enum { FILTER_PROBLEM_MAX = 256 };

/* The program of an expression, as text of the protocol's type `program`; yours. NULL: problem has
 * a sentence without its full stop. snaplen: bytes of a frame that are captured. */
char *capture_filter_compile(const char *expression, uint32_t snaplen,
                             char problem[FILTER_PROBLEM_MAX]);

#endif
