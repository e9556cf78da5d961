/* Recordings of waveforms in COMTRADE (IEEE C37.111): the configuration (cfg), the data (dat) as
 * text or in one of three binary forms, and both in one file (cff), of the editions 1991, 1999 and
 * 2013.
 *
 * Pure code: bytes in, values out. Texts that are pointed to are in what was given. */
#ifndef NB_COMTRADE_H
#define NB_COMTRADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    COMTRADE_ANALOGS_MAX = 256, /* channels: recorders have some dozens */
    COMTRADE_DIGITALS_MAX = 1024,
    COMTRADE_RATES_MAX = 64,
};

struct comtrade_text {
    const char *bytes;
    size_t length;
};

enum comtrade_format { COMTRADE_ASCII, COMTRADE_BINARY, COMTRADE_BINARY32, COMTRADE_FLOAT32 };

struct comtrade_analog {
    struct comtrade_text id, phase, component, unit;
    double a, b;               /* a value is a * what the data have + b */
    double skew;               /* us */
    double primary, secondary; /* of the transformer; 1 where the edition has none */
    bool is_primary;           /* values are those of its primary side */
};

struct comtrade_digital {
    struct comtrade_text id;
    bool normal;
};

struct comtrade {
    struct comtrade_text station, device;
    unsigned edition; /* 1991, 1999 or 2013 */
    unsigned analogs, digitals;
    struct comtrade_analog analog[COMTRADE_ANALOGS_MAX];
    struct comtrade_digital digital[COMTRADE_DIGITALS_MAX];
    double frequency; /* Hz; 0: not told */
    unsigned rates;   /* 0: each sample has its time */
    struct {
        double rate;  /* samples a second */
        uint64_t end; /* the last sample of this rate, counted from 1 */
    } rate[COMTRADE_RATES_MAX];
    uint64_t start, trigger; /* ns since 1970, as the recorder's clock had it; 0: not told */
    enum comtrade_format format;
    double tick; /* ns of a step of the samples' times */
};

struct comtrade_fault {
    unsigned line;   /* of the text, from 1; of binary data, the sample */
    const char *why; /* a part of a sentence: "the line has no 13 fields" */
};

/* Reads a configuration. False: it is none, and the fault says where and why. */
bool comtrade_read_cfg(const char *text, size_t n, struct comtrade *ret,
                       struct comtrade_fault *fault);

/* --- Data ---------------------------------------------------------------------------------- */

struct comtrade_reader {
    const struct comtrade *cfg;
    const char *at, *end;
    unsigned line; /* of what was read last: a sample's number in this file, from 1 */
    struct comtrade_fault fault;
};

struct comtrade_sample {
    uint64_t number;
    double time;                                /* ns since the first sample of the recording */
    double analog[COMTRADE_ANALOGS_MAX];        /* in its unit; NAN where the recorder has none */
    uint8_t digital[COMTRADE_DIGITALS_MAX / 8]; /* a bit each, the lowest of each byte first */
};

enum comtrade_next { COMTRADE_SAMPLE, COMTRADE_END, COMTRADE_BROKEN };

void comtrade_begin(struct comtrade_reader *reader, const struct comtrade *cfg, const void *data,
                    size_t n);

/* The next sample; COMTRADE_BROKEN: see reader->fault, and there are no more. */
enum comtrade_next comtrade_next(struct comtrade_reader *reader, struct comtrade_sample *ret);

static inline bool comtrade_bit(const struct comtrade_sample *sample, unsigned digital)
{
    return sample->digital[digital / 8] >> digital % 8 & 1;
}

/* --- One file ------------------------------------------------------------------------------ */

struct comtrade_parts {
    struct comtrade_text cfg, data;
    unsigned cfg_line; /* so many lines stand before the configuration */
};

/* Takes a cff file apart. False: it is none, and the fault says where and why. */
bool comtrade_split(const char *bytes, size_t n, struct comtrade_parts *ret,
                    struct comtrade_fault *fault);

#endif
