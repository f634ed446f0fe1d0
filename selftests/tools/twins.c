// SPDX-License-Identifier: GPL-2.0
/*
 * The same packets to two servers: what they answer must be the same.
 *
 *   twins [-n PACKETS] [-s SEED] [-t SECONDS] [-f FLOW] SRV CLI SRV CLI
 *
 * SRV and CLI are network namespaces joined as lib.sh joins them, the first
 * pair answers natively, the second one through halfopen.  mutate.h draws the
 * packets.  A batch of flows goes to both servers, segment by segment; a SYN to
 * a closed port behind each round says when all its answers are there, because
 * frames keep their order.  Compared are all answers of a flow byte by byte but
 * for each server's own numbers, what accept() returns, and by how much the
 * counters of the kernel moved.
 *
 * A batch that differs is sent again from other addresses: what differs once is
 * a matter of time or chance: where random bytes meet a server's own numbers,
 * one may take what the other does not.  What differs however often it is tried
 * is wrong.  -f sends one flow and prints everything.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "mutate.h"
#include "netns.h"

enum {
	RING_FRAMES	= 512,
	RING_FRAME	= 4096,
	DATA_OFF	= TPACKET2_HDRLEN - sizeof(struct sockaddr_ll),
	BATCH		= 48,	/* flows */
	TRIES		= 3,	/* of a batch */
	TRIES_ALONE	= 30,	/* of a flow */
	TEXT_MAX	= 2048,	/* of what a flow was answered */
	ISNS		= 8,
	GRAVES		= 256,
	MIB_MAX		= 640,
	NAME_MAX_LEN	= 48,
	BARRIER_NR	= 0x1ffff,
	BARRIER_MS	= 3000,
	KINDS_MAX	= 64,
	WRONG_MAX	= 10,	/* flows that are shown */
};

static const char * const names[2] = { "native", "halfopen" };

struct mib {
	int	n;
	char	name[MIB_MAX][NAME_MAX_LEN];
	long	value[MIB_MAX];
};

/* What a flow has met at one server. */
struct story {
	struct peer	peer;
	uint32_t	isns[ISNS];
	int		isn_count;
	int		repeats;	/* SYN-ACKs with an ISN from before */
	char		text[TEXT_MAX];
	size_t		len;
	char		kinds[64];	/* in short, for the tally */
};

/* A SYN-ACK, to be reset. */
struct grave {
	int		family;
	uint8_t		src[16], dst[16];
	uint16_t	sport, dport;
	uint32_t	seq;
};

struct side {
	int		tx, rx;
	uint8_t		*ring;
	unsigned int	slot;
	int		listeners[PORTS * 2];
	int		mib_files[3];
	struct mib	before, after;
	struct story	flows[BATCH];
	struct story	others;		/* to whom nobody asked for */
	struct grave	graves[GRAVES];
	int		grave_count;
	uint16_t	barrier;
	bool		passed;
	/* of fragments that a timer gave up: IPv4 and IPv6 */
	long		expired[2], expired_bytes[2];
};

struct run {
	uint64_t	seed;
	uint64_t	packets;	/* to halfopen, so far */
	uint32_t	nr;		/* of the next peer */
	bool		verbose;
	unsigned long	once, wrong, flows;
	struct {
		char		name[80];
		unsigned long	count;
	} kinds[KINDS_MAX];
};

/*
 * What a timer counts: SYN cookies after the wrap of jiffies, see
 * differential.py, and fragments that are not whole in time.
 */
static const char * const unstable[] = {
	"TcpExt.SyncookiesFailed", "Ip.ReasmTimeout", "Ip.ReasmFails",
	"Ip6ReasmTimeout", "Ip6ReasmFails",
};

/* The answers to those, in the same order for IPv4 and IPv6, octets last. */
enum { EXPIRED_NAMES = 6 };
static const char * const expired_names[2][EXPIRED_NAMES] = {
	{ "Icmp.OutMsgs", "Icmp.OutTimeExcds", "IcmpMsg.OutType11",
	  "Ip.OutRequests", "Ip.OutTransmits", "IpExt.OutOctets" },
	{ "Icmp6OutMsgs", "Icmp6OutTimeExcds", "Icmp6OutType3",
	  "Ip6OutRequests", "Ip6OutTransmits", "Ip6OutOctets" },
};

