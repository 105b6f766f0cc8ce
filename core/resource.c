/* SPDX-License-Identifier: MIT */
/*
 * resource.c - closing and attributes. AnyIO: AsyncResource, TypedAttributeProvider.
 */
#include <anyc/resource.h>

#include <string.h>

#include "core/error.h"

int(anyc_close)(anyc_resource *x)
{
    return x->ops->close(x, false);
}

int(anyc_aclose)(anyc_resource *x)
{
    int rc = x->ops->close(x, false);

    x->ops->destroy(x);
    return rc;
}

void(anyc_aclose_forcefully)(anyc_resource *x)
{
    (void)x->ops->close(x, true); /* nobody is there to hear of a failure */
    x->ops->destroy(x);
}

int(anyc_extra)(anyc_resource *x, const anyc_typed_attribute *attribute, size_t size, void *out)
{
    int rc;

    if (size != attribute->size)
        return anyc__fail(ANYC_EINVAL, 0, "attribute %s has %zu bytes, there is room for %zu",
                          attribute->name, attribute->size, size);
    rc = x->ops->extra(x, attribute, out);
    if (rc == ANYC_EATTRIBUTE)
        return anyc__fail(rc, 0, "a %s does not provide %s", x->ops->type, attribute->name);
    return rc;
}

int(anyc_extra_default)(anyc_resource *x, const anyc_typed_attribute *attribute, size_t size,
                        const void *fallback, void *out)
{
    int rc = (anyc_extra)(x, attribute, size, out);

    if (rc != ANYC_EATTRIBUTE)
        return rc;
    memcpy(out, fallback, size);
    return 0;
}

int anyc_no_attributes(anyc_resource *resource, const anyc_typed_attribute *attribute, void *out)
{
    (void)resource;
    (void)attribute;
    (void)out;
    return ANYC_EATTRIBUTE;
}
