/* IP addresses of both families in one type, and what multicast routing must know of them. */
#ifndef NB_ADDRESS_H
#define NB_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAMILY_NONE = 0, FAMILY_IPV4 = 4, FAMILY_IPV6 = 6 };

enum {
    ADDRESS_TEXT_MAX = 46,                  /* INET6_ADDRSTRLEN */
    PREFIX_TEXT_MAX = ADDRESS_TEXT_MAX + 4, /* "/128" */
};

struct address {
    uint8_t family;    /* FAMILY_*; NONE: not given */
    uint8_t bytes[16]; /* network order; IPv4 uses the first four, the rest is zero */
};

/* All addresses that share the first bits. */
struct prefix {
    struct address address; /* the bits behind the length are zero */
    uint8_t length;         /* in bits; a single address has all of them */
};

/* An address that a host has on a link, and the length of the prefix that is on this link. */
struct host_address {
    struct address address;
    uint8_t length;
};

/* Reads one address in its usual text form, without prefix length, zone or white space. */
bool address_parse(const char *text, struct address *ret);

/* Writes the usual text form to text[ADDRESS_TEXT_MAX] and returns text. */
const char *address_format(const struct address *address, char *text);

/* The unspecified address (0.0.0.0 or ::) of a family: in a route it stands for any source. */
struct address address_any(uint8_t family);

bool address_is_any(const struct address *address);
bool address_is_multicast(const struct address *address);
bool address_equal(const struct address *a, const struct address *b);

/* The bits of an address of the family: 32 or 128. */
unsigned family_bits(uint8_t family);

/* The prefix of this length around an address, which may have other bits behind it. */
struct prefix prefix_of(const struct address *address, unsigned length);

/* The one address, as a prefix. */
struct prefix prefix_single(const struct address *address);

/* What the text of a prefix can have wrong. */
enum prefix_fault { PREFIX_RIGHT, PREFIX_NO_ADDRESS, PREFIX_WRONG_LENGTH, PREFIX_HAS_HOST_BITS };

/* Reads an address, or an address, '/' and a length. Sets *ret also where the address has bits
 * behind the length, which are masked, and to the address alone where the length is wrong. */
enum prefix_fault prefix_read(const char *text, struct prefix *ret);

/* The same for readers who let bits behind the length pass. */
bool prefix_parse(const char *text, struct prefix *ret);

/* Writes it to text[PREFIX_TEXT_MAX] and returns text. A single address has no length, nor has the
 * prefix of all addresses, which is the unspecified one. */
const char *prefix_format(const struct prefix *prefix, char *text);

/* Reads an address, '/' and a length, which is needed. PREFIX_HAS_HOST_BITS is none of its faults.
 */
enum prefix_fault host_address_read(const char *text, struct host_address *ret);

/* Writes it to text[PREFIX_TEXT_MAX], always with its length, and returns text. */
const char *host_address_format(const struct host_address *host, char *text);

/* Whether a host may have it: not unspecified, loopback, multicast or reserved (RFC 6890), nor the
 * first address of a prefix or the last one of an IPv4 prefix, which have a meaning (RFC 1122,
 * 3.2.1.3; RFC 4291, 2.6.1), unless it has two addresses or one (RFC 3021, RFC 6164). */
bool host_address_is_sound(const struct host_address *host);

bool prefix_is_single(const struct prefix *prefix);

/* Whether all of its addresses are multicast groups. */
bool prefix_is_multicast(const struct prefix *prefix);

/* Whether all of its groups stay on their link. */
bool prefix_is_link_scoped(const struct prefix *groups);

bool prefix_equal(const struct prefix *a, const struct prefix *b);

/* Whether the address, or each address of the inner prefix, is of the prefix. */
bool prefix_has(const struct prefix *prefix, const struct address *address);
bool prefix_covers(const struct prefix *prefix, const struct prefix *inner);

/* Whether any address is of both. */
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);

/* Whether a multicast group stays on its link: 224.0.0.0/24 (RFC 5771 section 4), and IPv6 scopes
 * 0 to 2 (RFC 7346: reserved, interface-local, link-local). Routers forward none of these. */
bool address_is_link_scoped(const struct address *group);

/* The id of the kernel's multicast routing table: table itself, or, where it is 0, the family's
 * default. */
uint32_t family_table(uint8_t family, uint32_t table);

/* "ipv4" or "ipv6". */
const char *family_name(uint8_t family);

#endif
