// SPDX-License-Identifier: GPL-2.0
/*
 * SYN-RECEIVED.  Input: a half-open connection and a segment, its numbers
 * mostly near the edges of the connection's.
 *
 * The decision equals that of a table of rows, the first of which that matches
 * counts: RFC 9293 3.10.7.4 in the order in which Linux checks.  It does not
 * change when all sequence numbers move by the same amount, nor with what the
 * RFC does not ask for.
 */
#include "fuzz.h"

#include <halfopen/fsm.h>

struct situation {
	struct ho_req req;
	struct ho_seg seg;
	struct ho_fsm_cfg cfg;
};

/* What the rows ask, as distances: where Linux compares, these are signed. */
struct facts {
	s64 seq;	/* from RCV.NXT */
	s64 end;	/* of the segment's end from RCV.NXT */
	s64 past;	/* of the segment's start from the right edge */
	bool old_ts;
	bool syn, ack, rst;
	bool ack_good;
	bool empty;
};

/* before(a, b) is (s32)(a - b) < 0: half the numbers away counts as before. */
static s64 ahead(u32 a, u32 b)
{
	return -(s64)(s32)(b - a);
}

static s64 behind(u32 a, u32 b)
{
	return (s32)(a - b);
}

/* RFC 7323 5.3; a RST is believed an MSL after the SYN. */
static bool timestamp_is_old(const struct situation *s)
{
	s64 older = (s32)(s->req.ts_recent - s->seg.opts.tsval);

	if (!(s->seg.opts.seen & HO_OPT_TS) || !s->cfg.timestamps)
		return false;
	if (s->req.ts_recent == 0 || older <= 0)
		return false;
	return !(s->seg.flags & HO_TCP_RST) || s->cfg.rto_ms < 60000;
}

static struct facts facts_of(const struct situation *s)
{
	u32 nxt = s->req.rcv_isn + 1;

	return (struct facts) {
		.seq = behind(s->seg.seq, nxt),
		.end = ahead(s->seg.end_seq, nxt),
		.past = behind(s->seg.seq, nxt + s->req.win),
		.old_ts = timestamp_is_old(s),
		.syn = s->seg.flags & HO_TCP_SYN,
		.ack = s->seg.flags & HO_TCP_ACK,
		.rst = s->seg.flags & HO_TCP_RST,
		.ack_good = s->seg.ack == s->req.snt_isn + 1,
		.empty = s->seg.end_seq == s->seg.seq,
	};
}

/* The first check: any part inside, or nothing at either edge. */
static bool outside(const struct facts *f)
{
	if (f->seq == 0 || (f->past == 0 && f->empty))
		return false;
	return f->end <= 0 || f->past >= 0;
}

static bool is_same_syn(const struct facts *f)
{
	return f->syn && !f->ack && !f->rst && f->seq == -1 && !f->old_ts;
}

static bool acks_unsent(const struct facts *f)
{
	return f->ack && !f->rst && !f->ack_good;
}

static bool old_rst(const struct facts *f)
{
	return f->rst && f->old_ts;
}

static bool old(const struct facts *f)
{
	return f->old_ts;
}

static bool outside_rst(const struct facts *f)
{
	return f->rst && outside(f);
}

static bool exact_rst(const struct facts *f)
{
	return f->rst && f->seq == 0;
}

static bool other_rst(const struct facts *f)
{
	return f->rst;
}

static bool new_syn(const struct facts *f)
{
	return f->syn && f->seq != -1;
}

static bool acks(const struct facts *f)
{
	return f->ack;
}

static bool always(const struct facts *f)
{
	(void)f;
	return true;
}

