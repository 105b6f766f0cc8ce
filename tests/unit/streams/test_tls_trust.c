/* SPDX-License-Identifier: MIT */
/*
 * test_tls_trust.c - whom a context trusts, and where the system keeps its certificates.
 */
#include <check.h>

#include <anyc/cancel.h>
#include <anyc/error.h>
#include <anyc/lowlevel.h>
#include <anyc/task.h>
#include <anyc/testing.h>
#include <anyc/tls_context.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/task.h"
#include "streams/tls_settings.h"
#include "streams/tls_trust.h"
#include "support/fail_alloc.h"
#include "support/steps.h"
#include "support/tls_files.h"
#include "tls_shake.h"

#define CA_PEM TLS_FILE("ca.pem")
#define OTHER_CA_PEM TLS_FILE("other_ca.pem")

/* Let this be the system's file of certificates, and nothing else. */
static void use_file(const char *path)
{
    setenv("SSL_CERT_FILE", path, 1);
    unsetenv("SSL_CERT_DIR");
}

/* How many certificates does a context trust? */
static int count_trusted(anyc_tls_context *context)
{
    struct tls_config *config = anyc__tls_context_config(context);
    int count = 0;

    for (const mbedtls_x509_crt *next = &config->parts->settings->trusted;
         next != NULL && next->version != 0; next = next->next)
        count++;
    anyc__tls_config_unref(config);
    return count;
}

/* Makes a client's context. Answers how many certificates it trusts, or the error. */
static int trust(anyc_tls_context_options options)
{
    anyc_tls_context *context = NULL;
    int rc = anyc_tls_context_create(&options, &context);

    if (rc >= 0)
        rc = count_trusted(context);
    anyc_tls_context_destroy(context);
    return rc;
}

/* -- a folder for a test -- */

struct folder {
    char path[32];
};

