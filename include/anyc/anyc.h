/* SPDX-License-Identifier: MIT */
/*
 * anyc.h - all of anyc but the header for backends (anyc/backend.h) and for tests (anyc/testing.h).
 */
#ifndef ANYC_ANYC_H
#define ANYC_ANYC_H

#include <anyc/alloc.h>
#include <anyc/buffered_stream.h>
#include <anyc/cancel.h>
#include <anyc/concurrency.h>
#include <anyc/connectable.h>
#include <anyc/datagram.h>
#include <anyc/error.h>
#include <anyc/file.h>
#include <anyc/file_stream.h>
#include <anyc/from_fd.h>
#include <anyc/future.h>
#include <anyc/instrument.h>
#include <anyc/log.h>
#include <anyc/loop.h>
#include <anyc/lowlevel.h>
#include <anyc/memory_stream.h>
#include <anyc/path.h>
#include <anyc/process.h>
#include <anyc/resource.h>
#include <anyc/send_file.h>
#include <anyc/serve.h>
#include <anyc/signal.h>
#include <anyc/socket.h>
#include <anyc/stapled_stream.h>
#include <anyc/stream.h>
#include <anyc/sync.h>
#include <anyc/task.h>
#include <anyc/temporary_file.h>
#include <anyc/text_errors.h>
#include <anyc/text_stream.h>
#include <anyc/thread.h>
#include <anyc/tls.h>
#include <anyc/udp_socket.h>
#include <anyc/unix_datagram_socket.h>
#include <anyc/unix_socket.h>
#include <anyc/worker_process.h>

#endif
