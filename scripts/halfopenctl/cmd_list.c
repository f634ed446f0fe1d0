// SPDX-License-Identifier: GPL-2.0
/* halfopenctl list */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addr.h"
#include "cmd.h"
#include "dump.h"
#include "json.h"
#include "out.h"
#include "util.h"

enum {
	LINE_MAX_BYTES	= 512,
	ADDR_TEXT_MAX	= OUT_ADDR_MAX + 24,	/* brackets, %iif, port */
	TAIL_MAX	= 160,
};

enum state {
	STATE_NEW,
	STATE_RETRANSMITTED,
	STATE_ACKED,
	STATE_ANY,
};

static const char * const state_names[] = { "new", "retransmitted", "acked" };

/* Who is listed, and how. */
static struct {
	bool some;		/* not all */
	bool ports;
	__u8 port[65536 / 8];
	bool v4_only;
	bool v6_only;
	bool has_local;
	bool has_peer;
	struct prefix local;
	struct prefix peer;
	enum state state;
} want = { .state = STATE_ANY };

static bool extended;
static bool padded;
static __u64 count;

static enum state state_of(const struct halfopen_conn *conn)
{
	if (conn->flags & HALFOPEN_ACKED)
		return STATE_ACKED;
	return conn->retrans ? STATE_RETRANSMITTED : STATE_NEW;
}

static bool wanted(const struct halfopen_conn *conn)
{
	unsigned int port = ntohs(conn->lport);

	if (want.ports && !(want.port[port / 8] & 1 << port % 8))
		return false;
	if (want.v4_only && !addr_is_v4(conn->raddr))
		return false;
	if (want.v6_only && addr_is_v4(conn->raddr))
		return false;
	if (want.has_local && !prefix_has(&want.local, conn->laddr))
		return false;
	if (want.has_peer && !prefix_has(&want.peer, conn->raddr))
		return false;
	return want.state == STATE_ANY || want.state == state_of(conn);
}

static char *put_end(char *at, const __u8 *addr, __be16 port, __u32 iif)
{
	if (addr_is_v4(addr)) {
		at = put_v4(at, addr + 12);
	} else {
		*at++ = '[';
		at = put_addr(at, addr);
		*at++ = ']';
		if (iif) {
			*at++ = '%';
			at = put_u32(at, iif);
		}
	}
	*at++ = ':';
	return put_u32(at, ntohs(port));
}

static char *put_tail(char *at, const struct halfopen_conn *conn)
{
	at = put_str(at, ") retrans:");
	at = put_u32(at, conn->retrans);
	at = put_str(at, " mss:");
	at = put_u32(at, conn->mss);
	at = put_str(at, " win:");
	at = put_u32(at, conn->win);
	if (conn->flags & HALFOPEN_WSCALE) {
		at = put_str(at, " wscale:");
		at = put_u32(at, conn->snd_wscale);
		*at++ = ',';
		at = put_u32(at, conn->rcv_wscale);
	}
	if (conn->flags & HALFOPEN_TS)
		at = put_str(at, " ts");
	if (conn->flags & HALFOPEN_SACK)
		at = put_str(at, " sack");
	if (conn->flags & HALFOPEN_ECN)
		at = put_str(at, " ecn");
	if (conn->flags & HALFOPEN_ACKED)
		at = put_str(at, " acked");
	return at;
}

/* A text that was the same for the last entry mostly is for this one. */
struct cached {
	struct halfopen_conn of;
	size_t len;
	char text[TAIL_MAX + PUT_SPARE];
};

static char *put_local(char *at, const struct halfopen_conn *conn)
{
	static struct cached last;

	if (!last.len || last.of.lport != conn->lport ||
	    last.of.iif != conn->iif ||
	    memcmp(last.of.laddr, conn->laddr, sizeof(conn->laddr))) {
		last.of = *conn;
		last.len = put_end(last.text, conn->laddr, conn->lport,
				   conn->iif) - last.text;
	}
	return put_text(at, last.text, last.len);
}

