/* SPDX-License-Identifier: MIT */
/*
 * tools.c - ASan's and TSan's fibers, Valgrind's stacks.
 *
 * See sanitizer/common_interface_defs.h, sanitizer/tsan_interface.h, and Valgrind's manual,
 * "Client requests". ASan and TSan never run together, so one pointer per task holds the fake
 * stack of the one or the fiber of the other.
 */
#include "core/tools.h"

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_STACK_REGISTER(low, top) ((void)(low), (void)(top), 0)
#define VALGRIND_MAKE_MEM_DEFINED(memory, size) ((void)(memory), (void)(size), 0)
#endif

#define WEAK __attribute__((weak))

WEAK void __sanitizer_start_switch_fiber(void **fake_stack_save, const void *low, size_t size);
WEAK void __sanitizer_finish_switch_fiber(void *fake_stack, const void **low, size_t *size);
WEAK void __asan_unpoison_memory_region(const volatile void *low, size_t size);
WEAK void __msan_unpoison(const volatile void *memory, size_t size);
WEAK void __tsan_acquire(void *address);
WEAK void __tsan_release(void *address);
WEAK void *__tsan_get_current_fiber(void);
WEAK void *__tsan_create_fiber(unsigned flags);
WEAK void __tsan_destroy_fiber(void *fiber);
WEAK void __tsan_switch_to_fiber(void *fiber, unsigned flags);

bool anyc__tools_watch;
bool anyc__tools_valgrind;

__attribute__((constructor)) static void tools_detect(void)
{
    anyc__tools_watch =
        (__sanitizer_start_switch_fiber != NULL && __asan_unpoison_memory_region != NULL) ||
        __tsan_switch_to_fiber != NULL;
    anyc__tools_valgrind = RUNNING_ON_VALGRIND != 0;
}

void anyc__tools_may_be_unset(const void *memory, size_t size)
{
    if (anyc__tools_valgrind)
        (void)VALGRIND_MAKE_MEM_DEFINED(memory, size);
    if (__msan_unpoison != NULL)
        __msan_unpoison(memory, size);
}

void anyc__tools_release(void *address)
{
    if (__tsan_release != NULL)
        __tsan_release(address);
}

void anyc__tools_acquire(void *address)
{
    if (__tsan_acquire != NULL)
        __tsan_acquire(address);
}

void anyc__tools_stack_created(char *low, char *top)
{
    (void)VALGRIND_STACK_REGISTER(low, top);
}

void anyc__tools_stack_reused(char *low, char *top)
{
    if (__asan_unpoison_memory_region != NULL)
        __asan_unpoison_memory_region(low, (size_t)(top - low));
}

void *anyc__tools_fiber_create(void)
{
    return __tsan_create_fiber != NULL ? __tsan_create_fiber(0) : NULL;
}

void anyc__tools_fiber_destroy(void *fiber)
{
    if (fiber != NULL && __tsan_destroy_fiber != NULL)
        __tsan_destroy_fiber(fiber);
}

void *anyc__tools_fiber_current(void)
{
    return __tsan_get_current_fiber != NULL ? __tsan_get_current_fiber() : NULL;
}

void anyc__tools_before_switch(void **from_tool, void *to_tool, const char *low, size_t size)
{
    if (__tsan_switch_to_fiber != NULL)
        __tsan_switch_to_fiber(to_tool, 0);
    else if (__sanitizer_start_switch_fiber != NULL)
        __sanitizer_start_switch_fiber(from_tool, low, size);
}

void anyc__tools_after_switch(void *tool, const void **out_low, size_t *out_size)
{
    if (__tsan_switch_to_fiber == NULL && __sanitizer_finish_switch_fiber != NULL)
        __sanitizer_finish_switch_fiber(tool, out_low, out_size);
}
