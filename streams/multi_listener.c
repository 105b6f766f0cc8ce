/* SPDX-License-Identifier: MIT */
/*
 * multi_listener.c - several listeners as one. AnyIO: streams.stapled.MultiListener.
 *
 * A multi-listener that was given to another keeps nothing but its memory, which the other frees.
 */
#include <anyc/stapled_stream.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/list.h"
#include "streams/stream.h"

struct multi_listener {
    anyc_listener listener;
    anyc_listener **members;
    size_t count;
    anyc_list emptied; /* multi-listeners whose members came here */
    anyc_list link;    /* in `emptied` of another */
    struct stream_life life;
    bool closed;
};

/* A task that serves one member, copied into it. */
struct multi_serve {
    struct multi_listener *self; /* held until the task runs */
    size_t index;                /* of the member */
    anyc_serving serving;
};

static struct multi_listener *multi_of(const anyc_resource *resource)
{
    return ANYC__CONTAINER(resource, struct multi_listener, listener.resource);
}

static void multi_free(struct multi_listener *self)
{
    anyc__free(self->members);
    anyc__free(self);
}

static void multi_release(struct multi_listener *self)
{
    if (anyc__stream_release(&self->life))
        multi_free(self);
}

/* By the time that the task runs the listener may be closed, or its members may have moved. */
static int multi_serve_member(void *arg)
{
    const struct multi_serve *serve = arg;
    struct multi_listener *self = serve->self;
    anyc_listener *member = NULL;

    if (!self->closed && serve->index < self->count)
        member = self->members[serve->index];
    multi_release(self);
    if (member == NULL)
        return anyc__fail_plain(ANYC_ECLOSED);
    return anyc_listener_serve_inner(member, &serve->serving);
}

static int multi_start_member(const struct multi_serve *serve, anyc_task_group *group)
{
    int rc;

    anyc__stream_hold(&serve->self->life);
    rc = anyc_task_group_start_soon_copy(group, multi_serve_member, serve, sizeof *serve, NULL);
    if (rc < 0)
        multi_release(serve->self);
    return rc;
}

/* `self` may be gone once the exit has waited. */
static int multi_serve(anyc_listener *listener, const anyc_serving *serving)
{
    struct multi_listener *self = multi_of(&listener->resource);
    struct multi_serve serve = {self, 0, *serving};
    anyc_task_group group = ANYC_TASK_GROUP_INIT;
    int rc;

    if (self->closed)
        return anyc__fail_plain(ANYC_ECLOSED);
    rc = anyc_task_group_enter(&group);
    if (rc < 0)
        return rc;
    for (; serve.index < self->count && rc >= 0; serve.index++)
        rc = multi_start_member(&serve, &group);
    return anyc_task_group_exit(&group, rc);
}

static int multi_close(anyc_resource *resource, bool forcefully)
{
    struct multi_listener *self = multi_of(resource);
    int first = 0;
    size_t i;
    int rc;

    self->closed = true;
    for (i = 0; i < self->count; i++) {
        rc = anyc__stream_close_inner(&self->members[i]->resource, forcefully);
        if (first >= 0 && rc < 0)
            first = rc;
    }
    return first;
}

/* Free the memory of one without members, or let the calls inside do it. */
static void multi_end(struct multi_listener *self)
{
    anyc_listener_deinit(&self->listener);
    self->closed = true;
    self->count = 0;
    if (anyc__stream_destroy(&self->life))
        multi_free(self);
}

static void multi_destroy(anyc_resource *resource)
{
    struct multi_listener *self = multi_of(resource);
    anyc_list *node;
    size_t i;

    for (i = 0; i < self->count; i++)
        anyc_aclose_forcefully(self->members[i]);
    for (node = anyc__list_pop(&self->emptied); node != NULL; node = anyc__list_pop(&self->emptied))
        multi_end(ANYC__CONTAINER(node, struct multi_listener, link));
    multi_end(self);
}

/* The last member that has the attribute. */
static int multi_extra(anyc_resource *resource, const anyc_typed_attribute *attribute, void *out)
{
    const struct multi_listener *self = multi_of(resource);
    size_t i = self->count;
    int rc;

    while (i > 0) {
        i--;
        rc = anyc__stream_extra_inner(&self->members[i]->resource, attribute, out);
        if (rc != ANYC_EATTRIBUTE)
            return rc;
    }
    return anyc_no_attributes(resource, attribute, out);
}

static const anyc_listener_ops multi_ops = {
    .resource =
        {
            .type = "multi-listener",
            .close = multi_close,
            .destroy = multi_destroy,
            .extra = multi_extra,
        },
    .accept = anyc_no_accept,
    .serve = multi_serve,
};

static struct multi_listener *multi_is(const anyc_listener *listener)
{
    return listener->ops == &multi_ops ? multi_of(&listener->resource) : NULL;
}

/* Take over a listener, or the members of a multi-listener. */
static void multi_add(struct multi_listener *self, anyc_listener *listener)
{
    struct multi_listener *other = multi_is(listener);
    anyc_list *node;
    size_t i;

    if (other == NULL) {
        self->members[self->count++] = listener;
        return;
    }
    for (i = 0; i < other->count; i++)
        self->members[self->count++] = other->members[i];
    other->count = 0;
    for (node = anyc__list_pop(&other->emptied); node != NULL;
         node = anyc__list_pop(&other->emptied))
        anyc__list_push(&self->emptied, node);
    anyc__list_push(&self->emptied, &other->link);
}

int anyc_multi_listener_create(anyc_listener *const *listeners, size_t count,
                               anyc_listener **out_listener)
{
    struct multi_listener *self = anyc__zalloc(sizeof *self);
    size_t total = 0;
    size_t i;

    for (i = 0; i < count; i++)
        total += multi_is(listeners[i]) != NULL ? multi_is(listeners[i])->count : 1;
    if (self != NULL)
        self->members = anyc__alloc_array(total, sizeof(void *));
    if (self == NULL || self->members == NULL) {
        anyc__free(self);
        return anyc__fail_plain(ANYC_ENOMEM);
    }
    self->listener = (anyc_listener){.resource = {&multi_ops.resource}, .ops = &multi_ops};
    for (i = 0; i < count; i++)
        multi_add(self, listeners[i]);
    *out_listener = &self->listener;
    return 0;
}

anyc_listener *const *anyc_multi_listener_listeners(const anyc_listener *listener,
                                                    size_t *out_count)
{
    const struct multi_listener *self = multi_is(listener);

    *out_count = self != NULL ? self->count : 0;
    return *out_count > 0 ? self->members : NULL;
}
