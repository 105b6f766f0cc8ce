/* SPDX-License-Identifier: MIT */
/*
 * test_http_files.c - http_server --root: what is answered to which request.
 */
#include "examples/http_site.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static void check_has(const char *answer, const char *text)
{
    ck_assert_msg(strstr(answer, text) != NULL, "no %s in %s", text, answer);
}

static void check_status(const char *answer, int status, const char *about)
{
    ck_assert_msg(has_status(answer, status), "%s: not %d but %s", about, status, answer);
}

ANYC_TEST_PLAIN(test_http_files__sends_a_file_and_says_what_it_is)
{
    struct site site;
    const char *answer;

    site_start(&site);
    answer = site_get(&site, "/a.txt?x=/../", "");
    check_status(answer, 200, "a.txt");
    check_has(answer, "\r\nContent-Type: text/plain\r\n");
    check_has(answer, "\r\nContent-Length: 10\r\n");
    check_has(answer, "\r\nLast-Modified: " SITE_DATE "\r\n");
    check_has(answer, "\r\nETag: " SITE_TAG "\r\n");
    check_has(answer, "\r\nAccept-Ranges: bytes\r\n");
    check_has(answer, "\r\nDate: ");
    ck_assert_str_eq(content_of(answer), "0123456789");
    answer = site_get(&site, "//%61%20b.h%74ml", "");
    check_has(answer, "\r\nContent-Type: text/html\r\n");
    ck_assert_str_eq(content_of(answer), "<p>");
    answer = site_get(&site, "/inside", "");
    check_has(answer, "\r\nContent-Type: application/octet-stream\r\n");
    ck_assert_str_eq(content_of(answer), "0123456789");
    answer = site_get(&site, "/none", "");
    check_status(answer, 200, "none");
    check_has(answer, "\r\nContent-Length: 0\r\n");
    site_end(&site);
}

ANYC_TEST_PLAIN(test_http_files__sends_no_content_for_head)
{
    struct site site;
    const char *answer;

    site_start(&site);
    answer = site_ask(&site, "HEAD /a.txt" HTTP_HOST "Range: bytes=1-2\r\n\r\n"
                             "HEAD /missing" HTTP_HOST "\r\n");
    check_status(answer, 200, "HEAD"); /* ranges are for GET */
    check_has(answer, "\r\nContent-Length: 10\r\n");
    check_has(content_of(answer), "HTTP/1.1 404 ");
    ck_assert_str_eq(content_of(content_of(answer)), "");
    site_end(&site);
}

ANYC_TEST_PLAIN(test_http_files__sends_the_index_of_a_folder)
{
    struct site site;

    site_start(&site);
    ck_assert_str_eq(content_of(site_get(&site, "/sub/", "")), "index");
    check_has(site_get(&site, "/sub", ""), "\r\nLocation: /sub/\r\n");
    check_has(site_get(&site, "/sub?x=1", ""), "\r\nLocation: /sub/?x=1\r\n");
    check_has(site_get(&site, "/%73ub", ""), "\r\nLocation: /%73ub/\r\n");
    check_has(site_get(&site, "//sub", ""), "\r\nLocation: /sub/\r\n"); /* not the host "sub" */
    check_status(site_get(&site, "/sub", ""), 301, "/sub");
    check_status(site_get(&site, "/empty/", ""), 404, "/empty/");
    check_status(site_get(&site, "/a.txt/", ""), 404, "/a.txt/");
    ck_assert_int_eq(mkdir(site_path(&site, "root/empty/index.html"), 0755), 0);
    check_status(site_get(&site, "/empty/", ""), 404, "/empty/");
    site_end(&site);
}

