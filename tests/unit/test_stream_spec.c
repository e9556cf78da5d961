/* Requests become structs, and what is wrong is said with its place and what would be right. */
#include "spec.h"
#include "suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static struct spec_request request;
static struct spec_error error;

static bool is_read(const char *text)
{
    spec_request_clear(&request);
    error.text[0] = '\0';
    return spec_read(text, strlen(text), &request, &error);
}

static const struct spec_stream *stream_of(const char *payload)
{
    char text[4096];

    snprintf(text, sizeof text, "{\"action\":\"create\",\"id\":\"mu1\",\"payload\":%s}", payload);
    ck_assert_msg(is_read(text), "%s: %s", text, error.text);
    return request.stream;
}

START_TEST(a_stream_has_what_is_given)
{
    const struct spec_stream *stream = stream_of(
        "{\"appId\":\"0x4001\",\"macDst\":\"01:0c:cd:04:00:02\",\"macSrc\":\"02-00-00-00-00-0A\","
        "\"vlanId\":5,\"vlanPrio\":6,\"svId\":\"MU 1\",\"datSet\":\"ds1\",\"confRev\":7,"
        "\"smpSynch\":\"global\",\"simulation\":true,\"nominalFreq\":60,\"sampleRate\":14400,"
        "\"channels\":{\"Ib\":{\"magnitude\":400,\"angleDeg\":-20,\"quality\":\"test,invalid\","
        "\"harmonics\":[{\"order\":5,\"magnitude\":40,\"angleDeg\":30}]}}}");

    ck_assert_uint_eq(stream->app_id, 0x4001);
    ck_assert_mem_eq(stream->destination, "\x01\x0c\xcd\x04\x00\x02", 6);
    ck_assert_mem_eq(stream->source, "\x02\0\0\0\0\x0a", 6);
    ck_assert(stream->has_source && stream->is_tagged && stream->is_simulated);
    ck_assert_uint_eq(stream->vlan, 5);
    ck_assert_uint_eq(stream->priority, 6);
    ck_assert_str_eq(stream->sv_id, "MU 1");
    ck_assert_str_eq(stream->dat_set, "ds1");
    ck_assert_uint_eq(stream->conf_rev, 7);
    ck_assert_int_eq(stream->synch, SV_GLOBAL_CLOCK);
    ck_assert_uint_eq(stream->rate, 14400);
    ck_assert_uint_eq(stream->asdus, 6);
    ck_assert_uint_eq(stream->microhertz, 60000000);
    ck_assert_double_eq(stream->channels.channel[1].phasor.magnitude, 400);
    ck_assert_double_eq(stream->channels.channel[1].phasor.angle, -20);
    ck_assert_double_eq(stream->channels.channel[1].harmonics[5].magnitude, 40);
    ck_assert_uint_eq(stream->channels.channel[1].quality, 0x801);
    ck_assert_double_eq(stream->channels.channel[0].phasor.magnitude, 0);
    ck_assert(stream->channels.channel[3].is_sum);
}
END_TEST

START_TEST(what_is_not_given_is_as_usual)
{
    const struct spec_stream *stream = stream_of("{}");

    ck_assert_uint_eq(stream->app_id, 0x4000);
    ck_assert_mem_eq(stream->destination, "\x01\x0c\xcd\x04\x00\x01", 6);
    ck_assert(!stream->has_source && !stream->is_tagged && !stream->is_simulated);
    ck_assert_str_eq(stream->sv_id, "mu1");
    ck_assert_uint_eq(stream->rate, 4000);
    ck_assert_uint_eq(stream->asdus, 1);
    ck_assert_double_eq(stream->channels.channel[0].phasor.magnitude, 100);
    ck_assert_double_eq(stream->channels.channel[5].phasor.angle, -120);
    ck_assert_uint_eq(stream_of("{\"nominalFreq\":60}")->rate, 4800);
    ck_assert_uint_eq(stream_of("{\"sampleRate\":12800}")->asdus, 8);
    ck_assert_uint_eq(stream_of("{\"sampleRate\":15360}")->asdus, 8);
    ck_assert_uint_eq(stream_of("{\"sampleRate\":12800,\"asdus\":1}")->asdus, 1);
    ck_assert_uint_eq(stream_of("{\"appId\":16385}")->app_id, 16385);
    ck_assert_int_eq(stream_of("{\"smpSynch\":\"auto\"}")->synch, SPEC_SYNCH_AUTO);
    ck_assert_int_eq(stream_of("{\"smpSynch\":7}")->synch, 7);
    ck_assert_uint_eq(stream_of("{\"signalFreq\":49.95}")->microhertz, 49950000);
}
END_TEST

