/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets that are nearly right: the frames of a flow, drawn from a seed.
 *
 * A flow is a peer of its own with up to STAGES segments, each of them whole or
 * mutated in one way.  The same seed gives the same frames; only what answers a
 * server's own numbers (its ISN, its timestamp) depends on that server, and
 * always by distance.
 */
#ifndef _MUTATE_H
#define _MUTATE_H

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "frame.h"

enum {
	STAGES		= 4,	/* segments of a flow */
	PIECES		= 4,	/* frames of a segment */
	FRAME_MAX	= 3600,
	OPTIONS_MAX	= 40,
	DATA_MAX	= 1400,
	GSO_MAX		= 3000,
	PORTS		= 6,	/* listeners from FIRST_PORT on */
	FIRST_PORT	= 80,
	CLOSED_PORT	= 99,
	FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32,
	ECE = 64, CWR = 128,
};

/* What a server has told this peer. */
struct peer {
	uint16_t	sport, dport;	/* before mutations */
	bool		known;
	uint32_t	isn;
	uint32_t	tsval;
	uint32_t	sent_ack;	/* of the last segment to it */
};

struct frame {
	struct virtio_net_hdr vnet;
	size_t		len;
	uint8_t		b[FRAME_MAX];
};

#define MUTATIONS(X)							\
	X(nothing) X(whole)						\
	X(doff) X(tcp_checksum) X(tcp_checksum_zero) X(options_random)	\
	X(options_bytes) X(options_cut) X(flags) X(source_port_0)	\
	X(other_port) X(urgent) X(long_data) X(window_0)		\
	X(ip_version) X(header_length) X(ip_options) X(total_short)	\
	X(total_long) X(more_fragments) X(late_fragment) X(ip_flags)	\
	X(ttl) X(protocol) X(ip_checksum) X(tos) X(source) X(destination) \
	X(extension) X(options_header) X(extension_garbage)		\
	X(extension_chain)						\
	X(cut) X(padding) X(priority_tag) X(vlan) X(to_broadcast)	\
	X(to_multicast) X(to_other_host) X(ethertype)			\
	X(fragments) X(fragments_reversed) X(fragments_overlap)		\
	X(checksum_partial) X(checksum_start) X(gso) X(gso_wrong_type)	\
	X(checksum_claimed) X(bytes) X(bytes_summed)

#define MUTATION_ENUM(name) M_##name,
enum mutation { MUTATIONS(MUTATION_ENUM) M_END };

#define MUTATION_NAME(name) #name,
static const char * const mutation_names[] = { MUTATIONS(MUTATION_NAME) };

#define SEGMENTS(X)							\
	X(syn) X(stray) X(syn_again) X(syn_later) X(ack) X(ack_wrong)	\
	X(ack_data) X(data_later) X(data_past) X(fin) X(rst) X(rst_near) \
	X(rst_far) X(rst_ack) X(synack) X(no_flags) X(old_timestamp)	\
	X(icmp) X(icmp_wrong) X(icmp_garbage)

#define SEGMENT_ENUM(name) S_##name,
enum segment { SEGMENTS(SEGMENT_ENUM) S_END };

#define SEGMENT_NAME(name) #name,
static const char * const segment_names[] = { SEGMENTS(SEGMENT_NAME) };

/* A segment before it becomes bytes, and what of them is to be wrong. */
struct draft {
	uint64_t	rnd;
	int		family;
	enum segment	segment;
	enum mutation	mutation;
	uint8_t		src[16], dst[16];
	uint16_t	sport, dport;
	uint32_t	seq, ack;
	uint16_t	flags;
	uint16_t	win, urg;
	uint8_t		options[OPTIONS_MAX];
	size_t		options_len;
	size_t		data_len;
	uint8_t		between[64];	/* IPv4 options, IPv6 headers */
	size_t		between_len;
	uint8_t		first_next;	/* of IPv6: the first of them */
	uint8_t		ttl, tos;
	bool		icmp;
	uint8_t		icmp_type, icmp_code;
	size_t		l3, l4;		/* where they begin */
	bool		sum_ip, sum_l4;	/* to be made right */
};

/* splitmix64: any seed is good, and it is the same everywhere. */
static inline uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static inline uint32_t draw(struct draft *d, uint32_t end)
{
	return (next_random(&d->rnd) >> 32) % end;
}

static inline void draw_bytes(struct draft *d, uint8_t *p, size_t len)
{
	while (len--)
		*p++ = draw(d, 256);
}

