// SPDX-License-Identifier: GPL-2.0
/*
 * One half-open connection in memory.
 *
 * Two sizes: one cache line for IPv4, one and a half for IPv6 and for the few
 * IPv4 connections that carry an interface or a mark.
 */
#include <halfopen/entry.h>

#include <linux/slab.h>
#include <linux/string.h>

#include <halfopen/key.h>
#include <halfopen/pool.h>

static struct ho_pool ho_pool_v4;
static struct ho_pool ho_pool_wide;

static struct ho_entry_wide *wide(const struct ho_entry *ent)
{
	return container_of(ent, struct ho_entry_wide, ent);
}

static struct ho_pool *pool_of(bool big)
{
	return big ? &ho_pool_wide : &ho_pool_v4;
}

int ho_entry_init(u32 prealloc)
{
	int err;

	err = ho_pool_init(&ho_pool_v4, "halfopen_v4", sizeof(struct ho_entry),
			   SLAB_HWCACHE_ALIGN, prealloc);
	if (err)
		return err;
	err = ho_pool_init(&ho_pool_wide, "halfopen_wide",
			   sizeof(struct ho_entry_wide), 0, prealloc);
	if (err)
		ho_pool_exit(&ho_pool_v4);
	return err;
}

void ho_entry_exit(void)
{
	ho_pool_exit(&ho_pool_wide);
	ho_pool_exit(&ho_pool_v4);
}

static void init_narrow(struct ho_entry *ent, const struct ho_conn *conn)
{
	ent->raddr = conn->key.raddr.s6_addr32[3];
	ent->laddr = conn->key.laddr.s6_addr32[3];
}

static void init_wide(struct ho_entry_wide *ent, const struct ho_conn *conn)
{
	ent->ent.iif = conn->key.iif ? conn->key.iif : conn->oif;
	ent->ent.iif_in_key = conn->key.iif != 0;
	ent->ent.mark = conn->mark | conn->ct_mark;
	ent->ent.mark_fw = conn->mark != 0;
	ent->ent.mark_ct = conn->ct_mark != 0;
	ent->raddr6 = conn->key.raddr;
	ent->laddr6 = conn->key.laddr;
}

struct ho_entry *ho_entry_alloc(const struct ho_conn *conn)
{
	bool needs_wide = ho_entry_wide(conn);
	struct ho_entry *ent;

	ent = ho_pool_get(pool_of(needs_wide));
	if (!ent)
		return NULL;

	if (needs_wide)
		init_wide(wide(ent), conn);
	else
		init_narrow(ent, conn);
	ent->rport = conn->key.rport;
	ent->lport = conn->key.lport;
	ent->req = conn->req;
	ent->req.wide = needs_wide;
	return ent;
}

void ho_entry_free(struct ho_entry *ent)
{
	ho_pool_put(pool_of(ent->req.wide), ent);
}

static bool is_wide(const struct ho_entry *ent)
{
	/* never changes, but shares a word with what does */
	return data_race((bool)ent->req.wide);
}

static u32 key_iif(const struct ho_entry *ent)
{
	return ent->iif_in_key ? ent->iif : 0;
}

void ho_entry_key(const struct ho_entry *ent, struct ho_key *key)
{
	key->rport = ent->rport;
	key->lport = ent->lport;
	if (is_wide(ent)) {
		key->raddr = wide(ent)->raddr6;
		key->laddr = wide(ent)->laddr6;
		key->iif = key_iif(ent);
	} else {
		ho_key_set_v4(key, ent->raddr, ent->laddr);
		key->iif = 0;
	}
}

void ho_entry_conn(const struct ho_entry *ent, struct ho_conn *conn)
{
	ho_entry_key(ent, &conn->key);
	conn->oif = ent->req.wide ? ent->iif : 0;
	conn->mark = ent->req.wide && ent->mark_fw ? ent->mark : 0;
	conn->ct_mark = ent->req.wide && ent->mark_ct ? ent->mark : 0;
	conn->ts_shift = 0;
	conn->waited_us = 0;
	conn->untimed = false;
	conn->req = ent->req;
}

bool ho_entry_match(const struct ho_entry *ent, const struct ho_key *key)
{
	if (ent->rport != key->rport || ent->lport != key->lport)
		return false;
	if (is_wide(ent))
		return key_iif(ent) == key->iif &&
		       !memcmp(&wide(ent)->raddr6, &key->raddr,
			       sizeof(key->raddr)) &&
		       !memcmp(&wide(ent)->laddr6, &key->laddr,
			       sizeof(key->laddr));
	return ho_key_is_v4(key) && !key->iif &&
	       ent->raddr == key->raddr.s6_addr32[3] &&
	       ent->laddr == key->laddr.s6_addr32[3];
}
