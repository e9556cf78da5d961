#include "switch_scene.h"

#include <stdlib.h>
#include <string.h>

enum { FRAME_MAX = 64, SECOND_NS = 1000000000 };

struct model_bucket {
    uint64_t interval, depth, credit, counted_at;
};

struct model_port {
    bool attached;
    struct switch_port config;
    uint32_t limit;
    struct model_bucket flood, moves;
    struct switch_counters counters;
};

struct model_mac {
    uint8_t mac[SWITCH_MAC_BYTES];
    unsigned port;
    uint64_t seen_ns;
};

/* The list has who was silent for the longest time first. */
struct model {
    struct model_port ports[SCENE_PORTS];
    struct model_mac macs[SCENE_MACS];
    unsigned count;
};

struct scene {
    void *memory;
    struct ether_switch *sw;
    struct model model;
    uint64_t now;
    unsigned fates[SWITCH_DROP_COUNT];
};

/* --- The model's table --------------------------------------------------------------------- */

static void model_remove(struct model *model, unsigned i)
{
    memmove(&model->macs[i], &model->macs[i + 1], (model->count - i - 1) * sizeof model->macs[0]);
    model->count--;
}

static void model_age(struct model *model, uint64_t now)
{
    for (unsigned i = model->count; i-- > 0;)
        if (now - model->macs[i].seen_ns > SECOND_NS &&
            !model->ports[model->macs[i].port].config.locked)
            model_remove(model, i);
}

static struct model_mac *model_find(struct model *model, const uint8_t *mac)
{
    for (unsigned i = 0; i < model->count; i++)
        if (memcmp(model->macs[i].mac, mac, SWITCH_MAC_BYTES) == 0)
            return &model->macs[i];
    return NULL;
}

static unsigned model_count(const struct model *model, unsigned port)
{
    unsigned count = 0;

    for (unsigned i = 0; i < model->count; i++)
        count += model->macs[i].port == port;
    return count;
}

static void model_drop_oldest(struct model *model, unsigned port)
{
    for (unsigned i = 0; i < model->count; i++)
        if (model->macs[i].port == port) {
            model_remove(model, i);
            return;
        }
}

static void model_put(struct model *model, uint64_t now, unsigned port, const uint8_t *mac)
{
    struct model_mac new = {.port = port, .seen_ns = now};
    const struct model_mac *old = model_find(model, mac);

    memcpy(new.mac, mac, SWITCH_MAC_BYTES);
    if (old)
        model_remove(model, (unsigned)(old - model->macs));
    model->macs[model->count++] = new;
}

static void model_learn(struct model *model, uint64_t now, unsigned port, const uint8_t *mac)
{
    struct model_port *self = &model->ports[port];

    self->counters.learned++;
    if (model_count(model, port) == self->limit) {
        self->counters.replaced++;
        model_drop_oldest(model, port);
    }
    model_put(model, now, port, mac);
}

static bool model_take(struct model_bucket *bucket, uint64_t now)
{
    bucket->credit += now - bucket->counted_at;
    bucket->counted_at = now;
    if (bucket->credit > bucket->depth)
        bucket->credit = bucket->depth;
    if (bucket->credit < bucket->interval)
        return false;
    bucket->credit -= bucket->interval;
    return true;
}

/* --- The model's ports --------------------------------------------------------------------- */

static struct model_bucket model_bucket(const struct switch_rate *rate, uint64_t now)
{
    uint64_t interval = rate->per_second ? SECOND_NS / rate->per_second : 0;
    uint64_t depth = interval * (rate->burst ? rate->burst : rate->per_second);

    return (struct model_bucket){interval, depth, depth, now};
}

