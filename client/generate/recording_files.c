#include "recording_files.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 256 << 20, PATH_BYTES_MAX = 4096 };

#define NS         1e9  /* of a second */
#define LENGTH_MAX 1e17 /* ns: three years */

struct reading {
    const char *path, *list;
    const struct recording_words *words;
    struct recording_fault *fault;
    struct comtrade cfg;
    struct recording *recording;
};

/* --- Files --------------------------------------------------------------------------------- */

static bool wrong(const struct reading *reading, enum recording_wrong what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool wrong(const struct reading *reading, enum recording_wrong what, const char *format, ...)
{
    va_list arguments;

    *reading->fault = (struct recording_fault){.what = what};
    va_start(arguments, format);
    vsnprintf(reading->fault->text, sizeof reading->fault->text, format, arguments);
    va_end(arguments);
    return false;
}

static bool no_memory(const struct reading *reading)
{
    return wrong(reading, RECORDING_NO_MEMORY, "there is no memory");
}

static bool say(const struct reading *reading, const char *path, const struct comtrade_fault *fault,
                bool is_sample)
{
    if (!fault->why)
        return no_memory(reading);
    if (is_sample)
        return wrong(reading, RECORDING_WRONG_FILE, "%s, sample %u: %s", path, fault->line,
                     fault->why);
    wrong(reading, RECORDING_WRONG_FILE, "%s", fault->why);
    snprintf(reading->fault->file, sizeof reading->fault->file, "%s", path);
    reading->fault->line = fault->line;
    return false;
}

static bool say_unreadable(const struct reading *reading, const char *path, int error)
{
    return wrong(reading, RECORDING_WRONG_FILE, "cannot read '%s': %s", path, strerror(error));
}

/* A file as a whole, which must not be endless. Returns 0 or a negative errno. */
static int read_all(FILE *file, char **ret_bytes, size_t *ret_length)
{
    size_t room = 0;

    *ret_bytes = NULL;
    *ret_length = 0;
    do {
        char *bytes;

        room = room ? 2 * room : 1 << 16;
        bytes = room <= FILE_BYTES_MAX ? realloc(*ret_bytes, room) : NULL;
        if (!bytes)
            return room <= FILE_BYTES_MAX ? -ENOMEM : -EFBIG;
        *ret_bytes = bytes;
        *ret_length += fread(bytes + *ret_length, 1, room - *ret_length, file);
    } while (*ret_length == room);
    return ferror(file) ? -EIO : 0;
}

/* Streams that play would wait with whoever opens or reads a pipe or a terminal. */
static FILE *open_file(const struct reading *reading, const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "rb");
    struct stat status;

    if (!file) {
        say_unreadable(reading, path, errno);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return file;
    wrong(reading, RECORDING_WRONG_FILE, "cannot read '%s': it is no ordinary file", path);
    fclose(file);
    return NULL;
}

static bool read_file(const struct reading *reading, const char *path, char **ret_bytes,
                      size_t *ret_length)
{
    FILE *file = open_file(reading, path);
    int result;

    *ret_bytes = NULL;
    *ret_length = 0;
    if (!file)
        return false;
    errno = 0;
    result = read_all(file, ret_bytes, ret_length);
    if (result == -EIO && errno)
        result = -errno;
    fclose(file);
    if (result == -ENOMEM)
        return no_memory(reading);
    return result == 0 || say_unreadable(reading, path, -result);
}

static bool has_ending(const char *path, const char *ending)
{
    size_t length = strlen(path), n = strlen(ending);

    return length > n && strcasecmp(path + length - n, ending) == 0;
}

/* --- Channels ------------------------------------------------------------------------------ */

static bool unit_is(struct comtrade_text unit, const char *text)
{
    return unit.length == strlen(text) && strncasecmp(unit.bytes, text, unit.length) == 0;
}

/* What a value times this is, in A or V; 0: it is neither. Milli and mega differ by their case. */
static double unit_size(struct comtrade_text unit, char quantity)
{
    static const struct {
        char prefix;
        double size;
    } prefixes[] = {{'k', 1e3}, {'K', 1e3}, {'m', 1e-3}, {'M', 1e6}, {'u', 1e-6}};
    const char text[2] = {quantity, 0};

    if (unit_is(unit, text))
        return 1;
    if (unit.length == 2 && toupper((unsigned char)unit.bytes[1]) == quantity)
        for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
            if (unit.bytes[0] == prefixes[i].prefix)
                return prefixes[i].size;
    return 0;
}

/* Samples are those of the primary side, in steps. */
static void use(struct reading *reading, unsigned channel, unsigned analog)
{
    const struct comtrade_analog *from = &reading->cfg.analog[analog];
    double size = unit_size(from->unit, sv_layout_unit(reading->words->layout, channel)[0]);
    double ratio = from->is_primary || !(from->secondary > 0) || !(from->primary > 0)
                       ? 1
                       : from->primary / from->secondary;

    reading->recording->channels[channel] = (struct recording_channel){
        true, analog,
        (size > 0 ? size : 1) * ratio / sv_layout_step(reading->words->layout, channel)};
}

static bool use_in_order(struct reading *reading)
{
    const unsigned room[2] = {reading->words->layout->currents, reading->words->layout->voltages};
    unsigned used[2] = {0};

    for (unsigned i = 0; i < reading->cfg.analogs; i++)
        for (unsigned group = 0; group < 2; group++)
            if (used[group] < room[group] &&
                unit_size(reading->cfg.analog[i].unit, "AV"[group]) > 0) {
                use(reading, group * room[0] + used[group]++, i);
                break;
            }
    return used[0] + used[1] > 0 ||
           wrong(reading, RECORDING_WRONG_CHANNELS,
                 "%s has no channel whose unit is A or V: %s says which of its %u are those of the "
                 "stream",
                 reading->path, reading->words->channels, reading->cfg.analogs);
}

/* By its name, which may be a number, or its number from 1. Returns analogs where there is none. */
static unsigned find_analog(const struct comtrade *cfg, const char *word, size_t n)
{
    unsigned number = 0;

    for (unsigned i = 0; i < cfg->analogs; i++)
        if (cfg->analog[i].id.length == n && memcmp(cfg->analog[i].id.bytes, word, n) == 0)
            return i;
    for (size_t i = 0; i < n && number <= COMTRADE_ANALOGS_MAX; i++) {
        if (!isdigit((unsigned char)word[i]))
            return cfg->analogs;
        number = number * 10 + (unsigned)(word[i] - '0');
    }
    return number >= 1 && number <= cfg->analogs ? number - 1 : cfg->analogs;
}

static bool use_named(struct reading *reading, const char *list)
{
    for (unsigned channel = 0;; channel++) {
        size_t n = strcspn(list, ",");
        unsigned analog = find_analog(&reading->cfg, list, n);

        if (channel == sv_layout_channels(reading->words->layout))
            return wrong(reading, RECORDING_WRONG_CHANNELS, "%s takes %u at most",
                         reading->words->channels, channel);
        if (analog < reading->cfg.analogs)
            use(reading, channel, analog);
        else if (n != 1 || *list != '-')
            return wrong(reading, RECORDING_WRONG_CHANNELS,
                         "%s has no analog channel '%.*s': %s takes their names, numbers from 1 to "
                         "%u, or '-'",
                         reading->path, (int)(n < 64 ? n : 64), list, reading->words->channels,
                         reading->cfg.analogs);
        if (!list[n])
            return true;
        list += n + 1;
    }
}

/* --- The whole ----------------------------------------------------------------------------- */

/* Beyond it, numbers of samples would be none. */
static bool has_length(const struct reading *reading, const char *path)
{
    double length = recording_length(reading->recording);

    return (length > 0 && length <= LENGTH_MAX) ||
           wrong(reading, RECORDING_WRONG_FILE,
                 "%s: the last sample is at %g s, where 0 to %g s can be played", path, length / NS,
                 LENGTH_MAX / NS);
}

static bool read_parts(struct reading *reading, struct comtrade_text cfg, const char *data_path,
                       struct comtrade_text data)
{
    struct comtrade_fault fault;

    if (!comtrade_read_cfg(cfg.bytes, cfg.length, &reading->cfg, &fault))
        return say(reading, reading->path, &fault, false);
    if (!(reading->list ? use_named(reading, reading->list) : use_in_order(reading)))
        return false;
    if (!recording_read(reading->recording, &reading->cfg, data.bytes, data.length, &fault))
        return say(reading, data_path, &fault, reading->cfg.format != COMTRADE_ASCII);
    return has_length(reading, data_path);
}

static bool read_single(struct reading *reading, const char *bytes, size_t length)
{
    struct comtrade_parts parts;
    struct comtrade_fault fault;

    if (!comtrade_split(bytes, length, &parts, &fault))
        return say(reading, reading->path, &fault, false);
    return read_parts(reading, parts.cfg, reading->path, parts.data);
}

static bool is_named_right(const struct reading *reading)
{
    return has_ending(reading->path, ".cfg") || has_ending(reading->path, ".cff") ||
           wrong(reading, RECORDING_WRONG_PATH,
                 "%s takes a .cfg or .cff file, and '%s' is none by its name", reading->words->file,
                 reading->path);
}

/* x.cfg has x.dat beside it, and X.CFG has X.DAT. */
static bool read_pair(struct reading *reading, const char *cfg, size_t length)
{
    char path[PATH_BYTES_MAX], *data;
    size_t n = strlen(reading->path), data_length;
    bool is_read;

    if (n >= sizeof path)
        return say_unreadable(reading, reading->path, ENAMETOOLONG);
    memcpy(path, reading->path, n + 1);
    strcpy(path + n - 3, isupper((unsigned char)path[n - 1]) ? "DAT" : "dat");
    is_read = read_file(reading, path, &data, &data_length) &&
              read_parts(reading, (struct comtrade_text){cfg, length}, path,
                         (struct comtrade_text){data, data_length});
    free(data);
    return is_read;
}

bool recording_files_read(const char *path, const char *channels,
                          const struct recording_words *words, struct recording *ret,
                          struct recording_fault *fault)
{
    struct reading *reading = calloc(1, sizeof *reading), start;
    char *bytes = NULL;
    size_t length;
    bool is_read;

    start = (struct reading){
        .path = path, .list = channels, .words = words, .fault = fault, .recording = ret};
    if (!reading)
        return no_memory(&start);
    *reading = start;
    ret->width = sv_layout_channels(words->layout);
    is_read = is_named_right(reading) && read_file(reading, path, &bytes, &length) &&
              (has_ending(path, ".cff") ? read_single(reading, bytes, length)
                                        : read_pair(reading, bytes, length));
    free(bytes);
    free(reading);
    return is_read;
}
