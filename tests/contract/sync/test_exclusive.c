/* SPDX-License-Identifier: MIT */
/*
 * test_exclusive.c - what everything that lets in one task at a time has in common: the lock, a
 * condition's lock, a semaphore of one slot and a limiter of one token.
 */
#include <check.h>

#include <anyc/cancel.h>
#include <anyc/error.h>
#include <anyc/lowlevel.h>
#include <anyc/sync.h>
#include <anyc/task.h>
#include <anyc/testing.h>

#include "support/fail_alloc.h"
#include "support/steps.h"

/* What is tested; one of them is in use at a time. */
union object {
    anyc_lock lock;
    anyc_condition condition;
    anyc_semaphore semaphore;
    anyc_capacity_limiter limiter;
};

struct kind {
    const char *name;
    void (*init)(union object *object);
    int (*acquire)(union object *object);
    int (*acquire_nowait)(union object *object);
    int (*release)(union object *object);
    size_t (*waiting)(const union object *object);
    bool (*is_free)(const union object *object);
};

/* -- the kinds -- */

static void lock_init(union object *object)
{
    anyc_lock_init(&object->lock, NULL);
}

static void fast_lock_init(union object *object)
{
    anyc_lock_init(&object->lock, &(anyc_lock_options){.fast_acquire = true});
}

static int lock_acquire(union object *object)
{
    return anyc_lock_acquire(&object->lock);
}

static int lock_acquire_nowait(union object *object)
{
    return anyc_lock_acquire_nowait(&object->lock);
}

static int lock_release(union object *object)
{
    return anyc_lock_release(&object->lock);
}

static size_t lock_waiting(const union object *object)
{
    anyc_lock_stats stats;

    anyc_lock_statistics(&object->lock, &stats);
    return stats.tasks_waiting;
}

static bool lock_is_free(const union object *object)
{
    return !anyc_lock_locked(&object->lock);
}

static void condition_init(union object *object)
{
    anyc_condition_init(&object->condition, NULL);
}

static int condition_acquire(union object *object)
{
    return anyc_condition_acquire(&object->condition);
}

static int condition_acquire_nowait(union object *object)
{
    return anyc_condition_acquire_nowait(&object->condition);
}

static int condition_release(union object *object)
{
    return anyc_condition_release(&object->condition);
}

static size_t condition_waiting(const union object *object)
{
    anyc_condition_stats stats;

    anyc_condition_statistics(&object->condition, &stats);
    return stats.lock_statistics.tasks_waiting;
}

static bool condition_is_free(const union object *object)
{
    return !anyc_condition_locked(&object->condition);
}

static void semaphore_init(union object *object)
{
    ck_assert_ok(anyc_semaphore_init(&object->semaphore, 1, NULL));
}

static int semaphore_acquire(union object *object)
{
    return anyc_semaphore_acquire(&object->semaphore);
}

static int semaphore_acquire_nowait(union object *object)
{
    return anyc_semaphore_acquire_nowait(&object->semaphore);
}

static int semaphore_release(union object *object)
{
    return anyc_semaphore_release(&object->semaphore);
}

static size_t semaphore_waiting(const union object *object)
{
    anyc_semaphore_stats stats;

    anyc_semaphore_statistics(&object->semaphore, &stats);
    return stats.tasks_waiting;
}

static bool semaphore_is_free(const union object *object)
{
    return anyc_semaphore_value(&object->semaphore) == 1;
}

static void limiter_init(union object *object)
{
    ck_assert_ok(anyc_capacity_limiter_init(&object->limiter, 1));
}

static int limiter_acquire(union object *object)
{
    return anyc_capacity_limiter_acquire(&object->limiter);
}

static int limiter_acquire_nowait(union object *object)
{
    return anyc_capacity_limiter_acquire_nowait(&object->limiter);
}

static int limiter_release(union object *object)
{
    return anyc_capacity_limiter_release(&object->limiter);
}

static size_t limiter_waiting(const union object *object)
{
    anyc_capacity_limiter_stats stats;

    anyc_capacity_limiter_statistics(&object->limiter, &stats);
    return stats.tasks_waiting;
}

static bool limiter_is_free(const union object *object)
{
    return anyc_capacity_limiter_borrowed_tokens(&object->limiter) == 0;
}

static const struct kind kinds[] = {
    {"lock", lock_init, lock_acquire, lock_acquire_nowait, lock_release, lock_waiting,
     lock_is_free},
    {"fast lock", fast_lock_init, lock_acquire, lock_acquire_nowait, lock_release, lock_waiting,
     lock_is_free},
    {"condition", condition_init, condition_acquire, condition_acquire_nowait, condition_release,
     condition_waiting, condition_is_free},
    {"semaphore", semaphore_init, semaphore_acquire, semaphore_acquire_nowait, semaphore_release,
     semaphore_waiting, semaphore_is_free},
    {"limiter", limiter_init, limiter_acquire, limiter_acquire_nowait, limiter_release,
     limiter_waiting, limiter_is_free},
};

