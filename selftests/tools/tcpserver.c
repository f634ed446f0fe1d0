// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners of every kind, and what a program can read from a socket right
 * after accept(), one "name=value" per line between "accepted" and "end".
 *
 * SIGUSR1 starts accepting (after -s), SIGUSR2 stops it.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NR(array) (sizeof(array) / sizeof((array)[0]))

enum {
	MAX_FDS		= 4096,
	FAMILY_SMC	= 43,	/* what follows is younger than some libc */
	PROTO_SMC	= 0,
	PROTO_SMC6	= 1,
	PROTO_MPTCP	= 262,
};

/* The fields that the installed headers may not know, by offset. */
#define FIELD(name)	{ #name, offsetof(struct tcp_info, tcpi_##name), \
			  sizeof(((struct tcp_info *)0)->tcpi_##name) }
static const struct {
	const char	*name;
	size_t		off;
	size_t		len;
} tcp_info_fields[] = {
	FIELD(state), FIELD(ca_state), FIELD(retransmits), FIELD(probes),
	FIELD(backoff), FIELD(options), { "wscales", 6, 1 },
	{ "app_limited_fastopen_fail", 7, 1 },
	FIELD(rto), FIELD(ato), FIELD(snd_mss), FIELD(rcv_mss),
	FIELD(unacked), FIELD(sacked), FIELD(lost), FIELD(retrans),
	FIELD(fackets), FIELD(last_data_sent), FIELD(last_ack_sent),
	FIELD(last_data_recv), FIELD(last_ack_recv), FIELD(pmtu),
	FIELD(rcv_ssthresh), FIELD(rtt), FIELD(rttvar), FIELD(snd_ssthresh),
	FIELD(snd_cwnd), FIELD(advmss), FIELD(reordering), FIELD(rcv_rtt),
	FIELD(rcv_space), FIELD(total_retrans), FIELD(pacing_rate),
	FIELD(max_pacing_rate), FIELD(bytes_acked), FIELD(bytes_received),
	FIELD(segs_out), FIELD(segs_in), FIELD(notsent_bytes), FIELD(min_rtt),
	FIELD(data_segs_in), FIELD(data_segs_out), FIELD(delivery_rate),
	FIELD(busy_time), FIELD(rwnd_limited), FIELD(sndbuf_limited),
	FIELD(delivered), FIELD(delivered_ce), FIELD(bytes_sent),
	FIELD(bytes_retrans), FIELD(dsack_dups), FIELD(reord_seen),
	FIELD(rcv_ooopack), FIELD(snd_wnd),
	{ "rcv_wnd", 232, 4 }, { "rehash", 236, 4 }, { "total_rto", 240, 2 },
	{ "total_rto_recoveries", 242, 2 }, { "total_rto_time", 244, 4 },
};

static const struct {
	const char	*name;
	int		level;
	int		opt;
} int_options[] = {
	{ "so_rcvbuf", SOL_SOCKET, SO_RCVBUF },
	{ "so_sndbuf", SOL_SOCKET, SO_SNDBUF },
	{ "so_rcvlowat", SOL_SOCKET, SO_RCVLOWAT },
	{ "so_mark", SOL_SOCKET, SO_MARK },
	{ "so_priority", SOL_SOCKET, SO_PRIORITY },
	{ "so_keepalive", SOL_SOCKET, SO_KEEPALIVE },
	{ "so_reuseaddr", SOL_SOCKET, SO_REUSEADDR },
	{ "so_reuseport", SOL_SOCKET, SO_REUSEPORT },
	{ "so_oobinline", SOL_SOCKET, SO_OOBINLINE },
	{ "so_bindtoifindex", SOL_SOCKET, SO_BINDTOIFINDEX },
	{ "so_error", SOL_SOCKET, SO_ERROR },
	{ "tcp_maxseg", IPPROTO_TCP, TCP_MAXSEG },
	{ "tcp_nodelay", IPPROTO_TCP, TCP_NODELAY },
	{ "tcp_quickack", IPPROTO_TCP, TCP_QUICKACK },
	{ "tcp_window_clamp", IPPROTO_TCP, TCP_WINDOW_CLAMP },
	{ "tcp_defer_accept", IPPROTO_TCP, TCP_DEFER_ACCEPT },
	{ "tcp_user_timeout", IPPROTO_TCP, TCP_USER_TIMEOUT },
	{ "tcp_notsent_lowat", IPPROTO_TCP, TCP_NOTSENT_LOWAT },
	{ "tcp_syncnt", IPPROTO_TCP, TCP_SYNCNT },
	{ "tcp_linger2", IPPROTO_TCP, TCP_LINGER2 },
	{ "tcp_keepidle", IPPROTO_TCP, TCP_KEEPIDLE },
	{ "ip_tos", IPPROTO_IP, IP_TOS },
	{ "ip_ttl", IPPROTO_IP, IP_TTL },
	{ "ip_mtu_discover", IPPROTO_IP, IP_MTU_DISCOVER },
	{ "ip_mtu", IPPROTO_IP, IP_MTU },
	{ "ipv6_tclass", IPPROTO_IPV6, IPV6_TCLASS },
	{ "ipv6_unicast_hops", IPPROTO_IPV6, IPV6_UNICAST_HOPS },
	{ "ipv6_mtu", IPPROTO_IPV6, IPV6_MTU },
};

static struct {
	const char	*addr;
	unsigned int	ports[16];
	int		nports;
	int		backlog;
	int		copies;		/* SO_REUSEPORT group */
	int		v6only;		/* -1: IPv4 unless addr is not */
	int		defer;
	int		accept_max;
	int		rcvbuf;
	int		mark;
	int		tos;
	int		fastopen;	/* TFO connections that may wait */
	bool		mptcp;
	bool		smc;
	bool		pktinfo;
	bool		slow;
	bool		http;
	bool		greet;
	bool		info;
	bool		save_syn;
	const char	*congestion;
	const char	*device;
	const char	*md5_peer;
} opt = { .backlog = 128, .copies = 1, .v6only = -1 };

static volatile sig_atomic_t accepting;
static struct pollfd fds[MAX_FDS];
static int nfds, nlisteners, accepted;

static void on_signal(int sig)
{
	accepting = sig == SIGUSR1;
}

static void set(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		err(1, "setsockopt %d %d", level, name);
}

static int open_socket(bool v6)
{
	int family = opt.smc ? FAMILY_SMC : v6 ? AF_INET6 : AF_INET;
	int proto = opt.mptcp ? PROTO_MPTCP : !opt.smc ? 0 :
		    v6 ? PROTO_SMC6 : PROTO_SMC;
	int fd = socket(family, SOCK_STREAM, proto);

	if (fd < 0)
		err(1, "socket");
	return fd;
}

/* TCP MD5 signatures with one peer, nothing with all others. */
static void set_md5(int fd, bool v6)
{
	struct sockaddr_in6 sa6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in sa4 = { .sin_family = AF_INET };
	struct tcp_md5sig sig = { .tcpm_keylen = 6, .tcpm_key = "secret" };

	if (inet_pton(v6 ? AF_INET6 : AF_INET, opt.md5_peer,
		      v6 ? (void *)&sa6.sin6_addr :
		      (void *)&sa4.sin_addr) != 1)
		errx(1, "bad address %s", opt.md5_peer);
	memcpy(&sig.tcpm_addr, v6 ? (void *)&sa6 : (void *)&sa4,
	       v6 ? sizeof(sa6) : sizeof(sa4));
	if (setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof(sig)))
		err(1, "MD5 key for %s", opt.md5_peer);
}

