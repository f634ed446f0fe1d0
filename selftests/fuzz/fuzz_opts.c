// SPDX-License-Identifier: GPL-2.0
/*
 * TCP options.  Input: a byte of switches, then the option list.
 *
 * The list read equals what a second parser makes of it, which first cuts the
 * list into pieces and then asks for each option where it last stands.  What is
 * agreed follows from both sides; what is written parses back to it, is not
 * longer than what the client sent, and leads to the same agreement again.
 */
#include "fuzz.h"

#include <halfopen/opts.h>

enum switches {
	IS_SYN		= 1 << 0,
	CFG_TS		= 1 << 1,
	CFG_WSCALE	= 1 << 2,
	CFG_SACK	= 1 << 3,
	CFG_USER_MSS	= 1 << 4,
	CFG_IPV6	= 1 << 5,
};

struct piece {
	u8 kind;
	u8 len;		/* of the value */
	const u8 *val;
};

/* RFC 9293 3.1: kind 0 ends, kind 1 has no length; nonsense ends, too. */
static int cut(const u8 *list, int len, struct piece *pieces, bool *nonsense)
{
	int n = 0, at = 0;

	*nonsense = false;

	while (at < len && list[at] != 0) {
		if (list[at] == 1) {
			at++;
			continue;
		}
		if (at + 1 >= len || list[at + 1] < 2 ||
		    at + list[at + 1] > len) {
			*nonsense = true;
			break;
		}
		pieces[n++] = (struct piece) {
			list[at], list[at + 1] - 2, list + at + 2,
		};
		at += list[at + 1];
	}
	return n;
}

static u32 number(const u8 *p, int bytes)
{
	u32 v = 0;

	while (bytes--)
		v = v * 256 + *p++;
	return v;
}

/* The last one of that kind with a value of that length (-1: any). */
static const struct piece *last(const struct piece *pieces, int n, u8 kind,
				int len)
{
	while (n--)
		if (pieces[n].kind == kind &&
		    (len < 0 || pieces[n].len == len))
			return &pieces[n];
	return NULL;
}

static void read_syn_only(struct ho_opts *opts, const struct piece *pieces,
			  int n)
{
	const struct piece *o;
	int i;

	for (i = 0; i < n; i++)
		if (pieces[i].kind == 2 && pieces[i].len == 2 &&
		    number(pieces[i].val, 2))
			opts->mss = number(pieces[i].val, 2);
	opts->seen |= opts->mss ? HO_OPT_MSS : 0;
	o = last(pieces, n, 3, 1);
	if (o) {
		opts->seen |= HO_OPT_WSCALE;
		opts->wscale = o->val[0] > 14 ? 14 : o->val[0];
	}
	opts->seen |= last(pieces, n, 4, 0) ? HO_OPT_SACK : 0;
}

/* Kind 254 is shared: its value begins with a number (RFC 6994). */
static u16 experiment(const struct piece *o)
{
	if (o->len >= 2 && number(o->val, 2) == 0xf989)
		return HO_OPT_FASTOPEN | (o->len == 2 ? HO_OPT_TFO_REQ : 0);
	return o->len >= 4 && number(o->val, 4) == 0xe2d4c3d9 ? HO_OPT_SMC : 0;
}

static struct ho_opts reference(const u8 *list, int len, bool syn)
{
	struct ho_opts opts = {};
	struct piece pieces[256];
	int n = cut(list, len, pieces, &opts.malformed), i;
	const struct piece *o;

	if (syn)
		read_syn_only(&opts, pieces, n);
	o = last(pieces, n, 8, 8);
	if (o) {
		opts.seen |= HO_OPT_TS;
		opts.tsval = number(o->val, 4);
		opts.tsecr = number(o->val + 4, 4);
	}
	opts.seen |= last(pieces, n, 19, -1) ? HO_OPT_MD5 : 0;
	opts.seen |= last(pieces, n, 29, -1) ? HO_OPT_AO : 0;
	opts.seen |= last(pieces, n, 30, -1) ? HO_OPT_MPTCP : 0;
	opts.seen |= last(pieces, n, 34, -1) ? HO_OPT_FASTOPEN : 0;
	opts.seen |= last(pieces, n, 34, 0) ? HO_OPT_TFO_REQ : 0;
	for (i = 0; i < n; i++)
		if (pieces[i].kind == 254)
			opts.seen |= experiment(&pieces[i]);
	return opts;
}

static void check_same(const struct ho_opts *a, const struct ho_opts *b)
{
	CHECK(a->seen == b->seen);
	CHECK(a->mss == b->mss);
	CHECK(a->wscale == b->wscale);
	CHECK(a->tsval == b->tsval);
	CHECK(a->tsecr == b->tsecr);
	CHECK(a->malformed == b->malformed);
}

/* Whatever was in @opts before. */
static struct ho_opts parse(const u8 *list, int len, bool syn)
{
	u8 *copy = exactly(list, len);
	struct ho_opts a, b;

	memset(&a, 0xa5, sizeof(a));
	memset(&b, 0x5a, sizeof(b));
	ho_opts_parse(&a, copy, len, syn);
	ho_opts_parse(&b, copy, len, syn);
	check_same(&a, &b);
	CHECK(!memcmp(copy, list, len));
	free(copy);
	return a;
}

