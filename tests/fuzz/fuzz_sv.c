/* Frames of Sampled Values: what is read is written as something that is read the same. */
#include "fuzz.h"
#include "iec61850/sv.h"

#include <string.h>

enum { LONGEST = 8192 };

static void compare(const struct sv_asdu *one, const struct sv_asdu *two)
{
    must(one->smp_cnt == two->smp_cnt && one->conf_rev == two->conf_rev &&
             one->smp_synch == two->smp_synch && one->has_refr_tm == two->has_refr_tm &&
             one->has_smp_rate == two->has_smp_rate && one->smp_rate == two->smp_rate &&
             one->smp_mod == two->smp_mod && one->refr_tm.ns == two->refr_tm.ns,
         "the fields are the same");
    must(one->sv_id.length == two->sv_id.length && one->dat_set.length == two->dat_set.length &&
             one->sample_length == two->sample_length &&
             memcmp(one->sample, two->sample, one->sample_length) == 0,
         "the sample is the same");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static uint8_t again[LONGEST];
    struct sv_message message, other;
    struct sv_places places[SV_ASDUS_MAX];
    struct iec_fault fault = {NULL, 0};
    size_t length;

    if (!sv_decode(bytes, n, &message, &fault)) {
        must(fault.why && fault.offset <= n, "what is wrong is said");
        return 0;
    }
    sv_locate(&message, bytes, places);
    for (unsigned i = 0; i < message.asdus; i++)
        must(places[i].sample + places[i].sample_length <= n && places[i].smp_cnt + 2 <= n,
             "what changes is in the frame");
    length = sv_encode(&message, again, sizeof again);
    must(length > 0 && length <= n, "it is written in no more bytes");
    must(sv_decode(again, length, &other, &fault), "and read again");
    must(other.asdus == message.asdus && other.frame.app_id == message.frame.app_id,
         "it is the same");
    for (unsigned i = 0; i < message.asdus; i++)
        compare(&message.asdu[i], &other.asdu[i]);
    return 0;
}
