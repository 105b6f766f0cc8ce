/* SPDX-License-Identifier: MIT */
/*
 * registry.c - the backends of this process, and the choice among them by name.
 *
 * A table gets here by a library that was linked in (its constructor registers it), by the program,
 * or by a module that is loaded when its name is asked for. A module counts as worse than what the
 * program brought itself, so that a program linked with one loop never pulls in the other's library
 * by default.
 *
 * Entries live in a fixed array: constructors run before a program can set its allocator, so
 * nothing here may be allocated by one and grown by another. Invariants: entries [0, count) have
 * distinct names; an entry keeps its place and its name, and once it has a table it keeps that.
 */
#include "backends/registry.h"

#include "backends/module.h"
#include "core/error.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGISTRY_MAX 16      /* entries */
#define REGISTRY_KNOWN 2     /* the first of them, which come with anyc */
#define REGISTRY_NAME_MAX 32 /* bytes of a module's name, its end included */

struct registry_entry {
    const char *name;          /* lives as long as the program */
    const anyc_backend *table; /* NULL: not loaded */
    bool module;               /* `table` is a module's */
};

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the next three */
static struct registry_entry registry_entries[REGISTRY_MAX] = {
    {.name = "libuv"},
    {.name = "libevent"},
};
static size_t registry_count = REGISTRY_KNOWN;
static char registry_module_names[REGISTRY_MAX][REGISTRY_NAME_MAX]; /* of entries seen as files */

/* What the two public functions answered in this thread. Small, because it is thread-local memory
 * of a library that may be loaded late. */
static _Thread_local const char *registry_all[REGISTRY_MAX + 1];
static _Thread_local const char *registry_available[REGISTRY_MAX + 1];

/* Is it [a-z0-9_]+? Only such a name may become part of a path. */
static bool registry_name_valid(const char *name)
{
    return name != NULL && name[0] != '\0' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* clang-format off */
#define REGISTRY_SLOTS(X) \
    X(open) X(run) X(close) X(alive) X(current_time) X(sleep_until) X(task_ready) X(scope_wake) \
    X(wake) X(watch_open) X(watch_start) X(watch_stop) X(watch_close) X(signal_start) \
    X(signal_stop) X(receive) X(send) X(accept) X(connect)
/* clang-format on */
#define REGISTRY_SLOT(slot) {#slot, backend->slot != NULL},

/* The name of a slot that is not filled in, or NULL. */
static const char *registry_missing_slot(const anyc_backend *backend)
{
    const struct {
        const char *name;
        bool set;
    } slots[] = {REGISTRY_SLOTS(REGISTRY_SLOT)};

    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        if (!slots[i].set)
            return slots[i].name;
    }
    return NULL;
}

static int registry_check(const anyc_backend *backend)
{
    const char *slot;

    if (backend == NULL)
        return anyc__fail(ANYC_EINVAL, 0, "no backend given");
    if (backend->version != ANYC_BACKEND_VERSION)
        return anyc__fail(ANYC_EINVAL, 0, "the backend was written for version %u, this is %u",
                          (unsigned)backend->version, (unsigned)ANYC_BACKEND_VERSION);
    if (!registry_name_valid(backend->name))
        return anyc__fail(ANYC_EINVAL, 0, "the name of a backend is made of a-z, 0-9 and _");
    if (backend->watch_size < sizeof(anyc_watch))
        return anyc__fail(ANYC_EINVAL, 0, "backend \"%.64s\": watch_size is too small",
                          backend->name);
    slot = registry_missing_slot(backend);
    if (slot != NULL)
        return anyc__fail(ANYC_EINVAL, 0, "backend \"%.64s\": the slot %s is empty", backend->name,
                          slot);
    return 0;
}

/* Locked: the entry of a name, or NULL. */
static struct registry_entry *registry_search(const char *name)
{
    for (size_t i = 0; i < registry_count; i++) {
        if (strcmp(registry_entries[i].name, name) == 0)
            return &registry_entries[i];
    }
    return NULL;
}

/* Locked: a new entry, which needs a name; NULL when all are used. */
static struct registry_entry *registry_append(void)
{
    return registry_count == REGISTRY_MAX ? NULL : &registry_entries[registry_count++];
}

