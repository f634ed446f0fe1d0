// SPDX-License-Identifier: GPL-2.0
/* Packets on their way in, just before and after connection tracking. */
#include <halfopen/track_rx.h>

#include <net/addrconf.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>

#include <halfopen/icmp.h>
#include <halfopen/net.h>
#include <halfopen/replay.h>
#include <halfopen/rx.h>
#include <halfopen/stateless.h>
#include <halfopen/synrecv.h>
#include <halfopen/sysctl.h>
#include <halfopen/track.h>

/* Let a packet pass as part of a connection, or as related to it. */
static struct nf_conntrack *attach(struct ho_net *hn, struct sk_buff *skb,
				   const struct ho_conn *conn,
				   struct nf_conn *tmpl,
				   enum ip_conntrack_info ctinfo)
{
	struct nf_conntrack *ct = ho_track_make(hn, conn, tmpl);

	if (!ct)
		return NULL;
	if (tmpl)
		nf_conntrack_put(&tmpl->ct_general);
	nf_ct_set(skb, (struct nf_conn *)ct, ctinfo);
	return ct;
}

/*
 * What connection tracking would call invalid by its own account of sequence
 * numbers.  It would take a segment without an entry for the middle of a
 * connection, so this one gets an entry that is dying, until that has passed.
 */
static void attach_invalid(const struct ho_pkt *pkt,
			   const struct ho_conn *conn, struct nf_conn *tmpl)
{
	struct nf_conntrack *ct = attach(pkt->hn, pkt->skb, conn, tmpl,
					 IP_CT_ESTABLISHED);

	if (ct)
		set_bit(IPS_DYING_BIT, &((struct nf_conn *)ct)->status);
}

void ho_track_judge(struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = ho_track_unconfirmed(skb, &ctinfo);

	if (ct && nf_ct_is_dying(ct))
		nf_conntrack_put(ho_track_take(skb));
}

/* Make a connection known whose client has proven himself. */
static bool make_known(struct ho_net *hn, const struct ho_conn *conn,
		       struct nf_conn *tmpl)
{
	struct sk_buff *syn = ho_track_show_syn(hn, conn, tmpl);
	enum ip_conntrack_info ctinfo;
	struct sk_buff *synack;
	bool done = false;

	if (!syn)
		return false;
	/* a segment of it was faster */
	if (!ho_track_unconfirmed(syn, &ctinfo)) {
		consume_skb(syn);
		return true;
	}
	if (hn->track.confirm(syn) == NF_ACCEPT) {
		synack = ho_replay_synack(conn);
		done = synack &&
		       ho_track_show(hn, synack, NF_INET_LOCAL_OUT, tmpl);
		consume_skb(synack);
	}
	consume_skb(syn);
	return done;
}

static void introduce(const struct ho_pkt *pkt, const struct ho_conn *conn,
		      struct nf_conn *tmpl)
{
	bool done = make_known(pkt->hn, conn, tmpl);

	ho_stat_inc(pkt->hn, done ? HO_STAT_tracked : HO_STAT_track_failed);
}

static void show_segment(const struct ho_pkt *pkt, struct ho_entry *ent,
			 const struct ho_conn *conn, struct nf_conn *tmpl)
{
	switch (ho_synrecv_classify(pkt, &ent->req)) {
	case HO_EV_COMPLETE:
		introduce(pkt, conn, tmpl);
		ent->req.tracked = 0;
		break;
	case HO_EV_BAD_ACK:
	case HO_EV_OUT_OF_WINDOW:
	case HO_EV_OUT_OF_WINDOW_RST:
	case HO_EV_NO_ACK:
		attach_invalid(pkt, conn, tmpl);
		break;
	default:
		attach(pkt->hn, pkt->skb, conn, tmpl, IP_CT_ESTABLISHED);
	}
}

/* There was an entry of its key. */
static void rx_entry(const struct ho_pkt *pkt, struct nf_conn *tmpl)
{
	struct ho_bucket *bkt;
	struct ho_entry *ent;
	struct ho_conn conn;

	bkt = ho_table_lock(&pkt->hn->tbl, pkt->hash);
	ent = ho_table_find_locked(bkt, &pkt->key);
	if (ent && ent->req.tracked) {
		ho_entry_conn(ent, &conn);
		show_segment(pkt, ent, &conn, tmpl);
	}
	ho_table_unlock(bkt);
}

