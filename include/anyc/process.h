/* SPDX-License-Identifier: MIT */
/*
 * process.h - run other programs.
 *
 *     const char *const command[] = {"sort", "-u", NULL};
 *     anyc_process_options options = {.input = text, .input_len = strlen(text)};
 *     anyc_completed_process sorted;
 *     int rc = anyc_run_process(command, &options, &sorted);
 *
 *     if (rc == 0)
 *         fwrite(sorted.std_out, 1, sorted.std_out_len, stdout);
 *     anyc_free_completed_process(&sorted);
 *
 * anyc_open_process starts a program and leaves it running: its standard streams are byte streams
 * (anyc/stream.h), anyc_process_wait waits for its end, and anyc_aclose ends its use: it closes the
 * streams, waits until the program has ended, and frees the process; when it is cancelled, it kills
 * the program. So there is never a zombie or a program left over, and never a leaked descriptor.
 *
 * A program starts with default signal dispositions, no blocked signals, and of this program's
 * descriptors none but 0, 1, 2 and those passed on purpose, close-on-exec or not. Starting it
 * suspends the loop's thread until the program is loaded, about 0.05 ms, as it does with libuv and
 * asyncio: the child borrows this program's memory for so long (vfork(2)), which is what makes it
 * quick however large this program is.
 */
#ifndef ANYC_PROCESS_H
#define ANYC_PROCESS_H

#include <sys/types.h>

#include <anyc/base.h>
#include <anyc/resource.h>
#include <anyc/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a standard stream of a program leads. */
typedef enum anyc_stdio {
    ANYC_STDIO_DEFAULT = 0, /* a pipe; see anyc_run_process for standard input there */
    ANYC_STDIO_PIPE,        /* a byte stream of this program */
    ANYC_STDIO_DEVNULL,     /* /dev/null */
    ANYC_STDIO_INHERIT,     /* this program's own descriptor of the same number */
    ANYC_STDIO_FD,          /* the descriptor given beside it, which stays the caller's */
    ANYC_STDIO_STDOUT       /* std_err only: where standard output goes */
} anyc_stdio;

/** In `process_group`: a new group, led by the program. */
#define ANYC_PROCESS_GROUP_NEW (-1)

/** What a program may be told; all zero means the defaults. */
typedef struct anyc_process_options {
    bool shell; /* the command is one line for /bin/sh -c */

    anyc_stdio std_in;
    anyc_stdio std_out;
    anyc_stdio std_err;
    int std_in_fd; /* for ANYC_STDIO_FD */
    int std_out_fd;
    int std_err_fd;
    const int *pass_fds; /* further descriptors that it has, under the same numbers; may be NULL */
    size_t pass_fds_count;

    const char *cwd;        /* its working directory; NULL: this program's */
    const char *const *env; /* "NAME=value", ended by NULL: its whole environment; NULL: as this
                             * program's */
    bool start_new_session; /* setsid(2): away from this program's terminal */
    pid_t process_group;    /* join this one, or ANYC_PROCESS_GROUP_NEW; 0: this program's */
    const char *user;       /* name, or number in digits; NULL: as this program */
    const char *group;      /* likewise */
    const char *const *extra_groups; /* likewise, ended by NULL: all its supplementary groups; an
                                      * empty list: none; NULL: as this program */
    bool set_umask;
    mode_t umask; /* if set_umask */

    /* anyc_run_process only */
    const void *input;       /* for its standard input; NULL: none. std_in must be the default */
    size_t input_len;        /* bytes; 0 with an `input`: an empty one */
    bool no_check;           /* an exit code other than 0, or a signal, is no failure */
    size_t max_output_bytes; /* of standard output and of standard error each; 0: no limit */
} anyc_process_options;

/** A program that was started. */
typedef struct anyc_process {
    anyc_resource resource;
} anyc_process;

