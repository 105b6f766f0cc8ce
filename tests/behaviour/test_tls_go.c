/* SPDX-License-Identifier: MIT */
/*
 * test_tls_go.c - anyc and Go's crypto/tls: its clients, its servers.
 *
 * It resumes by tickets only. Its program counts the records: 24 bytes of each are AES-GCM's.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include "tls_script.h"

ANYC_TEST(test_tls_go__client_echoes)
{
    tls_script_client_echoes(TLS_GO);
}

ANYC_TEST(test_tls_go__client_sees_the_certificate)
{
    tls_script_client_sees_the_certificate(TLS_GO);
}

ANYC_TEST(test_tls_go__client_gets_the_certificate_of_the_name)
{
    tls_script_client_gets_the_certificate_of_the_name(TLS_GO);
}

ANYC_TEST(test_tls_go__client_ciphers)
{
    tls_script_client_ciphers(TLS_GO);
}

ANYC_TEST(test_tls_go__client_alpn)
{
    tls_script_client_alpn(TLS_GO);
}

ANYC_TEST(test_tls_go__client_certificates)
{
    tls_script_client_certificates(TLS_GO);
}

ANYC_TEST(test_tls_go__client_is_refused)
{
    tls_script_client_is_refused(TLS_GO);
}

ANYC_TEST(test_tls_go__client_resumes_by_ticket)
{
    tls_script_client_resumes(TLS_GO, "tickets=1", true);
}

ANYC_TEST(test_tls_go__client_does_not_resume_if_that_is_off)
{
    tls_script_client_resumes(TLS_GO, "tickets=1", false);
}

ANYC_TEST(test_tls_go__client_takes_large_records)
{
    tls_script_client_takes(TLS_GO, tls_talk_large, TLS_LARGE,
                            "records in 64 largest 16408 out 0 largest 0\n");
}

ANYC_TEST(test_tls_go__client_takes_tiny_records)
{
    tls_script_client_takes(TLS_GO, tls_talk_tiny, TLS_TINY,
                            "records in 320 largest 25 out 0 largest 0\n");
}

ANYC_TEST(test_tls_go__client_sends_large_records)
{
    tls_script_client_sends(TLS_GO, TLS_LARGE, TLS_LARGE);
}

ANYC_TEST(test_tls_go__client_sends_tiny_records)
{
    tls_script_client_sends(TLS_GO, TLS_TINY, 1);
}

ANYC_TEST(test_tls_go__client_ends)
{
    tls_script_client_ends(TLS_GO);
}

/* As Go's programs do: they tell the end, and do not wait for the answer. */
ANYC_TEST(test_tls_go__client_ends_in_a_hurry)
{
    struct tls_server *server = tls_server_start(NULL);
    struct tls_program *client =
        tls_script_client(TLS_GO, server->port, "connections=5 close=hurry");

    ck_assert_ends(client, 0);
    ck_assert_int_eq(tls_program_count(client, "data 6 right\n"), 5);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(tls_server_facts(server, i)->end, ANYC_EOF);
        ck_assert_int_eq(tls_server_facts(server, i)->close, 0);
    }
    tls_program_free(client);
    tls_server_stop(server);
}

ANYC_TEST(test_tls_go__client_hears_the_end)
{
    tls_script_client_hears_the_end(TLS_GO);
}

ANYC_TEST(test_tls_go__server_echoes)
{
    tls_script_server_echoes(TLS_GO);
}

ANYC_TEST(test_tls_go__server_shows_its_certificate)
{
    tls_script_server_shows_its_certificate(TLS_GO);
}

ANYC_TEST(test_tls_go__server_chooses_by_name)
{
    tls_script_server_chooses_by_name(TLS_GO);
}

ANYC_TEST(test_tls_go__server_ciphers)
{
    tls_script_server_ciphers(TLS_GO);
}

ANYC_TEST(test_tls_go__server_alpn)
{
    tls_script_server_alpn(TLS_GO);
}

ANYC_TEST(test_tls_go__server_certificates)
{
    tls_script_server_certificates(TLS_GO);
}

ANYC_TEST(test_tls_go__server_refuses)
{
    tls_script_server_refuses(TLS_GO);
}

ANYC_TEST(test_tls_go__server_is_refused)
{
    tls_script_server_is_refused(TLS_GO);
}

ANYC_TEST(test_tls_go__server_resumes_by_ticket)
{
    tls_script_server_resumes(TLS_GO, "tickets=1", true);
}

ANYC_TEST(test_tls_go__server_does_not_resume_if_that_is_off)
{
    tls_script_server_resumes(TLS_GO, "tickets=1", false);
}

ANYC_TEST(test_tls_go__server_large_records)
{
    tls_script_server_data(TLS_GO, TLS_LARGE, TLS_LARGE, "records in 64 largest 16408 ");
}

ANYC_TEST(test_tls_go__server_tiny_records)
{
    tls_script_server_data(TLS_GO, TLS_TINY, 1, "records in 320 largest 25 out ");
}

ANYC_TEST(test_tls_go__server_ends)
{
    tls_script_server_ends(TLS_GO);
}

ANYC_TEST(test_tls_go__server_hears_the_end)
{
    tls_script_server_hears_the_end(TLS_GO);
}
