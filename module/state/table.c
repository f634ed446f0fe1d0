// SPDX-License-Identifier: GPL-2.0
/*
 * The SYN_RECV table of one network namespace.
 *
 * Buckets come in chunks of a page that are allocated when a hash first falls
 * into them, so an idle namespace costs a few KB and a flooded one has the
 * whole array.  A chunk, once there, stays until the namespace goes: a lookup
 * needs no more than one acquire to use it.  See table.h for locks and
 * lifetimes.
 */
#include <halfopen/table.h>

#include <linux/bottom_half.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <halfopen/room.h>
#include <halfopen/timer.h>

/* The low bits choose the shard (timer.c), the next ones the bucket. */
static u32 bucket_index(const struct ho_table *tbl, u64 hash)
{
	return (u32)(hash / HO_SHARDS) &
	       (tbl->nr_chunks * HO_CHUNK_BUCKETS - 1);
}

int ho_table_init(struct ho_table *tbl, u32 buckets,
		  const struct ho_table_ops *ops)
{
	int i, err;

	buckets = clamp_t(u32, buckets, HO_BUCKETS_MIN, HO_BUCKETS_MAX);
	tbl->nr_chunks = roundup_pow_of_two(buckets) / HO_CHUNK_BUCKETS;
	tbl->chunks = kvcalloc(tbl->nr_chunks, sizeof(*tbl->chunks),
			       GFP_KERNEL_ACCOUNT);
	if (!tbl->chunks)
		return -ENOMEM;
	err = ho_budget_alloc(&tbl->entries, HO_CREDIT_BATCH);
	if (err)
		goto err_free_chunks;
	err = ho_memory_net_init(&tbl->mem);
	if (err)
		goto err_free_entries;
	err = ho_sources_init(&tbl->sources, buckets / HO_BUCKETS_PER_CELL,
			      &tbl->mem);
	if (err)
		goto err_exit_memory;

	get_random_bytes(&tbl->secret, sizeof(tbl->secret));
	tbl->ops = ops;
	ho_watch_init(tbl);
	for (i = 0; i < HO_SHARDS; i++)
		ho_timer_init(&tbl->shards[i], tbl);
	return 0;

err_exit_memory:
	ho_memory_net_exit(&tbl->mem);
err_free_entries:
	ho_budget_free(&tbl->entries);
err_free_chunks:
	kvfree(tbl->chunks);
	return err;
}

void ho_table_stop(struct ho_table *tbl)
{
	u32 i;

	ho_watch_exit(tbl);
	for (i = 0; i < HO_SHARDS; i++)
		ho_timer_exit(&tbl->shards[i]);
}

/* No reader, no timer: chains and FIFOs are ours alone. */
static void free_chunk(struct ho_table *tbl, struct ho_bucket *chunk)
{
	struct ho_entry *ent, *next;
	u32 i;

	local_bh_disable();
	for (i = 0; i < HO_CHUNK_BUCKETS; i++) {
		ent = rcu_dereference_raw(chunk[i].first);
		for (; ent; ent = next) {
			next = rcu_dereference_raw(ent->next);
			ho_room_cancel(tbl, ent);
		}
	}
	kfree(chunk);
	ho_memory_uncharge(&tbl->mem, HO_CHUNK_BUCKETS * sizeof(*chunk));
	local_bh_enable();
}

void ho_table_exit(struct ho_table *tbl)
{
	u32 i;

	ho_limbo_wait(tbl);
	for (i = 0; i < tbl->nr_chunks; i++) {
		struct ho_bucket *chunk = rcu_dereference_raw(tbl->chunks[i]);

		if (chunk)
			free_chunk(tbl, chunk);
		cond_resched();
	}
	ho_ports_exit(&tbl->ports, &tbl->mem);
	ho_sources_exit(&tbl->sources);
	ho_memory_net_exit(&tbl->mem);
	ho_budget_free(&tbl->entries);
	kvfree(tbl->chunks);
}

static struct ho_bucket *find_bucket(const struct ho_table *tbl, u32 index)
{
	struct ho_bucket *chunk;

	/* pairs with cmpxchg() in make_chunk() */
	chunk = rcu_dereference_raw(tbl->chunks[index / HO_CHUNK_BUCKETS]);
	return chunk ? &chunk[index % HO_CHUNK_BUCKETS] : NULL;
}

struct ho_entry *ho_table_find_rcu(const struct ho_table *tbl,
				   const struct ho_key *key, u64 hash)
{
	struct ho_bucket *bkt = find_bucket(tbl, bucket_index(tbl, hash));
	struct ho_entry *ent;

	if (!bkt)
		return NULL;
	for (ent = rcu_dereference(bkt->first); ent;
	     ent = rcu_dereference(ent->next))
		if (ho_entry_match(ent, key))
			return ent;
	return NULL;
}

struct ho_bucket *ho_table_lock(struct ho_table *tbl, u64 hash)
{
	struct ho_bucket *bkt = find_bucket(tbl, bucket_index(tbl, hash));

	if (bkt)
		spin_lock_bh(&bkt->lock);
	return bkt;
}

