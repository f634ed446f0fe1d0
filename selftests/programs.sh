#!/bin/dash
# SPDX-License-Identifier: GPL-2.0
# vm: --icount
# vm: --programs
# check: one kernel
# timeout: 900
# rows: P-59 P-61 O-45 O-46
#
# Programs as they are used: OpenSSH, PostgreSQL, HAProxy in front of another
# host, MPTCP and Fast Open.  Each serves its clients natively, with halfopen,
# and with halfopen while its port is flooded and SYN cookies are off, so that
# nobody else can help.
. "${0%/*}/lib.sh"

rate=500		# SYNs a second
sessions=20
few=10			# without a flood
bck4=10.1.0.1
fwd4=10.1.0.254		# the server on that side
service4=192.0.2.80	# an address of nobody, for TPROXY

seed=0
bck=
setup
forget_time_wait
srv_write ipv4/tcp_syncookies 0
srv_write ipv4/tcp_max_syn_backlog 256
# No queue is kept for peers of whom the kernel knows something.
srv_write ipv4/tcp_no_metrics_save 1
srv_write ipv4/tcp_fastopen 3

# --- each program: start_NAME, and NAME_sessions COUNT prints how many succeed

# P-256 throughout: OpenSSL has it in assembler, the others take seconds here.
start_ssh() {
	local ssh_dir="$tmp/ssh"
	mkdir -p "$ssh_dir" /run/sshd || return 1
	ssh-keygen -q -N "" -t ecdsa -f "$ssh_dir/host" &&
		ssh-keygen -q -N "" -t ecdsa -f "$ssh_dir/client" || return 1
	cat >"$ssh_dir/sshd_config" <<-END
	ListenAddress $srv4
	HostKey $ssh_dir/host
	AuthorizedKeysFile $ssh_dir/client.pub
	StrictModes no
	UsePAM no
	PidFile none
	END
	cat >"$ssh_dir/config" <<-END
	Host *
	User root
	IdentityFile $ssh_dir/client
	IdentitiesOnly yes
	KexAlgorithms ecdh-sha2-nistp256
	Ciphers aes128-ctr
	StrictHostKeyChecking no
	UserKnownHostsFile /dev/null
	LogLevel ERROR
	ConnectTimeout 3
	BatchMode yes
	END
	# -r: without loading itself anew for each session.
	ip netns exec "$srv" /usr/sbin/sshd -D -r -f "$ssh_dir/sshd_config" \
	    -E "$ssh_dir/log" &
	wait_for 10 listening 22
}

# count_ok COUNT WANT COMMAND...: how often it prints WANT.
count_ok() {
	local i=0 ok=0 count="$1" want="$2"
	shift 2
	while [ "$i" -lt "$count" ]; do
		[ "$("$@" 2>&1)" != "$want" ] || ok=$((ok + 1))
		i=$((i + 1))
	done
	echo "$ok"
}

ssh_sessions() {
	# shellcheck disable=SC2016 # for the shell over there
	count_ok "$1" "$cli4" in_cli ssh -F "$tmp/ssh/config" "$srv4" \
	    'echo "${SSH_CLIENT%% *}"'
}

pg=/usr/lib/postgresql/15/bin

start_postgresql() {
	local data=/var/lib/postgresql
	chown -R 65534:65534 "$data" &&
		echo "host all all $cli4/32 trust" >>"$data/pg_hba.conf" || return 1
	ip netns exec "$srv" setpriv --reuid=65534 --regid=65534 \
	    --clear-groups "$pg/postgres" -D "$data" -h "$srv4" \
	    -c shared_buffers=1MB -c fsync=off -c timezone=GMT \
	    -c log_timezone=GMT -c unix_socket_directories= \
	    >"$tmp/postgresql" 2>&1 &
	wait_for 30 grep -q 'ready to accept' "$tmp/postgresql"
}

postgresql_sessions() {
	count_ok "$1" "$cli4 42" in_cli env PGCONNECT_TIMEOUT=3 "$pg/psql" \
	    -h "$srv4" -d postgres -AtF ' ' \
	    -c 'select host(inet_client_addr()), 6 * 7'
}

