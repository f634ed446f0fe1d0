// SPDX-License-Identifier: GPL-2.0
/* Addresses and prefixes. */
#include "addr.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "out.h"
#include "util.h"

void addr_mask(__u8 *addr, unsigned int len)
{
	unsigned int byte = len / 8;

	if (byte >= 16)
		return;
	addr[byte] &= 0xff00 >> len % 8;
	memset(addr + byte + 1, 0, 15 - byte);
}

bool prefix_has(const struct prefix *prefix, const __u8 *addr)
{
	unsigned int bytes = prefix->len / 8, bits = prefix->len % 8;

	if (memcmp(addr, prefix->addr, bytes))
		return false;
	return !bits ||
	       !((addr[bytes] ^ prefix->addr[bytes]) & (0xff00 >> bits & 0xff));
}

void prefix_text(const __u8 *addr, unsigned int len, char *text)
{
	char *end = put_addr(text, addr);

	*end++ = '/';
	end = put_u32(end, addr_is_v4(addr) ? len - 96 : len);
	*end = '\0';
}

void prefix_parse(const char *option, const char *text, struct prefix *prefix)
{
	char addr[64];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	unsigned int skip = 0, bits;
	__u64 value;

	/* as list shows them */
	if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= sizeof(addr))
		goto bad;
	memcpy(addr, text, len);
	addr[len] = '\0';
	memset(prefix->addr, 0, sizeof(prefix->addr));
	if (inet_pton(AF_INET, addr, prefix->addr + 12) == 1) {
		memset(prefix->addr + 10, 0xff, 2);
		skip = 96;
	} else if (inet_pton(AF_INET6, addr, prefix->addr) != 1) {
		goto bad;
	}
	bits = 128 - skip;
	if (slash) {
		if (!parse_u64(slash + 1, 0, bits, &value))
			usage_error("%s: a prefix length is a number from 0 to %u, not '%.32s'",
				    option, bits, slash + 1);
		bits = value;
	}
	prefix->len = skip + bits;
	addr_mask(prefix->addr, prefix->len);
	return;

bad:
	usage_error("%s: '%.64s' is no IP address and no prefix", option,
		    text);
}
