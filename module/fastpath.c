// SPDX-License-Identifier: GPL-2.0
/*
 * net.halfopen.fastpath: which devices answer SYNs themselves.
 *
 * The list has names: a device takes part while it is in the namespace under
 * one of them, whenever it comes, whatever it was called before.  All of it is
 * under RTNL, as are the notifications.
 *
 * The hook comes after all other rules at the device (ingress chains), and
 * holds no reference to it: it is taken away when the device is unregistered,
 * which is what leaving a namespace begins with, too.
 */
#include <halfopen/fastpath.h>

#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include <halfopen/fast.h>
#include <halfopen/net.h>

/**
 * struct ho_fastdev - a device that is named
 * @list: of the namespace
 * @name: its name
 * @ops: its hook; ops.dev is NULL while there is no such device
 * @rcu: whoever lists hooks may still look at @ops
 */
struct ho_fastdev {
	struct list_head list;
	char name[IFNAMSIZ];
	struct nf_hook_ops ops;
	struct rcu_head rcu;
};

static int hook(struct ho_fastdev *fdev, struct net_device *dev)
{
	int err;

	fdev->ops.hook = ho_fast_hook;
	fdev->ops.pf = NFPROTO_NETDEV;
	fdev->ops.hooknum = NF_NETDEV_INGRESS;
	fdev->ops.priority = INT_MAX;
	fdev->ops.dev = dev;
	err = nf_register_net_hook(dev_net(dev), &fdev->ops);
	if (err)
		fdev->ops.dev = NULL;
	return err;
}

static void unhook(struct ho_fastdev *fdev)
{
	struct net_device *dev = fdev->ops.dev;

	if (!dev)
		return;
	nf_unregister_net_hook(dev_net(dev), &fdev->ops);
	fdev->ops.dev = NULL;
}

static void free_devices(struct list_head *devices)
{
	struct ho_fastdev *fdev, *next;

	list_for_each_entry_safe(fdev, next, devices, list) {
		unhook(fdev);
		list_del(&fdev->list);
		kfree_rcu(fdev, rcu);
	}
}

static struct ho_fastdev *find_name(const struct list_head *devices,
				    const char *name)
{
	struct ho_fastdev *fdev;

	list_for_each_entry(fdev, devices, list)
		if (!strcmp(fdev->name, name))
			return fdev;
	return NULL;
}

static int add_name(struct list_head *devices, const char *name)
{
	struct ho_fastdev *fdev;

	if (!dev_valid_name(name))
		return -EINVAL;
	if (find_name(devices, name))
		return 0;
	fdev = kzalloc(sizeof(*fdev), GFP_KERNEL);
	if (!fdev)
		return -ENOMEM;
	strscpy(fdev->name, name, sizeof(fdev->name));
	list_add_tail(&fdev->list, devices);
	return 0;
}

static int parse(struct list_head *devices, char *text)
{
	unsigned int nr = 0;
	char *name;
	int err;

	while ((name = strsep(&text, " ,\t\n"))) {
		if (!*name)
			continue;
		if (++nr > HO_FASTPATH_DEVICES)
			return -E2BIG;
		err = add_name(devices, name);
		if (err)
			return err;
	}
	return 0;
}

static int hook_all(struct net *net, struct list_head *devices)
{
	struct ho_fastdev *fdev;
	int err;

	list_for_each_entry(fdev, devices, list) {
		struct net_device *dev = __dev_get_by_name(net, fdev->name);

		if (!dev)
			continue;
		err = hook(fdev, dev);
		if (err)
			return err;
	}
	return 0;
}

void ho_fastpath_show(struct ho_net *hn, char *text)
{
	struct ho_fastdev *fdev;
	size_t len = 0;

	text[0] = '\0';
	rtnl_lock();
	list_for_each_entry(fdev, &hn->fastpath.devices, list)
		len += scnprintf(text + len, HO_FASTPATH_TEXT - len, "%s%s",
				 len ? " " : "", fdev->name);
	rtnl_unlock();
}

int ho_fastpath_set(struct ho_net *hn, char *text)
{
	LIST_HEAD(devices);
	LIST_HEAD(old);
	int err;

	err = parse(&devices, text);
	if (!err && !IS_ENABLED(CONFIG_NETFILTER_INGRESS) &&
	    !list_empty(&devices))
		err = -EOPNOTSUPP;
	rtnl_lock();
	if (!err && hn->fastpath.stopped)
		err = -ENODEV;
	/* for a moment some have two hooks: the first one takes all */
	if (!err)
		err = hook_all(hn->net, &devices);
	if (!err) {
		list_splice_init(&hn->fastpath.devices, &old);
		list_splice_init(&devices, &hn->fastpath.devices);
	}
	free_devices(&old);
	free_devices(&devices);
	rtnl_unlock();
	return err;
}

static void device_appears(struct ho_net *hn, struct net_device *dev)
{
	struct ho_fastdev *fdev = find_name(&hn->fastpath.devices, dev->name);

	if (fdev && !fdev->ops.dev && hook(fdev, dev))
		netdev_warn(dev, "halfopen: no memory for the fast path\n");
}

static void device_goes(struct ho_net *hn, const struct net_device *dev)
{
	struct ho_fastdev *fdev;

	list_for_each_entry(fdev, &hn->fastpath.devices, list)
		if (fdev->ops.dev == dev)
			unhook(fdev);
}

static int ho_fastpath_event(struct notifier_block *nb, unsigned long event,
			     void *ptr)
{
	struct ho_net *hn = container_of(nb, struct ho_net, fastpath.nb);
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);

	if (hn->fastpath.stopped)
		return NOTIFY_DONE;
	switch (event) {
	case NETDEV_CHANGENAME:
		device_goes(hn, dev);
		fallthrough;
	case NETDEV_REGISTER:
		device_appears(hn, dev);
		break;
	case NETDEV_UNREGISTER:
		device_goes(hn, dev);
		break;
	}
	return NOTIFY_DONE;
}

int ho_fastpath_net_init(struct ho_net *hn)
{
	INIT_LIST_HEAD(&hn->fastpath.devices);
	hn->fastpath.stopped = false;
	hn->fastpath.nb = (struct notifier_block) {
		.notifier_call = ho_fastpath_event,
	};
	return register_netdevice_notifier_net(hn->net, &hn->fastpath.nb);
}

void ho_fastpath_net_stop(struct ho_net *hn)
{
	rtnl_lock();
	hn->fastpath.stopped = true;
	free_devices(&hn->fastpath.devices);
	rtnl_unlock();
	unregister_netdevice_notifier_net(hn->net, &hn->fastpath.nb);
}
