// SPDX-License-Identifier: GPL-2.0
/*
 * Room for one more entry: every limit in one place.
 *
 * Who sends most is stopped first: the source's limit, then the namespace's,
 * the port's, and the memory's.  What was reserved is given back in reverse
 * order when a later limit refuses.
 */
#include <halfopen/room.h>

#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>

#include <halfopen/timer.h>

/* Who has proven himself is limited by memory, and by those who wait. */
static bool count(struct ho_budget *budget, u32 max, bool proven)
{
	if (!proven)
		return ho_budget_reserve(budget, 1, max);
	ho_budget_take(budget, 1);
	return true;
}

static enum ho_full reserve(struct ho_table *tbl, struct ho_port *port,
			    struct ho_conn *conn)
{
	const struct ho_table_cfg *cfg = &tbl->cfg;
	bool proven = conn->req.acked;
	enum ho_full full = HO_FULL_BACKLOG;
	int err;

	err = ho_source_reserve(&conn->source,
				proven ? INT_MAX :
				READ_ONCE(cfg->max_source_entries));
	if (err < 0)
		return err == -EDQUOT ? HO_FULL_SOURCE : HO_FULL_MEMORY;
	conn->req.source_gen = conn->source.gen;
	if (!count(&tbl->entries, READ_ONCE(cfg->max_entries), proven))
		goto err_source;
	full = HO_FULL_PORT;
	if (!count(&port->entries, ho_room_port_max(tbl), proven))
		goto err_entries;
	full = HO_FULL_MEMORY;
	if (!ho_memory_charge(&tbl->mem, ho_entry_size(ho_entry_wide(conn))))
		goto err_port;
	return HO_FULL_NOT;

err_port:
	ho_budget_release(&port->entries, 1);
err_entries:
	ho_budget_release(&tbl->entries, 1);
err_source:
	ho_source_release(&conn->source);
	return full;
}

static void unreserve(struct ho_table *tbl, __be16 lport,
		      const struct ho_source *source)
{
	ho_budget_release(&tbl->entries, 1);
	ho_budget_release(&ho_port_find(&tbl->ports, lport)->entries, 1);
	ho_source_release(source);
}

struct ho_entry *ho_room_enter(struct ho_table *tbl, struct ho_port *port,
			       struct ho_conn *conn, enum ho_full *full)
{
	struct ho_entry *ent;

	*full = reserve(tbl, port, conn);
	if (*full != HO_FULL_NOT)
		return NULL;
	ent = ho_entry_alloc(conn);
	if (ent)
		return ent;
	ho_memory_uncharge(&tbl->mem, ho_entry_size(ho_entry_wide(conn)));
	unreserve(tbl, conn->key.lport, &conn->source);
	*full = HO_FULL_MEMORY;
	return NULL;
}

void ho_room_leave(struct ho_table *tbl, const struct ho_entry *ent)
{
	struct ho_source source;
	struct ho_key key;

	ho_entry_key(ent, &key);
	source = ho_source_of_gen(&tbl->sources, &key, ent->req.source_gen);
	unreserve(tbl, key.lport, &source);
}

void ho_room_cancel(struct ho_table *tbl, struct ho_entry *ent)
{
	u32 bytes = ho_entry_size(ent->req.wide);

	ho_room_leave(tbl, ent);
	ho_entry_free(ent);
	ho_memory_uncharge(&tbl->mem, bytes);
}

bool ho_room_evict(struct ho_table *tbl, u64 hash, __be16 lport, u32 now_ms)
{
	struct ho_entry *ent = ho_timer_oldest(tbl, hash, lport);
	struct ho_bucket *bkt;
	struct ho_conn conn;
	struct ho_key key;
	bool ok;

	if (!ent)
		return false;
	ho_entry_key(ent, &key);
	hash = ho_table_hash(tbl, &key);
	bkt = ho_table_lock(tbl, hash);
	ok = ho_table_has_locked(bkt, ent) && !ent->req.acked;
	if (ok) {
		ho_entry_conn(ent, &conn);
		ho_port_needs_cookies(ho_port_find(&tbl->ports, key.lport),
				      now_ms);
		ho_table_remove_locked(tbl, bkt, ent, hash);
	}
	ho_table_unlock(bkt);
	if (ok)
		tbl->ops->evicted(tbl, &conn);
	return ok;
}

enum ho_full ho_room_insert(struct ho_table *tbl, struct ho_port *port,
			    struct ho_conn *conn, u64 hash, u32 now_ms,
			    bool *lost)
{
	enum ho_full full = HO_FULL_MEMORY;
	struct ho_bucket *bkt;
	struct ho_entry *ent;

	*lost = false;
	ent = ho_room_enter(tbl, port, conn, &full);
	if (!ent)
		return full;
	bkt = ho_table_lock_new(tbl, hash);
	if (!bkt) {
		full = HO_FULL_MEMORY;
		goto err_cancel;
	}
	*lost = ho_table_find_locked(bkt, &conn->key);
	if (!*lost && ho_table_insert_locked(tbl, bkt, ent, hash, now_ms) < 0)
		full = HO_FULL_CHAIN;
	ho_table_unlock(bkt);
	if (!*lost && full == HO_FULL_NOT)
		return HO_FULL_NOT;

err_cancel:
	ho_room_cancel(tbl, ent);
	return full;
}

enum ho_full ho_room_insert_evicting(struct ho_table *tbl, struct ho_port *port,
				     struct ho_conn *conn, u64 hash, u32 now_ms,
				     bool *lost)
{
	enum ho_full full;

	full = ho_room_insert(tbl, port, conn, hash, now_ms, lost);
	if (full != HO_FULL_PORT && full != HO_FULL_BACKLOG &&
	    full != HO_FULL_MEMORY)
		return full;
	if (!ho_room_evict(tbl, hash,
			   full == HO_FULL_PORT ? conn->key.lport : 0, now_ms))
		return full;
	return ho_room_insert(tbl, port, conn, hash, now_ms, lost);
}

u32 ho_room_port_max(const struct ho_table *tbl)
{
	return min(READ_ONCE(tbl->cfg.max_port_entries),
		   READ_ONCE(tbl->cfg.max_entries));
}

enum ho_pressure ho_room_memory_pressure(const struct ho_table *tbl)
{
	return ho_pressure_level(ho_budget_upper(&tbl->mem.used),
				 READ_ONCE(tbl->mem.max_bytes),
				 &tbl->cfg.marks);
}

enum ho_pressure ho_room_pressure(const struct ho_table *tbl,
				  const struct ho_port *port)
{
	const struct ho_watermarks *marks = &tbl->cfg.marks;
	enum ho_pressure entries, part;

	entries = ho_pressure_level(ho_budget_upper(&tbl->entries),
				    READ_ONCE(tbl->cfg.max_entries), marks);
	part = ho_pressure_level(ho_budget_upper(&port->entries),
				 ho_room_port_max(tbl), marks);
	return max3(entries, part, ho_room_memory_pressure(tbl));
}