static bool model_attach(struct model *model, uint64_t now, unsigned port,
                         const struct switch_port *config)
{
    struct model_port *self = &model->ports[port];
    uint32_t limit = config->macs ? config->macs : SCENE_MACS / SCENE_PORTS, sum = limit;

    for (unsigned i = 0; i < SCENE_PORTS; i++)
        sum += model->ports[i].attached ? model->ports[i].limit : 0;
    if (self->attached || sum > SCENE_MACS || (config->locked && config->allowed_count > limit))
        return false;
    *self = (struct model_port){
        true, *config, limit, model_bucket(&config->flood, now), model_bucket(&config->moves, now),
        {0}};
    for (unsigned i = 0; config->locked && i < config->allowed_count; i++) {
        const struct model_mac *known = model_find(model, config->allowed[i]);

        if (!known || !model->ports[known->port].config.locked)
            model_learn(model, now, port, config->allowed[i]);
    }
    return true;
}

static void model_detach(struct model *model, unsigned port)
{
    model->ports[port].attached = false;
    for (unsigned i = model->count; i-- > 0;)
        if (model->macs[i].port == port)
            model_remove(model, i);
}

/* --- The model's way of a frame ------------------------------------------------------------ */

static bool model_may_send_from(const struct switch_port *config, const uint8_t *mac)
{
    bool may = config->allowed_count == 0;

    for (unsigned i = 0; i < config->allowed_count; i++)
        may |= memcmp(config->allowed[i], mac, SWITCH_MAC_BYTES) == 0;
    return may;
}

static enum switch_drop model_judge(struct model *model, uint64_t now, unsigned ingress,
                                    const uint8_t *frame, size_t length)
{
    static const uint8_t zero[SWITCH_MAC_BYTES], reserved[] = {0x01, 0x80, 0xc2, 0, 0};
    struct model_port *port = &model->ports[ingress];
    const uint8_t *source = frame + SWITCH_MAC_BYTES;
    const struct model_mac *known;
    bool moves;

    if (length < SWITCH_HEADER_BYTES)
        return SWITCH_DROP_SHORT;
    if (source[0] & 1 || memcmp(source, zero, sizeof zero) == 0)
        return SWITCH_DROP_SOURCE;
    if (memcmp(frame, reserved, sizeof reserved) == 0 && frame[5] < 16)
        return SWITCH_DROP_RESERVED;
    if (!model_may_send_from(&port->config, source))
        return SWITCH_DROP_SPOOFED;
    known = model_find(model, source);
    moves = known && known->port != ingress;
    if (moves && model->ports[known->port].config.locked)
        return SWITCH_DROP_LOCKED;
    if ((moves || !known) && port->config.locked && model_count(model, ingress) == port->limit)
        return SWITCH_DROP_LIMIT;
    if (moves && !model_take(&port->moves, now))
        return SWITCH_DROP_MOVES;
    return SWITCH_NOT_DROPPED;
}

static void model_see(struct model *model, uint64_t now, unsigned ingress, const uint8_t *mac)
{
    const struct model_mac *known = model_find(model, mac);

    if (known && known->port == ingress) {
        model_put(model, now, ingress, mac);
        return;
    }
    model->ports[ingress].counters.moved += known != NULL;
    model_learn(model, now, ingress, mac);
}

static void model_send(struct model *model, unsigned port, size_t length)
{
    model->ports[port].counters.tx_frames++;
    model->ports[port].counters.tx_bytes += length;
}

static bool model_reaches(const struct model *model, unsigned from, unsigned to)
{
    return from != to && model->ports[to].attached &&
           !(model->ports[from].config.isolated && model->ports[to].config.isolated);
}

static enum switch_drop model_flood(struct model *model, uint64_t now, unsigned ingress,
                                    size_t length, struct switch_verdict *ret)
{
    ret->ports = (struct port_set){0};
    for (unsigned i = 0; i < SCENE_PORTS; i++)
        if (model_reaches(model, ingress, i))
            port_set_add(&ret->ports, i);
    if (port_set_is_empty(&ret->ports))
        return SWITCH_DROP_NOBODY;
    if (!model_take(&model->ports[ingress].flood, now))
        return SWITCH_DROP_FLOOD;
    ret->way = SWITCH_TO_PORTS;
    model->ports[ingress].counters.flooded++;
    for (unsigned i = 0; i < SCENE_PORTS; i++)
        if (port_set_has(&ret->ports, i))
            model_send(model, i, length);
    return SWITCH_NOT_DROPPED;
}

