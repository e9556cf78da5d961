/* Objects of JSON read by tables of their keys: an unknown key, one that is missing or there twice,
 * and a value out of its limits are each said with the place where they stand. */
#ifndef NB_STREAMS_READER_H
#define NB_STREAMS_READER_H

#include "spec.h"

#include <cjson/cJSON.h>

enum { READER_PATH_MAX = 160, READER_KEYS_MAX = 24 };

struct reader {
    struct spec_error *error;
    char path[READER_PATH_MAX]; /* of what is read: "payload.channels.Ia" */
};

struct reader_key {
    const char *name;
    /* Takes the value. False: it said what is wrong. */
    bool (*take)(struct reader *reader, const cJSON *item, void *context);
    bool is_required;
};

/* Reads an object whose keys are these, at most READER_KEYS_MAX. *given gets a bit for each that is
 * there, by its place. Either may be NULL. */
bool reader_object(struct reader *reader, const cJSON *object, const struct reader_key *keys,
                   size_t count, void *context, unsigned *given);

/* The same for an object whose keys are names: each is given to `take` with its key. */
bool reader_names(struct reader *reader, const cJSON *object,
                  bool (*take)(struct reader *reader, const cJSON *item, void *context),
                  void *context);

/* Each item of a list, of at most so many. `what`: what the list has, "states". */
bool reader_list(struct reader *reader, const cJSON *list, unsigned most, const char *what,
                 bool (*take)(struct reader *reader, const cJSON *item, void *context),
                 void *context);

/* "PATH " and the sentence. Returns false. */
bool reader_wrong(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- Values: *ret stays as it is where they return false ------------------------------------- */

bool reader_real(struct reader *reader, const cJSON *item, double low, double high, double *ret);

/* A whole number, or one as text such as "0x4000". */
bool reader_natural(struct reader *reader, const cJSON *item, uint64_t low, uint64_t high,
                    uint64_t *ret);
bool reader_bool(struct reader *reader, const cJSON *item, bool *ret);

/* From 1 to `most` characters of printable ASCII; ret has room for one more. */
bool reader_text(struct reader *reader, const cJSON *item, size_t most, char *ret);
bool reader_mac(struct reader *reader, const cJSON *item, uint8_t ret[FRAME_MAC_BYTES]);

#endif