static void add_listener(unsigned int port)
{
	struct sockaddr_in6 sa6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in sa4 = { .sin_family = AF_INET };
	bool v6 = opt.v6only >= 0 || (opt.addr && strchr(opt.addr, ':'));
	int fd = open_socket(v6);

	sa4.sin_port = htons(port);
	sa6.sin6_port = sa4.sin_port;
	if (opt.addr && inet_pton(v6 ? AF_INET6 : AF_INET, opt.addr, v6 ?
				  (void *)&sa6.sin6_addr :
				  (void *)&sa4.sin_addr) != 1)
		errx(1, "bad address %s", opt.addr);
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (opt.copies > 1)
		set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (v6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, opt.v6only == 1);
	if (opt.defer)
		set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, opt.defer);
	if (opt.rcvbuf)
		set(fd, SOL_SOCKET, SO_RCVBUF, opt.rcvbuf);
	if (opt.mark)
		set(fd, SOL_SOCKET, SO_MARK, opt.mark);
	if (opt.tos)
		set(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		    v6 ? IPV6_TCLASS : IP_TOS, opt.tos);
	if (opt.save_syn)
		set(fd, IPPROTO_TCP, TCP_SAVE_SYN, 1);
	if (opt.fastopen)
		set(fd, IPPROTO_TCP, TCP_FASTOPEN, opt.fastopen);
	if (opt.pktinfo)
		set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	if (opt.md5_peer)
		set_md5(fd, v6);
	if (opt.device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE,
				     opt.device, strlen(opt.device)))
		err(1, "device %s", opt.device);
	if (opt.congestion &&
	    setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, opt.congestion,
		       strlen(opt.congestion)))
		err(1, "congestion control %s", opt.congestion);
	if (bind(fd, v6 ? (void *)&sa6 : (void *)&sa4,
		 v6 ? sizeof(sa6) : sizeof(sa4)) ||
	    listen(fd, opt.backlog))
		err(1, "port %u", port);
	/* A connection may be gone again by the time it is accepted. */
	fcntl(fd, F_SETFL, O_NONBLOCK);
	fds[nfds++] = (struct pollfd){ .fd = fd };
}