# The host behind the proxy, whose replies come back through it.
start_backend() {
	add_namespace bck || return 1
	ip -n "$srv" link add bck0 type veth peer name eth0 netns "$bck" ||
		return 1
	ip -n "$srv" addr add "$fwd4/24" dev bck0
	ip -n "$bck" addr add "$bck4/24" dev eth0
	ip -n "$srv" link set bck0 up
	ip -n "$bck" link set eth0 up
	ip -n "$bck" route add default via "$fwd4"
	mkdir -p "$tmp/backend/logs"
	cat >"$tmp/backend/nginx.conf" <<-END
	daemon off;
	master_process off;
	user root root;
	pid $tmp/backend/pid;
	error_log $tmp/backend/error.log;
	events { }
	http {
		access_log off;
		keepalive_timeout 0;
		server {
			listen $bck4:81 proxy_protocol;
			return 200 "\$proxy_protocol_addr\n";
		}
		server {
			listen $bck4:82;
			return 200 "\$remote_addr\n";
		}
	}
	END
	ip netns exec "$bck" nginx -p "$tmp/backend" \
	    -c "$tmp/backend/nginx.conf" >"$tmp/backend/out" 2>&1 &
}

# haproxy sends to the backend with the client's address, so the backend's
# replies have to find haproxy's sockets; and connections to an address that is
# not ours have to find its listener.
divert() {
	ip -n "$srv" rule add fwmark 1 lookup 100
	ip -n "$srv" route add local default dev lo table 100
	ip -n "$cli" route add "$service4" via "$srv4"
	ip netns exec "$srv" nft -f - <<-END
	table ip divert {
		chain prerouting {
			type filter hook prerouting priority mangle;
			iifname bck0 socket transparent 1 meta mark set 1
			ip daddr $service4 tcp dport 80 \
				tproxy to $srv4:8083 meta mark set 1
		}
	}
	END
}

start_haproxy() {
	start_backend && divert || return 1
	cat >"$tmp/haproxy.cfg" <<-END
	global
		nbthread 1
	defaults
		mode tcp
		timeout connect 3s
		timeout client 5s
		timeout server 5s
	listen tcp
		bind $srv4:8081
		server backend $bck4:81 send-proxy
	listen http
		mode http
		bind $srv4:8082
		option httpclose
		source 0.0.0.0 usesrc clientip
		server backend $bck4:82
	listen tproxy
		bind $srv4:8083 transparent
		source 0.0.0.0 usesrc clientip
		server backend $bck4:82
	END
	ip netns exec "$srv" haproxy -db -f "$tmp/haproxy.cfg" \
	    >"$tmp/haproxy" 2>&1 &
	wait_for 10 listening 8083
}

# The backend tells whom it sees.
http_sessions() {
	in_cli curl -s -m 3 "http://$2/?[1-$1]" 2>/dev/null | grep -cx "$cli4"
}

send_proxy_sessions() {
	http_sessions "$1" "$srv4:8081"
}

usesrc_sessions() {
	http_sessions "$1" "$srv4:8082"
}

tproxy_sessions() {
	http_sessions "$1" "$service4:80"
}

start_mptcp() {
	ip netns exec "$srv" "$tools/tcpserver" -w -P mptcp -p 91 \
	    >"$tmp/mptcp" 2>&1 &
	wait_for 5 listening 91
}

start_fastopen() {
	ip netns exec "$srv" "$tools/tcpserver" -w -f 64 -p 92 \
	    >"$tmp/fastopen" 2>&1 &
	wait_for 5 listening 92
}

# asking KIND PORT COUNT: tools/sessions; what was granted goes to $tmp/granted.
asking() {
	local ok granted
	ip -n "$cli" tcp_metrics flush
	read -r ok granted <<-END
	$(in_cli "$tools/sessions" "$1" "$srv4" "$2" "$3" 3000)
	END
	echo "$granted" >"$tmp/granted"
	echo "$ok"
}

mptcp_sessions() {
	asking mptcp 91 "$1"
}