/**
 * Start a program. Descriptors, names and numbers of the options are looked at first; then nothing is
 * left over if it fails, and no program was started.
 *
 * @param argv         the program and its arguments, ended by NULL; a name without a slash is looked
 *                     for along the PATH of its environment. With `shell`: one line, then NULL
 * @param options      NULL or zero fields: defaults; borrowed for the call
 * @param out_process  the process
 *
 * Returns: 0, or, with the step that failed in the message ("chdir to /x: ...", "exec ls: ...")
 *   -ENOENT, -EACCES, -ENOEXEC, -E2BIG ...  of execve(2) or chdir(2): it cannot be executed, there is
 *                   no such directory ... -ENOENT also if the interpreter of a script is missing
 *   -EPERM          of setuid(2), setgid(2), setgroups(2) or setpgid(2): not allowed
 *   -EBADF          one of the given descriptors is not open
 *   ANYC_EINVAL     no command, or more than a line with `shell`; a user or group that does not exist;
 *                   ANYC_STDIO_STDOUT where it has no meaning; an option of anyc_run_process
 *   -EAGAIN         too many processes
 *   -EMFILE, -ENFILE  too many descriptors
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 *   ANYC_ENOMEM     out of memory
 * Owns:    the process is the caller's: end it with anyc_aclose.
 * Cancel:  checkpoint before the program is started; a process that was started is handed over.
 * Threads: tasks only.
 * AnyIO:   open_process.
 */
ANYC_MUST_USE ANYC_API int anyc_open_process(const char *const *argv,
                                             const anyc_process_options *options,
                                             anyc_process **out_process);

/**
 * Wait until the program has ended, or return at once if it has. Pipes that its own children still
 * hold open do not delay this.
 *
 * @param process         borrowed; closed or not
 * @param out_returncode  its exit code, 0..255, or minus the number of the signal that killed it;
 *                        may be NULL
 *
 * Returns: 0, or
 *   -ECHILD         somebody else in this program collected its exit code (a wait for any child, or
 *                   an ignored SIGCHLD), which so is lost
 *   ANYC_ECANCELLED the enclosing scope was cancelled
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, the program runs on.
 * Threads: the process's loop only; any number of tasks may wait.
 * AnyIO:   abc.Process.wait.
 */
ANYC_API int anyc_process_wait(anyc_process *process, int *out_returncode);

/**
 * How the program ended, if it has.
 *
 * @param process         borrowed; closed or not
 * @param out_returncode  as of anyc_process_wait
 *
 * Returns: 0, or
 *   ANYC_EPENDING   it is still running
 *   -ECHILD         as of anyc_process_wait
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: the process's loop only.
 * AnyIO:   abc.Process.returncode (None while it runs); current, no wait is needed before.
 */
ANYC_API int anyc_process_returncode(anyc_process *process, int *out_returncode);

/**
 * Send a signal to the program. It never reaches another one: if the program has ended, nothing
 * happens.
 *
 * @param process  borrowed; closed or not
 * @param signum   number of the signal; 0 only asks whether sending is allowed
 *
 * Returns: 0, also after its end, or
 *   ANYC_EINVAL     there is no such signal
 *   -EPERM          not allowed: it runs as another user
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: the process's loop only.
 * AnyIO:   abc.Process.send_signal.
 */
ANYC_API int anyc_process_send_signal(anyc_process *process, int signum);

/**
 * Ask the program to end: SIGTERM.
 *
 * @param process  borrowed; closed or not
 *
 * Returns: as anyc_process_send_signal.
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: the process's loop only.
 * AnyIO:   abc.Process.terminate.
 */
ANYC_API int anyc_process_terminate(anyc_process *process);

/**
 * End the program without asking it: SIGKILL.
 *
 * @param process  borrowed; closed or not
 *
 * Returns: as anyc_process_send_signal.
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: the process's loop only.
 * AnyIO:   abc.Process.kill.
 */
ANYC_API int anyc_process_kill(anyc_process *process);

/**
 * Ask the program to end, and kill it if it has not after a while: SIGTERM (and SIGCONT, as a stopped
 * program could not heed it), a wait, SIGKILL, a wait.
 *
 * @param process         borrowed; closed or not
 * @param grace           seconds that it has; INFINITY: it is never killed
 * @param out_returncode  as of anyc_process_wait; may be NULL
 *
 * Returns: 0: it has ended, or
 *   ANYC_EINVAL     `grace` is negative or not a number
 *   -EPERM, -ECHILD as of the calls above
 *   ANYC_ECANCELLED the enclosing scope was cancelled; it was killed, and has ended
 *   ANYC_ENOLOOP    not called from a task
 * Owns:    nothing is taken.
 * Cancel:  checkpoint. When cancelled, it is killed at once and its end is waited for.
 * Threads: the process's loop only.
 * AnyIO:   no counterpart (terminate, move_on_after, kill).
 */
ANYC_API int anyc_process_stop(anyc_process *process, double grace, int *out_returncode);