static inline void put16(uint8_t *p, uint32_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static inline uint32_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static inline uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

static inline size_t address_len(int family)
{
	return family == 4 ? 4 : 16;
}

/* The peer number @nr, and the other way round; -1: none of ours. */
static inline void peer_address(int family, uint32_t nr, uint8_t *addr)
{
	memset(addr, 0, 16);
	if (family == 4) {
		put32(addr, 0xc6120000 | (nr & 0x1ffff));
		return;
	}
	put32(addr, 0x20010db8);
	put32(addr + 12, nr & 0x1ffff);
}

static inline long peer_number(int family, const uint8_t *addr)
{
	static const uint8_t prefix[12] = { 0x20, 0x01, 0x0d, 0xb8 };

	if (family == 4)
		return get32(addr) >> 17 == 0xc6120000 >> 17 ?
		       (long)(get32(addr) & 0x1ffff) : -1;
	return memcmp(addr, prefix, 12) ? -1 : (long)get32(addr + 12);
}

static inline void server_address(int family, uint8_t *addr)
{
	memset(addr, 0, 16);
	if (family == 4) {
		put32(addr, 0x0a000001);
		return;
	}
	addr[0] = 0xfd;
	addr[15] = 1;
}

/* --- options ---------------------------------------------------------------*/

static inline void add_option(struct draft *d, const uint8_t *option,
			      size_t len)
{
	if (d->options_len + len > OPTIONS_MAX)
		return;
	memcpy(d->options + d->options_len, option, len);
	d->options_len += len;
}

static inline void add_timestamp(struct draft *d, uint32_t val, uint32_t ecr)
{
	uint8_t option[12] = { 1, 1, 8, 10 };

	put32(option + 4, val);
	put32(option + 8, ecr);
	add_option(d, option, sizeof(option));
}

/* Of a SYN: each or not. */
static inline void add_syn_options(struct draft *d)
{
	uint8_t fastopen[8] = { 34, 2 };
	uint8_t mptcp[12] = { 30, 12, 0x01, 0x81 };
	uint8_t mss[4] = { 2, 4 };
	uint8_t wscale[4] = { 1, 3, 3 };
	uint32_t which = draw(d, 256);

	put16(mss + 2, draw(d, 8) ? 536 + draw(d, 9000) : draw(d, 100));
	wscale[3] = draw(d, 16);
	if (which & 0x01)
		add_option(d, mss, 4);
	if (which & 0x02)
		add_option(d, (const uint8_t[]){ 1, 1, 4, 2 }, 4);
	if (which & 0x04)
		add_timestamp(d, 1000, 0);
	if (which & 0x08)
		add_option(d, wscale, 4);
	if ((which & 0x70) == 0x10)
		add_option(d, mptcp, sizeof(mptcp));
	if ((which & 0x70) == 0x20) {
		fastopen[1] = draw(d, 2) ? 2 : 8;
		memset(fastopen + 2, 1, 6);
		add_option(d, fastopen, sizeof(fastopen));
	}
}

/* --- segments --------------------------------------------------------------*/

/* A distance that edges are at. */
static inline uint32_t draw_distance(struct draft *d)
{
	static const uint32_t edges[] = {
		0, 1, 2, 100, 1000, 32767, 65534, 65535, 65536, 1 << 20,
		0x7fffffff, 0x80000000, 0x80000001,
	};
	uint32_t edge = edges[draw(d, sizeof(edges) / sizeof(*edges))];

	return draw(d, 2) ? edge : -edge;
}

static inline enum segment draw_segment(struct draft *d, int stage)
{
	if (stage == 0)
		return draw(d, 8) ? S_syn : S_stray;
	return S_syn_again + draw(d, S_END - S_syn_again);
}

/* Its acknowledgment and timestamp count from the server's own. */
static inline void fill_segment(struct draft *d, const struct peer *peer)
{
	uint32_t seq = d->seq + 1, ack = peer->isn + 1;
	uint32_t tsval = 1001;

	d->win = 64240;
	d->flags = ACK;
	switch (d->segment) {
	case S_syn:
	case S_syn_again:
		d->flags = SYN | (draw(d, 4) ? 0 : draw(d, 4) * ECE);
		d->data_len = draw(d, 8) ? 0 : draw(d, 200);
		ack = 0;
		seq--;
		add_syn_options(d);
		break;
	case S_stray:
		d->flags = draw(d, 4096);
		d->data_len = draw(d, 2) * draw(d, 200);
		seq = next_random(&d->rnd);
		ack = next_random(&d->rnd);
		break;
	case S_syn_later:
		d->flags = SYN;
		seq += draw_distance(d);
		ack = 0;
		add_syn_options(d);
		break;
	case S_ack:
		break;
	case S_ack_wrong:
		ack += draw_distance(d);
		break;
	case S_ack_data:
		d->flags |= PSH;
		d->data_len = 1 + draw(d, DATA_MAX);
		break;
	case S_data_later:
		seq += draw(d, 2000);
		d->data_len = 1 + draw(d, DATA_MAX);
		break;
	case S_data_past:
		seq += draw_distance(d);
		d->data_len = draw(d, 3);
		break;
	case S_fin:
		d->flags |= FIN;
		d->data_len = draw(d, 2) * draw(d, 200);
		break;
	case S_rst:
		d->flags = RST;
		break;
	case S_rst_near:
		d->flags = RST;
		seq += 1 + draw(d, 60000);
		break;
	case S_rst_far:
		d->flags = RST;
		seq += draw_distance(d);
		break;
	case S_rst_ack:
		d->flags |= RST;
		ack += draw_distance(d);
		break;
	case S_synack:
		d->flags |= SYN;
		seq -= draw(d, 2);
		break;
	case S_no_flags:
		d->flags = draw(d, 2) ? 0 : FIN;
		d->data_len = draw(d, 100);
		break;
	case S_old_timestamp:
		tsval = 1000 - draw(d, 3);
		d->data_len = draw(d, 2) * 10;
		break;
	default:	/* ICMP */
		d->icmp = true;
		break;
	}
	if (!(d->flags & SYN) && d->segment != S_stray && draw(d, 4))
		add_timestamp(d, tsval, peer->tsval + draw(d, 2));
	d->seq = seq;
	d->ack = ack;
}

/* --- mutations of what is not bytes yet ------------------------------------*/

static inline void draw_source(struct draft *d)
{
	static const uint32_t v4[] = {
		0x0a000001, 0x0a000002, 0x0a0000ff, 0xffffffff, 0xe0000001,
		0xefffffff, 0x7f000001, 0, 0x00000001, 0xf0000001, 0xc0000201,
	};
	static const uint8_t v6[][16] = {
		{ 0xfd, [15] = 1 }, { 0xfd, [15] = 2 }, { [15] = 1 }, {},
		{ 0xff, 2, [15] = 1 }, { 0xff, 0xe, [15] = 9 },
		{ 0xfe, 0x80, [15] = 0xfe },
		{ [10] = 0xff, [11] = 0xff, 10, 0, 0, 1 },
		{ [10] = 0xff, [11] = 0xff, 198, 18, 0, 1 },
		{ 0x20, 0x02, 10, 0, 0, 1 },
	};

	if (d->family == 4)
		put32(d->src, v4[draw(d, sizeof(v4) / sizeof(*v4))]);
	else
		memcpy(d->src, v6[draw(d, sizeof(v6) / sizeof(*v6))], 16);
	/* LAND: the ports are the same, too */
	if (draw(d, 2))
		d->sport = d->dport;
}

static inline void draw_destination(struct draft *d)
{
	static const uint32_t v4[] = {
		0x0a0000ff, 0xffffffff, 0xe0000001, 0xe00000fb, 0x0a000009,
		0xc0000201, 0x7f000001, 0, 0x0a000000,
	};
	static const uint8_t v6[][16] = {
		{ 0xff, 2, [15] = 1 }, { 0xff, 2, [15] = 2 },
		{ 0xfd, [15] = 9 }, { [15] = 1 }, {},
		{ 0xff, 2, [11] = 1, 0xff, [15] = 1 }, { 0xfd },
		{ [10] = 0xff, [11] = 0xff, 10, 0, 0, 1 },
	};

	if (d->family == 4)
		put32(d->dst, v4[draw(d, sizeof(v4) / sizeof(*v4))]);
	else
		memcpy(d->dst, v6[draw(d, sizeof(v6) / sizeof(*v6))], 16);
}

/* IPv4 options: none, padding, record route, timestamp, source routes, ... */
static inline void draw_ip_options(struct draft *d)
{
	static const uint8_t kinds[] = {
		0, 1, 7, 68, 131, 137, 148, 134, 130, 136, 150, 0xff,
	};
	size_t units = 1 + draw(d, 10);
	uint8_t *p = d->between;

	draw_bytes(d, p, units * 4);
	p[0] = kinds[draw(d, sizeof(kinds))];
	p[1] = draw(d, 4) ? units * 4 : p[1];
	p[2] = draw(d, 4) ? 4 : p[2];
	d->between_len = units * 4;
}

static inline uint8_t draw_next_header(struct draft *d)
{
	static const uint8_t kinds[] = { 0, 60, 43, 44, 51, 135, 139, 140 };

	return kinds[draw(d, sizeof(kinds))];
}

/* One more header, before those that are there; @garbage: any content. */
static inline void add_extension(struct draft *d, bool garbage)
{
	uint8_t kind = draw_next_header(d);
	size_t units = kind == 44 || draw(d, 2) ? 1 : 2;
	uint8_t header[16] = {};

	if (garbage)
		draw_bytes(d, header, sizeof(header));
	header[0] = d->first_next;
	if (!garbage || draw(d, 2))
		header[1] = kind == 44 ? 0 : kind == 51 ? units * 2 - 2 :
			    units - 1;
	if (!garbage && (kind == 0 || kind == 60)) {
		header[2] = 1;		/* PadN */
		header[3] = units * 8 - 4;
	}
	if (kind == 43 && !garbage)
		header[2] = draw(d, 5);	/* type; no segments left */
	if (kind == 44)
		header[3] &= draw(d, 2) ? 0xff : 0;	/* atomic */
	if (d->between_len + units * 8 > sizeof(d->between))
		return;
	memmove(d->between + units * 8, d->between, d->between_len);
	memcpy(d->between, header, units * 8);
	d->between_len += units * 8;
	d->first_next = kind;
}

static inline void mutate_draft(struct draft *d)
{
	unsigned int i;

	switch (d->mutation) {
	case M_options_random:
		d->options_len = 4 * draw(d, 11);
		draw_bytes(d, d->options, d->options_len);
		break;
	case M_options_bytes:
		for (i = 0; d->options_len && i < 3; i++)
			d->options[draw(d, d->options_len)] = draw(d, 12);
		break;
	case M_flags:
		d->flags = draw(d, 4096);
		break;
	case M_source_port_0:
		d->sport = 0;
		break;
	case M_other_port:
		d->dport = draw(d, 2) ? CLOSED_PORT : 0;
		break;
	case M_urgent:
		d->flags |= URG;
		d->urg = draw(d, 65536);
		break;
	case M_long_data:
		d->data_len = DATA_MAX;
		break;
	case M_window_0:
		d->win = 0;
		break;
	case M_ip_options:
		if (d->family == 4)
			draw_ip_options(d);
		else
			add_extension(d, false);
		break;
	case M_extension:
	case M_extension_garbage:
	case M_extension_chain:
		if (d->family == 4)
			draw_ip_options(d);
		else
			for (i = d->mutation == M_extension_chain ? 4 : 1; i;
			     i--)
				add_extension(d, d->mutation != M_extension);
		break;
	case M_options_header:
		if (d->family == 6) {
			static const uint8_t pad[8] = { IPPROTO_TCP, 0, 1, 4 };

			memcpy(d->between, pad, sizeof(pad));
			d->between[0] = d->first_next;
			d->between_len = sizeof(pad);
			d->first_next = draw(d, 2) ? 0 : 60;
		}
		break;
	case M_ttl:
		d->ttl = draw(d, 3);
		break;
	case M_tos:
		d->tos = draw(d, 256);
		break;
	case M_source:
		draw_source(d);
		break;
	case M_destination:
		draw_destination(d);
		break;
	case M_gso:
	case M_gso_wrong_type:
		if (d->flags == ACK || d->flags == (ACK | PSH))
			d->data_len = DATA_MAX + draw(d, GSO_MAX - DATA_MAX);
		break;
	default:
		break;
	}
}

/* --- bytes -----------------------------------------------------------------*/

static inline uint32_t pseudo_sum(const struct draft *d, uint8_t proto,
				  size_t len)
{
	uint32_t sum = csum_add(proto + len, d->src, address_len(d->family));

	return csum_add(sum, d->dst, address_len(d->family));
}

static inline size_t put_tcp(struct draft *d, uint8_t *p)
{
	size_t hlen = 20 + (d->options_len + 3) / 4 * 4;

	memset(p, 0, hlen);
	put16(p, d->sport);
	put16(p + 2, d->dport);
	put32(p + 4, d->seq);
	put32(p + 8, d->ack);
	p[12] = hlen / 4 << 4 | (d->flags >> 8 & 0xf);
	p[13] = d->flags;
	put16(p + 14, d->win);
	put16(p + 18, d->urg);
	memcpy(p + 20, d->options, d->options_len);
	memset(p + hlen, 'x', d->data_len);
	return hlen + d->data_len;
}

/* An error that quotes what the server sent: its addresses the other way. */
static inline size_t put_icmp(struct draft *d, uint8_t *p,
			      const struct peer *peer)
{
	static const uint8_t v4[] = { 3, 3, 3, 4, 5, 11, 12, 8, 0 };
	static const uint8_t v6[] = { 1, 1, 1, 2, 3, 4, 128, 127 };
	size_t alen = address_len(d->family), hlen, len;
	uint8_t *q = p + 8;
	uint32_t seq = peer->isn;

	memset(p, 0, 8 + 40 + 20);
	p[0] = d->family == 4 ? v4[draw(d, sizeof(v4))] :
				v6[draw(d, sizeof(v6))];
	p[1] = draw(d, 16);
	put32(p + 4, draw(d, 2) ? 1280 : draw(d, 2000));
	hlen = d->family == 4 ? 20 : 40;
	if (d->family == 4) {
		q[0] = 0x45;
		put16(q + 2, 40);
		q[8] = 64;
		q[9] = 6;
	} else {
		q[0] = 0x60;
		put16(q + 4, 20);
		q[6] = 6;
		q[7] = 64;
	}
	memcpy(q + hlen - 2 * alen, d->dst, alen);
	memcpy(q + hlen - alen, d->src, alen);
	if (d->segment == S_icmp_wrong)
		seq += draw_distance(d);
	put16(q + hlen, d->dport);
	put16(q + hlen + 2, d->sport);
	put32(q + hlen + 4, seq);
	q[hlen + 12] = 0x50;
	q[hlen + 13] = SYN | ACK;
	len = 8 + hlen + (draw(d, 2) ? 20 : 8);
	if (d->segment != S_icmp_garbage)
		return len;
	/* not where the sequence number is: its bits are each server's own */
	q[draw(d, hlen)] = draw(d, 256);
	return draw(d, 2) ? draw(d, len) : len;
}

static inline void put_ipv4(struct draft *d, uint8_t *p, size_t payload)
{
	size_t hlen = 20 + d->between_len;

	memset(p, 0, 20);
	p[0] = 4 << 4 | hlen / 4;
	p[1] = d->tos;
	put16(p + 2, hlen + payload);
	put16(p + 4, draw(d, 65536));
	put16(p + 6, IP_DF);
	p[8] = d->ttl;
	p[9] = d->icmp ? IPPROTO_ICMP : IPPROTO_TCP;
	memcpy(p + 12, d->src, 4);
	memcpy(p + 16, d->dst, 4);
	memcpy(p + 20, d->between, d->between_len);
}

static inline void put_ipv6(struct draft *d, uint8_t *p, size_t payload)
{
	memset(p, 0, 40);
	put32(p, 6U << 28 | d->tos << 20);
	put16(p + 4, d->between_len + payload);
	p[6] = d->first_next;
	p[7] = d->ttl;
	memcpy(p + 8, d->src, 16);
	memcpy(p + 24, d->dst, 16);
	memcpy(p + 40, d->between, d->between_len);
}

static inline void assemble(struct draft *d, const struct peer *peer,
			    struct frame *f)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0,
					  0xfe };
	size_t ip = d->family == 4 ? 20 : 40, len;

	memcpy(f->b, macs, 12);
	put16(f->b + 12, d->family == 4 ? ETH_P_IP : ETH_P_IPV6);
	d->l3 = ETH_HLEN;
	d->l4 = d->l3 + ip + d->between_len;
	len = d->icmp ? put_icmp(d, f->b + d->l4, peer) :
			put_tcp(d, f->b + d->l4);
	if (d->family == 4)
		put_ipv4(d, f->b + d->l3, len);
	else
		put_ipv6(d, f->b + d->l3, len);
	f->len = d->l4 + len;
}

