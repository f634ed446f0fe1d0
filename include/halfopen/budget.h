/* SPDX-License-Identifier: GPL-2.0 */
/* A hard cap on entries or bytes without a counter that every CPU writes. */
#ifndef _HALFOPEN_BUDGET_H
#define _HALFOPEN_BUDGET_H

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/types.h>

/**
 * struct ho_budget - how many entries or bytes are in use
 * @used: in use, plus what CPUs hold in advance
 * @batch: the most that a CPU holds in advance
 * @keep: the same under the cap that was last seen: all CPUs together hold an
 *	eighth of it at most
 * @credit: what each CPU holds in advance
 */
struct ho_budget {
	atomic_t used;
	u32 batch;
	u32 keep;
	atomic_t __percpu *credit;
};

/**
 * ho_budget_init() - start at 0, with credits of the caller
 * @budget: the budget
 * @credit: one a CPU, all 0
 * @batch: the most that a CPU holds in advance
 *
 * Context: any.
 */
void ho_budget_init(struct ho_budget *budget, atomic_t __percpu *credit,
		    u32 batch);

/**
 * ho_budget_alloc() - start at 0, with credits of its own
 * @budget: the budget
 * @batch: the most that a CPU holds in advance
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ho_budget_alloc(struct ho_budget *budget, u32 batch);

/**
 * ho_budget_free() - free what ho_budget_alloc() allocated
 * @budget: the budget
 *
 * Context: process; nobody else uses it any more.
 */
void ho_budget_free(struct ho_budget *budget);

/**
 * ho_budget_reserve() - reserve room
 * @budget: the budget
 * @n: how much
 * @max: the cap
 *
 * Never lets more than @max be reserved, and refuses only when @n more would
 * be: before it does, it takes back what other CPUs hold in advance.
 *
 * Context: BH disabled.
 * Return: true if there was room.
 */
bool ho_budget_reserve(struct ho_budget *budget, u32 n, u32 max);

/**
 * ho_budget_take() - reserve room whatever the cap
 * @budget: the budget
 * @n: how much
 *
 * Context: any.
 */
void ho_budget_take(struct ho_budget *budget, u32 n);

/**
 * ho_budget_release() - give room back
 * @budget: the budget
 * @n: how much
 *
 * Context: BH disabled.
 */
void ho_budget_release(struct ho_budget *budget, u32 n);

/**
 * ho_budget_count() - what is in use
 * @budget: the budget
 *
 * Context: any; touches every CPU's line, not for the packet path.
 * Return: entries or bytes; exact while nothing changes.
 */
u32 ho_budget_count(const struct ho_budget *budget);

/**
 * ho_budget_upper() - at least what is in use
 * @budget: the budget
 *
 * Context: any, cheap.
 * Return: up to a batch a CPU too much; 0 only if nothing is in use.
 */
static inline u32 ho_budget_upper(const struct ho_budget *budget)
{
	return atomic_read(&budget->used);
}

#endif /* _HALFOPEN_BUDGET_H */
