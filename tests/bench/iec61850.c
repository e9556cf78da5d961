/* What decoding frames of IEC 61850 costs: Sampled Values (one ASDU of eight channels) and GOOSE to
 * typed values, and Sampled Values followed by the analyser; beside tshark, which dissects the same
 * frames of a file. The time that tshark takes to begin is taken off.
 *
 * usage: iec61850 [FRAMES]      of tshark's file; 20000
 *
 * Prints nanoseconds a frame, medians of turns, and how many times as many a second that is. */
#include "bench.h"
#include "iec61850/goose.h"
#include "sv_streams.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { TURNS = 9, TSHARK_TURNS = 3, ROUNDS = 400000, LONGEST = 512, COMMAND_MAX = 512 };

struct scene {
    uint8_t sv[LONGEST], goose[LONGEST];
    size_t sv_length, goose_length;
    unsigned sum; /* of what was decoded, so that it is */
};

static void make_frames(struct scene *scene)
{
    static uint8_t sample[8 * SV_CHANNEL_BYTES], data[LONGEST];
    const struct mms_value values[] = {
        {.type = MMS_BOOLEAN, .boolean = true},
        {.type = MMS_BIT_STRING, .bytes = (const uint8_t *)"\0\0", .bits = 13},
        {.type = MMS_FLOAT, .real = 12.5, .is_short = true},
        {.type = MMS_STRUCTURE},
        {.type = MMS_INTEGER, .depth = 1, .integer = -5},
        {.type = MMS_UTC_TIME, .depth = 1},
    };
    const struct sv_message sv = {
        .frame = {.tags = 1, .tag = {{FRAME_8021Q, 0x8005}}, .app_id = 0x4000},
        .asdus = 1,
        .asdu = {{.sv_id = {"MU01", 4}, .sample = sample, .sample_length = sizeof sample}},
    };
    struct goose_message goose = {
        .frame = {.tags = 1, .tag = {{FRAME_8021Q, 0x8005}}, .app_id = 0x1001},
        .gocb_ref = {"IED1/LLN0$GO$gcb1", 17},
        .dat_set = {"IED1/LLN0$ds1", 13},
        .go_id = {"gcb1", 4},
        .time_allowed_to_live = 200,
        .entries = 4,
        .all_data = data,
    };

    goose.all_data_length = mms_encode(values, sizeof values / sizeof *values, data, sizeof data);
    scene->sv_length = sv_encode(&sv, scene->sv, sizeof scene->sv);
    scene->goose_length = goose_encode(&goose, false, scene->goose, sizeof scene->goose);
    bench_require(scene->sv_length && scene->goose_length, "frames");
}