#define KINDS (sizeof kinds / sizeof kinds[0])
#define WAITERS 4

/* The test holds the object; four tasks wait for it, each notes its letter while it holds it. */
struct scene {
    const struct kind *kind;
    union object object;
    struct steps steps;
    struct waiter {
        struct scene *scene;
        char letter;
        int rc;
    } waiters[WAITERS];
    anyc_task_handle handles[WAITERS];
    anyc_task_group group;
};

static int waiter_run(void *arg)
{
    struct waiter *waiter = arg;
    struct scene *scene = waiter->scene;

    waiter->rc = scene->kind->acquire(&scene->object);
    if (waiter->rc < 0)
        return waiter->rc;
    steps_add(&scene->steps, waiter->letter);
    ck_assert_ok(anyc_cancel_shielded_checkpoint());
    ck_assert_ok(scene->kind->release(&scene->object));
    return anyc_checkpoint();
}

static void scene_open(struct scene *scene, const struct kind *kind)
{
    memset(scene, 0, sizeof *scene);
    scene->kind = kind;
    kind->init(&scene->object);
    ck_assert_ok(kind->acquire(&scene->object));
    ck_assert_ok(anyc_task_group_enter(&scene->group));
    for (size_t i = 0; i < WAITERS; i++) {
        scene->waiters[i] = (struct waiter){scene, (char)('a' + i), 1};
        ck_assert_ok(anyc_task_group_create_task(&scene->group, waiter_run, &scene->waiters[i],
                                                 NULL, &scene->handles[i]));
    }
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_uint_eq(kind->waiting(&scene->object), WAITERS);
}

/* All tasks end; the object is free again, and nobody waits. */
static void scene_close(struct scene *scene, const char *expected)
{
    ck_assert_ok(anyc_task_group_exit(&scene->group, 0));
    ck_assert_msg(strcmp(scene->steps.text, expected) == 0, "%s: \"%s\" instead of \"%s\"",
                  scene->kind->name, scene->steps.text, expected);
    ck_assert_msg(scene->kind->is_free(&scene->object), "%s is not free", scene->kind->name);
    ck_assert_uint_eq(scene->kind->waiting(&scene->object), 0);
    ck_assert_ok(scene->kind->acquire_nowait(&scene->object));
    ck_assert_ok(scene->kind->release(&scene->object));
}

ANYC_TEST(test_exclusive__serves_waiters_as_they_came)
{
    for (size_t k = 0; k < KINDS; k++) {
        static struct scene scene;

        scene_open(&scene, &kinds[k]);
        ck_assert_ok(kinds[k].release(&scene.object));
        scene_close(&scene, "abcd");
    }
}

/* SY-R01 and SY-R03: nobody gets in between a release and the waiter's turn. */
ANYC_TEST(test_exclusive__lets_nobody_in_before_the_waiters)
{
    for (size_t k = 0; k < KINDS; k++) {
        static struct scene scene;

        scene_open(&scene, &kinds[k]);
        ck_assert_ok(kinds[k].release(&scene.object));
        ck_assert_uint_eq(kinds[k].waiting(&scene.object), WAITERS - 1);
        ck_assert_int_eq(kinds[k].acquire_nowait(&scene.object), ANYC_EWOULDBLOCK);
        ck_assert_ok(kinds[k].acquire(&scene.object)); /* queues behind them */
        steps_add(&scene.steps, '-');
        ck_assert_ok(kinds[k].release(&scene.object));
        scene_close(&scene, "abcd-");
    }
}

ANYC_TEST(test_exclusive__a_waiter_cancelled_at_any_position_leaves_at_once)
{
    const char *const left[WAITERS] = {"bcd", "acd", "abd", "abc"};

    for (size_t k = 0; k < KINDS * WAITERS; k++) {
        static struct scene scene;
        const struct kind *kind = &kinds[k / WAITERS];
        size_t position = k % WAITERS;

        scene_open(&scene, kind);
        anyc_task_handle_cancel(&scene.handles[position], NULL);
        ck_assert_uint_eq(kind->waiting(&scene.object), WAITERS - 1);
        ck_assert_ok(kind->release(&scene.object));
        ck_assert_uint_eq(kind->waiting(&scene.object), WAITERS - 2);
        scene_close(&scene, left[position]);
        ck_assert_int_eq(scene.waiters[position].rc, ANYC_ECANCELLED);
    }
}

