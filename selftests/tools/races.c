// SPDX-License-Identifier: GPL-2.0
/*
 * Two segments for one half-open connection from two CPUs at the same time,
 * again and again:
 *
 *	races [-6] CLIENT_NETNS IF DST_MAC DST PORT KIND COUNT TIMEOUT_MS
 *
 * It listens at PORT in its own namespace and plays the clients, spoofed ones,
 * in the other: SYNs of a batch, then for each connection one segment from
 * either CPU, each CPU on a packet socket of its own.  What a veth is given on
 * a CPU is received on that CPU.  KIND says which two segments these are; with
 * "timer" it is one ACK from either of them, at the moment when the SYN-ACK is
 * due to be sent again (TIMEOUT_MS is net.halfopen.synack_timeout_ms).
 *
 * Prints
 *
 *	connections N accepted N twice N resets N numbers N data N repeated N
 *	late N
 *
 * on one line: connections that were accepted, those that were more than once;
 * segments with RST that clients got; clients that were told two sequence
 * numbers; accepted sockets with data that nobody sent; connections whose
 * SYN-ACK came again, and SYN-ACKs that came after the connection was accepted.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"
#include "netns.h"

enum {
	BATCH		= 256,
	PEERS		= 1 << 17,	/* addresses of 198.18.0.0/15 */
	FRAME_MAX	= 256,
	DATA_LEN	= 8,
	RCVBUF		= 64 << 20,
	WAIT_MS		= 3000,		/* for what has to come */
	LEAD_MAX	= 64,		/* rounds of an empty loop */
	SPINS_MAX	= 4096,
	SLEEP_US	= 20,

	FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10,
};

/* One side of a race, after the SYN-ACK. */
struct segment {
	uint8_t		flags;
	uint32_t	seq_off;	/* to the client's first byte */
	const char	*data;
};

struct kind {
	const char	*name;
	struct segment	side[2];
};

static const char data_a[] = "AAAAAAAA", data_b[] = "BBBBBBBB";

static const struct kind kinds[] = {
	{ "ack_ack", { { .flags = ACK }, { .flags = ACK } } },
	{ "ack_data", { { .flags = ACK }, { .flags = ACK, .data = data_a } } },
	{ "data_data", { { .flags = ACK, .data = data_a },
			 { .flags = ACK, .data = data_b } } },
	{ "ack_fin", { { .flags = ACK }, { .flags = ACK | FIN } } },
	{ "data_syn", { { .flags = ACK, .data = data_a },
			{ .flags = SYN, .seq_off = -1 } } },
	{ "data_rst", { { .flags = ACK, .data = data_a }, { .flags = RST } } },
	/* inside the window: RFC 5961 asks who it was */
	{ "data_blind_rst", { { .flags = ACK, .data = data_a },
			      { .flags = RST, .seq_off = 100 } } },
	{ "timer", { { .flags = ACK }, { .flags = ACK } } },
};

struct peer {
	uint32_t	isn;		/* the client's */
	uint32_t	number;		/* the server's */
	uint64_t	syn_ns;
	unsigned int	synacks;
	unsigned int	accepted;
	bool		settled;	/* accepted, what came before is read */
	bool		two_numbers;
};

struct totals {
	unsigned long	connections, accepted, twice, resets, numbers, data,
			repeated, late;
};

static const struct kind *kind;
static bool v6, timed;
static uint8_t dst[16];
static uint16_t port;
static unsigned int timeout_ms;	/* of the first SYN-ACK */
static struct ether_addr mac;
static int rx_fd, tx_fd[2], listen_fd;
static struct peer peers[BATCH];
static int children[2 * BATCH];
static unsigned int nr_peers, nr_children;
static uint64_t first;		/* number of the batch's first connection */
static struct totals totals;
static pthread_barrier_t begin, end;
static unsigned int arrived;
static bool over;

/*
 * An emulated CPU lets the other one run here.  Where each is a thread of its
 * own on a busy machine, who waits for long had better sleep.
 */
static void relax(unsigned int spins)
{
#ifdef __x86_64__
	__builtin_ia32_pause();
#endif
	if (spins % SPINS_MAX == SPINS_MAX - 1)
		usleep(SLEEP_US);
}

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

/* --- segments out --- */

static void peer_addr(unsigned int i, uint8_t *addr, uint16_t *sport)
{
	uint32_t host = htonl((first + i) % PEERS | 198u << 24 | 18 << 16);
	static const uint8_t prefix[16] = { 0x20, 0x01, 0x0d, 0xb8 };

	memcpy(addr, prefix, sizeof(prefix));
	memcpy(addr + (v6 ? 12 : 0), &host, 4);
	*sport = 1024 + (first + i) / PEERS;
}