/* Microseconds of the processor that this process, or its children, have used. */
static double used(int who)
{
    struct rusage usage;

    getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* --- Ours ---------------------------------------------------------------------------------- */

static void decode_sv(struct scene *scene)
{
    struct sv_message message;
    struct iec_fault fault;

    for (unsigned i = 0; i < ROUNDS; i++) {
        __asm__ volatile("" : : "r"(scene->sv) : "memory");
        if (sv_decode(scene->sv, scene->sv_length, &message, &fault))
            for (unsigned channel = 0; channel < 8; channel++)
                scene->sum += (unsigned)sv_value(&message.asdu[0], channel);
    }
}

static void decode_goose(struct scene *scene)
{
    struct goose_message message;
    struct mms_walk walk;
    struct mms_value value;
    struct iec_fault fault;

    for (unsigned i = 0; i < ROUNDS; i++) {
        __asm__ volatile("" : : "r"(scene->goose) : "memory");
        if (!goose_decode(scene->goose, scene->goose_length, &message, &fault))
            continue;
        mms_begin(&walk, message.all_data, message.all_data_length);
        while (mms_next(&walk, &value))
            scene->sum += value.type;
    }
}

static void follow_sv(struct scene *scene)
{
    struct sv_streams streams;
    struct sv_message message;
    struct sv_places places[SV_ASDUS_MAX];
    struct iec_fault fault;

    bench_require(sv_streams_begin(&streams), "memory");
    streams.rate = 4800;
    bench_require(sv_decode(scene->sv, scene->sv_length, &message, &fault), "a frame");
    sv_locate(&message, scene->sv, places);
    for (unsigned i = 0; i < ROUNDS; i++) {
        scene->sv[places[0].smp_cnt] = (uint8_t)(i % 4800 >> 8);
        scene->sv[places[0].smp_cnt + 1] = (uint8_t)(i % 4800);
        if (sv_decode(scene->sv, scene->sv_length, &message, &fault))
            sv_streams_take(&streams, &message, i * UINT64_C(208333));
    }
    bench_require(streams.streams[0].counting.samples == ROUNDS &&
                      !streams.streams[0].counting.lost,
                  "all samples are followed");
    sv_streams_end(&streams);
}

/* Nanoseconds a frame. */
static double measure(struct scene *scene, void (*work)(struct scene *scene))
{
    double times[TURNS];

    for (unsigned turn = 0; turn < TURNS; turn++) {
        double start = used(RUSAGE_SELF);

        work(scene);
        times[turn] = (used(RUSAGE_SELF) - start) * 1000 / ROUNDS;
    }
    return bench_median(times, TURNS);
}

/* --- Tshark's ------------------------------------------------------------------------------ */

static void write_file(const char *path, const uint8_t *frame, size_t length, unsigned frames)
{
    static const struct savefile_interface interface = {.linktype = SAVEFILE_ETHERNET};
    const struct savefile_writer_config config = {
        .path = path, .interfaces = &interface, .interface_count = 1};
    struct savefile_packet packet = {
        .captured = (uint32_t)length, .length = (uint32_t)length, .bytes = frame};
    char problem[SAVEFILE_WRITER_PROBLEM];
    struct savefile_writer *writer;

    bench_require(savefile_writer_open(&writer, &config, problem) == 0, problem);
    for (unsigned i = 0; i < frames; i++)
        while (savefile_writer_put(writer, &packet) != SAVEFILE_TAKEN)
            savefile_writer_wait(writer, 100);
    savefile_writer_close(writer, problem);
}

/* Microseconds for a file of so many of these frames, of which a field is printed. */
static double run_tshark(const uint8_t *frame, size_t length, unsigned frames, const char *field)
{
    char path[] = "/tmp/bench-iec61850-XXXXXX", command[COMMAND_MAX];
    double times[TSHARK_TURNS];
    int fd = mkstemp(path);

    bench_require(fd >= 0, path);
    write_file(path, frame, length, frames);
    snprintf(
        command, sizeof command,
        "tshark -n -r %s -o sv.decode_data_as_phsmeas:TRUE -T fields -e %s 2>/dev/null >/dev/null",
        path, field);
    for (unsigned turn = 0; turn < TSHARK_TURNS; turn++) {
        double start = used(RUSAGE_CHILDREN);

        bench_require(system(command) == 0, command);
        times[turn] = used(RUSAGE_CHILDREN) - start;
    }
    remove(path);
    return bench_median(times, TSHARK_TURNS);
}

static void compare(const char *what, double ours, const uint8_t *frame, size_t length,
                    unsigned frames, const char *field)
{
    double theirs =
        (run_tshark(frame, length, frames, field) - run_tshark(frame, length, 1, field)) * 1000 /
        (frames - 1);

    printf("%-30s %9.1f ns a frame, tshark %9.1f\n", what, ours, theirs);
    bench_judge(what, theirs / ours, "times", AT_LEAST, 100);
}

int main(int count, char **arguments)
{
    unsigned frames = count > 1 ? (unsigned)atoi(arguments[1]) : 20000;
    static struct scene scene;

    make_frames(&scene);
    printf("%-30s %9.1f ns a frame\n", "Sampled Values, followed", measure(&scene, follow_sv));
    compare("Sampled Values, decoded", measure(&scene, decode_sv), scene.sv, scene.sv_length,
            frames, "sv.meas_value");
    compare("GOOSE, decoded", measure(&scene, decode_goose), scene.goose, scene.goose_length,
            frames, "goose.boolean");
    return scene.sum == 1; /* it is used */
}