static void print_peer(const char *what, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *sa6 = (const void *)ss;
	const struct sockaddr_in *sa4 = (const void *)ss;
	bool v6 = ss->ss_family == AF_INET6;
	char text[INET6_ADDRSTRLEN];

	inet_ntop(ss->ss_family, v6 ? (const void *)&sa6->sin6_addr :
		  (const void *)&sa4->sin_addr, text, sizeof(text));
	printf("%s=%s%s%s:%u\n", what, v6 ? "[" : "", text, v6 ? "]" : "",
	       ntohs(v6 ? sa6->sin6_port : sa4->sin_port));
}

static void print_tcp_info(const uint8_t *info, socklen_t got)
{
	size_t i;

	for (i = 0; i < NR(tcp_info_fields); i++) {
		uint64_t value = 0;

		if (tcp_info_fields[i].off + tcp_info_fields[i].len > got)
			continue;
		/* x86 only, as the VM is: the low bytes come first. */
		memcpy(&value, info + tcp_info_fields[i].off,
		       tcp_info_fields[i].len);
		printf("tcpi_%s=%llu\n", tcp_info_fields[i].name,
		       (unsigned long long)value);
	}
}

static void print_bytes(const char *name, const uint8_t *p, socklen_t len)
{
	printf("%s=", name);
	while (len--)
		printf("%02x", *p++);
	printf("\n");
}

static void print_socket(int fd, int listener)
{
	uint8_t info[512] = {}, syn[256];
	struct sockaddr_storage ss;
	socklen_t info_len = sizeof(info), len;
	char name[32] = "";
	size_t i;
	int value;

	/* First, before anything else can happen to the connection. */
	getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &info_len);
	printf("accepted %d\nlistener=%d\n", accepted, listener);
	len = sizeof(ss);
	if (!getpeername(fd, (void *)&ss, &len))
		print_peer("peer", &ss);
	len = sizeof(ss);
	if (!getsockname(fd, (void *)&ss, &len))
		print_peer("local", &ss);
	if (opt.info) {
		print_tcp_info(info, info_len);
		for (i = 0; i < NR(int_options); i++) {
			len = sizeof(value);
			if (!getsockopt(fd, int_options[i].level,
					int_options[i].opt, &value, &len))
				printf("%s=%d\n", int_options[i].name, value);
		}
		len = sizeof(name) - 1;
		if (!getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &len))
			printf("tcp_congestion=%s\n", name);
		len = sizeof(syn);
		if (opt.save_syn &&
		    !getsockopt(fd, IPPROTO_TCP, TCP_SAVED_SYN, syn, &len))
			print_bytes("tcp_saved_syn", syn, len);
	}
	printf("end\n");
	fflush(stdout);
}

