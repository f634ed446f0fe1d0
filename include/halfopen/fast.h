/* SPDX-License-Identifier: GPL-2.0 */
/* SYNs at a device, before the IP stack sees them. */
#ifndef _HALFOPEN_FAST_H
#define _HALFOPEN_FAST_H

struct nf_hook_state;
struct sk_buff;

/**
 * ho_fast_hook() - answer what is sure to be a plain SYN for this host
 * @priv: unused
 * @skb: any packet, data at the network header
 * @state: of a hook of NF_NETDEV_INGRESS
 *
 * Context: softirq, RCU read side.
 * Return: NF_STOLEN if it was answered, else NF_ACCEPT: nothing has changed.
 */
unsigned int ho_fast_hook(void *priv, struct sk_buff *skb,
			  const struct nf_hook_state *state);

#endif /* _HALFOPEN_FAST_H */
