// SPDX-License-Identifier: GPL-2.0
/* Output: one large buffer, numbers and addresses by hand. */
#include "out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addr.h"
#include "util.h"

static char buf[OUT_SIZE];
static size_t used;

void out_flush(void)
{
	size_t at = 0;
	ssize_t put;

	while (at < used) {
		put = write(STDOUT_FILENO, buf + at, used - at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0) {
			used = 0;
			/* who reads no more knows why */
			if (errno == EPIPE)
				exit(EXIT_FAILED);
			fprintf(stderr,
				"halfopenctl: cannot write the output: %s\n",
				strerror(errno));
			exit(errors_are_unknown ? CHECK_UNKNOWN : EXIT_FAILED);
		}
		at += put;
	}
	used = 0;
}

void out_discard(void)
{
	used = 0;
}

char *out_begin(size_t len)
{
	if (OUT_SIZE - used < len)
		out_flush();
	return buf + used;
}

void out_end(char *end)
{
	used = end - buf;
}

void out_mem(const char *text, size_t len)
{
	size_t part;

	for (; len; len -= part, text += part) {
		if (used == OUT_SIZE)
			out_flush();
		part = OUT_SIZE - used;
		if (part > len)
			part = len;
		memcpy(buf + used, text, part);
		used += part;
	}
}

void out_str(const char *text)
{
	out_mem(text, strlen(text));
}

void out_char(char c)
{
	out_mem(&c, 1);
}

void out_fmt(const char *fmt, ...)
{
	char text[4096];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (len < 0)
		return;
	out_mem(text, (size_t)len < sizeof(text) ? (size_t)len :
						  sizeof(text) - 1);
}

/* "0000" to "9999", and "0." to "255." with their lengths. */
static char quads[10001][4];
static char octets[256][4];
static __u8 octet_len[256];

__attribute__((constructor))
static void make_tables(void)
{
	char text[16];
	int i;

	for (i = 0; i < 10000; i++) {
		quads[i][0] = '0' + i / 1000;
		quads[i][1] = '0' + i / 100 % 10;
		quads[i][2] = '0' + i / 10 % 10;
		quads[i][3] = '0' + i % 10;
	}
	for (i = 0; i < 256; i++) {
		octet_len[i] = snprintf(text, sizeof(text), "%d.", i);
		memcpy(octets[i], text, 4);
	}
}

char *put_u32(char *at, __u32 value)
{
	unsigned int skip, low;

	if (value >= 10000) {
		low = value % 10000;
		at = put_u32(at, value / 10000);
		memcpy(at, quads[low], 4);
		return at + 4;
	}
	skip = (value < 1000) + (value < 100) + (value < 10);
	/* what is behind its digits does not matter */
	memcpy(at, (const char *)quads + 4 * value + skip, 4);
	return at + 4 - skip;
}

char *put_v4(char *at, const __u8 *addr)
{
	int i;

	for (i = 0; i < 4; i++) {
		memcpy(at, octets[addr[i]], 4);
		at += octet_len[addr[i]];
	}
	/* the last dot is none */
	return at - 1;
}

static char *put_hex(char *at, unsigned int word)
{
	static const char digits[] = "0123456789abcdef";
	int shift = 12;

	while (shift && !(word >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*at++ = digits[word >> shift & 15];
	return at;
}

/* RFC 5214: the kernel writes its last four bytes as IPv4. */
static bool is_isatap(const __u8 *addr)
{
	return (addr[8] | 2) == 2 && !addr[9] && addr[10] == 0x5e &&
	       addr[11] == 0xfe;
}

/* The first of the longest runs of zeros, two at least. */
static int longest_zeros(const unsigned int *word, int words, int *length)
{
	int at, run, best = -1;

	*length = 1;
	for (at = 0; at < words; at += run + 1) {
		for (run = 0; at + run < words && !word[at + run]; run++)
			;
		if (run > *length) {
			*length = run;
			best = at;
		}
	}
	return best;
}

static char *put_v6(char *at, const __u8 *addr)
{
	int words = is_isatap(addr) ? 6 : 8;
	int i, gap, gap_len;
	unsigned int word[8];

	for (i = 0; i < 8; i++)
		word[i] = addr[2 * i] << 8 | addr[2 * i + 1];
	gap = longest_zeros(word, words, &gap_len);
	for (i = 0; i < words; i++) {
		if (i == gap) {
			*at++ = ':';
			if (!i)
				*at++ = ':';
			i += gap_len - 1;
			continue;
		}
		at = put_hex(at, word[i]);
		if (i < 7)
			*at++ = ':';
	}
	return words == 8 ? at : put_v4(at, addr + 12);
}

char *put_addr(char *at, const __u8 *addr)
{
	return addr_is_v4(addr) ? put_v4(at, addr + 12) : put_v6(at, addr);
}
