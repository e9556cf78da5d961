/* Each line is a keyword with words behind it, in any order, as smcrouted(8) reads them: words are
 * separated by white space, there are no quotes, and a word that begins with '#' ends the line. */
#include "smcroute.h"

#include "decode.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_LENGTH_MAX = 4095, /* SMCRoute reads 511 */
    TTL_MAX = 254,          /* with 255, nothing would ever pass */
};

/* The line that is being read. */
struct source_line {
    struct smcroute *smcroute;
    unsigned number;
    char *rest; /* words to come */
    const char *keyword;
    bool wrong;                  /* a problem was told */
    struct smcroute_entry entry; /* of mroute and mgroup */
    struct smcroute_phyint phyint;
    bool has_to;
};

__attribute__((format(printf, 3, 4))) static void
remark(struct source_line *line, enum smcroute_weight weight, const char *format, ...)
{
    const struct smcroute_reader *reader = &line->smcroute->reader;
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    line->wrong |= weight == SMCROUTE_PROBLEM;
    reader->remark(reader->context, line->number, weight, text);
}

/* --- Interfaces ---------------------------------------------------------------------------- */

/* Whether the pattern or name has all the interfaces of the name, which may be a pattern too. */
static bool has_all(const char *pattern, const char *name)
{
    return interface_name_is_pattern(pattern) ? interface_pattern_has(pattern, name)
                                              : strcmp(pattern, name) == 0;
}

/* The latest that was said of all the interfaces of the name, or NULL. */
static const struct smcroute_phyint *find_phyint(const struct smcroute *smcroute, const char *name)
{
    for (uint32_t i = smcroute->phyint_count; i > 0; i--)
        if (has_all(smcroute->phyints[i - 1].name.text, name))
            return &smcroute->phyints[i - 1];
    return NULL;
}

bool smcroute_is_disabled(const struct smcroute *smcroute, const char *name)
{
    const struct smcroute_phyint *phyint = find_phyint(smcroute, name);

    return phyint && phyint->disabled;
}

static uint32_t ttl_of(const struct smcroute *smcroute, const char *name)
{
    const struct smcroute_phyint *phyint = find_phyint(smcroute, name);

    return phyint ? phyint->ttl : 1;
}

/* Of some interfaces of an outgoing pattern something else may have been said. */
static void check_within(struct source_line *line, const char *pattern)
{
    const struct smcroute *smcroute = line->smcroute;

    for (uint32_t i = 0; i < smcroute->phyint_count; i++) {
        const struct smcroute_phyint *phyint = &smcroute->phyints[i];

        if (has_all(pattern, phyint->name.text) && !has_all(phyint->name.text, pattern) &&
            (phyint->disabled || phyint->ttl != ttl_of(smcroute, pattern)))
            remark(line, SMCROUTE_PROBLEM,
                   "The phyint line of '%s' cannot apply to a part of '%s'; name the outgoing "
                   "interfaces.",
                   phyint->name.text, pattern);
    }
}

/* --- Words --------------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word, or NULL at the end. */
static char *next_word(struct source_line *line)
{
    char *word = line->rest, *end;

    while (is_space(*word))
        word++;
    if (!*word)
        return NULL;
    for (end = word; *end && !is_space(*end); end++)
        ;
    line->rest = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

static bool has_word(struct source_line *line)
{
    while (is_space(*line->rest))
        line->rest++;
    return *line->rest;
}

/* The word behind a keyword, into *ret. */
static void take_range(struct source_line *line, const char *keyword, struct smcroute_range *ret)
{
    const char *word = next_word(line);

    if (word && strlen(word) < sizeof ret->text)
        strcpy(ret->text, word);
    else
        remark(line, SMCROUTE_PROBLEM, "An address is missing after '%s'.", keyword);
}

static void take_name(struct source_line *line, const char *keyword, struct interface_name *ret)
{
    const char *word = next_word(line);

    if (!word)
        remark(line, SMCROUTE_PROBLEM, "An interface is missing after '%s'.", keyword);
    else if (!interface_name_is_valid(word))
        remark(line, SMCROUTE_PROBLEM, "'%.40s' is not a valid interface name.", word);
    else if (strchr(word, '"'))
        remark(line, SMCROUTE_PROBLEM,
               "SMCRoute knows no quotes: they would be part of the name %s.", word);
    else
        strcpy(ret->text, word);
}

static bool number_is(const char *text, unsigned low, unsigned high, uint32_t *ret)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 3 || text[digits])
        return false;
    *ret = (uint32_t)strtoul(text, NULL, 10);
    return *ret >= low && *ret <= high;
}

/* --- phyint -------------------------------------------------------------------------------- */

