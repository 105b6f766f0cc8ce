/* SPDX-License-Identifier: MIT */
/*
 * test_stack.c - the stacks of tasks: guards, reuse, and what happens when the system refuses
 * (WHITEBOX).
 *
 * Refusals are played by seccomp(2) filters in a process of their own.
 */
#include "support/crash.h"
#include "support/tasks.h"

#include "core/stack.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define SIZE 65536
#define CANNOT_FILTER 99 /* exit code */

/* Let a system call answer -error if this bit pattern is in one of its arguments. */
static void refuse(long number, unsigned arg, uint32_t mask, uint32_t value, int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * arg),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        _exit(CANNOT_FILTER);
}

static void refuse_guard_install(int error)
{
    refuse(SYS_madvise, 2, ~0U, 102, error);
    refuse(SYS_process_madvise, 3, ~0U, 102, error);
}

static void refuse_mprotect(int error)
{
    refuse(SYS_mprotect, 2, ~0U, PROT_NONE, error);
}

/* Watch a process of which filters may be a part. */
static void watch_filtered(struct crash *crash, void (*body)(void))
{
    crash_watch(crash, body);
    if (crash->status == CANNOT_FILTER)
        ANYC_TEST_SKIP("seccomp is not available");
}

/* By the signal itself, or by a sanitizer that reports it. */
static void check_fault(const struct crash *crash)
{
    ck_assert_msg(crash->signal == SIGSEGV || (crash->signal == 0 && crash->status > 0),
                  "signal %d, status %d: %s", crash->signal, crash->status, crash->text);
}

static void write_at(volatile char *address)
{
    *address = 1;
}

static char *pool_take(struct stack_pool **pools)
{
    struct stack_pool *pool = anyc__stack_pool_find(pools, SIZE);
    char *low = anyc__stack_acquire(pool);

    ck_assert_ptr_nonnull(low);
    write_at(low);
    write_at(anyc__stack_top(pool, low) - 1);
    return low;
}

static void write_below(void)
{
    struct stack_pool *pools = NULL;

    write_at(pool_take(&pools) - 1);
}

static void write_far_below(void)
{
    struct stack_pool *pools = NULL;
    char *low = pool_take(&pools);

    write_at(low - pools->guard);
}

static void write_below_tenth(void)
{
    struct stack_pool *pools = NULL;
    char *low = NULL;

    for (int i = 0; i < 10; i++)
        low = pool_take(&pools);
    write_at(low - 1);
}

ANYC_TEST_PLAIN(test_stack__has_a_guard_below)
{
    struct crash crash;

    crash_watch(&crash, write_below);
    check_fault(&crash);
    crash_watch(&crash, write_far_below);
    check_fault(&crash);
    crash_watch(&crash, write_below_tenth);
    check_fault(&crash);
}

static void write_below_old_guard(void)
{
    refuse_guard_install(EINVAL);
    write_below_tenth();
}

ANYC_TEST_PLAIN(test_stack__has_a_guard_where_guard_install_is_unknown)
{
    struct crash crash;

    watch_filtered(&crash, write_below_old_guard);
    check_fault(&crash);
}

static void write_below_after_refusal(void)
{
    refuse_guard_install(ENOMEM);
    write_below_tenth();
}

ANYC_TEST_PLAIN(test_stack__has_a_guard_when_guard_install_is_refused)
{
    struct crash crash;

    watch_filtered(&crash, write_below_after_refusal);
    check_fault(&crash);
}

static void take_without_guards(void)
{
    struct stack_pool *pools = NULL;
    struct stack_pool *pool = anyc__stack_pool_find(&pools, SIZE);

    refuse_guard_install(ENOMEM);
    refuse_mprotect(ENOMEM);
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_null(anyc__stack_acquire(pool));
    anyc__stack_pools_destroy(pools);
}

ANYC_TEST_PLAIN(test_stack__is_not_given_out_without_a_guard)
{
    struct crash crash;

    watch_filtered(&crash, take_without_guards);
    ck_assert_int_eq(crash.signal, 0);
    ck_assert_int_eq(crash.status, 0);
}