/* SY-R03 */
ANYC_TEST(test_exclusive__a_release_skips_all_cancelled_waiters)
{
    for (size_t k = 0; k < KINDS; k++) {
        static struct scene scene;

        scene_open(&scene, &kinds[k]);
        for (size_t i = 0; i < WAITERS - 1; i++)
            anyc_task_handle_cancel(&scene.handles[i], NULL);
        ck_assert_ok(kinds[k].release(&scene.object));
        ck_assert(!kinds[k].is_free(&scene.object)); /* it is the last one's */
        scene_close(&scene, "d");
    }
}

/* SY-R03 */
ANYC_TEST(test_exclusive__a_release_with_all_waiters_cancelled_frees_it)
{
    for (size_t k = 0; k < KINDS; k++) {
        static struct scene scene;

        scene_open(&scene, &kinds[k]);
        anyc_task_group_cancel(&scene.group, NULL);
        ck_assert_uint_eq(kinds[k].waiting(&scene.object), 0);
        ck_assert_ok(kinds[k].release(&scene.object));
        ck_assert(kinds[k].is_free(&scene.object));
        scene_close(&scene, "");
    }
}

/* SY-R13: it runs with what it was given, and gives it on. */
ANYC_TEST(test_exclusive__a_hand_over_before_the_cancel_wins)
{
    for (size_t k = 0; k < KINDS; k++) {
        static struct scene scene;

        scene_open(&scene, &kinds[k]);
        ck_assert_ok(kinds[k].release(&scene.object));
        anyc_task_handle_cancel(&scene.handles[0], NULL);
        ck_assert_int_eq(kinds[k].acquire_nowait(&scene.object), ANYC_EWOULDBLOCK);
        scene_close(&scene, "abcd");
        ck_assert_int_eq(scene.waiters[0].rc, 0);
        ck_assert_int_eq(anyc_task_handle_state(&scene.handles[0]), ANYC_TASK_CANCELLED);
    }
}

/* SY-R13: all are cancelled while the first one has it already. */
ANYC_TEST(test_exclusive__a_holder_cancelled_with_all_others_gives_it_back)
{
    for (size_t k = 0; k < KINDS; k++) {
        static struct scene scene;

        scene_open(&scene, &kinds[k]);
        ck_assert_ok(kinds[k].release(&scene.object));
        anyc_task_group_cancel(&scene.group, NULL);
        scene_close(&scene, "a");
    }
}

ANYC_TEST(test_exclusive__takes_nothing_in_a_cancelled_scope)
{
    for (size_t k = 0; k < KINDS; k++) {
        union object object;
        anyc_cancel_scope scope;

        kinds[k].init(&object);
        ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
        anyc_cancel_scope_cancel(&scope, NULL);
        ck_assert_int_eq(kinds[k].acquire(&object), ANYC_ECANCELLED);
        ck_assert(kinds[k].is_free(&object));
        ck_assert_ok(kinds[k].acquire_nowait(&object)); /* is no checkpoint */
        ck_assert_ok(kinds[k].release(&object));
        ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
    }
}

static int cancel_scope(void *arg)
{
    anyc_cancel_scope_cancel(arg, NULL);
    return 0;
}

/* The yield after taking a free one is shielded. */
ANYC_TEST(test_exclusive__a_cancel_during_the_yield_after_taking_leaves_it_taken)
{
    for (size_t k = 0; k < KINDS; k++) {
        union object object;
        anyc_cancel_scope scope;
        anyc_task_group group = ANYC_TASK_GROUP_INIT;

        kinds[k].init(&object);
        ck_assert_ok(anyc_task_group_enter(&group));
        ck_assert_ok(anyc_cancel_scope_enter(&scope, NULL));
        ck_assert_ok(anyc_task_group_start_soon(&group, cancel_scope, &scope, NULL));
        ck_assert_ok(kinds[k].acquire(&object));
        ck_assert_ok(anyc_cancel_shielded_checkpoint());
        ck_assert_int_eq(anyc_checkpoint_if_cancelled(), ANYC_ECANCELLED);
        ck_assert_ok(kinds[k].release(&object));
        ck_assert_ok(anyc_cancel_scope_exit(&scope, ANYC_ECANCELLED));
        ck_assert_ok(anyc_task_group_exit(&group, 0));
    }
}

static int give_up_after_a_second(void *arg)
{
    struct scene *scene = arg;
    anyc_cancel_scope scope;
    int rc;

    ck_assert_ok(anyc_fail_after(&scope, 1, false));
    rc = scene->kind->acquire(&scene->object);
    ck_assert_int_eq(rc, ANYC_ECANCELLED);
    ck_assert_uint_eq(scene->kind->waiting(&scene->object), WAITERS);
    ck_assert_int_eq(anyc_cancel_scope_exit(&scope, rc), ANYC_ETIMEDOUT);
    return 0;
}

