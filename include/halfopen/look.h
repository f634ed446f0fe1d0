/* SPDX-License-Identifier: GPL-2.0 */
/* Room in the accept queue for those who wait. */
#ifndef _HALFOPEN_LOOK_H
#define _HALFOPEN_LOOK_H

struct timer_list;

/**
 * ho_look_fn() - hand over who can be handed over
 * @timer: of struct ho_wait; set again while somebody waits
 *
 * Context: softirq.
 */
void ho_look_fn(struct timer_list *timer);

#endif /* _HALFOPEN_LOOK_H */
