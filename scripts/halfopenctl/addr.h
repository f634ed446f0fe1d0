/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses and prefixes: 16 bytes, IPv4 as ::ffff:a.b.c.d. */
#ifndef ADDR_H
#define ADDR_H

#include <linux/types.h>
#include <stdbool.h>
#include <string.h>

struct prefix {
	__u8 addr[16];
	unsigned int len;	/* bits of all 128 */
};

static inline bool addr_is_v4(const __u8 *addr)
{
	static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(addr, mapped, sizeof(mapped));
}

/* "192.0.2.0/24", "2001:db8::1", "[2001:db8::1]"; OPTION is for messages. */
void prefix_parse(const char *option, const char *text, struct prefix *prefix);
bool prefix_has(const struct prefix *prefix, const __u8 *addr);
/* Clear what is behind LEN bits. */
void addr_mask(__u8 *addr, unsigned int len);
/* ADDRESS/LENGTH into TEXT, 64 bytes. */
void prefix_text(const __u8 *addr, unsigned int len, char *text);

#endif
