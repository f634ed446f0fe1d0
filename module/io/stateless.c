// SPDX-License-Identifier: GPL-2.0
/*
 * Connections without an entry: the ISN remembers them.
 *
 * A SYN that finds no room is answered all the same.  Every ISN is a cookie
 * (cookie.c), so the ACK brings back what the SYN said; the connection is made
 * of it and handed over like any other.  What is lost: the SYN-ACK is sent
 * once; without timestamps there is no ECN; and a segment that overtakes both
 * the ACK and the first data is nobody's, so the stack resets its sender.
 *
 * The bucket lock is held for the handover although there is no entry: two
 * segments of one connection must not both make a request.
 */
#include <halfopen/stateless.h>

#include <net/tcp.h>

#include <halfopen/cookie.h>
#include <halfopen/handover.h>
#include <halfopen/offer.h>
#include <halfopen/synack.h>
#include <halfopen/synrecv.h>
#include <halfopen/sysctl.h>
#include <halfopen/timer.h>
#include <halfopen/trace.h>

static enum ho_stat stat_of(enum ho_full full)
{
	switch (full) {
	case HO_FULL_SOURCE:
		return HO_STAT_cookie_source;
	case HO_FULL_PORT:
		return HO_STAT_cookie_port;
	case HO_FULL_BACKLOG:
		return HO_STAT_cookie_backlog;
	case HO_FULL_CHAIN:
		return HO_STAT_cookie_chain;
	case HO_FULL_MEMORY:
	case HO_FULL_NOT:
		break;
	}
	return HO_STAT_cookie_memory;
}

void ho_stateless_answer(const struct ho_pkt *pkt, const struct sock *lsk,
			 struct ho_port *port, const struct ho_conn *conn,
			 struct ho_path *path, enum ho_full full, u64 now_ns)
{
	struct ho_net *hn = pkt->hn;

	/* before the ACK can be here */
	ho_port_needs_cookies(port, ho_clock_ms());
	ho_stat_inc(hn, stat_of(full));
	if (ho_tx_synack(hn, lsk, conn, path, now_ns) < 0) {
		ho_stat_inc(hn, HO_STAT_synack_error);
		return;
	}
	trace_ho_cookie(hn->net, &conn->key, full);
	ho_stat_inc(hn, HO_STAT_cookie_sent);
	NET_INC_STATS(hn->net, LINUX_MIB_SYNCOOKIESSENT);
	NET_INC_STATS(hn->net, LINUX_MIB_TCPREQQFULLDOCOOKIES);
}

bool ho_stateless_expects(const struct ho_pkt *pkt)
{
	const struct ho_ports *ports = &pkt->hn->tbl.ports;

	return (pkt->seg.flags & (HO_TCP_SYN | HO_TCP_RST | HO_TCP_ACK)) ==
	       HO_TCP_ACK &&
	       (ho_port_believes(ho_port_find(ports, pkt->key.lport),
				 ho_clock_ms()) ||
		ho_keyring_shared(&pkt->hn->keys));
}

/*
 * The echo of our timestamp has the rest, and when the SYN-ACK left.  If it is
 * not ours, or from a clock ahead of ours, the connection's clock goes on from
 * what the client has seen.
 */
static void read_timestamp(const struct ho_pkt *pkt, struct ho_conn *conn,
			   const struct ho_cookie_key *key, u64 now_ns)
{
	struct ho_req *req = &conn->req;
	u32 clock_ms = (u32)div_u64(now_ns, NSEC_PER_MSEC);
	u32 tsecr = pkt->seg.opts.tsecr;
	s32 age_ms = 0;
	u32 base;

	req->ts_recent = pkt->seg.opts.tsval;
	if (!req->ts_rand)
		return;
	base = ho_keyring_ts_base(key, &conn->key, pkt->hash);
	if (ho_cookie_ts_read(&conn->key, req, tsecr, ho_tx_clock_ms(now_ns),
			      base, &age_ms) && age_ms >= 0) {
		conn->untimed = false;
		req->snt_us -= (u32)age_ms * USEC_PER_MSEC;
	} else {
		age_ms = 0;
	}
	conn->ts_shift = tsecr + age_ms - clock_ms -
			 ho_tx_ts_off(pkt->hn, conn, pkt->hash);
}

bool ho_stateless_read(const struct ho_pkt *pkt, struct ho_conn *conn)
{
	struct ho_cookie_key keys[HO_COOKIE_KEYS];
	struct ho_clocks now = ho_clocks_now();
	struct ho_req *req = &conn->req;
	u64 now_ns = ktime_get_ns();
	unsigned int i, nr;

	memset(conn, 0, sizeof(*conn));
	conn->key = pkt->key;
	conn->untimed = true;
	nr = ho_keyring_valid(&pkt->hn->keys, &now, keys);
	for (i = 0; i < nr; i++)
		if (ho_cookie_check(&pkt->key, pkt->seg.seq - 1,
				    pkt->seg.ack - 1, &keys[i].mac, req))
			break;
	if (i == nr)
		return false;
	req->snt_us = (u32)div_u64(now_ns, NSEC_PER_USEC);
	req->tstamp_ok = ho_sysctl_timestamps(pkt->hn) &&
			 pkt->seg.opts.seen & HO_OPT_TS;
	req->ts_rand = ho_sysctl_timestamps(pkt->hn) == 1 && req->tstamp_ok;
	if (req->tstamp_ok)
		read_timestamp(pkt, conn, &keys[i], now_ns);
	return true;
}