static char *put_agreed(char *at, const struct halfopen_conn *conn)
{
	static struct cached last;

	if (!last.len || last.of.flags != conn->flags ||
	    last.of.mss != conn->mss || last.of.win != conn->win ||
	    last.of.snd_wscale != conn->snd_wscale ||
	    last.of.rcv_wscale != conn->rcv_wscale ||
	    last.of.retrans != conn->retrans) {
		last.of = *conn;
		last.len = put_tail(last.text, conn) - last.text;
	}
	return put_text(at, last.text, last.len);
}

static char *pad(char *at, const char *begin, int width)
{
	while (at - begin < width)
		*at++ = ' ';
	return at;
}

static void list_line(const struct halfopen_conn *conn, void *context)
{
	char *at, *begin;

	(void)context;
	if (want.some && !wanted(conn))
		return;
	at = out_begin(LINE_MAX_BYTES);
	if (padded)
		at = put_str(at, "SYN-RECV 0      0      ");
	else
		at = put_str(at, "SYN-RECV 0 0 ");
	begin = at;
	at = put_local(at, conn);
	if (padded)
		at = pad(at, begin, 22);
	*at++ = ' ';
	begin = at;
	at = put_end(at, conn->raddr, conn->rport, conn->iif);
	if (padded)
		at = pad(at, begin, 22);
	at = put_str(at, " timer:(on,");
	at = put_u32(at, conn->timer_ms);
	at = put_str(at, "ms,");
	at = put_u32(at, conn->timeouts);
	at = put_agreed(at, conn);
	if (extended) {
		at = put_str(at, " age:");
		at = put_u32(at, conn->age_ms);
		at = put_str(at, "ms");
	}
	*at++ = '\n';
	out_end(at);
}

static void json_addr(const char *name, const __u8 *addr)
{
	char text[OUT_ADDR_MAX];

	*put_addr(text, addr) = '\0';
	json_str(name, text);
}

static void list_json(const struct halfopen_conn *conn, void *context)
{
	(void)context;
	if (!wanted(conn))
		return;
	json_begin(NULL, '{');
	json_str("state", state_names[state_of(conn)]);
	json_addr("local_address", conn->laddr);
	json_int("local_port", ntohs(conn->lport));
	json_addr("peer_address", conn->raddr);
	json_int("peer_port", ntohs(conn->rport));
	json_int("interface", conn->iif);
	json_int("timer_ms", conn->timer_ms);
	json_int("timeouts", conn->timeouts);
	json_int("retrans", conn->retrans);
	json_int("mss", conn->mss);
	json_int("win", conn->win);
	if (conn->flags & HALFOPEN_WSCALE) {
		json_int("snd_wscale", conn->snd_wscale);
		json_int("rcv_wscale", conn->rcv_wscale);
	} else {
		json_null("snd_wscale");
		json_null("rcv_wscale");
	}
	json_bool("ts", conn->flags & HALFOPEN_TS);
	json_bool("sack", conn->flags & HALFOPEN_SACK);
	json_bool("ecn", conn->flags & HALFOPEN_ECN);
	json_int("age_ms", conn->age_ms);
	json_end('}');
}

static void list_count(const struct halfopen_conn *conn, void *context)
{
	(void)context;
	count += wanted(conn);
}

static void parse_ports(char *text)
{
	char *word;

	want.ports = true;
	/* strtok() would take "," for nothing at all */
	while ((word = strsep(&text, ","))) {
		unsigned int port = arg_u64("--port", word, 1, 65535);

		want.port[port / 8] |= 1 << port % 8;
	}
}

static enum state parse_state(const char *text)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(state_names); i++)
		if (!strcmp(state_names[i], text))
			return i;
	usage_error("--state is new, retransmitted or acked, not '%.64s'",
		    text);
}