static void take_threshold(struct source_line *line, const char *keyword)
{
    const char *word = next_word(line);

    if (!word || !number_is(word, 1, TTL_MAX, &line->phyint.ttl))
        remark(line, SMCROUTE_PROBLEM, "%s takes 1 to %d here, not '%.40s'.", keyword, TTL_MAX,
               word ? word : "");
}

/* The rest of its line holds. */
static void refuse_mrdisc(struct source_line *line)
{
    remark(line, SMCROUTE_PROBLEM,
           "mrdisc: netbroker does not announce itself to switches (RFC 4286); join the groups, or "
           "configure router ports.");
    line->wrong = false;
}

static void keep_phyint(struct source_line *line)
{
    struct smcroute *smcroute = line->smcroute;
    const char *name = line->phyint.name.text;
    uint32_t i = 0;

    while (i < smcroute->phyint_count && strcmp(smcroute->phyints[i].name.text, name) != 0)
        i++;
    if (i == SMCROUTE_PHYINTS_MAX) {
        remark(line, SMCROUTE_PROBLEM, "phyint is taken over for at most %d interfaces.",
               SMCROUTE_PHYINTS_MAX);
        return;
    }
    if (i < smcroute->phyint_count) /* the latest is the last */
        memmove(&smcroute->phyints[i], &smcroute->phyints[i + 1],
                (--smcroute->phyint_count - i) * sizeof *smcroute->phyints);
    smcroute->phyints[smcroute->phyint_count++] = line->phyint;
}

static void read_phyint(struct source_line *line)
{
    const char *word;

    line->phyint = (struct smcroute_phyint){.ttl = 1};
    take_name(line, line->keyword, &line->phyint.name);
    while (!line->wrong && (word = next_word(line))) {
        if (strcmp(word, "enable") == 0)
            line->phyint.disabled = false;
        else if (strcmp(word, "disable") == 0)
            line->phyint.disabled = true;
        else if (strcmp(word, "ttl-threshold") == 0 || strcmp(word, "threshold") == 0)
            take_threshold(line, word);
        else if (strcmp(word, "mrdisc") == 0)
            refuse_mrdisc(line);
        else
            remark(line, SMCROUTE_PROBLEM,
                   "phyint takes enable, disable, mrdisc and ttl-threshold, not '%.40s'.", word);
    }
    if (!line->wrong)
        keep_phyint(line);
}

/* --- mroute, mgroup ------------------------------------------------------------------------ */

bool smcroute_add_oif(struct smcroute_entry *entry, const struct interface_name *oif, uint32_t ttl)
{
    uint32_t i = 0;

    while (i < entry->oifs.count && strcmp(entry->oifs.names[i].text, oif->text) != 0)
        i++;
    if (i == VIFS_MAX)
        return false;
    entry->oifs.names[i] = *oif;
    entry->ttls[i] = ttl;
    entry->oifs.count += i == entry->oifs.count;
    return true;
}

/* All words that are left. */
static void take_oifs(struct source_line *line)
{
    line->has_to = true;
    while (!line->wrong && has_word(line)) {
        struct interface_name oif = {""};

        take_name(line, "to", &oif);
        if (interface_name_is_pattern(oif.text))
            check_within(line, oif.text);
        if (!line->wrong && !smcroute_add_oif(&line->entry, &oif, ttl_of(line->smcroute, oif.text)))
            remark(line, SMCROUTE_PROBLEM, "A route has at most %d outgoing interfaces.", VIFS_MAX);
    }
}

/* What SMCRoute takes for "any source" and for "one group" is written so. */
static void simplify(struct smcroute_entry *entry)
{
    struct smcroute_range *words[] = {&entry->source, &entry->group};
    struct prefix prefix;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t length = strlen(words[i]->text);

        if (length > 2 && strcmp(words[i]->text + length - 2, "/0") == 0)
            words[i]->text[length - 2] = '\0';
        if (prefix_parse(words[i]->text, &prefix))
            prefix_format(&prefix, words[i]->text);
    }
    if (prefix_parse(entry->source.text, &prefix) && address_is_any(&prefix.address) &&
        (prefix_is_single(&prefix) || prefix.length == 0))
        entry->source.text[0] = '\0';
}

void smcroute_drop_oif(struct smcroute_entry *entry, uint32_t at)
{
    struct interface_name *names = entry->oifs.names;
    uint32_t behind = --entry->oifs.count - at;

    memmove(&names[at], &names[at + 1], behind * sizeof *names);
    memmove(&entry->ttls[at], &entry->ttls[at + 1], behind * sizeof *entry->ttls);
}

