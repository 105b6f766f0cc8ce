/* SPDX-License-Identifier: MIT */
/*
 * tls_server.h - a TLS server for tests, over connections in memory, and its clients.
 */
#ifndef ANYC_TESTS_STREAMS_TLS_SERVER_H
#define ANYC_TESTS_STREAMS_TLS_SERVER_H

#include <check.h>

#include <anyc/anyc.h>
#include <anyc/testing.h>
#include <anyc/tls.h>

#include "support/byte_listener.h"
#include "support/steps.h"
#include "support/tls_files.h"
#include "support/tls_pair.h"

/* A server, and what its handlers have seen. */
struct server {
    anyc_tls_context *context; /* of the server "localhost" */
    anyc_tls_context *client;  /* of good clients */
    anyc_listener *below;      /* the one in memory */
    anyc_listener *listener;   /* NULL: the test has ended it */
    anyc_task_group *handlers; /* NULL: serve has a group of its own */
    anyc_task_group group;     /* the serving task, and others of the test */
    anyc_cancel_scope scope;   /* around serve */
    int handled;               /* connections */
    bool compatible;           /* the last one's ANYC_TLS_STANDARD_COMPATIBLE */
    int rc;                    /* of serve; 1: it still runs */

    int failures; /* calls of note_failure, and the last one's: */
    int failure_rc;
    anyc_error_tls failure_tls;
    char failure_text[256];
    int failure_answer; /* what it answers */
};

/* What was logged since the last server_open. */
extern int logged;
extern int logged_code;
extern char logged_line[512];

/* A handler that sends everything back. Its argument is the server. */
int echo(anyc_byte_stream *stream, void *arg);

/* An error handler; likewise. */
int note_failure(anyc_byte_stream *transport, int rc, void *arg);

/* The listener, which nobody serves yet; and its end, with the contexts. */
void server_open(struct server *server, const anyc_tls_listener_create_options *options);
void server_close(struct server *server);

/* Serve it, in a task. */
void server_serve(struct server *server);

/* Both. */
void server_start(struct server *server, const anyc_tls_listener_create_options *options);

/* Cancel serving, and close. `expected`: what serve answers. */
void server_stop(struct server *server, int expected);

/* The client's handshake on its end of a connection. */
int shake(const struct server *server, anyc_byte_stream *end, anyc_byte_stream **out_stream);

/* The stream has a server behind it that sends everything back; closes it. */
void check_echo(anyc_byte_stream *stream);

/* This end of a connection that the server has accepted, or a new one, gets all that it wants. */
void check_served_on(const struct server *server, anyc_byte_stream *end);
void check_served(const struct server *server);

/* Wait until the server has closed the connection, whatever it sent before; closes this end. */
void check_dropped(anyc_byte_stream *end);

/* Wait until nobody has anything to do. */
void settle(void);

#endif
