/* The action DIAGNOSE: what the doctor found, and in one sentence what matters most. */
#include "services.h"

#include "resources/mroute/doctor.h"

#include <stdio.h>
#include <stdlib.h>

static const struct finding *worst_finding(const struct findings *findings)
{
    const struct finding *worst = &findings->list[0];

    for (unsigned i = 1; i < findings->count; i++)
        if (findings->list[i].verdict > worst->verdict)
            worst = &findings->list[i];
    return worst;
}

/* A line that is not in force may be the one that is missed. */
static void add_mistake(const struct services *services, struct findings *findings)
{
    const char *mistake = file_mistakes_first(&services->mistakes);
    struct finding *finding;

    if (!mistake)
        return;
    if (findings->count == FINDINGS_MAX) {
        findings->omitted++;
        return;
    }
    finding = &findings->list[findings->count++];
    *finding = (struct finding){.check = "files", .verdict = VERDICT_WARNING};
    snprintf(finding->message, sizeof finding->message, "%s%s",
             services->policy.closed ? "Only root is answered: " : "", mistake);
    snprintf(finding->hint, sizeof finding->hint,
             "netbrokerd --check-config; then systemctl reload netbrokerd");
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

static void write_findings(struct json *out, const struct findings *findings)
{
    const struct finding *worst = worst_finding(findings);

    json_key(out, "findings");
    json_open(out, '[');
    for (unsigned i = 0; i < findings->count; i++)
        write_finding(out, &findings->list[i]);
    json_close(out, ']');
    json_member_unsigned(out, "omitted", findings->omitted);
    json_member_string(out, "summary",
                       worst->verdict >= VERDICT_WARNING
                           ? worst->message
                           : "Nothing was found that keeps packets from being forwarded.");
}

enum outcome handle_diagnose(struct call *call, const struct args_diagnose *args)
{
    const struct services *services = call->services;
    struct findings *findings = calloc(1, sizeof *findings);
    struct json *out = reply_open(call, "The doctor's findings.");

    if (!findings) {
        out->failed = true; /* the session answers that there is no memory */
        return OUTCOME_REPLIED;
    }
    doctor_examine(services->mroute, services->links, args, findings);
    add_mistake(services, findings);
    write_findings(out, findings);
    reply_close(out);
    free(findings);
    return OUTCOME_REPLIED;
}
