// SPDX-License-Identifier: GPL-2.0
/*
 * What halfopen sends: SYN-ACKs, ACKs and RSTs, down to the TCP header.
 * Addresses, routes and network headers are in tx_v4.c and tx_v6.c.
 */
#include <halfopen/tx.h>

#include <net/ip.h>
#include <net/tcp.h>

#include <halfopen/compat.h>
#include <halfopen/cookie.h>
#include <halfopen/key.h>
#include <halfopen/opts.h>
#include <halfopen/recycle.h>
#include <halfopen/sysctl.h>
#include <halfopen/track.h>

/* ip6_xmit() gets other memory where this option would not fit, too. */
enum {
	JUMBO_LEN	= 8,
};

/* From the monotonic clock to the time of day, once and for all. */
static u32 ho_epoch_ms __ro_after_init;

void __init ho_tx_init(void)
{
	ho_epoch_ms = ktime_to_ms(ktime_sub(ktime_get_real(), ktime_get()));
}

u32 ho_tx_clock_ms(u64 now_ns)
{
	return (u32)div_u64(now_ns, NSEC_PER_MSEC) + ho_epoch_ms;
}

u32 ho_tx_ts_off_of(const struct ho_conn *conn, u64 hash,
		    const struct ho_cookie_key *key)
{
	u32 base;

	if (!conn->req.ts_rand)
		return 0;
	base = ho_keyring_ts_base(key, &conn->key, hash);
	return ho_cookie_ts_off(&conn->key, &conn->req, base) + ho_epoch_ms +
	       conn->ts_shift;
}

u32 ho_tx_ts_off(struct ho_net *hn, const struct ho_conn *conn, u64 hash)
{
	struct ho_clocks now = ho_clocks_now();
	struct ho_cookie_key key;

	ho_keyring_current(&hn->keys, &now, &key);
	return ho_tx_ts_off_of(conn, hash, &key);
}

void ho_tx_follow_clock(struct ho_net *hn, struct ho_conn *conn, u64 hash,
			const struct ho_opts *opts)
{
	struct ho_clocks now = ho_clocks_now();
	u32 ours;

	if (!conn->req.ts_rand || !(opts->seen & HO_OPT_TS) ||
	    !ho_keyring_changed(&hn->keys, &now, HO_LIFETIME_MAX_S))
		return;
	ours = (u32)div_u64(ktime_get_ns(), NSEC_PER_MSEC) +
	       ho_tx_ts_off(hn, conn, hash);
	/* it would seem to come from the future, or from before the SYN */
	if (ours - opts->tsecr > HO_LIFETIME_MAX_S * MSEC_PER_SEC)
		conn->ts_shift = opts->tsecr - ours;
}

u32 ho_tx_hash(const struct sock *lsk, const struct ho_conn *conn, u64 hash)
{
	/* the half that chooses no bucket */
	u32 txhash = hash >> 32;

	if (READ_ONCE(lsk->sk_txrehash) == SOCK_TXREHASH_ENABLED)
		txhash += conn->req.retrans * GOLDEN_RATIO_32;
	return txhash ? txhash : 1;
}

int ho_tx_route(struct ho_net *hn, const struct sock *lsk,
		const struct ho_conn *conn, u64 hash,
		const struct sk_buff *skb, struct ho_path *path)
{
	int err;

	path->ct = NULL;
	path->skb = NULL;
	path->txhash = ho_tx_hash(lsk, conn, hash);
	err = ho_key_is_v4(&conn->key) ?
	      ho_tx_v4_route(hn->net, lsk, conn, skb, path) :
	      ho_tx_v6_route(hn->net, lsk, conn, path);
	if (!err)
		path->mss = tcp_mss_clamp(tcp_sk(lsk),
					  tcp_dst_advmss(path->dst));
	return err;
}

void ho_tx_no_route(struct net *net, const struct ho_conn *conn)
{
	if (ho_key_is_v4(&conn->key))
		IP_INC_STATS(net, IPSTATS_MIB_OUTNOROUTES);
}

void ho_tx_release(struct ho_path *path)
{
	dst_release(path->dst);
	nf_conntrack_put(path->ct);
}

/* TCP_TX_DELAY */
static u64 tx_delay_ns(const struct sock *lsk)
{
	return (u64)READ_ONCE(tcp_sk(lsk)->tcp_tx_delay) * NSEC_PER_USEC;
}

static u32 tsval(u32 ts_off, u64 now_ns)
{
	return (u32)div_u64(now_ns, NSEC_PER_MSEC) + ts_off;
}

static struct sk_buff *alloc_empty(void)
{
	struct sk_buff *nskb;

	nskb = alloc_skb(MAX_TCP_HEADER, GFP_ATOMIC | __GFP_NOWARN);
	if (nskb)
		skb_reserve(nskb, MAX_TCP_HEADER);
	return nskb;
}

/* The one that is answered, if it will do; it is used up. */
static struct sk_buff *take_empty(struct ho_path *path, unsigned int len)
{
	struct sk_buff *skb = path->skb;
	unsigned int room = LL_RESERVED_SPACE(path->dst->dev) +
			    path->dst->header_len + len;

	path->skb = NULL;
	if (!skb)
		return alloc_empty();
	if (ho_recycle(skb, room))
		return skb;
	consume_skb(skb);
	return alloc_empty();
}

