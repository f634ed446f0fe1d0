// SPDX-License-Identifier: GPL-2.0
/* Which SYNs are taken and which go the native way; who has to leave early. */
#include <halfopen/admit.h>

#include <linux/minmax.h>

/* What can be left out of the answer. */
static enum ho_decline admit_optional(u32 traits, const struct ho_seg *seg)
{
	u16 seen = seg->opts.seen;

	if (traits & HO_TRAIT_MPTCP && seen & HO_OPT_MPTCP)
		return HO_declined_mptcp;
	if (traits & HO_TRAIT_SMC && seen & HO_OPT_SMC)
		return HO_declined_smc;
	if (traits & HO_TRAIT_FASTOPEN &&
	    (seen & HO_OPT_FASTOPEN || seg->data_len))
		return HO_declined_fastopen;
	if (traits & HO_TRAIT_BPF)
		return HO_declined_bpf;
	if (traits & HO_TRAIT_SAVE_SYN)
		return HO_declined_save_syn;
	if (traits & HO_TRAIT_FLOWLABEL)
		return HO_declined_flowlabel;
	return HO_TAKE;
}

static enum ho_decline admit_options(const struct ho_listener *lsn,
				     const struct ho_seg *seg)
{
	if (lsn->traits & HO_TRAIT_AUTH ||
	    seg->opts.seen & (HO_OPT_MD5 | HO_OPT_AO))
		return HO_declined_auth;
	if (seg->ip_options)
		return lsn->synq_full ? HO_declined_budget :
					HO_declined_ip_options;
	return lsn->synq_full ? HO_TAKE : admit_optional(lsn->traits, seg);
}

/* Replies go out where the SYN came in, or wherever the route says. */
static bool admit_device(const struct ho_listener *lsn,
			 const struct ho_key *key)
{
	if (key->iif)
		return lsn->oif == key->iif;
	return !lsn->oif || (lsn->oif == lsn->dif && lsn->oif <= HO_IIF_MAX);
}

enum ho_decline ho_admit_listener(const struct ho_listener *lsn,
				  const struct ho_key *key,
				  const struct ho_seg *seg, u8 ttl)
{
	enum ho_decline why;

	if (ttl < lsn->min_ttl)
		return HO_declined_ttl;
	why = admit_options(lsn, seg);
	if (why != HO_TAKE)
		return why;
	if (!admit_device(lsn, key))
		return HO_declined_device;
	if (lsn->acceptq_full)
		return HO_declined_acceptq;
	return HO_TAKE;
}

unsigned int ho_admit_retries(u32 entries, u32 young, u32 max_entries,
			      unsigned int retries)
{
	u32 room = max_t(u32, max_entries, HO_PRESSURE_MIN_ENTRIES);
	u64 weight = (u64)young * 2;

	if ((u64)entries * 2 <= room)
		return retries;

	while (retries > HO_RETRIES_PRESSURE_MIN && entries >= weight) {
		retries--;
		weight *= 2;
	}
	return retries;
}
