/* SPDX-License-Identifier: GPL-2.0 */
/* What writers of whole frames need: the Internet checksum, a clock. */
#ifndef FRAME_H
#define FRAME_H

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static inline uint32_t csum_add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (; len > 1; len -= 2, p += 2)
		sum += p[0] << 8 | p[1];
	return len ? sum + (p[0] << 8) : sum;
}

/* In host byte order, not complemented: what a device completes. */
static inline uint16_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static inline uint16_t csum_fold(uint32_t sum)
{
	return htons(~sum_fold(sum));
}

#endif
