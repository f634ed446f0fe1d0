/* SPDX-License-Identifier: GPL-2.0 */
/* A hard cap on entries without a counter that every CPU writes. */
#ifndef _HALFOPEN_BUDGET_H
#define _HALFOPEN_BUDGET_H

#include <linux/atomic.h>
#include <linux/percpu-defs.h>
#include <linux/types.h>

/**
 * struct ho_budget - how many entries exist
 * @used: entries that exist, plus what CPUs hold in advance
 * @credit: what each CPU holds in advance
 */
struct ho_budget {
	atomic_t used;
	atomic_t __percpu *credit;
};

/**
 * ho_budget_init() - start at 0
 * @budget: the budget
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ho_budget_init(struct ho_budget *budget);

/**
 * ho_budget_exit() - free what ho_budget_init() allocated
 * @budget: the budget
 *
 * Context: process; nobody else uses it any more.
 */
void ho_budget_exit(struct ho_budget *budget);

/**
 * ho_budget_reserve() - reserve room for one entry
 * @budget: the budget
 * @max: the cap, entries
 *
 * Never lets more than @max be reserved, and refuses only when that many are:
 * before it does, it takes back what other CPUs hold in advance.
 *
 * Context: BH disabled.
 * Return: true if there was room.
 */
bool ho_budget_reserve(struct ho_budget *budget, u32 max);

/**
 * ho_budget_release() - give back the room of one entry
 * @budget: the budget
 *
 * Context: BH disabled.
 */
void ho_budget_release(struct ho_budget *budget);

/**
 * ho_budget_count() - entries that exist
 * @budget: the budget
 *
 * Context: any; touches every CPU's line, not for the packet path.
 * Return: entries; exact while nothing changes.
 */
u32 ho_budget_count(const struct ho_budget *budget);

/**
 * ho_budget_upper() - at least as many as there are entries
 * @budget: the budget
 *
 * Context: any, cheap.
 * Return: entries, up to HO_CREDIT_BATCH a CPU too many; 0 only if there are
 * none.
 */
static inline u32 ho_budget_upper(const struct ho_budget *budget)
{
	return atomic_read(&budget->used);
}

#endif /* _HALFOPEN_BUDGET_H */
