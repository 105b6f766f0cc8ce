/* SPDX-License-Identifier: MIT */
/*
 * text_stream.h - text over a byte stream, in any encoding that iconv(3) knows.
 *
 *     anyc_text_stream *text;
 *     char line[256];
 *     ssize_t len;
 *
 *     anyc_text_stream_create(stream, &(anyc_text_stream_options){.encoding = "UTF-16"}, &text);
 *     anyc_send(&text->stream, "h\303\251llo\n", 7);
 *     len = anyc_text_receive_line(text, line, sizeof line);
 *     ...
 *     anyc_aclose(text);      // closes `stream` too
 *
 * A text stream is a byte stream itself (&text->stream); the text in the program is UTF-8.
 *
 * anyc_receive gives whole characters, unless there is room for less than one (max_bytes below 4).
 * A character whose bytes arrive one by one waits until it is whole. Broken bytes are treated as the
 * options say. When these are strict (the default), anyc_receive first gives the text before them,
 * and then answers ANYC_EDECODE, with the bytes and their offset in the message; they are taken out,
 * and the next call goes on behind them. The end of the stream within a character is such an error
 * too; after it comes ANYC_EOF.
 *
 * anyc_send encodes the whole text before it sends any of it. When errors are strict, a character
 * that is not in the encoding, or text that is not UTF-8, answers ANYC_EENCODE, with its bytes and
 * offset (counted in all text sent) in the message, and nothing of that text was sent. A text may end
 * within a character and the next one go on with it; one that does not is an error of that next
 * text, and what was begun is dropped. So it is by anyc_send_eof, which then sends no end (a second
 * call does), and by anyc_close, which closes and answers ANYC_EENCODE.
 *
 * In an encoding with shift states (ISO-2022-JP) each text that is sent begins and ends in the first
 * one. What a cancelled anyc_send_some has left of its part goes out before the next text, or by
 * anyc_send_eof; closing drops it.
 */
#ifndef ANYC_TEXT_STREAM_H
#define ANYC_TEXT_STREAM_H

#include <anyc/base.h>
#include <anyc/stream.h>
#include <anyc/text_errors.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a text stream may be told; all zero means the defaults. */
typedef struct anyc_text_stream_options {
    /* NULL: UTF-8. What iconv_open(3) knows, and under these names on every system: UTF-8,
     * UTF-8-SIG (with a mark), UTF-16 and UTF-32 (a byte-order mark is written in this computer's
     * order; when receiving, none means that order), UTF-16LE, UTF-16BE, UTF-32LE, UTF-32BE,
     * Latin-1, ASCII, Shift-JIS. As in Python, '_' may stand for '-' (euc_jp), and a name may lack
     * its dashes (iso2022_jp). No "//IGNORE" or "//TRANSLIT". Borrowed for the call. */
    const char *encoding;
    anyc_text_errors errors;
} anyc_text_stream_options;

/** A byte stream of UTF-8 over one in another encoding. */
typedef struct anyc_text_stream {
    union {
        anyc_resource resource;
        anyc_byte_stream stream;
    };
} anyc_text_stream;

/**
 * Receive text from a byte stream. Sending answers -ENOTSUP.
 *
 * @param inner       the stream; taken on success
 * @param options     NULL: strict UTF-8
 * @param out_stream  the text stream
 *
 * Returns: 0, or
 *   ANYC_EINVAL  no such encoding (the message names it), or no such error mode
 *   ANYC_ENOMEM  out of memory
 *   -errno       of iconv_open(3) otherwise
 * Owns:    closing the new stream closes `inner`. On failure it stays the caller's.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   TextReceiveStream.
 */
ANYC_API int anyc_text_receive_stream_create(anyc_byte_stream *inner,
                                             const anyc_text_stream_options *options,
                                             anyc_text_stream **out_stream);

/**
 * Send text to a byte stream. Receiving answers -ENOTSUP.
 *
 * @param inner       the stream; taken on success
 * @param options     NULL: strict UTF-8
 * @param out_stream  the text stream
 *
 * Returns: as anyc_text_receive_stream_create.
 * Owns:    closing the new stream closes `inner`. On failure it stays the caller's.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   TextSendStream (here a byte-order mark comes once, not with every text).
 */
ANYC_API int anyc_text_send_stream_create(anyc_byte_stream *inner,
                                          const anyc_text_stream_options *options,
                                          anyc_text_stream **out_stream);

/**
 * Receive and send text on a byte stream. The two directions do not depend on each other.
 *
 * @param inner       the stream; taken on success
 * @param options     NULL: strict UTF-8
 * @param out_stream  the text stream
 *
 * Returns: as anyc_text_receive_stream_create.
 * Owns:    closing the new stream closes `inner`. On failure it stays the caller's.
 * Cancel:  never suspends.
 * Threads: the stream's loop only.
 * AnyIO:   TextStream.
 */
ANYC_API int anyc_text_stream_create(anyc_byte_stream *inner,
                                     const anyc_text_stream_options *options,
                                     anyc_text_stream **out_stream);

/**
 * Receive one line, with its end: up to and including the next LF (U+000A), as Python's readline
 * does. A CR before it is kept and no end by itself. So an empty line is not empty here, and the last
 * line may have no LF.
 *
 * @param stream     open stream; borrowed
 * @param buf        where the line goes; borrowed, unchanged on error
 * @param max_bytes  room in `buf`, bytes of UTF-8, 1..SSIZE_MAX; a line with its end must fit
 *
 * Returns: bytes stored, 1..max_bytes, or
 *   ANYC_EOF        the stream ended, and every line was received
 *   ANYC_EDELIMITER the line is longer; it is still there, for more room or for anyc_receive
 *   ANYC_EDECODE    broken bytes in the line; only they are taken out, the line goes on without them
 *   ANYC_EINVAL     max_bytes is 0 or too large
 *   ANYC_ECLOSED    this side closed the stream, also while the task was waiting
 *   ANYC_EBUSY      another task is receiving
 *   ANYC_ECANCELLED the enclosing scope was cancelled; what came of the line is still there
 *   ANYC_ENOMEM     a buffer could not grow; likewise
 *   ANYC_ENOLOOP    not called from a task
 *   -ENOTSUP        the stream only sends
 *   other           what receiving from the inner stream answered
 * Owns:    nothing is taken or handed over.
 * Cancel:  checkpoint. When cancelled, no character is lost.
 * Threads: the stream's loop only.
 * AnyIO:   no counterpart for streams; AsyncFile.readline.
 */
ANYC_API ssize_t anyc_text_receive_line(anyc_text_stream *stream, void *buf, size_t max_bytes);

#ifdef __cplusplus
}
#endif

#endif
