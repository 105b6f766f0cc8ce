/* SPDX-License-Identifier: MIT */
/*
 * fail_syscall.c - system calls that fail as asked: a seccomp filter and the thread that it tells,
 * seccomp_unotify(2).
 *
 * The thread is made before the filter, which holds for the thread that installs it and those that
 * come later: so what the thread does itself is never held up. Calls from outside of the C
 * library's code pass, which leaves the sanitizers' run-time libraries alone.
 */
#include "support/fail_syscall.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <anyc/testing.h>

#include "support/valgrind.h"

/* Linux 6.6: who is told and who waits take turns on one processor, which is several times faster. */
#define SET_FLAGS SECCOMP_IOW(4, __u64)
#define SYNC_WAKE_UP 1

#define SLOT_MIN 200 /* the listener's descriptor is this or more */
#define NONE (-1)

#if defined(__SANITIZE_THREAD__)
#define UNWATCHED __attribute__((no_sanitize("thread"))) /* it cannot see who waits in the kernel */
#else
#define UNWATCHED
#endif

struct call {
    const char *name;
    int number;
    int fd;   /* which argument is the descriptor, or NONE */
    int path; /* which argument is a path, or NONE */
};

#define CALL(name, fd, path) {#name, SYS_##name, fd, path},

static const struct call calls[] = {
    CALL(openat, NONE, 1) CALL(close, 0, NONE) CALL(read, 0, NONE) CALL(write, 0, NONE) CALL(
        readv, 0, NONE) CALL(writev, 0, NONE) CALL(pread64, 0, NONE) CALL(pwrite64, 0, NONE)
        CALL(preadv2, 0, NONE) CALL(fstat, 0, NONE) CALL(newfstatat, NONE, 1) CALL(statx, NONE, 1)
            CALL(lseek, 0, NONE) CALL(getdents64, 0, NONE) CALL(mkdirat, NONE, 1)
                CALL(unlinkat, NONE, 1) CALL(renameat, NONE, 1) CALL(renameat2, NONE, 1)
                    CALL(linkat, NONE, 1) CALL(symlinkat, NONE, 0) CALL(readlinkat, NONE, 1)
                        CALL(fchmod, 0, NONE) CALL(fchmodat, NONE, 1) CALL(utimensat, NONE, 1) CALL(
                            truncate, NONE, 0) CALL(ftruncate, 0, NONE) CALL(faccessat, NONE, 1)
                            CALL(faccessat2, NONE, 1) CALL(getcwd, NONE, NONE)
                                CALL(copy_file_range, 0, NONE) CALL(sendfile, 1, NONE) CALL(
                                    mknodat, NONE, 1) CALL(fcntl, 0, NONE) CALL(fsync, 0, NONE)
                                    CALL(fdatasync, 0, NONE) CALL(getrandom, NONE, NONE)
#ifdef SYS_open /* of the older machines */
                                        CALL(open, NONE, 0) CALL(creat, NONE, 0) CALL(stat, NONE, 0)
                                            CALL(lstat, NONE, 0) CALL(mkdir, NONE, 0)
                                                CALL(rmdir, NONE, 0) CALL(unlink, NONE, 0)
                                                    CALL(rename, NONE, 0) CALL(link, NONE, 0) CALL(
                                                        symlink, NONE, 0) CALL(readlink, NONE, 0)
                                                        CALL(chmod, NONE, 0) CALL(access, NONE, 0)
                                                            CALL(mknod, NONE, 0)
#endif
};

#define CALL_COUNT (sizeof calls / sizeof *calls)

static int slot = -1;     /* a descriptor that is open before any test looks for leaks */
static int listener = -1; /* of the filter */
static sem_t listener_is_known;

static atomic_long calls_left; /* until the one that fails; < 0: none will */
static atomic_long calls_seen;
static atomic_bool armed;
static atomic_int failure;
static _Atomic(const char *) failed; /* the call's name */
static _Atomic(const char *) always; /* words */
static atomic_int always_failure;

/* Tests are children of the program, so they find the descriptor open. */
__attribute__((constructor)) static void slot_reserve(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    slot = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, SLOT_MIN);
    (void)close(fd);
}

/* -- the thread: its calls on others' descriptors are bare ones, of which TSan thinks nothing -- */

static const struct call *call_of(const struct seccomp_data *data)
{
    for (size_t i = 0; i < CALL_COUNT; i++) {
        if (calls[i].number == data->nr)
            return &calls[i];
    }
    return NULL;
}

static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    const char *at = words;

    while (at != NULL && (at = strstr(at, word)) != NULL) {
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
        at += len;
    }
    return false;
}

UNWATCHED static bool begins_with(const char *text, const char *beginning)
{
    while (*beginning != '\0' && *text == *beginning) {
        text++;
        beginning++;
    }
    return *beginning == '\0';
}