/* Of what the bytes are by now. */
static inline void fix_sums(struct draft *d, struct frame *f)
{
	uint8_t *ip = f->b + d->l3, *l4 = f->b + d->l4;
	size_t len = f->len - d->l4;
	uint8_t proto = d->icmp ? d->family == 4 ? IPPROTO_ICMP :
						   IPPROTO_ICMPV6 :
				  IPPROTO_TCP;
	size_t at = d->icmp ? 2 : 16;
	uint32_t sum = d->icmp && d->family == 4 ?
		       0 : pseudo_sum(d, proto, len);

	if (d->sum_l4 && len >= at + 2) {
		put16(l4 + at, 0);
		put16(l4 + at, ~sum_fold(csum_add(sum, l4, len)));
	}
	if (d->sum_ip && d->family == 4) {
		size_t hlen = (ip[0] & 15) * 4;

		if (hlen < 20 || d->l3 + hlen > f->len)
			return;
		put16(ip + 10, 0);
		put16(ip + 10, ~sum_fold(csum_add(0, ip, hlen)));
	}
}

static inline void insert_tag(struct frame *f, uint16_t tci)
{
	memmove(f->b + 16, f->b + 12, f->len - 12);
	put16(f->b + 12, ETH_P_8021Q);
	put16(f->b + 14, tci);
	f->len += 4;
}

