/* SPDX-License-Identifier: MIT */
/*
 * chat.c - a room: what one client says, all others hear.
 *
 *     chat [--backend NAME] [--host H] [--port P] [--unix PATH]
 *
 * A client's first line is its name; try it with nc. Each client has two tasks: one reads its lines
 * and puts them into the queue of every other client, a memory object stream; one writes what is in
 * its own queue. Nobody ever waits for a slow client: its queue holds QUEUE lines, and when that is
 * full the oldest one is dropped; the client is told how many it missed.
 */
#include <stdarg.h>
#include <stdlib.h>

#include <anyc/anyc.h>

#include "listen.h"
#include "options.h"

enum { QUEUE = 64, NAME = 32, LINE = 512 };

struct room {
    struct options options; /* first: serve() hands it to the handlers */
    struct client *first;
};

struct client {
    struct client *next; /* in the room */
    struct client **link;
    char name[NAME + 1];
    anyc_buffered_stream *stream;
    anyc_memory_send_stream *queue; /* of anyc_bytes, lines for this client */
    anyc_memory_receive_stream *queued;
    size_t missed; /* lines dropped since it was told */
};

/* Puts a line into a queue, if need be in place of the oldest one. */
static void deliver(struct client *to, const char *text, int len)
{
    anyc_bytes line;
    anyc_bytes oldest;

    if (anyc_bytes_init(&line, text, (size_t)len) < 0) {
        to->missed++;
        return;
    }
    if (anyc_memory_send_stream_send_nowait(to->queue, &line) == 0)
        return;
    to->missed++; /* the oldest; or this one, if that does not help */
    if (anyc_memory_receive_stream_receive_nowait(to->queued, &oldest) == 0)
        anyc_bytes_deinit(&oldest);
    if (anyc_memory_send_stream_send_nowait(to->queue, &line) < 0)
        anyc_bytes_deinit(&line);
}

/* Tells everybody in the room but `speaker`, who may be NULL. */
static void tell(struct room *room, const struct client *speaker, const char *format, ...)
{
    char text[NAME + LINE + 16];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (struct client *client = room->first; client != NULL; client = client->next)
        if (client != speaker)
            deliver(client, text, len);
}

static int send_missed(struct client *client)
{
    char text[64];
    int len = snprintf(text, sizeof text, "* you missed %zu lines\n", client->missed);

    client->missed = 0;
    return anyc_send(&client->stream->stream, text, (size_t)len);
}

/* The task that writes to a client. */
static int write_lines(void *arg)
{
    struct client *client = arg;
    anyc_bytes line;
    int rc = 0;

    while (rc == 0) {
        rc = anyc_memory_receive_stream_receive(client->queued, &line);
        if (rc < 0)
            return rc;
        if (client->missed > 0)
            rc = send_missed(client);
        if (rc == 0)
            rc = anyc_send(&client->stream->stream, line.data, line.len);
        anyc_bytes_deinit(&line);
    }
    return rc;
}

/* Receives a line without its end, and without what could upset a terminal. */
static int read_line(struct client *client, char *line, size_t max)
{
    ssize_t n = anyc_buffered_receive_until(client->stream, "\n", 1, max, line, max);

    if (n < 0)
        return (int)n;
    if (n > 0 && line[n - 1] == '\r')
        n--;
    line[n] = '\0';
    for (char *c = line; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = ' ';
    return 0;
}

static int talk(struct room *room, struct client *client)
{
    char line[LINE + 1];
    int rc = 0;

    while (rc == 0) {
        rc = read_line(client, line, LINE);
        if (rc == 0) {
            tell(room, client, "%s: %s\n", client->name, line);
            rc = anyc_checkpoint(); /* who keeps up gets this line before there is another */
        }
    }
    return rc;
}

static void enter_room(struct room *room, struct client *client)
{
    client->next = room->first;
    client->link = &room->first;
    if (client->next != NULL)
        client->next->link = &client->next;
    room->first = client;
    tell(room, NULL, "* %s is here\n", client->name);
}

static void leave_room(struct room *room, struct client *client)
{
    *client->link = client->next;
    if (client->next != NULL)
        client->next->link = client->link;
    tell(room, NULL, "* %s has left\n", client->name);
}

static int take_part(struct room *room, struct client *client)
{
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc = read_line(client, client->name, NAME);

    if (rc < 0)
        return rc;
    anyc_task_group_enter(&group);
    rc = anyc_task_group_start_soon(&group, write_lines, client, NULL);
    enter_room(room, client);
    if (rc == 0)
        rc = talk(room, client);
    leave_room(room, client);
    return anyc_task_group_exit(&group, rc); /* the end of talking cancels the writing */
}

static int serve_client(anyc_byte_stream *stream, void *arg)
{
    const anyc_memory_object_stream_options options = {.destroy_item = anyc_bytes_destroy_item};
    struct client client = {.name = ""};
    int rc = anyc_buffered_stream_create(stream, &client.stream);

    if (rc < 0) {
        anyc_aclose(stream);
        return 0;
    }
    rc = anyc_create_memory_object_stream_with(QUEUE, sizeof(anyc_bytes), &options, &client.queue,
                                               &client.queued);
    if (rc == 0) {
        rc = take_part(arg, &client);
        anyc_aclose(client.queue);
        anyc_aclose(client.queued);
    }
    anyc_aclose(client.stream);
    return anyc_is_cancelled(rc) ? rc : 0; /* that one client failed does not end the others */
}

static int chat(void *arg)
{
    struct room *room = arg;

    return serve(&room->options, serve_client);
}

int main(int argc, char **argv)
{
    struct room room = {.options = {.host = "127.0.0.1"}};

    if (!options_parse(argc, argv, &room.options))
        return 2;
    raise_descriptor_limit();
    return options_run(&room.options, chat, &room);
}
