/* What the parts of `sv publish` share. */
#ifndef NB_CLI_SV_PUBLISH_H
#define NB_CLI_SV_PUBLISH_H

#include "publish.h"
#include "recording.h"
#include "sv_flaws.h"
#include "sv_frames.h"
#include "waveform.h"

enum { SV_SYNCHS_MAX = 33 };

/* smpSynch from a sample on. */
struct sv_synch_change {
    uint64_t sample;
    uint8_t synch;
    bool is_auto; /* what the system's clock says of itself, looked at each second */
};

struct sv_publication {
    const struct command_line *line;
    struct sv_layout layout;
    struct sv_frames frames;
    struct sv_asdu asdu;
    uint8_t gm_identity[SV_GM_IDENTITY_BYTES];
    uint32_t qualities[SV_CHANNELS_MAX], fault_qualities[SV_CHANNELS_MAX];
    double frequency;
    struct waveform waveform;
    struct recording recording; /* no points: the waveform is published */
    double period;              /* ns, of a pass through the recording; 0: there is one */
    uint64_t number, total;     /* frames */
    /* On purpose: */
    struct sv_flaws flaws;
    uint64_t dropped, duplicated;
    bool is_again; /* the frame that was sent comes once more */
    uint64_t offset;
    /* The clock: */
    unsigned synchs, synched; /* changes, and how many of them are in force */
    struct sv_synch_change synch[SV_SYNCHS_MAX];
    struct clock_state clock;
    uint64_t looked; /* samples, of the second after which it was looked at */
};

/* --- sv_options.c: where it returns false, say_usage has said what is wrong ------------------ */

/* Everything of the frames: their rate, fields, channels, qualities, flaws. */
bool sv_options(struct sv_publication *run);

/* What --channels says of a recording's; NULL: nothing. */
const char *sv_channel_list(const struct command_line *line);

/* --- sv_network.c, sv_comtrade.c: where samples come from ------------------------------------- */

enum { SV_FAULT_STATE = 1 }; /* of the waveform */

/* The options of what is generated. False: say_usage has said what is wrong. */
bool sv_network(const struct command_line *line, const struct sv_layout *layout, double frequency,
                uint32_t rate, struct waveform *ret);

/* Reads the recording, and finds its channels. Returns an exit status. */
int sv_comtrade(const struct command_line *line, const char *path, const struct sv_layout *layout,
                struct recording *ret);

#endif