static void check_ranges(const struct ho_opts *opts, bool syn)
{
	const u16 syn_only = HO_OPT_MSS | HO_OPT_WSCALE | HO_OPT_SACK;

	CHECK(syn || !(opts->seen & syn_only));
	CHECK(!!(opts->seen & HO_OPT_MSS) == !!opts->mss);
	CHECK(opts->wscale <= 14);
	CHECK(opts->seen & HO_OPT_WSCALE || !opts->wscale);
	CHECK(opts->seen & HO_OPT_TS || (!opts->tsval && !opts->tsecr));
	CHECK(!(opts->seen & HO_OPT_TFO_REQ) || opts->seen & HO_OPT_FASTOPEN);
}

static void check_agreed(const struct ho_req *req, const struct ho_opts *opts,
			 const struct ho_opts_cfg *cfg)
{
	u16 theirs = opts->seen & HO_OPT_MSS ? opts->mss : cfg->mss_default;

	CHECK(req->wscale_ok == (cfg->window_scaling &&
				 opts->seen & HO_OPT_WSCALE));
	CHECK(req->tstamp_ok == (cfg->timestamps && opts->seen & HO_OPT_TS));
	CHECK(req->sack_ok == (cfg->sack && opts->seen & HO_OPT_SACK));
	CHECK(req->snd_wscale == (req->wscale_ok ? opts->wscale : 0));
	CHECK(req->ts_recent == (req->tstamp_ok ? opts->tsval : 0));
	CHECK(req->mss && req->mss <= theirs);
	/* TCP_MAXSEG bounds what was said, not what is assumed */
	CHECK(req->mss == theirs || (opts->seen & HO_OPT_MSS &&
				     req->mss == cfg->user_mss));
}

static u16 bits_agreed(const struct ho_req *req)
{
	return HO_OPT_MSS | (req->wscale_ok ? HO_OPT_WSCALE : 0) |
	       (req->tstamp_ok ? HO_OPT_TS : 0) |
	       (req->sack_ok ? HO_OPT_SACK : 0);
}

static void check_synack(const struct ho_req *req, u16 mss, u32 tsval)
{
	unsigned int len = ho_opts_synack_len(req);
	u8 more[HO_OPTS_LEN_MAX + 2] = {};
	u8 *list = malloc(len);
	struct ho_opts opts;

	CHECK(len % 4 == 0 && len <= HO_OPTS_LEN_MAX);
	memset(list, 0, len);
	ho_opts_emit_synack(list, req, mss, tsval);
	opts = parse(list, len, true);
	CHECK(opts.seen == bits_agreed(req));
	CHECK(opts.mss == mss);
	CHECK(opts.wscale == (req->wscale_ok ? req->rcv_wscale : 0));
	CHECK(opts.tsval == (req->tstamp_ok ? tsval : 0));
	CHECK(opts.tsecr == req->ts_recent);
	/* every byte is an option's: one that follows is read */
	memcpy(more, list, len);
	memcpy(more + len, (const u8[]){ 19, 2 }, 2);
	CHECK(parse(more, len + 2, true).seen == (opts.seen | HO_OPT_MD5));
	free(list);
}

/* The SYN that the handover shows to the stack. */
static void check_syn(const struct ho_req *req, unsigned int client_len,
		      bool had_mss, const struct ho_opts_cfg *cfg)
{
	unsigned int len = ho_opts_syn_len(req);
	u8 *list = malloc(len);
	struct ho_req again = {};
	struct ho_opts opts;

	CHECK(len % 4 == 0 && len <= HO_OPTS_LEN_MAX);
	/* a data offset counts words, and MSS is always written */
	CHECK(len <= (client_len + 3) / 4 * 4 + (had_mss ? 0 : 4));
	ho_opts_emit_syn(list, req);
	opts = parse(list, len, true);
	CHECK(opts.seen == bits_agreed(req) && !opts.tsecr);
	ho_opts_negotiate(&again, &opts, cfg);
	CHECK(again.mss == req->mss || !had_mss);
	CHECK(again.snd_wscale == req->snd_wscale);
	CHECK(again.ts_recent == req->ts_recent);
	CHECK(again.wscale_ok == req->wscale_ok);
	CHECK(again.tstamp_ok == req->tstamp_ok);
	CHECK(again.sack_ok == req->sack_ok);
	free(list);
}

int fuzz_one(const u8 *data, size_t size)
{
	struct input in = { data, size };
	u8 how = take_u8(&in);
	bool syn = how & IS_SYN;
	const struct ho_opts_cfg cfg = {
		.timestamps = how & CFG_TS,
		.window_scaling = how & CFG_WSCALE,
		.sack = how & CFG_SACK,
		.user_mss = how & CFG_USER_MSS ? 1220 : 0,
		.mss_default = how & CFG_IPV6 ? HO_MSS_DEF_V6 : HO_MSS_DEF_V4,
	};
	struct ho_opts opts, want;
	struct ho_req req = {};

	if (in.left > 255)
		return -1;
	opts = parse(in.p, in.left, syn);
	want = reference(in.p, in.left, syn);
	check_same(&opts, &want);
	check_ranges(&opts, syn);
	if (!syn)
		return 0;
	ho_opts_negotiate(&req, &opts, &cfg);
	check_agreed(&req, &opts, &cfg);
	req.rcv_wscale = req.wscale_ok ? how >> 4 : 0;
	req.rcv_wscale = req.rcv_wscale > 14 ? 14 : req.rcv_wscale;
	check_synack(&req, 1460, 0x01020304 ^ req.ts_recent);
	check_syn(&req, in.left, opts.seen & HO_OPT_MSS, &cfg);
	return 0;
}
