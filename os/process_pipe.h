/* SPDX-License-Identifier: MIT */
/*
 * process_pipe.h - the byte streams at our end of a process's standard streams.
 *
 * Their memory goes with the process: anyc_aclose of such a stream only closes it.
 */
#ifndef ANYC_OS_PROCESS_PIPE_H
#define ANYC_OS_PROCESS_PIPE_H

#include <anyc/stream.h>

/* Make a stream of our end of a pipe, non-blocking. number: 0, 1 or 2: which standard stream of the
 * process is at the other end. Takes the descriptor, also on failure: ANYC_ENOMEM or -errno of the
 * loop, with a message. */
int anyc__process_pipe_create(anyc_loop *loop, int fd, int number, anyc_byte_stream **out_stream);

/* Say whose it is, for messages. */
void anyc__process_pipe_set_pid(anyc_byte_stream *stream, pid_t pid);

/* Of standard input: is there anybody left who could read it? It is open on our side. */
bool anyc__process_pipe_has_reader(anyc_byte_stream *stream);

/* Close it at once. */
void anyc__process_pipe_close(anyc_byte_stream *stream);

/* Free it, closed; tasks may still be inside. */
void anyc__process_pipe_destroy(anyc_byte_stream *stream);

#endif