START_TEST(a_recording_is_named)
{
    const struct spec_stream *stream =
        stream_of("{\"dataSource\":\"COMTRADE\",\"file\":\"/a/"
                  "b.cfg\",\"fileChannels\":\"IA,-\",\"loop\":true}");

    ck_assert_str_eq(stream->file, "/a/b.cfg");
    ck_assert_str_eq(stream->file_channels, "IA,-");
    ck_assert(stream->loops);
}
END_TEST

/* The waveform's harmonics are what was asked for, also where there is no fundamental. */
START_TEST(harmonics_are_phasors)
{
    static struct waveform waveform = {.rate = 4800, .microhertz = 50000000, .states = 1};
    const struct spec_stream *stream =
        stream_of("{\"channels\":{\"Ia\":{\"magnitude\":100,\"angleDeg\":-30,\"harmonics\":"
                  "[{\"order\":3,\"magnitude\":10,\"angleDeg\":45}]},\"Ib\":{\"harmonics\":"
                  "[{\"order\":7,\"magnitude\":5,\"angleDeg\":-60}]}}}");
    int32_t values[SPEC_CHANNELS];

    spec_waveform(&stream->channels, &waveform);
    for (unsigned i = 0; i < 200; i++) {
        double turn = 2 * M_PI * 50 * i / 4800, degree = M_PI / 180;
        double a = 100 * cos(turn - 30 * degree) + 10 * cos(3 * turn + 45 * degree);
        double b = 5 * cos(7 * turn - 60 * degree);

        waveform_sample(&waveform, i, values);
        ck_assert_double_le(fabs(values[0] - 1e3 * M_SQRT2 * a), 0.6);
        ck_assert_double_le(fabs(values[1] - 1e3 * M_SQRT2 * b), 0.6);
    }
}
END_TEST

START_TEST(a_change_leaves_the_rest)
{
    struct spec_channels channels;

    spec_channels_usual(&channels);
    channels.channel[0].harmonics[5].magnitude = 9;
    channels.channel[4].quality = 1;
    ck_assert_msg(is_read("{\"action\":\"change\",\"id\":\"mu1\",\"payload\":{\"channels\":{"
                          "\"Ia\":{\"magnitude\":3000},\"In\":{\"magnitude\":7},"
                          "\"Vb\":{\"angleDeg\":10}},\"quality\":{\"Vc\":\"test\"}}}"),
                  "%s", error.text);
    spec_apply(&channels, request.change);
    ck_assert_double_eq(channels.channel[0].phasor.magnitude, 3000);
    ck_assert_double_eq(channels.channel[0].phasor.angle, 0);
    ck_assert_double_eq(channels.channel[0].harmonics[5].magnitude, 9);
    ck_assert(!channels.channel[3].is_sum && channels.channel[7].is_sum);
    ck_assert_double_eq(channels.channel[5].phasor.angle, 10);
    ck_assert_uint_eq(channels.channel[4].quality, 1);
    ck_assert_uint_eq(channels.channel[6].quality, 0x800);
}
END_TEST

START_TEST(a_sequence_has_its_states)
{
    const struct spec_sequence *sequence;

    ck_assert_msg(
        is_read(
            "{\"action\":\"sequence\",\"payload\":{\"states\":["
            "{\"name\":\"prefault\",\"duration\":0.5,\"transition\":\"time\"},"
            "{\"name\":\"fault\",\"transition\":{\"goose\":{\"interface\":\"m1\",\"gocbRef\":"
            "\"R/LLN0$GO$g\",\"index\":2,\"value\":true},\"timeout\":2},"
            "\"streams\":{\"mu1\":{\"channels\":{\"Ia\":{\"magnitude\":3000}}},\"mu2\":{}}},"
            "{\"name\":\"end\",\"duration\":1,\"streams\":{\"mu2\":{\"quality\":\"test\"}}}]}}"),
        "%s", error.text);
    sequence = request.sequence;
    ck_assert_uint_eq(sequence->states, 3);
    ck_assert_uint_eq(sequence->settings, 3);
    ck_assert_str_eq(sequence->state[1].name, "fault");
    ck_assert(sequence->state[1].has_trip && !sequence->state[0].has_trip);
    ck_assert_double_eq(sequence->state[1].seconds, 2);
    ck_assert_uint_eq(sequence->state[1].trip.index, 2);
    ck_assert(sequence->state[1].trip.is_boolean && sequence->state[1].trip.boolean);
    ck_assert_uint_eq(sequence->state[2].first_setting, 2);
    ck_assert_str_eq(sequence->setting[2].id, "mu2");
    ck_assert_uint_eq(sequence->setting[2].change.given[0], SPEC_QUALITY);
}
END_TEST

