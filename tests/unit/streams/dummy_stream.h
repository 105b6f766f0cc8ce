/* SPDX-License-Identifier: MIT */
/*
 * dummy_stream.h - streams for tests: they give out what the test put in, collect what is sent, and
 * count what is done with them. They live where the test places them and never wait.
 */
#ifndef ANYC_TESTS_STREAMS_DUMMY_STREAM_H
#define ANYC_TESTS_STREAMS_DUMMY_STREAM_H

#include <anyc/stream.h>

/* What both kinds have. */
struct dummy_state {
    int calls; /* of receive, send and so on */
    int closes;
    int destroys;
    bool closed;
    bool forcefully; /* the first close was */
    int close_rc;    /* what a close answers */
    int error;       /* what receive and send answer; 0: they work */
    int colour;      /* DUMMY_COLOUR; 0: not provided */
};

/* Bytes. receive gives `data`, then ANYC_EOF; send appends to `sent`. */
struct dummy_bytes {
    anyc_byte_stream stream;
    struct dummy_state state;
    const char *data;
    size_t data_len;
    size_t step;  /* most bytes a receive gives; 0: no limit */
    size_t asked; /* max_bytes of the last receive */
    char sent[32];
    size_t sent_len;
};

/* Items of type int. receive gives `items`, then ANYC_EOF. */
struct dummy_objects {
    anyc_object_stream stream;
    struct dummy_state state;
    const int *items;
    size_t count;
    int sent[16];
    size_t sent_count;
    int nowait_error; /* what send_nowait answers; 0: it works */
};

/* An attribute that a dummy provides if its colour is set, another that it provides, but whose
 * getter fails with DUMMY_GETTER_ERROR, and one of the same name as the first that it lacks. */
extern const anyc_typed_attribute DUMMY_COLOUR;
extern const anyc_typed_attribute DUMMY_FAILING;
extern const anyc_typed_attribute DUMMY_OTHER_COLOUR;
#define DUMMY_GETTER_ERROR ANYC_ENOTFOUND /* AnyIO's test: a LookupError */

void dummy_bytes_init(struct dummy_bytes *dummy, const char *data);
/* `nowait`: does it offer send_nowait? */
void dummy_objects_init(struct dummy_objects *dummy, const int *items, size_t count, bool nowait);

#endif
