/* The words of the command line: which command they are, and which one was meant. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 32 };

/* --- What was meant ------------------------------------------------------------------------ */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters must be added, dropped, changed or swapped with their neighbour (the optimal
 * string alignment distance). Words that are too long are far from each other. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1], n = strlen(a), m = strlen(b);

    if (n > WORD_MAX || m > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

/* "delete" for "del", or the other way round. */
static bool is_beginning(const char *a, const char *b)
{
    size_t length = least(strlen(a), strlen(b));

    return length >= 3 && strncmp(a, b, length) == 0;
}

void guess_begin(struct guess *guess, const char *word)
{
    size_t length = strlen(word);

    *guess = (struct guess){.word = word, .distance = length < 3 ? 2 : length < 7 ? 3 : 4};
}

void guess_consider(struct guess *guess, const char *candidate)
{
    size_t far = is_beginning(guess->word, candidate) ? 1 : distance(guess->word, candidate);

    if (far >= guess->distance || far >= strlen(candidate))
        return;
    guess->distance = far;
    snprintf(guess->best, sizeof guess->best, "%s", candidate);
}

/* --- Commands ------------------------------------------------------------------------------ */

/* How many words of argv the command takes if it is the one that is meant; 0: it is not. */
static int match_words(const char *command, int argc, char **argv, int at)
{
    int words = 0;

    while (*command) {
        size_t length = strcspn(command, " ");

        if (at + words >= argc || strlen(argv[at + words]) != length ||
            memcmp(argv[at + words], command, length) != 0)
            return 0;
        words++;
        command += length + (command[length] == ' ');
    }
    return words;
}

const char *verb_of(const char *command, const char *family)
{
    size_t length = strlen(family);

    return strncmp(command, family, length) == 0 && command[length] == ' ' ? command + length + 1
                                                                           : NULL;
}

bool is_family(const char *word)
{
    const struct action_row *row;

    for (size_t i = 0; (row = command_at(i).row); i++)
        if (verb_of(row->cli, word))
            return true;
    return false;
}

int words_match(struct command *command, int argc, char **argv, int at)
{
    struct command candidate;
    int best = 0;

    *command = (struct command){.row = NULL, .action = ACTION_COUNT, .own = OWN_COUNT};
    for (size_t i = 0; (candidate = command_at(i)).row; i++) {
        int words = match_words(candidate.row->cli, argc, argv, at);

        if (words <= best)
            continue;
        best = words;
        *command = candidate;
    }
    return best;
}

/* Those of the family or, where it is NULL, those with this verb: " 'mfc add', 'mfc del'" */
static void list_commands(const char *family, const char *verb, char *text, size_t size)
{
    const struct action_row *row;
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; (row = command_at(i).row) && used < size; i++) {
        const char *space = strchr(row->cli, ' ');

        if (family ? verb_of(row->cli, family) != NULL
                   : verb && space && strcmp(space + 1, verb) == 0)
            used +=
                (size_t)snprintf(text + used, size - used, "%s '%s'", used ? "," : "", row->cli);
    }
}

static int say_unknown_verb(const struct command_line *line, const char *family, const char *verb)
{
    const struct action_row *row;
    struct guess guess;
    char list[256];

    list_commands(family, NULL, list, sizeof list);
    if (!verb)
        return say_usage(line, family, NULL, "'%s' needs another word:%s.", family, list);
    guess_begin(&guess, verb);
    for (size_t i = 0; (row = command_at(i).row); i++)
        if (verb_of(row->cli, family))
            guess_consider(&guess, verb_of(row->cli, family));
    if (guess.best[0])
        return say_usage(line, family, NULL, "there is no command '%s %s'. Did you mean '%s %s'?",
                         family, verb, family, guess.best);
    return say_usage(line, family, NULL, "there is no command '%s %s'; the commands are:%s.",
                     family, verb, list);
}

