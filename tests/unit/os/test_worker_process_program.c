/* SPDX-License-Identifier: MIT */
/*
 * test_worker_process_program.c - worker processes of programs that are built, named and started in all
 * kinds of ways, and functions in all kinds of files.
 *
 * WORKER_HOST is the program of worker_host.c; the others are built of it: see CMakeLists.txt.
 */
#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>

#include <link.h>

#include "child.h"
#include "support/tasks.h"
#include "worker.h"

#define ORDER \
    "labc\n" /* the library first, and then the program, by priority; main() would add an m */

/* A command line of the host: HOST(path, "program"). */
#define HOST(path, ...) ((const char *const[]){(path), anyc_testing_backend(), __VA_ARGS__, NULL})

/* -- how it is built -- */

/* OS-R030: linked with a shared library, and as this system's variants say: with a static one, as a
 * static program, at fixed addresses, without an array of initialisers. */
ANYC_TEST(test_worker_process_program__may_be_built_in_any_way)
{
    char variants[] = WORKER_HOST_VARIANTS;

    for (char *path = strtok(variants, ":"); path != NULL; path = strtok(NULL, ":")) {
        const char *backend = strstr(path, "_static") != NULL ? "libevent" : anyc_testing_backend();
        const char *const command[] = {path, backend, "program", "program", NULL};
        const char *wanted =
            strstr(path, "_no_array") != NULL ? "main\nl\nl\n" : "main\n" ORDER ORDER;

        ck_assert_msg(strcmp(child_says(command, NULL), wanted) == 0, "%s says %s", path,
                      child_says(command, NULL));
    }
}

/* OS-R030: the program does not need anyc, and neither does its loader know of it. */
ANYC_TEST(test_worker_process_program__may_load_anyc_late)
{
#ifdef WORKER_LATE
    const char *const command[] = {WORKER_LATE, WORKER_LATE_LIBRARY, anyc_testing_backend(),
                                   "program", NULL};
    anyc_process_options options = {.env = (const char *const[]){"LD_PRELOAD=libm.so.6", NULL}};

    ck_assert_str_eq(child_says(command, NULL), "late\nmain\n" ORDER);
    ck_assert_str_eq(child_says(command, &options), "late\nmain\n" ORDER);
#else
    ANYC_TEST_SKIP("a sanitizer must be loaded first");
#endif
}

/* -- how it is called and started -- */

/* A copy of a file in a folder of its own. */
struct copy {
    char folder[32];
    char path[64];
};

