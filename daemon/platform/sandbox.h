/* The seam, the cage: what each half of the service gives up of the kernel, for good, so that one
 * that was taken over by a client can do little more than its work. */
#ifndef NB_PLATFORM_SANDBOX_H
#define NB_PLATFORM_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum { SANDBOX_READABLE_MAX = 8 };

/* How much of the cage the system has. What is beyond BASIC only newer kernels have, and is closed
 * in another way, too, where it is missing. */
enum sandbox_level {
    SANDBOX_NONE,  /* not even the next */
    SANDBOX_BASIC, /* no_new_privs, files by Landlock, system calls by seccomp */
    SANDBOX_FULL,  /* all that netbrokerd knows */
};

/* Fences that a test leaves out, as if the kernel had none. */
enum sandbox_fence {
    FENCE_LANDLOCK = 1,
    FENCE_SCOPES = 2, /* Landlock's, of signals and abstract sockets */
    FENCE_SECCOMP = 4,
    FENCE_PASSRIGHTS = 8,
};

/* What must stay possible. */
struct sandbox_needs {
    const char *readable[SANDBOX_READABLE_MAX]; /* files, and folders with all that is in them */
    size_t readable_count;
    const char *writable;  /* a folder, in which files are made and replaced; NULL: none */
    const char *removable; /* a folder, from which files are removed; NULL: none */
    bool taps;             /* the keeper makes taps (platform/taps.h) */
    bool uplinks;          /* they may be macvtaps: devices whose names nobody knows before */
    bool lends;            /* the broker sends descriptors to clients */
    unsigned guarded; /* descriptors below this power of two are neither shut nor copied; or 0 */
    bool takes;       /* clients send descriptors to the broker */
    unsigned without; /* of enum sandbox_fence; only tests leave any out */
    bool abstract_sockets; /* the service manager is reached by a socket without a path */
};

struct sandbox_report {
    char in_force[64]; /* e.g. "no_new_privs landlock-7 seccomp-61"; "": nothing */
    char missing[256]; /* what is not in force, and why; "": nothing */
    enum sandbox_level level;
    int held; /* a descriptor that must stay open for what is in force; below 1: none */
};

/* Confines the keeper, and with it every process that it starts: the broker's needs are among the
 * keeper's. Reads first what the C library reads only once. Call it while there is one thread, with
 * the privileges given up. A part that the kernel has not is missing, and the others hold. */
void sandbox_keeper(const struct sandbox_needs *needs, struct sandbox_report *ret);

/* Confines the broker further, to what it needs to serve. */
void sandbox_broker(const struct sandbox_needs *needs, struct sandbox_report *ret);

#endif