static void make_chunk(struct ho_table *tbl, u32 nr)
{
	const u32 bytes = HO_CHUNK_BUCKETS * sizeof(struct ho_bucket);
	struct ho_bucket *chunk;
	u32 i;

	if (!ho_memory_charge(&tbl->mem, bytes))
		return;
	chunk = kzalloc(bytes, GFP_ATOMIC | __GFP_NOWARN);
	for (i = 0; chunk && i < HO_CHUNK_BUCKETS; i++)
		spin_lock_init(&chunk[i].lock);
	/*
	 * full barrier: who sees the chunk sees its locks; the loser of a race
	 * frees
	 */
	if (!chunk ||
	    cmpxchg((struct ho_bucket **)&tbl->chunks[nr], NULL, chunk)) {
		kfree(chunk);
		ho_memory_uncharge(&tbl->mem, bytes);
	}
}

struct ho_bucket *ho_table_lock_new(struct ho_table *tbl, u64 hash)
{
	u32 index = bucket_index(tbl, hash);

	if (!find_bucket(tbl, index))
		make_chunk(tbl, index / HO_CHUNK_BUCKETS);
	return ho_table_lock(tbl, hash);
}

int ho_table_prealloc(struct ho_table *tbl)
{
	u32 i;

	for (i = 0; i < tbl->nr_chunks; i++) {
		local_bh_disable();
		make_chunk(tbl, i);
		local_bh_enable();
		if (!rcu_access_pointer(tbl->chunks[i]))
			return -ENOMEM;
	}
	return ho_sources_prealloc(&tbl->sources);
}

void ho_table_unlock(struct ho_bucket *bkt)
{
	spin_unlock_bh(&bkt->lock);
}

static struct ho_entry *deref_locked(struct ho_bucket *bkt,
				     struct ho_entry __rcu *ptr)
{
	return rcu_dereference_protected(ptr, lockdep_is_held(&bkt->lock));
}

struct ho_entry *ho_table_find_locked(struct ho_bucket *bkt,
				      const struct ho_key *key)
{
	struct ho_entry *ent;

	lockdep_assert_held(&bkt->lock);
	for (ent = deref_locked(bkt, bkt->first); ent;
	     ent = deref_locked(bkt, ent->next))
		if (ho_entry_match(ent, key))
			return ent;
	return NULL;
}

/* The pointer that points to @ent, or the one at the end of the chain. */
static struct ho_entry __rcu **link_locked(struct ho_bucket *bkt,
					   const struct ho_entry *ent)
{
	struct ho_entry __rcu **link = &bkt->first;
	struct ho_entry *at;

	lockdep_assert_held(&bkt->lock);
	while ((at = deref_locked(bkt, *link)) && at != ent)
		link = &at->next;
	return link;
}

bool ho_table_has_locked(struct ho_bucket *bkt, const struct ho_entry *ent)
{
	return deref_locked(bkt, *link_locked(bkt, ent));
}

int ho_table_insert_locked(struct ho_table *tbl, struct ho_bucket *bkt,
			   struct ho_entry *ent, u64 hash, u32 now_ms)
{
	lockdep_assert_held(&bkt->lock);
	if (bkt->len >= HO_CHAIN_MAX)
		return -ENOSPC;

	bkt->len++;
	ho_timer_arm_locked(tbl, ent, hash, now_ms);
	RCU_INIT_POINTER(ent->next, deref_locked(bkt, bkt->first));
	rcu_assign_pointer(bkt->first, ent);
	return 0;
}

void ho_table_remove_locked(struct ho_table *tbl, struct ho_bucket *bkt,
			    struct ho_entry *ent, u64 hash)
{
	struct ho_entry __rcu **link = link_locked(bkt, ent);

	/* a reader at @ent goes on along its next, which stays */
	rcu_assign_pointer(*link, deref_locked(bkt, ent->next));
	bkt->len--;
	ho_room_leave(tbl, ent);
	ho_timer_retire_locked(tbl, ent, hash);
}

static bool copy_nth(struct ho_bucket *bkt, u32 n, struct ho_conn *conn)
{
	struct ho_entry *ent;

	spin_lock_bh(&bkt->lock);
	ent = deref_locked(bkt, bkt->first);
	while (ent && n--)
		ent = deref_locked(bkt, ent->next);
	if (ent)
		ho_entry_conn(ent, conn);
	spin_unlock_bh(&bkt->lock);
	return ent;
}

bool ho_table_next(struct ho_table *tbl, struct ho_table_iter *iter,
		   struct ho_conn *conn)
{
	u32 end = tbl->nr_chunks * HO_CHUNK_BUCKETS;

	while (iter->bucket < end) {
		struct ho_bucket *bkt = find_bucket(tbl, iter->bucket);

		if (!bkt) {
			iter->bucket = round_up(iter->bucket + 1,
						HO_CHUNK_BUCKETS);
			continue;
		}
		/* pairs with nothing: an empty chain is only a hint to go on */
		if (data_race(bkt->first) && copy_nth(bkt, iter->index, conn)) {
			iter->index++;
			return true;
		}
		iter->bucket++;
		iter->index = 0;
	}
	return false;
}
