#include "route_json.h"

static void write_oifs(struct json *json, const struct route_view *view)
{
    json_key(json, "oifs");
    json_open(json, '[');
    for (uint32_t i = 0; i < view->oif_count; i++)
        json_string(json, view->oifs[i].name);
    json_close(json, ']');
    if (view->family != FAMILY_IPV4)
        return;
    json_key(json, "ttls");
    json_open(json, '[');
    for (uint32_t i = 0; i < view->oif_count; i++)
        json_unsigned(json, view->oifs[i].ttl);
    json_close(json, ']');
}

void route_json_write(struct json *json, const struct route_view *view)
{
    char text[PREFIX_TEXT_MAX];

    json_member_string(json, "source", prefix_format(&view->source, text));
    json_member_string(json, "group", prefix_format(&view->group, text));
    json_member_string(json, "iif", view->iif);
    write_oifs(json, view);
}
