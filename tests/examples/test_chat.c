/* SPDX-License-Identifier: MIT */
/*
 * test_chat.c - examples/chat.c.
 */
#include <check.h>

#include <anyc/testing.h>

#include <stdio.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include "examples/program.h"
#include "support/peer.h"
#include "support/unix_peer.h"

/* These lines come next. */
static void expect(int client, const char *lines)
{
    char buf[1024] = "";

    ck_assert_uint_eq(peer_receive(client, buf, strlen(lines)), strlen(lines));
    ck_assert_str_eq(buf, lines);
}

/* Enter the room. */
static void say_name(int client, const char *name)
{
    char line[64];

    snprintf(line, sizeof line, "%s\n", name);
    program_send(client, line);
    snprintf(line, sizeof line, "* %s is here\n", name);
    expect(client, line);
}

static int join(int port, const char *name)
{
    int client = program_connect(port);

    say_name(client, name);
    return client;
}

ANYC_TEST_PLAIN(test_chat__all_others_hear_what_one_says)
{
    struct program room;
    int port;
    int ann;
    int bob;
    int cid;

    program_start(&room, "chat", NULL);
    port = program_port(&room);
    ann = join(port, "ann");
    bob = join(port, "bob");
    cid = join(port, "cid");
    expect(ann, "* bob is here\n* cid is here\n");
    expect(bob, "* cid is here\n");
    program_send(ann, "hello\nhow are you?\n");
    expect(bob, "ann: hello\nann: how are you?\n");
    expect(cid, "ann: hello\nann: how are you?\n");
    program_send(bob, "well\n");
    expect(ann, "bob: well\n"); /* and not what she said herself */
    close(bob);
    expect(ann, "* bob has left\n");
    expect(cid, "bob: well\n* bob has left\n");
    close(ann);
    close(cid);
    program_stop(&room);
}

ANYC_TEST_PLAIN(test_chat__who_is_cut_off_has_left)
{
    struct program room;
    int port;
    int ann;
    int bob;

    program_start(&room, "chat", NULL);
    port = program_port(&room);
    ann = join(port, "ann");
    bob = join(port, "bob");
    expect(ann, "* bob is here\n");
    peer_reset(bob);
    expect(ann, "* bob has left\n");
    close(program_connect(port)); /* one who never says a name is not noticed */
    bob = join(port, "bob again");
    expect(ann, "* bob again is here\n");
    close(ann);
    close(bob);
    program_stop(&room);
}

/* Control characters could do things to somebody else's terminal. */
ANYC_TEST_PLAIN(test_chat__lines_are_plain_text)
{
    struct program room;
    int port;
    int ann;
    int bob;

    program_start(&room, "chat", NULL);
    port = program_port(&room);
    ann = join(port, "ann");
    bob = join(port, "bob");
    program_send(bob, "a\033[2Jb\tc\r\n");
    expect(ann, "* bob is here\nbob: a [2Jb c\n");
    close(ann);
    close(bob);
    program_stop(&room);
}

ANYC_TEST_PLAIN(test_chat__bounds_the_length_of_a_line)
{
    struct program room;
    char line[2000];
    int port;
    int ann;
    int bob;

    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\0';
    program_start(&room, "chat", NULL);
    port = program_port(&room);
    ann = join(port, "ann");
    bob = join(port, "bob");
    program_send(bob, line);
    expect(ann, "* bob is here\n* bob has left\n");
    close(ann);
    close(bob);
    program_stop(&room);
}

/* Many lines at once, more than a queue holds, reach those who are not slow. */
ANYC_TEST_PLAIN(test_chat__a_burst_of_lines_is_not_lost)
{
    enum { BURST = 1000 };
    static char said[BURST * 16];
    struct program room;
    int port;
    int ann;
    int bob;

    for (int i = 0; i < BURST; i++)
        snprintf(said + strlen(said), 16, "%d\n", i);
    program_start(&room, "chat", NULL);
    port = program_port(&room);
    ann = join(port, "ann");
    bob = join(port, "bob");
    expect(ann, "* bob is here\n");
    program_send(bob, said);
    for (int i = 0; i < BURST; i++) {
        char line[32];

        snprintf(line, sizeof line, "bob: %d\n", i);
        expect(ann, line);
    }
    close(ann);
    close(bob);
    program_stop(&room);
}

/* -- a slow reader -- */

enum { LINES = 2000, TEXT = 400 };

/* The line of this number, as it is sent or heard. */
static void make_line(const char *prefix, int number, char *out_line, size_t size)
{
    snprintf(out_line, size, "%s%0*d\n", prefix, TEXT, number);
}

/* Say many lines, each of which ann hears before the next one. */
static void talk_to_ann(int bob, int ann)
{
    char line[TEXT + 16];

    for (int i = 0; i < LINES; i++) {
        make_line("", i, line, sizeof line);
        program_send(bob, line);
        make_line("bob: ", i, line, sizeof line);
        expect(ann, line);
    }
}

static void receive_line(int client, char *out_line, size_t size)
{
    size_t len = 0;

    do {
        ck_assert_uint_lt(len + 1, size);
        ck_assert_uint_eq(peer_receive(client, out_line + len, 1), 1);
        len++;
    } while (out_line[len - 1] != '\n');
    out_line[len] = '\0';
}

/* Whoever does not read holds up nobody; he has lost some lines, and is told how many. */
ANYC_TEST_PLAIN(test_chat__a_slow_reader_misses_lines_and_nobody_else_does)
{
    struct unix_place place = unix_place_make(false);
    char expected[TEXT + 16];
    char line[TEXT + 16];
    struct program room;
    int clients[3];
    int missed_sum = 0;
    int missed;

    program_start(&room, "chat", "--unix", place.name, NULL);
    program_await(room.out, "listening on");
    for (int i = 0; i < 3; i++) {
        clients[i] = unix_peer_connect(&place);
        say_name(clients[i], (const char *const[]){"ann", "slow", "bob"}[i]);
    }
    expect(clients[0], "* slow is here\n* bob is here\n");
    expect(clients[1], "* bob is here\n");
    talk_to_ann(clients[2], clients[0]);
    for (int next = 0; next < LINES; next++) {
        receive_line(clients[1], line, sizeof line);
        if (sscanf(line, "* you missed %d lines", &missed) == 1) {
            missed_sum += missed;
            next += missed;
            receive_line(clients[1], line, sizeof line);
        }
        make_line("bob: ", next, expected, sizeof expected);
        ck_assert_str_eq(line, expected);
    }
    ck_assert_int_gt(missed_sum, 0);
    for (int i = 0; i < 3; i++)
        close(clients[i]);
    program_stop(&room);
    unix_place_remove(&place);
}
