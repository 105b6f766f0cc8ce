/* SPDX-License-Identifier: MIT */
/*
 * tls_trust.c - the certificates that a side trusts: files, folders, or the system's.
 *
 * Collections often hold a certificate that the library cannot read, of a kind that it does not
 * have. That one is passed over; only a collection with nothing in it is an error.
 *
 * A system without any collection is none: the context is made, and every verification fails with a
 * word about it.
 */
#include "streams/tls_trust.h"

#include "core/alloc.h"
#include "core/error.h"
#include "streams/tls_error.h"
#include "streams/tls_source.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const trust_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Alpine, Arch, Gentoo */
    "/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, RHEL */
    "/etc/ssl/ca-bundle.pem",                            /* openSUSE */
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* CentOS */
    "/etc/pki/tls/cacert.pem",                           /* OpenELEC */
    "/etc/ssl/cert.pem",                                 /* Alpine, the BSDs */
    NULL,
};

static const char *const trust_folders[] = {"/etc/ssl/certs", "/etc/pki/tls/certs", NULL};

static int trust_count(const mbedtls_x509_crt *chain)
{
    int count = 0;

    for (; chain != NULL && chain->version != 0; chain = chain->next)
        count++;
    return count;
}

/* Appends what can be read of a text. Answers how many certificates that is, or ANYC_ENOMEM; the
 * library's code tells why one could not be read. */
static int trust_parse(mbedtls_x509_crt *chain, const struct tls_text *text, int *out_library_code)
{
    int before = trust_count(chain);
    int code = mbedtls_x509_crt_parse(chain, text->data, anyc__tls_text_parse_len(text));

    *out_library_code = code;
    if (code < 0 && anyc__tls_shim_is_no_memory(code))
        return anyc__fail_plain(ANYC_ENOMEM);
    return trust_count(chain) - before;
}

static int trust_load_source(mbedtls_x509_crt *chain, const anyc_tls_source *source)
{
    struct tls_text text;
    int library_code = 0;
    int rc = anyc__tls_text_read(&text, source);

    if (rc < 0)
        return rc;
    rc = trust_parse(chain, &text, &library_code);
    if (rc == 0)
        rc = anyc__tls_fail(ANYC_ETLS, library_code, "no certificate to trust in %s", text.name);
    anyc__tls_text_deinit(&text);
    return rc < 0 ? rc : 0;
}

/* -- folders -- */

/* Appends the file's certificates if it is a regular file that has some. Answers how many, or
 * ANYC_ENOMEM. */
static int trust_try_file(mbedtls_x509_crt *chain, const char *path)
{
    const anyc_tls_source source = {.file = path};
    struct tls_text text;
    struct stat info;
    int library_code;
    int rc;

    if (stat(path, &info) < 0 || !S_ISREG(info.st_mode))
        return 0;
    rc = anyc__tls_text_read(&text, &source);
    if (rc < 0)
        return rc == ANYC_ENOMEM ? rc : 0;
    rc = trust_parse(chain, &text, &library_code);
    anyc__tls_text_deinit(&text);
    return rc;
}

static char *trust_join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = anyc__alloc(size);

    if (path == NULL)
        anyc__fail_plain(ANYC_ENOMEM);
    else
        (void)snprintf(path, size, "%s/%s", folder, name);
    return path;
}

/* Answers how many certificates it has found, or an error. */
static int trust_load_folder(mbedtls_x509_crt *chain, const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int count = 0;
    int rc = 0;

    if (dir == NULL)
        return anyc__fail_errno(errno, "%s", folder);
    for (entry = readdir(dir); rc >= 0 && entry != NULL; entry = readdir(dir)) {
        char *path = trust_join(folder, entry->d_name);

        rc = path == NULL ? ANYC_ENOMEM : trust_try_file(chain, path);
        anyc__free(path);
        count += rc > 0 ? rc : 0;
    }
    closedir(dir);
    return rc < 0 ? rc : count;
}

static int trust_fail_empty(const char *folders)
{
    return anyc__fail(ANYC_ETLS, 0, "no certificate to trust in %s", folders);
}

/* -- the system -- */

/* The folders of a list with ":" between them; those that are not there are passed over. */
static int trust_load_list(mbedtls_x509_crt *chain, const char *list)
{
    char *copy = anyc__strdup(list);
    char *rest = NULL;
    int count = 0;
    int rc = 0;

    if (copy == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    for (char *folder = strtok_r(copy, ":", &rest); rc != ANYC_ENOMEM && folder != NULL;
         folder = strtok_r(NULL, ":", &rest)) {
        rc = trust_load_folder(chain, folder);
        count += rc > 0 ? rc : 0;
    }
    anyc__free(copy);
    if (rc == ANYC_ENOMEM)
        return rc;
    return count > 0 ? 0 : trust_fail_empty(list);
}

/* The variable's value, NULL if it is empty too; not for programs with more rights than who calls
 * them. */
static const char *trust_environment(const char *name)
{
    const char *value = secure_getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

static int trust_load_places(mbedtls_x509_crt *chain, const struct tls_trust_places *places)
{
    int rc = 0;

    for (size_t i = 0; places->files[i] != NULL; i++) {
        if (access(places->files[i], R_OK) == 0)
            return trust_load_source(chain, &(anyc_tls_source){.file = places->files[i]});
    }
    for (size_t i = 0; rc == 0 && places->folders[i] != NULL; i++) {
        if (access(places->folders[i], R_OK | X_OK) == 0)
            rc = trust_load_folder(chain, places->folders[i]);
    }
    return rc < 0 ? rc : 0;
}

int anyc__tls_trust_load_system(mbedtls_x509_crt *chain, const struct tls_trust_places *places)
{
    const char *file = trust_environment("SSL_CERT_FILE");
    const char *folders = trust_environment("SSL_CERT_DIR");
    int rc = 0;

    if (file == NULL && folders == NULL)
        return trust_load_places(chain, places);
    if (file != NULL)
        rc = trust_load_source(chain, &(anyc_tls_source){.file = file});
    if (rc >= 0 && folders != NULL)
        rc = trust_load_list(chain, folders);
    return rc;
}

int anyc__tls_trust_load(mbedtls_x509_crt *chain, const anyc_tls_context_options *options)
{
    static const struct tls_trust_places places = {trust_files, trust_folders};
    bool has_ca = anyc__tls_source_exists(&options->ca);
    int rc = 0;

    if (!has_ca && options->ca_directory == NULL)
        return options->server_side ? 0 : anyc__tls_trust_load_system(chain, &places);
    if (has_ca)
        rc = trust_load_source(chain, &options->ca);
    if (rc >= 0 && options->ca_directory != NULL) {
        rc = trust_load_folder(chain, options->ca_directory);
        if (rc == 0)
            rc = trust_fail_empty(options->ca_directory);
    }
    return rc < 0 ? rc : 0;
}