static void check_oifs(struct source_line *line)
{
    struct smcroute_entry *entry = &line->entry;

    for (uint32_t i = 0; i < entry->oifs.count;) {
        if (interface_name_is_pattern(entry->iif.text) ||
            strcmp(entry->oifs.names[i].text, entry->iif.text) != 0) {
            i++;
            continue;
        }
        remark(line, SMCROUTE_NOTE,
               "'%s' is left out of the outgoing interfaces: it is the inbound interface, and "
               "the packets would loop.",
               entry->iif.text);
        smcroute_drop_oif(entry, i);
    }
    if (entry->oifs.count == 0 && (line->has_to || !entry->source.text[0]))
        remark(line, SMCROUTE_PROBLEM, "No outgoing interface is left.");
}

static void check_entry(struct source_line *line)
{
    struct smcroute_entry *entry = &line->entry;

    if (!entry->iif.text[0] || !entry->group.text[0]) {
        remark(line, SMCROUTE_PROBLEM, "'%s' needs from and group.", line->keyword);
        return;
    }
    simplify(entry);
    if (entry->source.text[0] &&
        !strchr(entry->source.text, ':') != !strchr(entry->group.text, ':'))
        remark(line, SMCROUTE_PROBLEM, "Source and group are of different address families.");
    else if (!entry->join)
        check_oifs(line);
}

static void read_entry(struct source_line *line)
{
    struct smcroute_entry *entry = &line->entry;
    const struct smcroute_reader *reader = &line->smcroute->reader;
    const char *word;

    while (!line->wrong && (word = next_word(line))) {
        if (strcmp(word, "from") == 0)
            take_name(line, word, &entry->iif);
        else if (strcmp(word, "source") == 0)
            take_range(line, word, &entry->source);
        else if (strcmp(word, "group") == 0)
            take_range(line, word, &entry->group);
        else if (strcmp(word, "to") == 0 && !entry->join)
            take_oifs(line);
        else
            remark(line, SMCROUTE_PROBLEM, "'%s' takes from, source, group%s, not '%.40s'.",
                   line->keyword, entry->join ? "" : " and to", word);
    }
    if (!line->wrong)
        check_entry(line);
    if (!line->wrong)
        reader->entry(reader->context, line->number, entry);
}

static void read_route(struct source_line *line)
{
    read_entry(line);
}

static void read_join(struct source_line *line)
{
    line->entry.join = true;
    read_entry(line);
}

/* --- Lines --------------------------------------------------------------------------------- */

static void read_include(struct source_line *line)
{
    const struct smcroute_reader *reader = &line->smcroute->reader;
    const char *pattern = next_word(line);

    if (!pattern || strlen(pattern) > SMCROUTE_PATH_MAX)
        remark(line, SMCROUTE_PROBLEM, "'%s' needs the path of a file, or a pattern of paths.",
               line->keyword);
    else
        reader->include(reader->context, line->number, pattern);
}

static const struct {
    const char *keyword;
    void (*read)(struct source_line *line);
} keywords[] = {
    {"phyint", read_phyint}, {"mroute", read_route},    {"mgroup", read_join},
    {"ssmgroup", read_join}, {"include", read_include},
};

static void read_keyword(struct source_line *line)
{
    line->keyword = next_word(line);
    if (!line->keyword)
        return;
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (strcmp(keywords[i].keyword, line->keyword) == 0) {
            keywords[i].read(line);
            return;
        }
    remark(line, SMCROUTE_PROBLEM,
           "There is no statement '%.40s'; a line begins with phyint, mroute, mgroup, ssmgroup "
           "or include.",
           line->keyword);
}

/* Copies the line up to its comment into text. It must be of printable characters, so that they
 * can be shown. */
static bool copy_line(const char *bytes, size_t n, char *text)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (bytes[i] == '#' && (i == 0 || is_space(bytes[i - 1])))
            break;
        if (!is_space(bytes[i]) && (bytes[i] < ' ' || bytes[i] > '~'))
            return false;
        text[i] = bytes[i];
    }
    text[i] = '\0';
    return true;
}

static void read_line(struct smcroute *smcroute, const char *bytes, size_t n, unsigned number)
{
    struct source_line line = {.smcroute = smcroute, .number = number};
    char text[LINE_LENGTH_MAX + 1];

    if (n > LINE_LENGTH_MAX) {
        remark(&line, SMCROUTE_PROBLEM, "The line has more than %d bytes.", LINE_LENGTH_MAX);
        return;
    }
    if (!copy_line(bytes, n, text)) {
        remark(&line, SMCROUTE_PROBLEM,
               "The line has a byte that is not a printable ASCII character.");
        return;
    }
    line.rest = text;
    read_keyword(&line);
}

void smcroute_read(struct smcroute *smcroute, const char *bytes, size_t n)
{
    unsigned number = 0;

    while (n > 0) {
        const char *newline = memchr(bytes, '\n', n);
        size_t length = newline ? (size_t)(newline - bytes) : n;
        size_t taken = length + (newline != NULL);

        read_line(smcroute, bytes, length, ++number);
        bytes += taken;
        n -= taken;
    }
}