static int spawn_without_guards(void *arg)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    bool ran = false;

    (void)arg;
    refuse_guard_install(ENOMEM);
    refuse_mprotect(ENOMEM);
    ck_assert_ok(anyc_task_group_enter(&group));
    ck_assert_ok(anyc_task_group_set_stack_size(&group, SIZE));
    spawn(&group, note_task, &ran);
    ck_assert_int_eq(anyc_task_group_exit(&group, 0), ANYC_ENOMEM);
    check_one_failure(&group, ANYC_ENOMEM);
    ck_assert(!ran);
    ck_assert_ok(anyc_checkpoint());
    return 0;
}

static void run_without_guards(void)
{
    _exit(run_on_backend(spawn_without_guards, NULL) == 0 ? 0 : 1);
}

ANYC_TEST_PLAIN(test_stack__refused_makes_the_task_fail_with_enomem)
{
    struct crash crash;

    watch_filtered(&crash, run_without_guards);
    ck_assert_int_eq(crash.signal, 0);
    ck_assert_int_eq(crash.status, 0);
}

static void take_without_arenas(void)
{
    struct stack_pool *pools = NULL;
    struct stack_pool *pool = anyc__stack_pool_find(&pools, SIZE);

    refuse(SYS_mmap, 3, MAP_STACK, MAP_STACK, ENOMEM);
    for (int i = 0; i < 3; i++)
        ck_assert_ptr_null(anyc__stack_acquire(pool));
    anyc__stack_pools_destroy(pools);
}

ANYC_TEST_PLAIN(test_stack__is_refused_when_address_space_runs_out)
{
    struct crash crash;

    watch_filtered(&crash, take_without_arenas);
    ck_assert_int_eq(crash.signal, 0);
    ck_assert_int_eq(crash.status, 0);
}

ANYC_TEST_PLAIN(test_stack__is_reused_last_freed_first)
{
    struct stack_pool *pools = NULL;
    struct stack_pool *pool = anyc__stack_pool_find(&pools, SIZE);
    char *first = pool_take(&pools);
    char *second = pool_take(&pools);

    ck_assert_ptr_ne(first, second);
    anyc__stack_release(pool, first);
    anyc__stack_release(pool, second);
    ck_assert_ptr_eq(pool_take(&pools), second);
    ck_assert_ptr_eq(pool_take(&pools), first);
    ck_assert_uint_eq(pool->free_count, 0);
    anyc__stack_pools_destroy(pools);
}

ANYC_TEST_PLAIN(test_stack__pools_are_told_apart_by_whole_pages)
{
    struct stack_pool *pools = NULL;
    struct stack_pool *pool = anyc__stack_pool_find(&pools, SIZE);

    ck_assert_ptr_eq(anyc__stack_pool_find(&pools, SIZE - 1), pool);
    ck_assert_ptr_ne(anyc__stack_pool_find(&pools, SIZE + 1), pool);
    ck_assert_uint_ge(anyc__stack_pool_find(&pools, SIZE + 1)->size, SIZE + 1);
    ck_assert_uint_eq(anyc__stack_pool_find(&pools, 1 << 20)->guard, 1 << 16);
    anyc__stack_pools_destroy(pools);
}

ANYC_TEST_PLAIN(test_stack__starts_staggered_and_below_its_top)
{
    struct stack_pool *pools = NULL;
    struct stack_pool *pool = anyc__stack_pool_find(&pools, SIZE);
    char *last_start = NULL;

    for (int i = 0; i < 70; i++) {
        char *low = pool_take(&pools);
        char *start = anyc__stack_start(pool, low);

        ck_assert(start > low + SIZE / 2 && start <= anyc__stack_top(pool, low));
        ck_assert_uint_ne((uintptr_t)start, (uintptr_t)last_start + SIZE);
        last_start = start;
    }
    anyc__stack_pools_destroy(pools);
}

#define MANY 256
#define SECOND INT64_C(1000000000)

/* Free stacks that hold pages. */
static size_t pool_warm(const struct stack_pool *pool)
{
    size_t warm = 0;

    for (size_t i = 0; i < pool->free_count; i++)
        warm += anyc__stack_used(pool, pool->free[i]) > 0;
    return warm;
}

/* Many free stacks that hold pages. */
static struct stack_pool *pool_used(struct stack_pool **pools)
{
    struct stack_pool *pool = anyc__stack_pool_find(pools, SIZE);
    char *lows[MANY];

