// SPDX-License-Identifier: GPL-2.0
/*
 * Entries that left the table and wait for the last reader.
 *
 * They wait in batches, a shard's together, so that their memory is given back
 * to the budget at the moment when it is free again, and an entry needs no
 * pointer to its table for that.  While one batch waits the next one gathers.
 */
#include <halfopen/limbo.h>

#include <halfopen/table.h>

static void free_all(struct ho_table *tbl, struct ho_entry *ent)
{
	u32 bytes = 0;

	while (ent) {
		struct ho_entry *next = ent->gone;

		bytes += ho_entry_size(ent->req.wide);
		ho_entry_free(ent);
		ent = next;
	}
	ho_memory_uncharge(&tbl->mem, bytes);
}

static void begin_locked(struct ho_shard *shard);

static void grace_is_over(struct rcu_head *rcu)
{
	struct ho_limbo *limbo = container_of(rcu, struct ho_limbo, rcu);
	struct ho_shard *shard = container_of(limbo, struct ho_shard, limbo);

	local_bh_disable();
	free_all(shard->tbl, limbo->dying);
	spin_lock(&shard->lock);
	begin_locked(shard);
	spin_unlock(&shard->lock);
	local_bh_enable();
}

static void begin_locked(struct ho_shard *shard)
{
	struct ho_limbo *limbo = &shard->limbo;

	lockdep_assert_held(&shard->lock);
	limbo->dying = limbo->fresh;
	limbo->fresh = NULL;
	limbo->busy = limbo->dying;
	if (limbo->dying)
		call_rcu(&limbo->rcu, grace_is_over);
}

void ho_limbo_add_locked(struct ho_shard *shard, struct ho_entry *ent)
{
	struct ho_limbo *limbo = &shard->limbo;

	lockdep_assert_held(&shard->lock);
	ent->gone = limbo->fresh;
	limbo->fresh = ent;
	if (!limbo->busy)
		begin_locked(shard);
}

/* Under the lock: when it is idle, nobody touches the shard any more. */
static bool is_busy(struct ho_shard *shard)
{
	bool busy;

	spin_lock_bh(&shard->lock);
	busy = shard->limbo.busy;
	spin_unlock_bh(&shard->lock);
	return busy;
}

void ho_limbo_wait(struct ho_table *tbl)
{
	unsigned int i;

	/* twice at most: the batch under way, and the one that gathered */
	for (i = 0; i < HO_SHARDS; i++)
		while (is_busy(&tbl->shards[i]))
			rcu_barrier();
}