static size_t put_ip(uint8_t *p, const uint8_t *src, size_t len)
{
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP,
		.frag_off = htons(IP_DF), .tot_len = htons(sizeof(ip) + len),
	};
	struct ip6_hdr ip6 = {
		.ip6_flow = htonl(6u << 28), .ip6_plen = htons(len),
		.ip6_nxt = IPPROTO_TCP, .ip6_hlim = 64,
	};

	if (v6) {
		memcpy(&ip6.ip6_src, src, 16);
		memcpy(&ip6.ip6_dst, dst, 16);
		memcpy(p, &ip6, sizeof(ip6));
		return sizeof(ip6);
	}
	memcpy(&ip.saddr, src, 4);
	memcpy(&ip.daddr, dst, 4);
	ip.check = csum_fold(csum_add(0, &ip, sizeof(ip)));
	memcpy(p, &ip, sizeof(ip));
	return sizeof(ip);
}

static void send_segment(int fd, unsigned int i, const struct segment *seg)
{
	/* MSS 1460, SACK, NOP, window scale 7, NOP */
	static const uint8_t opts[12] = { 2, 4, 0x05, 0xb4, 4, 2, 1, 3, 3, 7, 1,
					  1 };
	uint8_t frame[FRAME_MAX], src[16], tcp_buf[64], *p = frame;
	size_t alen = v6 ? 16 : 4, len = sizeof(struct tcphdr);
	struct ethhdr eth = { .h_proto = htons(v6 ? ETH_P_IPV6 : ETH_P_IP) };
	struct tcphdr tcp = {};
	uint16_t sport, check;
	uint32_t sum;

	peer_addr(i, src, &sport);
	memcpy(eth.h_dest, &mac, 6);
	memcpy(eth.h_source, "\x02\x00\x00\x00\x00\xfe", 6);
	memcpy(p, &eth, sizeof(eth));
	p += sizeof(eth);

	tcp.source = htons(sport);
	tcp.dest = htons(port);
	tcp.seq = htonl(peers[i].isn + 1 + seg->seq_off);
	tcp.ack_seq = htonl(seg->flags & ACK ? peers[i].number + 1 : 0);
	tcp.window = htons(64240);
	if (seg->flags & SYN) {
		memcpy(tcp_buf + len, opts, sizeof(opts));
		len += sizeof(opts);
	}
	tcp.doff = len / 4;
	if (seg->data) {
		memcpy(tcp_buf + len, seg->data, DATA_LEN);
		len += DATA_LEN;
	}
	memcpy(tcp_buf, &tcp, sizeof(tcp));
	tcp_buf[13] = seg->flags;
	p += put_ip(p, src, len);
	sum = csum_add(IPPROTO_TCP + len, src, alen);
	sum = csum_add(csum_add(sum, dst, alen), tcp_buf, len);
	check = csum_fold(sum);
	memcpy(tcp_buf + offsetof(struct tcphdr, check), &check, 2);
	memcpy(p, tcp_buf, len);
	while (send(fd, frame, p + len - frame, 0) < 0)
		if (errno != ENOBUFS && errno != EINTR)
			err(1, "send");
}

/* --- segments in --- */

/* The connection that a frame belongs to, or NULL. */
static struct peer *peer_of(const uint8_t *ip, const struct tcphdr *tcp)
{
	uint32_t host;
	uint16_t sport;
	uint8_t addr[16];
	unsigned int i;

	memcpy(&host, ip + (v6 ? 36 : 16), 4);
	i = (ntohl(host) - first) % PEERS;
	if (i >= nr_peers)
		return NULL;
	peer_addr(i, addr, &sport);
	return ntohs(tcp->dest) == sport ? &peers[i] : NULL;
}

static void look_at(const uint8_t *frame, ssize_t len)
{
	size_t off = sizeof(struct ethhdr) +
		     (v6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr));
	const uint8_t *ip = frame + sizeof(struct ethhdr);
	struct tcphdr tcp;
	struct peer *peer;
	uint32_t number;

	if (len < (ssize_t)(off + sizeof(tcp)) ||
	    ip[v6 ? 6 : 9] != IPPROTO_TCP)
		return;
	memcpy(&tcp, frame + off, sizeof(tcp));
	peer = peer_of(ip, &tcp);
	if (!peer)
		return;
	totals.resets += tcp.rst;
	if (!tcp.syn)
		return;
	number = ntohl(tcp.seq);
	if (!peer->synacks)
		peer->number = number;
	peer->two_numbers |= number != peer->number;
	totals.late += peer->settled;
	peer->synacks++;
}

