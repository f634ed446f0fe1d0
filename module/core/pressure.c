// SPDX-License-Identifier: GPL-2.0
/* Watermarks: when a table is under pressure, and what that changes. */
#include <halfopen/pressure.h>

#include <linux/compiler.h>
#include <linux/limits.h>

#include <halfopen/limits.h>

enum ho_pressure ho_pressure_level(u32 used, u32 max,
				   const struct ho_watermarks *marks)
{
	u64 percent = (u64)used * 100;

	if (!max || percent > (u64)max * READ_ONCE(marks->high_pct))
		return HO_PRESSURE_HIGH;
	if (percent > (u64)max * READ_ONCE(marks->low_pct))
		return HO_PRESSURE_LOW;
	return HO_PRESSURE_NONE;
}

bool ho_pressure_next(bool on, enum ho_pressure level)
{
	return level == HO_PRESSURE_HIGH ||
	       (on && level != HO_PRESSURE_NONE);
}

u32 ho_pressure_retrans_max(enum ho_pressure level)
{
	switch (level) {
	case HO_PRESSURE_NONE:
		break;
	case HO_PRESSURE_LOW:
		return HO_SYNACKS_LOW_MAX - 1;
	case HO_PRESSURE_HIGH:
		return HO_SYNACKS_HIGH_MAX - 1;
	}
	return U32_MAX;
}
