/* Frames as text of hexadecimal digits. Pure code: text in, bytes out.
 *
 * A line is a frame, with or without spaces, ':' or '-' between bytes or groups of them:
 *
 *     ffffffffffff 020000000001 88b5 0102030405
 *     ff:ff:ff:ff:ff:ff 02:00:00:00:00:01 88:b5 01
 *
 * Or lines begin with the place of their first byte, as dumps have it: of xxd, of tcpdump -xx and
 * -XX, of Wireshark and tshark -x, hexdump -C, od -Ax -tx1 -v and what text2pcap reads. There the
 * place 0 begins a frame, and text behind two spaces is no part of it:
 *
 *     00000000: ffff ffff ffff 0200 0000 0001 88b5 0102  ................
 *     0x0000:  ffff ffff ffff 0200 0000 0001 88b5 0102
 *     0000  ff ff ff ff ff ff 02 00 00 00 00 01 88 b5 01 02   ................
 *
 * Empty lines and those that begin with '#' are passed over. So is the line by which tcpdump tells
 * what is in the dump, with all that follows up to the dump. Each place must be as many bytes as
 * came before it: what was not understood is refused, not sent. */
#ifndef NB_SAVEFILE_HEX_H
#define NB_SAVEFILE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HEX_FRAME_MAX = 65571, /* bytes of a frame: 65,535 behind a header with two tags, and spare */
    HEX_LINE_MAX = 256 * 1024, /* bytes of a line */
};

enum hex_next { HEX_MORE, HEX_FRAME, HEX_BROKEN };

/* All zero at first. The members are the reader's own, but for line and why. */
struct hex_reader {
    uint64_t line;   /* of the frame, or of what is wrong; from 1 */
    const char *why; /* a sentence without its full stop, of static text; NULL: nothing is wrong */
    uint64_t read;   /* lines that are behind us */
    uint64_t first;  /* the line where the frame began that is being read */
    bool within;     /* a dump: more lines may follow */
    bool prose;      /* what tcpdump tells before a dump */
    size_t length;
    unsigned char frame[HEX_FRAME_MAX];
};

/* Text is given from the first byte that was not used yet, as in savefile_reader_next; is_last:
 * none follows. MORE of HEX_LINE_MAX bytes uses some. The frame's bytes are the reader's, until the
 * next call. */
enum hex_next hex_reader_next(struct hex_reader *reader, const char *text, size_t n, bool is_last,
                              size_t *ret_used, const unsigned char **ret_frame,
                              size_t *ret_length);

#endif
