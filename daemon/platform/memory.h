/* The seam, memory with a size that nobody can change: processes that do not trust each other may
 * map it. It lasts as long as somebody has a copy of its descriptor. */
#ifndef NB_PLATFORM_MEMORY_H
#define NB_PLATFORM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Makes one of zeros; pages that nobody writes to take no room. The name is for diagnosis. A
 * descriptor, or a negative errno. */
int memory_make(const char *name, size_t size);

/* The same, but its size is fixed when it is sealed. SHOWN: nobody can write to it but by a mapping
 * that is there before, so that a client may have the descriptor and only look. 0 or a negative
 * errno. */
enum memory_seal { MEMORY_FIXED, MEMORY_SHOWN };
int memory_make_unsealed(const char *name, size_t size);
int memory_seal(int fd, enum memory_seal seal);

/* Whether the descriptor is of such memory, of this size, and may be written to. */
bool memory_is_fixed(int fd, size_t size);

/* Provides the pages of a part: to write to one without may end the process when memory is short.
 * 0 or a negative errno. */
int memory_reserve(int fd, size_t offset, size_t size);

/* Gives the pages of a part back: it is zeros. memory_discard: by a mapping of it, also where the
 * descriptor is gone; of memory that is SHOWN, the pages stay. */
void memory_release(int fd, size_t offset, size_t size);
void memory_discard(void *mapped, size_t size);

#endif