static void read_frames(void)
{
	uint8_t frame[FRAME_MAX];
	ssize_t len;

	while ((len = recv(rx_fd, frame, sizeof(frame), MSG_DONTWAIT)) >= 0)
		look_at(frame, len);
}

static unsigned int answered(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < nr_peers; i++)
		n += peers[i].synacks > 0;
	return n;
}

static void wait_synacks(void)
{
	uint64_t until = now_ns() + WAIT_MS * 1000000ull;
	struct pollfd pfd = { .fd = rx_fd, .events = POLLIN };

	for (;;) {
		read_frames();
		if (answered() == nr_peers)
			return;
		if (now_ns() > until)
			errx(1, "%u of %u SYNs are not answered",
			     nr_peers - answered(), nr_peers);
		poll(&pfd, 1, 10);
	}
}

/* --- accepted sockets --- */

static bool is_data(const struct segment *seg, const char *buf)
{
	return seg->data && !memcmp(buf, seg->data, DATA_LEN);
}

/* All of one segment's data, or none of any. */
static bool data_is_sound(int fd)
{
	char buf[2 * DATA_LEN];
	ssize_t len = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (len <= 0)
		return true;
	return len == DATA_LEN &&
	       (is_data(&kind->side[0], buf) || is_data(&kind->side[1], buf));
}

static void take_child(int fd, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *sa6 = (const void *)ss;
	const struct sockaddr_in *sa4 = (const void *)ss;
	struct tcphdr tcp = { .dest = sa4->sin_port };
	uint8_t ip[40] = {};
	struct peer *peer;

	if (v6)
		memcpy(ip + 24, &sa6->sin6_addr, 16);
	else
		memcpy(ip + 16, &sa4->sin_addr, 4);
	peer = peer_of(ip, &tcp);
	if (!peer)
		errx(1, "a connection of nobody was accepted");
	totals.accepted++;
	totals.twice += peer->accepted++ > 0;
	totals.data += !data_is_sound(fd);
	if (nr_children == 2 * BATCH)
		errx(1, "too many connections were accepted");
	children[nr_children++] = fd;
}

static void accept_all(void)
{
	struct sockaddr_storage ss = {};
	socklen_t len = sizeof(ss);
	int fd;

	while ((fd = accept(listen_fd, (void *)&ss, &len)) >= 0) {
		take_child(fd, &ss);
		len = sizeof(ss);
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		err(1, "accept");
}

static void close_all(void)
{
	struct linger linger = { .l_onoff = 1 };

	while (nr_children) {
		int fd = children[--nr_children];

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		close(fd);
	}
}

/* --- the race --- */

/* Both CPUs leave together, but for a random moment. */
static void meet(unsigned int round, uint64_t *rnd)
{
	unsigned int lead = next_random(rnd) % LEAD_MAX, spins = 0;

	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < 2 * round)
		relax(spins++);
	while (lead--)
		__asm__ volatile("");
}

static void race_side(unsigned int side, uint64_t *rnd)
{
	unsigned int i;

	for (i = 0; i < nr_peers; i++) {
		/* either CPU is the first one half of the time */
		unsigned int which = side ^ (i & 1);

		meet(i + 1, rnd);
		send_segment(tx_fd[side], i, &kind->side[which]);
	}
}

/* Its own half, around the time when the SYN-ACKs are due again. */
static void race_timer(unsigned int side, uint64_t *rnd)
{
	unsigned int early_ms = timeout_ms / 10;	/* some ticks */
	unsigned int i;

	for (i = side; i < nr_peers; i += 2) {
		uint64_t at = peers[i].syn_ns +
			      (timeout_ms - early_ms) * 1000000ull +
			      next_random(rnd) % (2 * early_ms * 1000000);

		while (now_ns() < at)
			relax(0);
		send_segment(tx_fd[side], i, &kind->side[side]);
	}
}

static void pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "there is no CPU %u", cpu);
}

/* Returns whether there may be another one: "over" is stable only in here. */
static bool race(unsigned int side, uint64_t *rnd)
{
	bool last;

	pthread_barrier_wait(&begin);
	last = over;
	if (!last && timed)
		race_timer(side, rnd);
	else if (!last)
		race_side(side, rnd);
	pthread_barrier_wait(&end);
	return !last;
}