tcp_to_mptcp_sessions() {
	asking tcp 91 "$1"
}

fastopen_sessions() {
	asking fastopen 92 "$1"
}

tcp_to_fastopen_sessions() {
	asking tcp 92 "$1"
}

# --- the same for all --------------------------------------------------------

remember() {
	handover=$(ho_stat handover)
	declined=$(ho_declined)
	mptcp=$(mib MPTcpExtMPCapableSYNRX)
	fastopen=$(mib TcpExtTCPFastOpenPassive)
}

# by_halfopen NAME COUNT: each of them, and nobody else's.
by_halfopen() {
	check_num "${1}_by_halfopen" "$(($(ho_stat handover) - handover))" \
	    -eq "$2"
	check_num "${1}_none_the_native_way" "$(($(ho_declined) - declined))" \
	    -eq 0
}

# natively NAME COUNT COUNTER: because of what they ask for.
natively() {
	check_num "${1}_natively" "$(($(ho_declined) - declined))" -eq "$2"
	check_num "${1}_for_one_reason" "$(ho_stat "$3")" -ge "$2"
}

mptcp_natively() {
	natively "$1" "$2" declined_mptcp
	check_num "${1}_is_mptcp" "$(cat "$tmp/granted")" -eq "$2"
	check_num "${1}_is_mptcp_for_the_server" \
	    "$(($(mib MPTcpExtMPCapableSYNRX) - mptcp))" -eq "$2"
}

# The first one asks for the cookie.
fastopen_natively() {
	natively "$1" "$2" declined_fastopen
	check_num "${1}_has_data_in_the_syn" "$(cat "$tmp/granted")" \
	    -eq $(($2 - 1))
	check_num "${1}_has_data_for_the_server" \
	    "$(($(mib TcpExtTCPFastOpenPassive) - fastopen))" -eq $(($2 - 1))
}

# start_flood PORT ADDRESS COMMAND...: until COMMAND has counted two seconds of
# it.
start_flood() {
	local port="$1" addr="$2" begin
	shift 2
	begin=$("$@")
	# Nobody of the last one comes back.
	seed=$((seed + 1))
	flood "$port" 0 $rate -s $seed -d "$addr" >/dev/null &
	flood_pid=$!
	wait_for 10 is -ge $((begin + 2 * rate)) "$@"
}

end_flood() {
	check "${1}_flood_goes_on" kill -0 $flood_pid
	stop_floods
	wait $flood_pid
}

# try NAME PORT WAY [ADDRESS]
try() {
	local name="$1" port="$2" way="$3"
	ho_sysctl mode 0
	check_num "${name}_native" "$("${name}_sessions" 3)" -eq 3

	ho_sysctl mode 1
	remember
	check_num "${name}_quiet" "$("${name}_sessions" $few)" -eq $few
	"$way" "${name}_quiet" $few

	start_flood "$port" "${4:-$srv4}" ho_stat syn_taken
	remember
	check_num "${name}_flooded" "$("${name}_sessions" $sessions)" \
	    -eq $sessions
	"$way" "${name}_flooded" $sessions
	end_flood "$name"
}

# defenceless NAME PORT: what a flood does otherwise.  Some are lucky: the stack
# throws out old requests.
defenceless() {
	ho_sysctl mode 0
	start_flood "$2" "$srv4" mib TcpExtListenDrops
	check_num "${1}_fails_natively_under_such_a_flood" \
	    "$("${1}_sessions" $few)" -lt $few
	end_flood "${1}_native"
}

for program in ssh postgresql haproxy mptcp fastopen; do
	"start_$program" || {
		fail "${program}_starts" "$(cat "$tmp/$program" 2>&1)"
		finish
	}
done
try ssh 22 by_halfopen
try postgresql 5432 by_halfopen
defenceless postgresql 5432
try send_proxy 8081 by_halfopen
try usesrc 8082 by_halfopen
try tproxy 80 by_halfopen $service4
try mptcp 91 mptcp_natively
try tcp_to_mptcp 91 by_halfopen
try fastopen 92 fastopen_natively
try tcp_to_fastopen 92 by_halfopen
finish
