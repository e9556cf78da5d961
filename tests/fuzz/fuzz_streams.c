/* Requests of a test set. */
#include "fuzz.h"
#include "spec.h"

#include <math.h>
#include <string.h>

static void check_channels(const struct spec_channels *channels)
{
    for (unsigned i = 0; i < SPEC_CHANNELS; i++) {
        const struct spec_channel *channel = &channels->channel[i];

        must(channel->phasor.magnitude >= 0 && channel->phasor.magnitude <= SPEC_RMS_MAX &&
                 isfinite(channel->phasor.angle),
             "phasors are within their limits");
        for (unsigned order = 2; order <= WAVEFORM_ORDER_MAX; order++)
            must(channel->harmonics[order].magnitude >= 0 &&
                     channel->harmonics[order].magnitude <= SPEC_RMS_MAX &&
                     isfinite(channel->harmonics[order].angle),
                 "harmonics are within their limits");
    }
}

static void check_stream(const struct spec_stream *stream)
{
    static struct waveform waveform;
    int32_t values[SPEC_CHANNELS];

    must(stream->rate >= 1 && stream->rate <= SV_RATE_MAX && stream->asdus >= 1 &&
             stream->asdus <= SV_ASDUS_MAX && stream->rate % stream->asdus == 0,
         "rate and ASDUs agree");
    must(stream->sv_id[0] && strlen(stream->sv_id) <= SPEC_TEXT_MAX, "it has an svID");
    must(stream->vlan <= 4094 && stream->priority <= 7, "the tag can be");
    check_channels(&stream->channels);
    waveform.rate = stream->rate;
    waveform.microhertz = stream->microhertz;
    spec_waveform(&stream->channels, &waveform);
    waveform_sample(&waveform, 1, values);
}

static void check_sequence(const struct spec_sequence *sequence)
{
    unsigned settings = 0;

    must(sequence->states >= 1 && sequence->states <= SPEC_STATES_MAX, "there are states");
    for (unsigned i = 0; i < sequence->states; i++) {
        const struct spec_state *state = &sequence->state[i];

        must(state->seconds > 0 && state->seconds <= SPEC_SECONDS_MAX, "a state lasts");
        must(state->first_setting == settings, "settings are in their order");
        settings += state->settings;
    }
    must(settings == sequence->settings, "each setting is of a state");
    for (unsigned i = 0; i < settings; i++)
        must(sequence->setting[i].id[0] != '\0', "a setting has its stream");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct spec_request request;
    struct spec_error error = {""};

    if (!spec_read((const char *)bytes, n, &request, &error)) {
        size_t length = strnlen(error.text, sizeof error.text);

        must(length > 0 && length < sizeof error.text, "what is wrong is said");
        for (size_t i = 0; i < length; i++)
            must(error.text[i] >= ' ' && error.text[i] <= '~', "so that it can be read");
    } else {
        must(request.action < SPEC_ACTION_COUNT, "it has an action");
        if (request.stream)
            check_stream(request.stream);
        if (request.change)
            check_channels(&request.change->channels);
        if (request.sequence)
            check_sequence(request.sequence);
    }
    spec_request_clear(&request);
    return 0;
}
