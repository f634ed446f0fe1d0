/* SPDX-License-Identifier: GPL-2.0 */
/* The cap on bytes, of a namespace and of the host. */
#ifndef _HALFOPEN_MEMORY_H
#define _HALFOPEN_MEMORY_H

#include <halfopen/budget.h>

/**
 * struct ho_memory - what a namespace uses
 * @used: bytes
 * @max_bytes: its cap
 */
struct ho_memory {
	struct ho_budget used;
	unsigned int max_bytes;
};

/**
 * struct ho_host_memory - what all namespaces use together
 * @used: bytes
 * @max_bytes: the cap
 */
extern struct ho_host_memory {
	struct ho_budget used;
	unsigned int max_bytes;
} ho_host_memory;

/**
 * ho_memory_init() - start counting for the host
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ho_memory_init(void);

/**
 * ho_memory_exit() - undo ho_memory_init()
 *
 * Context: process; no namespace counts any more.
 */
void ho_memory_exit(void);

/**
 * ho_memory_net_init() - start counting for a namespace
 * @mem: what it uses
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ho_memory_net_init(struct ho_memory *mem);

/**
 * ho_memory_net_exit() - undo ho_memory_net_init()
 * @mem: what it uses: nothing
 *
 * Context: process.
 */
void ho_memory_net_exit(struct ho_memory *mem);

/**
 * ho_memory_charge() - account for memory before it is allocated
 * @mem: what the namespace uses
 * @bytes: how much
 *
 * Context: BH disabled.
 * Return: false if the namespace or the host would have more than its cap.
 */
bool ho_memory_charge(struct ho_memory *mem, u32 bytes);

/**
 * ho_memory_uncharge() - account for memory after it was freed
 * @mem: what the namespace uses
 * @bytes: how much
 *
 * Context: BH disabled.
 */
void ho_memory_uncharge(struct ho_memory *mem, u32 bytes);

#endif /* _HALFOPEN_MEMORY_H */
