/* The arguments with which each half may make a system call. */
#ifndef NB_LINUX_ARGUMENTS_H
#define NB_LINUX_ARGUMENTS_H

#include "half.h"

#include <seccomp.h>
#include <stdbool.h>

/* Allows the call of this name and number in the filter: with the arguments that its rows say, or
 * with any where it has none. guarded: descriptors below this power of two are neither shut nor
 * copied; 0: none are guarded. 0 or a negative errno. */
int arguments_allow(scmp_filter_ctx filter, enum half half, const char *name, int number,
                    unsigned guarded);

#endif
