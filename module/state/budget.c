// SPDX-License-Identifier: GPL-2.0
/*
 * A hard cap on entries without a counter that every CPU writes.
 *
 * A CPU takes room from the common counter in batches and hands it out from a
 * credit of its own; what it gets back goes into that credit first.  Batches
 * shrink as the cap comes near.  used = entries + credits <= cap holds at every
 * moment, so the cap is hard; and because a CPU that finds no room takes all
 * credits back before it gives up, it is also reached exactly.
 */
#include <halfopen/budget.h>

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/percpu.h>

#include <halfopen/limits.h>

int ho_budget_init(struct ho_budget *budget)
{
	atomic_set(&budget->used, 0);
	budget->credit = alloc_percpu(atomic_t);
	return budget->credit ? 0 : -ENOMEM;
}

void ho_budget_exit(struct ho_budget *budget)
{
	free_percpu(budget->credit);
}

/* One for the caller, the rest of the batch into the credit of this CPU. */
static bool grab(struct ho_budget *budget, atomic_t *credit, u32 max)
{
	int used = atomic_read(&budget->used);
	u32 batch;

	do {
		if ((u32)used >= max)
			return false;
		batch = clamp_t(u32, (max - used) / (4 * num_possible_cpus()),
				1, HO_CREDIT_BATCH);
	} while (!atomic_try_cmpxchg(&budget->used, &used, used + batch));

	atomic_add(batch - 1, credit);
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

bool ho_budget_reserve(struct ho_budget *budget, u32 max)
{
	atomic_t *credit = this_cpu_ptr(budget->credit);

	if ((u32)atomic_read(&budget->used) <= max &&
	    atomic_dec_if_positive(credit) >= 0)
		return true;
	if (grab(budget, credit, max))
		return true;
	reclaim(budget);
	return grab(budget, credit, max);
}

void ho_budget_release(struct ho_budget *budget)
{
	atomic_t *credit = this_cpu_ptr(budget->credit);

	if (atomic_read(credit) < HO_CREDIT_BATCH)
		atomic_inc(credit);
	else
		atomic_dec(&budget->used);
}

u32 ho_budget_count(const struct ho_budget *budget)
{
	int count = atomic_read(&budget->used);
	int cpu;

	for_each_possible_cpu(cpu)
		count -= atomic_read(per_cpu_ptr(budget->credit, cpu));
	return max(count, 0);
}
