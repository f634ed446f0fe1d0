// SPDX-License-Identifier: GPL-2.0
/*
 * A hard cap on entries or bytes without a counter that every CPU writes.
 *
 * A CPU takes room from the common counter in batches and hands it out from a
 * credit of its own; what it gets back goes into that credit first.  Batches
 * shrink as the cap comes near.  used = handed out + credits <= cap holds at
 * every moment, so the cap is hard; and because a CPU that finds no room takes
 * all credits back before it gives up, it is also reached exactly.
 */
#include <halfopen/budget.h>

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/percpu.h>

void ho_budget_init(struct ho_budget *budget, atomic_t __percpu *credit,
		    u32 batch)
{
	atomic_set(&budget->used, 0);
	budget->credit = credit;
	budget->batch = batch;
	budget->keep = 0;
}

int ho_budget_alloc(struct ho_budget *budget, u32 batch)
{
	ho_budget_init(budget, alloc_percpu(atomic_t), batch);
	return budget->credit ? 0 : -ENOMEM;
}

void ho_budget_free(struct ho_budget *budget)
{
	free_percpu(budget->credit);
}

static bool take(atomic_t *credit, u32 n)
{
	int have = atomic_read(credit);

	do {
		if (have < (int)n)
			return false;
	} while (!atomic_try_cmpxchg(credit, &have, have - (int)n));
	return true;
}

/* @n for the caller, and a batch into the credit of this CPU. */
static bool grab(struct ho_budget *budget, atomic_t *credit, u32 n, u32 max)
{
	u32 keep = min(budget->batch, max / (8 * num_possible_cpus()));
	int used = atomic_read(&budget->used);
	u32 batch;

	if (READ_ONCE(budget->keep) != keep)
		WRITE_ONCE(budget->keep, keep);
	do {
		if ((u32)used > max || max - used < n)
			return false;
		batch = min((max - used - n) / (4 * num_possible_cpus()),
			    keep);
	} while (!atomic_try_cmpxchg(&budget->used, &used, used + n + batch));

	atomic_add(batch, credit);
	return true;
}

static void reclaim(struct ho_budget *budget)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		atomic_t *credit = per_cpu_ptr(budget->credit, cpu);

		if (atomic_read(credit))
			atomic_sub(atomic_xchg(credit, 0), &budget->used);
	}
}

bool ho_budget_reserve(struct ho_budget *budget, u32 n, u32 max)
{
	atomic_t *credit = this_cpu_ptr(budget->credit);

	if ((u32)atomic_read(&budget->used) <= max && take(credit, n))
		return true;
	if (grab(budget, credit, n, max))
		return true;
	reclaim(budget);
	return grab(budget, credit, n, max);
}

void ho_budget_take(struct ho_budget *budget, u32 n)
{
	atomic_add(n, &budget->used);
}

void ho_budget_release(struct ho_budget *budget, u32 n)
{
	atomic_t *credit = this_cpu_ptr(budget->credit);

	if (atomic_read(credit) + n <= READ_ONCE(budget->keep))
		atomic_add(n, credit);
	else
		atomic_sub(n, &budget->used);
}

u32 ho_budget_count(const struct ho_budget *budget)
{
	int count = atomic_read(&budget->used);
	int cpu;

	for_each_possible_cpu(cpu)
		count -= atomic_read(per_cpu_ptr(budget->credit, cpu));
	return max(count, 0);
}