ANYC_TEST_WITH(test_exclusive__a_deadline_ends_the_wait, .clock = ANYC_CLOCK_VIRTUAL)
{
    for (size_t k = 0; k < KINDS; k++) {
        static struct scene scene;
        anyc_task_handle handle;

        scene_open(&scene, &kinds[k]);
        ck_assert_ok(anyc_task_group_create_task(&scene.group, give_up_after_a_second, &scene, NULL,
                                                 &handle));
        ck_assert_ok(anyc_task_handle_wait(&handle, NULL));
        ck_assert_ok(kinds[k].release(&scene.object));
        scene_close(&scene, "abcd");
    }
}

/* Waiting, waking and cancelling need no memory. */
static int wait_without_memory(void *arg)
{
    (void)arg;
    for (size_t k = 0; k < KINDS; k++) {
        static struct scene scene;

        scene_open(&scene, &kinds[k]);
        fail_alloc_arm(1);
        anyc_task_handle_cancel(&scene.handles[2], NULL);
        ck_assert_ok(kinds[k].release(&scene.object));
        ck_assert_ok(kinds[k].acquire(&scene.object));
        ck_assert_ok(kinds[k].release(&scene.object));
        ck_assert(!fail_alloc_disarm());
        scene_close(&scene, "abd");
    }
    return 0;
}

ANYC_TEST_PLAIN(test_exclusive__waits_without_memory)
{
    fail_alloc_install();
    ck_assert_ok(anyc_run(wait_without_memory, anyc_testing_backend()));
    ck_assert_int_eq(fail_alloc_live(), 0);
}

#define MANY 2000

struct many {
    const struct kind *kind;
    union object object;
    int inside;
    size_t entered;
    bool order_kept;
};

struct one_of_many {
    struct many *many;
    size_t place;
};

static int enter_once(void *arg)
{
    const struct one_of_many *one = arg;
    struct many *many = one->many;
    int rc = many->kind->acquire(&many->object);

    if (rc < 0)
        return rc;
    many->order_kept = many->order_kept && many->entered == one->place;
    many->entered++;
    many->inside++;
    ck_assert_int_eq(many->inside, 1);
    rc = anyc_checkpoint();
    many->inside--;
    ck_assert_ok(many->kind->release(&many->object));
    return rc;
}

static void serve_thousands(const struct kind *kind)
{
    struct many many = {.kind = kind, .order_kept = true};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;

    kind->init(&many.object);
    ck_assert_ok(kind->acquire(&many.object));
    ck_assert_ok(anyc_task_group_enter(&group));
    for (size_t i = 0; i < MANY; i++) {
        struct one_of_many one = {&many, i};

        ck_assert_ok(anyc_task_group_start_soon_copy(&group, enter_once, &one, sizeof one, NULL));
    }
    ck_assert_ok(anyc_wait_all_tasks_blocked());
    ck_assert_uint_eq(kind->waiting(&many.object), MANY);
    ck_assert_ok(kind->release(&many.object));
    ck_assert_ok(anyc_task_group_exit(&group, 0));
    ck_assert_uint_eq(many.entered, MANY);
    ck_assert(many.order_kept);
    ck_assert(kind->is_free(&many.object));
}

ANYC_TEST(test_exclusive__serves_thousands_in_order)
{
    for (size_t k = 0; k < KINDS; k++)
        serve_thousands(&kinds[k]);
}

/* One of twelve steps: cancel one of the tasks, or let them run. */
static void disturb(struct scene *scene, uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    if (*random >> 31)
        anyc_task_handle_cancel(&scene->handles[(*random >> 16) % WAITERS], NULL);
    else
        ck_assert_ok(anyc_checkpoint());
}

/* SY-R13: whatever is cancelled when, the rest gets in. */
ANYC_TEST(test_exclusive__survives_cancellations_at_random)
{
    uint32_t random = 7;

    for (size_t round = 0; round < 200; round++) {
        static struct scene scene;
        const struct kind *kind = &kinds[round % KINDS];

        scene_open(&scene, kind);
        ck_assert_ok(kind->release(&scene.object));
        for (size_t i = 0; i < 12; i++)
            disturb(&scene, &random);
        ck_assert_ok(anyc_task_group_exit(&scene.group, 0));
        ck_assert(kind->is_free(&scene.object));
        ck_assert_uint_eq(kind->waiting(&scene.object), 0);
    }
}
