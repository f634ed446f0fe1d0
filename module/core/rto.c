// SPDX-License-Identifier: GPL-2.0
/* Backoff, expiry and the rate limit of answers. */
#include <halfopen/rto.h>

#include <linux/limits.h>
#include <linux/math.h>
#include <linux/minmax.h>

enum {
	OOW_SHIFT		= 5,	/* a stamp counts 32 ms */
	OOW_LIMIT_MAX_MS	= 128 << OOW_SHIFT,	/* half its range */
};

u32 ho_rto_ms(u32 init_ms, u32 max_ms, unsigned int n)
{
	return min_t(u64, (u64)init_ms << min_t(unsigned int, n, 31), max_ms);
}

u32 ho_rto_lifetime_ms(u32 init_ms, u32 max_ms, unsigned int retries)
{
	u32 sum = 0;
	unsigned int n;

	for (n = 0; n <= retries; n++)
		sum += ho_rto_ms(init_ms, max_ms, n);
	return sum;
}

enum ho_rto_action ho_rto_decide(unsigned int timeouts, unsigned int retries,
				 bool hold)
{
	if (timeouts >= retries)
		return HO_RTO_EXPIRE;
	return hold ? HO_RTO_HOLD : HO_RTO_RESEND;
}

void ho_oow_age(struct ho_req *req, u32 now_ms)
{
	u8 age = (now_ms >> OOW_SHIFT) - req->oow;

	if (age > OOW_LIMIT_MAX_MS >> OOW_SHIFT)
		req->oow = 0;
}

bool ho_oow_allow(struct ho_req *req, u32 now_ms, u32 limit_ms)
{
	u32 limit = DIV_ROUND_UP(min_t(u32, limit_ms, OOW_LIMIT_MAX_MS),
				 1 << OOW_SHIFT);
	u8 now = now_ms >> OOW_SHIFT;

	/* the stamp may be of the end of its step, and now of the beginning */
	if (limit && req->oow && (u8)(now - req->oow) <= limit)
		return false;
	/* 0 means never; the stamp must lie in the past, not in the future */
	req->oow = now ? now : U8_MAX;
	return true;
}