/* Adds a valid table: 0, or why not. */
static int registry_add(const anyc_backend *backend)
{
    struct registry_entry *entry;
    int rc = 0;

    pthread_mutex_lock(&registry_lock);
    entry = registry_search(backend->name);
    if (entry == NULL) {
        entry = registry_append();
        if (entry != NULL)
            entry->name = backend->name;
    }
    if (entry == NULL)
        rc = ANYC_ENOMEM;
    else if (entry->table == NULL)
        entry->table = backend;
    else if (entry->table != backend)
        rc = ANYC_ESTATE;
    pthread_mutex_unlock(&registry_lock);
    return rc;
}

/* The table of a name as far as it is loaded, or NULL. */
static const anyc_backend *registry_lookup(const char *name)
{
    const struct registry_entry *entry;
    const anyc_backend *table;

    pthread_mutex_lock(&registry_lock);
    entry = registry_search(name);
    table = entry == NULL ? NULL : entry->table;
    pthread_mutex_unlock(&registry_lock);
    return table;
}

/* Loads the module of a valid name. NULL if there is none, or if there is one that does not work:
 * then says why. It stays loaded in any case, as it may have registered something else. */
static const anyc_backend *registry_load(const char *name, char *why, size_t why_size)
{
    const anyc_backend *table = NULL;
    struct registry_entry *entry;

    if (!anyc__module_load(name, why, why_size))
        return NULL;
    pthread_mutex_lock(&registry_lock);
    entry = registry_search(name);
    if (entry != NULL && entry->table != NULL) {
        entry->module = true;
        table = entry->table;
    }
    pthread_mutex_unlock(&registry_lock);
    if (table == NULL)
        snprintf(why, why_size, "its module registers no backend of that name");
    return table;
}

/* Enters the name of a file in the modules' folder. */
static void registry_enter(const char *name)
{
    struct registry_entry *entry = NULL;
    char *copy;

    if (!registry_name_valid(name) || strlen(name) >= REGISTRY_NAME_MAX)
        return;
    pthread_mutex_lock(&registry_lock);
    if (registry_search(name) == NULL)
        entry = registry_append();
    if (entry != NULL) {
        copy = registry_module_names[entry - registry_entries];
        memcpy(copy, name, strlen(name) + 1);
        entry->name = copy;
    }
    pthread_mutex_unlock(&registry_lock);
}

/* Copies the entries of this moment, so that they can be walked without the lock. */
static size_t registry_snapshot(struct registry_entry entries[REGISTRY_MAX])
{
    size_t count;

    pthread_mutex_lock(&registry_lock);
    count = registry_count;
    memcpy(entries, registry_entries, count * sizeof *entries);
    pthread_mutex_unlock(&registry_lock);
    return count;
}

/* Loads every module there is, and copies the entries then. */
static size_t registry_load_all(struct registry_entry entries[REGISTRY_MAX])
{
    char why[256]; /* why one does not load is nobody's question here */
    size_t count;

    anyc__module_list(registry_enter);
    count = registry_snapshot(entries);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].table == NULL)
            registry_load(entries[i].name, why, sizeof why);
    }
    return registry_snapshot(entries);
}

/* The best table: the program's own first, then a module's. NULL if there is none. */
static const anyc_backend *registry_best(void)
{
    struct registry_entry entries[REGISTRY_MAX];
    size_t count = registry_snapshot(entries);

    for (size_t i = 0; i < count; i++) {
        if (entries[i].table != NULL && !entries[i].module)
            return entries[i].table;
    }
    count = registry_load_all(entries);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].table != NULL)
            return entries[i].table;
    }
    return NULL;
}

/* Lists what is usable, best first, ended by NULL. */
static size_t registry_list_available(const char *names[REGISTRY_MAX + 1])
{
    struct registry_entry entries[REGISTRY_MAX];
    size_t entry_count = registry_load_all(entries);
    size_t count = 0;

    for (int module = 0; module <= 1; module++) {
        for (size_t i = 0; i < entry_count; i++) {
            if (entries[i].table != NULL && entries[i].module == (module == 1))
                names[count++] = entries[i].name;
        }
    }
    names[count] = NULL;
    return count;
}