/*
 * Anywhere behind the Ethernet header but in addresses: answers are told by
 * them.  @known: nor in what the server's own numbers are, or where they are.
 */
static inline void flip_bytes(struct draft *d, struct frame *f, bool known)
{
	size_t alen = 2 * address_len(d->family);
	size_t ip = d->family == 4 ? 20 : 40;
	unsigned int n = 1 + draw(d, 6);
	uint8_t before[FRAME_MAX];

	memcpy(before, f->b, f->len);
	while (n--)
		f->b[d->l3 + draw(d, f->len - d->l3)] ^= 1 << draw(d, 8);
	memcpy(f->b + d->l3 + ip - alen, before + d->l3 + ip - alen, alen);
	if (!known)
		return;
	/* version, lengths, fragments, protocol */
	memcpy(f->b + d->l3, before + d->l3, 10);
	if (d->icmp)
		memcpy(f->b + d->l4, before + d->l4, f->len - d->l4);
	else
		memcpy(f->b + d->l4 + 8, before + d->l4 + 8,
		       d->data_len ? 5 : f->len - d->l4 - 8);
}

static inline void mutate_ip(struct draft *d, struct frame *f)
{
	static const uint8_t protocols[] = { 0, 17, 41, 47, 50, 51, 132, 255 };
	uint8_t *ip = f->b + d->l3;
	bool v4 = d->family == 4;
	size_t total = f->len - d->l3 - (v4 ? 0 : 40);

	switch (d->mutation) {
	case M_ip_version:
		ip[0] += (1 + draw(d, 15)) << 4;
		break;
	case M_header_length:
		if (v4)
			ip[0] = (ip[0] & 0xf0) |
				((ip[0] + 1 + draw(d, 15)) & 15);
		else
			put32(ip, (get32(ip) & 0xfff00000) | draw(d, 1 << 20));
		break;
	case M_total_short:
		if (total)
			put16(ip + (v4 ? 2 : 4), draw(d, total));
		break;
	case M_total_long:
		put16(ip + (v4 ? 2 : 4), total + 1 + draw(d, 2000));
		break;
	case M_more_fragments:
		if (v4)
			put16(ip + 6, IP_MF);
		break;
	case M_late_fragment:
		if (v4)
			put16(ip + 6, draw(d, 0x4000));
		break;
	case M_ip_flags:
		if (v4)
			put16(ip + 6, draw(d, 8) << 13);
		break;
	case M_protocol:
		ip[v4 ? 9 : 6] = protocols[draw(d, sizeof(protocols))];
		break;
	case M_ip_checksum:
		d->sum_ip = false;
		put16(ip + 10, v4 ? draw(d, 65536) : get16(ip + 10));
		break;
	default:
		break;
	}
}

