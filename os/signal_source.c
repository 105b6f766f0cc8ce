/* SPDX-License-Identifier: MIT */
/*
 * signal_source.c - from the system's signals to loops.
 *
 * What a signal does is one thing for the whole process, so this is the one place with process-wide
 * state: for each number the sources of all loops, and what the signal did before. A handler of
 * anyc's own tells each loop by a post. Loops of any thread and backend get every signal, in order of
 * arrival, whereas libevent delivers to one loop in a process and in order of numbers, and libuv and
 * libevent take signals away from each other.
 *
 * Only on a loop of the host's is the library's facility asked as well (signal_start), because the
 * host may use it for the same signal. Its handler is then called by anyc's:
 *
 *     signal_alone -> loops                      no library was asked
 *     signal_on_top -> loops, library -> host    one was
 *
 * There is no moment at which the signal would do what it did before: signal_alone is installed first,
 * so that it is what libevent (and the libuv adapter) bring back when they are done. By which of the
 * two is installed then, it is seen whether the library is done or the host still uses it. (libuv alone
 * goes by the default action for a moment, when it is done while another loop receives the signal.)
 *
 * Handlers walk the list of sources without a lock. They count themselves on one of two sides;
 * who has taken out a source lets later ones count on the other, and waits until the first is empty.
 *
 * In a child of fork all this belongs to the parent: signals do again what they did before.
 */
#include "os/signal_source.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/tools.h"

/* Invariant, under the lock: sources == NULL implies that no action of anyc's is installed, unless the
 * host began to use the library while one was: signal_on_top then stays until the library is done,
 * and may bring back signal_alone, which does what the signal did before. */
struct signal_number {
    _Atomic(struct signal_source *) sources;
    atomic_uint side; /* where handlers count themselves: 0 or 1 */
    atomic_size_t inside[2];
    struct sigaction former;     /* before anyc's */
    struct sigaction library;    /* what signal_on_top calls */
    const anyc_backend *claimer; /* whose facility was asked ... */
    size_t claims;               /* ... by so many sources */
};

static pthread_mutex_t signal_lock = PTHREAD_MUTEX_INITIALIZER;
static struct signal_number signal_numbers[NSIG]; /* changed under the lock */
static _Atomic pid_t signal_process; /* whose sources these are; 0: there were none yet */
static bool signal_forked;           /* the libraries have the handles of another process */

/* -- in handlers -- */

static unsigned number_enter(struct signal_number *number)
{
    unsigned side;

    for (;;) {
        side = atomic_load(&number->side);
        atomic_fetch_add(&number->inside[side], 1);
        if (atomic_load(&number->side) == side)
            return side;
        atomic_fetch_sub(&number->inside[side], 1);
    }
}

static void number_leave(struct signal_number *number, unsigned side)
{
    anyc__tools_release(&number->inside);
    atomic_fetch_sub(&number->inside[side], 1);
}

/* Tell all loops; false if there is none. */
static bool number_tell(struct signal_number *number)
{
    struct signal_source *source = atomic_load(&number->sources);
    bool told = source != NULL;

    anyc__tools_acquire(number); /* what their loops did before they were linked */
    for (; source != NULL; source = atomic_load(&source->next)) {
        atomic_store(&source->heard, true);
        if (!atomic_exchange(&source->posted, true))
            anyc__post(source->loop, &source->post);
    }
    return told;
}

static void action_call(const struct sigaction *action, int signum, siginfo_t *info, void *context)
{
    if ((action->sa_flags & SA_SIGINFO) != 0)
        action->sa_sigaction(signum, info, context);
    else if (action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN)
        action->sa_handler(signum);
}

/* Nobody receives it here: it does what it did before, as soon as the handler returns. */
static void action_as_before(int signum)
{
    (void)sigaction(signum, &signal_numbers[signum].former, NULL);
    (void)raise(signum);
}

/* Other libraries wait for their processes by SIGCHLD. `former` may be the very handler that
 * signal_on_top calls, if the host was first, and may not care for processes that are stopped. */
static bool number_passes_on(const struct signal_number *number, const siginfo_t *info, bool on_top)
{
    if (on_top && number->library.sa_handler == number->former.sa_handler)
        return false;
    return (number->former.sa_flags & SA_NOCLDSTOP) == 0 ||
           (info->si_code != CLD_STOPPED && info->si_code != CLD_CONTINUED);
}

