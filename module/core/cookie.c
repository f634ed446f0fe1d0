// SPDX-License-Identifier: GPL-2.0
/*
 * Initial sequence numbers and timestamp offsets that remember a SYN.
 *
 *   ISN    31      8 7  4 3  1 0
 *          MAC       shift mss sack    the low byte under a secret mask
 *   TSval  clock + offset of the 4-tuple + (residual | ecn) << 18
 *
 * The MAC covers the 4-tuple, the client's ISN and the data: what acknowledges
 * a few bytes more than the SYN-ACK is no cookie.  Of 2^32 numbers 2^8 are.
 *
 * MSS is one of eight steps at or below the client's, and the timestamp has
 * what is missing to the exact value.  It stands above the 18 bits (262 s) in
 * which the clock moves while a cookie is valid, so it costs the clock nothing:
 * TSval minus offset minus now is minus the age, with the data on top.
 */
#include <halfopen/cookie.h>

#include <linux/minmax.h>

#include <halfopen/key.h>

#define MAC_MASK	0xffffff00U

enum {
	SACK		= 1 << 0,
	STEP_SHIFT	= 1,
	STEPS		= 8,
	WSCALE_SHIFT	= 4,
	WSCALE_NONE	= 15,	/* RFC 7323 2.3: shifts are 0 to 14 */

	TS_SHIFT	= 18,
	TS_ECN		= 1 << 0,
	TS_RES_SHIFT	= 1,
	TS_RES_MAX	= (1 << 13) - 1,
};

/*
 * The least that the stack uses at all (TCP_MIN_SND_MSS); the default without
 * the option; tunnels, mobile networks, PPPoE, Ethernet; jumbo frames.
 */
static const u16 steps_v4[STEPS] = {
	48, HO_MSS_DEF_V4, 1220, 1360, 1400, 1440, 1460, 8960,
};

static const u16 steps_v6[STEPS] = {
	48, 536, HO_MSS_DEF_V6, 1340, 1380, 1420, 1440, 8940,
};

static const u16 *steps_of(const struct ho_key *key)
{
	return ho_key_is_v4(key) ? steps_v4 : steps_v6;
}

/* The highest step that is no more than @mss. */
static unsigned int step_below(const u16 *steps, u16 mss)
{
	unsigned int i = STEPS - 1;

	while (i && steps[i] > mss)
		i--;
	return i;
}

/*
 * What an ISN is made of, from 64 bits that nobody can guess: a mask over the
 * data, because that is much the same for all clients, and a MAC.  The MAC of
 * other data is another one by a factor: what a client can learn of it he
 * learns of this connection only.
 */
struct ho_isn_bits {
	u32 mac;
	u32 factor;
	u8 mask;
};

static struct ho_isn_bits bits_of(const struct ho_key *key, u32 rcv_isn,
				  const siphash_key_t *mac)
{
	const struct {
		struct ho_key key;
		u64 rcv_isn;
	} all = { *key, rcv_isn };
	u32 ports = (__force u32)key->rport << 16 | (__force u32)key->lport;
	u64 hash;

	/* hashed as bytes: no padding may take part */
	static_assert(sizeof(all) == sizeof(*key) + sizeof(u64));

	if (ho_key_is_v4(key) && !key->iif)
		hash = siphash_2u64((__force u32)key->raddr.s6_addr32[3] |
				    (u64)(__force u32)key->laddr.s6_addr32[3]
				    << 32, ports | (u64)rcv_isn << 32, mac);
	else
		hash = siphash(&all, sizeof(all), mac);
	return (struct ho_isn_bits) {
		.mac = (u32)hash & MAC_MASK,
		.factor = hash >> 32 | 1,
		.mask = (u8)hash,
	};
}

static u32 mac_of(const struct ho_isn_bits *bits, u8 data)
{
	return bits->mac ^ (bits->factor * data & MAC_MASK);
}

u32 ho_cookie_isn(const struct ho_key *key, const struct ho_req *req,
		  const siphash_key_t *mac)
{
	const struct ho_isn_bits bits = bits_of(key, req->rcv_isn, mac);
	u8 data = step_below(steps_of(key), req->mss) << STEP_SHIFT;
	u32 isn;

	data |= (req->wscale_ok ? req->snd_wscale : WSCALE_NONE) <<
		WSCALE_SHIFT;
	data |= req->sack_ok ? SACK : 0;
	isn = mac_of(&bits, data) | (data ^ bits.mask);
	/* one in 2^32 connections needs its entry: this is no cookie */
	return isn ? isn : 1;
}

bool ho_cookie_check(const struct ho_key *key, u32 rcv_isn, u32 isn,
		     const siphash_key_t *mac, struct ho_req *req)
{
	const struct ho_isn_bits bits = bits_of(key, rcv_isn, mac);
	u8 data = isn ^ bits.mask;
	u8 wscale = data >> WSCALE_SHIFT;

	if (!isn || (isn & MAC_MASK) != mac_of(&bits, data))
		return false;
	req->rcv_isn = rcv_isn;
	req->snt_isn = isn;
	req->mss = steps_of(key)[data >> STEP_SHIFT & (STEPS - 1)];
	req->wscale_ok = wscale != WSCALE_NONE;
	req->snd_wscale = req->wscale_ok ? wscale : 0;
	req->sack_ok = data & SACK;
	return true;
}

static u32 ts_data(const struct ho_key *key, const struct ho_req *req)
{
	const u16 *steps = steps_of(key);
	u16 step = steps[step_below(steps, req->mss)];
	u16 residual = req->mss > step ?
		       min_t(u16, req->mss - step, TS_RES_MAX) : 0;

	return residual << TS_RES_SHIFT | (req->ecn_ok ? TS_ECN : 0);
}

u32 ho_cookie_ts_off(const struct ho_key *key, const struct ho_req *req,
		     u32 base)
{
	return base + (ts_data(key, req) << TS_SHIFT);
}

bool ho_cookie_ts_read(const struct ho_key *key, struct ho_req *req, u32 tsecr,
		       u32 now_ms, u32 base, s32 *age_ms)
{
	const u32 oldest = (1 << TS_SHIFT) - 1 - HO_COOKIE_SKEW_MS;
	u32 said = tsecr - base - now_ms + oldest;
	u32 data = said >> TS_SHIFT;
	s32 age = oldest - (said & ((1 << TS_SHIFT) - 1));
	struct ho_req exact = *req;

	exact.mss += data >> TS_RES_SHIFT;
	exact.ecn_ok = data & TS_ECN;
	/* not what we would have said: somebody else's number */
	if (age > HO_COOKIE_AGE_MAX_MS || ts_data(key, &exact) != data)
		return false;
	*req = exact;
	*age_ms = age;
	return true;
}
