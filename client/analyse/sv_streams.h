/* Streams of Sampled Values on an interface: who sends which, what of it was lost, how evenly its
 * frames come, and the phasors of its newest cycle.
 *
 * All memory is made at the begin: frames allocate nothing. */
#ifndef NB_ANALYSE_SV_STREAMS_H
#define NB_ANALYSE_SV_STREAMS_H

#include "counting.h"
#include "iec61850/sv.h"
#include "phasor.h"
#include "quantiles.h"

enum {
    SV_STREAMS_MAX = 64,
    SV_ID_MAX = 129, /* an object reference of IEC 61850-7-2; longer ones are cut */
};

struct sv_stream {
    /* Who it is. */
    char id[SV_ID_MAX + 1];
    size_t id_length;
    struct iec_frame frame; /* of the first: addresses, tags, APPID */
    /* What it said last. */
    uint64_t time; /* when, ns since 1970 */
    unsigned asdus, channels;
    uint32_t conf_rev, quality[PHASOR_CHANNELS_MAX];
    uint8_t smp_synch;
    bool is_simulated;
    uint16_t newest; /* smpCnt of the newest sample of the history */
    /* What came of it. */
    uint64_t frames;
    struct counting counting;
    struct quantiles jitter; /* by how many ns frames came before or after their time; since the
                              * caller set it to zeros */
    struct phasor_history history; /* of samples without a gap */
    struct phasors phasors;
    double nominal; /* Hz; 0: not known yet */
};

struct sv_streams {
    struct sv_stream *streams; /* the caller's, zeroed: SV_STREAMS_MAX of them */
    unsigned count;
    uint64_t refused; /* samples of further streams */
    /* What is known from elsewhere; 0: nothing. */
    uint32_t rate;
    double nominal;
};

/* What came in a frame, whose ASDUs are mostly all of one stream: that of the last one. */
void sv_streams_take(struct sv_streams *streams, const struct sv_message *message, uint64_t time);

/* Computes the phasors of the newest cycle. False: the rate is not known yet, or there are not
 * enough samples behind the last gap. */
bool sv_stream_analyse(struct sv_stream *stream, double nominal);

#endif