/* May run in a child that shares its parent's memory, and there it must leave the loops alone. */
static void action_handle(int signum, siginfo_t *info, void *context, bool on_top)
{
    struct signal_number *number = &signal_numbers[signum];
    struct sigaction former = {.sa_handler = SIG_DFL};
    int saved_errno = errno;
    unsigned side;
    bool told;

    if (getpid() != atomic_load(&signal_process)) {
        action_as_before(signum);
        errno = saved_errno;
        return;
    }
    side = number_enter(number);
    told = number_tell(number);
    if (on_top)
        action_call(&number->library, signum, info, context);
    else if (!told)
        action_as_before(signum);
    if (signum == SIGCHLD && told && number_passes_on(number, info, on_top))
        former = number->former;
    number_leave(number, side);
    action_call(&former, signum, info, context); /* the program's own: it may take long */
    errno = saved_errno;
}

static void signal_alone(int signum, siginfo_t *info, void *context)
{
    action_handle(signum, info, context, false);
}

static void signal_on_top(int signum, siginfo_t *info, void *context)
{
    action_handle(signum, info, context, true);
}

/* -- the actions of a number; under the lock -- */

static bool action_is(const struct sigaction *action,
                      void (*handler)(int signum, siginfo_t *info, void *context))
{
    return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == handler;
}

static bool action_is_ours(const struct sigaction *action)
{
    return action_is(action, signal_alone) || action_is(action, signal_on_top);
}

/* Nothing else may interrupt it, as libuv's handler expects; stacks of tasks may be small. */
static void action_install(int signum, void (*handler)(int signum, siginfo_t *info, void *context))
{
    struct sigaction action = {.sa_sigaction = handler,
                               .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};

    (void)sigfillset(&action.sa_mask);
    (void)sigaction(signum, &action, NULL); /* a valid number */
}

/* Wait for the handlers that may have seen what was before. Those that come later see what is now. */
static void number_settle(struct signal_number *number)
{
    unsigned side = atomic_load(&number->side);

    atomic_store(&number->side, 1 - side);
    while (atomic_load(&number->inside[side]) > 0)
        (void)sched_yield(); /* in another thread; a few instructions more */
    anyc__tools_acquire(&number->inside);
}

/* The first source is there. */
static void number_take(struct signal_number *number, int signum)
{
    struct sigaction now;

    (void)sigaction(signum, NULL, &now);
    if (action_is_ours(&now))
        return;
    number_settle(number);
    number->former = now;
    number_settle(number);
    action_install(signum, signal_alone);
}

/* The library has been asked: see to it that anyc's handler is called first. */
static void number_put_on_top(struct signal_number *number, int signum)
{
    struct sigaction now;

    (void)sigaction(signum, NULL, &now);
    if (action_is(&now, signal_on_top))
        return;
    number_settle(number);
    number->library = action_is(&now, signal_alone) ? number->former : now; /* the host was first */
    number_settle(number);
    action_install(signum, signal_on_top);
}

/* Nobody receives it any more: can it do again what it did before? */
static bool number_is_done(const struct signal_number *number, const struct sigaction *now)
{
    if (action_is(now, signal_on_top)) /* the host still uses the library: since before anyc? */
        return number->library.sa_handler == number->former.sa_handler;
    return action_is(now, signal_alone);
}

/* A source has gone, and its claim on the library with it. */
static void number_give_back(struct signal_number *number, int signum)
{
    bool last = atomic_load(&number->sources) == NULL;
    struct sigaction now;

    (void)sigaction(signum, NULL, &now);
    if (last && number_is_done(number, &now))
        (void)sigaction(signum, &number->former, NULL);
    else if (!last && now.sa_handler == SIG_DFL) /* libuv does that when it is done */
        action_install(signum, signal_alone);
    number_settle(number);
}

/* -- the claim on the library of the host's loop; under the lock -- */

/* The library has heard of a signal. That is no news, unless it came while the library was being
 * asked, when its handler was the only one for a moment. */
static void signal_reported(anyc_loop *loop, int signum)
{
    struct signal_number *number = &signal_numbers[signum];
    unsigned side = number_enter(number);
    struct signal_source *source = atomic_load(&number->sources);

    while (source != NULL && source->loop != loop)
        source = atomic_load(&source->next);
    if (source != NULL && !atomic_load(&source->heard))
        (void)number_tell(number);
    number_leave(number, side);
}

