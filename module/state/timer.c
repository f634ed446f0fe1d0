// SPDX-License-Identifier: GPL-2.0
/*
 * Retransmission timers: FIFO queues, one per retry level and shard.
 *
 * Entries of one retry level all wait equally long, so a level is a FIFO:
 * append at the tail, expire from the head.  A shard's kernel timer is armed
 * for the earliest head; a late wake-up is harmless, a missing one is not, so
 * queueing always lowers it.
 *
 * The kernel's timer wheel may be late by an eighth of the wait.  The timer is
 * therefore set to seven eighths, finds nothing due, and sets itself again: a
 * handful of wake-ups bring a wait of 32 s to its end within a tick.
 *
 * The timer collects due entries under the shard lock, lets it go, and for each
 * takes the bucket lock and looks whether the entry is still in its chain: it
 * may be handed over or reset meanwhile.  RCU keeps its memory until then.
 */
#include <halfopen/timer.h>

#include <linux/minmax.h>
#include <linux/sched.h>

#include <halfopen/admit.h>
#include <halfopen/cookie.h>
#include <halfopen/rto.h>
#include <halfopen/room.h>

/**
 * struct ho_timeout - what is known of a timeout before its entry is locked
 * @retries: retransmissions that the entry gets
 * @hold: why its SYN-ACK may not be sent again, if so
 */
struct ho_timeout {
	unsigned int retries;
	enum ho_hold hold;
};

static struct ho_shard *shard_of(struct ho_table *tbl, u64 hash)
{
	return &tbl->shards[hash % HO_SHARDS];
}

static u32 wait_ms(const struct ho_table *tbl, unsigned int level)
{
	return ho_rto_ms(READ_ONCE(tbl->cfg.rto_init_ms),
			 READ_ONCE(tbl->cfg.rto_max_ms), level);
}

static void set_timer_locked(struct ho_shard *shard, u32 left_ms, u32 now_ms)
{
	unsigned long left = msecs_to_jiffies(left_ms);

	lockdep_assert_held(&shard->lock);
	shard->armed = true;
	shard->wake_ms = now_ms + left_ms;
	mod_timer(&shard->timer, jiffies + max(left - left / 8, 1UL));
}

static void enqueue_locked(struct ho_shard *shard, struct ho_entry *ent,
			   u32 now_ms)
{
	unsigned int level = ent->req.timeouts;
	u32 wait = wait_ms(shard->tbl, level);

	lockdep_assert_held(&shard->lock);
	ent->req.deadline_ms = now_ms + wait;
	list_add_tail(&ent->fifo, &shard->fifo[level]);
	WRITE_ONCE(shard->len[level], shard->len[level] + 1);
	if (level)
		WRITE_ONCE(shard->late, shard->late + 1);
	if (!shard->armed || (s32)(now_ms + wait - shard->wake_ms) < 0)
		set_timer_locked(shard, wait, now_ms);
}

static void dequeue_locked(struct ho_shard *shard, struct ho_entry *ent)
{
	unsigned int level = ent->req.timeouts;

	lockdep_assert_held(&shard->lock);
	list_del(&ent->fifo);
	WRITE_ONCE(shard->len[level], shard->len[level] - 1);
	if (level)
		WRITE_ONCE(shard->late, shard->late - 1);
}

void ho_timer_arm_locked(struct ho_table *tbl, struct ho_entry *ent, u64 hash,
			 u32 now_ms)
{
	struct ho_shard *shard = shard_of(tbl, hash);

	spin_lock(&shard->lock);
	enqueue_locked(shard, ent, now_ms);
	spin_unlock(&shard->lock);
}

void ho_timer_cancel_locked(struct ho_table *tbl, struct ho_entry *ent,
			    u64 hash)
{
	struct ho_shard *shard = shard_of(tbl, hash);

	spin_lock(&shard->lock);
	dequeue_locked(shard, ent);
	spin_unlock(&shard->lock);
}

void ho_timer_retire_locked(struct ho_table *tbl, struct ho_entry *ent,
			    u64 hash)
{
	struct ho_shard *shard = shard_of(tbl, hash);

	spin_lock(&shard->lock);
	dequeue_locked(shard, ent);
	ho_limbo_add_locked(shard, ent);
	spin_unlock(&shard->lock);
}

static struct ho_entry *oldest_of_level_locked(struct ho_shard *shard,
					       unsigned int level, __be16 lport)
{
	unsigned int left = HO_EVICT_SCAN;
	struct ho_entry *ent;

	lockdep_assert_held(&shard->lock);
	list_for_each_entry(ent, &shard->fifo[level], fifo) {
		/* a hint without the bucket lock: the caller looks again */
		bool fits = data_race(!ent->req.acked &&
				      ho_cookie_tells_all(&ent->req));

		if (fits && (!lport || ent->lport == lport))
			return ent;
		if (!--left)
			break;
	}
	return NULL;
}

