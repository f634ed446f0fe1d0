// SPDX-License-Identifier: GPL-2.0
/* halfopen: the TCP handshake, taken away from the listening socket. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include <halfopen/entry.h>
#include <halfopen/handover.h>
#include <halfopen/limits.h>
#include <halfopen/memory.h>
#include <halfopen/net.h>
#include <halfopen/tx.h>

static unsigned int buckets = HO_BUCKETS_DEF;
module_param(buckets, uint, 0444);
MODULE_PARM_DESC(buckets, "hash chains a namespace (256 to 4194304)");

static unsigned int prealloc;
module_param(prealloc, uint, 0444);
MODULE_PARM_DESC(prealloc, "entries of either size to allocate at load (0 to 4194304)");

static int __init ho_init(void)
{
	int err;

	if (buckets < HO_BUCKETS_MIN || buckets > HO_BUCKETS_MAX) {
		pr_err("halfopen: buckets=%u is not between %u and %u\n",
		       buckets, HO_BUCKETS_MIN, HO_BUCKETS_MAX);
		return -EINVAL;
	}
	if (prealloc > HO_BACKLOG_MAX) {
		pr_err("halfopen: prealloc=%u is more than %u\n", prealloc,
		       HO_BACKLOG_MAX);
		return -EINVAL;
	}
	err = ho_memory_init();
	if (err)
		return err;
	err = ho_entry_init(prealloc);
	if (err)
		goto err_memory;
	ho_tx_init();
	err = ho_net_init(buckets, prealloc);
	if (err)
		goto err_entry;
	return 0;

err_entry:
	ho_entry_exit();
err_memory:
	ho_memory_exit();
	return err;
}

static void __exit ho_exit(void)
{
	ho_net_exit();
	/* the last callback may still be about to return into this text */
	rcu_barrier();
	ho_handover_exit();
	ho_entry_exit();
	ho_memory_exit();
}

module_init(ho_init);
module_exit(ho_exit);

MODULE_AUTHOR("The halfopen developers");
MODULE_DESCRIPTION("TCP half-open connections outside the listening socket");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
