/* The mistakes of one reading of the administrator's files: each is an error of the log, and the
 * first ones are kept, to be told to whoever asks how the service is. */
#ifndef NB_MISTAKES_H
#define NB_MISTAKES_H

#include <stddef.h>

enum { MISTAKES_KEPT = 4, MISTAKE_LENGTH_MAX = 255 };

struct mistakes {
    size_t count; /* of all, also of those that are not kept */
    char texts[MISTAKES_KEPT][MISTAKE_LENGTH_MAX + 1];
};

/* Writes the mistake into the log and keeps it. The text says where it is, e.g. "FILE:LINE: ", and
 * what would be right. */
void mistakes_add(struct mistakes *mistakes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* How many of the texts there are. */
size_t mistakes_kept(const struct mistakes *mistakes);

/* What was wrong when the files were read last. */
struct file_mistakes {
    struct mistakes configuration, policy, multicast;
};

/* The first of them, of the policy before the others; NULL: there is none. */
const char *file_mistakes_first(const struct file_mistakes *mistakes);
size_t file_mistakes_count(const struct file_mistakes *mistakes);

#endif
