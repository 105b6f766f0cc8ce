/* SPDX-License-Identifier: MIT */
/*
 * adopt.h - take over a socket that somebody else made: look whether it is of the right kind, and
 * set it up. For the functions named ..._from_fd.
 *
 *     struct adoption adoption;
 *     int rc = anyc__adopt(fd, &rule, &adoption);
 *
 *     if (rc == 0) {
 *         rc = anyc__watch_open(...), then make the object
 *         if (rc < 0)
 *             anyc__adopt_undo(&adoption);
 *     }
 */
#ifndef ANYC_NET_ADOPT_H
#define ANYC_NET_ADOPT_H

#include <sys/socket.h>

/* What must be true of the socket. */
enum adopt_state {
    ADOPT_ANY,
    ADOPT_CONNECTED,
    ADOPT_BOUND,    /* a port other than 0; for AF_UNIX a name */
    ADOPT_LISTENING /* and bound */
};

struct adopt_rule {
    int type;   /* SOCK_STREAM, SOCK_DGRAM */
    int family; /* AF_UNSPEC: any */
    enum adopt_state state;
};

/* An adopted socket. */
struct adoption {
    int fd;
    int status_flags;     /* as they were: F_GETFL */
    int descriptor_flags; /* as they were: F_GETFD */
    int family;
    socklen_t peer_len;           /* 0: not connected */
    struct sockaddr_storage peer; /* who it is connected to, if the rule asks for ADOPT_CONNECTED */
};

/* Check the descriptor, in this order: is it a socket, its state, family, type. Then make it
 * non-blocking and close-on-exec. Answers 0; or ANYC_EINVAL with a message that names the
 * descriptor and what is wrong, and then nothing about it has changed. Does not wait. */
int anyc__adopt(int fd, const struct adopt_rule *rule, struct adoption *out_adoption);

/* Give it back as it was. Keeps errno. */
void anyc__adopt_undo(const struct adoption *adoption);

#endif