static struct ho_entry *oldest_of_shard(struct ho_shard *shard, __be16 lport)
{
	struct ho_entry *ent = NULL;
	unsigned int level;

	/* before a flood has lasted for a timeout there is nobody to evict */
	if (!READ_ONCE(shard->late))
		return NULL;
	spin_lock(&shard->lock);
	for (level = HO_RETRIES_MAX; level && !ent; level--)
		ent = oldest_of_level_locked(shard, level, lport);
	spin_unlock(&shard->lock);
	return ent;
}

struct ho_entry *ho_timer_oldest(struct ho_table *tbl, u64 hash, __be16 lport)
{
	struct ho_entry *ent = NULL;
	unsigned int i;

	for (i = 0; i < HO_EVICT_SHARDS && !ent; i++)
		ent = oldest_of_shard(shard_of(tbl, hash + i), lport);
	return ent;
}

static unsigned int collect(struct ho_shard *shard, u32 now_ms,
			    struct ho_entry **due, unsigned int max)
{
	unsigned int level, nr = 0;
	struct ho_entry *ent;

	spin_lock(&shard->lock);
	for (level = 0; level < HO_LEVELS; level++) {
		list_for_each_entry(ent, &shard->fifo[level], fifo) {
			if (nr == max || !ho_rto_reached(ent->req.deadline_ms,
							 now_ms))
				break;
			due[nr++] = ent;
		}
	}
	spin_unlock(&shard->lock);
	return nr;
}

static unsigned int retries_now(struct ho_shard *shard, u32 entries,
				unsigned int retries)
{
	u32 young = READ_ONCE(shard->len[0]);

	/* one shard is a fair sample of all: the hash spreads entries evenly */
	return ho_admit_retries(entries, young * HO_SHARDS,
				READ_ONCE(shard->tbl->cfg.max_entries),
				retries);
}

/* Decide and apply to the table; the caller sends. */
static enum ho_rto_action timeout_locked(struct ho_shard *shard,
					 struct ho_bucket *bkt,
					 struct ho_entry *ent, u64 hash,
					 const struct ho_timeout *what,
					 u32 now_ms)
{
	enum ho_rto_action act;

	act = ho_rto_decide(ent->req.timeouts, what->retries,
			    what->hold != HO_HOLD_NOT || ent->req.acked);
	if (act == HO_RTO_EXPIRE) {
		ho_table_remove_locked(shard->tbl, bkt, ent, hash);
		return act;
	}
	spin_lock(&shard->lock);
	dequeue_locked(shard, ent);
	ent->req.timeouts++;
	enqueue_locked(shard, ent, now_ms);
	spin_unlock(&shard->lock);
	if (act == HO_RTO_RESEND && ent->req.retrans < HO_RETRANS_MAX)
		ent->req.retrans++;
	ho_oow_age(&ent->req, now_ms);
	return act;
}

/* May its SYN-ACK be sent again?  Charges its source's budget if so. */
static enum ho_hold hold(struct ho_table *tbl, const struct ho_conn *conn)
{
	const struct ho_port *port = ho_port_find(&tbl->ports, conn->key.lport);
	u32 max = ho_pressure_retrans_max(ho_room_pressure(tbl, port));
	struct ho_source who;

	if (conn->req.retrans >= max)
		return HO_HOLD_PRESSURE;
	who = ho_source_of(&tbl->sources, &conn->key);
	if (!ho_source_send(&who, READ_ONCE(tbl->cfg.source_rate),
			    ho_clock_us()))
		return HO_HOLD_SOURCE;
	return HO_HOLD_NOT;
}

static void timeout(struct ho_shard *shard, struct ho_entry *ent, u32 entries,
		    u32 now_ms)
{
	struct ho_table *tbl = shard->tbl;
	struct ho_timeout what;
	enum ho_rto_action act;
	struct ho_bucket *bkt;
	struct ho_conn conn;
	void *ctx = NULL;
	u64 hash;

	/* racy but for the key: enough to look ahead */
	data_race((ho_entry_conn(ent, &conn), 0));
	hash = ho_table_hash(tbl, &conn.key);
	what.retries = tbl->ops->retries(tbl, &conn,
					 READ_ONCE(tbl->cfg.retries), &ctx);
	what.retries = min_t(unsigned int, what.retries, HO_RETRIES_MAX);
	what.retries = retries_now(shard, entries, what.retries);
	what.hold = conn.req.timeouts < what.retries && !conn.req.acked ?
		    hold(tbl, &conn) : HO_HOLD_NOT;

	bkt = ho_table_lock(tbl, hash);
	if (!ho_table_has_locked(bkt, ent) ||
	    !ho_rto_reached(ent->req.deadline_ms, now_ms)) {
		ho_table_unlock(bkt);
		return;
	}
	act = timeout_locked(shard, bkt, ent, hash, &what, now_ms);
	/* all else never changes */
	conn.req = ent->req;
	ho_table_unlock(bkt);

	switch (act) {
	case HO_RTO_RESEND:
		/* as in the stack, it is a timeout when its SYN-ACK is out */
		conn.req.timeouts--;
		tbl->ops->resend(tbl, &conn, ctx);
		break;
	case HO_RTO_HOLD:
		tbl->ops->held(tbl, what.hold);
		break;
	case HO_RTO_EXPIRE:
		tbl->ops->expired(tbl, &conn);
		break;
	}
}