static void enter_named(const char *ns)
{
	char path[128];

	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	enter(path);
}

/* --- sockets ---------------------------------------------------------------*/

static void open_tx(struct side *s)
{
	struct tpacket_req req = {
		.tp_block_size = RING_FRAME * 16,
		.tp_block_nr = RING_FRAMES / 16,
		.tp_frame_size = RING_FRAME,
		.tp_frame_nr = RING_FRAMES,
	};
	struct sockaddr_ll ll = { .sll_family = AF_PACKET };
	int v2 = TPACKET_V2, one = 1;

	s->tx = socket(AF_PACKET, SOCK_RAW, 0);
	if (s->tx < 0 ||
	    setsockopt(s->tx, SOL_PACKET, PACKET_VERSION, &v2, sizeof(v2)) ||
	    setsockopt(s->tx, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) ||
	    setsockopt(s->tx, SOL_PACKET, PACKET_LOSS, &one, sizeof(one)) ||
	    setsockopt(s->tx, SOL_PACKET, PACKET_TX_RING, &req, sizeof(req)))
		err(1, "packet ring");
	ll.sll_ifindex = if_nametoindex("cli0");
	if (bind(s->tx, (void *)&ll, sizeof(ll)))
		err(1, "cli0");
	s->ring = mmap(NULL, RING_FRAMES * RING_FRAME, PROT_READ | PROT_WRITE,
		       MAP_SHARED, s->tx, 0);
	if (s->ring == MAP_FAILED)
		err(1, "mmap");
}

static void open_rx(struct side *s)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
	};
	int one = 1, bytes = 16 << 20;

	s->rx = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
	ll.sll_ifindex = if_nametoindex("cli0");
	if (s->rx < 0 ||
	    setsockopt(s->rx, SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
		       sizeof(bytes)) ||
	    setsockopt(s->rx, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
		       sizeof(one)) ||
	    bind(s->rx, (void *)&ll, sizeof(ll)))
		err(1, "packet socket");
}

/* Each port is a listener of another kind. */
static void set_kind(int fd, int family, int kind)
{
	int one = 1, five = 5, ttl = 60, mss = 600, bytes = 4096;

	switch (kind) {
	case 1:
		setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &five, sizeof(five));
		break;
	case 2:
		setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &five,
			   sizeof(five));
		break;
	case 3:
		setsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, &one, sizeof(one));
		break;
	case 4:
		if (family == AF_INET)
			setsockopt(fd, IPPROTO_IP, IP_MINTTL, &ttl,
				   sizeof(ttl));
		else
			setsockopt(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &ttl,
				   sizeof(ttl));
		break;
	case 5:
		setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss));
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
		break;
	}
}

static int open_listener(int family, int kind)
{
	struct sockaddr_in6 addr = {
		.sin6_family = family,
		.sin6_port = htons(FIRST_PORT + kind),
	};
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	set_kind(fd, family, kind);
	if (bind(fd, (void *)&addr, family == AF_INET6 ?
		 sizeof(addr) : sizeof(struct sockaddr_in)) ||
	    listen(fd, 1024))
		err(1, "port %d", FIRST_PORT + kind);
	return fd;
}

static void open_side(struct side *s, const char *srv, const char *cli)
{
	static const char * const files[3] = { "snmp", "netstat", "snmp6" };
	char path[64];
	int i;

	enter_named(cli);
	open_tx(s);
	open_rx(s);
	enter_named(srv);
	for (i = 0; i < PORTS; i++) {
		s->listeners[2 * i] = open_listener(AF_INET, i);
		s->listeners[2 * i + 1] = open_listener(AF_INET6, i);
	}
	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/proc/thread-self/net/%s",
			 files[i]);
		s->mib_files[i] = open(path, O_RDONLY);
		if (s->mib_files[i] < 0)
			err(1, "%s", path);
	}
}

/* --- sending ---------------------------------------------------------------*/

