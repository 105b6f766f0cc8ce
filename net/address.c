/* SPDX-License-Identifier: MIT */
/*
 * address.c - socket addresses and their texts.
 *
 * Socket addresses are copied before they are read: a caller's buffer may be aligned for
 * struct sockaddr only.
 */
#include "net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define ADDRESS_PATH_OFFSET offsetof(struct sockaddr_un, sun_path)
#define ADDRESS_SCOPE_TEXT_MAX 10 /* digits of a uint32_t */

static bool address_fits(const struct sockaddr *address, socklen_t len, sa_family_t family,
                         size_t size)
{
    return len >= sizeof(sa_family_t) && address->sa_family == family && len >= size;
}

/* The name of a UNIX socket in readable form; an abstract one begins with '@'. */
static void address_unix_text(const struct sockaddr *address, socklen_t len, char *out_text,
                              size_t size)
{
    const char *path = (const char *)address + ADDRESS_PATH_OFFSET;
    size_t count = len > ADDRESS_PATH_OFFSET ? len - ADDRESS_PATH_OFFSET : 0;
    size_t n = 0;

    if (count > 0 && path[0] != '\0')
        count = strnlen(path, count);
    for (; n < count && n + 1 < size; n++) {
        unsigned char byte = (unsigned char)path[n];

        out_text[n] = byte < 0x20 || byte == 0x7f ? '?' : path[n];
        if (n == 0 && byte == '\0')
            out_text[n] = '@';
    }
    out_text[n] = '\0';
}

static void address_inet_text(const struct sockaddr *address, char *out_text, size_t size)
{
    struct sockaddr_in in;
    char host[INET_ADDRSTRLEN];

    memcpy(&in, address, sizeof in);
    inet_ntop(AF_INET, &in.sin_addr, host, sizeof host);
    snprintf(out_text, size, "%s", host);
}

static void address_inet6_text(const struct sockaddr *address, char *out_text, size_t size)
{
    struct sockaddr_in6 in6;
    char host[INET6_ADDRSTRLEN];

    memcpy(&in6, address, sizeof in6);
    inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof host);
    if (in6.sin6_scope_id == 0)
        snprintf(out_text, size, "%s", host);
    else
        snprintf(out_text, size, "%s%%%u", host, in6.sin6_scope_id);
}

void anyc__address_host(const struct sockaddr *address, socklen_t len, char *out_text, size_t size)
{
    if (address_fits(address, len, AF_INET, sizeof(struct sockaddr_in))) {
        address_inet_text(address, out_text, size);
    } else if (address_fits(address, len, AF_INET6, sizeof(struct sockaddr_in6))) {
        address_inet6_text(address, out_text, size);
    } else if (address_fits(address, len, AF_UNIX, ADDRESS_PATH_OFFSET)) {
        address_unix_text(address, len, out_text, size);
    } else {
        snprintf(out_text, size, "address of family %d",
                 len < sizeof(sa_family_t) ? 0 : address->sa_family);
    }
}

void anyc__address_format(const struct sockaddr *address, socklen_t len, char *out_text,
                          size_t size)
{
    char host[ANYC__ADDRESS_TEXT_SIZE];
    bool inet = address_fits(address, len, AF_INET, sizeof(struct sockaddr_in));
    bool inet6 = address_fits(address, len, AF_INET6, sizeof(struct sockaddr_in6));

    anyc__address_host(address, len, host, sizeof host);
    if (inet6)
        snprintf(out_text, size, "[%s]:%d", host, anyc__address_port(address));
    else if (inet)
        snprintf(out_text, size, "%s:%d", host, anyc__address_port(address));
    else
        snprintf(out_text, size, "%s", host);
}

/* Where the port is stored, network order; 0: the family has none. */
static size_t address_port_offset(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return offsetof(struct sockaddr_in, sin_port);
    if (address->sa_family == AF_INET6)
        return offsetof(struct sockaddr_in6, sin6_port);
    return 0;
}

int anyc__address_port(const struct sockaddr *address)
{
    size_t offset = address_port_offset(address);
    in_port_t port;

    if (offset == 0)
        return -1;
    memcpy(&port, (const char *)address + offset, sizeof port);
    return ntohs(port);
}

void anyc__address_set_port(struct sockaddr *address, int port)
{
    size_t offset = address_port_offset(address);
    in_port_t value = htons((uint16_t)port);

    if (offset != 0)
        memcpy((char *)address + offset, &value, sizeof value);
}

bool anyc__address_parse_scope(const char *text, uint32_t *out_scope)
{
    unsigned int index = if_nametoindex(text);
    size_t digits = strspn(text, "0123456789");
    unsigned long long number;

    if (index == 0) {
        if (digits == 0 || digits > ADDRESS_SCOPE_TEXT_MAX || text[digits] != '\0')
            return false;
        number = strtoull(text, NULL, 10);
        if (number > UINT32_MAX)
            return false;
        index = (unsigned int)number;
    }
    *out_scope = index;
    return true;
}

/* "address" or "address%scope". */
static bool address_parse_inet6(const char *host, struct sockaddr_in6 *out_in6)
{
    const char *percent = strchr(host, '%');
    size_t len = percent == NULL ? strlen(host) : (size_t)(percent - host);
    char text[INET6_ADDRSTRLEN];

    if (len >= sizeof text)
        return false;
    memcpy(text, host, len);
    text[len] = '\0';
    if (inet_pton(AF_INET6, text, &out_in6->sin6_addr) != 1)
        return false;
    return percent == NULL || anyc__address_parse_scope(percent + 1, &out_in6->sin6_scope_id);
}

bool anyc__address_parse(const char *host, int port, struct sockaddr_storage *out_address,
                         socklen_t *out_len)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};

    if (inet_pton(AF_INET, host, &in.sin_addr) == 1) {
        memcpy(out_address, &in, sizeof in);
        *out_len = sizeof in;
        return true;
    }
    if (address_parse_inet6(host, &in6)) {
        memcpy(out_address, &in6, sizeof in6);
        *out_len = sizeof in6;
        return true;
    }
    return false;
}

static bool address_equal_inet(const struct sockaddr *a, const struct sockaddr *b)
{
    struct sockaddr_in left;
    struct sockaddr_in right;

    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return left.sin_addr.s_addr == right.sin_addr.s_addr && left.sin_port == right.sin_port;
}

static bool address_equal_inet6(const struct sockaddr *a, const struct sockaddr *b)
{
    struct sockaddr_in6 left;
    struct sockaddr_in6 right;

    memcpy(&left, a, sizeof left);
    memcpy(&right, b, sizeof right);
    return memcmp(&left.sin6_addr, &right.sin6_addr, sizeof left.sin6_addr) == 0 &&
           left.sin6_scope_id == right.sin6_scope_id && left.sin6_port == right.sin6_port;
}

bool anyc__address_equal(const struct sockaddr *a, socklen_t a_len, const struct sockaddr *b,
                         socklen_t b_len)
{
    if (a_len != b_len || a_len < sizeof(sa_family_t) || a->sa_family != b->sa_family)
        return false;
    if (address_fits(a, a_len, AF_INET, sizeof(struct sockaddr_in)))
        return address_equal_inet(a, b);
    if (address_fits(a, a_len, AF_INET6, sizeof(struct sockaddr_in6)))
        return address_equal_inet6(a, b);
    return memcmp(a, b, a_len) == 0;
}
