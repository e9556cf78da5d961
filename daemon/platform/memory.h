/* The seam, memory with a size that nobody can change: processes that do not trust each other may
 * map it. It lasts as long as somebody has a copy of its descriptor. */
#ifndef NB_PLATFORM_MEMORY_H
#define NB_PLATFORM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Makes one of zeros; pages that nobody writes to take no room. The name is for diagnosis. A
 * descriptor, or a negative errno. */
int memory_make(const char *name, size_t size);

/* The same, but its size is fixed when it is sealed. 0 or a negative errno. */
int memory_make_unsealed(const char *name, size_t size);
int memory_seal(int fd);

/* Makes *fd a descriptor for somebody who may only look: by it, the memory cannot be written to or
 * mapped for writing, and of all users only root and the one that has made the memory can open it
 * anew. Who has mapped it before, writes to it as before. 0 or a negative errno; then *fd is as it
 * was. */
int memory_show(int *fd);

/* Whether the descriptor is of such memory, of this size, and may be written to. */
bool memory_is_fixed(int fd, size_t size);

/* Provides the pages of a part: to write to one without may end the process when memory is short.
 * 0 or a negative errno. */
int memory_reserve(int fd, size_t offset, size_t size);

/* Gives the pages of a part back: it is zeros, for all who have it mapped. memory_discard: by a
 * mapping for writing, also where the descriptor is gone. */
void memory_release(int fd, size_t offset, size_t size);
void memory_discard(void *mapped, size_t size);

#endif
