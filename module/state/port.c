// SPDX-License-Identifier: GPL-2.0
/*
 * What is known of each local port.
 *
 * An array of all ports, in chunks that are allocated when a SYN first comes
 * for a listener in them and stay until the namespace goes.  Strangers cannot
 * make them grow: it takes somebody who listens.
 */
#include <halfopen/port.h>

#include <linux/limits.h>
#include <linux/math.h>
#include <linux/percpu.h>
#include <linux/slab.h>

/**
 * struct ho_port_chunk - neighbouring ports
 * @cpu: of all of them
 * @port: each
 */
struct ho_port_chunk {
	struct ho_port_cpu __percpu *cpu;
	struct ho_port port[HO_CHUNK_PORTS];
};

static struct ho_port_chunk *alloc_chunk(void)
{
	struct ho_port_chunk *chunk;
	unsigned int i;

	chunk = kzalloc(sizeof(*chunk), GFP_ATOMIC | __GFP_NOWARN);
	if (!chunk)
		return NULL;
	chunk->cpu = __alloc_percpu_gfp(HO_CHUNK_PORTS * sizeof(*chunk->cpu),
					__alignof__(*chunk->cpu),
					GFP_NOWAIT | __GFP_NOWARN);
	if (!chunk->cpu) {
		kfree(chunk);
		return NULL;
	}
	for (i = 0; i < HO_CHUNK_PORTS; i++) {
		struct ho_port *port = &chunk->port[i];

		port->cpu = &chunk->cpu[i];
		ho_budget_init(&port->entries, &port->cpu->credit,
			       HO_CREDIT_BATCH);
	}
	return chunk;
}

static u32 chunk_bytes(void)
{
	return sizeof(struct ho_port_chunk) + num_possible_cpus() *
	       HO_CHUNK_PORTS * sizeof(struct ho_port_cpu);
}

/* BH disabled. */
static void free_chunk(struct ho_port_chunk *chunk, struct ho_memory *mem)
{
	if (chunk) {
		free_percpu(chunk->cpu);
		kfree(chunk);
	}
	ho_memory_uncharge(mem, chunk_bytes());
}

void ho_ports_exit(struct ho_ports *ports, struct ho_memory *mem)
{
	unsigned int i;

	local_bh_disable();
	for (i = 0; i < HO_PORT_CHUNKS; i++) {
		struct ho_port_chunk *chunk;

		chunk = rcu_dereference_raw(ports->chunks[i]);
		if (chunk)
			free_chunk(chunk, mem);
	}
	local_bh_enable();
}

struct ho_port *ho_port_find(const struct ho_ports *ports, __be16 lport)
{
	u16 nr = be16_to_cpu(lport);
	struct ho_port_chunk *chunk;

	/* pairs with cmpxchg() in make_chunk() */
	chunk = rcu_dereference_raw(ports->chunks[nr / HO_CHUNK_PORTS]);
	return chunk ? &chunk->port[nr % HO_CHUNK_PORTS] : NULL;
}

static void make_chunk(struct ho_ports *ports, u32 nr, struct ho_memory *mem)
{
	struct ho_port_chunk *chunk;

	if (!ho_memory_charge(mem, chunk_bytes()))
		return;
	chunk = alloc_chunk();
	/* full barrier: who sees the chunk sees all of it */
	if (!chunk ||
	    cmpxchg((struct ho_port_chunk **)&ports->chunks[nr], NULL, chunk))
		free_chunk(chunk, mem);
}

struct ho_port *ho_port_make(struct ho_ports *ports, __be16 lport,
			     struct ho_memory *mem)
{
	struct ho_port *port = ho_port_find(ports, lport);

	if (likely(port))
		return port;
	make_chunk(ports, be16_to_cpu(lport) / HO_CHUNK_PORTS, mem);
	return ho_port_find(ports, lport);
}

struct ho_port *ho_port_next(const struct ho_ports *ports, u32 *nr)
{
	while (*nr <= U16_MAX) {
		struct ho_port *port = ho_port_find(ports, cpu_to_be16(*nr));

		if (port)
			return port;
		*nr = round_up(*nr + 1, HO_CHUNK_PORTS);
	}
	return NULL;
}

u32 ho_port_syns(const struct ho_port *port)
{
	u32 syns = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		syns += READ_ONCE(per_cpu_ptr(port->cpu, cpu)->syns);
	return syns;
}