/* An empty TCP header for @key's client, with room for the rest before it. */
static struct tcphdr *push_header(struct sk_buff *nskb,
				  const struct ho_key *key, unsigned int len,
				  u8 flags)
{
	struct tcphdr *th = skb_push(nskb, len);

	skb_reset_transport_header(nskb);
	memset(th, 0, sizeof(*th));
	th->source = key->lport;
	th->dest = key->rport;
	th->doff = len / 4;
	tcp_flag_byte(th) = flags;
	return th;
}

int ho_tx_synack(struct ho_net *hn, const struct sock *lsk,
		 const struct ho_conn *conn, struct ho_path *path, u64 now_ns)
{
	const struct ho_req *req = &conn->req;
	u8 flags = HO_TCP_SYN | HO_TCP_ACK;
	unsigned int len = sizeof(struct tcphdr) + ho_opts_synack_len(req);
	struct sk_buff *nskb;
	struct tcphdr *th;
	int err;

	nskb = take_empty(path, len + (ho_key_is_v4(&conn->key) ?
				       sizeof(struct iphdr) :
				       sizeof(struct ipv6hdr) + JUMBO_LEN));
	if (!nskb) {
		ho_tx_release(path);
		return -ENOMEM;
	}
	if (req->ecn_ok && ho_ece_lasts(req->timeouts))
		flags |= HO_TCP_ECE;
	th = push_header(nskb, &conn->key, len, flags);
	th->seq = htonl(req->snt_isn);
	th->ack_seq = htonl(req->rcv_isn + 1);
	th->window = htons(req->win);
	ho_opts_emit_synack((u8 *)(th + 1), req, path->mss,
			    tsval(path->ts_off, now_ns));

	skb_dst_set(nskb, path->dst);
	ho_track_give(nskb, path->ct);
	skb_set_hash(nskb, path->txhash, PKT_HASH_TYPE_L4);
	nskb->mark = conn->mark;
	/* now, or later with TCP_TX_DELAY: what fq goes by */
	skb_set_delivery_time(nskb, now_ns + tx_delay_ns(lsk), true);
	TCP_INC_STATS(hn->net, TCP_MIB_OUTSEGS);

	err = ho_key_is_v4(&conn->key) ?
	      ho_tx_v4_synack(hn->net, lsk, conn, path, nskb) :
	      ho_tx_v6_synack(hn->net, lsk, conn, path, nskb);
	return net_xmit_eval(err);
}

static void send_reply(struct ho_net *hn, const struct sock *lsk,
		       const struct ho_conn *conn, struct sk_buff *skb,
		       const struct ho_reply *reply)
{
	unsigned int len = sizeof(struct tcphdr) +
			   (reply->timestamps ? HO_OPTS_TS_LEN : 0);
	struct sk_buff *nskb = alloc_empty();
	struct tcphdr *th;
	int err;

	if (!nskb)
		return;
	th = push_header(nskb, &conn->key, len, reply->flags);
	th->seq = htonl(reply->seq);
	th->ack_seq = htonl(reply->ack);
	th->window = htons(reply->win);
	if (reply->timestamps)
		ho_opts_emit_ts((u8 *)(th + 1), reply->tsval, reply->tsecr);
	if (reply->txhash)
		skb_set_hash(nskb, reply->txhash, PKT_HASH_TYPE_L4);
	ho_track_give(nskb, ho_track_take(skb));
	if (tx_delay_ns(lsk))
		skb_set_delivery_time(nskb, ktime_get_ns() + tx_delay_ns(lsk),
				      true);

	err = ho_key_is_v4(&conn->key) ?
	      ho_tx_v4_reply(hn->net, lsk, reply->oif, skb, nskb) :
	      ho_tx_v6_reply(hn->net, lsk, reply->oif, skb, nskb);
	/* as natively: IPv4 counts what it could not send, too */
	if (err < 0 && !ho_key_is_v4(&conn->key))
		return;
	TCP_INC_STATS(hn->net, TCP_MIB_OUTSEGS);
	if (reply->flags & HO_TCP_RST)
		TCP_INC_STATS(hn->net, TCP_MIB_OUTRSTS);
}

void ho_tx_ack(struct ho_net *hn, const struct sock *lsk,
	       const struct ho_conn *conn, struct sk_buff *skb)
{
	const struct ho_req *req = &conn->req;
	u64 hash = ho_table_hash(&hn->tbl, &conn->key);
	const struct ho_reply reply = {
		.seq = req->snt_isn + 1,
		.ack = req->rcv_isn + 1,
		.win = req->win >> req->rcv_wscale,
		.flags = HO_TCP_ACK,
		/*
		 * the stack leaves the option out when there is nothing to echo
		 */
		.timestamps = req->ts_recent,
		.tsval = tsval(ho_tx_ts_off(hn, conn, hash), ktime_get_ns()),
		.tsecr = req->ts_recent,
		.oif = READ_ONCE(lsk->sk_bound_dev_if),
		.txhash = ho_tx_hash(lsk, conn, hash),
	};

	send_reply(hn, lsk, conn, skb, &reply);
}

void ho_tx_reset(struct ho_net *hn, const struct sock *lsk,
		 const struct ho_conn *conn, struct sk_buff *skb,
		 const struct ho_seg *seg)
{
	bool ack = seg->flags & HO_TCP_ACK;
	const struct ho_reply reply = {
		.seq = ack ? seg->ack : 0,
		.ack = ack ? 0 : seg->end_seq,
		.flags = HO_TCP_RST | (ack ? 0 : HO_TCP_ACK),
		.oif = READ_ONCE(lsk->sk_bound_dev_if),
	};

	send_reply(hn, lsk, conn, skb, &reply);
}
