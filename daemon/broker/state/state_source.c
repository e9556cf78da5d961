#include "state_source.h"

#include "checkpoint.h"
#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

static bool parse_end(const char *line, struct state_source *source)
{
    int used = 0;

    if (!source->has_digest)
        return sscanf(line, "{\"routes\":%lu}%n", &source->said_lines, &used) == 1 && used > 0 &&
               line[used] == '\n';
    return sscanf(line, "{\"lines\":%lu,\"digest\":\"%16" SCNx64 "\"}%n", &source->said_lines,
                  &source->said_digest, &used) == 2 &&
           used > 0 && line[used] == '\n';
}

/* Reads the next line as a request. 1: one; 0: the end; -1: damage. */
static int read_line(struct state_source *source, struct saved *ret)
{
    char line[REQUEST_MAX + 2];
    size_t length;

    if (!fgets(line, sizeof line, source->file))
        return -1;
    if (parse_end(line, source))
        return 0;
    length = strlen(line);
    source->lines++;
    source->digest = state_digest(source->digest, line, length);
    if (length == 0 || line[length - 1] != '\n')
        return -1;
    return state_line_read(line, length - 1, ret) ? 1 : -1;
}

static bool read_head(struct state_source *source)
{
    char head[sizeof STATE_HEAD];

    *source = (struct state_source){.file = source->file, .digest = STATE_DIGEST_START};
    rewind(source->file);
    if (!fgets(head, sizeof head, source->file))
        return false;
    source->has_digest = strcmp(head, STATE_HEAD) == 0;
    return source->has_digest || strcmp(head, STATE_HEAD_V1) == 0;
}

/* At the end: 0, or the number of the bad line. */
static size_t find_damage(const struct state_source *source, int result)
{
    if (result < 0)
        return source->lines + 1;
    if (source->lines != source->said_lines ||
        (source->has_digest && source->digest != source->said_digest))
        return source->lines + 2;
    return 0;
}

/* #syscalls broker: rename renameat renameat2 */
static void put_aside(const char *path, size_t line)
{
    char damaged[PATH_MAX + 16];

    log_line(LOG_ERR,
             "the state file %s is damaged in line %zu: none of it is used. It stays as "
             "%s.damaged.",
             path, line, path);
    snprintf(damaged, sizeof damaged, "%s.damaged", path);
    rename(path, damaged);
}

/* #syscalls broker: open openat read lseek close */
bool state_source_open(struct state_source *source, const char *path)
{
    *source = (struct state_source){.file = fopen(path, "re")};
    if (!source->file && errno != ENOENT)
        log_line(LOG_ERR, "cannot read the state file %s: %s.", path, strerror(errno));
    return source->file != NULL;
}

bool state_source_check(struct state_source *source, const char *path)
{
    struct saved saved;
    size_t line = 1;

    if (source->has_head || (source->has_head = read_head(source))) {
        int result = read_line(source, &saved);

        if (result > 0)
            return true;
        line = find_damage(source, result);
    }
    if (line == 0 && read_head(source))
        return false;
    put_aside(path, line);
    state_source_close(source);
    return false;
}

bool state_source_next(struct state_source *source, struct saved *ret)
{
    return read_line(source, ret) > 0;
}

void state_source_close(struct state_source *source)
{
    if (source->file)
        fclose(source->file);
    source->file = NULL;
}
