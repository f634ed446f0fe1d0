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
 * nf_conntrack is neither needed nor pulled in nor pinned for ever: a namespace
 * holds two of its functions, and has that hook, from its first tracked SYN
 * (which goes the native way) until none came for as long as a half-open
 * connection may live.
 */
#include <halfopen/track.h>

#include <linux/module.h>
#include <linux/timekeeping.h>
#include <net/addrconf.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_count.h>
#include <net/netfilter/nf_conntrack_extend.h>
#include <net/netfilter/nf_conntrack_labels.h>
#include <net/route.h>

#include <halfopen/hook.h>
#include <halfopen/icmp.h>
#include <halfopen/net.h>
#include <halfopen/replay.h>
#include <halfopen/rto.h>
#include <halfopen/rx.h>
#include <halfopen/stateless.h>
#include <halfopen/synrecv.h>
#include <halfopen/sysctl.h>

/* --- beginning and ending --- */

static struct ho_net *net_of(struct ho_track *track)
{
	return container_of(track, struct ho_net, track);
}

static void let_go(struct ho_track *track)
{
	if (!track->held)
		return;
	symbol_put(nf_conntrack_in);
	symbol_put(__nf_conntrack_confirm);
	track->held = false;
}

static void hold(struct ho_track *track)
{
	track->in = symbol_get(nf_conntrack_in);
	if (!track->in)
		return;
	track->confirm = symbol_get(__nf_conntrack_confirm);
	if (!track->confirm)
		symbol_put(nf_conntrack_in);
	else
		track->held = true;
}

static void begin(struct ho_track *track)
{
	hold(track);
	if (!track->held)
		return;
	if (ho_hook_track_init(net_of(track)->net)) {
		let_go(track);
		return;
	}
	/* after the functions; pairs with is_hooked() */
	smp_store_release(&track->hooked, true);
}

static void end(struct ho_track *track)
{
	if (!track->hooked)
		return;
	WRITE_ONCE(track->hooked, false);
	ho_hook_track_exit(net_of(track)->net);
}

static bool is_hooked(const struct ho_track *track)
{
	/* before the functions; pairs with begin() */
	return smp_load_acquire(&track->hooked);
}

/* Nobody who was tracked is still half-open, but for a high TCP_SYNCNT. */
static bool is_idle(struct ho_track *track)
{
	const struct ho_table_cfg *cfg = &net_of(track)->tbl.cfg;
	u32 life_ms = ho_rto_lifetime_ms(READ_ONCE(cfg->rto_init_ms),
					 READ_ONCE(cfg->rto_max_ms),
					 READ_ONCE(cfg->retries));

	life_ms = max_t(u32, life_ms, HO_COOKIE_AGE_MAX_MS);
	return (u32)ktime_get_seconds() - READ_ONCE(track->seen_s) >
	       life_ms / MSEC_PER_SEC;
}

/*
 * Rules that count connections (ct count) forget a SYN without an entry, and
 * look at no other segment: with them the stack has to have the SYN.
 */
static bool is_counted(void)
{
	if (!symbol_get(nf_conncount_init))
		return false;
	symbol_put(nf_conncount_init);
	return true;
}

static void work_fn(struct work_struct *work)
{
	struct ho_track *track = container_of(to_delayed_work(work),
					      struct ho_track, work);

	mutex_lock(&track->lock);
	if (track->stopped) {
		mutex_unlock(&track->lock);
		return;
	}
	WRITE_ONCE(track->counted, is_counted());
	if (!track->hooked) {
		begin(track);
	} else if (is_idle(track)) {
		end(track);
		synchronize_net();
		let_go(track);
	}
	if (track->hooked)
		schedule_delayed_work(&track->work, HO_TRACK_LOOK_S * HZ);
	mutex_unlock(&track->lock);
}

void ho_track_net_init(struct ho_net *hn)
{
	struct ho_track *track = &hn->track;

	memset(track, 0, sizeof(*track));
	mutex_init(&track->lock);
	INIT_DELAYED_WORK(&track->work, work_fn);
}

void ho_track_net_stop(struct ho_net *hn)
{
	struct ho_track *track = &hn->track;

	mutex_lock(&track->lock);
	track->stopped = true;
	end(track);
	mutex_unlock(&track->lock);
}

void ho_track_net_exit(struct ho_net *hn)
{
	cancel_delayed_work_sync(&hn->track.work);
	let_go(&hn->track);
}

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

static void see(struct ho_track *track)
{
	u32 now_s = ktime_get_seconds();

	if (READ_ONCE(track->seen_s) != now_s)
		WRITE_ONCE(track->seen_s, now_s);
	if (!is_hooked(track))
		schedule_delayed_work(&track->work, 0);
}