static void copy_make(struct copy *copy, const char *name, const char *from)
{
    const char *const command[] = {"cp", from, copy->path, NULL};

    strcpy(copy->folder, "/tmp/anyc-worker-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(copy->folder));
    snprintf(copy->path, sizeof copy->path, "%s/%s", copy->folder, name);
    (void)child_says(command, NULL);
}

static void copy_remove(const struct copy *copy)
{
    unlink(copy->path);
    ck_assert_ok(rmdir(copy->folder));
}

/* TP-004, OS-R030: it needs no suffix, nor a name that shells like. */
ANYC_TEST(test_worker_process_program__may_have_any_name)
{
    struct copy copy;

    copy_make(&copy, "-a worker,\n.of: \"any\" %s name", WORKER_HOST);
    ck_assert_str_eq(child_says(HOST(copy.path, "program", "library"), NULL), "main\n" ORDER ORDER);
    copy_remove(&copy);
}

/* OS-R030: replaced by a newer one, say. */
ANYC_TEST(test_worker_process_program__may_be_gone_from_its_folder)
{
    struct copy copy;

    copy_make(&copy, "host", WORKER_HOST);
    ck_assert_str_eq(child_says(HOST(copy.path, "unlink", "program"), NULL), "main\n" ORDER);
    copy_remove(&copy);
}

/* OS-R030. */
ANYC_TEST(test_worker_process_program__may_be_started_by_a_relative_path)
{
    struct copy copy;
    anyc_process_options options = {.cwd = copy.folder};

    copy_make(&copy, "host", WORKER_HOST);
    ck_assert_str_eq(child_says(HOST("./host", "program"), &options), "main\n" ORDER);
    copy_remove(&copy);
}

/* The loader that this program names. */
static int find_loader(struct dl_phdr_info *info, size_t size, void *arg)
{
    const char **loader = arg;

    (void)size;
    for (size_t i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_INTERP)
            *loader = (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    }
    return 1; /* the program itself comes first */
}

/* OS-R030: "ld.so [OPTIONS] PROGRAM". */
ANYC_TEST(test_worker_process_program__may_be_started_by_the_loader)
{
    const char *loader = NULL;
    const char *backend = anyc_testing_backend();

    (void)dl_iterate_phdr(find_loader, &loader);
    ck_assert_ptr_nonnull(loader);
    {
        const char *const plain[] = {loader, WORKER_HOST, backend, "program", NULL};
        const char *const with_options[] = {loader,  "--library-path", "/nowhere", WORKER_HOST,
                                            backend, "program",        NULL};

        ck_assert_str_eq(child_says(plain, NULL), "main\n" ORDER);
        ck_assert_str_eq(child_says(with_options, NULL), "main\n" ORDER);
    }
}

/* Only PATH and the like decide what a name means. */
ANYC_TEST(test_worker_process_program__may_have_no_environment)
{
    anyc_process_options options = {.env = (const char *const[]){NULL}};

    ck_assert_str_eq(child_says(HOST(WORKER_HOST, "program"), &options), "main\n" ORDER);
}

/* -- where the function is -- */

ANYC_TEST(test_worker_process_program__may_have_functions_in_libraries)
{
    ck_assert_str_eq(child_says(HOST(WORKER_HOST, "library"), NULL), "main\n" ORDER);
}

ANYC_TEST(test_worker_process_program__may_have_functions_in_what_it_loads_late)
{
    struct copy copy;

    copy_make(&copy, "plugin", WORKER_PLUGIN);
    ck_assert_str_eq(child_says(HOST(WORKER_HOST, "plugin", copy.path, "plugin", copy.path), NULL),
                     "main\nplugin\nplugin\n");
    ck_assert_str_eq(child_says(HOST(WORKER_HOST, "program", "plugin", copy.path), NULL),
                     "main\n" ORDER "plugin\n");
    copy_remove(&copy);
}

/* Then nothing is called, and the worker is well. */
ANYC_TEST(test_worker_process_program__may_have_lost_a_file)
{
    struct copy copy;
    struct copy other;
    const char *text;

    copy_make(&copy, "plugin", WORKER_PLUGIN);
    copy_make(&other, "other", WORKER_PLUGIN_OTHER);
    text = child_says(HOST(WORKER_HOST, "replaced", copy.path, other.path, "program"), NULL);
    ck_assert_ptr_nonnull(strstr(text, "main\nANYC_EWORKER: the worker process "));
    ck_assert_ptr_nonnull(strstr(text, "finds another file"));
    ck_assert_ptr_nonnull(strstr(text, ORDER));
    text = child_says(HOST(WORKER_HOST, "replaced", copy.path, "", "program"), NULL);
    ck_assert_ptr_nonnull(strstr(text, "cannot load"));
    ck_assert_ptr_nonnull(strstr(text, ORDER));
    copy_remove(&copy);
    copy_remove(&other);
}

/* -- its end -- */

/* A host that has a worker; its number. */
static anyc_process *open_host(const char *what, pid_t *out_worker)
{
    anyc_process_options options = {.std_err = ANYC_STDIO_INHERIT};
    anyc_process *host = child_open(HOST(WORKER_HOST, what), &options);
    char text[32] = "";
    size_t len = 0;

    child_expect(anyc_process_stdout(host), "main\n");
    while (strchr(text, '\n') == NULL) {
        ssize_t n = anyc_receive(anyc_process_stdout(host), text + len, sizeof text - 1 - len);

        ck_assert_int_gt(n, 0);
        len += (size_t)n;
    }
    *out_worker = (pid_t)atol(text);
    ck_assert(worker_exists(*out_worker));
    return host;
}

/* A worker ends with its program, without work and with a function that never returns. */
ANYC_TEST(test_worker_process_program__may_be_killed)
{
    const char *const what[] = {"pid", "busy"};

    for (int i = 0; i < 2; i++) {
        pid_t worker;
        anyc_process *host = open_host(what[i], &worker);

        ck_assert_ok(anyc_process_kill(host));
        ck_assert_int_eq(child_wait(host), -SIGKILL);
        while (worker_exists(worker))
            ck_assert_ok(anyc_sleep(0.001));
        ck_assert_ok(anyc_aclose(host));
    }
}
