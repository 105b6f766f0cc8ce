/* SPDX-License-Identifier: MIT */
/*
 * error.h - the codes that functions of anyc answer, and the last failure in full.
 *
 * A result >= 0 is success, < 0 an error. System errors are -errno, unchanged. The code alone
 * decides what a program does; anyc_last_error() is a diagnosis for people.
 *
 *     int rc = anyc_connect_tcp("example.org", 80, NULL, &stream);
 *     if (rc < 0)
 *         fprintf(stderr, "%s: %s\n", anyc_error_name(rc), anyc_last_error()->message);
 */
#ifndef ANYC_ERROR_H
#define ANYC_ERROR_H

#include <errno.h>

#include <anyc/base.h>

/* clang-format off */
/* X(code, number, text), and AnyIO's exception. */
#define ANYC_ERROR_MAP(X) \
    X(ANYC_ECANCELLED, -20001, "the task was cancelled") /* AnyIO: get_cancelled_exc_class() */ \
    X(ANYC_EBROKEN, -20002, "the resource is broken") /* BrokenResourceError; the system's error is in anyc_last_error() */ \
    X(ANYC_EBUSY, -20003, "another task is already using the resource in this way") /* BusyResourceError */ \
    X(ANYC_ECLOSED, -20004, "the resource is closed") /* ClosedResourceError: this side closed it */ \
    X(ANYC_EDELIMITER, -20005, "the delimiter was not found within the limit") /* DelimiterNotFound */ \
    X(ANYC_EOF, -20006, "end of stream") /* EndOfStream */ \
    X(ANYC_EINCOMPLETE, -20007, "the stream ended before enough data arrived") /* IncompleteRead */ \
    X(ANYC_EATTRIBUTE, -20008, "the object does not provide this attribute") /* TypedAttributeLookupError */ \
    X(ANYC_EWOULDBLOCK, -20009, "the call would have to wait") /* WouldBlock */ \
    X(ANYC_ENOBACKEND, -20010, "no such event loop backend") /* LookupError of run */ \
    X(ANYC_ESTATE, -20011, "not allowed in this state or from this task") /* RuntimeError: wrong state or wrong task */ \
    X(ANYC_ERUNNING, -20012, "an event loop is already running in this thread") /* RuntimeError: run inside a run */ \
    X(ANYC_ENOLOOP, -20013, "no event loop is running in this thread") /* NoEventLoopError */ \
    X(ANYC_EDEADLOCK, -20014, "every task waits and nothing can wake one") /* no counterpart: AnyIO hangs */ \
    X(ANYC_ENOTSTARTED, -20015, "the task ended without signalling that it had started") /* RuntimeError: child exited without calling started() */ \
    X(ANYC_ENOTFOUND, -20016, "no value is set and there is no default") /* LookupError of RunVar */ \
    X(ANYC_EPENDING, -20017, "not finished yet") /* TaskNotFinished, FutureNotFinished */ \
    X(ANYC_ETASKFAILED, -20018, "the awaited task failed") /* TaskFailed; the task's own code is in its handle */ \
    X(ANYC_ETASKCANCELLED, -20019, "the awaited task was cancelled") /* TaskCancelled: about the other task, not this one */ \
    X(ANYC_EFUTUREFAILED, -20020, "the future failed") /* FutureFailed */ \
    X(ANYC_EFUTURECANCELLED, -20021, "the future was cancelled") /* FutureCancelled: about the future, not this task */ \
    X(ANYC_ECONNECT, -20022, "every connection attempt failed") /* ConnectionFailed: all attempts failed for different reasons */ \
    X(ANYC_ETLS, -20023, "TLS failed") /* ssl.SSLError */ \
    X(ANYC_ETLS_EOF, -20024, "the peer ended the TLS connection without saying so") /* ssl.SSLEOFError */ \
    X(ANYC_ETLS_CERTIFICATE, -20025, "the peer's certificate could not be verified") /* ssl.SSLCertVerificationError */ \
    X(ANYC_EPROCESS, -20026, "the process failed") /* CalledProcessError */ \
    X(ANYC_EDECODE, -20027, "the bytes are not text in this encoding") /* UnicodeDecodeError */ \
    X(ANYC_EENCODE, -20028, "the text has no form in this encoding") /* UnicodeEncodeError */ \
    X(ANYC_EWORKER, -20029, "the worker process broke") /* BrokenWorkerProcess */ \
    X(ANYC_ERUNFINISHED, -20030, "the run has finished") /* RunFinishedError */

#define ANYC_ERROR_CONSTANT_(code, number, text) code = (number),
enum {
    ANYC_ERROR_MAP(ANYC_ERROR_CONSTANT_)
    ANYC_ETIMEDOUT = -ETIMEDOUT, /* TimeoutError */
    ANYC_EINVAL = -EINVAL,       /* ValueError, TypeError */
    ANYC_ENOMEM = -ENOMEM        /* MemoryError */
};
/* clang-format on */

/** The resolver's errors, AnyIO's socket.gaierror: `code` is an EAI_* constant of <netdb.h>. */
#define ANYC_EAI(code) (-21000 - ((code) < 0 ? -(code) : (code)))

#ifdef __cplusplus
extern "C" {
#endif

/** What the TLS library knows of a failure (anyc/tls.h); all zero for any other. The words for it
 * are in the message. */
typedef struct anyc_error_tls {
    int library_code;      /* mbedTLS's, negative; or 0 */
    uint32_t verify_flags; /* ANYC_TLS_EXPIRED ...: what is wrong with the peer's certificate */
    uint8_t alert;         /* number of the fatal alert, RFC 5246 section 7.2; 0: none is known */
    bool alert_sent;       /* it went to the peer; false: it came from the peer */
} anyc_error_tls;

/** One failure in full. */
typedef struct anyc_error {
    int code;            /* what the failing function answered */
    int os_error;        /* errno behind it, or 0 */
    const char *message; /* one line, or more for a list; never NULL */
    anyc_error_tls tls;
} anyc_error;

/**
 * Ask whether a result is the cancellation of the calling task.
 *
 * @param rc  any result
 *
 * Returns: true for ANYC_ECANCELLED.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   get_cancelled_exc_class.
 */
static inline bool anyc_is_cancelled(int rc)
{
    return rc == ANYC_ECANCELLED;
}

/**
 * One line for a person.
 *
 * @param rc  a result of anyc: one of its codes, ANYC_EAI(...), -errno or >= 0
 *
 * Returns: static text, or the C library's for -errno and EAI codes; never NULL.
 * Owns:    the text is borrowed; the C library may reuse it at the thread's next call.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   str(exception).
 */
ANYC_API const char *anyc_strerror(int rc);

/**
 * The symbol of a result, such as "ANYC_EOF" or "ECONNREFUSED".
 *
 * @param rc  as for anyc_strerror
 *
 * Returns: static text; "OK" for rc >= 0, "UNKNOWN" for a code that nobody defined.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   type(exception).__name__.
 */
ANYC_API const char *anyc_error_name(int rc);

/**
 * The last failure of the calling task in full; outside a task, of the calling thread (so that the
 * message of a failed anyc_run can be read after it).
 *
 * Returns: never NULL; code 0 and an empty message if nothing failed yet.
 * Owns:    borrowed, valid until the same task's (thread's) next failing call.
 * Cancel:  never suspends.
 * Threads: any thread; each task and thread has its own.
 * AnyIO:   the exception caught.
 */
ANYC_API const anyc_error *anyc_last_error(void);

#ifdef __cplusplus
}
#endif

#endif
