/* A tap that this process gets from the service, for commands that do something with it. */
#ifndef NB_TAP_H
#define NB_TAP_H

#include "cli.h"

enum { MAC_TEXT_MAX = 18 }; /* bytes of "52:54:00:12:34:56", with its end */

struct tap {
    int fd;                       /* close-on-exec; yours */
    int more[TAP_QUEUES_MAX - 1]; /* the same, of its other queues */
    unsigned more_count;
    int lifeline; /* the same, of a tap on an uplink; negative: it has none */
    uint32_t mtu;
    char name[INTERFACE_NAME_MAX + 1];
    char mac[MAC_TEXT_MAX];
};

/* Asks for it by a request OPEN_TAP, over a connection of its own: the tap needs it no longer.
 * Returns EXIT_DONE, or another exit status after it
 * said what is wrong. */
int tap_get(const struct command_line *line, const struct nb_request *request, struct tap *ret);

/* The word with the tap's descriptor for "{fd}", those of all its queues for "{fds}", as in "3:4",
 * that of its lifeline for "{lifeline}", its name for "{name}" and its Ethernet address for
 * "{mac}". The text is yours; NULL: no memory. */
char *tap_word(const struct tap *tap, const char *word);

/* Gives each descriptor the lowest number from 3 on that is free, and to programs that this process
 * becomes. Returns 0 or a negative errno. */
int tap_inherit(struct tap *tap);

/* Copies an Ethernet address as the protocol has it: twelve hexadecimal digits, with ':' or '-' or
 * nothing between the pairs. False: it is none. */
bool mac_read(const char *text, char ret[MAC_TEXT_MAX]);

/* Its bytes. False: it is none. */
bool mac_bytes(const char *text, uint8_t ret[MAC_BYTES]);

/* An address of a station that is made of a text, and so always the same. Its first byte is 0xfe:
 * locally administered, and above those of a bridge's other ports. */
void mac_derive(const char *text, char ret[MAC_TEXT_MAX]);

#endif
