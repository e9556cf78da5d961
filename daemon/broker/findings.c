#include "findings.h"

#include <stdio.h>
#include <string.h>

const char *verdict_word(enum verdict verdict)
{
    static const char *const words[] = {
#define V(name, word) [VERDICT_##name] = word,
        VERDICTS(V)
#undef V
    };

    return words[verdict];
}

struct finding *findings_add(struct findings *findings)
{
    if (findings->count == FINDINGS_MAX) {
        findings->omitted++;
        return NULL;
    }
    return &findings->list[findings->count++];
}

/* --- Writing ------------------------------------------------------------------------------- */

static const struct finding *worst_finding(const struct findings *findings)
{
    const struct finding *worst = &findings->list[0];

    for (unsigned i = 1; i < findings->count; i++)
        if (findings->list[i].verdict > worst->verdict)
            worst = &findings->list[i];
    return worst;
}

static void write_finding(struct json *out, const struct finding *finding)
{
    json_open(out, '{');
    json_member_string(out, "check", finding->check);
    json_member_string(out, "verdict", verdict_word(finding->verdict));
    json_member_string(out, "message", finding->message);
    json_member_string(out, "hint", finding->hint);
    json_close(out, '}');
}

void findings_write(struct json *out, const struct findings *findings, const char *all_well)
{
    const struct finding *worst = worst_finding(findings);

    json_key(out, "findings");
    json_open(out, '[');
    for (unsigned i = 0; i < findings->count; i++)
        write_finding(out, &findings->list[i]);
    json_close(out, ']');
    json_member_unsigned(out, "omitted", findings->omitted);
    json_member_string(out, "summary",
                       worst->verdict >= VERDICT_WARNING ? worst->message : all_well);
}

/* --- Sentences ----------------------------------------------------------------------------- */

/* What the word means that begins there and has that length. */
static const char *find_text(const struct meaning *words, const char *word, size_t length)
{
    while (words->word && (strncmp(words->word, word, length) != 0 || words->word[length]))
        words++;
    return words->word && words->text ? words->text : "{?}";
}

void finding_expand(const char *sentence, const struct meaning *words, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    while (sentence && *sentence && used < size) {
        size_t length = strcspn(sentence, *sentence == '{' ? "}" : "{");

        if (*sentence == '{')
            used += (size_t)snprintf(text + used, size - used, "%s",
                                     find_text(words, sentence + 1, length - 1));
        else
            used += (size_t)snprintf(text + used, size - used, "%.*s", (int)length, sentence);
        sentence += *sentence == '{' ? length + 1 : length;
    }
}