/* What is wrong, and what the sentence about it has. */
static const struct {
    const char *text, *right;
} mistakes[] = {
    {"", "no JSON"},
    {"{\"action\":\"list\"} x", "from its byte 18 on"},
    {"[]", "takes an object"},
    {"{}", "has no 'action'"},
    {"{\"action\":\"creat\"}", "takes create, change, start"},
    {"{\"action\":\"list\",\"actoin\":1}", "actoin is no key here: is action meant?"},
    {"{\"action\":\"list\",\"action\":\"list\"}", "action is there twice"},
    {"{\"action\":\"start\"}", "has no 'id', which 'start' needs"},
    {"{\"action\":\"list\",\"id\":\"a\"}", "of no single stream"},
    {"{\"action\":\"list\",\"payload\":{}}", "takes none"},
    {"{\"action\":\"create\",\"id\":\"a\"}", "has no 'payload'"},
    {"{\"action\":\"start\",\"id\":\"a b\"}", "without blanks"},
    {"{\"action\":\"start\",\"id\":\"\"}", "1 to 64 characters"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"appID\":1}}",
     "payload.appID is no key here: is appId meant?"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"appId\":\"0x10000\"}}",
     "payload.appId takes a whole number from 0 to 65535, also as text such as \"0xffff\", and "
     "'0x10000' is none"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"appId\":\"4000\"}}",
     "payload.appId is text, '4000', which does not say whether it is hexadecimal: \"0x4000\""},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"vlanId\":4095}}", "from 0 to 4094"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"vlanPrio\":1.5}}", "and 1.5 is none"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"macDst\":\"01:0c\"}}",
     "payload.macDst takes an Ethernet address such as"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"svId\":\"\"}}", "1 to 129 characters"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"svId\":\"\\u0007\"}}",
     "1 to 129 characters"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"smpSynch\":255}}", "number from 0 to 254"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"simulation\":1}}", "true or false"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"sampleRate\":4800,\"asdus\":7}}",
     "no whole number of frames of 7 samples"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"dataSource\":\"AUTO\"}}",
     "takes \"MANUAL\""},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"dataSource\":\"COMTRADE\"}}", "no 'file'"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"file\":\"x.cfg\"}}",
     "not dataSource \"COMTRADE\""},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"dataSource\":\"COMTRADE\",\"file\":\"x\","
     "\"channels\":{}}}",
     "'fileChannels' says which is which"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"channels\":{\"Id\":{}}}}",
     "payload.channels.Id is no channel: there are Ia"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"channels\":{\"Ia\":{\"magnitude\":-3}}}}",
     "payload.channels.Ia.magnitude takes a number from 0 to 1000000, and -3 is none"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"channels\":{\"Ia\":{},\"Ia\":{}}}}",
     "payload.channels.Ia is there twice"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"channels\":{\"Ia\":{\"angle\":1}}}}",
     "is angleDeg meant?"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"channels\":{\"Ia\":{\"harmonics\":"
     "[{\"order\":51,\"magnitude\":1}]}}}}",
     "payload.channels.Ia.harmonics[0].order takes a whole number from 2 to 50"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"channels\":{\"Ia\":{\"harmonics\":"
     "[{\"order\":41,\"magnitude\":1}]}}}}",
     "the harmonic 41 is at 2050 Hz"},
    {"{\"action\":\"create\",\"id\":\"a\",\"payload\":{\"quality\":\"bad\"}}",
     "of these: good, invalid"},
    {"{\"action\":\"change\",\"id\":\"a\",\"payload\":{\"sampleRate\":4800}}",
     "keys are channels, quality, drop and duplicate"},
    {"{\"action\":\"sequence\",\"payload\":{\"states\":[]}}", "is empty"},
    {"{\"action\":\"sequence\",\"payload\":{\"states\":[{\"name\":\"a\"}]}}",
     "payload.states[0] has no duration"},
    {"{\"action\":\"sequence\",\"payload\":{\"states\":[{\"name\":\"a\",\"duration\":0}]}}",
     "takes a number from 0.001"},
    {"{\"action\":\"sequence\",\"payload\":{\"states\":[{\"name\":\"a\",\"duration\":1,"
     "\"transition\":\"goose\"}]}}",
     "takes \"time\" or"},
    {"{\"action\":\"sequence\",\"payload\":{\"states\":[{\"name\":\"a\",\"duration\":1,"
     "\"transition\":{\"goose\":{\"gocbRef\":\"x\",\"index\":0}}}]}}",
     "payload.states[0].transition.goose has no 'value'"},
    {"{\"action\":\"sequence\",\"payload\":{\"states\":[{\"name\":\"a\",\"duration\":1,"
     "\"transition\":{\"goose\":{\"gocbRef\":\"x\",\"index\":0,\"value\":1},\"timeout\":1}}]}}",
     "has a duration and a timeout"},
    {"{\"action\":\"sequence\",\"payload\":{\"states\":[{\"name\":\"a\",\"transition\":{\"goose\":"
     "{\"gocbRef\":\"x\",\"index\":0,\"value\":1}}}]}}",
     "has no timeout"},
};

