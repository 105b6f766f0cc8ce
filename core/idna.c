/* SPDX-License-Identifier: MIT */
/*
 * idna.c - host names beyond ASCII in the form in which they are looked up: IDNA 2008 with the
 * mapping of UTS 46, non-transitional. The system's own encoding (AI_IDN) is not used: it depends
 * on the locale and on what the C library finds at run time.
 */
#include "core/idna.h"

#include <anyc/error.h>

#include "core/alloc.h"
#include "core/error.h"

#include <idn2.h>

static bool idna_is_ascii(const char *host)
{
    for (; *host != '\0'; host++) {
        if ((unsigned char)*host >= 0x80)
            return false;
    }
    return true;
}

static int idna_fail(int code, const char *host)
{
    if (code == IDN2_MALLOC)
        return anyc__fail_plain(ANYC_ENOMEM);
    return anyc__fail(ANYC_EENCODE, 0, "the host name '%s' has no IDNA form: %s", host,
                      idn2_strerror(code));
}

int anyc__idna_encode(const char *host, const char **out_name, char **out_owned)
{
    uint8_t *encoded = NULL;
    char *copy;
    int code;

    if (idna_is_ascii(host)) {
        *out_name = host;
        *out_owned = NULL;
        return 0;
    }
    code = idn2_lookup_u8((const uint8_t *)host, &encoded, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (code != IDN2_OK)
        return idna_fail(code, host);
    copy = anyc__strdup((const char *)encoded);
    idn2_free(encoded);
    if (copy == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    *out_name = copy;
    *out_owned = copy;
    return 0;
}