bool ho_timer_run(struct ho_shard *shard, u32 now_ms)
{
	struct ho_entry *due[HO_TIMER_BUDGET];
	unsigned int i, nr;
	u32 entries;

	nr = collect(shard, now_ms, due, ARRAY_SIZE(due));
	if (!nr)
		return false;
	entries = ho_budget_count(&shard->tbl->entries);
	for (i = 0; i < nr; i++)
		timeout(shard, due[i], entries, now_ms);
	return nr == ARRAY_SIZE(due);
}

/* Until the earliest head is due; U32_MAX if there is none. */
static u32 left_ms_locked(struct ho_shard *shard, u32 now_ms)
{
	u32 left = U32_MAX;
	unsigned int level;

	lockdep_assert_held(&shard->lock);
	for (level = 0; level < HO_LEVELS; level++) {
		struct ho_entry *head;

		head = list_first_entry_or_null(&shard->fifo[level],
						struct ho_entry, fifo);
		if (head)
			left = min(left, ho_rto_left_ms(head->req.deadline_ms,
							now_ms));
	}
	return left;
}

/*
 * Until the rest of what is due, after a run that took so long: all shards
 * together leave others half of the time, however slow it is to send.  A timer
 * that is due again before the others have run would go on in the same softirq,
 * which ends only when it has caught up with jiffies.
 */
static u32 pause_ms(u32 spent_us)
{
	return 2 * HO_SHARDS * spent_us / USEC_PER_MSEC;
}

static void rearm(struct ho_shard *shard, u32 now_ms, bool more, u32 spent_us)
{
	u32 left;

	spin_lock(&shard->lock);
	left = more ? pause_ms(spent_us) : left_ms_locked(shard, now_ms);
	shard->armed = false;
	if (left != U32_MAX)
		set_timer_locked(shard, left, now_ms);
	spin_unlock(&shard->lock);
}

static void ho_timer_fn(struct timer_list *timer)
{
	struct ho_shard *shard = container_of(timer, struct ho_shard, timer);
	u32 now_ms = ho_clock_ms(), begin_us = ho_clock_us();
	bool more;

	rcu_read_lock();
	more = ho_timer_run(shard, now_ms);
	rcu_read_unlock();
	rearm(shard, now_ms, more, ho_clock_us() - begin_us);
}

static void clamp_level(struct ho_shard *shard, unsigned int level, u32 now_ms)
{
	u32 wait = wait_ms(shard->tbl, level);
	struct ho_entry *ent;

	spin_lock_bh(&shard->lock);
	/* all: one that came since the change may stand behind longer waits */
	list_for_each_entry(ent, &shard->fifo[level], fifo)
		if (ho_rto_left_ms(ent->req.deadline_ms, now_ms) > wait)
			ent->req.deadline_ms = now_ms + wait;
	set_timer_locked(shard, 0, now_ms);
	spin_unlock_bh(&shard->lock);
}

void ho_timer_clamp(struct ho_table *tbl, u32 now_ms)
{
	unsigned int i, level;

	for (i = 0; i < HO_SHARDS; i++) {
		for (level = 0; level < HO_LEVELS; level++) {
			clamp_level(&tbl->shards[i], level, now_ms);
			cond_resched();
		}
	}
}

void ho_timer_init(struct ho_shard *shard, struct ho_table *tbl)
{
	unsigned int level;

	spin_lock_init(&shard->lock);
	shard->armed = false;
	shard->late = 0;
	shard->tbl = tbl;
	for (level = 0; level < HO_LEVELS; level++) {
		INIT_LIST_HEAD(&shard->fifo[level]);
		shard->len[level] = 0;
	}
	timer_setup(&shard->timer, ho_timer_fn, 0);
}

void ho_timer_exit(struct ho_shard *shard)
{
	/* shutdown, not delete: the handler arms itself again */
	timer_shutdown_sync(&shard->timer);
}