/* RFC 9110, section 14. */
ANYC_TEST_PLAIN(test_http_files__sends_ranges)
{
    static const struct {
        const char *range;
        int status;
        const char *field;
        const char *content;
    } cases[] = {
        {"bytes=0-0", 206, "bytes 0-0/10", "0"},
        {"bytes=2-4", 206, "bytes 2-4/10", "234"},
        {"BYTES=2-4", 206, "bytes 2-4/10", "234"},
        {"bytes=7-", 206, "bytes 7-9/10", "789"},
        {"bytes=7-99999999999999999999", 206, "bytes 7-9/10", "789"},
        {"bytes=-3", 206, "bytes 7-9/10", "789"},
        {"bytes=-99", 206, "bytes 0-9/10", "0123456789"},
        {"bytes=0-9", 206, "bytes 0-9/10", "0123456789"},
        {"bytes=10-", 416, "bytes */10", NULL},
        {"bytes=10-20", 416, "bytes */10", NULL},
        {"bytes=99999999999999999999-", 416, "bytes */10", NULL},
        {"bytes=-0", 416, "bytes */10", NULL},
        {"bytes=4-2", 200, NULL, "0123456789"},
        {"bytes=1-2,4-5", 200, NULL, "0123456789"}, /* several: not done here */
        {"bytes=1", 200, NULL, "0123456789"},
        {"bytes=-", 200, NULL, "0123456789"},
        {"bytes=", 200, NULL, "0123456789"},
        {"bytes", 200, NULL, "0123456789"},
        {"bytes=a-b", 200, NULL, "0123456789"},
        {"bytes=--1", 200, NULL, "0123456789"},
        {"bytes=1-2x", 200, NULL, "0123456789"},
        {"lines=1-2", 200, NULL, "0123456789"},
    };
    struct site site;

    site_start(&site);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char field[128];
        const char *answer;

        (void)snprintf(field, sizeof field, "Range: %s\r\n", cases[i].range);
        answer = site_get(&site, "/a.txt", field);
        check_status(answer, cases[i].status, cases[i].range);
        (void)snprintf(field, sizeof field, "\r\nContent-Range: %s\r\n",
                       cases[i].field == NULL ? "" : cases[i].field);
        if (cases[i].field != NULL)
            check_has(answer, field);
        else
            ck_assert_ptr_null(strstr(answer, "Content-Range"));
        if (cases[i].content != NULL)
            ck_assert_str_eq(content_of(answer), cases[i].content);
    }
    check_status(site_get(&site, "/none", "Range: bytes=0-\r\n"), 416, "of nothing");
    check_status(site_get(&site, "/none", "Range: bytes=-5\r\n"), 200, "of nothing");
    site_end(&site);
}

/* RFC 9110, section 13: the same bytes, or all of them anew. */
ANYC_TEST_PLAIN(test_http_files__heeds_conditions)
{
    static const struct {
        const char *fields;
        int status;
    } cases[] = {
        {"If-None-Match: " SITE_TAG "\r\n", 304},
        {"if-none-match:\"x\", W/" SITE_TAG "\r\n", 304},
        {"If-None-Match: *\r\n", 304},
        {"If-None-Match: \"x\"\r\n", 200},
        {"If-Modified-Since: " SITE_DATE "\r\n", 304},
        {"If-Modified-Since: Wednesday, 01-Jan-20 00:00:00 GMT\r\n", 304},
        {"If-Modified-Since: Wed Jan  1 00:00:00 2020\r\n", 304},
        {"If-Modified-Since: Tue, 31 Dec 2019 23:59:59 GMT\r\n", 200},
        {"If-Modified-Since: yesterday\r\n", 200},
        {"If-None-Match: \"x\"\r\nIf-Modified-Since: " SITE_DATE "\r\n", 200},
        {"If-None-Match: " SITE_TAG "\r\nRange: bytes=1-2\r\n", 304},
        {"If-Range: " SITE_TAG "\r\nRange: bytes=1-2\r\n", 206},
        {"If-Range: \"x\"\r\nRange: bytes=1-2\r\n", 200},
        {"If-Range: W/" SITE_TAG "\r\nRange: bytes=1-2\r\n", 200},
        {"If-Range: " SITE_DATE "\r\nRange: bytes=1-2\r\n", 206},
        {"If-Range: Thu, 02 Jan 2020 00:00:00 GMT\r\nRange: bytes=1-2\r\n", 200},
    };
    struct site site;

    site_start(&site);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *answer = site_get(&site, "/a.txt", cases[i].fields);

        check_status(answer, cases[i].status, cases[i].fields);
        if (cases[i].status == 304) {
            check_has(answer, "\r\nETag: " SITE_TAG "\r\n");
            ck_assert_str_eq(content_of(answer), "");
        }
    }
    site_end(&site);
}

/* What was changed within the last second may change again and look the same. */
ANYC_TEST_PLAIN(test_http_files__says_that_a_young_version_is_weak)
{
    struct site site;
    const char *answer;
    char fields[256];

    site_start(&site);
    ck_assert_int_eq(
        utimensat(AT_FDCWD, site_path(&site, "root/a.txt"),
                  (struct timespec[2]){{.tv_sec = time(NULL) + 60}, {.tv_sec = time(NULL) + 60}},
                  0),
        0);
    answer = site_get(&site, "/a.txt", "");
    check_has(answer, "\r\nETag: W/\"");
    (void)snprintf(fields, sizeof fields, "Range: bytes=1-2\r\nIf-Range: %.*s\r\n",
                   (int)strcspn(strstr(answer, "W/\""), "\r"), strstr(answer, "W/\""));
    check_status(site_get(&site, "/a.txt", fields), 200, fields);
    site_end(&site);
}

