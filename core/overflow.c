/* SPDX-License-Identifier: MIT */
/*
 * overflow.c - report the overflow of a task's stack: see sigaltstack(2).
 *
 * The handler for SIGSEGV is installed at the first run and stays; what it does not know of goes
 * on to the handler that was there before. It runs on an alternate stack, one for each thread
 * that runs a loop, since the task's own stack is used up.
 */
#include "core/overflow.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/loop.h"
#include "core/task.h"

#define ALTERNATE_SIZE 65536

static pthread_once_t install_once = PTHREAD_ONCE_INIT;
static struct sigaction previous;

static _Thread_local void *alternate; /* NULL: the thread has one of its own */

static void say(const char *text)
{
    ssize_t written = write(STDERR_FILENO, text, strlen(text));

    (void)written; /* nowhere to report that to */
}

static void say_number(uint64_t number)
{
    char digits[21];
    size_t i = sizeof digits - 1;

    digits[i] = '\0';
    do {
        digits[--i] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    say(&digits[i]);
}

/* Did the running task touch the guard below its stack? */
static const anyc_task *overflowing_task(const char *address)
{
    const anyc_task *task = anyc__task();

    if (task == NULL || task->stack_low == NULL)
        return NULL;
    if (address >= task->stack_low || address < task->stack_low - task->pool->guard)
        return NULL;
    return task;
}

static void overflow_handler(int signum, siginfo_t *info, void *context)
{
    const anyc_task *task = overflowing_task(info->si_addr);

    if (task != NULL) {
        say("anyc: task ");
        say_number(task->id);
        say(" \"");
        say(anyc__task_name(task));
        say("\" (");
        say(anyc__task_place(task));
        say(") overflowed its stack of ");
        say_number(task->pool->size - task->pool->guard);
        say(" bytes; give it more with anyc_run_options.stack_size or "
            "anyc_task_group_set_stack_size\n");
    } else if ((previous.sa_flags & SA_SIGINFO) != 0) {
        previous.sa_sigaction(signum, info, context);
        return;
    } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
        previous.sa_handler(signum);
        return;
    }
    /* the faulting instruction runs again, and now ends the program */
    (void)signal(signum, SIG_DFL);
}

static void install(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = overflow_handler;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGSEGV, &action, &previous);
}

void anyc__overflow_watch(void)
{
    stack_t stack;

    (void)pthread_once(&install_once, install);
    if (sigaltstack(NULL, &stack) < 0 || (stack.ss_flags & SS_DISABLE) == 0)
        return;
    stack.ss_sp = anyc__alloc(ALTERNATE_SIZE);
    if (stack.ss_sp == NULL)
        return; /* an overflow then ends the program without the message */
    stack.ss_size = ALTERNATE_SIZE;
    stack.ss_flags = 0;
    if (sigaltstack(&stack, NULL) == 0)
        alternate = stack.ss_sp;
    else
        anyc__free(stack.ss_sp);
}

void anyc__overflow_unwatch(void)
{
    stack_t off = {.ss_flags = SS_DISABLE};

    if (alternate == NULL)
        return;
    (void)sigaltstack(&off, NULL);
    anyc__free(alternate);
    alternate = NULL;
}
