/* mfc import: what SMCRoute's configuration says, as routes and joins of ours.
 *
 * All files are read first. Then lines that mean one route become one, what phyint disables is left
 * out, and each entry becomes a statement of our own syntax, which is printed or sent. */
#include "cli.h"
#include "smcroute.h"
#include "statements/line.h"

#include <errno.h>
#include <glob.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_OF_INCLUDES_MAX = 8, FILES_MAX = 1024, STATEMENT_MAX = 2048 };

struct import_entry {
    struct smcroute_entry entry;
    const char *file;
    unsigned line;
    size_t first, latest; /* of the lines that are in it, by the order of reading */
    bool dropped;         /* it is in another entry, or is not taken over */
};

struct import {
    const struct command_line *line;
    struct smcroute smcroute;
    char *files[FILES_MAX]; /* owned: the names of all files that were read */
    size_t file_count;
    const char *file; /* the one that is being read */
    unsigned depth;
    struct import_entry *entries; /* owned */
    size_t count, capacity;
    size_t problems;
    struct batch batch;
};

static void say(struct import *import, const char *file, unsigned line, enum smcroute_weight weight,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

static void say(struct import *import, const char *file, unsigned line, enum smcroute_weight weight,
                const char *format, ...)
{
    bool is_note = weight == SMCROUTE_NOTE;
    const struct fault fault = {.code = is_note ? "note" : "import", .file = file, .line = line};
    char text[1024];
    va_list arguments;

    import->problems += weight == SMCROUTE_PROBLEM;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    report(import->line, &fault, "%s%s", is_note && !import->line->json ? "note: " : "", text);
}

/* --- Reading ------------------------------------------------------------------------------- */

static void add_entry(struct import *import, unsigned line, const struct smcroute_entry *entry)
{
    if (import->count == import->capacity) {
        size_t capacity = import->capacity ? import->capacity * 2 : 64;
        struct import_entry *entries = realloc(import->entries, capacity * sizeof *entries);

        if (!entries) {
            say(import, import->file, line, SMCROUTE_PROBLEM, "Out of memory.");
            return;
        }
        import->entries = entries;
        import->capacity = capacity;
    }
    import->entries[import->count] =
        (struct import_entry){*entry, import->file, line, import->count, import->count, false};
    import->count++;
}

/* A join is for one interface. SMCRoute joins on those of a pattern that are there when it reads
 * it, and so is it done here. */
static void add_joins(struct import *import, unsigned line, const struct smcroute_entry *entry)
{
    size_t stem = strlen(entry->iif.text) - 1;
    struct if_nameindex *interfaces = if_nameindex(), *one;
    struct smcroute_entry join = *entry;
    unsigned count = 0;

    for (one = interfaces; one && one->if_name; one++)
        if (strncmp(one->if_name, entry->iif.text, stem) == 0) {
            snprintf(join.iif.text, sizeof join.iif.text, "%s", one->if_name);
            add_entry(import, line, &join);
            count++;
        }
    if (interfaces)
        if_freenameindex(interfaces);
    say(import, import->file, line, count ? SMCROUTE_NOTE : SMCROUTE_PROBLEM,
        "A join is for one interface; '%s' is a pattern for %s.", entry->iif.text,
        count ? "the interfaces that exist now" : "no interface that exists now");
}

static void keep_entry(void *context, unsigned line, const struct smcroute_entry *entry)
{
    if (entry->join && interface_name_is_pattern(entry->iif.text))
        add_joins(context, line, entry);
    else
        add_entry(context, line, entry);
}

static void say_remark(void *context, unsigned line, enum smcroute_weight weight, const char *text)
{
    struct import *import = context;

    say(import, import->file, line, weight, "%s", text);
}

/* Returns a negative errno where it cannot be read. */
static int read_file(struct import *import, const char *path)
{
    const char *outer = import->file;
    char *text = NULL;
    size_t length = 0;
    char *name = strdup(path);
    int result = name ? file_read(path, &text, &length) : -ENOMEM;

    if (result < 0) {
        free(name);
        return result;
    }
    import->files[import->file_count++] = name;
    import->file = name;
    import->depth++;
    smcroute_read(&import->smcroute, text, length);
    import->depth--;
    import->file = outer;
    free(text);
    return 0;
}

/* A path that is not absolute begins in the folder of the file that includes it. */
static int find_files(const struct import *import, const char *pattern, glob_t *found)
{
    const char *slash = pattern[0] == '/' ? NULL : strrchr(import->file, '/');
    char path[2 * SMCROUTE_PATH_MAX];

    snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash - import->file + 1) : 0, import->file,
             pattern);
    return glob(path, GLOB_NOMAGIC, NULL, found);
}

static void read_found(struct import *import, unsigned line, const char *path)
{
    int result;

    if (import->depth > DEPTH_OF_INCLUDES_MAX || import->file_count == FILES_MAX) {
        say(import, import->file, line, SMCROUTE_PROBLEM,
            "'%s' is not read: includes may be at most %d deep, in at most %d files.", path,
            DEPTH_OF_INCLUDES_MAX, FILES_MAX);
        return;
    }
    result = read_file(import, path);
    if (result < 0)
        say(import, import->file, line, SMCROUTE_PROBLEM, "Cannot read '%s': %s.", path,
            strerror(-result));
}

