/* SPDX-License-Identifier: GPL-2.0 */
/* What is said in the kernel's log. */
#ifndef _HALFOPEN_LOG_H
#define _HALFOPEN_LOG_H

struct ho_net;
struct ho_watch_event;

/**
 * ho_log_pressure() - one line when pressure begins or ends
 * @hn: the namespace
 * @event: where and how much
 *
 * Rate-limited.
 *
 * Context: any.
 */
void ho_log_pressure(const struct ho_net *hn,
		     const struct ho_watch_event *event);

#endif /* _HALFOPEN_LOG_H */
