// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks only where they are needed.
 *
 * Every packet pays for a hook, and most for the first one.  A namespace in
 * mode 0 has none once nobody depends on them: then its packets cost what they
 * cost without the module.
 */
#include <halfopen/standby.h>

#include <linux/rcupdate.h>

#include <halfopen/hook.h>
#include <halfopen/net.h>
#include <halfopen/sysctl.h>
#include <halfopen/timer.h>

static bool is_wanted(const struct ho_net *hn)
{
	/* another host of a cluster may have given a cookie at any time */
	return ho_sysctl_mode(hn) != HO_MODE_OFF ||
	       ho_keyring_shared(&hn->keys);
}

static bool expects_cookies(const struct ho_net *hn)
{
	const struct ho_ports *ports = &hn->tbl.ports;
	const struct ho_port *port;
	u32 nr, now_ms = ho_clock_ms();

	for (nr = 0; (port = ho_port_next(ports, &nr)); nr++)
		if (ho_port_believes(port, now_ms))
			return true;
	return false;
}

static int hook_locked(struct ho_net *hn)
{
	int err;

	if (hn->standby.hooked)
		return 0;
	err = ho_hook_net_init(hn->net);
	hn->standby.hooked = !err;
	return err;
}

static void unhook_locked(struct ho_net *hn)
{
	if (hn->standby.hooked)
		ho_hook_net_exit(hn->net);
	hn->standby.hooked = false;
}

static void look_again_locked(struct ho_standby *standby)
{
	mod_delayed_work(system_wq, &standby->work, HO_STANDBY_S * HZ);
}

static void work_fn(struct work_struct *work)
{
	struct ho_standby *standby = container_of(to_delayed_work(work),
						  struct ho_standby, work);
	struct ho_net *hn = container_of(standby, struct ho_net, standby);

	mutex_lock(&standby->lock);
	if (standby->stopped || is_wanted(hn))
		goto out;
	/* who still found another mode has left his entry or his cookie */
	synchronize_rcu();
	if (ho_budget_count(&hn->tbl.entries) || expects_cookies(hn))
		look_again_locked(standby);
	else
		unhook_locked(hn);
out:
	mutex_unlock(&standby->lock);
}

int ho_standby_follow(struct ho_net *hn)
{
	struct ho_standby *standby = &hn->standby;
	int err = 0;

	mutex_lock(&standby->lock);
	if (standby->stopped)
		goto out;
	if (is_wanted(hn))
		err = hook_locked(hn);
	else if (standby->hooked)
		look_again_locked(standby);
out:
	mutex_unlock(&standby->lock);
	return err;
}

int ho_standby_net_init(struct ho_net *hn)
{
	struct ho_standby *standby = &hn->standby;

	INIT_DELAYED_WORK(&standby->work, work_fn);
	mutex_init(&standby->lock);
	standby->hooked = false;
	standby->stopped = false;
	return ho_standby_follow(hn);
}

void ho_standby_net_stop(struct ho_net *hn)
{
	struct ho_standby *standby = &hn->standby;

	mutex_lock(&standby->lock);
	standby->stopped = true;
	unhook_locked(hn);
	mutex_unlock(&standby->lock);
	cancel_delayed_work_sync(&standby->work);
}
