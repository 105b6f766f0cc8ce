/* SPDX-License-Identifier: MIT */
/*
 * resource.h - objects that are closed (streams, listeners, processes ...) and the typed
 * attributes that they provide.
 *
 *     int port;
 *     if (anyc_extra(stream, &ANYC_SOCKET_REMOTE_PORT, &port) == 0)
 *         printf("peer port %d\n", port);
 *     anyc_aclose(stream);
 *
 * To write one, let anyc_resource be the first member, called `resource`, and fill the table. Where
 * another struct that has one comes first, put both into an anonymous union:
 *
 *     struct my_stream {
 *         union {
 *             anyc_resource resource;
 *             anyc_byte_stream stream;
 *         };
 *     };
 */
#ifndef ANYC_RESOURCE_H
#define ANYC_RESOURCE_H

#include <anyc/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct anyc_resource anyc_resource;

/** A unique key, told apart by its address, that knows the size of its values. */
typedef struct anyc_typed_attribute {
    const char *name; /* for messages */
    size_t size;      /* of a value, bytes */
} anyc_typed_attribute;

/** Defines an attribute at file scope: ANYC_TYPED_ATTRIBUTE(MY_COLOUR, int); declare it elsewhere
 * with `extern const anyc_typed_attribute MY_COLOUR;`. */
#define ANYC_TYPED_ATTRIBUTE(name, type) const anyc_typed_attribute name = {#name, sizeof(type)}

/** What a resource can do. Every slot must be set. */
typedef struct anyc_resource_ops {
    const char *type; /* "tcp stream": for messages and dumps */

    /* End the use of the object and let go of what it holds, as often as it is called; the memory
     * stays, later calls on the object answer ANYC_ECLOSED. Wakes tasks that wait on the object
     * with ANYC_ECLOSED. When `forcefully`, it may not suspend. Otherwise it may (to flush, or to
     * say goodbye), but closes in any case, also if the task is cancelled meanwhile. Answers 0 or
     * the first error. Called by a task or, when forcefully, by anything on the loop's thread. */
    int (*close)(anyc_resource *resource, bool forcefully);

    /* Free the memory of the closed object; called once. Tasks that were waiting on it may not
     * have run yet: the memory must outlive them. */
    void (*destroy)(anyc_resource *resource);

    /* Store the value of an attribute at `out`, which has room for attribute->size bytes. Answers
     * 0, ANYC_EATTRIBUTE if there is none (anyc_no_attributes does just that), or what reading it
     * met. A wrapper asks what it wraps. */
    int (*extra)(anyc_resource *resource, const anyc_typed_attribute *attribute, void *out);
} anyc_resource_ops;

struct anyc_resource {
    const anyc_resource_ops *ops;
};

/**
 * Close an object and keep its memory, so that other tasks may still meet it (they are told
 * ANYC_ECLOSED). Repeating it is harmless. Free it with anyc_aclose when nobody uses it any more.
 *
 * @param x  any object with a resource as its first member; borrowed
 *
 * Returns: 0, or the first error met on the way; the object is closed in any case.
 * Owns:    nothing is taken.
 * Cancel:  checkpoint for objects that must talk to the peer (see each); never left half closed.
 * Threads: the object's loop only.
 * AnyIO:   AsyncResource.aclose, without the end of the object's life.
 */
ANYC_API int anyc_close(anyc_resource *x);
#define anyc_close(x) (anyc_close)(&(x)->resource)

/**
 * Close an object and free it. One that is left when its run ends answers ANYC_ECLOSED to all but
 * this, which may be called afterwards in the same thread: a process that runs still is killed.
 *
 * @param x  any object with a resource as its first member; taken
 *
 * Returns: 0, or the first error met on the way; the object is gone in any case.
 * Owns:    takes `x`. Tasks that wait on it get ANYC_ECLOSED and do not touch it again.
 * Cancel:  checkpoint for objects that must talk to the peer; closes and frees in any case.
 * Threads: the object's loop only, or after its run.
 * AnyIO:   AsyncResource.aclose.
 */
ANYC_API int anyc_aclose(anyc_resource *x);
#define anyc_aclose(x) (anyc_aclose)(&(x)->resource)

/**
 * Close an object without waiting for anything, and free it.
 *
 * @param x  any object with a resource as its first member; taken
 *
 * Owns:    takes `x`.
 * Cancel:  never suspends.
 * Threads: the object's loop only.
 * AnyIO:   aclose_forcefully.
 */
ANYC_API void anyc_aclose_forcefully(anyc_resource *x);
#define anyc_aclose_forcefully(x) (anyc_aclose_forcefully)(&(x)->resource)

/**
 * Read an attribute of an object.
 *
 * @param x          any object with a resource as its first member; borrowed
 * @param attribute  the key
 * @param size       sizeof *out, filled in by the macro
 * @param out        where the value goes; unchanged on error
 *
 * Returns: 0, or
 *   ANYC_EATTRIBUTE the object does not provide it
 *   ANYC_EINVAL     `out` points to a type of another size
 *   ANYC_ECLOSED    the object is closed and the value went with it
 * Owns:    what the value points to is borrowed from the object.
 * Cancel:  never suspends.
 * Threads: the object's loop only.
 * AnyIO:   TypedAttributeProvider.extra.
 */
ANYC_API int anyc_extra(anyc_resource *x, const anyc_typed_attribute *attribute, size_t size,
                        void *out);
#define anyc_extra(x, attribute, out) \
    (anyc_extra)(&(x)->resource, (attribute), sizeof *(out), (out))

/**
 * Read an attribute, or take a default if the object does not provide it.
 *
 * @param x          any object with a resource as its first member; borrowed
 * @param attribute  the key
 * @param size       sizeof *out, filled in by the macro
 * @param fallback   points to the default value; copied
 * @param out        where the value goes; unchanged on error
 *
 * Returns: 0 (also with the default), or the error of anyc_extra other than ANYC_EATTRIBUTE.
 * Owns:    nothing is taken.
 * Cancel:  never suspends.
 * Threads: the object's loop only.
 * AnyIO:   TypedAttributeProvider.extra with a default.
 */
ANYC_API int anyc_extra_default(anyc_resource *x, const anyc_typed_attribute *attribute,
                                size_t size, const void *fallback, void *out);
#define anyc_extra_default(x, attribute, fallback, out) \
    (anyc_extra_default)(&(x)->resource, (attribute), sizeof *(out), (fallback), (out))

/** A ready slot for resources without attributes: answers ANYC_EATTRIBUTE. */
ANYC_API int anyc_no_attributes(anyc_resource *resource, const anyc_typed_attribute *attribute,
                                void *out);

#ifdef __cplusplus
}
#endif

#endif
