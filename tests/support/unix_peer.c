/* SPDX-License-Identifier: MIT */
/*
 * unix_peer.c - plain POSIX sockets of AF_UNIX for the other side of a connection under test.
 */
#include "unix_peer.h"

#include <check.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "support/peer.h"

enum { FDS_MAX = 253 };

union unix_control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(FDS_MAX * sizeof(int))];
};

struct unix_place unix_place_make(bool abstract)
{
    static int made;
    struct unix_place place = {.folder = "/tmp/anyc-unix-XXXXXX"};
    int len;

    if (abstract) {
        place.folder[0] = '\0';
        len = snprintf(place.name + 1, sizeof place.name - 1, "anyc#test %d %d", (int)getpid(),
                       made++);
        place.name[5] = '\0';
        place.len = (size_t)len + 1;
    } else {
        ck_assert_ptr_nonnull(mkdtemp(place.folder));
        len = snprintf(place.name, sizeof place.name, "%s/socket", place.folder);
        place.len = (size_t)len;
    }
    return place;
}

void unix_place_remove(const struct unix_place *place)
{
    if (unix_place_is_abstract(place))
        return;
    (void)unlink(place->name); /* a test may have done it */
    ck_assert_int_eq(rmdir(place->folder), 0);
}

void unix_for_each_place(void (*body)(const struct unix_place *place))
{
    for (int abstract = 0; abstract < 2; abstract++) {
        struct unix_place place = unix_place_make(abstract == 1);

        body(&place);
        unix_place_remove(&place);
    }
}

socklen_t unix_peer_address(const struct unix_place *place, struct sockaddr_un *out_address)
{
    size_t len = offsetof(struct sockaddr_un, sun_path) + place->len;

    *out_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out_address->sun_path, place->name, place->len);
    return (socklen_t)(unix_place_is_abstract(place) ? len : len + 1);
}

static int unix_peer_listen_with(const struct unix_place *place, int backlog)
{
    struct sockaddr_un address;
    socklen_t len = unix_peer_address(place, &address);
    int fd = peer_socket(AF_UNIX);

    ck_assert_msg(bind(fd, (struct sockaddr *)&address, len) == 0, "bind: %s", strerror(errno));
    ck_assert_int_eq(listen(fd, backlog), 0);
    return fd;
}

int unix_peer_listen(const struct unix_place *place)
{
    return unix_peer_listen_with(place, 128);
}

int unix_peer_listen_full(const struct unix_place *place, int *out_filler)
{
    int fd = unix_peer_listen_with(place, 0);

    *out_filler = unix_peer_connect(place);
    return fd;
}

int unix_peer_connect(const struct unix_place *place)
{
    struct sockaddr_un address;
    socklen_t len = unix_peer_address(place, &address);
    int fd = peer_socket(AF_UNIX);

    ck_assert_msg(connect(fd, (struct sockaddr *)&address, len) == 0, "connect: %s",
                  strerror(errno));
    return fd;
}

int unix_peer_file(const char *text)
{
    char path[] = "/tmp/anyc-file-XXXXXX";
    int fd = mkstemp(path);
    size_t len = strlen(text);

    ck_assert_msg(fd >= 0, "mkstemp: %s", strerror(errno));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
    ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

void unix_peer_read_file(int fd, char *out_text, size_t size)
{
    ssize_t n = read(fd, out_text, size - 1);

    ck_assert_int_ge(n, 0);
    out_text[n] = '\0';
    close(fd);
}

void unix_peer_send_fds(int fd, const char *text, const int *fds, size_t count)
{
    union unix_control control = {.bytes = {0}};
    struct iovec piece = {.iov_base = (char *)text, .iov_len = strlen(text)};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_SPACE(count * sizeof *fds)};

    control.header.cmsg_len = CMSG_LEN(count * sizeof *fds);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&control.header), fds, count * sizeof *fds);
    ck_assert_int_eq(sendmsg(fd, &message, MSG_NOSIGNAL), (ssize_t)piece.iov_len);
}

size_t unix_peer_receive_fds(int fd, char *buf, size_t max_bytes, int *fds, size_t max_fds,
                             size_t *out_count)
{
    union unix_control control = {.bytes = {0}};
    struct iovec piece = {.iov_base = buf, .iov_len = max_bytes};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = CMSG_LEN(max_fds * sizeof *fds)};
    ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    ck_assert_msg(n >= 0, "recvmsg: %s", strerror(errno));
    ck_assert_int_eq(message.msg_flags & MSG_CTRUNC, 0);
    *out_count = 0;
    if (header != NULL) {
        ck_assert_int_eq(header->cmsg_type, SCM_RIGHTS);
        *out_count = (header->cmsg_len - CMSG_LEN(0)) / sizeof *fds;
        memcpy(fds, CMSG_DATA(header), *out_count * sizeof *fds);
    }
    return (size_t)n;
}
