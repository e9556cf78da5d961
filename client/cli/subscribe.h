/* What the commands that listen to an EtherType share: frames of an interface, from a capture of
 * the service, or of a capture file, with their times; and lines of JSON that need no memory. */
#ifndef NB_CLI_SUBSCRIBE_H
#define NB_CLI_SUBSCRIBE_H

#include "cli.h"

#include <stdint.h>
#include <stdio.h>

struct subscriber {
    uint16_t ethertype;
    void *context;
    /* A frame of this EtherType, perhaps behind VLAN tags. */
    void (*take)(void *context, const unsigned char *bytes, size_t length, uint64_t time);
    /* Time has gone on to `now`, in the clock of the frames, ns since 1970: before each frame, and
     * some times a second where none comes. */
    void (*tick)(void *context, uint64_t now);
    /* Frames were lost between service and command, or in the kernel. */
    void (*lost)(void *context, uint64_t frames);
};

/* Runs until a signal, a limit (--count, --duration), the file's end, or whoever reads standard
 * output is gone. Returns an exit status. */
int subscribe(const struct command_line *line, struct nb_request *request,
              const struct subscriber *subscriber);

/* --- Lines of JSON ------------------------------------------------------------------------- */

/* `{"topic":TOPIC,"ts":"TIME","data":`, and what closes it. */
void line_begin(const char *topic, uint64_t time);
void line_end(void);

/* Text from a frame as a JSON string, harmless also on a terminal; or as people read it. */
void line_text(const void *bytes, size_t n);
void line_plain(const void *bytes, size_t n);

/* An Ethernet address in quotes. */
void line_mac(const unsigned char *mac);

/* A number that may be none: null. */
void line_real(const char *format, double value);

#endif
