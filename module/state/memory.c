// SPDX-License-Identifier: GPL-2.0
/*
 * The cap on bytes, of a namespace and of the host.
 *
 * Everything that a packet can make halfopen allocate is charged here first:
 * entries, from before they are allocated until their grace period is over,
 * segments that wait, and the chunks of arrays that grow on demand.  Two caps,
 * both hard and exact (budget.c).
 */
#include <halfopen/memory.h>

#include <halfopen/limits.h>

struct ho_host_memory ho_host_memory = {
	.max_bytes = HO_HOST_MEMORY_DEF,
};

int ho_memory_init(void)
{
	return ho_budget_alloc(&ho_host_memory.used, HO_CREDIT_BYTES);
}

void ho_memory_exit(void)
{
	ho_budget_free(&ho_host_memory.used);
}

int ho_memory_net_init(struct ho_memory *mem)
{
	return ho_budget_alloc(&mem->used, HO_CREDIT_BYTES);
}

void ho_memory_net_exit(struct ho_memory *mem)
{
	ho_budget_free(&mem->used);
}

bool ho_memory_charge(struct ho_memory *mem, u32 bytes)
{
	if (!ho_budget_reserve(&mem->used, bytes, READ_ONCE(mem->max_bytes)))
		return false;
	if (ho_budget_reserve(&ho_host_memory.used, bytes,
			      READ_ONCE(ho_host_memory.max_bytes)))
		return true;
	ho_budget_release(&mem->used, bytes);
	return false;
}

void ho_memory_uncharge(struct ho_memory *mem, u32 bytes)
{
	ho_budget_release(&ho_host_memory.used, bytes);
	ho_budget_release(&mem->used, bytes);
}
