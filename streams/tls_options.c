/* SPDX-License-Identifier: MIT */
/*
 * tls_options.c - what the options of a context say, checked and made ready.
 */
#include "streams/tls_settings.h"

#include "core/alloc.h"
#include "core/error.h"
#include "streams/tls_shim_cipher.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#define OPTIONS_PROTOCOL_MAX 255 /* bytes, RFC 7301 section 3.1 */

/* Forward secrecy and authenticated encryption only. AES-128-GCM first: where processors have AES
 * it is the quickest, and strong enough. */
static const char options_ciphers[] = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256:"
                                      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:"
                                      "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:"
                                      "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:"
                                      "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:"
                                      "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:"
                                      "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256:"
                                      "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384:"
                                      "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256";

static const char options_ciphers_tls13[] = "TLS_AES_128_GCM_SHA256:"
                                            "TLS_AES_256_GCM_SHA384:"
                                            "TLS_CHACHA20_POLY1305_SHA256";

/* -- ciphers -- */

/* The ciphers of TLS 1.3 name neither a key exchange nor a signature. */
static bool options_is_tls13(const char *name, size_t len)
{
    static const char *const starts[] = {"TLS_AES_", "TLS_CHACHA20_", "TLS1-3-"};

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        if (len > strlen(starts[i]) && strncmp(name, starts[i], strlen(starts[i])) == 0)
            return true;
    }
    return false;
}

static size_t options_count_names(const char *list)
{
    size_t count = 1;

    for (; *list != '\0'; list++)
        count += *list == ':';
    return count;
}

struct cipher_list {
    int *ids; /* there is room */
    size_t count;
    bool has_tls12;
    bool has_tls13;
};

/* Adds the ciphers of a list. What the library does not have is an error if `strict`, but for the
 * ciphers of TLS 1.3. */
static int options_add_ciphers(struct cipher_list *ciphers, const char *list, bool strict)
{
    for (const char *name = list; name != NULL;) {
        const char *colon = strchr(name, ':');
        size_t len = colon != NULL ? (size_t)(colon - name) : strlen(name);
        bool tls13 = options_is_tls13(name, len);
        int id = anyc__tls_shim_cipher(name, len);

        if (id == 0 && strict && !tls13)
            return anyc__fail(ANYC_EINVAL, 0, "no such cipher: \"%.*s\"", (int)len, name);
        if (id != 0) {
            ciphers->ids[ciphers->count++] = id;
            ciphers->has_tls12 |= !tls13;
            ciphers->has_tls13 |= tls13;
        }
        name = colon != NULL ? colon + 1 : NULL;
    }
    return 0;
}