static inline void mutate_tcp(struct draft *d, struct frame *f)
{
	uint8_t *tcp = f->b + d->l4;

	if (d->icmp)
		return;
	switch (d->mutation) {
	case M_doff:
		tcp[12] = (tcp[12] & 15) | draw(d, 16) << 4;
		break;
	case M_options_cut:
		if (d->options_len)
			tcp[20 + draw(d, d->options_len)] = draw(d, 256);
		break;
	case M_tcp_checksum:
		d->sum_l4 = false;
		put16(tcp + 16, draw(d, 65536));
		break;
	case M_tcp_checksum_zero:
		d->sum_l4 = false;
		break;
	default:
		break;
	}
}

static inline void mutate_frame(struct draft *d, struct frame *f)
{
	switch (d->mutation) {
	case M_cut:
		f->len = ETH_HLEN + draw(d, f->len - ETH_HLEN);
		break;
	case M_padding:
		memset(f->b + f->len, 0, 46);
		f->len += 1 + draw(d, 46);
		break;
	case M_priority_tag:
		insert_tag(f, draw(d, 8) << 13);
		break;
	case M_vlan:
		insert_tag(f, 5);
		break;
	case M_to_broadcast:
		memset(f->b, 0xff, 6);
		break;
	case M_to_multicast:
		memcpy(f->b, "\x01\x00\x5e\x00\x00\x01", 6);
		break;
	case M_to_other_host:
		f->b[5] = 9;
		break;
	case M_ethertype:
		put16(f->b + 12, draw(d, 2) ? ETH_P_IP : ETH_P_IPV6);
		break;
	default:
		break;
	}
}

