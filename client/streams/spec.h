/* What a test set asks for, in JSON: streams of Sampled Values, changes to them, and sequences of
 * states. Text becomes structs whose values are all within their limits; what is wrong is said in a
 * sentence that says what would be right.
 *
 * Pure code, but for memory. */
#ifndef NB_STREAMS_SPEC_H
#define NB_STREAMS_SPEC_H

#include "iec61850/sv.h"
#include "sv_flaws.h"
#include "sv_frames.h"
#include "waveform.h"

enum {
    SPEC_CHANNELS = 8, /* Ia, Ib, Ic, In, Va, Vb, Vc and Vn, as 9-2LE has them */
    SPEC_GROUP = 4,
    SPEC_LINE_MAX = 1 << 20, /* bytes of a request */
    SPEC_ID_MAX = 64,        /* characters of a stream's id */
    SPEC_TEXT_MAX = 129,     /* of an object reference: IEC 61850-7-2 */
    SPEC_PATH_MAX = 1023,    /* of a file */
    SPEC_FLAW_MAX = 40,      /* of what is left out, or sent twice: "3@2.5" */
    SPEC_NAME_MAX = 64,      /* of a state */
    SPEC_STREAMS_MAX = 64,
    SPEC_STATES_MAX = 64,
    SPEC_SETTINGS_MAX = 512, /* streams of all states of a sequence */
    SPEC_INTERFACE_MAX = 15,
    SPEC_INDEX_MAX = 255, /* of a member of a data set */
    SPEC_ERROR_MAX = 512,
};

#define SPEC_SECONDS_MAX 86400.0
#define SPEC_RMS_MAX     WAVEFORM_RMS_MAX

/* A sentence without its full stop. */
struct spec_error {
    char text[SPEC_ERROR_MAX];
};

struct spec_phasor {
    double magnitude; /* root mean square, A or V */
    double angle;     /* degrees: of a cosine at the full second */
};

struct spec_channel {
    bool is_sum; /* of the three before it */
    struct spec_phasor phasor;
    struct spec_phasor harmonics[WAVEFORM_ORDER_MAX + 1]; /* by order, from 2 */
    uint32_t quality;
};

struct spec_channels {
    struct spec_channel channel[SPEC_CHANNELS];
};

/* What a change sets of a channel, and what stays as it is. */
enum spec_given {
    SPEC_MAGNITUDE = 1,
    SPEC_ANGLE = 2,
    SPEC_HARMONICS = 4,
    SPEC_QUALITY = 8,
};

struct spec_change {
    unsigned given[SPEC_CHANNELS]; /* enum spec_given */
    struct spec_channels channels;
};

/* What is done wrong on purpose: frames that are left out, or sent twice. */
struct spec_flaws {
    bool is_given;  /* also where there are none */
    bool has_twice; /* "duplicate" is given */
    unsigned count;
    struct {
        enum sv_fate fate;
        char text[SPEC_FLAW_MAX + 1];
    } flaw[SV_FLAWS_MAX];
};

enum { SPEC_SYNCH_AUTO = -1 };

struct spec_stream {
    uint16_t app_id;
    bool has_source; /* else it is the interface's */
    uint8_t destination[FRAME_MAC_BYTES], source[FRAME_MAC_BYTES];
    bool is_tagged;
    uint16_t vlan, priority;
    char sv_id[SPEC_TEXT_MAX + 1], dat_set[SPEC_TEXT_MAX + 1]; /* "": none */
    uint32_t conf_rev;
    int synch; /* smpSynch, or SPEC_SYNCH_AUTO */
    bool is_simulated;
    double nominal;      /* Hz */
    uint64_t microhertz; /* of the signal */
    uint32_t rate;
    unsigned asdus;
    char file[SPEC_PATH_MAX + 1]; /* of a recording; "": it is generated */
    char file_channels[SPEC_PATH_MAX + 1];
    bool loops;
    struct spec_channels channels;
    struct spec_flaws flaws;
};

/* How a state ends. */
struct spec_trip {
    char interface[SPEC_INTERFACE_MAX + 1]; /* "": the one that is published on */
    char reference[SPEC_TEXT_MAX + 1];      /* gocbRef */
    unsigned index;                         /* of the member, from 0 */
    bool is_boolean, boolean;
    double number;       /* where it is no boolean */
    bool is_promiscuous; /* the interface takes frames to groups that nobody has joined */
};

struct spec_setting {
    char id[SPEC_ID_MAX + 1];
    struct spec_change change;
};

struct spec_state {
    char name[SPEC_NAME_MAX + 1];
    double seconds; /* that it lasts; by a trip, the longest */
    bool has_trip;
    struct spec_trip trip;
    unsigned settings, first_setting;
};

struct spec_sequence {
    unsigned states, settings;
    struct spec_state *state;
    struct spec_setting *setting;
};

/* A(NAME, its word, whether it has an id, whether it has a payload) */
#define SPEC_ACTIONS(A)                                                                            \
    A(CREATE, "create", true, true)                                                                \
    A(CHANGE, "change", true, true)                                                                \
    A(START, "start", true, false)                                                                 \
    A(STOP, "stop", true, false)                                                                   \
    A(DELETE, "delete", true, false)                                                               \
    A(LIST, "list", false, false)                                                                  \
    A(SEQUENCE, "sequence", false, true)                                                           \
    A(PAUSE, "pause", false, false)                                                                \
    A(RESUME, "resume", false, false)                                                              \
    A(CANCEL, "cancel", false, false)

enum spec_action {
#define A(NAME, word, has_id, has_payload) SPEC_##NAME,
    SPEC_ACTIONS(A)
#undef A
        SPEC_ACTION_COUNT
};

struct spec_request {
    enum spec_action action; /* SPEC_ACTION_COUNT: none that is known */
    char id[SPEC_ID_MAX + 1];
    struct spec_stream *stream;     /* of create */
    struct spec_change *change;     /* of change */
    struct spec_flaws *flaws;       /* likewise */
    struct spec_sequence *sequence; /* of sequence */
};

/* Reads a request. False: it is none, or there is no memory, and *error says so; action and id are
 * those that it has, as far as they could be read. Clear it in both cases. */
bool spec_read(const char *text, size_t n, struct spec_request *ret, struct spec_error *error);
void spec_request_clear(struct spec_request *request);

/* Of a request from which it was taken. NULL is allowed. */
void spec_sequence_free(struct spec_sequence *sequence);

const char *spec_action_word(enum spec_action action);

/* Channels as the network has them where nobody says otherwise: 100 A and 63.5 kV. */
void spec_channels_usual(struct spec_channels *ret);

/* What is given becomes part of the channels. */
void spec_apply(struct spec_channels *channels, const struct spec_change *change);

/* Channels as a waveform has them in its only state; its layout is theirs then. */
void spec_waveform(const struct spec_channels *channels, struct waveform *ret);

/* What the channels of a stream are: four currents and four voltages. */
extern const struct sv_layout spec_layout;

/* Whether the sample rate tells all harmonics of these channels. */
bool spec_judge_orders(struct spec_error *error, const struct spec_stream *stream,
                       const struct spec_channels *channels);

/* The flaws of a stream with this rate. False: one is wrong, or the service could not do it so
 * often, and *error says so. */
bool spec_flaws_make(const struct spec_flaws *flaws, uint32_t rate, unsigned asdus,
                     struct sv_flaws *ret, struct spec_error *error);

#endif
