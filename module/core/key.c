// SPDX-License-Identifier: GPL-2.0
/* Build, compare and hash the identity of a connection. */
#include <halfopen/key.h>

#include <linux/string.h>

void ho_key_set_v4(struct ho_key *key, __be32 raddr, __be32 laddr)
{
	const struct in6_addr mapped = {
		.s6_addr32 = { 0, 0, cpu_to_be32(0xffff), 0 },
	};

	key->raddr = mapped;
	key->raddr.s6_addr32[3] = raddr;
	key->laddr = mapped;
	key->laddr.s6_addr32[3] = laddr;
}

bool ho_key_equal(const struct ho_key *a, const struct ho_key *b)
{
	return a->rport == b->rport && a->lport == b->lport &&
	       a->iif == b->iif &&
	       !memcmp(&a->raddr, &b->raddr, sizeof(a->raddr)) &&
	       !memcmp(&a->laddr, &b->laddr, sizeof(a->laddr));
}

u64 ho_key_hash(const struct ho_key *key, const siphash_key_t *secret)
{
	/* hashed as bytes: no padding may take part */
	static_assert(sizeof(*key) == 2 * sizeof(struct in6_addr) + 8);

	if (ho_key_is_v4(key) && !key->iif)
		return siphash_3u32((__force u32)key->raddr.s6_addr32[3],
				    (__force u32)key->laddr.s6_addr32[3],
				    (__force u32)key->rport << 16 |
				    (__force u32)key->lport, secret);

	return siphash(key, sizeof(*key), secret);
}
