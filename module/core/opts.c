// SPDX-License-Identifier: GPL-2.0
/*
 * TCP options: bytes to struct, negotiation, struct to bytes.
 *
 * Nothing here looks outside the bytes it is given, and nothing depends on the
 * host: what the host is willing to do comes in as struct ho_opts_cfg.  The
 * order in which options are written is the kernel's (tcp_options_write()): it
 * is part of what makes a Linux host look like one.
 */
#include <halfopen/opts.h>

#include <linux/minmax.h>
#include <linux/string.h>

enum ho_opt_kinds {
	KIND_EOL	= 0,
	KIND_NOP	= 1,
	KIND_MSS	= 2,
	KIND_WSCALE	= 3,
	KIND_SACK_PERM	= 4,
	KIND_TS		= 8,
	KIND_MD5	= 19,
	KIND_AO		= 29,
	KIND_MPTCP	= 30,
	KIND_FASTOPEN	= 34,
	KIND_EXP	= 254,	/* shared, RFC 6994: a magic number follows */
};

enum ho_opt_lens {
	LEN_MSS		= 4,
	LEN_WSCALE	= 3,
	LEN_SACK_PERM	= 2,
	LEN_TS		= 10,
	LEN_MD5		= 18,
	LEN_AO_MIN	= 5,
	LEN_EXP_MIN	= 4,
	LEN_USUAL	= 20,
};

#define EXP_FASTOPEN	0xf989U		/* RFC 7413 4.1.1 */
#define EXP_SMC		0xe2d4c3d9U	/* RFC 7609 appendix A.1 */

static u16 get_be16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static u32 get_be32(const u8 *p)
{
	return (u32)get_be16(p) << 16 | get_be16(p + 2);
}

static u8 *put_be16(u8 *p, u16 v)
{
	p[0] = v >> 8;
	p[1] = v;
	return p + 2;
}

static u8 *put_be32(u8 *p, u32 v)
{
	return put_be16(put_be16(p, v >> 16), v);
}

static void parse_mss(struct ho_opts *opts, const u8 *val)
{
	u16 mss = get_be16(val);

	if (!mss)
		return;
	opts->mss = mss;
	opts->seen |= HO_OPT_MSS;
}

static void parse_fastopen(struct ho_opts *opts, u8 cookie_len)
{
	opts->seen |= HO_OPT_FASTOPEN;
	if (!cookie_len)
		opts->seen |= HO_OPT_TFO_REQ;
}

static void parse_exp(struct ho_opts *opts, const u8 *val, u8 size)
{
	if (size < LEN_EXP_MIN)
		return;
	if (get_be16(val) == EXP_FASTOPEN)
		parse_fastopen(opts, size - LEN_EXP_MIN);
	else if (size >= LEN_EXP_MIN + 2 && get_be32(val) == EXP_SMC)
		opts->seen |= HO_OPT_SMC;
}

/* @size counts kind and length, so @val has @size - 2 bytes. */
static void parse_one(struct ho_opts *opts, u8 kind, u8 size, const u8 *val,
		      bool syn)
{
	switch (kind) {
	case KIND_MSS:
		if (size == LEN_MSS && syn)
			parse_mss(opts, val);
		break;
	case KIND_WSCALE:
		if (size == LEN_WSCALE && syn) {
			opts->wscale = min_t(u8, *val, HO_WSCALE_MAX);
			opts->seen |= HO_OPT_WSCALE;
		}
		break;
	case KIND_SACK_PERM:
		if (size == LEN_SACK_PERM && syn)
			opts->seen |= HO_OPT_SACK;
		break;
	case KIND_TS:
		if (size == LEN_TS) {
			opts->tsval = get_be32(val);
			opts->tsecr = get_be32(val + 4);
			opts->seen |= HO_OPT_TS;
		}
		break;
	case KIND_MD5:
		opts->seen |= HO_OPT_MD5;
		break;
	case KIND_AO:
		opts->seen |= HO_OPT_AO;
		break;
	case KIND_MPTCP:
		opts->seen |= HO_OPT_MPTCP;
		break;
	case KIND_FASTOPEN:
		parse_fastopen(opts, size - 2);
		break;
	case KIND_EXP:
		parse_exp(opts, val, size);
		break;
	}
}

/*
 * A SYN as Linux and Android write it: MSS, SACK, timestamps, NOP, window
 * scale.  Takes a fifth of the 150 instructions of the loop.
 */
static bool parse_usual(struct ho_opts *opts, const u8 *p, unsigned int len)
{
	const u32 mss = KIND_MSS << 8 | LEN_MSS;
	const u32 sack_ts = KIND_SACK_PERM << 24 | LEN_SACK_PERM << 16 |
			    KIND_TS << 8 | LEN_TS;
	const u32 wscale = KIND_NOP << 16 | KIND_WSCALE << 8 | LEN_WSCALE;

	if (len != LEN_USUAL || get_be32(p) >> 16 != mss ||
	    get_be32(p + 4) != sack_ts || get_be32(p + 16) >> 8 != wscale ||
	    !get_be16(p + 2))
		return false;
	*opts = (struct ho_opts) {
		.seen = HO_OPT_MSS | HO_OPT_SACK | HO_OPT_TS | HO_OPT_WSCALE,
		.mss = get_be16(p + 2),
		.wscale = min_t(u8, p[19], HO_WSCALE_MAX),
		.tsval = get_be32(p + 8),
		.tsecr = get_be32(p + 12),
	};
	return true;
}

