/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Output: one large buffer for stdout.  Lists have a million lines, so numbers
 * and addresses are formatted by hand.
 */
#ifndef OUT_H
#define OUT_H

#include <linux/types.h>
#include <stddef.h>
#include <string.h>

#include "util.h"

enum {
	OUT_SIZE	= 1 << 18,	/* bytes */
	OUT_ADDR_MAX	= 56,		/* bytes of an address and PUT_SPARE */
	PUT_SPARE	= 8,		/* bytes, copied at once */
};

/* Room for LEN bytes, at most OUT_SIZE; out_end() says what was used. */
char *out_begin(size_t len);
void out_end(char *end);

void out_mem(const char *text, size_t len);
void out_str(const char *text);
void out_char(char c);
__printf(1, 2)
void out_fmt(const char *fmt, ...);
/* A failed write ends the program. */
void out_flush(void);
/* Forget what was not written yet. */
void out_discard(void);

/*
 * Each writes to AT and returns the end; PUT_SPARE bytes behind it may be
 * written to as well.
 */
char *put_u32(char *at, __u32 value);
char *put_v4(char *at, const __u8 *addr);
/* In the kernel's form, %pI6c; IPv4 in its own. */
char *put_addr(char *at, const __u8 *addr);

/* Of a literal; its length is known when this is compiled. */
static inline char *put_str(char *at, const char *text)
{
	return (char *)memcpy(at, text, strlen(text)) + strlen(text);
}

/* TEXT has PUT_SPARE bytes behind its end. */
static inline char *put_text(char *at, const char *text, size_t len)
{
	size_t done;

	for (done = 0; done < len; done += PUT_SPARE)
		memcpy(at + done, text + done, PUT_SPARE);
	return at + len;
}

#endif