/* Of the transport header, as a device would be asked to. */
static inline void offload_checksum(struct draft *d, struct frame *f)
{
	uint16_t sum = sum_fold(pseudo_sum(d, IPPROTO_TCP, f->len - d->l4));

	f->vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	f->vnet.csum_start = d->l4;
	f->vnet.csum_offset = 16;
	put16(f->b + d->l4 + 16, sum);
}

static inline void mutate_offload(struct draft *d, struct frame *f)
{
	bool v4 = d->family == 4;

	/* how much of it is linear memory */
	f->vnet.hdr_len = draw(d, 2) ? f->len : draw(d, f->len + 1);
	if (d->icmp)
		return;
	switch (d->mutation) {
	case M_checksum_claimed:
		f->vnet.flags = VIRTIO_NET_HDR_F_DATA_VALID;
		put16(f->b + d->l4 + 16, draw(d, 65536));
		break;
	case M_checksum_start:
		offload_checksum(d, f);
		f->vnet.csum_start = draw(d, f->len);
		f->vnet.csum_offset = draw(d, 32);
		break;
	case M_checksum_partial:
		offload_checksum(d, f);
		break;
	case M_gso:
	case M_gso_wrong_type:
		offload_checksum(d, f);
		f->vnet.gso_type = v4 == (d->mutation == M_gso) ?
				   VIRTIO_NET_HDR_GSO_TCPV4 :
				   VIRTIO_NET_HDR_GSO_TCPV6;
		f->vnet.gso_size = 1 + draw(d, DATA_MAX);
		f->vnet.hdr_len = d->l4 + 20 + (d->options_len + 3) / 4 * 4;
		break;
	default:
		break;
	}
}

