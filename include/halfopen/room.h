/* SPDX-License-Identifier: GPL-2.0 */
/* Room for one more entry: every limit in one place. */
#ifndef _HALFOPEN_ROOM_H
#define _HALFOPEN_ROOM_H

#include <halfopen/pressure.h>
#include <halfopen/table.h>

/* Which limit refuses an entry. */
enum ho_full {
	HO_FULL_NOT,		/* there is room */
	HO_FULL_SOURCE,		/* max_source_backlog */
	HO_FULL_PORT,		/* max_port_backlog */
	HO_FULL_BACKLOG,	/* max_backlog */
	HO_FULL_MEMORY,		/* a cap on bytes, or the host has none */
	HO_FULL_CHAIN,		/* HO_CHAIN_MAX */
};

/**
 * ho_room_enter() - make an entry within all limits
 * @tbl: the table
 * @port: the local port
 * @conn: what it is made of, source too; req.source_gen is set
 * @full: why not
 *
 * Context: softirq.
 * Return: the entry, or NULL.
 */
struct ho_entry *ho_room_enter(struct ho_table *tbl, struct ho_port *port,
			       struct ho_conn *conn, enum ho_full *full);

/**
 * ho_room_cancel() - undo ho_room_enter()
 * @tbl: the table
 * @ent: an entry that never was in a chain
 *
 * Context: BH disabled.
 */
void ho_room_cancel(struct ho_table *tbl, struct ho_entry *ent);

/**
 * ho_room_insert() - put a connection into the table, within all limits
 * @tbl: the table
 * @port: its local port
 * @conn: the connection, source too
 * @hash: ho_table_hash() of its key
 * @now_ms: ms clock
 * @lost: set if another CPU was faster; then there is an entry, but not ours
 *
 * Context: softirq, no locks.
 * Return: HO_FULL_NOT, or which limit refused it.
 */
enum ho_full ho_room_insert(struct ho_table *tbl, struct ho_port *port,
			    struct ho_conn *conn, u64 hash, u32 now_ms,
			    bool *lost);

/**
 * ho_room_insert_evicting() - the same, and in need somebody else goes
 * @tbl: the table
 * @port: its local port
 * @conn: the connection, source too
 * @hash: ho_table_hash() of its key
 * @now_ms: ms clock
 * @lost: set if another CPU was faster
 *
 * A table full of clients who did not answer in time is worth less than one
 * with the newcomer in it. A source that has its share pushes nobody out.
 *
 * Context: softirq, RCU read side, no locks.
 * Return: HO_FULL_NOT, or which limit refused it.
 */
enum ho_full ho_room_insert_evicting(struct ho_table *tbl, struct ho_port *port,
				     struct ho_conn *conn, u64 hash, u32 now_ms,
				     bool *lost);

/**
 * ho_room_leave() - an entry leaves the table
 * @tbl: the table
 * @ent: the entry
 *
 * Its memory is given back when it is freed: limbo.c.
 *
 * Context: BH disabled.
 */
void ho_room_leave(struct ho_table *tbl, const struct ho_entry *ent);

/**
 * ho_room_evict() - make room by sending somebody away
 * @tbl: the table
 * @hash: of the newcomer; his shard is looked at first
 * @lport: a local port, or 0 for any
 * @now_ms: ms clock
 *
 * The oldest entry of a shard goes, if it had a timeout already and its client
 * has proven nothing: he may still finish with the ISN, which is a cookie. See
 * ho_timer_oldest() for how far is looked.
 *
 * Context: softirq, RCU read side, no locks.
 * Return: true if somebody went.
 */
bool ho_room_evict(struct ho_table *tbl, u64 hash, __be16 lport, u32 now_ms);

/**
 * ho_room_port_max() - the limit of a port
 * @tbl: the table
 *
 * Context: any.
 * Return: entries; no more than the whole table may have.
 */
u32 ho_room_port_max(const struct ho_table *tbl);

/**
 * ho_room_memory_pressure() - how near the cap on bytes is
 * @tbl: the table
 *
 * Context: any, cheap; counts up to a credit a CPU too many.
 * Return: the level.
 */
enum ho_pressure ho_room_memory_pressure(const struct ho_table *tbl);

/**
 * ho_room_pressure() - how full the table is for a port
 * @tbl: the table
 * @port: the port
 *
 * Context: any, cheap; counts up to a credit a CPU too many.
 * Return: the highest level of entries, memory and the port's entries.
 */
enum ho_pressure ho_room_pressure(const struct ho_table *tbl,
				  const struct ho_port *port);

#endif /* _HALFOPEN_ROOM_H */
