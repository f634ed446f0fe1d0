// SPDX-License-Identifier: GPL-2.0
/*
 * One half-open connection in memory.
 *
 * Two slab caches: one cache line for IPv4, one and a half for IPv6 and for the
 * few IPv4 connections that carry an interface or a mark.  Once out of the
 * table an entry's FIFO linkage has no use, so it holds the rcu_head.
 */
#include <halfopen/entry.h>

#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <halfopen/key.h>

static struct kmem_cache *ho_cache_v4;
static struct kmem_cache *ho_cache_wide;

static struct ho_entry_wide *wide(const struct ho_entry *ent)
{
	return container_of(ent, struct ho_entry_wide, ent);
}

int ho_entry_init(void)
{
	ho_cache_v4 = kmem_cache_create("halfopen_v4", sizeof(struct ho_entry),
					0, SLAB_HWCACHE_ALIGN, NULL);
	if (!ho_cache_v4)
		return -ENOMEM;
	ho_cache_wide = kmem_cache_create("halfopen_wide",
					  sizeof(struct ho_entry_wide), 0, 0,
					  NULL);
	if (!ho_cache_wide) {
		kmem_cache_destroy(ho_cache_v4);
		return -ENOMEM;
	}
	return 0;
}

void ho_entry_exit(void)
{
	/*
	 * ho_entry_free_rcu() callbacks use the caches and this module's text
	 */
	rcu_barrier();
	kmem_cache_destroy(ho_cache_wide);
	kmem_cache_destroy(ho_cache_v4);
}

static void init_narrow(struct ho_entry *ent, const struct ho_conn *conn)
{
	ent->raddr = conn->key.raddr.s6_addr32[3];
	ent->laddr = conn->key.laddr.s6_addr32[3];
}

static void init_wide(struct ho_entry_wide *ent, const struct ho_conn *conn)
{
	ent->ent.iif = conn->key.iif;
	ent->ent.mark = conn->mark;
	ent->raddr6 = conn->key.raddr;
	ent->laddr6 = conn->key.laddr;
}

struct ho_entry *ho_entry_alloc(const struct ho_conn *conn)
{
	bool narrow = ho_key_is_v4(&conn->key) && !conn->key.iif && !conn->mark;
	struct ho_entry *ent;

	ent = kmem_cache_alloc(narrow ? ho_cache_v4 : ho_cache_wide,
			       GFP_ATOMIC | __GFP_NOWARN);
	if (!ent)
		return NULL;

	if (narrow)
		init_narrow(ent, conn);
	else
		init_wide(wide(ent), conn);
	ent->rport = conn->key.rport;
	ent->lport = conn->key.lport;
	ent->req = conn->req;
	ent->req.wide = !narrow;
	return ent;
}

void ho_entry_free(struct ho_entry *ent)
{
	kmem_cache_free(ent->req.wide ? ho_cache_wide : ho_cache_v4, ent);
}

static void free_rcu_fn(struct rcu_head *rcu)
{
	ho_entry_free(container_of(rcu, struct ho_entry, rcu));
}

void ho_entry_free_rcu(struct ho_entry *ent)
{
	call_rcu(&ent->rcu, free_rcu_fn);
}

void ho_entry_key(const struct ho_entry *ent, struct ho_key *key)
{
	key->rport = ent->rport;
	key->lport = ent->lport;
	if (ent->req.wide) {
		key->raddr = wide(ent)->raddr6;
		key->laddr = wide(ent)->laddr6;
		key->iif = ent->iif;
	} else {
		ho_key_set_v4(key, ent->raddr, ent->laddr);
		key->iif = 0;
	}
}

void ho_entry_conn(const struct ho_entry *ent, struct ho_conn *conn)
{
	ho_entry_key(ent, &conn->key);
	conn->mark = ent->req.wide ? ent->mark : 0;
	conn->req = ent->req;
}

bool ho_entry_match(const struct ho_entry *ent, const struct ho_key *key)
{
	if (ent->rport != key->rport || ent->lport != key->lport)
		return false;
	if (ent->req.wide)
		return ent->iif == key->iif &&
		       !memcmp(&wide(ent)->raddr6, &key->raddr,
			       sizeof(key->raddr)) &&
		       !memcmp(&wide(ent)->laddr6, &key->laddr,
			       sizeof(key->laddr));
	return ho_key_is_v4(key) && !key->iif &&
	       ent->raddr == key->raddr.s6_addr32[3] &&
	       ent->laddr == key->laddr.s6_addr32[3];
}
