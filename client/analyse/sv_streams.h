/* Streams of Sampled Values on an interface: who sends which, what of it was lost, how evenly its
 * frames come, and the phasors of its newest cycle.
 *
 * All memory is made at the start: frames allocate nothing. */
#ifndef NB_ANALYSE_SV_STREAMS_H
#define NB_ANALYSE_SV_STREAMS_H

#include "counting.h"
#include "iec61850/sv.h"
#include "phasor.h"
#include "quantiles.h"

enum {
    SV_STREAMS_MAX = 64,
    SV_ID_MAX = 129,            /* an object reference of IEC 61850-7-2; longer ones are cut */
    SV_STREAMS_CHANNELS = 1024, /* of all streams: those of later ones have no phasors */
};

struct sv_stream {
    /* Who it is. */
    char id[SV_ID_MAX + 1];
    size_t id_length;
    struct iec_frame frame; /* of the first: addresses, tags, APPID */
    /* What it said last. */
    uint64_t time;            /* when, ns since 1970 */
    unsigned asdus, channels; /* channels: of which there is something, see `room` */
    uint32_t conf_rev, quality[SV_CHANNELS_MAX];
    uint8_t smp_synch;
    bool is_simulated;
    /* What may be there: */
    char dat_set[SV_ID_MAX + 1];
    size_t dat_set_length; /* 0: it is not there */
    bool has_refr_tm, has_smp_rate, has_smp_mod, has_gm_identity;
    struct iec_time refr_tm;
    uint16_t smp_rate, smp_mod;
    uint8_t gm_identity[SV_GM_IDENTITY_BYTES];
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
    struct sv_stream *streams; /* SV_STREAMS_MAX of them */
    unsigned count;
    /* Histories and phasors, of which each stream has a part. */
    int32_t *samples;
    struct phasor_channel *channels;
    unsigned used; /* channels */
    struct phasor_work *work;
    uint64_t refused; /* samples of further streams */
    /* What is known from elsewhere; 0: nothing. */
    uint32_t rate;
    double nominal;
};

/* Makes all memory. False: there is none. The caller sets what is known from elsewhere. */
bool sv_streams_begin(struct sv_streams *streams);
void sv_streams_end(struct sv_streams *streams);

/* What came in a frame, whose ASDUs are mostly all of one stream: that of the last one. */
void sv_streams_take(struct sv_streams *streams, const struct sv_message *message, uint64_t time);

/* Computes the phasors of the newest cycle. False: the rate is not known yet, or there are not
 * enough samples behind the last gap. */
bool sv_stream_analyse(const struct sv_streams *streams, struct sv_stream *stream);

#endif
