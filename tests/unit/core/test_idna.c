/* SPDX-License-Identifier: MIT */
/*
 * test_idna.c - host names beyond ASCII.
 */
#include <check.h>

#include <anyc/error.h>
#include <anyc/testing.h>

#include <string.h>

#include "core/alloc.h"
#include "core/idna.h"
#include "support/fail_alloc.h"

/* NT-R038: non-transitional, and mapped as UTS 46 says (case, width, full stops). */
ANYC_TEST_PLAIN(test_idna__encodes_names_beyond_ascii)
{
    static const char *const pairs[][2] = {
        {"faß.de", "xn--fa-hia.de"},
        {"βόλος.com", "xn--nxasmm1c.com"},
        {"Bücher.Example", "xn--bcher-kva.example"},
        {"bu\xcc\x88"
         "cher.example",
         "xn--bcher-kva.example"},
        {"日本語。jp", "xn--wgv71a119e.jp"},
        {"ＥＸＡＭＰＬＥ.org", "example.org"},
        {"_srv.bücher.example", "_srv.xn--bcher-kva.example"},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *name = NULL;
        char *owned = NULL;

        ck_assert_int_eq(anyc__idna_encode(pairs[i][0], &name, &owned), 0);
        ck_assert_str_eq(name, pairs[i][1]);
        ck_assert_ptr_eq(owned, name);
        anyc__free(owned);
    }
}

/* NT-R038: what is ASCII goes through untouched, whatever it is. */
ANYC_TEST_PLAIN(test_idna__leaves_ascii_alone)
{
    static const char *const names[] = {"fass.de", "FaSS.De",   "under_score",
                                        "xn--0",   "192.0.2.1", "::1",
                                        "",        "..",        "-.-%with spaces"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *name = NULL;
        char *owned = NULL;

        ck_assert_int_eq(anyc__idna_encode(names[i], &name, &owned), 0);
        ck_assert_ptr_eq(name, names[i]);
        ck_assert_ptr_null(owned);
    }
}

ANYC_TEST(test_idna__refuses_what_has_no_form)
{
    char longest[80] = "ä";
    const char *const names[] = {"\xff\xfe", "a\xcc", "ä-\xe2\x80\x8d.de", "\xcc\x88x.de", longest};
    const char *name = NULL;
    char *owned = NULL;

    memset(longest + 2, 'a', 70);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_int_eq(anyc__idna_encode(names[i], &name, &owned), ANYC_EENCODE);
    ck_assert_ptr_nonnull(strstr(anyc_last_error()->message, longest));
}

ANYC_TEST_PLAIN(test_idna__answers_when_memory_runs_out)
{
    const char *name = NULL;
    char *owned = NULL;

    fail_alloc_install();
    fail_alloc_arm(1);
    ck_assert_int_eq(anyc__idna_encode("faß.de", &name, &owned), ANYC_ENOMEM);
    ck_assert(fail_alloc_disarm());
    ck_assert_ptr_null(owned);
}