void ho_opts_parse(struct ho_opts *opts, const u8 *p, unsigned int len,
		   bool syn)
{
	if (syn && parse_usual(opts, p, len))
		return;
	memset(opts, 0, sizeof(*opts));

	while (len) {
		u8 kind = p[0];
		u8 size;

		if (kind == KIND_EOL)
			return;
		if (kind == KIND_NOP) {
			p++;
			len--;
			continue;
		}
		size = len < 2 ? 0 : p[1];
		if (size < 2 || size > len) {
			opts->malformed = true;
			return;
		}
		parse_one(opts, kind, size, p + 2, syn);
		p += size;
		len -= size;
	}
}

enum ho_auth ho_opts_auth(const u8 *p, unsigned int len, unsigned int min_len)
{
	enum ho_auth seen = HO_AUTH_NONE;

	while (len >= min_len && *p != KIND_EOL) {
		u8 size = *p == KIND_NOP ? 1 : p[1];
		bool md5 = *p == KIND_MD5, ao = *p == KIND_AO;

		if (*p != KIND_NOP && (size < 2 || size > len))
			return HO_AUTH_BAD;
		if ((md5 && size != LEN_MD5) || (ao && size < LEN_AO_MIN) ||
		    ((md5 || ao) && seen != HO_AUTH_NONE))
			return HO_AUTH_BAD;
		if (md5 || ao)
			seen = ao ? HO_AUTH_AO : HO_AUTH_MD5;
		p += size;
		len -= size;
	}
	return seen;
}

void ho_opts_negotiate(struct ho_req *req, const struct ho_opts *opts,
		       const struct ho_opts_cfg *cfg)
{
	req->mss = cfg->mss_default;
	if (opts->seen & HO_OPT_MSS) {
		req->mss = opts->mss;
		if (cfg->user_mss && cfg->user_mss < req->mss)
			req->mss = cfg->user_mss;
	}
	req->wscale_ok = cfg->window_scaling && opts->seen & HO_OPT_WSCALE;
	req->snd_wscale = req->wscale_ok ? opts->wscale : 0;
	req->tstamp_ok = cfg->timestamps && opts->seen & HO_OPT_TS;
	req->ts_recent = req->tstamp_ok ? opts->tsval : 0;
	req->sack_ok = cfg->sack && opts->seen & HO_OPT_SACK;
}

void ho_opts_emit_ts(u8 *p, u32 tsval, u32 tsecr)
{
	*p++ = KIND_NOP;
	*p++ = KIND_NOP;
	*p++ = KIND_TS;
	*p++ = LEN_TS;
	p = put_be32(p, tsval);
	put_be32(p, tsecr);
}

/*
 * MSS, then SACK in the two bytes before the timestamp or after two NOPs,
 * scale.
 */
static unsigned int list_len(const struct ho_req *req)
{
	unsigned int len = LEN_MSS;

	if (req->tstamp_ok)
		len += HO_OPTS_TS_LEN;
	else if (req->sack_ok)
		len += 2 + LEN_SACK_PERM;
	if (req->wscale_ok)
		len += 1 + LEN_WSCALE;
	return len;
}

static void emit_list(u8 *p, const struct ho_req *req, u16 mss, u8 wscale,
		      u32 tsval, u32 tsecr)
{
	*p++ = KIND_MSS;
	*p++ = LEN_MSS;
	p = put_be16(p, mss);

	if (req->tstamp_ok)
		ho_opts_emit_ts(p, tsval, tsecr);
	else if (req->sack_ok)
		memset(p, KIND_NOP, 2);
	if (req->sack_ok) {
		u8 *sack = req->tstamp_ok ? p : p + 2;

		sack[0] = KIND_SACK_PERM;
		sack[1] = LEN_SACK_PERM;
	}
	p += list_len(req) - LEN_MSS;

	if (req->wscale_ok) {
		p -= 1 + LEN_WSCALE;
		*p++ = KIND_NOP;
		*p++ = KIND_WSCALE;
		*p++ = LEN_WSCALE;
		*p = wscale;
	}
}

unsigned int ho_opts_synack_len(const struct ho_req *req)
{
	return list_len(req);
}

void ho_opts_emit_synack(u8 *p, const struct ho_req *req, u16 mss, u32 tsval)
{
	emit_list(p, req, mss, req->rcv_wscale, tsval, req->ts_recent);
}

unsigned int ho_opts_syn_len(const struct ho_req *req)
{
	return list_len(req);
}

void ho_opts_emit_syn(u8 *p, const struct ho_req *req)
{
	emit_list(p, req, req->mss, req->snd_wscale, req->ts_recent, 0);
}
