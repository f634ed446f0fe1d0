/* SPDX-License-Identifier: GPL-2.0 */
/* Watermarks: when a table is under pressure, and what that changes. */
#ifndef _HALFOPEN_PRESSURE_H
#define _HALFOPEN_PRESSURE_H

#include <linux/types.h>

enum ho_pressure {
	HO_PRESSURE_NONE,
	HO_PRESSURE_LOW,	/* above the low watermark */
	HO_PRESSURE_HIGH,	/* above the high one */
};

/**
 * struct ho_watermarks - percent of a limit
 * @low_pct: below it pressure is over
 * @high_pct: above it pressure begins
 */
struct ho_watermarks {
	unsigned int low_pct;
	unsigned int high_pct;
};

/**
 * ho_pressure_level() - how full something is
 * @used: entries
 * @max: its limit; with 0 it is always full
 * @marks: watermarks
 *
 * Context: any.
 * Return: the level.
 */
enum ho_pressure ho_pressure_level(u32 used, u32 max,
				   const struct ho_watermarks *marks);

/**
 * ho_pressure_next() - the state with hysteresis
 * @on: pressure so far
 * @level: how full it is
 *
 * Context: any.
 * Return: pressure from now on.
 */
bool ho_pressure_next(bool on, enum ho_pressure level);

/**
 * ho_pressure_retrans_max() - SYN-ACKs that a SYN may cause beyond the first
 * @level: how full the table is
 *
 * Every SYN-ACK to a spoofed source is abuse of its owner: as natively when
 * quiet, three in all above the low watermark, one above the high one.
 *
 * Context: any.
 * Return: retransmissions, U32_MAX for any number.
 */
u32 ho_pressure_retrans_max(enum ho_pressure level);

#endif /* _HALFOPEN_PRESSURE_H */