START_TEST(mistakes_are_told)
{
    ck_assert_msg(!is_read(mistakes[_i].text), "%s", mistakes[_i].text);
    ck_assert_msg(strstr(error.text, mistakes[_i].right) != NULL, "%s: %s, not: %s",
                  mistakes[_i].text, error.text, mistakes[_i].right);
}
END_TEST

START_TEST(limits_hold)
{
    static char text[SPEC_LINE_MAX + 2];
    size_t length = 0;

    memset(text, ' ', sizeof text);
    ck_assert(!spec_read(text, SPEC_LINE_MAX + 1, &request, &error));
    ck_assert_ptr_nonnull(strstr(error.text, "longer than"));
    length = (size_t)sprintf(text, "{\"action\":\"sequence\",\"payload\":{\"states\":[");
    for (unsigned i = 0; i <= SPEC_STATES_MAX; i++)
        length += (size_t)sprintf(text + length, "%s{\"name\":\"a\",\"duration\":1}", i ? "," : "");
    strcpy(text + length, "]}}");
    ck_assert(!is_read(text));
    ck_assert_ptr_nonnull(strstr(error.text, "more than 64 states"));
    length = (size_t)sprintf(text, "{\"action\":\"sequence\",\"payload\":{\"states\":["
                                   "{\"name\":\"a\",\"duration\":1,\"streams\":{");
    for (unsigned i = 0; i <= SPEC_SETTINGS_MAX; i++)
        length += (size_t)sprintf(text + length, "%s\"s%u\":{}", i ? "," : "", i);
    strcpy(text + length, "}}]}}");
    ck_assert(!is_read(text));
    ck_assert_ptr_nonnull(strstr(error.text, "at most 512 streams"));
    memset(text, '[', 5000);
    text[5000] = '\0';
    ck_assert(!is_read(text));
}
END_TEST

START_TEST(flaws_are_read)
{
    static const struct {
        const char *payload, *error;
    } wrong[] = {
        {"{\"drop\":5}", "payload.drop takes a list of texts"},
        {"{\"drop\":\"3\"}", "drop '3' is wrong"},
        {"{\"duplicate\":[\"1/80\",\"1/79\"]}", "1/80 would be right"},
        {"{\"sampleRate\":14400,\"drop\":\"1/47\"}", "1/48 would be right"},
        {"{\"drop\":[\"\"]}", "payload.drop[0] takes a text"},
    };
    char text[256];
    struct sv_flaws flaws;
    const struct spec_stream *stream =
        stream_of("{\"drop\":[\"1/100\",\"3@2.5\"],\"duplicate\":\"1@0\"}");

    ck_assert(stream->flaws.is_given && stream->flaws.has_twice);
    ck_assert(spec_flaws_make(&stream->flaws, stream->rate, stream->asdus, &flaws, &error));
    ck_assert_int_eq(sv_fate(&flaws, 99), SV_FATE_DROP);
    ck_assert_int_eq(sv_fate(&flaws, 10002), SV_FATE_DROP);
    ck_assert_int_eq(sv_fate(&flaws, 0), SV_FATE_TWICE);
    ck_assert(!stream_of("{}")->flaws.is_given);
    ck_assert(stream_of("{\"drop\":[]}")->flaws.is_given);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(text, sizeof text, "{\"action\":\"create\",\"id\":\"a\",\"payload\":%s}",
                 wrong[i].payload);
        ck_assert(!is_read(text));
        ck_assert_msg(strstr(error.text, wrong[i].error), "%s: %s", wrong[i].payload, error.text);
    }
    ck_assert(is_read("{\"action\":\"change\",\"id\":\"a\",\"payload\":{\"drop\":\"1@1\"}}"));
    ck_assert(request.flaws->is_given && !request.flaws->has_twice);
    ck_assert(!is_read("{\"action\":\"sequence\",\"payload\":{\"states\":[{\"name\":\"a\","
                       "\"duration\":1,\"streams\":{\"a\":{\"drop\":\"1@1\"}}}]}}"));
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_stream_has_what_is_given);
    tcase_add_test(tests, flaws_are_read);
    tcase_add_test(tests, what_is_not_given_is_as_usual);
    tcase_add_test(tests, a_recording_is_named);
    tcase_add_test(tests, harmonics_are_phasors);
    tcase_add_test(tests, a_change_leaves_the_rest);
    tcase_add_test(tests, a_sequence_has_its_states);
    tcase_add_loop_test(tests, mistakes_are_told, 0, sizeof mistakes / sizeof *mistakes);
    tcase_add_test(tests, limits_hold);
}

int main(void)
{
    return suite_run("stream_spec", add_tests);
}