/* Writes "libuv, libevent" or "none". */
static void registry_describe(char *text, size_t size)
{
    const char *names[REGISTRY_MAX + 1];
    size_t len = 0;

    if (registry_list_available(names) == 0)
        snprintf(text, size, "none");
    for (size_t i = 0; names[i] != NULL && len < size; i++)
        len += (size_t)snprintf(text + len, size - len, "%s%s", i == 0 ? "" : ", ", names[i]);
}

static bool registry_is_known(const char *name)
{
    for (size_t i = 0; i < REGISTRY_KNOWN; i++) {
        if (strcmp(registry_entries[i].name, name) == 0) /* never changes: needs no lock */
            return true;
    }
    return false;
}

/* ANYC_ENOBACKEND for a name, with a message. `why`: what is wrong with its module, or "". */
static int registry_fail(const char *name, const char *why)
{
    const char *folder = anyc__module_folder();
    char available[256];

    registry_describe(available, sizeof available);
    if (why[0] != '\0')
        return anyc__fail(ANYC_ENOBACKEND, 0,
                          "the backend \"%.64s\" cannot be loaded: %s; available: %s", name, why,
                          available);
    if (registry_is_known(name))
        return anyc__fail(ANYC_ENOBACKEND, 0,
                          "the backend \"%s\" is known to anyc but not installed: link with "
                          "anyc::%s (-lanyc-%s), or install its module anyc_backend_%s.so in %s; "
                          "available: %s",
                          name, name, name, name, folder == NULL ? "$ANYC_BACKEND_PATH" : folder,
                          available);
    return anyc__fail(ANYC_ENOBACKEND, 0, "there is no backend \"%.64s\"; available: %s", name,
                      available);
}

/* Finds the table of a name that was asked for. */
static int registry_find(const char *name, const anyc_backend **out_backend)
{
    const anyc_backend *table = NULL;
    char why[256] = "";

    if (registry_name_valid(name)) {
        table = registry_lookup(name);
        if (table == NULL)
            table = registry_load(name, why, sizeof why);
    }
    if (table == NULL)
        return registry_fail(name, why);
    *out_backend = table;
    return 0;
}

int anyc_register_backend(const anyc_backend *backend)
{
    int rc = registry_check(backend);

    if (rc < 0)
        return rc;
    rc = registry_add(backend);
    if (rc == ANYC_ESTATE)
        return anyc__fail(rc, 0, "another backend has the name \"%.64s\"", backend->name);
    if (rc < 0)
        return anyc__fail(rc, 0, "no room for more than %d backends", REGISTRY_MAX);
    return 0;
}

int anyc__backend_find(const char *name, const anyc_backend **out_backend)
{
    const anyc_backend *table;

    if (name == NULL) {
        name = getenv("ANYC_BACKEND");
        if (name != NULL && name[0] == '\0')
            name = NULL;
    }
    if (name != NULL)
        return registry_find(name, out_backend);
    table = registry_best();
    if (table == NULL)
        return anyc__fail(ANYC_ENOBACKEND, 0,
                          "no backend is installed: link with anyc::libuv or "
                          "anyc::libevent (-lanyc-libuv, -lanyc-libevent)");
    *out_backend = table;
    return 0;
}

void anyc__registry_lock(void)
{
    pthread_mutex_lock(&registry_lock);
}

void anyc__registry_unlock(void)
{
    pthread_mutex_unlock(&registry_lock);
}

const char *const *anyc_get_all_backends(size_t *out_count)
{
    struct registry_entry entries[REGISTRY_MAX];
    size_t entry_count;
    size_t count = 0;

    anyc__module_list(registry_enter);
    entry_count = registry_snapshot(entries);
    for (size_t i = 0; i < entry_count; i++) {
        if (i < REGISTRY_KNOWN || entries[i].table != NULL || anyc__module_exists(entries[i].name))
            registry_all[count++] = entries[i].name;
    }
    registry_all[count] = NULL;
    if (out_count != NULL)
        *out_count = count;
    return registry_all;
}

const char *const *anyc_get_available_backends(size_t *out_count)
{
    size_t count = registry_list_available(registry_available);

    if (out_count != NULL)
        *out_count = count;
    return registry_available;
}
