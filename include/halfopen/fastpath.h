/* SPDX-License-Identifier: GPL-2.0 */
/* net.halfopen.fastpath: which devices answer SYNs themselves. */
#ifndef _HALFOPEN_FASTPATH_H
#define _HALFOPEN_FASTPATH_H

#include <linux/if.h>
#include <linux/list.h>
#include <linux/notifier.h>

struct ho_net;

enum {
	HO_FASTPATH_DEVICES	= 16,
	/* names, each with what separates it from the next */
	HO_FASTPATH_TEXT	= HO_FASTPATH_DEVICES * IFNAMSIZ,
};

/**
 * struct ho_fastpath - the devices of a namespace
 * @devices: struct ho_fastdev in the order given; under RTNL
 * @stopped: the namespace goes
 * @nb: hears of devices
 */
struct ho_fastpath {
	struct list_head devices;
	bool stopped;
	struct notifier_block nb;
};

/**
 * ho_fastpath_show() - the names as they were given
 * @hn: the namespace
 * @text: room for HO_FASTPATH_TEXT bytes; separated by spaces
 *
 * Context: process, may sleep.
 */
void ho_fastpath_show(struct ho_net *hn, char *text);

/**
 * ho_fastpath_set() - from now on these devices and no others
 * @hn: the namespace
 * @text: names, separated by spaces or commas; is changed
 *
 * Those that do not exist take part when they appear.
 *
 * Context: process, may sleep.
 * Return: 0, -EINVAL if that is no name of a device, -E2BIG if there are more
 * than HO_FASTPATH_DEVICES, -EOPNOTSUPP if the kernel has no such hook, -ENODEV
 * if the namespace goes, -ENOMEM; then nothing changed.
 */
int ho_fastpath_set(struct ho_net *hn, char *text);

/**
 * ho_fastpath_net_init() - start with no device, and watch them come and go
 * @hn: the namespace
 *
 * Context: process, may sleep.
 * Return: 0 or -errno.
 */
int ho_fastpath_net_init(struct ho_net *hn);

/**
 * ho_fastpath_net_stop() - undo ho_fastpath_net_init()
 * @hn: the namespace
 *
 * Hooks may still run until the next grace period.
 *
 * Context: process, may sleep.
 */
void ho_fastpath_net_stop(struct ho_net *hn);

#endif /* _HALFOPEN_FASTPATH_H */
