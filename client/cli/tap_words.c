/* What a tap is in words: Ethernet addresses, and what stands for it on a command line. */
#include "tap.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Ethernet addresses -------------------------------------------------------------------- */

static bool take_digits(const char **text, char ret[2])
{
    if (strspn(*text, "0123456789abcdefABCDEF") < 2)
        return false;
    for (unsigned i = 0; i < 2; i++)
        ret[i] = (char)tolower((unsigned char)*(*text)++);
    return true;
}

static bool take_separator(const char **text, char separator)
{
    return !separator || *(*text)++ == separator;
}

bool mac_read(const char *text, char ret[MAC_TEXT_MAX])
{
    bool separated = strlen(text) == MAC_TEXT_MAX - 1;

    if (separated && text[2] != ':' && text[2] != '-')
        return false;

    char separator = '\0';

    if (separated)
        separator = text[2];
    for (size_t i = 0; i < MAC_BYTES; i++) {
        if ((i > 0 && !take_separator(&text, separator)) || !take_digits(&text, ret + 3 * i))
            return false;
        ret[3 * i + 2] = ':';
    }
    ret[MAC_TEXT_MAX - 1] = '\0';
    return *text == '\0';
}

bool mac_bytes(const char *text, uint8_t ret[MAC_BYTES])
{
    char plain[MAC_TEXT_MAX];

    if (!mac_read(text, plain))
        return false;
    for (unsigned i = 0; i < MAC_BYTES; i++)
        ret[i] = (uint8_t)strtoul(plain + 3 * (size_t)i, NULL, 16);
    return true;
}

void mac_derive(const char *text, char ret[MAC_TEXT_MAX])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    snprintf(ret, MAC_TEXT_MAX, "fe:%02x:%02x:%02x:%02x:%02x", (unsigned)(hash >> 56 & 0xff),
             (unsigned)(hash >> 48 & 0xff), (unsigned)(hash >> 40 & 0xff),
             (unsigned)(hash >> 32 & 0xff), (unsigned)(hash >> 24 & 0xff));
}

/* --- The words of a command ---------------------------------------------------------------- */

static int inherit(int *fd)
{
    int lowest = fcntl(*fd, F_DUPFD, STDERR_FILENO + 1);

    if (lowest < 0)
        return -errno;
    if (lowest > *fd && *fd > STDERR_FILENO) {
        close(lowest);
        return fcntl(*fd, F_SETFD, 0) < 0 ? -errno : 0;
    }
    close(*fd);
    *fd = lowest;
    return 0;
}

int tap_inherit(struct tap *tap)
{
    int result = inherit(&tap->fd);

    for (unsigned i = 0; i < tap->more_count && result == 0; i++)
        result = inherit(&tap->more[i]);
    return result == 0 && tap->lifeline >= 0 ? inherit(&tap->lifeline) : result;
}

enum { NUMBER_MAX = 12 }; /* bytes of a descriptor, with what is around it */

static void list_fds(const struct tap *tap, char ret[TAP_QUEUES_MAX * NUMBER_MAX])
{
    size_t used = (size_t)snprintf(ret, NUMBER_MAX, "%d", tap->fd);

    for (unsigned i = 0; i < tap->more_count; i++)
        used += (size_t)snprintf(ret + used, NUMBER_MAX, ":%d", tap->more[i]);
}

struct substitute {
    const char *name, *value;
};

/* The one whose name the word begins with; NULL: none. */
static const struct substitute *find_substitute(const struct substitute *list, const char *word)
{
    for (; list->name; list++)
        if (strncmp(word, list->name, strlen(list->name)) == 0)
            return list;
    return NULL;
}

char *tap_word(const struct tap *tap, const char *word)
{
    char *text = NULL, number[NUMBER_MAX], numbers[TAP_QUEUES_MAX * NUMBER_MAX];
    char lifeline[NUMBER_MAX];
    const struct substitute substitutes[] = {{"{fd}", number},         {"{fds}", numbers},
                                             {"{lifeline}", lifeline}, {"{name}", tap->name},
                                             {"{mac}", tap->mac},      {NULL, NULL}};
    size_t size;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return NULL;
    snprintf(number, sizeof number, "%d", tap->fd);
    snprintf(lifeline, sizeof lifeline, "%d", tap->lifeline);
    list_fds(tap, numbers);
    while (*word) {
        const struct substitute *substitute = find_substitute(substitutes, word);

        if (substitute)
            fputs(substitute->value, out);
        else
            putc(*word, out);
        word += substitute ? strlen(substitute->name) : 1;
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
