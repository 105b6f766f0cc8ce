/* SPDX-License-Identifier: MIT */
/*
 * fail_syscall.h - lets the nth system call on files fail, whoever makes it: any thread, stdio,
 * opendir, the name services. For plain tests with runs of their own, on Linux:
 *
 *     fail_syscall_install();
 *     anyc_run(main that, for n = 1, 2, 3 ..., calls fail_syscall_arm(n, EIO), does it, and ends when
 *              fail_syscall_disarm() answers NULL, ...);
 *
 * A seccomp filter hands the calls that the C library makes to a thread, which lets them go on or
 * answers in the kernel's place. Counted are calls with a path, but for /proc and /sys, and calls on
 * descriptors of files, directories and devices, not those on pipes, sockets and the loop's own. A
 * close that fails has closed its descriptor, as in Linux; any other call that fails did nothing.
 *
 * The filter cannot be taken away: it goes with the test's process.
 */
#ifndef ANYC_TESTS_SUPPORT_FAIL_SYSCALL_H
#define ANYC_TESTS_SUPPORT_FAIL_SYSCALL_H

/* Once, before any thread that is to be watched. Ends the test as skipped where it cannot be done. */
void fail_syscall_install(void);

/* The nth call from now on, n >= 1, fails with this errno; n == 0: none, they are only counted. */
void fail_syscall_arm(long n, int error);

/* No call fails any more. The name of the one that did, such as "openat"; NULL: none. */
const char *fail_syscall_disarm(void);

/* How many calls there were since the arming. */
long fail_syscall_count(void);

/* While armed, all calls whose names are among these words, with blanks between, fail with this
 * errno, and are not counted. NULL: none. The text is kept by reference. */
void fail_syscall_always(const char *names, int error);

#endif