static struct tpacket2_hdr *ring_slot(const struct side *s, unsigned int slot)
{
	return (void *)(s->ring + slot % RING_FRAMES * RING_FRAME);
}

/*
 * A frame that cannot be made into packets for the device would be tried again
 * forever: the oldest one becomes too short for anything, which is skipped.
 */
static void spoil_oldest(struct side *s)
{
	unsigned int i;

	for (i = 0; i < RING_FRAMES; i++) {
		struct tpacket2_hdr *hdr = ring_slot(s, s->slot + i);

		if (hdr->tp_status == TP_STATUS_SEND_REQUEST) {
			hdr->tp_len = 1;
			return;
		}
	}
}

static void flush_ring(struct side *s)
{
	while (send(s->tx, NULL, 0, 0) < 0) {
		if (errno == ENETDOWN || errno == ENXIO)
			err(1, "send");
		if (errno != EINTR)
			spoil_oldest(s);
	}
}

static void queue_frame(struct side *s, const struct frame *f)
{
	struct tpacket2_hdr *hdr = ring_slot(s, s->slot);
	uint8_t *to = (uint8_t *)hdr + DATA_OFF;

	while (__atomic_load_n(&hdr->tp_status, __ATOMIC_ACQUIRE) !=
	       TP_STATUS_AVAILABLE)
		flush_ring(s);
	memcpy(to, &f->vnet, sizeof(f->vnet));
	memcpy(to + sizeof(f->vnet), f->b, f->len);
	hdr->tp_len = sizeof(f->vnet) + f->len;
	__atomic_store_n(&hdr->tp_status, TP_STATUS_SEND_REQUEST,
			 __ATOMIC_RELEASE);
	s->slot = (s->slot + 1) % RING_FRAMES;
}

/* Well-formed, with the flags and numbers that are given. */
static void queue_segment(struct side *s, const struct grave *g, uint16_t flags)
{
	struct peer nobody = {};
	struct frame f = {};
	struct draft d = {
		.family = g->family, .sport = g->sport, .dport = g->dport,
		.seq = g->seq, .flags = flags, .ttl = 64,
		.first_next = IPPROTO_TCP, .sum_ip = true, .sum_l4 = true,
	};

	memcpy(d.src, g->src, 16);
	memcpy(d.dst, g->dst, 16);
	assemble(&d, &nobody, &f);
	fix_sums(&d, &f);
	queue_frame(s, &f);
}

static void queue_barrier(struct side *s)
{
	struct grave g = { .family = 4, .dport = CLOSED_PORT };

	peer_address(4, BARRIER_NR, g.src);
	server_address(4, g.dst);
	if (!++s->barrier)
		s->barrier = 1;
	g.sport = s->barrier;
	s->passed = false;
	queue_segment(s, &g, SYN);
}

/* --- receiving -------------------------------------------------------------*/

static void tell(struct story *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->text + t->len, sizeof(t->text) - t->len, format, args);
	va_end(args);
	t->len += n;
	if (t->len >= sizeof(t->text))
		t->len = sizeof(t->text) - 1;
}

static void add_kind(struct story *t, const char *kind)
{
	size_t len = strlen(t->kinds);

	snprintf(t->kinds + len, sizeof(t->kinds) - len, " %s", kind);
}

/* The server's own numbers are told as distances. */
static void tell_seq(struct story *t, uint32_t seq, uint16_t flags)
{
	uint32_t nearest = UINT32_MAX;
	int i;

	if (flags & SYN) {
		for (i = 0; i < t->isn_count && t->isns[i] != seq; i++)
			;
		t->repeats += i < t->isn_count;
		if (i == t->isn_count && i < ISNS)
			t->isns[t->isn_count++] = seq;
		tell(t, " isn");
		return;
	}
	if (flags & RST && !(flags & ACK)) {
		tell(t, " seq %u", seq - t->peer.sent_ack);
		return;
	}
	/* two of the stack's for the same peer may be a millisecond apart */
	for (i = 0; i < t->isn_count; i++)
		if (seq - t->isns[i] < nearest)
			nearest = seq - t->isns[i];
	if (nearest < 70000)
		tell(t, " seq isn+%u", nearest);
	else
		tell(t, " seq %s", seq ? "far" : "0");
}