static void show_lines(bool header)
{
	if (header && padded)
		out_fmt("%-8s %-6s %-6s %-22s %-22s %s\n", "State", "Recv-Q",
			"Send-Q", "Local-Address:Port", "Peer-Address:Port",
			"Info");
	else if (header)
		out_str("State Recv-Q Send-Q Local-Address:Port Peer-Address:Port Info\n");
	dump_each(list_line, NULL);
}

static int run(int argc, char **argv)
{
	static const struct option names[] = {
		{ "ipv4", no_argument, NULL, '4' },
		{ "ipv6", no_argument, NULL, '6' },
		{ "port", required_argument, NULL, 'p' },
		{ "local", required_argument, NULL, 'l' },
		{ "peer", required_argument, NULL, 'r' },
		{ "state", required_argument, NULL, 's' },
		{ "extended", no_argument, NULL, 'e' },
		{ "count", no_argument, NULL, 'c' },
		{ "no-header", no_argument, NULL, 'H' },
		COMMON_OPTIONS,
	};
	bool header = true, only_count = false;
	int opt;

	while ((opt = next_option(argc, argv, "46p:l:r:s:ecH", names)) != -1) {
		switch (opt) {
		case '4':
			want.v4_only = true;
			break;
		case '6':
			want.v6_only = true;
			break;
		case 'p':
			parse_ports(optarg);
			break;
		case 'l':
			want.has_local = true;
			prefix_parse("--local", optarg, &want.local);
			break;
		case 'r':
			want.has_peer = true;
			prefix_parse("--peer", optarg, &want.peer);
			break;
		case 's':
			want.state = parse_state(optarg);
			break;
		case 'e':
			extended = true;
			break;
		case 'c':
			only_count = true;
			break;
		case 'H':
			header = false;
			break;
		}
	}
	no_arguments(argc, argv);
	if (want.v4_only && want.v6_only)
		usage_error("-4 and -6 leave nothing");
	padded = isatty(STDOUT_FILENO);
	want.some = want.ports || want.v4_only || want.v6_only ||
		    want.has_local || want.has_peer || want.state != STATE_ANY;
	if (only_count)
		dump_each(list_count, NULL);
	if (!globals.json) {
		if (only_count)
			out_fmt("%llu\n", count);
		else
			show_lines(header);
		return EXIT_DONE;
	}
	json_begin(NULL, '{');
	if (only_count) {
		json_int("count", count);
	} else {
		json_begin("entries", '[');
		dump_each(list_json, NULL);
		json_end(']');
	}
	json_end('}');
	return EXIT_DONE;
}

const struct command cmd_list = {
	.name		= "list",
	.summary	= "every half-open connection, columns as of ss(8)",
	.usage		= "[OPTION]...",
	.help		=
		"Only connections\n"
		"  -4, --ipv4, -6, --ipv6         of this family\n"
		"  -p, --port PORT[,PORT]...      with one of these local ports\n"
		"  -l, --local ADDRESS[/LENGTH]   to this local address or prefix\n"
		"  -r, --peer ADDRESS[/LENGTH]    from this address or prefix\n"
		"  -s, --state STATE              new: SYN-ACK sent once; retransmitted: more\n"
		"                                 often; acked: complete, waits for the accept\n"
		"                                 queue\n"
		"Options:\n"
		"  -e, --extended                 for how long, too (age:)\n"
		"  -c, --count                    only how many\n"
		"  -H, --no-header                no line with the names of columns\n"
		"  -j, --json\n\n"
		"Behind the addresses: timer:(on,MS,TIMEOUTS) until the SYN-ACK is sent again and\n"
		"timeouts so far, retrans:N SYN-ACKs sent again, mss:N of the client, win:N that\n"
		"was announced, wscale:PEER,OURS, ts, sack, ecn if agreed, acked. Columns are\n"
		"padded on a terminal only: elsewhere lines are those of /proc/net/halfopen.\n",
	.run		= run,
};
