// SPDX-License-Identifier: GPL-2.0
/*
 * Cookies.  Input: a connection, two keys, ages, and numbers that an attacker
 * might send.
 *
 * What was woven in comes back, whatever it was; what is believed is what would
 * have been sent; a changed bit is believed as seldom as 24 bits of MAC allow.
 */
#include "fuzz.h"

#include <halfopen/cookie.h>
#include <halfopen/key.h>

enum {
	FORGERIES		= 16,
	BELIEVED_MAX		= 1,	/* each passes once in 2^24 */
	DATA_FORGERIES		= 16,
	BELIEVED_DATA_MAX	= 7,	/* a weak factor is as rare */
	AGE_FIRST		= -(int)HO_COOKIE_SKEW_MS,
	AGE_READ_MAX		= (1 << 18) - 1 - HO_COOKIE_SKEW_MS,
};

struct world {
	struct ho_key key;
	struct ho_req req;
	siphash_key_t mac;
	u32 ts_base;
};

static void take_world(struct input *in, struct world *w)
{
	u8 how = take_u8(in);

	w->key = take_key(in);
	w->req.rcv_isn = take_u32(in);
	w->req.mss = take_u16(in);
	w->req.wscale_ok = how & 1;
	w->req.snd_wscale = w->req.wscale_ok ? take_u8(in) % 15 : 0;
	w->req.sack_ok = how >> 1;
	w->req.ecn_ok = how >> 2;
	w->mac = take_secret(in);
	w->ts_base = take_u32(in);
}

static bool believed(const struct ho_key *key, u32 rcv_isn, u32 isn,
		     const siphash_key_t *mac)
{
	struct ho_req said = {};

	if (!ho_cookie_check(key, rcv_isn, isn, mac, &said))
		return false;
	/* whatever is believed is what would have been sent */
	CHECK(said.rcv_isn == rcv_isn && said.snt_isn == isn);
	CHECK(said.mss && said.snd_wscale <= 14);
	CHECK(said.wscale_ok || !said.snd_wscale);
	CHECK(ho_cookie_isn(key, &said, mac) == isn);
	return true;
}

/* The ISN brings back all but the exact MSS, which is one of eight steps. */
static void check_isn(const struct world *w, struct ho_req *said)
{
	u32 isn = ho_cookie_isn(&w->key, &w->req, &w->mac);

	memset(said, 0, sizeof(*said));
	CHECK(isn);
	CHECK(isn == ho_cookie_isn(&w->key, &w->req, &w->mac));
	CHECK(believed(&w->key, w->req.rcv_isn, isn, &w->mac) || isn == 1);
	if (!ho_cookie_check(&w->key, w->req.rcv_isn, isn, &w->mac, said))
		return;
	CHECK(said->wscale_ok == w->req.wscale_ok);
	CHECK(said->snd_wscale == w->req.snd_wscale);
	CHECK(said->sack_ok == w->req.sack_ok);
	/* at or below the client's, where that is one that the stack uses */
	CHECK(said->mss <= w->req.mss || (w->req.mss < 48 && said->mss == 48));
	CHECK(!said->ecn_ok);
}

/* One bit of anything that the MAC covers, counted through all of it. */
static bool forged(const struct world *w, u32 isn, size_t bit)
{
	struct world other = *w;
	struct { u8 *p; size_t bits; } parts[] = {
		{ (u8 *)&other.key, sizeof(other.key) * 8 },
		{ (u8 *)&other.mac, sizeof(other.mac) * 8 },
		{ (u8 *)&other.req.rcv_isn, 32 },
		{ (u8 *)&isn + 1, 24 },		/* its low byte is data */
	};
	size_t i;

	if (key_bit_is_constant(&w->key, bit))
		return false;
	for (i = 0; bit >= parts[i].bits; i++)
		bit -= parts[i].bits;
	parts[i].p[bit / 8] ^= 1 << bit % 8;
	return believed(&other.key, other.req.rcv_isn, isn, &other.mac);
}

static void check_forged(const struct world *w, u32 first)
{
	u32 isn = ho_cookie_isn(&w->key, &w->req, &w->mac);
	const size_t bits = sizeof(w->key) * 8 + sizeof(w->mac) * 8 + 32 + 24;
	unsigned int n = 0;
	u32 i;

	for (i = 0; i < FORGERIES; i++)
		n += forged(w, isn, (first + i * 61) % bits);
	CHECK(n <= BELIEVED_MAX);
	for (n = 0, i = 1; i < DATA_FORGERIES; i++)
		n += believed(&w->key, w->req.rcv_isn, isn ^ i, &w->mac);
	CHECK(n <= BELIEVED_DATA_MAX);
}

/* Any number at all: believed or not, nothing else happens. */
static void check_echo(const struct world *w, u32 tsecr, u32 now)
{
	struct ho_req said = w->req, before = w->req;
	s32 age = 12345;

	said.ecn_ok = 0;
	before.ecn_ok = 0;
	if (!ho_cookie_ts_read(&w->key, &said, tsecr, now, w->ts_base, &age)) {
		CHECK(age == 12345);
		CHECK(!memcmp(&said, &before, sizeof(said)));
		return;
	}
	CHECK(age >= AGE_FIRST && age <= (int)HO_COOKIE_AGE_MAX_MS);
	CHECK(said.mss >= before.mss);
	CHECK(ho_cookie_ts_off(&w->key, &said, w->ts_base) + now - age ==
	      tsecr);
}

/* The timestamp brings the exact MSS and ECN, and when it was sent. */
static void check_timestamp(const struct world *w, const struct ho_req *isn,
			    u32 now, s32 age)
{
	u32 off = ho_cookie_ts_off(&w->key, &w->req, w->ts_base);
	struct ho_req said = *isn;
	s32 read = 0;
	bool ok = ho_cookie_ts_read(&w->key, &said, off + now - age, now,
				    w->ts_base, &read);

	if (!isn->mss)		/* the ISN was no cookie */
		return;
	CHECK(ok == (age <= (int)HO_COOKIE_AGE_MAX_MS));
	if (!ok)
		return;
	CHECK(read == age);
	CHECK(said.ecn_ok == w->req.ecn_ok);
	CHECK(said.mss == w->req.mss || w->req.mss < 48 ||
	      w->req.mss - isn->mss > 8191);
	CHECK(said.mss >= isn->mss && said.snd_wscale == isn->snd_wscale);
}

int fuzz_one(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct ho_req said;
	struct world w = {};
	u32 now, span;
	s32 age;

	take_world(&in, &w);
	now = take_u32(&in);
	span = AGE_READ_MAX - AGE_FIRST + 1;
	age = (s32)(take_u32(&in) % span) + AGE_FIRST;
	check_isn(&w, &said);
	check_forged(&w, take_u16(&in));
	check_timestamp(&w, &said, now, age);
	check_timestamp(&w, &said, now, AGE_FIRST);
	check_timestamp(&w, &said, now, HO_COOKIE_AGE_MAX_MS);
	check_timestamp(&w, &said, now, HO_COOKIE_AGE_MAX_MS + 1);
	check_timestamp(&w, &said, now, AGE_READ_MAX);
	believed(&w.key, take_u32(&in), take_u32(&in), &w.mac);
	check_echo(&w, take_u32(&in), now);
	return 0;
}