/* The clock and the Fast Open cookie are the server's own. */
static void tell_options(struct story *t, const uint8_t *p, size_t len,
			 bool own_synack)
{
	size_t at = 0, i;

	tell(t, " <");
	while (at < len) {
		size_t size = p[at] < 2 || at + 1 == len || p[at + 1] < 2 ?
			      1 : p[at + 1];

		if (p[at] == 8 && size == 10 && at + 10 <= len) {
			if (own_synack)
				t->peer.tsval = get32(p + at + 2);
			tell(t, " ts %u", get32(p + at + 6));
		} else {
			for (i = 0; i < size && at + i < len; i++)
				tell(t, p[at] == 34 && i > 1 ? "." : "%02x",
				     p[at + i]);
		}
		at += size;
	}
	tell(t, ">");
}

static void tell_tcp(struct side *s, struct story *t, const struct grave *to,
		     const uint8_t *tcp, size_t len)
{
	uint16_t flags = get16(tcp + 12) & 0xfff;
	size_t hlen = (tcp[12] >> 4) * 4, i;
	char letters[13] = "";
	/* a number of another connection stands in no relation to this one's */
	bool own_synack = flags & SYN && flags & ACK &&
			  to->sport == t->peer.sport &&
			  to->dport == t->peer.dport;
	int n = 0;

	if (len < 20 || hlen < 20 || hlen > len) {
		tell(t, " malformed %zu %zu\n", hlen, len);
		return;
	}
	for (i = 0; i < 12; i++)
		if (flags >> i & 1)
			letters[n++] = "FSRPAUEWN123"[i];
	add_kind(t, letters);
	tell(t, " %u>%u %s", get16(tcp), get16(tcp + 2), letters);
	if (own_synack) {
		t->peer.known = true;
		t->peer.isn = get32(tcp + 4);
	}
	tell_seq(t, get32(tcp + 4), flags);
	tell(t, " ack %u win %u urg %u len %zu", get32(tcp + 8),
	     get16(tcp + 14), get16(tcp + 18), len - hlen);
	tell_options(t, tcp + 20, hlen - 20, own_synack);
	tell(t, "\n");
	if (!(flags & SYN) || s->grave_count == GRAVES)
		return;
	s->graves[s->grave_count] = *to;
	s->graves[s->grave_count++].seq = get32(tcp + 8);
}

static void tell_icmp(struct story *t, const uint8_t *icmp, size_t len)
{
	char kind[16];

	snprintf(kind, sizeof(kind), "icmp%u/%u", icmp[0], icmp[1]);
	add_kind(t, kind);
	tell(t, " %s %u len %zu\n", kind, get32(icmp + 4), len);
}

/* Neighbours and multicast groups are told on their own account. */
static bool is_background(const uint8_t *l4, uint8_t proto)
{
	return proto == IPPROTO_IGMP || (proto == IPPROTO_ICMPV6 &&
	       ((l4[0] >= 130 && l4[0] <= 137) || l4[0] == 143));
}

