// SPDX-License-Identifier: GPL-2.0
/*
 * Objects of one size: from a slab cache, through a reserve.
 *
 * With a reserve, objects are allocated when the module is loaded and kept when
 * they are free, so that a flood that fits allocates nothing.  Each CPU has
 * some at hand; what it has too many of, or too few, it exchanges with the
 * depot, a batch at a time.
 */
#include <halfopen/pool.h>

#include <linux/errno.h>
#include <linux/percpu.h>
#include <linux/slab.h>

enum {
	BATCH		= 32,		/* a lock of the depot is worth it */
	HAND_MAX	= 2 * BATCH,
};

static void push(struct ho_pool_list *list, struct ho_pool_item *item)
{
	item->next = list->first;
	list->first = item;
	list->nr++;
}

static struct ho_pool_item *pop(struct ho_pool_list *list)
{
	struct ho_pool_item *item = list->first;

	if (item) {
		list->first = item->next;
		list->nr--;
	}
	return item;
}

static void drain(struct ho_pool *pool, struct ho_pool_list *list)
{
	struct ho_pool_item *item;

	while ((item = pop(list)))
		kmem_cache_free(pool->cache, item);
}

static int fill(struct ho_pool *pool)
{
	while (pool->depot.nr < pool->keep) {
		void *obj = kmem_cache_alloc(pool->cache, GFP_KERNEL);

		if (!obj)
			return -ENOMEM;
		push(&pool->depot, obj);
	}
	return 0;
}

int ho_pool_init(struct ho_pool *pool, const char *name, u32 size,
		 slab_flags_t flags, u32 keep)
{
	spin_lock_init(&pool->lock);
	pool->keep = keep;
	pool->depot = (struct ho_pool_list) { };
	pool->hand = alloc_percpu(struct ho_pool_list);
	if (!pool->hand)
		return -ENOMEM;
	pool->cache = kmem_cache_create(name, size, 0, flags, NULL);
	if (!pool->cache)
		goto err_hand;
	if (fill(pool) < 0)
		goto err_depot;
	return 0;

err_depot:
	drain(pool, &pool->depot);
	kmem_cache_destroy(pool->cache);
err_hand:
	free_percpu(pool->hand);
	return -ENOMEM;
}

void ho_pool_exit(struct ho_pool *pool)
{
	int cpu;

	for_each_possible_cpu(cpu)
		drain(pool, per_cpu_ptr(pool->hand, cpu));
	drain(pool, &pool->depot);
	kmem_cache_destroy(pool->cache);
	free_percpu(pool->hand);
}

/* Up to a batch from one list to another. */
static void move_batch(struct ho_pool_list *from, struct ho_pool_list *to)
{
	struct ho_pool_item *item;
	unsigned int i;

	for (i = 0; i < BATCH && (item = pop(from)); i++)
		push(to, item);
}

void *ho_pool_get(struct ho_pool *pool)
{
	struct ho_pool_list *hand = this_cpu_ptr(pool->hand);

	if (pool->keep && !hand->nr) {
		spin_lock(&pool->lock);
		move_batch(&pool->depot, hand);
		spin_unlock(&pool->lock);
	}
	if (hand->nr)
		return pop(hand);
	return kmem_cache_alloc(pool->cache, GFP_ATOMIC | __GFP_NOWARN);
}

void ho_pool_put(struct ho_pool *pool, void *obj)
{
	struct ho_pool_list *hand = this_cpu_ptr(pool->hand);
	struct ho_pool_list rest = { };

	if (!pool->keep) {
		kmem_cache_free(pool->cache, obj);
		return;
	}
	push(hand, obj);
	if (hand->nr <= HAND_MAX)
		return;
	move_batch(hand, &rest);
	spin_lock(&pool->lock);
	if (pool->depot.nr < pool->keep)
		move_batch(&rest, &pool->depot);
	spin_unlock(&pool->lock);
	drain(pool, &rest);
}
