/* SPDX-License-Identifier: GPL-2.0 */
/* The first two segments of a connection, made again from what is kept. */
#ifndef _HALFOPEN_REPLAY_H
#define _HALFOPEN_REPLAY_H

#include <halfopen/types.h>

struct sk_buff;

/**
 * ho_replay_syn() - the SYN that a client sent
 * @conn: the connection
 * @spare: a packet made by this that is no more used, to be filled again, or
 *	NULL
 *
 * The same but for what nobody kept: TTL, ID, flow label, window and the order
 * of options. Its checksum counts as verified.
 *
 * Context: softirq.
 * Return: a packet without route and device, data at the network header, or
 * NULL without memory.
 */
struct sk_buff *ho_replay_syn(const struct ho_conn *conn,
			      struct sk_buff *spare);

/**
 * ho_replay_synack() - the SYN-ACK that it was sent
 * @conn: the connection; win and rcv_wscale are set
 *
 * For the eyes of connection tracking: MSS and timestamp are not the real ones.
 *
 * Context: softirq.
 * Return: as ho_replay_syn().
 */
struct sk_buff *ho_replay_synack(const struct ho_conn *conn);

#endif /* _HALFOPEN_REPLAY_H */