static void accept_one(int listener)
{
	int fd = accept(fds[listener].fd, NULL, NULL);

	if (fd < 0)
		return;
	accepted++;
	print_socket(fd, listener);
	if (opt.greet)
		send(fd, "hello\n", 6, MSG_NOSIGNAL);
	if (nfds == MAX_FDS) {
		close(fd);
		return;
	}
	fds[nfds++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

static void serve(int i)
{
	static const char reply[] =
		"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
	char buf[4096];
	ssize_t n = read(fds[i].fd, buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && !opt.http)
		return;
	if (n > 0)
		send(fds[i].fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
	close(fds[i].fd);
	fds[i] = fds[--nfds];
}

static void loop(void)
{
	while (!opt.accept_max || accepted < opt.accept_max) {
		int i;

		for (i = 0; i < nlisteners; i++)
			fds[i].events = accepting ? POLLIN : 0;
		/* The time limit is for a signal just before poll(). */
		if (poll(fds, nfds, 50) <= 0)
			continue;
		for (i = nfds - 1; i >= nlisteners; i--)
			if (fds[i].revents)
				serve(i);
		for (i = 0; i < nlisteners; i++)
			if (accepting && fds[i].revents & POLLIN)
				accept_one(i);
	}
}

static const char usage[] =
"tcpserver -p PORT... [-l ADDR] [-b BACKLOG] [-R COPIES] [-6 0|1]\n"
"  -6 0|1   an IPv6 socket, dual-stack or v6only\n"
"  -R N     N sockets with SO_REUSEPORT\n"
"  -d S     TCP_DEFER_ACCEPT      -c NAME  congestion control\n"
"  -r N     SO_RCVBUF             -m N     SO_MARK\n"
"  -t N     TOS / traffic class   -S       TCP_SAVE_SYN\n"
"  -f N     TCP_FASTOPEN          -M ADDR  TCP_MD5SIG for a peer\n"
"  -D DEV   SO_BINDTODEVICE       -I       IPV6_RECVPKTINFO\n"
"  -P NAME  mptcp or smc\n"
"  -s       accept only after SIGUSR1\n"
"  -n N     end after N connections\n"
"  -i       print TCP_INFO and socket options\n"
"  -g       greet every connection   -w  answer HTTP requests\n";

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	int c, i, j;

	while ((c = getopt(argc, argv,
			   "p:l:b:R:6:d:c:r:m:t:n:f:M:D:P:ISsigw")) != -1) {
		switch (c) {
		case 'p':
			if (opt.nports == 16)
				errx(1, "too many ports");
			opt.ports[opt.nports++] = atoi(optarg);
			break;
		case 'l':
			opt.addr = optarg;
			break;
		case 'b':
			opt.backlog = atoi(optarg);
			break;
		case 'R':
			opt.copies = atoi(optarg);
			break;
		case '6':
			opt.v6only = atoi(optarg);
			break;
		case 'd':
			opt.defer = atoi(optarg);
			break;
		case 'c':
			opt.congestion = optarg;
			break;
		case 'r':
			opt.rcvbuf = atoi(optarg);
			break;
		case 'm':
			opt.mark = atoi(optarg);
			break;
		case 't':
			opt.tos = strtol(optarg, NULL, 0);
			break;
		case 'n':
			opt.accept_max = atoi(optarg);
			break;
		case 'f':
			opt.fastopen = atoi(optarg);
			break;
		case 'M':
			opt.md5_peer = optarg;
			break;
		case 'D':
			opt.device = optarg;
			break;
		case 'P':
			opt.mptcp = !strcmp(optarg, "mptcp");
			opt.smc = !strcmp(optarg, "smc");
			if (!opt.mptcp && !opt.smc)
				errx(1, "unknown protocol %s", optarg);
			break;
		case 'I':
			opt.pktinfo = true;
			break;
		case 'S':
			opt.save_syn = true;
			break;
		case 's':
			opt.slow = true;
			break;
		case 'i':
			opt.info = true;
			break;
		case 'g':
			opt.greet = true;
			break;
		case 'w':
			opt.http = true;
			break;
		default:
			errx(1, "%s", usage);
		}
	}
	if (!opt.nports)
		errx(1, "%s", usage);
	accepting = !opt.slow;
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	for (i = 0; i < opt.nports; i++)
		for (j = 0; j < opt.copies; j++)
			add_listener(opt.ports[i]);
	nlisteners = nfds;
	printf("listening\n");
	fflush(stdout);
	loop();
	return 0;
}