/* The entry of a packet, if it is not known to connection tracking yet. */
static struct nf_conn *unconfirmed(const struct sk_buff *skb,
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
	see(track);
	if (is_special(ct, ctinfo) || READ_ONCE(track->counted))
		return HO_declined_conntrack;
	return is_hooked(track) ? HO_TAKE : HO_declined_conntrack;
}

void ho_track_note(const struct ho_pkt *pkt, struct ho_conn *conn)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = unconfirmed(pkt->skb, &ctinfo);

	if (!ct)
		return;
	conn->req.tracked = 1;
	conn->ct_mark = mark_of(ct);
}

/* --- answers --- */

struct nf_conntrack *ho_track_take(struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = unconfirmed(skb, &ctinfo);

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

/*
 * Show connection tracking a packet.  @tmpl is what rules of the raw table
 * chose for the segment that we have (zone, helper), or NULL.
 */
static bool show(struct ho_net *hn, struct sk_buff *skb, unsigned int hook,
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

/* The SYN, with an entry that is new or there already. */
static struct sk_buff *show_syn(struct ho_net *hn, const struct ho_conn *conn,
				struct nf_conn *tmpl)
{
	enum ip_conntrack_info ctinfo;
	struct sk_buff *syn;
	struct nf_conn *ct;

	if (!is_hooked(&hn->track))
		return NULL;
	syn = ho_replay_syn(conn);
	if (!syn)
		return NULL;
	if (!show(hn, syn, NF_INET_PRE_ROUTING, tmpl)) {
		kfree_skb(syn);
		return NULL;
	}
	ct = unconfirmed(syn, &ctinfo);
#ifdef CONFIG_NF_CONNTRACK_MARK
	if (ct)
		ct->mark = conn->ct_mark;
#endif
	return syn;
}

struct nf_conntrack *ho_track_make(struct ho_net *hn,
				   const struct ho_conn *conn)
{
	struct sk_buff *syn = show_syn(hn, conn, NULL);
	struct nf_conntrack *ct;

	if (!syn)
		return NULL;
	ct = ho_track_take(syn);
	consume_skb(syn);
	return ct;
}

/* --- segments --- */

/* Let a packet pass as part of a connection, or as related to it. */
static void attach(struct ho_net *hn, struct sk_buff *skb,
		   const struct ho_conn *conn, struct nf_conn *tmpl,
		   enum ip_conntrack_info ctinfo)
{
	struct sk_buff *syn = show_syn(hn, conn, tmpl);
	struct nf_conntrack *ct;

	if (!syn)
		return;
	ct = ho_track_take(syn);
	consume_skb(syn);
	if (!ct)
		return;
	if (tmpl)
		nf_conntrack_put(&tmpl->ct_general);
	nf_ct_set(skb, (struct nf_conn *)ct, ctinfo);
}

/*
 * What connection tracking would call invalid by its own account of sequence
 * numbers.  It would take a segment without an entry for the middle of a
 * connection, so this one gets an entry that is dying, until that has passed.
 */
static void attach_invalid(const struct ho_pkt *pkt,
			   const struct ho_conn *conn, struct nf_conn *tmpl)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct;

	attach(pkt->hn, pkt->skb, conn, tmpl, IP_CT_ESTABLISHED);
	ct = unconfirmed(pkt->skb, &ctinfo);
	if (ct)
		set_bit(IPS_DYING_BIT, &ct->status);
}

void ho_track_judge(struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = unconfirmed(skb, &ctinfo);

	if (ct && nf_ct_is_dying(ct))
		nf_conntrack_put(ho_track_take(skb));
}

/* Make a connection known whose client has proven himself. */
static bool make_known(struct ho_net *hn, const struct ho_conn *conn,
		       struct nf_conn *tmpl)
{
	struct sk_buff *syn = show_syn(hn, conn, tmpl);
	enum ip_conntrack_info ctinfo;
	struct sk_buff *synack;
	bool done = false;

	if (!syn)
		return false;
	/* a segment of it was faster */
	if (!unconfirmed(syn, &ctinfo)) {
		consume_skb(syn);
		return true;
	}
	if (hn->track.confirm(syn) == NF_ACCEPT) {
		synack = ho_replay_synack(conn);
		done = synack && show(hn, synack, NF_INET_LOCAL_OUT, tmpl);
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
	bool cookie;

	if (!is_open(skb, &tmpl) || !ho_rx_parse(&pkt))
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
	if (!ho_table_find_rcu(&hn->tbl, &pkt.key, pkt.hash)) {
		if (cookie && ho_rx_checksum_ok(&pkt)) {
			ho_rx_parse_options(&pkt);
			rx_cookie(&pkt, tmpl);
		}
		return;
	}
	if (!ho_rx_checksum_ok(&pkt))
		return;
	ho_rx_parse_options(&pkt);
	rx_entry(&pkt, tmpl);
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

	if (unconfirmed(skb, &ctinfo) && ctinfo == IP_CT_RELATED)
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
	    !ho_icmp_parse(skb, state->pf, &err) ||
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