static const struct row {
	bool (*match)(const struct facts *f);
	enum ho_event event;
} rows[] = {
	{ is_same_syn,	HO_EV_DUP_SYN },		/* P-22 */
	{ acks_unsent,	HO_EV_BAD_ACK },		/* P-25 */
	{ old_rst,	HO_EV_PAWS_RST },
	{ old,		HO_EV_PAWS },			/* P-52 */
	{ outside_rst,	HO_EV_OUT_OF_WINDOW_RST },	/* P-19 */
	{ outside,	HO_EV_OUT_OF_WINDOW },		/* P-16, P-23 */
	{ exact_rst,	HO_EV_RST_EXACT },		/* P-17, P-20 */
	{ other_rst,	HO_EV_RST_IN_WINDOW },		/* P-18 */
	{ new_syn,	HO_EV_SYN_IN_WINDOW },		/* P-21 */
	{ acks,		HO_EV_COMPLETE },		/* P-26 to P-28 */
	{ always,	HO_EV_NO_ACK },			/* P-24 */
};

static enum ho_event by_table(const struct situation *s)
{
	const struct facts f = facts_of(s);
	const struct row *row = rows;

	while (!row->match(&f))
		row++;
	return row->event;
}

static enum ho_event decide(const struct situation *s)
{
	return ho_fsm_event(&s->req, &s->seg, &s->cfg);
}

/* Only distances count. */
static void check_moved(const struct situation *s, u32 client, u32 server)
{
	struct situation moved = *s;

	moved.req.rcv_isn += client;
	moved.seg.seq += client;
	moved.seg.end_seq += client;
	moved.req.snt_isn += server;
	moved.seg.ack += server;
	CHECK(decide(&moved) == decide(s));
}

/* No check asks for these. */
static void check_indifferent(const struct situation *s, u32 noise)
{
	struct situation other = *s;

	other.seg.flags ^= noise & ~(HO_TCP_RST | HO_TCP_SYN | HO_TCP_ACK);
	other.seg.tos = ~s->seg.tos;
	other.seg.reserved = ~s->seg.reserved;
	other.seg.ip_options = !s->seg.ip_options;
	other.seg.data_len ^= noise;
	other.seg.opts.tsecr ^= noise;
	other.seg.opts.seen ^= HO_OPT_MSS | HO_OPT_SACK | HO_OPT_MPTCP;
	other.req.mss ^= noise;
	other.req.timeouts ^= noise;
	other.req.acked = !s->req.acked;
	CHECK(decide(&other) == decide(s));
	/* a RST's acknowledgment does not matter (P-20) */
	if (s->seg.flags & HO_TCP_RST) {
		other.seg.ack ^= noise;
		CHECK(decide(&other) == decide(s));
	}
}

static void read_segment(struct input *in, struct situation *s)
{
	u8 what = take_u8(in);

	s->seg.flags = take_u8(in);
	s->seg.seq = take_near(in, s->req.rcv_isn + 1 +
				   (what & 1 ? s->req.win : 0));
	s->seg.data_len = what & 2 ? take_u16(in) : 0;
	s->seg.end_seq = s->seg.seq + s->seg.data_len +
			 !!(s->seg.flags & HO_TCP_SYN) +
			 !!(s->seg.flags & HO_TCP_FIN);
	s->seg.ack = take_near(in, s->req.snt_isn + 1);
	if (what & 4) {
		s->seg.opts.seen = HO_OPT_TS;
		s->seg.opts.tsval = take_near(in, s->req.ts_recent);
	}
	s->cfg.timestamps = !(what & 8);
	s->cfg.rto_ms = what & 16 ? HO_RTO_MAX_MS : take_near(in, 60000);
}

int fuzz_one(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct situation s = {};
	u32 noise;

	s.req.rcv_isn = take_u32(&in);
	s.req.snt_isn = take_u32(&in);
	s.req.ts_recent = take_u32(&in);
	s.req.win = take_u16(&in);
	read_segment(&in, &s);
	noise = take_u32(&in);
	CHECK(decide(&s) == by_table(&s));
	check_moved(&s, noise, ~noise);
	check_moved(&s, -s.req.rcv_isn, -s.req.snt_isn);
	check_indifferent(&s, noise);
	return 0;
}