/* @from bytes of the IP payload on, @len of them. */
static inline void fragment(struct draft *d, const struct frame *whole,
			    size_t from, size_t len, bool last,
			    struct frame *f)
{
	size_t ip = d->family == 4 ? 20 + d->between_len : 40;
	size_t payload = d->l3 + ip;
	uint8_t *header = f->b + payload;

	memset(&f->vnet, 0, sizeof(f->vnet));
	memcpy(f->b, whole->b, payload);
	if (d->family == 4) {
		memcpy(f->b + payload, whole->b + payload + from, len);
		f->len = payload + len;
		put16(f->b + d->l3 + 2, ip + len);
		put16(f->b + d->l3 + 6, from / 8 | (last ? 0 : IP_MF));
		put16(f->b + d->l3 + 10, 0);
		put16(f->b + d->l3 + 10,
		      ~sum_fold(csum_add(0, f->b + d->l3, ip)));
		return;
	}
	memset(header, 0, 8);
	header[0] = f->b[d->l3 + 6];
	put16(header + 2, from | !last);
	put32(header + 4, d->seq ^ d->sport);
	f->b[d->l3 + 6] = IPPROTO_FRAGMENT;
	memcpy(header + 8, whole->b + payload + from, len);
	put16(f->b + d->l3 + 4, 8 + len);
	f->len = payload + 8 + len;
}

