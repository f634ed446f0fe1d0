/* SPDX-License-Identifier: GPL-2.0 */
/* While which time a namespace takes part in connection tracking. */
#ifndef _HALFOPEN_TRACK_HOLD_H
#define _HALFOPEN_TRACK_HOLD_H

#include <linux/mutex.h>
#include <linux/workqueue.h>

struct ho_net;
struct nf_hook_state;
struct sk_buff;

/**
 * struct ho_track - connection tracking in one namespace
 * @work: begins and ends what is needed for tracked connections
 * @lock: of the fields below, but for @seen_s
 * @stopped: the namespace goes
 * @held: the functions below are held
 * @hooked: the hook before connection tracking is there; read without lock,
 *	what it says about @in and @confirm holds for an RCU section
 * @counted: rules count connections; read without lock
 * @seen_s: when a SYN was tracked, s of the monotonic clock
 * @in: nf_conntrack_in()
 * @confirm: __nf_conntrack_confirm()
 */
struct ho_track {
	struct delayed_work work;
	struct mutex lock;	/* of what follows */
	bool stopped;
	bool held;
	bool hooked;
	bool counted;
	u32 seen_s;
	unsigned int (*in)(struct sk_buff *skb,
			   const struct nf_hook_state *state);
	int (*confirm)(struct sk_buff *skb);
};

/**
 * ho_track_net_init() - nothing is tracked yet
 * @hn: the namespace
 *
 * Context: process.
 */
void ho_track_net_init(struct ho_net *hn);

/**
 * ho_track_net_stop() - no hook and no timer uses connection tracking any more
 * @hn: the namespace
 *
 * True after the next grace period.
 *
 * Context: process, may sleep.
 */
void ho_track_net_stop(struct ho_net *hn);

/**
 * ho_track_net_exit() - let go of connection tracking
 * @hn: the namespace, stopped a grace period ago
 *
 * Context: process, may sleep.
 */
void ho_track_net_exit(struct ho_net *hn);

/**
 * ho_track_is_hooked() - may in() and confirm() be called?
 * @track: of the namespace
 *
 * Context: RCU read side, and as long as that lasts.
 * Return: true if so.
 */
static inline bool ho_track_is_hooked(const struct ho_track *track)
{
	/* before the functions; pairs with begin() */
	return smp_load_acquire(&track->hooked);
}

/**
 * ho_track_seen() - a SYN was tracked
 * @track: of the namespace; begins to take part, or goes on to
 *
 * Context: any.
 */
void ho_track_seen(struct ho_track *track);

#endif /* _HALFOPEN_TRACK_HOLD_H */
