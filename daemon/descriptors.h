/* The descriptors that the service has from its start on. Those below DESCRIPTORS_GUARDED are
 * shared with the brokers after this one for good, so none may shut or copy them
 * (platform/sandbox.h). */
#ifndef NB_DESCRIPTORS_H
#define NB_DESCRIPTORS_H

#include <stdbool.h>

enum {
    DESCRIPTOR_LISTENERS = 3, /* the first of LISTENERS_MAX (keeper/kept.h) */
    DESCRIPTOR_LOG = 7,       /* to syslogd */
    DESCRIPTORS_GUARDED = 8,  /* a power of two */
};

/* The first thing a process of the service does: what is closed of these leads to /dev/null, so
 * that nothing that is opened later takes its place: no client's text goes to a file because it is
 * standard output. False: /dev/null cannot be opened. */
bool descriptors_reserve(void);

/* Moves the descriptor to this place among them, and returns the place; it stays where it is, and
 * its number is returned, where that fails. */
int descriptor_settle(int fd, int place);

/* Moves the descriptor out of them, where it is one. Returns its new number. */
int descriptor_move_out(int fd);

#endif