/* Is it one of those that the header names? */
static bool is_counted(const struct call *call, const struct seccomp_data *data)
{
    const char *path = call->path == NONE ? NULL : (const char *)(uintptr_t)data->args[call->path];
    struct statx status;

    if (path != NULL && (begins_with(path, "/proc/") || begins_with(path, "/sys/")))
        return false;
    if (call->number == SYS_fcntl && data->args[1] != F_GETFL && data->args[1] != F_DUPFD_CLOEXEC)
        return false;
    if (call->fd == NONE)
        return true;
    return syscall(SYS_statx, (int)data->args[call->fd], "", AT_EMPTY_PATH, STATX_TYPE, &status) ==
               0 &&
           (S_ISREG(status.stx_mode) || S_ISDIR(status.stx_mode) || S_ISCHR(status.stx_mode));
}

/* 0: it is to go on; else the errno that it fails with. */
static int fate_of(const struct seccomp_data *data)
{
    const struct call *call = call_of(data);
    int error = 0;

    if (!atomic_load(&armed) || call == NULL || !is_counted(call, data))
        return 0;
    if (has_word(atomic_load(&always), call->name)) {
        error = atomic_load(&always_failure);
    } else {
        atomic_fetch_add(&calls_seen, 1);
        if (atomic_fetch_sub(&calls_left, 1) == 1) {
            error = atomic_load(&failure);
            atomic_store(&failed, call->name);
        }
    }
    if (error != 0 && call->number == SYS_close)
        (void)syscall(SYS_close, (int)data->args[0]);
    return error;
}

static void *serve(void *arg)
{
    struct seccomp_notif notice;
    struct seccomp_notif_resp answer;

    (void)arg;
    while (sem_wait(&listener_is_known) < 0) {
    }
    for (;;) {
        memset(&notice, 0, sizeof notice);
        if (syscall(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_RECV, &notice) < 0)
            continue; /* who called has been interrupted by a signal, and will call again */
        memset(&answer, 0, sizeof answer);
        answer.id = notice.id;
        answer.error = -fate_of(&notice.data);
        if (answer.error == 0)
            answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        (void)syscall(SYS_ioctl, listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
    return NULL;
}

/* -- the filter -- */

struct range {
    uint64_t from;
    uint64_t to;
};

/* The code of the C library; of everything if it is not a library of its own. */
static int range_find(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct range *range = arg;

    (void)size;
    if (strstr(info->dlpi_name, "libc.so") == NULL && strstr(info->dlpi_name, "/ld-musl") == NULL)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0)
            *range = (struct range){info->dlpi_addr + part->p_vaddr,
                                    info->dlpi_addr + part->p_vaddr + part->p_memsz};
    }
    return 1;
}

static uint32_t upper_half(uint64_t value)
{
    return (uint32_t)(value >> 32);
}

static size_t filter_write(struct sock_filter *filter, struct range code)
{
    const uint32_t pointer = offsetof(struct seccomp_data, instruction_pointer);
    const uint32_t big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    size_t n = 0;

    filter[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, pointer + (big_endian != 0 ? 0 : 4));
    filter[n++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, upper_half(code.from), 1, 0);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, pointer + (big_endian != 0 ? 4 : 0));
    filter[n++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)code.from, 1, 0);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, (uint32_t)code.to, 0, 1);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < CALL_COUNT; i++)
        filter[n++] = (struct sock_filter)BPF_JUMP(
            BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i].number, (uint8_t)(CALL_COUNT - i), 0);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    return n;
}

/* The listener, or < 0. */
static int filter_install(struct range code)
{
    struct sock_filter filter[CALL_COUNT + 16];
    struct sock_fprog program = {.filter = filter};

    program.len = (unsigned short)filter_write(filter, code);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &program);
}

static void skip_loudly(const char *reason)
{
    fprintf(stderr, "fail_syscall: no failures are injected here: %s\n", reason);
    ANYC_TEST_SKIP(reason);
}

void fail_syscall_install(void)
{
    struct range code = {0, 0};
    pthread_t thread;
    int fd;

    skip_on_valgrind("Valgrind makes the system calls itself");
    (void)dl_iterate_phdr(range_find, &code);
    if (slot < 0 || code.to == 0 || upper_half(code.from) != upper_half(code.to))
        skip_loudly("the C library's code was not found in one piece");
    if (sem_init(&listener_is_known, 0, 0) < 0 || pthread_create(&thread, NULL, serve, NULL) != 0)
        abort();
    (void)pthread_detach(thread);
    fd = filter_install(code);
    if (fd < 0)
        skip_loudly("the kernel refuses a seccomp filter with a listener");
    if (dup3(fd, slot, O_CLOEXEC) < 0)
        abort();
    listener = slot;
    (void)ioctl(listener, SET_FLAGS, SYNC_WAKE_UP); /* older systems do without */
    (void)sem_post(&listener_is_known);
    (void)close(fd);
}

void fail_syscall_arm(long n, int error)
{
    atomic_store(&calls_seen, 0);
    atomic_store(&failed, NULL);
    atomic_store(&failure, error);
    atomic_store(&calls_left, n);
    atomic_store(&armed, true);
}

const char *fail_syscall_disarm(void)
{
    atomic_store(&armed, false);
    return atomic_load(&failed);
}

long fail_syscall_count(void)
{
    return atomic_load(&calls_seen);
}

void fail_syscall_always(const char *names, int error)
{
    atomic_store(&always_failure, error);
    atomic_store(&always, names);
}
