#include "audit.h"

#include "broker/lease.h"
#include "decode.h"
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const verdict_words[] = {
#define V(verdict, word, sum, eighths) word,
    AUDIT_VERDICT_LIST(V)
#undef V
};

static const char *const summary_words[] = {
#define V(verdict, word, sum, eighths) sum,
    AUDIT_VERDICT_LIST(V)
#undef V
};

void audit_open(struct audit *audit, uint64_t (*now_ms)(void))
{
    *audit = (struct audit){
        .journal = -1,
        .now_ms = now_ms,
        .summary_ms = now_ms(),
    };
    audit_shares_init(&audit->shares, audit->summary_ms);
}

static void append(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static void append_scope(char *text, size_t size, const struct send_scope *scope)
{
    char item[SCOPE_MAC_TEXT + 1];

    for (enum scope_part part = 0; part < SCOPE_PART_COUNT; part++)
        for (unsigned i = 0; i < scope_items(scope, part); i++) {
            scope_text(scope, part, i, item);
            append(text, size, "%s%s%s%s",
                   i         ? ","
                   : text[0] ? " "
                             : "",
                   i ? "" : scope_word(part), i ? "" : "=", item);
        }
}

const char *target_format(const struct target *target, char *text, size_t size)
{
    const size_t rest =
        INTERFACE_NAME_MAX + sizeof ",... group= table=4294967295" + PREFIX_TEXT_MAX;
    char address[PREFIX_TEXT_MAX];

    text[0] = '\0';
    for (unsigned i = 0; i < target->interface_count; i++) {
        if (strlen(text) + rest > size) { /* many interfaces must not hide the group */
            append(text, size, ",...");
            break;
        }
        append(text, size, "%s%s", i ? "," : "interfaces=", target->interfaces[i]);
    }
    if (target->group.address.family)
        append(text, size, "%sgroup=%s", text[0] ? " " : "",
               prefix_format(&target->group, address));
    if (target->table)
        append(text, size, "%stable=%u", text[0] ? " " : "", target->table);
    for (unsigned i = 0; i < target->ethertype_count; i++)
        append(text, size, "%s0x%04x",
               i         ? ","
               : text[0] ? " ethertypes="
                         : "ethertypes=",
               target->ethertypes[i]);
    if (target->directions)
        append(text, size, "%sdirection=%s", text[0] ? " " : "",
               direction_word(target->directions));
    if (target->promiscuous)
        append(text, size, "%spromiscuous", text[0] ? " " : "");
    append_scope(text, size, &target->scope);
    if (target->rate)
        append(text, size, "%srate=%u", text[0] ? " " : "", target->rate);
    if (!text[0])
        append(text, size, "everything");
    return text;
}

void audit_close(struct audit *audit)
{
    if (audit->journal >= 0)
        close(audit->journal);
}

/* Client text has no bytes in it that end a line or a quotation: the decoder's types see to that
 * for addresses and names, and what is left is replaced here. */
static void clean(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == '"' || *text == '\\' || *text == 0x7f)
            *text = '?';
}

/* "-" for what nobody holds, or the configuration. */
static const char *uid_text(uid_t uid, char text[static UID_TEXT_MAX])
{
    if (uid == LEASE_UID_UNKNOWN)
        return "-";
    snprintf(text, UID_TEXT_MAX, "%u", (unsigned)uid);
    return text;
}

enum { WHENCE_MAX = 64 };

/* What the kernel calls a user who has another number here, and where he is. `before` stands before
 * each, and `after` behind. */
static const char *whence(const struct peer *peer, const char *const names[2], const char *before,
                          const char *after, char text[static WHENCE_MAX])
{
    text[0] = '\0';
    if (peer && peer->assigned)
        append(text, WHENCE_MAX, "%s%s=%u%s", before, names[0], (unsigned)peer->kernel_uid, after);
    if (peer && peer->elsewhere)
        append(text, WHENCE_MAX, "%s%s=other%s", before, names[1], after);
    return text;
}