static enum switch_drop model_way(struct model *model, uint64_t now, unsigned ingress,
                                  const uint8_t *frame, size_t length, struct switch_verdict *ret)
{
    enum switch_drop reason = SWITCH_DROP_DETACHED;
    const struct model_mac *known;

    if (model->ports[ingress].attached)
        reason = model_judge(model, now, ingress, frame, length);
    if (reason)
        return reason;
    model_see(model, now, ingress, frame + SWITCH_MAC_BYTES);
    known = model_find(model, frame);
    if (!known)
        return model_flood(model, now, ingress, length, ret);
    if (known->port == ingress)
        return SWITCH_DROP_SAME_PORT;
    if (!model_reaches(model, ingress, known->port))
        return SWITCH_DROP_ISOLATED;
    ret->way = SWITCH_TO_PORT;
    ret->port = known->port;
    model_send(model, known->port, length);
    return SWITCH_NOT_DROPPED;
}

static void model_forward(struct model *model, uint64_t now, unsigned ingress, const uint8_t *frame,
                          size_t length, struct switch_verdict *ret)
{
    struct switch_counters *counters = &model->ports[ingress].counters;

    *ret = (struct switch_verdict){.way = SWITCH_DROP};
    counters->rx_frames++;
    counters->rx_bytes += length;
    ret->reason = model_way(model, now, ingress, frame, length, ret);
    if (ret->reason)
        counters->drops[ret->reason]++;
}

/* --- Both ---------------------------------------------------------------------------------- */

struct scene *scene_new(void)
{
    const struct switch_config config = {SCENE_PORTS, SCENE_MACS, SECOND_NS, {1, 2}};
    struct scene *scene = calloc(1, sizeof *scene);
    size_t bytes = switch_bytes(SCENE_PORTS, SCENE_MACS);

    if (!scene)
        return NULL;
    scene->memory = malloc(bytes);
    if (scene->memory)
        scene->sw = switch_init(scene->memory, bytes, &config);
    if (scene->sw)
        return scene;
    scene_free(scene);
    return NULL;
}

void scene_free(struct scene *scene)
{
    free(scene->memory);
    free(scene);
}

/* The MAC of a byte: mostly one of 32 stations, else broadcast, a group, a reserved group or none.
 */
static void write_mac(uint8_t *mac, uint8_t byte)
{
    static const uint8_t others[8][SWITCH_MAC_BYTES] = {
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        {0x01, 0x00, 0x5e, 0x01, 0x01, 0x01},
        {0x01, 0x80, 0xc2, 0x00, 0x00, 0x0f},
        {0x01, 0x80, 0xc2, 0x00, 0x00, 0x10},
        {0},
    };

    if (byte < 224)
        memcpy(mac, (uint8_t[]){0x02, 0, 0, 0, 0, byte % 32}, SWITCH_MAC_BYTES);
    else
        memcpy(mac, others[byte % 8], SWITCH_MAC_BYTES);
}

static struct switch_port read_config(const uint8_t *bytes)
{
    static const struct switch_rate rates[] = {{0}, {1, 1}, {3, 2}, {10, 0}};
    struct switch_port config = {
        .isolated = bytes[0] & 1,
        .locked = (bytes[0] >> 1 & 3) == 3,
        .macs = bytes[0] >> 3 & 7,
        .flood = rates[bytes[1] & 3],
        .moves = rates[bytes[1] >> 2 & 3],
        .allowed_count = bytes[1] >> 4 & 8 ? bytes[1] >> 4 & 3 : 0,
    };

    for (unsigned i = 0; i < config.allowed_count; i++)
        write_mac(config.allowed[i], (uint8_t)((bytes[2] + i * bytes[3]) % 32));
    return config;
}

static const char *check_attach(struct scene *scene, unsigned port, const uint8_t *bytes)
{
    struct switch_port config = read_config(bytes);

    if (switch_attach(scene->sw, scene->now, port, &config) !=
        model_attach(&scene->model, scene->now, port, &config))
        return "a port is attached by one and not by the other";
    return NULL;
}