static void receive(struct side *s, const uint8_t *b, size_t len,
		    uint32_t first, uint32_t count)
{
	int family = get16(b + 12) == ETH_P_IP ? 4 : 6;
	size_t l3 = ETH_HLEN, ip = family == 4 ? (b[l3] & 15) * 4 : 40, total;
	size_t alen = address_len(family);
	const uint8_t *h = b + l3, *l4 = h + ip;
	uint8_t proto = h[family == 4 ? 9 : 6];
	struct grave to = { .family = family };
	struct story *t = &s->others;
	long nr;

	if ((get16(b + 12) != ETH_P_IP && get16(b + 12) != ETH_P_IPV6) ||
	    len < l3 + ip + 8)
		return;
	if (family == 6 && proto == 0) {	/* hop by hop: MLD */
		proto = l4[0];
		l4 += 8;
	}
	if (is_background(l4, proto))
		return;
	total = family == 4 ? get16(h + 2) : 40 + get16(h + 4);
	if (l4[1] == 1 && ((proto == IPPROTO_ICMP && l4[0] == 11) ||
			   (proto == IPPROTO_ICMPV6 && l4[0] == 3))) {
		s->expired[family == 6]++;
		s->expired_bytes[family == 6] += total;
		return;
	}
	memcpy(to.dst, h + (family == 4 ? 12 : 8), alen);
	memcpy(to.src, h + (family == 4 ? 16 : 24), alen);
	to.dport = get16(l4);
	to.sport = get16(l4 + 2);
	nr = peer_number(family, to.src);
	if (nr == BARRIER_NR) {
		s->passed |= to.sport == s->barrier;
		return;
	}
	if (nr >= first && nr < first + count)
		t = &s->flows[nr - first];
	/* IP IDs are a clock or random, labels random */
	tell(t, "%d tos %02x ttl %u df %d hl %zu", family,
	     family == 4 ? h[1] : get16(h) >> 4 & 0xff,
	     h[family == 4 ? 8 : 7], family == 4 ? h[6] >> 6 & 1 : 0, ip);
	if (t == &s->others && proto == IPPROTO_TCP)
		t->peer.sent_ack = get32(l4 + 4);
	if (proto == IPPROTO_TCP)
		tell_tcp(s, t, &to, l4, total - ip);
	else if (proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6)
		tell_icmp(t, l4, total - ip);
	else
		tell(t, " proto %u len %zu\n", proto, total - ip);
}

/* All answers until that to the barrier. */
static void collect(struct side *s, uint32_t first, uint32_t count)
{
	struct pollfd pfd = { .fd = s->rx, .events = POLLIN };
	uint8_t b[65536];
	ssize_t n;

	while (!s->passed) {
		n = recv(s->rx, b, sizeof(b), 0);
		if (n > ETH_HLEN + 28) {
			receive(s, b, n, first, count);
			continue;
		}
		if (n < 0 && !poll(&pfd, 1, BARRIER_MS))
			errx(1, "no answer to a SYN at a closed port");
	}
}

/* --- what programs see -------------------------------------------------*/

static void tell_socket(struct side *s, int fd, int port,
			const struct sockaddr_in6 *addr, uint32_t first,
			uint32_t count)
{
	const struct sockaddr_in *in = (const void *)addr;
	bool v4 = addr->sin6_family == AF_INET;
	struct story *t = &s->others;
	struct tcp_info info = {};
	socklen_t len = sizeof(info);
	int unread = -1;
	long nr;

	nr = peer_number(v4 ? 4 : 6, v4 ? (const void *)&in->sin_addr :
					  (const void *)&addr->sin6_addr);
	if (nr >= first && nr < first + count)
		t = &s->flows[nr - first];
	ioctl(fd, FIONREAD, &unread);
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	add_kind(t, "accepted");
	tell(t, "accepted %d from %u: state %u options %u scales %u,%u",
	     port, ntohs(addr->sin6_port), info.tcpi_state, info.tcpi_options,
	     info.tcpi_snd_wscale, info.tcpi_rcv_wscale);
	tell(t, " mss %u advmss %u pmtu %u cwnd %u unread %d\n",
	     info.tcpi_snd_mss, info.tcpi_advmss, info.tcpi_pmtu,
	     info.tcpi_snd_cwnd, unread);
}

static void accept_all(struct side *s, uint32_t first, uint32_t count)
{
	struct linger now = { .l_onoff = 1 };
	struct sockaddr_in6 addr;
	socklen_t len;
	int i, fd;

	for (i = 0; i < PORTS * 2; i++)
		for (;;) {
			len = sizeof(addr);
			fd = accept(s->listeners[i], (void *)&addr, &len);
			if (fd < 0)
				break;
			tell_socket(s, fd, FIRST_PORT + i / 2, &addr, first,
				    count);
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &now,
				   sizeof(now));
			close(fd);
		}
}