static void write_fields(const struct audit *audit, const struct audit_record *record,
                         const char *line, const char *name)
{
    static const char *const names[] = {"NETBROKER_KERNEL_UID", "NETBROKER_NETNS"};
    char text[1400], id[LEASE_ID_SIZE], uid[UID_TEXT_MAX], from[WHENCE_MAX];
    int length =
        snprintf(text, sizeof text,
                 "PRIORITY=5\nSYSLOG_IDENTIFIER=netbrokerd\nMESSAGE=%s\n"
                 "NETBROKER_VERDICT=%s\nNETBROKER_ACTION=%s\nNETBROKER_VERB=%s\n"
                 "NETBROKER_TARGET=%s\nNETBROKER_RULE=%s\nNETBROKER_LEASE=%s\n"
                 "NETBROKER_UID=%s\n%s%s%s%sNETBROKER_PID=%d\n",
                 line, verdict_words[record->verdict], record->action, record->verb, record->target,
                 record->rule, lease_id_format(record->lease, id), uid_text(record->uid, uid),
                 name ? "NETBROKER_USER=" : "", name ? name : "", name ? "\n" : "",
                 whence(record->peer, names, "", "\n", from), (int)record->pid);

    if (length >= (int)sizeof text)
        length = sizeof text - 1;
    /* A journal that does not keep up loses the record, never the service's time. */
    if (send(audit->journal, text, (size_t)length, MSG_DONTWAIT) < 0)
        log_line(LOG_NOTICE, "%s", line);
}

static void write_record(const struct audit *audit, const struct audit_record *record)
{
    static const char *const names[] = {"kernel_uid", "netns"};
    char line[560], id[LEASE_ID_SIZE], lease[40] = "", uid[UID_TEXT_MAX], from[WHENCE_MAX];
    const char *name =
        record->uid == LEASE_UID_UNKNOWN ? NULL : user_name(audit->names, record->uid);

    if (record->lease)
        snprintf(lease, sizeof lease, " lease=%s", lease_id_format(record->lease, id));
    snprintf(line, sizeof line, "audit %s action=%s verb=%s uid=%s pid=%d%s%s%s rule='%s'%s %s",
             verdict_words[record->verdict], record->action, record->verb,
             uid_text(record->uid, uid), (int)record->pid, name ? " user=" : "", name ? name : "",
             whence(record->peer, names, " ", "", from), record->rule, lease, record->target);
    clean(line);
    if (audit->journal >= 0)
        write_fields(audit, record, line, name);
    else
        log_line(LOG_NOTICE, "%s", line);
}

bool audit_has_room(struct audit *audit, uid_t uid, enum audit_verdict verdict)
{
    return audit->now_ms && audit_shares_have_room(&audit->shares, uid, verdict, audit->now_ms());
}

static void write_summary(void *context, const uid_t *uid, const uint64_t *counts)
{
    const struct audit *audit = context;
    char line[256] = "audit summary uid=", text[UID_TEXT_MAX];
    const char *name = uid && *uid != LEASE_UID_UNKNOWN ? user_name(audit->names, *uid) : NULL;

    append(line, sizeof line, "%s", uid ? uid_text(*uid, text) : "others");
    if (name)
        append(line, sizeof line, " user=%s", name);
    for (size_t i = 0; i < AUDIT_VERDICTS; i++)
        append(line, sizeof line, " %s=%llu", summary_words[i], (unsigned long long)counts[i]);
    clean(line);
    log_line(LOG_NOTICE, "%s", line);
}

static void summarise(struct audit *audit, uint64_t now_ms)
{
    if (now_ms - audit->summary_ms < 1000)
        return;
    audit->summary_ms = now_ms;
    audit_shares_sum_up(&audit->shares, write_summary, audit);
}

void audit_write(struct audit *audit, const struct audit_record *record)
{
    uint64_t now_ms;

    if (!audit->now_ms) /* not open */
        return;
    now_ms = audit->now_ms();
    if (record->target &&
        audit_shares_have_room(&audit->shares, record->uid, record->verdict, now_ms)) {
        audit_shares_spend(&audit->shares, record->uid, record->verdict, now_ms);
        write_record(audit, record);
    } else {
        audit_shares_count(&audit->shares, record->uid, record->verdict, now_ms);
    }
    summarise(audit, now_ms);
}

void audit_summarise(struct audit *audit)
{
    summarise(audit, audit->now_ms());
}