/* A wildcard listener would match what is only passing through. */
static bool is_local(const struct ho_pkt *pkt)
{
	struct net *net = pkt->hn->net;

	if (pkt->family == NFPROTO_IPV4)
		return inet_addr_type_dev_table(net, pkt->skb->dev,
						ip_hdr(pkt->skb)->daddr) ==
		       RTN_LOCAL;
	return ipv6_chk_addr(net, &pkt->key.laddr, NULL, 0);
}

/* There is none, but the ACK may carry a cookie. */
static void rx_cookie(const struct ho_pkt *pkt, struct nf_conn *tmpl)
{
	struct ho_bucket *bkt;
	struct ho_conn conn;
	struct sock *lsk;

	if (!is_local(pkt) || ho_rx_has_socket(pkt) ||
	    !ho_stateless_read(pkt, &conn))
		return;
	lsk = ho_rx_listener(pkt);
	if (!lsk || !ho_stateless_recall(pkt, lsk, &conn))
		return;
	bkt = ho_table_lock_new(&pkt->hn->tbl, pkt->hash);
	if (!bkt)
		return;
	introduce(pkt, &conn, tmpl);
	ho_table_unlock(bkt);
}

/* The VRF that a packet will belong to, while it is still its device's. */
static int vrf_to_be(const struct net_device *dev)
{
	int master = l3mdev_master_ifindex_rcu(dev);

	return master == dev->ifindex ? 0 : master;
}

/* May halfopen still tell connection tracking what a packet belongs to? */
static bool is_open(const struct sk_buff *skb, struct nf_conn **tmpl)
{
	enum ip_conntrack_info ctinfo;

	*tmpl = nf_ct_get(skb, &ctinfo);
	return *tmpl ? nf_ct_is_template(*tmpl) : ctinfo != IP_CT_UNTRACKED;
}

void ho_track_rx(struct ho_net *hn, struct sk_buff *skb,
		 const struct nf_hook_state *state)
{
	struct ho_pkt pkt = { .hn = hn, .skb = skb, .family = state->pf };
	int vrf = vrf_to_be(state->in);
	struct nf_conn *tmpl;
	bool cookie, known;

	if (skb->pkt_type != PACKET_HOST || !is_open(skb, &tmpl) ||
	    !ho_rx_parse(&pkt))
		return;
	if (vrf) {
		pkt.ifs = (struct ho_ifs) { .dif = vrf, .sdif = pkt.ifs.dif };
		if (!pkt.key.iif)
			pkt.key.iif = vrf;
	}
	cookie = ho_stateless_expects(&pkt);
	if (!cookie && !ho_budget_upper(&hn->tbl.entries))
		return;

	pkt.hash = ho_table_hash(&hn->tbl, &pkt.key);
	known = ho_table_find_rcu(&hn->tbl, &pkt.key, pkt.hash);
	if ((!known && !cookie) || !ho_rx_checksum_ok(&pkt) ||
	    !ho_rx_parse_options(&pkt))
		return;
	if (known)
		rx_entry(&pkt, tmpl);
	else
		rx_cookie(&pkt, tmpl);
}

/* We sent what it is about: it is for the same address. */
static bool is_for_sender(const struct sk_buff *skb, u8 family,
			  const struct ho_icmp *err)
{
	if (family == NFPROTO_IPV4)
		return ip_hdr(skb)->daddr == err->key.laddr.s6_addr32[3];
	return ipv6_addr_equal(&ipv6_hdr(skb)->daddr, &err->key.laddr);
}

void ho_track_icmp_done(struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;

	if (ho_track_unconfirmed(skb, &ctinfo) && ctinfo == IP_CT_RELATED)
		nf_conntrack_put(ho_track_take(skb));
}

void ho_track_icmp(struct ho_net *hn, struct sk_buff *skb,
		   const struct nf_hook_state *state)
{
	int vrf = vrf_to_be(state->in);
	struct nf_conn *tmpl;
	struct ho_bucket *bkt;
	struct ho_entry *ent;
	struct ho_icmp err;
	struct ho_conn conn;

	if (!ho_budget_upper(&hn->tbl.entries) || !is_open(skb, &tmpl) ||
	    !ho_icmp_parse(hn->net, skb, state->pf, &err) ||
	    !is_for_sender(skb, state->pf, &err))
		return;
	if (vrf && !err.key.iif)
		err.key.iif = vrf;
	bkt = ho_table_lock(&hn->tbl, ho_table_hash(&hn->tbl, &err.key));
	if (!bkt)
		return;
	ent = ho_table_find_locked(bkt, &err.key);
	if (ent && ent->req.tracked) {
		ho_entry_conn(ent, &conn);
		attach(hn, skb, &conn, tmpl, IP_CT_RELATED);
	}
	ho_table_unlock(bkt);
}