static void add_value(struct mib *m, const char *prefix, const char *name,
		      long value)
{
	if (m->n == MIB_MAX)
		errx(1, "more than %d counters", MIB_MAX);
	snprintf(m->name[m->n], NAME_MAX_LEN, "%s%s%s", prefix,
		 *prefix ? "." : "", name);
	m->value[m->n++] = value;
}

/* "Prefix: name name" and then "Prefix: value value" */
static void parse_pair(struct mib *m, char *line, char *values)
{
	char *names_at, *values_at, *name, *value;
	char *prefix = strtok_r(line, ":", &names_at);

	strtok_r(values, ":", &values_at);
	while ((name = strtok_r(NULL, " ", &names_at)) &&
	       (value = strtok_r(NULL, " ", &values_at)))
		add_value(m, prefix, name, strtoull(value, NULL, 10));
}

static void read_mib(struct side *s, struct mib *m)
{
	char text[32768], *line, *next, *at, *value;
	ssize_t n, got;
	int i;

	m->n = 0;
	for (i = 0; i < 3; i++) {
		for (got = 0; got < (ssize_t)sizeof(text) - 1; got += n) {
			n = pread(s->mib_files[i], text + got,
				  sizeof(text) - 1 - got, got);
			if (n <= 0)
				break;
		}
		text[got] = 0;
		at = NULL;
		for (line = strtok_r(text, "\n", &at); line;
		     line = strtok_r(NULL, "\n", &at)) {
			if (i < 2) {
				next = strtok_r(NULL, "\n", &at);
				parse_pair(m, line, next);
				continue;
			}
			value = line + strcspn(line, " \t");
			*value++ = 0;
			add_value(m, "", line, strtoull(value, NULL, 10));
		}
	}
}

static long value_of(const struct mib *m, const char *name, int hint)
{
	int i;

	for (i = 0; i < m->n; i++) {
		int at = (hint + i) % m->n;

		if (!strcmp(m->name[at], name))
			return m->value[at];
	}
	return 0;
}

/* How much of a counter is answers to fragments. */
static long expired(const struct side *s, const char *name)
{
	int v6, i;

	for (v6 = 0; v6 < 2; v6++)
		for (i = 0; s->expired[v6] && i < EXPIRED_NAMES; i++)
			if (!strcmp(expired_names[v6][i], name))
				return i == EXPIRED_NAMES - 1 ?
				       s->expired_bytes[v6] : s->expired[v6];
	return 0;
}

static long moved(const struct side *s, const char *name, int hint)
{
	return value_of(&s->after, name, hint) -
	       value_of(&s->before, name, hint) - expired(s, name);
}

static bool is_unstable(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(unstable) / sizeof(*unstable); i++)
		if (!strcmp(unstable[i], name))
			return true;
	return false;
}

/* Some come into being with their first event, at either server. */
static int compare_mibs(const struct side *sides, bool show)
{
	int which, i, bad = 0;

	for (which = 0; which < 2; which++)
		for (i = 0; i < sides[which].after.n; i++) {
			const char *name = sides[which].after.name[i];
			long a = moved(&sides[0], name, i);
			long b = moved(&sides[1], name, i);

			if (a == b || is_unstable(name) ||
			    (which && value_of(&sides[0].after, name, i)))
				continue;
			bad++;
			if (show)
				printf("#   %s: native %+ld, halfopen %+ld\n",
				       name, a, b);
		}
	return bad;
}

/* --- batches --------------------------------------------------------------*/

static void print_frame(const struct frame *f)
{
	size_t i;

	printf("#     vnet flags %u gso %u/%u hdr %u csum %u+%u:",
	       f->vnet.flags, f->vnet.gso_type, f->vnet.gso_size,
	       f->vnet.hdr_len, f->vnet.csum_start, f->vnet.csum_offset);
	for (i = 0; i < f->len && i < 160; i++)
		printf("%s%02x", i % 16 ? "" : " ", f->b[i]);
	printf("%s\n", f->len > 160 ? " ..." : "");
}

static uint64_t flow_seed(const struct run *r, uint64_t flow)
{
	return r->seed * 0x9e3779b97f4a7c15 + flow * 0x2545f4914f6cdd1d;
}

