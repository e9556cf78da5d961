/* A recording in COMTRADE files: they are read, and its channels are found. */
#ifndef NB_STREAMS_RECORDED_H
#define NB_STREAMS_RECORDED_H

#include "recording.h"

enum recorded_wrong {
    RECORDED_FILE,     /* it cannot be read, or what is in it is wrong */
    RECORDED_PATH,     /* its name says that it is another one */
    RECORDED_CHANNELS, /* it has no such channels */
    RECORDED_NO_MEMORY,
};

struct recorded_fault {
    enum recorded_wrong what;
    char file[1024]; /* where the mistake stands, by the line; "": in none */
    unsigned line;
    char text[512]; /* a sentence without its full stop */
};

/* How users say which file, and which channels: "--comtrade". */
struct recorded_words {
    const char *file, *channels;
    const struct sv_layout *layout; /* what the channels of the stream are; NULL: I4U4 */
};

/* Reads x.cfg with x.dat, or x.cff. `channels`: names or numbers of the file's channels with commas
 * between them, in the order of the stream, or '-'; NULL: as their units say. False: the fault says
 * what is wrong. Release the recording by recording_clear in both cases. */
bool recorded_read(const char *path, const char *channels, const struct recorded_words *words,
                   struct recording *ret, struct recorded_fault *fault);

#endif