static void read_included(void *context, unsigned line, const char *pattern)
{
    struct import *import = context;
    glob_t found = {0};

    if (find_files(import, pattern, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            read_found(import, line, found.gl_pathv[i]);
    globfree(&found);
}

/* --- From lines to routes ------------------------------------------------------------------ */

static int compare_flows(const struct import_entry *a, const struct import_entry *b)
{
    int result = a->entry.join - b->entry.join;

    if (result == 0)
        result = strcmp(a->entry.group.text, b->entry.group.text);
    return result ? result : strcmp(a->entry.source.text, b->entry.source.text);
}

static int compare_numbers(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

/* By flow; within one by the latest line. */
static int compare_by_flow(const void *left, const void *right)
{
    const struct import_entry *const *a = left, *const *b = right;
    int result = compare_flows(*a, *b);

    return result ? result : compare_numbers((*a)->latest, (*b)->latest);
}

/* By flow and inbound interface; within one by the first line. */
static int compare_by_route(const void *left, const void *right)
{
    const struct import_entry *const *a = left, *const *b = right;
    int result = compare_flows(*a, *b);

    if (result == 0)
        result = strcmp((*a)->entry.iif.text, (*b)->entry.iif.text);
    return result ? result : compare_numbers((*a)->first, (*b)->first);
}

/* A later line for the same route adds its outgoing interfaces. */
static void merge(struct import *import, struct import_entry *first, struct import_entry *later)
{
    const struct smcroute_entry *from = &later->entry;

    later->dropped = true;
    first->latest = later->latest;
    for (uint32_t i = 0; i < from->oifs.count; i++)
        if (!smcroute_add_oif(&first->entry, &from->oifs.names[i], from->ttls[i]))
            say(import, later->file, later->line, SMCROUTE_PROBLEM,
                "With line %u of %s, the route would have more than %d outgoing interfaces.",
                first->line, first->file, VIFS_MAX);
}

static bool is_exact(const struct smcroute_entry *entry)
{
    return !entry->join && entry->source.text[0] && !strchr(entry->source.text, '/') &&
           !strchr(entry->group.text, '/') && !interface_name_is_pattern(entry->iif.text);
}

/* One source and one group have one inbound interface in the kernel: the latest. */
static void supersede(struct import *import, struct import_entry *first,
                      const struct import_entry *later)
{
    if (!is_exact(&first->entry) || !is_exact(&later->entry))
        return;
    first->dropped = true;
    say(import, first->file, first->line, SMCROUTE_NOTE,
        "Left out: line %u of %s gives the same source and group another inbound interface.",
        later->line, later->file);
}

static void join_entries(struct import *import, struct import_entry **sorted)
{
    struct import_entry *last = NULL;

    qsort(sorted, import->count, sizeof(struct import_entry *), compare_by_route);
    for (size_t i = 1, first = 0; i < import->count; i++) {
        if (compare_flows(sorted[first], sorted[i]) == 0 &&
            strcmp(sorted[first]->entry.iif.text, sorted[i]->entry.iif.text) == 0)
            merge(import, sorted[first], sorted[i]);
        else
            first = i;
    }
    qsort(sorted, import->count, sizeof(struct import_entry *), compare_by_flow);
    for (size_t i = 0; i < import->count; i++) {
        if (sorted[i]->dropped)
            continue;
        if (last && compare_flows(last, sorted[i]) == 0)
            supersede(import, last, sorted[i]);
        last = sorted[i];
    }
}

/* Interfaces that phyint has disabled take no part. */
static void leave_out_disabled(struct import *import, struct import_entry *entry)
{
    struct smcroute_entry *route = &entry->entry;
    uint32_t before = route->oifs.count;

    if (entry->dropped)
        return;
    if (smcroute_is_disabled(&import->smcroute, route->iif.text)) {
        say(import, entry->file, entry->line, SMCROUTE_PROBLEM,
            "Left out: phyint disables its inbound interface '%s'.", route->iif.text);
        entry->dropped = true;
        return;
    }
    for (uint32_t i = route->oifs.count; i > 0; i--)
        if (smcroute_is_disabled(&import->smcroute, route->oifs.names[i - 1].text)) {
            say(import, entry->file, entry->line, SMCROUTE_PROBLEM,
                "'%s' is left out of the outgoing interfaces: phyint disables it.",
                route->oifs.names[i - 1].text);
            smcroute_drop_oif(route, i - 1);
        }
    entry->dropped = before > 0 && route->oifs.count == 0;
}

static bool resolve_entries(struct import *import)
{
    struct import_entry **sorted = calloc(import->count + 1, sizeof *sorted);

    if (!sorted) {
        explain_no_memory(import->line);
        return false;
    }
    for (size_t i = 0; i < import->count; i++)
        sorted[i] = &import->entries[i];
    join_entries(import, sorted);
    free(sorted);
    for (size_t i = 0; i < import->count; i++)
        leave_out_disabled(import, &import->entries[i]);
    return true;
}

/* --- Statements ---------------------------------------------------------------------------- */

static void append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char *text, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + used, STATEMENT_MAX - used, format, arguments);
    va_end(arguments);
}

/* SMCRoute has thresholds for IPv6 too, but the kernel takes none there. */
static bool has_thresholds(const struct smcroute_entry *entry)
{
    bool any = false;

    for (uint32_t i = 0; i < entry->oifs.count; i++)
        any |= entry->ttls[i] != 1;
    return any && !strchr(entry->group.text, ':');
}

/* Our statement for it, in text[STATEMENT_MAX]. */
static void write_statement(const struct smcroute_entry *entry, char *text)
{
    snprintf(text, STATEMENT_MAX, "%s", entry->join ? "join" : "route");
    if (entry->source.text[0])
        append(text, " source %s", entry->source.text);
    append(text, " group %s iif %s", entry->group.text, entry->iif.text);
    if (entry->join)
        return;
    append(text, " oifs%s", entry->oifs.count ? "" : " \"\"");
    for (uint32_t i = 0; i < entry->oifs.count; i++)
        append(text, "%c%s", i ? ',' : ' ', entry->oifs.names[i].text);
    if (!has_thresholds(entry))
        return;
    append(text, " ttls");
    for (uint32_t i = 0; i < entry->oifs.count; i++)
        append(text, "%c%u", i ? ',' : ' ', entry->ttls[i]);
}

/* Prints the statement, or keeps its request. False: no memory. */
static bool take_over(struct import *import, const struct import_entry *entry, struct line *line)
{
    static const struct thresholds none;
    struct batch_item item = {.file = entry->file, .line = entry->line};
    char text[STATEMENT_MAX];
    struct error error;

    write_statement(&entry->entry, text);
    if (line_read(text, strlen(text), &none, line, &error) != LINE_REQUEST) {
        say(import, entry->file, entry->line, SMCROUTE_PROBLEM, "%s", error.message);
        return true;
    }
    item.action = line->request.action;
    if (command_line_flag(import->line, "print"))
        puts(text);
    return batch_add(&import->batch, &item, &line->json);
}

static bool take_over_all(struct import *import)
{
    struct line line = {0};
    bool done = true;

    for (size_t i = 0; i < import->count && done; i++)
        if (!import->entries[i].dropped)
            done = take_over(import, &import->entries[i], &line);
    json_clear(&line.json);
    return done;
}

/* --- The service --------------------------------------------------------------------------- */

static void print_result(const struct import *import, const struct batch_result *routes,
                         const struct batch_result *joins)
{
    size_t refused = routes->refused + joins->refused;

    if (import->line->json)
        printf("{\"routes\":%zu,\"joins\":%zu,\"refused\":%zu,\"problems\":%zu}\n", routes->done,
               joins->done, refused, import->problems);
    else
        printf("Added: %zu route%s, %zu join%s.\n", routes->done, routes->done == 1 ? "" : "s",
               joins->done, joins->done == 1 ? "" : "s");
}

static int send_all(struct import *import)
{
    struct batch_result routes = {0}, joins = {0};
    struct nb_client *client;
    int result = connect_service(import->line, &client);

    if (result < 0)
        return explain_unreachable(import->line, result);
    result = batch_send(client, &import->batch, action_find("ADD_MFC"), false, &routes);
    if (result == 0)
        result = batch_send(client, &import->batch, action_find("ADD_JOIN"), false, &joins);
    nb_close(client);
    if (result < 0)
        return explain_unreachable(import->line, result);
    print_result(import, &routes, &joins);
    return routes.refused > 0 || joins.refused > 0 ? EXIT_REFUSED : EXIT_DONE;
}

static int import_file(struct import *import)
{
    int status = EXIT_DONE, result = read_file(import, import->line->file);

    if (result < 0)
        return explain_file(import->line, import->line->file, result);
    if (!resolve_entries(import) || !take_over_all(import))
        return EXIT_REFUSED;
    if (!command_line_flag(import->line, "print"))
        status = send_all(import);
    if (import->problems == 0)
        return status;
    report(import->line, &(struct fault){.code = "import"},
           "not everything was taken over: %zu problem%s above.", import->problems,
           import->problems == 1 ? "" : "s");
    return status ? status : EXIT_REFUSED;
}

int run_import(const struct command_line *line, struct nb_request *unused)
{
    struct import *import = calloc(1, sizeof *import);
    int status;

    (void)unused;
    if (!import)
        return explain_no_memory(line);
    import->line = import->batch.line = line;
    import->smcroute.reader =
        (struct smcroute_reader){keep_entry, read_included, say_remark, import};
    status = import_file(import);
    batch_clear(&import->batch);
    for (size_t i = 0; i < import->file_count; i++)
        free(import->files[i]);
    free(import->entries);
    free(import);
    return status;
}
