/* SPDX-License-Identifier: GPL-2.0 */
/* One half-open connection in memory. */
#ifndef _HALFOPEN_ENTRY_H
#define _HALFOPEN_ENTRY_H

#include <linux/list.h>
#include <linux/rcupdate.h>

#include <halfopen/key.h>
#include <halfopen/types.h>

/**
 * struct ho_entry - a half-open IPv4 connection: one cache line
 * @next: hash chain
 * @fifo: retransmission FIFO while in the table
 * @gone: the next one in limbo once it is not
 * @raddr: remote IPv4 address, unless @req.wide
 * @laddr: local IPv4 address, unless @req.wide
 * @iif: ho_conn.oif, if @req.wide
 * @iif_in_key: it is ho_key.iif, too
 * @mark_fw: @mark is ho_conn.mark
 * @mark_ct: @mark is ho_conn.ct_mark
 * @mark: one of them, or both
 * @rport: remote port
 * @lport: local port
 * @req: protocol state
 *
 * What makes up the key never changes. @fifo and @req.deadline_ms belong to the
 * shard lock, @next and the rest of @req to the bucket lock.
 */
struct ho_entry {
	struct ho_entry __rcu *next;
	union {
		struct list_head fifo;
		struct ho_entry *gone;
	};
	union {
		struct {
			__be32 raddr;
			__be32 laddr;
		};
		struct {
			u32 iif : 29,
			    iif_in_key : 1,
			    mark_fw : 1,
			    mark_ct : 1;
			u32 mark;
		};
	};
	__be16 rport;
	__be16 lport;
	struct ho_req req;
};

/**
 * struct ho_entry_wide - one that does not fit: IPv6, an interface, a mark
 * @ent: first, so that a pointer to one is a pointer to the other
 * @raddr6: remote address, IPv4 as mapped
 * @laddr6: local address
 */
struct ho_entry_wide {
	struct ho_entry ent;
	struct in6_addr raddr6;
	struct in6_addr laddr6;
};

static_assert(sizeof(struct ho_entry) <= 64);
static_assert(sizeof(struct ho_entry_wide) <= 96);

/**
 * ho_entry_init() - create the pools
 * @prealloc: entries of either size to keep in reserve
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ho_entry_init(u32 prealloc);

/**
 * ho_entry_exit() - destroy the pools
 *
 * Context: process, may sleep; no entry is left.
 */
void ho_entry_exit(void);

/**
 * ho_entry_wide() - does a connection need struct ho_entry_wide?
 * @conn: the connection
 *
 * Context: any.
 * Return: true if so.
 */
static inline bool ho_entry_wide(const struct ho_conn *conn)
{
	return !ho_key_is_v4(&conn->key) || conn->key.iif || conn->oif ||
	       conn->mark || conn->ct_mark;
}

/**
 * ho_entry_size() - memory of an entry
 * @wide: of a wide one
 *
 * Context: any.
 * Return: bytes.
 */
static inline u32 ho_entry_size(bool wide)
{
	return wide ? sizeof(struct ho_entry_wide) : sizeof(struct ho_entry);
}

/**
 * ho_entry_alloc() - make an entry of a connection
 * @conn: copied; req.wide is decided here
 *
 * Context: softirq.
 * Return: the entry, or NULL without memory.
 */
struct ho_entry *ho_entry_alloc(const struct ho_conn *conn);

/**
 * ho_entry_free() - free an entry that nobody sees
 * @ent: the entry
 *
 * Context: BH disabled.
 */
void ho_entry_free(struct ho_entry *ent);

/**
 * ho_entry_key() - the key of an entry
 * @ent: the entry
 * @key: filled
 *
 * Context: RCU read side or bucket lock.
 */
void ho_entry_key(const struct ho_entry *ent, struct ho_key *key);

/**
 * ho_entry_conn() - unpack an entry
 * @ent: the entry
 * @conn: filled
 *
 * Context: bucket lock held.
 */
void ho_entry_conn(const struct ho_entry *ent, struct ho_conn *conn);

/**
 * ho_entry_match() - is this the entry of a key?
 * @ent: the entry
 * @key: the key
 *
 * Context: RCU read side or bucket lock.
 * Return: true if so.
 */
bool ho_entry_match(const struct ho_entry *ent, const struct ho_key *key);

#endif /* _HALFOPEN_ENTRY_H */
