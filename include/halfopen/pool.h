/* SPDX-License-Identifier: GPL-2.0 */
/* Objects of one size: from a slab cache, through a reserve. */
#ifndef _HALFOPEN_POOL_H
#define _HALFOPEN_POOL_H

#include <linux/percpu.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct kmem_cache;

/**
 * struct ho_pool_item - a free object
 * @next: the next one in its list
 */
struct ho_pool_item {
	struct ho_pool_item *next;
};

/**
 * struct ho_pool_list - free objects
 * @first: one of them
 * @nr: how many
 */
struct ho_pool_list {
	struct ho_pool_item *first;
	u32 nr;
};

/**
 * struct ho_pool - objects of one size
 * @cache: where they come from
 * @keep: how many to keep when they are free, 0 = none
 * @hand: those at hand of each CPU
 * @lock: of @depot
 * @depot: those at nobody's hand
 */
struct ho_pool {
	struct kmem_cache *cache;
	u32 keep;
	struct ho_pool_list __percpu *hand;
	spinlock_t lock;	/* depot */
	struct ho_pool_list depot;
};

/**
 * ho_pool_init() - make a pool
 * @pool: the pool
 * @name: of its slab cache
 * @size: of an object, bytes
 * @flags: of its slab cache
 * @keep: objects to allocate now and to keep when they are free
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ho_pool_init(struct ho_pool *pool, const char *name, u32 size,
		 slab_flags_t flags, u32 keep);

/**
 * ho_pool_exit() - free everything
 * @pool: the pool; nobody has an object of it
 *
 * Context: process, may sleep.
 */
void ho_pool_exit(struct ho_pool *pool);

/**
 * ho_pool_get() - an object
 * @pool: the pool
 *
 * From the reserve while there is one: then nothing is allocated.
 *
 * Context: BH disabled.
 * Return: uninitialised, or NULL without memory.
 */
void *ho_pool_get(struct ho_pool *pool);

/**
 * ho_pool_put() - give an object back
 * @pool: the pool
 * @obj: the object
 *
 * Context: BH disabled.
 */
void ho_pool_put(struct ho_pool *pool, void *obj);

#endif /* _HALFOPEN_POOL_H */
