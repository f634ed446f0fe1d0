/* SPDX-License-Identifier: GPL-2.0 */
/* A SYN without an entry. */
#ifndef _HALFOPEN_SYN_H
#define _HALFOPEN_SYN_H

#include <halfopen/rx.h>

/**
 * ho_syn_rx() - answer a new SYN, or decline it
 * @pkt: the packet; a SYN without ACK, RST and FIN that has no entry
 *
 * Context: softirq, RCU read side.
 * Return: HO_PASS with a counter that says why, or what became of it.
 */
enum ho_verdict ho_syn_rx(struct ho_pkt *pkt);

#endif /* _HALFOPEN_SYN_H */
