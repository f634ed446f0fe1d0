// SPDX-License-Identifier: GPL-2.0
/*
 * While which time a namespace takes part in connection tracking.
 *
 * nf_conntrack is neither needed nor pulled in nor pinned for ever: a namespace
 * holds two of its functions, and has the hook of track_rx.c, from its first
 * tracked SYN (which goes the native way) until none came for as long as a
 * half-open connection may live.
 */
#include <halfopen/track_hold.h>

#include <linux/module.h>
#include <linux/timekeeping.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/netfilter/nf_conntrack_count.h>

#include <halfopen/hook.h>
#include <halfopen/net.h>
#include <halfopen/rto.h>

static struct ho_net *net_of(struct ho_track *track)
{
	return container_of(track, struct ho_net, track);
}

static void let_go(struct ho_track *track)
{
	if (!track->held)
		return;
	symbol_put(nf_conntrack_in);
	symbol_put(__nf_conntrack_confirm);
	track->held = false;
}

static void hold(struct ho_track *track)
{
	track->in = symbol_get(nf_conntrack_in);
	if (!track->in)
		return;
	track->confirm = symbol_get(__nf_conntrack_confirm);
	if (!track->confirm)
		symbol_put(nf_conntrack_in);
	else
		track->held = true;
}

static void begin(struct ho_track *track)
{
	hold(track);
	if (!track->held)
		return;
	if (ho_hook_track_init(net_of(track)->net)) {
		let_go(track);
		return;
	}
	/* after the functions; pairs with ho_track_is_hooked() */
	smp_store_release(&track->hooked, true);
}

static void end(struct ho_track *track)
{
	if (!track->hooked)
		return;
	WRITE_ONCE(track->hooked, false);
	ho_hook_track_exit(net_of(track)->net);
}

/* Nobody who was tracked is still half-open, but for a high TCP_SYNCNT. */
static bool is_idle(struct ho_track *track)
{
	const struct ho_table_cfg *cfg = &net_of(track)->tbl.cfg;
	u32 life_ms = ho_rto_lifetime_ms(READ_ONCE(cfg->rto_init_ms),
					 READ_ONCE(cfg->rto_max_ms),
					 READ_ONCE(cfg->retries));

	life_ms = max_t(u32, life_ms, HO_COOKIE_AGE_MAX_MS);
	return (u32)ktime_get_seconds() - READ_ONCE(track->seen_s) >
	       life_ms / MSEC_PER_SEC;
}

/*
 * Rules that count connections (ct count) forget a SYN without an entry, and
 * look at no other segment: with them the stack has to have the SYN.
 */
static bool is_counted(void)
{
	if (!symbol_get(nf_conncount_init))
		return false;
	symbol_put(nf_conncount_init);
	return true;
}

static void work_fn(struct work_struct *work)
{
	struct ho_track *track = container_of(to_delayed_work(work),
					      struct ho_track, work);

	mutex_lock(&track->lock);
	if (track->stopped) {
		mutex_unlock(&track->lock);
		return;
	}
	WRITE_ONCE(track->counted, is_counted());
	if (!track->hooked) {
		begin(track);
	} else if (is_idle(track)) {
		end(track);
		synchronize_net();
		let_go(track);
	}
	if (track->hooked)
		schedule_delayed_work(&track->work, HO_TRACK_LOOK_S * HZ);
	mutex_unlock(&track->lock);
}

void ho_track_net_init(struct ho_net *hn)
{
	struct ho_track *track = &hn->track;

	memset(track, 0, sizeof(*track));
	mutex_init(&track->lock);
	INIT_DELAYED_WORK(&track->work, work_fn);
}

void ho_track_net_stop(struct ho_net *hn)
{
	struct ho_track *track = &hn->track;

	mutex_lock(&track->lock);
	track->stopped = true;
	end(track);
	mutex_unlock(&track->lock);
}

void ho_track_net_exit(struct ho_net *hn)
{
	cancel_delayed_work_sync(&hn->track.work);
	let_go(&hn->track);
}

void ho_track_seen(struct ho_track *track)
{
	u32 now_s = ktime_get_seconds();

	if (READ_ONCE(track->seen_s) != now_s)
		WRITE_ONCE(track->seen_s, now_s);
	if (!ho_track_is_hooked(track))
		schedule_delayed_work(&track->work, 0);
}
