/* SPDX-License-Identifier: GPL-2.0 */
/* What an administrator should do. */
#ifndef ADVICE_H
#define ADVICE_H

#include <linux/types.h>

#include "prefix.h"
#include "snap.h"

/* SAY gets one sentence at a time; ACKED by port. */
void advise(const struct snap *snap, const struct sources *sources,
	    const __u32 *acked, void (*say)(const char *sentence));

#endif
