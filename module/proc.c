// SPDX-License-Identifier: GPL-2.0
/*
 * Every half-open connection, twice:
 *
 * /proc/net/halfopen, a line each, columns as of ss(8):
 *
 *   SYN-RECV 0 0 LOCAL:PORT PEER:PORT timer:(on,MS,TIMEOUTS) key:value ...
 *
 * /proc/net/halfopen_dump, a struct halfopen_conn each: for programs, at a
 * fraction of the cost.  A file, as a netlink dump that nobody reads to its
 * end would keep the module from unloading.
 *
 * A reader holds one bucket lock at a time and for one copy, however many
 * entries there are.  The walk keeps its place between reads, so that reading a
 * million lines takes time in proportion, and a seek back starts it over.
 */
#include <halfopen/proc.h>

#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include <halfopen/net.h>
#include <halfopen/rto.h>
#include <halfopen/timer.h>
#include <uapi/halfopen.h>

/**
 * struct ho_proc_iter - an open file
 * @p: which namespace; first, as seq_file_net() wants it
 * @at: where the walk is
 * @pos: file position of @conn
 * @valid: @conn has not been shown to the end
 * @now_ms: ms clock when the read began
 * @now_us: us clock likewise
 * @conn: the entry to show
 */
struct ho_proc_iter {
	struct seq_net_private p;
	struct ho_table_iter at;
	loff_t pos;
	bool valid;
	u32 now_ms;
	u32 now_us;
	struct ho_conn conn;
};

static void *ho_proc_advance(struct seq_file *seq)
{
	struct ho_proc_iter *iter = seq->private;
	struct ho_net *hn = ho_net(seq_file_net(seq));

	iter->valid = ho_table_next(&hn->tbl, &iter->at, &iter->conn);
	return iter->valid ? &iter->conn : NULL;
}

static void *ho_proc_start(struct seq_file *seq, loff_t *pos)
{
	struct ho_proc_iter *iter = seq->private;

	iter->now_ms = ho_clock_ms();
	iter->now_us = ho_clock_us();
	if (*pos && *pos == iter->pos)
		return iter->valid ? &iter->conn : NULL;

	memset(&iter->at, 0, sizeof(iter->at));
	for (iter->pos = 0; ho_proc_advance(seq) && iter->pos < *pos;)
		iter->pos++;
	return iter->valid ? &iter->conn : NULL;
}

static void *ho_proc_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct ho_proc_iter *iter = seq->private;

	iter->pos = ++*pos;
	return ho_proc_advance(seq);
}

static void ho_proc_stop(struct seq_file *seq, void *v)
{
}

static void show_addr(struct seq_file *seq, const struct ho_key *key,
		      const struct in6_addr *addr, __be16 port)
{
	if (ho_key_is_v4(key))
		seq_printf(seq, " %pI4:%u", &addr->s6_addr32[3], ntohs(port));
	else if (key->iif)
		seq_printf(seq, " [%pI6c]%%%u:%u", addr, key->iif, ntohs(port));
	else
		seq_printf(seq, " [%pI6c]:%u", addr, ntohs(port));
}

static int ho_proc_show(struct seq_file *seq, void *v)
{
	const struct ho_proc_iter *iter = seq->private;
	const struct ho_conn *conn = v;
	const struct ho_req *req = &conn->req;

	seq_puts(seq, "SYN-RECV 0 0");
	show_addr(seq, &conn->key, &conn->key.laddr, conn->key.lport);
	show_addr(seq, &conn->key, &conn->key.raddr, conn->key.rport);
	seq_printf(seq, " timer:(on,%ums,%u) retrans:%u mss:%u win:%u",
		   ho_rto_left_ms(req->deadline_ms, iter->now_ms),
		   req->timeouts, req->retrans, req->mss, req->win);
	if (req->wscale_ok)
		seq_printf(seq, " wscale:%u,%u", req->snd_wscale,
			   req->rcv_wscale);
	if (req->tstamp_ok)
		seq_puts(seq, " ts");
	if (req->sack_ok)
		seq_puts(seq, " sack");
	if (req->ecn_ok)
		seq_puts(seq, " ecn");
	if (req->acked)
		seq_puts(seq, " acked");
	seq_putc(seq, '\n');
	return 0;
}

static int ho_proc_dump(struct seq_file *seq, void *v)
{
	const struct ho_proc_iter *iter = seq->private;
	const struct ho_conn *conn = v;
	const struct ho_req *req = &conn->req;
	struct halfopen_conn rec = {
		.size		= sizeof(rec),
		.flags		= req->wscale_ok * HALFOPEN_WSCALE |
				  req->tstamp_ok * HALFOPEN_TS |
				  req->sack_ok * HALFOPEN_SACK |
				  req->ecn_ok * HALFOPEN_ECN |
				  req->acked * HALFOPEN_ACKED,
		.lport		= conn->key.lport,
		.rport		= conn->key.rport,
		.iif		= conn->key.iif,
		.timer_ms	= ho_rto_left_ms(req->deadline_ms,
						 iter->now_ms),
		.age_ms		= (iter->now_us - req->snt_us) / USEC_PER_MSEC,
		.mss		= req->mss,
		.win		= req->win,
		.snd_wscale	= req->snd_wscale,
		.rcv_wscale	= req->rcv_wscale,
		.timeouts	= req->timeouts,
		.retrans	= req->retrans,
	};

	memcpy(rec.laddr, &conn->key.laddr, sizeof(rec.laddr));
	memcpy(rec.raddr, &conn->key.raddr, sizeof(rec.raddr));
	seq_write(seq, &rec, sizeof(rec));
	return 0;
}

static const struct seq_operations ho_proc_ops = {
	.start	= ho_proc_start,
	.next	= ho_proc_next,
	.stop	= ho_proc_stop,
	.show	= ho_proc_show,
};

static const struct seq_operations ho_proc_dump_ops = {
	.start	= ho_proc_start,
	.next	= ho_proc_next,
	.stop	= ho_proc_stop,
	.show	= ho_proc_dump,
};

int ho_proc_net_init(struct ho_net *hn)
{
	struct proc_dir_entry *dir = hn->net->proc_net;

	/* no padding: nothing of the kernel's stack gets out */
	static_assert(sizeof(struct halfopen_conn) == 60);
	if (!proc_create_net("halfopen", 0444, dir, &ho_proc_ops,
			     sizeof(struct ho_proc_iter)))
		return -ENOMEM;
	if (proc_create_net("halfopen_dump", 0444, dir, &ho_proc_dump_ops,
			    sizeof(struct ho_proc_iter)))
		return 0;
	remove_proc_entry("halfopen", dir);
	return -ENOMEM;
}

void ho_proc_net_exit(struct ho_net *hn)
{
	remove_proc_entry("halfopen_dump", hn->net->proc_net);
	remove_proc_entry("halfopen", hn->net->proc_net);
}