static int source_claim(struct signal_source *source)
{
    struct signal_number *number = &signal_numbers[source->signum];
    anyc_loop *loop = source->loop;
    int rc;

    if (!loop->adopted || signal_forked)
        return 0;
    if (number->claims > 0 && number->claimer != loop->backend)
        return 0; /* they would take it away from each other */
    rc = loop->backend->signal_start(loop, source->signum);
    if (rc == -EBUSY)
        return 0; /* it serves one loop of a process, and that is another one */
    if (rc < 0)
        return anyc__fail_errno(-rc, "cannot receive signal %d on the host's loop", source->signum);
    loop->on_signal = signal_reported;
    source->claimed = true;
    number->claimer = loop->backend;
    number->claims++;
    number_put_on_top(number, source->signum);
    return 0;
}

/* -- sources; under the lock -- */

static void source_link(struct signal_source *source)
{
    struct signal_number *number = &signal_numbers[source->signum];
    struct signal_source *first = atomic_load(&number->sources);

    atomic_store(&source->next, first);
    anyc__tools_release(number);
    atomic_store(&number->sources, source);
    number_settle(number);
    if (first == NULL)
        number_take(number, source->signum);
}

static void source_unlink(struct signal_source *source)
{
    struct signal_number *number = &signal_numbers[source->signum];
    _Atomic(struct signal_source *) *link = &number->sources;

    while (atomic_load(link) != NULL && atomic_load(link) != source)
        link = &atomic_load(link)->next;
    if (atomic_load(link) == NULL)
        return; /* it was the parent process's */
    atomic_store(link, atomic_load(&source->next));
    if (source->claimed) {
        source->loop->backend->signal_stop(source->loop, source->signum);
        number->claims--;
    }
    number_give_back(number, source->signum);
}

/* -- locking, and fork -- */

/* No signal may interrupt who has the lock: a handler of the program's might fork. */
static void signal_acquire(sigset_t *out_mask)
{
    sigset_t all;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, out_mask);
    pthread_mutex_lock(&signal_lock);
}

static void signal_release(const sigset_t *mask)
{
    pthread_mutex_unlock(&signal_lock);
    (void)pthread_sigmask(SIG_SETMASK, mask, NULL);
}

/* In the child. Another thread of the parent may have been at work here, but `former` is complete
 * before anyc's action is installed. */
static void signal_after_fork(void)
{
    static const struct signal_number unused;
    struct sigaction now;
    int signum;

    for (signum = 1; signum < NSIG; signum++) {
        if (sigaction(signum, NULL, &now) == 0 && action_is_ours(&now))
            (void)sigaction(signum, &signal_numbers[signum].former, NULL);
        signal_numbers[signum] = unused;
    }
    signal_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    signal_forked = true;
    atomic_store(&signal_process, getpid());
}

static void signal_prepare(void)
{
    atomic_store(&signal_process, getpid());
    (void)pthread_atfork(NULL, NULL, signal_after_fork); /* handlers look at the process anyway */
}

/* -- sources -- */

bool anyc__signal_valid(int signum)
{
    static const int refused[] = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    struct sigaction action;
    size_t i;

    for (i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (signum == refused[i])
            return false;
    }
    return signum > 0 && signum < NSIG && sigaction(signum, NULL, &action) == 0;
}

/* On the loop's thread. */
static void source_arrived(struct post *post)
{
    struct signal_source *source = ANYC__CONTAINER(post, struct signal_source, post);

    atomic_store(&source->posted, false); /* what comes from now on is another one */
    if (source->closed)
        anyc__free(source);
    else
        source->arrived(source);
}

int anyc__signal_source_open(anyc_loop *loop, int signum,
                             void (*arrived)(struct signal_source *source),
                             struct signal_source **out_source)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct signal_source *source = anyc__zalloc(sizeof *source);
    sigset_t mask;
    int rc;

    if (source == NULL)
        return anyc__fail_plain(ANYC_ENOMEM);
    (void)pthread_once(&once, signal_prepare);
    source->post.fn = source_arrived;
    source->loop = loop;
    source->signum = signum;
    source->arrived = arrived;
    signal_acquire(&mask);
    source_link(source);
    rc = source_claim(source);
    signal_release(&mask);
    if (rc < 0)
        anyc__signal_source_close(source);
    else
        *out_source = source;
    return rc;
}

void anyc__signal_source_close(struct signal_source *source)
{
    sigset_t mask;

    signal_acquire(&mask);
    source_unlink(source);
    signal_release(&mask);
    source->closed = true; /* no handler sees it any more; its post may be on its way */
    if (!atomic_load(&source->posted))
        anyc__free(source);
}
