/* SPDX-License-Identifier: GPL-2.0 */
/* TCP options: bytes to struct, negotiation, struct to bytes. */
#ifndef _HALFOPEN_OPTS_H
#define _HALFOPEN_OPTS_H

#include <halfopen/types.h>

/**
 * struct ho_opts_cfg - what this host is willing to negotiate
 * @timestamps: net.ipv4.tcp_timestamps is not 0
 * @window_scaling: net.ipv4.tcp_window_scaling
 * @sack: net.ipv4.tcp_sack
 * @user_mss: TCP_MAXSEG of the listener in bytes, 0 = none
 * @mss_default: MSS to assume without the option, bytes
 */
struct ho_opts_cfg {
	bool timestamps;
	bool window_scaling;
	bool sack;
	u16 user_mss;
	u16 mss_default;
};

/**
 * ho_opts_parse() - read the option list of a segment
 * @opts: filled; zeroed first
 * @p: first byte after the fixed header
 * @len: bytes of options
 * @syn: the segment has SYN set; MSS, window scale and SACK count only there
 *
 * Follows tcp_parse_options(): a malformed tail ends the list silently, a
 * repeated option counts as last seen, MSS 0 is ignored, a shift above 14 is 14
 * (RFC 7323 2.3). Never reads outside [p, p + len).
 *
 * Context: any.
 */
void ho_opts_parse(struct ho_opts *opts, const u8 *p, unsigned int len,
		   bool syn);

/**
 * enum ho_auth - what authenticates a segment
 * @HO_AUTH_NONE: nothing
 * @HO_AUTH_MD5: TCP MD5 (RFC 2385)
 * @HO_AUTH_AO: TCP-AO (RFC 5925)
 * @HO_AUTH_BAD: there is no telling: an impossible length, or two of them
 */
enum ho_auth {
	HO_AUTH_NONE,
	HO_AUTH_MD5,
	HO_AUTH_AO,
	HO_AUTH_BAD,
};

/**
 * ho_opts_auth() - find the option that authenticates a segment
 * @p: first byte after the fixed header
 * @len: bytes of options
 * @min_len: what such an option has at least, bytes, 2 or more; a shorter rest
 *	is not looked at
 *
 * Follows tcp_do_parse_auth_options(), which modules can no longer call.
 *
 * Context: any.
 * Return: which it is.
 */
enum ho_auth ho_opts_auth(const u8 *p, unsigned int len, unsigned int min_len);

/**
 * ho_opts_negotiate() - agree on options with the sender of a SYN
 * @req: MSS, scale, timestamp and SACK fields are set; rcv_wscale is not
 * @opts: options of the SYN
 * @cfg: what this host is willing to do
 *
 * Follows tcp_parse_options() and tcp_openreq_init().
 *
 * Context: any.
 */
void ho_opts_negotiate(struct ho_req *req, const struct ho_opts *opts,
		       const struct ho_opts_cfg *cfg);

/**
 * ho_opts_synack_len() - length of the options of a SYN-ACK
 * @req: negotiated state
 *
 * Context: any.
 * Return: bytes, a multiple of 4, at most HO_OPTS_LEN_MAX.
 */
unsigned int ho_opts_synack_len(const struct ho_req *req);

/**
 * ho_opts_emit_synack() - write the options of a SYN-ACK
 * @p: room for ho_opts_synack_len() bytes
 * @req: negotiated state
 * @mss: our MSS, bytes
 * @tsval: our timestamp, used if timestamps were agreed
 *
 * Same options in the same order as tcp_options_write(), which is part of the
 * fingerprint of a Linux host.
 *
 * Context: any.
 */
void ho_opts_emit_synack(u8 *p, const struct ho_req *req, u16 mss, u32 tsval);

/**
 * ho_opts_syn_len() - length of the options of the SYN that led to a request
 * @req: negotiated state
 *
 * Context: any.
 * Return: bytes, a multiple of 4, at most HO_OPTS_LEN_MAX.
 */
unsigned int ho_opts_syn_len(const struct ho_req *req);

/**
 * ho_opts_emit_syn() - write the options of the SYN that led to a request
 * @p: room for ho_opts_syn_len() bytes
 * @req: negotiated state
 *
 * Only what was agreed is written, so the stack agrees on the same again. No
 * longer than the client's own: an option is here only if it was there.
 *
 * Context: any.
 */
void ho_opts_emit_syn(u8 *p, const struct ho_req *req);

/**
 * ho_opts_emit_ts() - write an aligned timestamp option (RFC 7323 appendix A)
 * @p: room for HO_OPTS_TS_LEN bytes
 * @tsval: our timestamp
 * @tsecr: the client's, echoed
 *
 * Context: any.
 */
void ho_opts_emit_ts(u8 *p, u32 tsval, u32 tsecr);

enum { HO_OPTS_TS_LEN = 12 };

#endif /* _HALFOPEN_OPTS_H */