static const char *check_detach(struct scene *scene, unsigned port)
{
    switch_detach(scene->sw, port);
    model_detach(&scene->model, port);
    return NULL;
}

static const char *compare(const struct switch_verdict *one, const struct switch_verdict *two)
{
    if (one->way != two->way)
        return "a frame goes different ways";
    if (one->way == SWITCH_DROP && one->reason != two->reason)
        return "a frame is dropped for different reasons";
    if (one->way == SWITCH_TO_PORT && one->port != two->port)
        return "a frame goes to different ports";
    if (one->way == SWITCH_TO_PORTS && memcmp(&one->ports, &two->ports, sizeof one->ports) != 0)
        return "a frame goes to different sets of ports";
    return NULL;
}

static const char *check_frame(struct scene *scene, unsigned ingress, const uint8_t *bytes)
{
    unsigned byte = bytes[2], length = byte < 8 ? byte * 2 : SWITCH_HEADER_BYTES + byte % 48;
    uint8_t header[FRAME_MAX] = {0}, *frame = malloc(length + !length); /* ends where it ends */
    struct switch_verdict verdict, expected;

    if (!frame)
        return "there is memory";
    write_mac(header, bytes[0]);
    write_mac(header + SWITCH_MAC_BYTES, bytes[1]);
    memcpy(frame, header, length);
    switch_forward(scene->sw, scene->now, ingress, frame, length, &verdict);
    model_forward(&scene->model, scene->now, ingress, header, length, &expected);
    free(frame);
    scene->fates[verdict.way == SWITCH_DROP ? verdict.reason : SWITCH_NOT_DROPPED]++;
    return compare(&verdict, &expected);
}

static const char *check_counters(const struct scene *scene)
{
    for (unsigned i = 0; i < SCENE_PORTS; i++)
        if (memcmp(switch_counters(scene->sw, i), &scene->model.ports[i].counters,
                   sizeof(struct switch_counters)) != 0)
            return "something is counted differently";
    return NULL;
}

const char *scene_step(struct scene *scene, const uint8_t bytes[SCENE_STEP_BYTES])
{
    static const uint64_t pauses[] = {0, 1, 1000000, 100000000, SECOND_NS, SECOND_NS + 1};
    unsigned port = bytes[0] % SCENE_PORTS;
    const char *wrong;

    scene->now += pauses[bytes[1] < 250 ? bytes[1] / 63 : bytes[1] - 250];
    model_age(&scene->model, scene->now);
    if (bytes[0] < 240)
        wrong = check_frame(scene, port, bytes + 2);
    else if (bytes[5] & 1)
        wrong = check_detach(scene, port);
    else
        wrong = check_attach(scene, port, bytes + 2);
    return wrong ? wrong : check_counters(scene);
}

static const char *check_mac(struct scene *scene, const struct switch_mac *mac)
{
    const struct model_mac *known = model_find(&scene->model, mac->mac);
    struct switch_mac found;

    if (!known || known->port != mac->port || known->seen_ns != mac->seen_ns)
        return "the dump has what is not so";
    if (!switch_find(scene->sw, scene->now, mac->mac, &found) || found.port != mac->port)
        return "the dump has what is not found";
    return NULL;
}

const char *scene_check_table(struct scene *scene)
{
    struct switch_mac macs[5];
    uint32_t cursor = 0;
    size_t count = 0;

    while (cursor != SWITCH_DUMP_END) {
        size_t more = switch_dump(scene->sw, scene->now, &cursor, macs, 5);

        for (size_t i = 0; i < more; i++) {
            const char *wrong = check_mac(scene, &macs[i]);

            if (wrong)
                return wrong;
        }
        count += more;
    }
    return count == scene->model.count ? NULL : "the dump has another number of MACs";
}

unsigned scene_fate(const struct scene *scene, enum switch_drop reason)
{
    return scene->fates[reason];
}
