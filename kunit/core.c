// SPDX-License-Identifier: GPL-2.0
/*
 * The units under test, compiled once more for the test module: two modules
 * must not share an object, and one object makes one coverage file.
 */
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include <halfopen/table.h>

#include "faults.h"

unsigned int fix_fail_nth;

static bool fails(void)
{
	return fix_fail_nth && !--fix_fail_nth;
}

static void *try_kzalloc(size_t size, gfp_t flags)
{
	return fails() ? NULL : kzalloc(size, flags);
}

static void *try_kvcalloc(size_t n, size_t size, gfp_t flags)
{
	return fails() ? NULL : kvcalloc(n, size, flags);
}

static void __percpu *try_percpu(size_t size, size_t align, gfp_t flags)
{
	return fails() ? NULL : __alloc_percpu_gfp(size, align, flags);
}

static struct kmem_cache *try_cache(const char *name, unsigned int size,
				    unsigned int align, slab_flags_t flags,
				    void (*ctor)(void *))
{
	return fails() ? NULL :
			 kmem_cache_create(name, size, align, flags, ctor);
}

static void *try_object(struct kmem_cache *cache, gfp_t flags)
{
	return fails() ? NULL : kmem_cache_alloc(cache, flags);
}

/* what the units allocate, and nobody else */
#undef kzalloc
#define kzalloc try_kzalloc
#undef kvcalloc
#define kvcalloc try_kvcalloc
#undef alloc_percpu
#define alloc_percpu(type)						\
	((typeof(type) __percpu *)try_percpu(sizeof(type),		\
					     __alignof__(type), GFP_KERNEL))
#undef __alloc_percpu_gfp
#define __alloc_percpu_gfp try_percpu
#undef kmem_cache_create
#define kmem_cache_create try_cache
#undef kmem_cache_alloc
#define kmem_cache_alloc try_object

#include "../module/core/admit.c"
#include "../module/core/cookie.c"
#include "../module/core/fsm.c"
#include "../module/core/key.c"
#include "../module/core/opts.c"
#include "../module/core/pressure.c"
#include "../module/core/rto.c"
#include "../module/core/win.c"
#include "../module/state/budget.c"
#include "../module/state/entry.c"
#include "../module/state/keyring.c"
#include "../module/state/limbo.c"
#include "../module/state/memory.c"
#include "../module/state/pool.c"
#include "../module/state/room.c"
#include "../module/state/source.c"
#include "../module/state/table.c"
#include "../module/state/timer.c"
#include "../module/state/watch.c"

/* units may have the same name for what is theirs alone */
#define free_chunk free_port_chunk
#define make_chunk make_port_chunk
#include "../module/state/port.c"

MODULE_DESCRIPTION("KUnit tests of halfopen");
MODULE_LICENSE("GPL");