static void folder_make(struct folder *folder)
{
    strcpy(folder->path, "/tmp/anyc-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder->path));
}

/* Adds a file of this text, and behind it what is in other files, ended by NULL. */
static void folder_add(const struct folder *folder, const char *name, const char *text,
                       const char *const *files)
{
    char path[128];
    FILE *out;

    snprintf(path, sizeof path, "%s/%s", folder->path, name);
    out = fopen(path, "wb");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    for (; *files != NULL; files++) {
        FILE *in = fopen(*files, "rb");
        char buf[8192];
        size_t n;

        ck_assert_ptr_nonnull(in);
        n = fread(buf, 1, sizeof buf, in);
        ck_assert_uint_eq(fwrite(buf, 1, n, out), n);
        fclose(in);
    }
    fclose(out);
}

static void folder_remove(const struct folder *folder)
{
    char command[64];

    snprintf(command, sizeof command, "rm -r %s", folder->path);
    ck_assert_ok(system(command));
}

static const char *const no_files[] = {NULL};
static const char *const ca_files[] = {CA_PEM, NULL};
static const char *const both_files[] = {CA_PEM, OTHER_CA_PEM, NULL};

/* -- what the options name -- */

ANYC_TEST_PLAIN(test_tls_trust__a_file_names_whom_to_trust)
{
    ck_assert_int_eq(trust((anyc_tls_context_options){.ca.file = CA_PEM}), 1);
    ck_assert_int_eq(trust((anyc_tls_context_options){.ca.file = TLS_FILE("localhost.der")}), 1);
}

ANYC_TEST_PLAIN(test_tls_trust__memory_names_whom_to_trust)
{
    char text[8192];
    FILE *file = fopen(CA_PEM, "rb");
    size_t len = fread(text, 1, sizeof text / 2, file);

    fclose(file);
    ck_assert_int_eq(trust((anyc_tls_context_options){.ca = {.data = text, .len = len}}), 1);
    memcpy(text + len, text, len);
    ck_assert_int_eq(trust((anyc_tls_context_options){.ca = {.data = text, .len = 2 * len}}), 2);
}

ANYC_TEST_PLAIN(test_tls_trust__in_a_bundle_what_cannot_be_read_is_passed_over)
{
    static const char junk[] =
        "# Some CA\n-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----\n"
        "-----BEGIN CERTIFICATE-----\nnot base64\n-----END CERTIFICATE-----\n# The other\n";
    struct folder folder;
    char path[64];

    folder_make(&folder);
    folder_add(&folder, "bundle.pem", junk, both_files);
    snprintf(path, sizeof path, "%s/bundle.pem", folder.path);
    ck_assert_int_eq(trust((anyc_tls_context_options){.ca.file = path}), 2);
    folder_remove(&folder);
}

ANYC_TEST_PLAIN(test_tls_trust__a_file_without_any_certificate_is_an_error)
{
    ck_assert_int_eq(trust((anyc_tls_context_options){.ca.file = TLS_FILE("ca.key")}), ANYC_ETLS);
    ck_assert_has(anyc_last_error()->message, "ca.key");
    ck_assert_int_eq(trust((anyc_tls_context_options){.ca.file = TLS_FILE("README.md")}),
                     ANYC_ETLS);
    ck_assert_has(anyc_last_error()->message, "README.md");
    ck_assert_int_eq(trust((anyc_tls_context_options){.ca.file = "no/such/file"}), -ENOENT);
    ck_assert_has(anyc_last_error()->message, "no/such/file");
    ck_assert_int_eq(trust((anyc_tls_context_options){.ca = {.data = "x", .len = 1}}), ANYC_ETLS);
    ck_assert_has(anyc_last_error()->message, "in memory");
}

ANYC_TEST_PLAIN(test_tls_trust__of_a_folder_every_certificate_is_trusted)
{
    struct folder folder;
    char path[64];

    folder_make(&folder);
    folder_add(&folder, "a.pem", "", ca_files);
    folder_add(&folder, "b", "", both_files);
    folder_add(&folder, "readme", "no certificate", no_files);
    folder_add(&folder, "empty", "", no_files);
    snprintf(path, sizeof path, "%s/sub", folder.path);
    ck_assert_ok(mkdir(path, 0700));
    snprintf(path, sizeof path, "%s/link", folder.path);
    ck_assert_ok(symlink(OTHER_CA_PEM, path));
    snprintf(path, sizeof path, "%s/dead", folder.path);
    ck_assert_ok(symlink("nowhere", path));
    ck_assert_int_eq(trust((anyc_tls_context_options){.ca_directory = folder.path}), 4);
    ck_assert_int_eq(
        trust((anyc_tls_context_options){.ca.file = CA_PEM, .ca_directory = folder.path}), 5);
    folder_remove(&folder);
}

ANYC_TEST_PLAIN(test_tls_trust__a_folder_without_any_certificate_is_an_error)
{
    struct folder folder;

    folder_make(&folder);
    folder_add(&folder, "readme", "no certificate", no_files);
    ck_assert_int_eq(trust((anyc_tls_context_options){.ca_directory = folder.path}), ANYC_ETLS);
    ck_assert_has(anyc_last_error()->message, folder.path);
    ck_assert_int_eq(trust((anyc_tls_context_options){.ca_directory = "no/such/folder"}), -ENOENT);
    ck_assert_has(anyc_last_error()->message, "no/such/folder");
    folder_remove(&folder);
}

ANYC_TEST_PLAIN(test_tls_trust__who_verifies_nobody_reads_nothing)
{
    use_file("no/such/file");
    ck_assert_int_eq(trust((anyc_tls_context_options){.verify = ANYC_TLS_VERIFY_NONE}), 0);
}

ANYC_TEST_PLAIN(test_tls_trust__a_server_trusts_nobody_by_default)
{
    const anyc_tls_certificate own = {.chain.file = TLS_FILE("localhost.pem"),
                                      .key.file = TLS_FILE("localhost.key")};

    use_file(CA_PEM);
    ck_assert_int_eq(trust((anyc_tls_context_options){.server_side = true,
                                                      .certificates = &own,
                                                      .certificate_count = 1,
                                                      .verify = ANYC_TLS_VERIFY_REQUIRED}),
                     0);
}

/* -- the system's: TL-R013 -- */

ANYC_TEST_PLAIN(test_tls_trust__the_environment_names_the_systems_certificates)
{
    struct folder folder;
    char list[128];

    folder_make(&folder);
    folder_add(&folder, "both.pem", "", both_files);
    use_file(CA_PEM);
    ck_assert_int_eq(trust((anyc_tls_context_options){0}), 1);
    snprintf(list, sizeof list, "no/such/folder:%s::%s", folder.path, folder.path);
    setenv("SSL_CERT_DIR", list, 1);
    ck_assert_int_eq(trust((anyc_tls_context_options){0}), 5);
    setenv("SSL_CERT_FILE", "", 1);
    ck_assert_int_eq(trust((anyc_tls_context_options){0}), 4);
    folder_remove(&folder);
}

ANYC_TEST_PLAIN(test_tls_trust__an_environment_that_names_nothing_is_an_error)
{
    use_file("no/such/file");
    ck_assert_int_eq(trust((anyc_tls_context_options){0}), -ENOENT);
    ck_assert_has(anyc_last_error()->message, "no/such/file");
    unsetenv("SSL_CERT_FILE");
    setenv("SSL_CERT_DIR", "no/such/folder:nor/this", 1);
    ck_assert_int_eq(trust((anyc_tls_context_options){0}), ANYC_ETLS);
    ck_assert_has(anyc_last_error()->message, "no/such/folder:nor/this");
}

static int trust_places(const char *const *files, const char *const *folders)
{
    const struct tls_trust_places places = {files, folders};
    mbedtls_x509_crt chain;
    int rc;

    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    mbedtls_x509_crt_init(&chain);
    rc = anyc__tls_trust_load_system(&chain, &places);
    for (const mbedtls_x509_crt *next = &chain; rc >= 0 && next != NULL && next->version != 0;
         next = next->next)
        rc++;
    mbedtls_x509_crt_free(&chain);
    return rc;
}

ANYC_TEST_PLAIN(test_tls_trust__the_first_usual_place_that_exists_is_taken)
{
    static const char *const files[] = {"no/such/file", CA_PEM, OTHER_CA_PEM, NULL};
    struct folder folder;
    struct folder empty;
    const char *folders[] = {"no/such/folder", empty.path, folder.path, NULL};

    folder_make(&folder);
    folder_make(&empty);
    folder_add(&folder, "both.pem", "", both_files);
    ck_assert_int_eq(trust_places(files, folders), 1);
    ck_assert_int_eq(trust_places(no_files, folders), 2);
    ck_assert_int_eq(trust_places(no_files, no_files), 0);
    folder_remove(&folder);
    folder_remove(&empty);
}

/* -- the default context -- */

struct asker {
    anyc_tls_context *context;
    int rc;
};

static int ask(void *arg)
{
    struct asker *asker = arg;
    anyc_task *task;

    asker->rc = anyc__enter(&task);
    if (asker->rc == 0)
        asker->rc = anyc__tls_default_context(task, &asker->context);
    return 0;
}

/* TL-R013, TL-011 */
ANYC_TEST(test_tls_trust__all_tasks_of_a_run_have_one_default_context)
{
    struct asker askers[5] = {0};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    use_file(CA_PEM);
    ck_assert_ok(anyc_task_group_enter(&group));
    for (size_t i = 0; i < 5; i++)
        ck_assert_ok(anyc_task_group_start_soon(&group, ask, &askers[i], NULL));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    for (size_t i = 0; i < 5; i++) {
        ck_assert_ok(askers[i].rc);
        ck_assert_ptr_nonnull(askers[i].context);
        ck_assert_ptr_eq(askers[i].context, askers[0].context);
    }
    ck_assert_int_eq(count_trusted(askers[0].context), 1);
}

ANYC_TEST(test_tls_trust__a_failed_default_context_is_tried_again)
{
    struct asker asker = {0};

    use_file("no/such/file");
    ck_assert_ok(ask(&asker));
    ck_assert_int_eq(asker.rc, -ENOENT);
    ck_assert_int_eq(anyc_last_error()->os_error, ENOENT);
    ck_assert_has(anyc_last_error()->message, "no/such/file");
    use_file(CA_PEM);
    ck_assert_ok(ask(&asker));
    ck_assert_ok(asker.rc);
}

ANYC_TEST(test_tls_trust__a_cancelled_task_leaves_the_default_context_to_others)
{
    struct asker askers[2] = {0};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    anyc_task_group other = ANYC_TASK_GROUP_INIT;

    use_file(CA_PEM);
    ck_assert_ok(anyc_task_group_enter(&other));
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_start_soon(&group, ask, &askers[0], NULL));
    ck_assert_ok(anyc_task_group_start_soon(&other, ask, &askers[1], NULL));
    ck_assert_ok(anyc_checkpoint());
    anyc_cancel_scope_cancel(anyc_task_group_cancel_scope(&group), NULL);
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_ok(anyc_task_group_exit(&other, 0));
    ck_assert(askers[0].rc == 0 || askers[0].rc == ANYC_ECANCELLED);
    ck_assert_ok(askers[1].rc);
}

static int ask_without_memory(void *arg)
{
    long n = *(long *)arg;
    struct asker asker = {0};

    fail_alloc_arm(n);
    (void)ask(&asker);
    *(long *)arg = fail_alloc_disarm();
    ck_assert_int_eq(asker.rc, *(long *)arg ? ANYC_ENOMEM : 0);
    return 0;
}

ANYC_TEST_PLAIN(test_tls_trust__without_memory_there_is_no_default_context)
{
    long result = 1;

    use_file(CA_PEM);
    fail_alloc_install();
    for (long n = 1; result != 0; n++) {
        result = n;
        ck_assert_ok(anyc_run_with(ask_without_memory, &result,
                                   &(anyc_run_options){.backend = anyc_testing_backend()}));
    }
    ck_assert_int_eq(fail_alloc_live(), 0);
}
