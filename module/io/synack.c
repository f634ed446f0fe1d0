// SPDX-License-Identifier: GPL-2.0
/* SYN-ACKs: whether one may be sent, sending it, and what it counts as. */
#include <halfopen/synack.h>

#include <net/tcp.h>

#include <halfopen/net.h>
#include <halfopen/rx.h>
#include <halfopen/timer.h>
#include <halfopen/trace.h>
#include <halfopen/track.h>
#include <halfopen/tx.h>

bool ho_synack_may_send(const struct ho_pkt *pkt, const struct ho_source *who,
			u64 now_ns)
{
	u32 rate = READ_ONCE(pkt->hn->tbl.cfg.source_rate);

	if (ho_source_send(who, rate, (u32)div_u64(now_ns, NSEC_PER_USEC)))
		return true;
	ho_stat_inc(pkt->hn, HO_STAT_synack_budget);
	return false;
}

void ho_synack_answered(const struct ho_pkt *pkt, unsigned int synacks)
{
	struct ho_table *tbl = &pkt->hn->tbl;
	const struct ho_source who = ho_source_of(&tbl->sources, &pkt->key);

	ho_source_answered(&who, READ_ONCE(tbl->cfg.source_rate), synacks);
}

/*
 * An error costs nothing but time: the entry stays and the timer tries again.
 */
bool ho_synack_send(struct ho_net *hn, const struct sock *lsk,
		    const struct ho_conn *conn, struct ho_path *path,
		    u64 now_ns)
{
	if (ho_tx_synack(hn, lsk, conn, path, now_ns) < 0) {
		ho_stat_inc(hn, HO_STAT_synack_error);
		return false;
	}
	ho_stat_inc(hn, HO_STAT_synack_sent);
	return true;
}

void ho_synack_resend(struct ho_net *hn, const struct sock *lsk,
		      const struct ho_conn *conn)
{
	u64 hash = ho_table_hash(&hn->tbl, &conn->key);
	struct ho_path path;

	if (ho_tx_route(hn, lsk, conn, hash, NULL, &path) < 0) {
		ho_tx_no_route(hn->net, conn);
		ho_stat_inc(hn, HO_STAT_synack_error);
		return;
	}
	path.ts_off = ho_tx_ts_off(hn, conn, hash);
	if (conn->req.tracked)
		path.ct = ho_track_make(hn, conn, NULL);
	if (!ho_synack_send(hn, lsk, conn, &path, ktime_get_ns()))
		return;
	trace_ho_retransmitted(hn->net, &conn->key, conn->req.retrans);
	ho_stat_inc(hn, HO_STAT_synack_retrans);
	TCP_INC_STATS(hn->net, TCP_MIB_RETRANSSEGS);
	NET_INC_STATS(hn->net, LINUX_MIB_TCPSYNRETRANS);
}
