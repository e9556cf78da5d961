/* What sv subscribe prints of a stream: lines of JSON, or a table for people. */
#ifndef NB_CLI_SV_REPORT_H
#define NB_CLI_SV_REPORT_H

#include "sv_streams.h"

struct sv_report {
    const struct sv_streams *streams;
    struct sv_layout layout;   /* of each sample; of no channels: by how many there are */
    bool harmonics, waveforms; /* with JSON: these as well */
    /* Which stream: */
    const struct sv_stream *stream;
    unsigned number;
    uint64_t fresh;   /* samples since the last report */
    bool is_analysed; /* it has phasors */
};

void sv_report_json(const struct sv_report *report);
void sv_report_plain(const struct sv_report *report);

#endif