/* One segment of each flow, to both. */
static bool send_stage(struct run *r, struct side *sides, uint64_t flow,
		       uint32_t first, uint32_t count, int stage)
{
	static struct frame frames[PIECES];
	bool any = false;
	struct draft d;
	uint32_t i;
	int which;
	unsigned int n, k;

	for (which = 0; which < 2; which++) {
		struct side *s = &sides[which];

		for (i = 0; i < count; i++) {
			struct story *t = &s->flows[i];

			n = draw_frames(flow_seed(r, flow + i), first + i,
					stage, &t->peer, frames, &d);
			if (n)
				tell(t, "-- %s, %s\n", segment_names[d.segment],
				     mutation_names[d.mutation]);
			for (k = 0; k < n; k++) {
				queue_frame(s, &frames[k]);
				if (r->verbose)
					print_frame(&frames[k]);
			}
			any |= n > 0;
			r->packets += which ? n : 0;
		}
		queue_barrier(s);
	}
	for (which = 0; which < 2; which++) {
		flush_ring(&sides[which]);
		collect(&sides[which], first, count);
	}
	return any;
}

/* Nothing of a batch stays: what completed is closed, what did not is reset. */
static void bury(struct side *s, uint32_t first, uint32_t count)
{
	int i;

	accept_all(s, first, count);
	for (i = 0; i < s->grave_count; i++)
		queue_segment(s, &s->graves[i], RST);
	s->grave_count = 0;
	queue_barrier(s);
	flush_ring(s);
}

/*
 * Who forgets a connection and gets the same SYN again may choose the same ISN
 * (README.md, P-63), but who has not forgotten it must.
 */
static bool same(const struct story *native, const struct story *halfopen)
{
	return native->len == halfopen->len &&
	       !memcmp(native->text, halfopen->text, native->len) &&
	       native->repeats <= halfopen->repeats;
}

static uint32_t next_peers(struct run *r, uint32_t count)
{
	uint32_t first = r->nr;

	if (first + count >= BARRIER_NR)
		first = 0;
	r->nr = first + count;
	return first;
}

/* Flows from @flow on; the answer is how many differ, counters being one. */
static int run_batch(struct run *r, struct side *sides, uint64_t flow,
		     uint32_t count)
{
	uint32_t first = next_peers(r, count), i;
	int which, stage, bad = 0;
	uint8_t byte;

	for (which = 0; which < 2; which++) {
		struct side *s = &sides[which];

		memset(s->flows, 0, sizeof(s->flows[0]) * count);
		memset(&s->others, 0, sizeof(s->others));
		s->grave_count = 0;
		/* what came since the last batch is counted by now */
		while (recv(s->rx, &byte, 1, 0) > 0)
			;
		memset(s->expired, 0, sizeof(s->expired));
		memset(s->expired_bytes, 0, sizeof(s->expired_bytes));
		read_mib(s, &s->before);
	}
	for (stage = 0; stage < STAGES; stage++)
		if (!send_stage(r, sides, flow, first, count, stage))
			break;
	for (which = 0; which < 2; which++) {
		bury(&sides[which], first, count);
		collect(&sides[which], first, count);
		/* what closing and resetting said belongs to no flow */
		read_mib(&sides[which], &sides[which].after);
	}
	for (i = 0; i < count; i++)
		bad += !same(&sides[0].flows[i], &sides[1].flows[i]);
	bad += !same(&sides[0].others, &sides[1].others);
	return bad + (compare_mibs(sides, false) > 0);
}

static void show_story(const char *name, const struct story *t)
{
	char text[TEXT_MAX], *at = NULL, *line;

	memcpy(text, t->text, t->len);
	text[t->len] = 0;
	printf("#   %s:\n", name);
	for (line = strtok_r(text, "\n", &at); line;
	     line = strtok_r(NULL, "\n", &at))
		printf("#     %s\n", line);
}

static void show_flow(const struct side *sides, const struct run *r,
		      uint64_t flow, uint32_t i)
{
	printf("# flow %llu of seed %llu:\n", (unsigned long long)flow,
	       (unsigned long long)r->seed);
	show_story(names[0], &sides[0].flows[i]);
	show_story(names[1], &sides[1].flows[i]);
}

