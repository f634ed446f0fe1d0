// SPDX-License-Identifier: GPL-2.0
/*
 * Half-open connections and connection tracking.
 *
 * A SYN that is taken never reaches the end of LOCAL_IN, so the entry that
 * connection tracking has prepared for it is not confirmed and dies with it: a
 * flood leaves nothing there.  Until the client has proven himself, firewall
 * rules see his connection by such unconfirmed entries:
 *
 *  - the SYN-ACK goes out with the SYN's own, as its reply;
 *  - a hook just before connection tracking makes one for each segment that
 *    comes in for a tracked connection of the table.
 *
 * If that segment completes the connection, the hook shows connection tracking
 * the SYN and the SYN-ACK instead.  Then the segment is ESTABLISHED to every
 * rule, and the entry is as if halfopen were not there.
 *
 * This file makes, moves and judges the entries, track_rx.c has the hook, and
 * track_hold.c says while which time there is one.
 */
#include <halfopen/track.h>

#include <net/netfilter/nf_conntrack_extend.h>
#include <net/netfilter/nf_conntrack_labels.h>

#include <halfopen/net.h>
#include <halfopen/replay.h>
#include <halfopen/rx.h>

/* --- SYNs --- */

static bool has_labels(const struct nf_conn *ct)
{
	const struct nf_conn_labels *labels = nf_ct_labels_find(ct);

	return labels && memchr_inv(labels->bits, 0, sizeof(labels->bits));
}

static u32 mark_of(const struct nf_conn *ct)
{
#ifdef CONFIG_NF_CONNTRACK_MARK
	return READ_ONCE(ct->mark);
#else
	return 0;
#endif
}

/* What an entry of ours cannot keep, and what cannot be made again. */
static bool is_special(const struct nf_conn *ct,
		       enum ip_conntrack_info ctinfo)
{
	/* of an expectation, which is used up */
	if (ctinfo != IP_CT_NEW)
		return true;
	if (nf_ct_ext_exist(ct, NF_CT_EXT_HELPER) || has_labels(ct))
		return true;
#ifdef CONFIG_NF_CONNTRACK_TIMEOUT
	if (nf_ct_ext_exist(ct, NF_CT_EXT_TIMEOUT))
		return true;
#endif
#ifdef CONFIG_NF_CONNTRACK_SECMARK
	if (ct->secmark)
		return true;
#endif
	return false;
}

struct nf_conn *ho_track_unconfirmed(const struct sk_buff *skb,
				     enum ip_conntrack_info *ctinfo)
{
	struct nf_conn *ct = nf_ct_get(skb, ctinfo);

	return ct && !nf_ct_is_confirmed(ct) && !nf_ct_is_template(ct) ? ct :
									 NULL;
}

enum ho_decline ho_track_admit(const struct ho_pkt *pkt)
{
	struct ho_track *track = &pkt->hn->track;
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct;

	ct = nf_ct_get(pkt->skb, &ctinfo);
	if (!ct)
		return HO_TAKE;
	if (ct->status & IPS_NAT_MASK)
		return HO_declined_nat;
	/* it has an entry already, and goes on with it as natively */
	if (nf_ct_is_confirmed(ct))
		return HO_TAKE;
	ho_track_seen(track);
	if (is_special(ct, ctinfo) || READ_ONCE(track->counted))
		return HO_declined_conntrack;
	return ho_track_is_hooked(track) ? HO_TAKE : HO_declined_conntrack;
}

void ho_track_note(const struct ho_pkt *pkt, struct ho_conn *conn)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = ho_track_unconfirmed(pkt->skb, &ctinfo);

	if (!ct)
		return;
	conn->req.tracked = 1;
	conn->ct_mark = mark_of(ct);
}

/* --- answers --- */

struct nf_conntrack *ho_track_take(struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = ho_track_unconfirmed(skb, &ctinfo);

	if (!ct)
		return NULL;
	/* with two holders of an unconfirmed one nfqueue drops packets */
	nf_ct_set(skb, NULL, 0);
	return &ct->ct_general;
}

void ho_track_give(struct sk_buff *skb, struct nf_conntrack *ct)
{
	if (ct)
		nf_ct_set(skb, (struct nf_conn *)ct, IP_CT_ESTABLISHED_REPLY);
}

bool ho_track_show(struct ho_net *hn, struct sk_buff *skb, unsigned int hook,
		   struct nf_conn *tmpl)
{
	const struct nf_hook_state state = {
		.hook = hook,
		.pf = skb->protocol == htons(ETH_P_IP) ? NFPROTO_IPV4 :
							 NFPROTO_IPV6,
		.net = hn->net,
	};

	if (tmpl) {
		nf_conntrack_get(&tmpl->ct_general);
		nf_ct_set(skb, tmpl, IP_CT_NEW);
	}
	return hn->track.in(skb, &state) == NF_ACCEPT && skb_nfct(skb);
}

struct sk_buff *ho_track_show_syn(struct ho_net *hn,
				  const struct ho_conn *conn,
				  struct nf_conn *tmpl)
{
	enum ip_conntrack_info ctinfo;
	struct sk_buff *syn;
	struct nf_conn *ct;

	if (!ho_track_is_hooked(&hn->track))
		return NULL;
	syn = ho_replay_syn(conn, NULL);
	if (!syn)
		return NULL;
	if (!ho_track_show(hn, syn, NF_INET_PRE_ROUTING, tmpl)) {
		kfree_skb(syn);
		return NULL;
	}
	ct = ho_track_unconfirmed(syn, &ctinfo);
#ifdef CONFIG_NF_CONNTRACK_MARK
	if (ct)
		ct->mark = conn->ct_mark;
#endif
	return syn;
}

struct nf_conntrack *ho_track_make(struct ho_net *hn,
				   const struct ho_conn *conn,
				   struct nf_conn *tmpl)
{
	struct sk_buff *syn = ho_track_show_syn(hn, conn, tmpl);
	struct nf_conntrack *ct;

	if (!syn)
		return NULL;
	ct = ho_track_take(syn);
	consume_skb(syn);
	return ct;
}
