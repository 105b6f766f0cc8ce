/* SPDX-License-Identifier: MIT */
/*
 * test_tls_python.c - anyc and Python's ssl module: its clients, its servers.
 *
 * Its servers remember sessions by their ids too, and its clients offer them.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include "tls_script.h"

ANYC_TEST(test_tls_python__client_echoes)
{
    tls_script_client_echoes(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__client_sees_the_certificate)
{
    tls_script_client_sees_the_certificate(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__client_gets_the_certificate_of_the_name)
{
    tls_script_client_gets_the_certificate_of_the_name(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__client_ciphers)
{
    tls_script_client_ciphers(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__client_alpn)
{
    tls_script_client_alpn(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__client_certificates)
{
    tls_script_client_certificates(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__client_is_refused)
{
    tls_script_client_is_refused(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__client_resumes_by_ticket)
{
    tls_script_client_resumes(TLS_PYTHON, "tickets=1", true);
}

ANYC_TEST(test_tls_python__client_resumes_by_session_id)
{
    tls_script_client_resumes(TLS_PYTHON, "tickets=0", true);
}

ANYC_TEST(test_tls_python__client_does_not_resume_if_that_is_off)
{
    tls_script_client_resumes(TLS_PYTHON, "tickets=1", false);
}

ANYC_TEST(test_tls_python__client_takes_large_records)
{
    tls_script_client_takes(TLS_PYTHON, tls_talk_large, TLS_LARGE, NULL);
}

ANYC_TEST(test_tls_python__client_takes_tiny_records)
{
    tls_script_client_takes(TLS_PYTHON, tls_talk_tiny, TLS_TINY, NULL);
}

ANYC_TEST(test_tls_python__client_sends_large_records)
{
    tls_script_client_sends(TLS_PYTHON, TLS_LARGE, TLS_LARGE);
}

ANYC_TEST(test_tls_python__client_sends_tiny_records)
{
    tls_script_client_sends(TLS_PYTHON, TLS_TINY, 1);
}

ANYC_TEST(test_tls_python__client_ends)
{
    tls_script_client_ends(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__client_hears_the_end)
{
    tls_script_client_hears_the_end(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__server_echoes)
{
    tls_script_server_echoes(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__server_shows_its_certificate)
{
    tls_script_server_shows_its_certificate(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__server_chooses_by_name)
{
    tls_script_server_chooses_by_name(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__server_ciphers)
{
    tls_script_server_ciphers(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__server_alpn)
{
    tls_script_server_alpn(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__server_certificates)
{
    tls_script_server_certificates(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__server_refuses)
{
    tls_script_server_refuses(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__server_is_refused)
{
    tls_script_server_is_refused(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__server_resumes_by_ticket)
{
    tls_script_server_resumes(TLS_PYTHON, "tickets=1", true);
}

ANYC_TEST(test_tls_python__server_resumes_by_session_id)
{
    tls_script_server_resumes(TLS_PYTHON, "tickets=0", true);
}

ANYC_TEST(test_tls_python__server_does_not_resume_if_that_is_off)
{
    tls_script_server_resumes(TLS_PYTHON, "tickets=1", false);
}

ANYC_TEST(test_tls_python__server_large_records)
{
    tls_script_server_data(TLS_PYTHON, TLS_LARGE, TLS_LARGE, NULL);
}

ANYC_TEST(test_tls_python__server_tiny_records)
{
    tls_script_server_data(TLS_PYTHON, TLS_TINY, 1, NULL);
}

ANYC_TEST(test_tls_python__server_ends)
{
    tls_script_server_ends(TLS_PYTHON);
}

ANYC_TEST(test_tls_python__server_hears_the_end)
{
    tls_script_server_hears_the_end(TLS_PYTHON);
}