static void show_batch(const struct side *sides, const struct run *r,
		       uint64_t flow, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (count == 1 || !same(&sides[0].flows[i], &sides[1].flows[i]))
			show_flow(sides, r, flow + i, i);
	if (!same(&sides[0].others, &sides[1].others)) {
		printf("# to others:\n");
		show_story(names[0], &sides[0].others);
		show_story(names[1], &sides[1].others);
	}
	compare_mibs(sides, true);
}

static void tally(struct run *r, const struct side *sides, uint32_t count)
{
	uint32_t i;
	int k;

	for (i = 0; i < count; i++) {
		const char *kinds = sides[1].flows[i].kinds;

		if (!*kinds)
			kinds = " nothing";
		for (k = 0; k < KINDS_MAX - 1 && *r->kinds[k].name; k++)
			if (!strcmp(r->kinds[k].name, kinds))
				break;
		snprintf(r->kinds[k].name, sizeof(r->kinds[k].name), "%s",
			 k == KINDS_MAX - 1 ? " other" : kinds);
		r->kinds[k].count++;
	}
}

/* Again until it agrees; then one by one, to know which it was. */
static void judge(struct run *r, struct side *sides, uint64_t flow,
		  uint32_t count)
{
	unsigned long before = r->wrong;
	uint32_t i;
	int k;

	for (k = 1; k < TRIES; k++)
		if (!run_batch(r, sides, flow, count)) {
			r->once++;
			return;
		}
	for (i = 0; i < count; i++) {
		for (k = 0; k < TRIES_ALONE; k++)
			if (!run_batch(r, sides, flow + i, 1))
				break;
		if (k < TRIES_ALONE)
			continue;
		if (r->wrong++ < WRONG_MAX)
			show_batch(sides, r, flow + i, 1);
	}
	if (r->wrong > before)
		return;
	/* together only */
	for (k = 0; k < TRIES_ALONE; k++)
		if (!run_batch(r, sides, flow, count))
			return;
	r->wrong++;
	show_batch(sides, r, flow, count);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void report(const struct run *r, double seconds)
{
	int k;

	for (k = 0; k < KINDS_MAX && *r->kinds[k].name; k++)
		printf("# %8lu%s\n", r->kinds[k].count, r->kinds[k].name);
	printf("flows %lu packets %llu wrong %lu once %lu seconds %.1f\n",
	       r->flows, (unsigned long long)r->packets, r->wrong, r->once,
	       seconds);
}

int main(int argc, char **argv)
{
	static struct side sides[2];
	static struct run r = { .seed = 1 };
	unsigned long long packets = 10000;
	double start, limit = 1e9;
	long long only = -1;
	cpu_set_t cpu;
	int c;

	while ((c = getopt(argc, argv, "n:s:t:f:")) != -1) {
		switch (c) {
		case 'n':
			packets = strtoull(optarg, NULL, 0);
			break;
		case 's':
			r.seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			limit = strtod(optarg, NULL);
			break;
		case 'f':
			only = strtoll(optarg, NULL, 0);
			break;
		default:
			errx(1, "see the top of twins.c");
		}
	}
	if (argc - optind != 4)
		errx(1, "needs two servers and their clients");
	/* one CPU, so that frames keep their order */
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	if (sched_setaffinity(0, sizeof(cpu), &cpu))
		err(1, "sched_setaffinity");
	open_side(&sides[0], argv[optind], argv[optind + 1]);
	open_side(&sides[1], argv[optind + 2], argv[optind + 3]);
	start = now();
	if (only >= 0) {
		r.verbose = true;
		c = run_batch(&r, sides, only, 1);
		show_batch(sides, &r, only, 1);
		return c > 0;
	}
	while (r.packets < packets && now() - start < limit) {
		if (run_batch(&r, sides, r.flows, BATCH))
			judge(&r, sides, r.flows, BATCH);
		else
			tally(&r, sides, BATCH);
		r.flows += BATCH;
	}
	report(&r, now() - start);
	return r.wrong > 0;
}