static void *second_cpu(void *arg)
{
	uint64_t rnd = 2;

	(void)arg;
	pin(1);
	while (race(1, &rnd))
		;
	return NULL;
}

static void sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static void send_syns(uint64_t *rnd)
{
	static const struct segment syn = { .flags = SYN, .seq_off = -1 };
	unsigned int i;

	for (i = 0; i < nr_peers; i++) {
		peers[i] = (struct peer){ .isn = next_random(rnd) };
		peers[i].syn_ns = now_ns();
		send_segment(tx_fd[0], i, &syn);
	}
}

static void collect(void)
{
	unsigned int i;

	accept_all();
	/* what was sent before that may wait on the other CPU */
	if (timed)
		sleep_ms(timeout_ms / 4);
	read_frames();
	for (i = 0; i < nr_peers; i++)
		peers[i].settled = peers[i].accepted > 0;
	/* somebody who is not over would hear of it now */
	if (timed)
		sleep_ms(3 * timeout_ms);
	read_frames();
	accept_all();
	for (i = 0; i < nr_peers; i++) {
		totals.numbers += peers[i].two_numbers;
		totals.repeated += peers[i].synacks > 1;
	}
	totals.connections += nr_peers;
}

static void batch(uint64_t *rnd)
{
	send_syns(rnd);
	wait_synacks();
	arrived = 0;
	race(0, rnd);
	collect();
	/* their resets are no strays */
	nr_peers = 0;
	close_all();
	read_frames();
}

static void run(uint64_t count)
{
	uint64_t rnd = 1;
	pthread_t thread;

	pthread_barrier_init(&begin, NULL, 2);
	pthread_barrier_init(&end, NULL, 2);
	if (pthread_create(&thread, NULL, second_cpu, NULL))
		errx(1, "thread");
	pin(0);
	for (first = 0; first < count; first += BATCH) {
		nr_peers = count - first < BATCH ? count - first : BATCH;
		batch(&rnd);
	}
	over = true;
	race(0, &rnd);
	pthread_join(thread, NULL);
}

/* --- setting up --- */

static void open_listener(void)
{
	struct sockaddr_in6 sa6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in sa4 = { .sin_family = AF_INET };
	int one = 1;

	sa6.sin6_port = htons(port);
	sa4.sin_port = htons(port);
	listen_fd = socket(v6 ? AF_INET6 : AF_INET,
			   SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (listen_fd < 0 ||
	    setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &one,
		       sizeof(one)) ||
	    bind(listen_fd, v6 ? (void *)&sa6 : (void *)&sa4,
		 v6 ? sizeof(sa6) : sizeof(sa4)) ||
	    listen(listen_fd, BATCH))
		err(1, "listen");
}

static int open_packet(const char *ifname, uint16_t proto)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_protocol = htons(proto),
		.sll_ifindex = if_nametoindex(ifname),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1, bytes = RCVBUF;

	if (fd < 0 || !ll.sll_ifindex ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one,
		       sizeof(one)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
		       sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
		       sizeof(bytes)) ||
	    bind(fd, (void *)&ll, sizeof(ll)))
		err(1, "packet socket on %s", ifname);
	return fd;
}

static void find_kind(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, name))
			kind = &kinds[i];
	if (!kind)
		errx(1, "no kind %s", name);
	timed = !strcmp(name, "timer");
}

int main(int argc, char **argv)
{
	v6 = argc > 1 && !strcmp(argv[1], "-6");
	argv += v6;
	if (argc - v6 != 9)
		errx(1, "the head of races.c says how");
	if (!ether_aton_r(argv[3], &mac) ||
	    inet_pton(v6 ? AF_INET6 : AF_INET, argv[4], dst) != 1)
		errx(1, "bad address");
	port = atoi(argv[5]);
	find_kind(argv[6]);
	timeout_ms = strtoul(argv[8], NULL, 0);
	open_listener();
	enter(argv[1]);
	rx_fd = open_packet(argv[2], v6 ? ETH_P_IPV6 : ETH_P_IP);
	tx_fd[0] = open_packet(argv[2], 0);
	tx_fd[1] = open_packet(argv[2], 0);
	run(strtoull(argv[7], NULL, 0));
	printf("connections %lu accepted %lu twice %lu resets %lu ",
	       totals.connections, totals.accepted, totals.twice,
	       totals.resets);
	printf("numbers %lu data %lu repeated %lu late %lu\n",
	       totals.numbers, totals.data, totals.repeated, totals.late);
	return 0;
}
