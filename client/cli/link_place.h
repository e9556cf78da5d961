/* Where the other ends of a link are, as link serve takes them: --listen PLACE[,OPTION]...,
 * --connect PLACE[,OPTION]... and --fd FD[,OPTION]...
 *
 * What stands behind a comma holds for this place alone. It has the name of an option of the
 * command, which is the default for places that do not say otherwise. A comma that belongs to a
 * path or a value is written twice. */
#ifndef NB_LINK_PLACE_H
#define NB_LINK_PLACE_H

#include "cli.h"
#include "link.h"

enum link_way { LINK_LISTEN, LINK_CONNECT, LINK_FD, LINK_WAYS };

struct link_place {
    enum link_way way;
    const char *where; /* a place, or the number of a descriptor */
    struct link_options options;
    char *text; /* that where and options point into */
};

struct link_places {
    struct link_place list[OPTION_VALUES_MAX];
    unsigned count;
    uint32_t macs; /* the most that a client of one of them may have */
};

/* Reads all of them: those to listen at, to connect to, and descriptors, each in the order in which
 * they are given. Returns EXIT_DONE, or EXIT_USAGE after it said what is wrong. End it with
 * link_places_free in any case; all zero at first. */
int link_places_read(const struct command_line *line, struct link_places *ret);

void link_places_free(struct link_places *places);

/* Makes one a part of the link: 0 or a negative errno, see link_problem. */
int link_place_make(struct link *link, const struct link_place *place);

#endif