int anyc__tls_options_ciphers(const char *list, int **out_ciphers)
{
    const char *chosen = list != NULL ? list : options_ciphers;
    size_t room = options_count_names(chosen) + options_count_names(options_ciphers) +
                  options_count_names(options_ciphers_tls13) + 1;
    struct cipher_list ciphers = {.ids = anyc__alloc_array(room, sizeof(int))};
    int rc;

    if (ciphers.ids == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    rc = options_add_ciphers(&ciphers, chosen, list != NULL);
    if (rc < 0) {
        anyc__free(ciphers.ids);
        return rc;
    }
    /* a list speaks of the version whose ciphers it has; the other one keeps the usual ones */
    if (!ciphers.has_tls12)
        (void)options_add_ciphers(&ciphers, options_ciphers, false);
    if (!ciphers.has_tls13)
        (void)options_add_ciphers(&ciphers, options_ciphers_tls13, false);
    ciphers.ids[ciphers.count] = 0;
    *out_ciphers = ciphers.ids;
    return 0;
}

/* -- protocols -- */

static int options_measure_protocols(const char *const *names, size_t *out_count, size_t *out_size)
{
    *out_count = 0;
    *out_size = 0;
    for (; names[*out_count] != NULL; (*out_count)++) {
        size_t len = strlen(names[*out_count]);

        if (len == 0 || len > OPTIONS_PROTOCOL_MAX)
            return anyc__fail(ANYC_EINVAL, 0,
                              "the name of a protocol has %zu bytes, it must be 1 to 255", len);
        *out_size += len + 1;
    }
    return 0;
}

int anyc__tls_options_protocols(const char *const *names, const char ***out_protocols)
{
    const char **protocols;
    size_t count;
    size_t size;
    char *text;
    int rc;

    *out_protocols = NULL;
    if (names == NULL || names[0] == NULL)
        return 0;
    rc = options_measure_protocols(names, &count, &size);
    if (rc < 0)
        return rc;
    protocols = anyc__alloc((count + 1) * sizeof *protocols + size);
    if (protocols == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    text = (char *)(protocols + count + 1);
    for (size_t i = 0; i < count; i++) {
        protocols[i] = text;
        text = stpcpy(text, names[i]) + 1;
    }
    protocols[count] = NULL;
    *out_protocols = protocols;
    return 0;
}

/* -- the rest -- */

static int options_check_versions(const anyc_tls_context_options *options,
                                  struct tls_settings *settings)
{
    int min = options->min_version != 0 ? options->min_version : ANYC_TLS_1_2;
    int max = options->max_version != 0 ? options->max_version : ANYC__TLS_NEWEST;

    if ((min != ANYC_TLS_1_2 && min != ANYC_TLS_1_3) ||
        (max != ANYC_TLS_1_2 && max != ANYC_TLS_1_3))
        return anyc__fail(ANYC_EINVAL, 0, "no such version of TLS: 0x%04x to 0x%04x", (unsigned)min,
                          (unsigned)max);
    if (min > ANYC__TLS_NEWEST || max > ANYC__TLS_NEWEST)
        return anyc__fail(-ENOTSUP, ENOTSUP, "the TLS library (%s) has no TLS 1.3",
                          MBEDTLS_VERSION_STRING_FULL);
    if (min > max)
        return anyc__fail(ANYC_EINVAL, 0, "the lowest version of TLS is above the highest");
    settings->min_version = min;
    settings->max_version = max;
    return 0;
}

static int options_check_verify(const anyc_tls_context_options *options,
                                struct tls_settings *settings)
{
    anyc_tls_verify verify = options->verify;

    if (verify < ANYC_TLS_VERIFY_DEFAULT || verify > ANYC_TLS_VERIFY_REQUIRED)
        return anyc__fail(ANYC_EINVAL, 0, "no such verification: %d", (int)verify);
    if (verify == ANYC_TLS_VERIFY_DEFAULT)
        verify = options->server_side ? ANYC_TLS_VERIFY_NONE : ANYC_TLS_VERIFY_REQUIRED;
    if (verify == ANYC_TLS_VERIFY_OPTIONAL && !options->server_side)
        verify = ANYC_TLS_VERIFY_REQUIRED; /* servers always have a certificate */
    if (verify == ANYC_TLS_VERIFY_NONE && options->verify_peer != NULL)
        return anyc__fail(ANYC_EINVAL, 0,
                          "a verify function, but certificates are not verified: set .verify");
    settings->verify = verify;
    settings->verify_peer = options->verify_peer;
    settings->verify_arg = options->verify_arg;
    settings->check_name =
        !options->server_side && verify != ANYC_TLS_VERIFY_NONE && !options->no_hostname_check;
    return 0;
}

/* How many processors may this thread use? */
static long options_processors(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                       : sysconf(_SC_NPROCESSORS_ONLN);
}

static int options_check_workers(const anyc_tls_context_options *options,
                                 struct tls_settings *settings)
{
    bool wanted = options->workers == ANYC_TLS_WORKERS_ON ||
                  (options->workers == ANYC_TLS_WORKERS_DEFAULT && options_processors() > 1);

    if (options->workers < ANYC_TLS_WORKERS_DEFAULT || options->workers > ANYC_TLS_WORKERS_OFF)
        return anyc__fail(ANYC_EINVAL, 0, "no such choice of workers: %d", (int)options->workers);
    if (options->verify_peer != NULL && !anyc__tls_shim_has_threads())
        return anyc__fail(
            -ENOTSUP, ENOTSUP,
            "a verify function runs in a worker thread, and the TLS library was built "
            "without threads");
    /* a verify function may block */
    settings->in_workers = (wanted && anyc__tls_shim_has_threads()) || options->verify_peer != NULL;
    return 0;
}

int anyc__tls_options_check(const anyc_tls_context_options *options, struct tls_settings *settings)
{
    int rc;

    settings->server_side = options->server_side;
    settings->resumes = !options->no_resumption;
    rc = options_check_versions(options, settings);
    if (rc >= 0)
        rc = options_check_verify(options, settings);
    if (rc >= 0)
        rc = options_check_workers(options, settings);
    return rc;
}
