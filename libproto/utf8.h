/* UTF-8, as RFC 3629 has it. */
#ifndef NB_UTF8_H
#define NB_UTF8_H

#include <stddef.h>

/* How many bytes the valid sequence has with which the text begins; 0: it begins with none. Not
 * more than `length` bytes are read, and none behind one that does not belong to the sequence. */
size_t utf8_sequence(const char *text, size_t length);

#endif