/* In pieces of a multiple of 8 bytes; the first may cut the TCP header. */
static inline unsigned int split(struct draft *d, struct frame *frames)
{
	size_t payload = d->l3 + (d->family == 4 ? 20 + d->between_len : 40);
	size_t total = frames[0].len - payload, from = 0, len;
	size_t step = 8 * (1 + draw(d, 4));
	struct frame whole = frames[0], swap;
	unsigned int n = 0;

	while (from < total && n < PIECES) {
		len = n == PIECES - 1 || from + step > total ? total - from :
							      step;
		fragment(d, &whole, from, len, from + len == total,
			 &frames[n++]);
		from += len;
		if (d->mutation == M_fragments_overlap && from >= 8 &&
		    from < total && draw(d, 2))
			from -= 8;
	}
	if (d->mutation == M_fragments_reversed && n > 1) {
		swap = frames[0];
		frames[0] = frames[n - 1];
		frames[n - 1] = swap;
	}
	return n;
}

/*
 * If the server's own numbers were read as something else, two servers could
 * not be compared.
 */
static inline bool shifts_headers(const struct draft *d)
{
	switch (d->mutation) {
	case M_ip_version:
	case M_protocol:
	case M_ip_options:
	case M_extension_garbage:
	case M_extension_chain:
		return true;
	case M_header_length:
		return d->family == 4;
	default:
		return false;
	}
}

/*
 * README.md, "What differs from the native handshake": halfopen's answers carry
 * no IPv4 options; IPv6 fragments meet LOCAL_IN before they are put together.
 * Where a sum that is to be completed begins before the TCP header, the stack
 * writes the pseudo header's sum over that beginning, and then believes the
 * segment or not by what came out.
 */
static inline bool differs_on_purpose(const struct draft *d)
{
	switch (d->mutation) {
	case M_ip_options:
	case M_extension:
	case M_extension_chain:
	case M_extension_garbage:
		return true;
	case M_fragments:
	case M_fragments_reversed:
	case M_fragments_overlap:
		return d->family == 6;
	case M_checksum_start:
		return true;
	default:
		return false;
	}
}

/*
 * draw_frames() - the frames of one segment of a flow
 * @seed: of the flow
 * @nr: of its peer
 * @stage: which segment
 * @peer: what the server has said
 * @frames: room for PIECES
 * @d: what was drawn
 *
 * Return: how many frames; 0: the flow has ended.
 */
static inline unsigned int draw_frames(uint64_t seed, uint32_t nr, int stage,
				       struct peer *peer, struct frame *frames,
				       struct draft *d)
{
	struct peer common = {};
	unsigned int n = 1;

	memset(d, 0, sizeof(*d));
	d->rnd = seed;
	d->family = draw(d, 2) ? 4 : 6;
	d->seq = next_random(&d->rnd);
	d->dport = FIRST_PORT + draw(d, 2) * draw(d, PORTS);
	d->sport = 1024 + nr * 7 % 60000;
	peer->sport = d->sport;
	peer->dport = d->dport;
	d->ttl = 64;
	d->first_next = 0;
	if (stage > 0 && draw(d, 3) == 0)
		return 0;
	d->rnd = seed + 0x1234567 * (stage + 1);
	peer_address(d->family, nr, d->src);
	server_address(d->family, d->dst);
	d->segment = draw_segment(d, stage);
	d->mutation = draw(d, 3) ? draw(d, M_END) : M_whole;
	if (d->mutation == M_nothing)
		d->mutation = M_bytes;
	if (stage > 0 && differs_on_purpose(d))
		d->mutation = M_whole;
	fill_segment(d, shifts_headers(d) ? &common : peer);
	d->first_next = d->icmp ? IPPROTO_ICMPV6 : IPPROTO_TCP;
	d->sum_ip = true;
	d->sum_l4 = true;
	mutate_draft(d);
	memset(&frames[0].vnet, 0, sizeof(frames[0].vnet));
	assemble(d, shifts_headers(d) ? &common : peer, &frames[0]);
	mutate_ip(d, &frames[0]);
	mutate_tcp(d, &frames[0]);
	if (d->mutation == M_bytes_summed)
		flip_bytes(d, &frames[0], true);
	fix_sums(d, &frames[0]);
	if (d->mutation == M_bytes)
		flip_bytes(d, &frames[0], peer->known);
	mutate_offload(d, &frames[0]);
	mutate_frame(d, &frames[0]);
	if (d->mutation >= M_fragments && d->mutation <= M_fragments_overlap)
		n = split(d, frames);
	if (frames[0].vnet.hdr_len > frames[0].len)
		frames[0].vnet.hdr_len = frames[0].len;
	peer->sent_ack = d->ack;
	return n;
}

#endif /* _MUTATE_H */
