/* A writer of JSON text into a growing buffer. Commas are its business, nesting is the caller's.
 *
 * Bytes of a text that are no UTF-8, which the name of an interface may have, become U+FFFD.
 *
 * It is used where a tree would cost many times the text: replies and events of the service. */
#ifndef NB_JSON_H
#define NB_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
    char *text; /* owned; not terminated; NULL while empty */
    size_t length;
    size_t capacity;
    size_t limit; /* the most bytes it may hold */
    bool comma;   /* a value was just written */
    bool failed;  /* memory or limit ran out: the text is not whole */
};

/* Releases the text and leaves an empty writer with the same limit. */
void json_clear(struct json *json);

/* Drops everything behind the first length bytes, e.g. a reply that failed half-way. */
void json_cut(struct json *json, size_t length);

void json_open(struct json *json, char bracket);  /* '{' or '[' */
void json_close(struct json *json, char bracket); /* '}' or ']' */
void json_key(struct json *json, const char *key);
void json_string(struct json *json, const char *value);
void json_number(struct json *json, int64_t value);
void json_unsigned(struct json *json, uint64_t value);
void json_bool(struct json *json, bool value);

/* A text in parts: open, any number of parts, close. */
void json_text_open(struct json *json);
void json_text_part(struct json *json, const char *part);
void json_text_close(struct json *json);

/* A value that is JSON text already. */
void json_raw(struct json *json, const char *text, size_t length);

/* Bytes as they are, outside the comma rule: the newline behind a reply. */
void json_bytes(struct json *json, const char *bytes, size_t length);

/* A key and its value in one call. */
void json_member_string(struct json *json, const char *key, const char *value);
void json_member_unsigned(struct json *json, const char *key, uint64_t value);
void json_member_bool(struct json *json, const char *key, bool value);

/* A key and a list of EtherTypes, as requests name them: "0x88ba". */
void json_member_ethertypes(struct json *json, const char *key, const uint16_t *types,
                            size_t count);

#endif