bool ho_stateless_recall(const struct ho_pkt *pkt, const struct sock *lsk,
			 struct ho_conn *conn)
{
	struct ho_listener lsn;
	struct ho_path path;

	ho_listener_read(lsk, &pkt->key, &pkt->ifs, pkt->skb, &lsn);
	/* the SYN was taken: what can be left out was not asked for */
	lsn.synq_full = true;
	/* whether there is room to accept is asked where it matters */
	lsn.acceptq_full = false;
	if (ho_admit_listener(&lsn, &pkt->key, &pkt->seg, pkt->ttl) != HO_TAKE)
		return false;
	if (ho_offer_path(pkt, lsk, lsn.oif, conn, &path) != HO_OFFER_WAY)
		return false;
	ho_offer_rest(pkt, lsk, &path, &conn->req);
	ho_tx_release(&path);
	return true;
}

static enum ho_verdict handover_locked(const struct ho_pkt *pkt,
				       struct sock *lsk,
				       const struct ho_conn *conn)
{
	struct ho_net *hn = pkt->hn;

	if (!ho_handover(pkt, lsk, conn))
		return ho_rx_drop(pkt, HO_STAT_handover_failed,
				  SKB_DROP_REASON_NOMEM);
	ho_stat_inc(hn, HO_STAT_cookie_accepted);
	NET_INC_STATS(hn->net, LINUX_MIB_SYNCOOKIESRECV);
	ho_synack_answered(pkt, 1);
	return HO_PASS;
}

static enum ho_verdict handover(const struct ho_pkt *pkt, struct sock *lsk,
				const struct ho_conn *conn)
{
	enum ho_verdict verdict = HO_PASS;
	struct ho_bucket *bkt;

	bkt = ho_table_lock_new(&pkt->hn->tbl, pkt->hash);
	if (!bkt)
		return ho_rx_drop(pkt, HO_STAT_handover_failed,
				  SKB_DROP_REASON_NOMEM);
	/* another segment was faster: the stack has what it needs */
	if (!ho_rx_has_socket(pkt))
		verdict = handover_locked(pkt, lsk, conn);
	ho_table_unlock(bkt);
	return verdict;
}

/* An entry beyond the limits is only for who waits. */
static void forget(const struct ho_pkt *pkt)
{
	struct ho_bucket *bkt = ho_table_lock(&pkt->hn->tbl, pkt->hash);
	struct ho_entry *ent = ho_table_find_locked(bkt, &pkt->key);

	if (ent)
		ho_table_remove_locked(&pkt->hn->tbl, bkt, ent, pkt->hash);
	ho_table_unlock(bkt);
}

/* Who has proven himself gets an entry and waits in it. */
static bool wait_for_room(const struct ho_pkt *pkt, struct ho_conn *conn,
			  struct sock *lsk)
{
	struct ho_table *tbl = &pkt->hn->tbl;
	struct ho_port *port;
	bool lost;

	port = ho_port_make(&tbl->ports, pkt->key.lport, &tbl->mem);
	conn->req.acked = 1;
	conn->source = ho_source_of(&tbl->sources, &conn->key);
	if (!port || ho_room_insert_evicting(tbl, port, conn, pkt->hash,
					     ho_clock_ms(),
					     &lost) != HO_FULL_NOT)
		return false;
	if (ho_synrecv_wait(pkt, conn, lsk))
		return true;
	forget(pkt);
	return false;
}

static enum ho_verdict on_overflow(const struct ho_pkt *pkt, struct sock *lsk,
				   struct ho_conn *conn)
{
	struct ho_net *hn = pkt->hn;

	NET_INC_STATS(hn->net, LINUX_MIB_LISTENOVERFLOWS);
	ho_stat_inc(hn, HO_STAT_acceptq_full);
	if (READ_ONCE(hn->net->ipv4.sysctl_tcp_abort_on_overflow))
		ho_tx_reset(hn, lsk, conn, pkt->skb, &pkt->seg);
	else if (wait_for_room(pkt, conn, lsk))
		return HO_CONSUMED;
	ho_rx_count_delivered(pkt);
	return HO_DROP;
}

enum ho_verdict ho_stateless_rx(struct ho_pkt *pkt)
{
	struct ho_conn conn;
	struct sock *lsk;

	if (!ho_rx_checksum_ok(pkt))
		return HO_PASS;
	/* early demux is off, or cannot be: an established connection */
	if (ho_rx_has_socket(pkt))
		return HO_PASS;
	if (!ho_rx_parse_options(pkt))
		return HO_PASS;
	ho_stat_inc(pkt->hn, HO_STAT_cookie_checked);
	if (!ho_stateless_read(pkt, &conn)) {
		ho_stat_inc(pkt->hn, HO_STAT_cookie_failed);
		NET_INC_STATS(pkt->hn->net, LINUX_MIB_SYNCOOKIESFAILED);
		return HO_PASS;
	}
	lsk = ho_rx_listener(pkt);
	if (!lsk || !ho_stateless_recall(pkt, lsk, &conn))
		return HO_PASS;
	if (sk_acceptq_is_full(lsk))
		return on_overflow(pkt, lsk, &conn);
	return handover(pkt, lsk, &conn);
}