/* The first word that is near: of a command, or of what stands behind one. */
static void guess_word(struct guess *guess, const char *word, bool first)
{
    const struct action_row *row;
    char part[WORD_MAX];

    guess_begin(guess, word);
    if (first)
        guess_consider(guess, "help");
    for (size_t i = 0; (row = command_at(i).row); i++) {
        size_t length = strcspn(row->cli, " ");

        snprintf(part, sizeof part, "%.*s", (int)length, row->cli);
        if (first)
            guess_consider(guess, part);
        else if (row->cli[length])
            guess_consider(guess, row->cli + length + 1);
    }
}

int say_unknown_command(const struct command_line *line, int argc, char **argv, int at)
{
    const char *word = argv[at], *next = at + 1 < argc ? argv[at + 1] : NULL;
    struct guess guess;
    char list[256];

    if (is_family(word))
        return say_unknown_verb(line, word, next && next[0] != '-' ? next : NULL);
    guess_word(&guess, word, false);
    list_commands(NULL, guess.best, list, sizeof list);
    if (list[0] && guess.distance <= 1)
        return say_usage(line, "", NULL, "'%s' is not a command by itself; the commands are:%s.",
                         word, list);
    guess_word(&guess, word, true);
    if (guess.best[0])
        return say_usage(line, "", NULL, "there is no command '%s'. Did you mean '%s'?", word,
                         guess.best);
    return say_usage(line, "", NULL, "there is no command '%s'.", word);
}

/* --- Words of other programs --------------------------------------------------------------- */

bool word_of_others(const char *command, const char *option, char *text, size_t size)
{
    static const struct {
        const char *command, *option, *own;
    } words[] = {
        {"capture", "-s", "--snaplen"},
        {"capture", "-Q", "--direction"},
        {"capture", "-C", "--file-bytes"},
        {"capture", "-W", "--files"},
        {"capture", "-G", "--file-seconds"},
        {"capture", "-B", "--buffer"},
        {"capture", "-P", "--pcap"},
        {"capture", "-j", "--timestamps"},
        {"capture", "--immediate-mode", "--latency"},
        {"capture", "-a", "--duration or --count end it"},
        {"capture", "-b", "--file-bytes or --file-seconds begin the next file, --files keeps some"},
        {"capture", "-p", "it is not promiscuous unless --promiscuous says so"},
        {"capture", "-D", "'netbroker capture interfaces' lists them"},
        {"capture", "-r", "it reads no file; tcpdump and tshark do"},
        {"capture", "-n", "it prints no frames; '-w - | tcpdump -r - -n' does"},
        {"capture", "-v", "it prints no frames; '-w - | tcpdump -r - -v' does"},
        {"capture", "-e", "it prints no frames; '-w - | tcpdump -r - -e' does"},
        {"capture", "-X", "it prints no frames; '-w - | tcpdump -r - -X' does"},
        {"replay", "-x", "--speed"},
        {"replay", "--multiplier", "--speed"},
        {"replay", "-p", "--pps"},
        {"replay", "-t", "--topspeed"},
        {"replay", "-l", "--loop"},
        {"replay", "-L", "--limit"},
        {"replay", "-M", "--pps or --speed says how fast it is"},
        {"replay", "--mbps", "--pps or --speed says how fast it is"},
        {"replay", "-K", "frames are checked and waiting without it"},
        {"replay", "--preload-pcap", "frames are checked and waiting without it"},
        {"replay", "-T", "the service has one clock, and keeps to it"},
        {"replay", "--timer", "the service has one clock, and keeps to it"},
        {"replay", "--intf1", "the interface stands before the file, or behind -i"},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].command, command) == 0 && strcmp(words[i].option, option) == 0) {
            bool is_option = words[i].own[0] == '-' && !strchr(words[i].own, ' ');

            snprintf(text, size, is_option ? ". Did you mean '%s'?" : ": %s.", words[i].own);
            return true;
        }
    return false;
}