    for (int i = 0; i < MANY; i++) {
        lows[i] = pool_take(pools);
        ck_assert_uint_eq(anyc__stack_used(pool, lows[i]), pool->size - pool->guard);
    }
    for (int i = 0; i < MANY; i++)
        anyc__stack_release(pool, lows[i]);
    return pool;
}

/* Trim at `now_ns` until there is nothing to do; answers when there may be. */
static int64_t pool_trim_all(struct stack_pool *pools, int64_t now_ns)
{
    int64_t again_ns = now_ns;

    for (int i = 0; i < MANY && again_ns <= now_ns; i++)
        again_ns = anyc__stack_trim(pools, now_ns);
    ck_assert_int_gt(again_ns, now_ns);
    return again_ns;
}

ANYC_TEST_PLAIN(test_stack__gives_pages_back_when_unused_for_a_second)
{
    struct stack_pool *pools = NULL;
    struct stack_pool *pool = pool_used(&pools);

    ck_assert_int_eq(pool_trim_all(pools, SECOND), 2 * SECOND);
    ck_assert_int_eq(pool_trim_all(pools, 2 * SECOND - 1), 2 * SECOND);
    ck_assert_uint_eq(pool_warm(pool), MANY);
    ck_assert_int_eq(pool_trim_all(pools, 2 * SECOND), INT64_MAX);
    ck_assert_uint_eq(pool_warm(pool) + pool->cold_count, MANY);
    ck_assert_uint_gt(pool->cold_count, 0);
    anyc__stack_pools_destroy(pools);
}

ANYC_TEST_PLAIN(test_stack__keeps_pages_of_what_was_used_within_the_second)
{
    struct stack_pool *pools = NULL;
    struct stack_pool *pool = pool_used(&pools);
    char *lows[MANY / 2];

    pool_trim_all(pools, SECOND);
    for (int i = 0; i < MANY / 2; i++)
        lows[i] = pool_take(&pools);
    for (int i = 0; i < MANY / 2; i++)
        anyc__stack_release(pool, lows[i]);
    ck_assert_int_eq(pool_trim_all(pools, 2 * SECOND), 3 * SECOND);
    ck_assert_uint_ge(pool_warm(pool), MANY / 2);
    ck_assert_uint_gt(pool->cold_count, 0);
    ck_assert_int_eq(pool_trim_all(pools, 3 * SECOND), INT64_MAX);
    ck_assert_uint_lt(pool_warm(pool), MANY / 2);
    anyc__stack_pools_destroy(pools);
}

ANYC_TEST_PLAIN(test_stack__trimmed_is_given_out_again)
{
    struct stack_pool *pools = NULL;
    struct stack_pool *pool = pool_used(&pools);
    char *lows[MANY];
    size_t carved = pool->carved;

    pool_trim_all(pools, SECOND);
    pool_trim_all(pools, 2 * SECOND);
    ck_assert_uint_gt(pool->cold_count, 0);
    for (int i = 0; i < MANY; i++) {
        char *low = pool_take(&pools);

        for (int j = 0; j < i; j++)
            ck_assert_ptr_ne(low, lows[j]);
        lows[i] = low;
    }
    ck_assert_uint_eq(pool->carved, carved);
    anyc__stack_pools_destroy(pools);
}

static int count_mappings(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    int count = 0;
    int c;

    ck_assert_ptr_nonnull(maps);
    while ((c = fgetc(maps)) != EOF)
        count += c == '\n';
    fclose(maps);
    return count;
}

ANYC_TEST_PLAIN(test_stack__guards_need_no_mappings_of_their_own)
{
    struct stack_pool *pools = NULL;
    struct stack_pool *pool = anyc__stack_pool_find(&pools, SIZE);
    int before = count_mappings();

    (void)pool_take(&pools);
    if (madvise(pool->fresh, 0, 102) < 0)
        ANYC_TEST_SKIP("the system has no MADV_GUARD_INSTALL");
    for (int i = 0; i < 40000; i++)
        ck_assert_ptr_nonnull(anyc__stack_acquire(pool));
    ck_assert_int_lt(count_mappings() - before, 100);
    anyc__stack_pools_destroy(pools);
}