/**
 * The number of the program's process. After its end the system may give it to another one.
 *
 * @param process  borrowed; closed or not
 *
 * Returns: the number.
 * Owns:    nothing.
 * Cancel:  never suspends.
 * Threads: the process's loop only.
 * AnyIO:   abc.Process.pid.
 */
ANYC_API pid_t anyc_process_pid(const anyc_process *process);

/**
 * The stream that leads to the program's standard input. Its send_eof closes it; so does a close, by
 * anyc_close or anyc_aclose. After the program's own end, or when it has closed its side, sending
 * answers ANYC_EBROKEN.
 *
 * @param process  borrowed; closed or not
 *
 * Returns: the stream, or NULL if it is no pipe.
 * Owns:    the process's; its memory is freed with the process. Put no wrapper on it that lives longer.
 * Cancel:  never suspends.
 * Threads: the process's loop only.
 * AnyIO:   abc.Process.stdin.
 */
ANYC_API anyc_byte_stream *anyc_process_stdin(const anyc_process *process);

/**
 * The stream that receives the program's standard output. It ends when everybody has closed their
 * side, the program's own children included.
 *
 * @param process  borrowed; closed or not
 *
 * Returns: the stream, or NULL if it is no pipe.
 * Owns:    as anyc_process_stdin.
 * Cancel:  never suspends.
 * Threads: the process's loop only.
 * AnyIO:   abc.Process.stdout.
 */
ANYC_API anyc_byte_stream *anyc_process_stdout(const anyc_process *process);

/**
 * The stream that receives the program's standard error.
 *
 * @param process  borrowed; closed or not
 *
 * Returns: the stream, or NULL if it is no pipe, or goes to standard output.
 * Owns:    as anyc_process_stdin.
 * Cancel:  never suspends.
 * Threads: the process's loop only.
 * AnyIO:   abc.Process.stderr.
 */
ANYC_API anyc_byte_stream *anyc_process_stderr(const anyc_process *process);

/** How a program ended, and what it wrote. */
typedef struct anyc_completed_process {
    int returncode; /* exit code, 0..255, or minus the number of the signal that killed it */
    char *std_out;  /* what came through the pipe, and a zero behind it; NULL: it was none */
    char *std_err;
    size_t std_out_len; /* bytes, without that zero */
    size_t std_err_len;
} anyc_completed_process;

/**
 * Run a program to its end: send it the input, and receive its output and its errors, all at the same
 * time. Standard input is inherited unless there is an input or the options say otherwise; a program
 * that does not read all of its input is no failure. The call ends when the program has ended and
 * its output is at an end, which its own children may delay if they hold on to it; what is left of
 * the input then is not sent any more.
 *
 * @param argv           as for anyc_open_process
 * @param options        NULL or zero fields: defaults; borrowed for the call
 * @param out_completed  how it went; may be NULL. It is filled after 0, ANYC_EPROCESS and -ENOBUFS,
 *                       else it is empty; anyc_free_completed_process frees it in any case
 *
 * Returns: 0, or an error of anyc_open_process, or
 *   ANYC_EPROCESS   its exit code is not 0 or it was killed by a signal, as the message says
 *   ANYC_EINVAL     also: both an `input` and a std_in
 *   -ENOBUFS        it wrote more than max_output_bytes: it was killed; that much of it is there
 *   ANYC_EBROKEN    the loop can watch no more descriptors, as the message says: it was killed
 *   -ECHILD         as of anyc_process_wait
 *   ANYC_ECANCELLED the enclosing scope was cancelled; it was killed, and has ended
 *   ANYC_ENOMEM     out of memory; if it was running, it was killed
 * Owns:    the output is the caller's: free it with anyc_free_completed_process.
 * Cancel:  checkpoint. When cancelled, the program is killed and its end waited for.
 * Threads: tasks only.
 * AnyIO:   run_process.
 */
ANYC_MUST_USE ANYC_API int anyc_run_process(const char *const *argv,
                                            const anyc_process_options *options,
                                            anyc_completed_process *out_completed);

/**
 * Free what anyc_run_process filled.
 *
 * @param completed  all zero afterwards; may be so before
 *
 * Owns:    takes the output.
 * Cancel:  never suspends.
 * Threads: any thread.
 * AnyIO:   no counterpart.
 */
ANYC_API void anyc_free_completed_process(anyc_completed_process *completed);

#ifdef __cplusplus
}
#endif

#endif
