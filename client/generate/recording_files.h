/* A recording in COMTRADE files: they are read, and its channels are found. */
#ifndef NB_RECORDING_FILES_H
#define NB_RECORDING_FILES_H

#include "recording.h"

enum recording_wrong {
    RECORDING_WRONG_FILE,     /* it cannot be read, or what is in it is wrong */
    RECORDING_WRONG_PATH,     /* its name says that it is another one */
    RECORDING_WRONG_CHANNELS, /* it has no such channels */
    RECORDING_NO_MEMORY,
};

struct recording_fault {
    enum recording_wrong what;
    char file[1024]; /* where the mistake stands, by the line; "": in none */
    unsigned line;
    char text[512]; /* a sentence without its full stop */
};

/* How users say which file, and which channels: "--comtrade". */
struct recording_words {
    const char *file, *channels;
    const struct sv_layout *layout; /* what the channels of the stream are */
};

/* Reads x.cfg with x.dat, or x.cff. `channels`: names or numbers of the file's channels with commas
 * between them, in the order of the stream, or '-'; NULL: as their units say. False: the fault says
 * what is wrong. Release the recording by recording_clear in both cases. */
bool recording_files_read(const char *path, const char *channels,
                          const struct recording_words *words, struct recording *ret,
                          struct recording_fault *fault);

#endif
