#include "audit.h"

#include "log.h"
#include "resources/lease.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *const verdict_words[] = {
    [AUDIT_GRANTED] = "granted",
    [AUDIT_STAGED] = "staged",
    [AUDIT_REFUSED] = "refused",
    [AUDIT_RELEASED] = "released",
};
_Static_assert(sizeof verdict_words / sizeof *verdict_words == AUDIT_VERDICTS, "each has a word");

/* journald takes fields as a datagram of lines; see systemd.io/JOURNAL_NATIVE_PROTOCOL. */
static int connect_journal(void)
{
    struct sockaddr_un address = {AF_UNIX, "/run/systemd/journal/socket"};
    int fd = getenv("JOURNAL_STREAM") ? socket(AF_UNIX, SOCK_DGRAM, 0) : -1;

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

void audit_open(struct audit *audit, uint64_t (*now_ms)(void))
{
    *audit = (struct audit){
        .journal = connect_journal(),
        .now_ms = now_ms,
        .buckets = {{RECORDS_BURST, now_ms()}, {RECORDS_BURST, now_ms()}},
        .summary_ms = now_ms(),
    };
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

static void write_fields(const struct audit *audit, const struct audit_record *record,
                         const char *line, const char *name)
{
    char text[1400], id[LEASE_ID_SIZE], uid[UID_TEXT_MAX];
    int length = snprintf(text, sizeof text,
                          "PRIORITY=5\nSYSLOG_IDENTIFIER=netbrokerd\nMESSAGE=%s\n"
                          "NETBROKER_VERDICT=%s\nNETBROKER_ACTION=%s\nNETBROKER_VERB=%s\n"
                          "NETBROKER_TARGET=%s\nNETBROKER_RULE=%s\nNETBROKER_LEASE=%s\n"
                          "NETBROKER_UID=%s\n%s%s%sNETBROKER_PID=%d\n",
                          line, verdict_words[record->verdict], record->action, record->verb,
                          record->target, record->rule, lease_id_format(record->lease, id),
                          uid_text(record->uid, uid), name ? "NETBROKER_USER=" : "",
                          name ? name : "", name ? "\n" : "", (int)record->pid);

    if (length >= (int)sizeof text)
        length = sizeof text - 1;
    /* A journal that does not keep up loses the record, never the service's time. */
    if (send(audit->journal, text, (size_t)length, MSG_DONTWAIT) < 0)
        log_line(LOG_NOTICE, "%s", line);
}

static void write_record(const struct audit *audit, const struct audit_record *record)
{
    char line[520], id[LEASE_ID_SIZE], lease[40] = "", uid[UID_TEXT_MAX];
    const char *name =
        record->uid == LEASE_UID_UNKNOWN ? NULL : user_name(audit->names, record->uid);

    if (record->lease)
        snprintf(lease, sizeof lease, " lease=%s", lease_id_format(record->lease, id));
    snprintf(line, sizeof line, "audit %s action=%s verb=%s uid=%s pid=%d%s%s rule='%s'%s %s",
             verdict_words[record->verdict], record->action, record->verb,
             uid_text(record->uid, uid), (int)record->pid, name ? " user=" : "", name ? name : "",
             record->rule, lease, record->target);
    clean(line);
    if (audit->journal >= 0)
        write_fields(audit, record, line, name);
    else
        log_line(LOG_NOTICE, "%s", line);
}

/* One line costs one token; they come back with time. */
static uint64_t *tokens_of(struct audit *audit, enum audit_verdict verdict, uint64_t now_ms)
{
    uint64_t *tokens = &audit->buckets[verdict != AUDIT_REFUSED].tokens;
    uint64_t *filled_ms = &audit->buckets[verdict != AUDIT_REFUSED].filled_ms;
    uint64_t more = (now_ms - *filled_ms) * RECORDS_A_SECOND / 1000;

    if (more > 0) {
        *tokens = *tokens + more > RECORDS_BURST ? RECORDS_BURST : *tokens + more;
        *filled_ms = now_ms;
    }
    return tokens;
}

bool audit_has_room(struct audit *audit, enum audit_verdict verdict)
{
    return audit->now_ms && *tokens_of(audit, verdict, audit->now_ms()) > 0;
}

static bool take_token(struct audit *audit, enum audit_verdict verdict, uint64_t now_ms)
{
    uint64_t *tokens = tokens_of(audit, verdict, now_ms);

    if (*tokens == 0)
        return false;
    --*tokens;
    return true;
}

static void count(struct audit *audit, const struct audit_record *record)
{
    size_t i = 0;

    while (i < audit->user_count && audit->users[i].uid != record->uid)
        i++;
    if (i == audit->user_count && audit->user_count < SUMMARY_USERS)
        audit->users[audit->user_count++].uid = record->uid;
    audit->users[i].counts[record->verdict]++;
}

static void summarise(struct audit *audit, uint64_t now_ms)
{
    if (now_ms - audit->summary_ms < 1000)
        return;
    audit->summary_ms = now_ms;
    for (size_t i = 0; i <= audit->user_count && i <= SUMMARY_USERS; i++) {
        const uint64_t *counts = audit->users[i].counts;
        char text[UID_TEXT_MAX];
        const char *user = i < audit->user_count ? uid_text(audit->users[i].uid, text) : "others";

        if (counts[AUDIT_GRANTED] + counts[AUDIT_STAGED] + counts[AUDIT_REFUSED] +
                counts[AUDIT_RELEASED] >
            0)
            log_line(LOG_NOTICE,
                     "audit summary uid=%s granted=%llu refused=%llu released=%llu staged=%llu",
                     user, (unsigned long long)counts[AUDIT_GRANTED],
                     (unsigned long long)counts[AUDIT_REFUSED],
                     (unsigned long long)counts[AUDIT_RELEASED],
                     (unsigned long long)counts[AUDIT_STAGED]);
    }
    memset(audit->users, 0, sizeof audit->users);
    audit->user_count = 0;
}

void audit_write(struct audit *audit, const struct audit_record *record)
{
    uint64_t now_ms;

    if (!audit->now_ms) /* not open */
        return;
    if (!record->target) { /* for the next summary, without asking for the time again */
        count(audit, record);
        return;
    }
    now_ms = audit->now_ms();
    if (take_token(audit, record->verdict, now_ms))
        write_record(audit, record);
    else
        count(audit, record);
    summarise(audit, now_ms);
}

void audit_summarise(struct audit *audit)
{
    summarise(audit, audit->now_ms());
}