static const char *const ways_out[] = {
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/.%2E/secret.txt",
    "/%2e%2e%2fsecret.txt",
    "/sub/../../secret.txt",
    "/sub/%2e%2e/%2e%2e/secret.txt",
    "/sub/..",
    "/..",
    "/%2e%2e",
    "/...%2f..%2fsecret.txt",
    "/%252e%252e/secret.txt",
    "/..\\secret.txt",
    "/%5c..%5csecret.txt",
    "//../secret.txt",
    "/./../secret.txt",
    "/%c0%ae%c0%ae/secret.txt",
    "//etc/passwd",
    "/%2fetc/passwd",
    "/etc/passwd",
    "/outside",
    "/absolute",
    "/up/secret.txt",
    "/up/root/a.txt",
    "/loop",
    "/up",
    "/proc/self/root/etc/passwd",
    "/a.txt%2f",
    "/sub%2findex.html",
};

static void check_ways_out(const struct site *site)
{
    for (size_t i = 0; i < sizeof ways_out / sizeof *ways_out; i++) {
        const char *answer = site_get(site, ways_out[i], "");

        check_status(answer, 404, ways_out[i]);
        ck_assert_ptr_null(strstr(answer, SITE_SECRET));
    }
}

ANYC_TEST_PLAIN(test_http_files__never_leaves_its_folder)
{
    struct site site;

    site_start(&site);
    check_ways_out(&site);
    site_end(&site);
}

/* From here on this process and its children get ENOSYS for openat2, as on an older system. */
static void forget_openat2(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        ANYC_TEST_SKIP("this system has no seccomp");
}

ANYC_TEST_PLAIN(test_http_files__follows_no_link_where_there_is_no_openat2)
{
    struct site site;

    forget_openat2();
    site_start(&site);
    ck_assert_str_eq(content_of(site_get(&site, "//sub///index.html", "")), "index");
    ck_assert_str_eq(content_of(site_get(&site, "/./a.txt", "")), "0123456789");
    check_has(site_get(&site, "/sub", ""), "\r\nLocation: /sub/\r\n");
    check_status(site_get(&site, "/inside", ""), 404, "inside");
    check_status(site_get(&site, "/fifo", ""), 404, "fifo");
    check_ways_out(&site);
    site_end(&site);
}

static void make_socket(const struct site *site)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = peer_socket(AF_UNIX);

    strcpy(address.sun_path, site_path(site, "root/socket"));
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

ANYC_TEST_PLAIN(test_http_files__sends_regular_files_only)
{
    struct site site;

    site_start(&site);
    make_socket(&site);
    check_status(site_get(&site, "/fifo", ""), 404,
                 "a FIFO"); /* and does not wait for its writer */
    check_status(site_get(&site, "/socket", ""), 404, "a socket");
    if (mknod(site_path(&site, "root/null"), S_IFCHR | 0644, makedev(1, 3)) == 0)
        check_status(site_get(&site, "/null", ""), 404, "a device"); /* only root can make one */
    ck_assert_int_eq(chmod(site_path(&site, "root/a.txt"), 0), 0);
    if (access(site_path(&site, "root/a.txt"), R_OK) != 0) /* root may read all */
        check_status(site_get(&site, "/a.txt", ""), 403, "not readable");
    site_end(&site);
}

ANYC_TEST_PLAIN(test_http_files__refuses_what_it_does_not_know)
{
    static const char *const bad[] = {"/a%00.txt", "/%",       "/%4",        "/%zz", "/%-1",
                                      "/a\n.txt",  "/sub?\nX", "/a\x01.txt", "/\x7f"};
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "get", "GETS"};
    struct site site;
    char request[8192];

    site_start(&site);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_status(site_get(&site, bad[i], ""), 400, bad[i]);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        (void)snprintf(request, sizeof request, "%s /a.txt" HTTP_HOST "\r\n", methods[i]);
        check_status(site_ask(&site, request), 405, methods[i]);
        check_has(site_ask(&site, request), "\r\nAllow: GET, HEAD\r\n");
    }
    (void)snprintf(request, sizeof request, "GET /%06000d" HTTP_HOST "\r\n", 0);
    check_status(site_ask(&site, request), 404, "a long name");
    check_status(site_ask(&site, "rubbish\r\n\r\n"), 400, "rubbish");
    site_end(&site);
}

ANYC_TEST_PLAIN(test_http_files__ends_with_the_last_answer)
{
    struct site site;
    const char *answer;

    site_start(&site);
    answer = site_get(&site, "/a.txt", "Connection: close\r\n");
    check_has(answer, "\r\nConnection: close\r\n");
    ck_assert_str_eq(content_of(answer), "0123456789");
    ck_assert_str_eq(content_of(site_ask(&site, "GET /a.txt HTTP/1.0\r\n\r\n")), "0123456789");
    site_end(&site);
}

ANYC_TEST_PLAIN(test_http_files__names_a_folder_that_it_cannot_open)
{
    static struct program_result result;
    struct program server;

    program_start(&server, "http_server", "--root", "/no/such/folder", NULL);
    program_wait(&server, &result);
    ck_assert_int_eq(result.code, 1);
    ck_assert_ptr_nonnull(strstr(result.err, "http_server: /no/such/folder: No such file"));
}
