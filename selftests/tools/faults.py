# SPDX-License-Identifier: GPL-2.0
"""Every allocation that halfopen asks for fails once.

    faults.py SERVER_NAMESPACE MODULE.ko

Each step of a connection, of a namespace and of the module is first done with nothing
failing, to learn how many allocations there are, and then again with one of them
failing, from the last one to the first, and once with all of them.  After each: a new
connection works.  When something else was seen than without a failure, a counter has
to tell.  In the end, every function of the module that calls one which allocates has
been refused memory.
"""

import collections
import ctypes
import os
import socket
import subprocess
import sys
import time

import failpoint
from differential import Namespace, World, read, write
from failpoint import PLENTY, FailPoint, KernelLog, Site
from seg import ACK, GW_MAC, SRV_MAC, SYN, Tap, add, icmp_error

PROC = "/proc/thread-self/net/"
NET = "/proc/sys/net/"
STATS = ("halfopen", "halfopen_declined", "halfopen_overload")
RUNS_MAX = 1000                 # of one step: more is a step that has no end
MISSES_MAX = 20                 # a run may need another slab page than the last one
NAMESPACES = 160                # whose counters fill some chunks of per-CPU memory
BOTH = ("failslab", "fail_page_alloc")
GATEWAY = "fd00::fe"            # of the server, lib.sh
RULES = """add table inet f
add chain inet f in { type filter hook input priority 0; }
add rule inet f in ct state invalid drop"""
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
SYS_INIT_MODULE, SYS_DELETE_MODULE = 175, 176

# Per-CPU memory comes from chunks that are there already: fault injection sees only
# those who need a new one.  These ask for a few bytes, or may not wait for a new one;
# what they do without is shown by the unit tests named.
BY_UNIT_TESTS = {
    Site("ho_budget_alloc", "pcpu_alloc_noprof"): "budget_kunit.c table_kunit.c",
    Site("ho_pool_init", "pcpu_alloc_noprof"): "pool_kunit.c",
    Site("ho_port_make", "pcpu_alloc_noprof"): "port_kunit.c",
}

libc = ctypes.CDLL(None, use_errno=True)


def ok_or_errno(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def read_counters():
    """Those that are not zero, and no gauge."""
    out = collections.Counter()
    for name in STATS:
        rows = read(PROC + "stat/" + name).splitlines()
        for row in rows[1:]:
            for column, value in list(zip(rows[0].split(), row.split()))[1:]:
                out[column] += int(value, 16)
    return out


def read_mibs():
    """The stack's, as Prefix.Name."""
    out = collections.Counter()
    for name in ("snmp", "netstat"):
        lines = [line.split() for line in read(PROC + name).splitlines()]
        for names, values in zip(lines[::2], lines[1::2]):
            for column, value in zip(names[1:], values[1:]):
                out[names[0][:-1] + "." + column] = int(value)
    return out


# --- one step, with what has to be there before --------------------------------------

STEPS = []


def connection_works(step):
    """Through the two namespaces of all tests."""
    p = step.synack()
    p.ack()
    ok = len(step.accepted()) == 1
    Step.clear(step)
    return ok


class Step:
    """prepare(), then act() with failures, then seen() and clear(): for each run."""

    families = (4, 6)

    def __init_subclass__(cls):
        if cls.__name__.islower():      # others are what some have in common
            STEPS.append(cls)

    def __init__(self, env, family):
        self.env = env
        self.family = family
        self.w = World(env.srv, family, 1)
        self.w.sysctl("halfopen/source_synack_rate", 0)

    def text(self):
        """One of these functions has to be on the stack of what fails."""
        return self.env.text

    def setup(self):
        self.listener = self.w.listen(backlog=self.backlog)

    backlog = 128

    def prepare(self):
        self.p = self.w.peer()

    def forget_routes(self):
        """Those that the server has made from its tables, so that it makes new
        ones."""
        if self.family == 4:
            self.w.srv(write, NET + "ipv4/route/flush", 1)
        else:
            self.w.command("ip", "-6", "route", "replace", "default", "via", GATEWAY,
                           "dev", "srv0")

    def seen(self):
        """What the peer hears, and who is accepted."""
        frames = [s.flag_text for s in self.p.collect(0)]
        return frames, len(self.accepted()), self.counts()

    def counts(self):
        return [line.split()[:2] for line in self.w.srv(
            read, PROC + "halfopen_limits").splitlines()[:2]]

    def accepted(self):
        self.listener.setblocking(False)
        out = []
        try:
            while True:
                out.append(self.listener.accept()[0])
        except BlockingIOError:
            pass
        for s in out:
            reset(s)
        return out

    def synack(self, **kw):
        """A peer that has its SYN-ACK."""
        p = self.w.peer()
        p.syn(**kw)
        p.expect_synack()
        return p

    def clear(self):
        for p in self.w.peers:
            p.rst(seq=add(p.isn, 1))
            p.close()
        self.w.peers.clear()
        self.accepted()

    def works(self):
        """As if nothing had happened."""
        return connection_works(self)

    def counters(self):
        """Of halfopen, and of the stack where it counts for it."""
        return self.w.srv(lambda: read_counters() + read_mibs())

    def close(self):
        self.w.close()


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    s.close()


class syn(Step):
    def act(self):
        self.p.syn()


class repeated_syn(Step):
    def prepare(self):
        self.p = self.synack()
        time.sleep(0.6)         # as often as it is answered

    def act(self):
        self.p.syn()


class timeout(Step):
    def setup(self):
        super().setup()
        self.w.sysctl("halfopen/synack_timeout_ms", 200)

    def prepare(self):
        self.p = self.synack()

    def act(self):
        time.sleep(0.3)


class final_ack(Step):
    def prepare(self):
        self.p = self.synack()

    def act(self):
        self.p.ack()

    def works(self):
        """The same client sends it again, too."""
        p = self.p = self.synack()
        p.ack()
        p.ack()
        return len(self.accepted()) == 1 and connection_works(self)


class child(final_ack):
    """Not halfopen's, but what it has made possible."""

    def text(self):
        return failpoint.kernel_text("tcp_check_req")


class ack_outside_the_window(Step):
    def prepare(self):
        self.p = self.synack()

    def act(self):
        self.p.send(ACK, seq=add(self.p.seq, 1 << 20))


class syn_inside_the_window(Step):
    def prepare(self):
        self.p = self.synack()

    def act(self):
        self.p.send(SYN, seq=add(self.p.seq, 10))


class stateless_syn(Step):
    def setup(self):
        super().setup()
        self.w.sysctl("halfopen/max_backlog", 0)

    def act(self):
        self.p.syn()


class stateless_ack(stateless_syn):
    def prepare(self):
        self.p = self.synack()

    def act(self):
        self.p.ack()


class icmp(Step):
    def prepare(self):
        self.p = self.synack()

    def act(self):
        kind = 3 if self.family == 4 else 1
        self.p.send_ip(icmp_error(self.p, kind, 0, self.p.synack.ip))


class full_accept_queue(Step):
    backlog = 0

    def prepare(self):
        first, self.p = self.synack(), self.synack()
        first.ack()

    def act(self):
        self.p.ack()

    def seen(self):
        counts = self.counts()
        return counts, self.drained()

    def drained(self):
        """Both are let in; the second one at the latest by its own next ACK."""
        n = len(self.accepted())
        time.sleep(0.1)
        return n + len(self.accepted())

    def clear(self):
        time.sleep(0.1)
        super().clear()
        time.sleep(0.1)         # the dead are taken out by the timer
        self.accepted()


class full_accept_queue_without_entries(full_accept_queue):
    def setup(self):
        super().setup()
        self.w.sysctl("halfopen/max_backlog", 0)

    def prepare(self):
        super().prepare()
        # for who waits
        self.w.srv(write, NET + "halfopen/max_backlog", 1000)

    def clear(self):
        super().clear()
        self.w.srv(write, NET + "halfopen/max_backlog", 0)


class room_in_the_accept_queue(full_accept_queue):
    def prepare(self):
        super().prepare()
        self.p.ack()

    def act(self):
        self.accepted()
        time.sleep(0.1)

    def seen(self):
        time.sleep(0.5)
        return super().seen()


class Tracked(Step):
    """Beside rules that look at states of connections."""

    def setup(self):
        super().setup()
        self.w.nft(RULES, undo="delete table inet f")
        for _ in range(20):     # until halfopen follows
            before = self.counters()["tracked"]
            if self.works() and self.counters()["tracked"] > before:
                break
            time.sleep(0.1)


class tracked_syn(Tracked):
    def act(self):
        self.p.syn()


class tracked_ack(Tracked):
    def prepare(self):
        self.p = self.synack()

    def act(self):
        self.p.ack()


class tracked_ack_outside_the_window(Tracked):
    def prepare(self):
        self.p = self.synack()

    def act(self):
        self.p.send(ACK, seq=add(self.p.seq, 1 << 20))


class tracked_stateless_ack(Tracked):
    def prepare(self):
        self.w.srv(write, NET + "halfopen/max_backlog", 0)
        self.p = self.synack()

    def act(self):
        self.p.ack()

    def clear(self):
        super().clear()
        self.w.srv(write, NET + "halfopen/max_backlog", 1000)


class tracked_icmp(Tracked):
    def prepare(self):
        self.p = self.synack()

    act = icmp.act


class sysctl_writes(Step):
    families = (4,)

    def prepare(self):
        def knobs():
            folder = NET + "halfopen/"
            return [(folder + name, read(folder + name).strip())
                    for name in os.listdir(folder)
                    if name not in ("cookie_key", "lifetime_ms")]
        self.knobs = self.w.srv(knobs)

    def act(self):
        def write_all():
            for path, value in self.knobs:
                write(path, value)
            write(NET + "halfopen/cookie_key", "0123456789abcdef" * 2)
            write(NET + "halfopen/cookie_key", "auto")
        try:
            self.w.srv(write_all)
            self.result = 0
        except OSError as e:
            self.result = e.errno

    def seen(self):
        return self.result


class proc_reads(Step):
    families = (4,)

    def prepare(self):
        self.p = self.synack()

    def act(self):
        def read_all():
            for name in ("halfopen", "halfopen_ports", "halfopen_limits"):
                read(PROC + name)
            for name in STATS:
                read(PROC + "stat/" + name)
        try:
            self.w.srv(read_all)
            self.result = 0
        except OSError as e:
            self.result = e.errno

    def seen(self):
        return self.result


# --- namespaces -----------------------------------------------------------------------

def new_namespace():
    """A file descriptor of it; this process stays where it was."""
    back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        ok_or_errno(libc.unshare(CLONE_NEWNET))
        fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        ok_or_errno(libc.setns(back, CLONE_NEWNET))
        return fd
    finally:
        os.close(back)


class Inside(Namespace):
    def __init__(self, fd):
        self.fd = fd


class namespace(Step):
    families = (4,)

    def prepare(self):
        self.fd = None
        self.result = 0

    def act(self):
        try:
            self.fd = new_namespace()
            self.result = 0
        except OSError as e:
            self.result = e.errno

    def seen(self):
        return self.result

    def counters(self):
        """Where nothing is, nothing counts: the error tells."""
        return collections.Counter(error=self.result)

    def clear(self):
        if self.fd is not None:
            os.close(self.fd)

    def works(self):
        os.close(new_namespace())
        return connection_works(self)


class namespace_goes(namespace):
    def prepare(self):
        self.fd = new_namespace()
        self.result = 0

    def act(self):
        os.close(self.fd)
        self.fd = None
        time.sleep(0.2)


class first_connection(Step):
    """Of a namespace: nothing is there yet.  Both ends are real sockets."""

    def setup(self):
        super().setup()
        self.kind = socket.AF_INET if self.family == 4 else socket.AF_INET6
        self.local = "127.0.0.1" if self.family == 4 else "::1"

    def prepare(self):
        self.fd = new_namespace()
        self.ns = Inside(self.fd)
        self.ns(self._open)
        self.ends = []

    def _open(self):
        with socket.socket(socket.AF_INET) as s:
            libc.ioctl(s.fileno(), SIOCSIFFLAGS,
                       b"lo".ljust(16, b"\0") + IFF_UP.to_bytes(24, "little"))
        write(NET + "halfopen/verify_synack", 1)
        write(NET + "ipv4/tcp_syn_retries", 3)
        self.server = socket.create_server((self.local, 80), family=self.kind)
        self.server.setblocking(False)

    def connect(self):
        c = socket.socket(self.kind)
        c.setblocking(False)
        c.connect_ex((self.local, 80))
        self.ends.append(c)

    def act(self):
        self.ns(self.connect)

    def accepted_inside(self):
        out = 0
        try:
            while True:
                self.ends.append(self.server.accept()[0])
                out += 1
        except BlockingIOError:
            return out

    def seen(self):
        """At once, and by what the client repeats after a second."""
        at_once = self.accepted_inside()
        time.sleep(1.5)
        return at_once, at_once + self.accepted_inside()

    def counters(self):
        return self.ns(read_counters) if self.fd is not None else \
            collections.Counter()

    def clear(self):
        for s in self.ends:
            reset(s)
        self.server.close()
        os.close(self.fd)
        self.fd = None

    fd = None

    def works(self):
        self.prepare()
        self.act()
        ok = self.seen() == (1, 1)
        self.clear()
        return ok and connection_works(self)


class first_tracked_connection(namespace):
    """It makes halfopen follow connection tracking.  Not over loopback, where the
    stack has confirmed it already."""

    def prepare(self):
        self.fd = new_namespace()
        path = "/proc/%d/fd/%d" % (os.getpid(), self.fd)
        subprocess.run(["ip", "-batch", "-"], check=True, text=True, input="\n".join((
            "link add far0 type veth peer name near0 address %s netns %s" % (
                SRV_MAC, path), "link set far0 up")))
        self.ns = Inside(self.fd)
        self.ns(self._open)

    def _open(self):
        subprocess.run(["ip", "-batch", "-"], check=True, text=True, input="\n".join((
            "address add 10.9.0.1/24 dev near0", "link set near0 up",
            "neigh add 10.9.0.2 lladdr %s dev near0 nud permanent" % GW_MAC)))
        write(NET + "halfopen/verify_synack", 1)
        subprocess.run(["nft", RULES], check=True)
        self.server = socket.create_server(("10.9.0.1", 80))
        self.server.setblocking(False)

    def connect(self):
        p = self.w.peer(ifname="far0", src="10.9.0.2", dst="10.9.0.1", dport=80)
        p.syn()
        if p.recv(0.1):
            p.ack()

    def act(self):
        self.connect()          # the native way
        time.sleep(0.1)         # another thread does it
        self.connect()

    def seen(self):
        """The second one is followed, or goes the native way as well."""
        accepted = []
        try:
            while True:
                accepted.append(self.server.accept()[0])
        except BlockingIOError:
            for s in accepted:
                reset(s)
        return len(accepted), self.counters()["tracked"]

    def counters(self):
        return self.ns(read_counters) if self.fd is not None else \
            collections.Counter()

    fd = None

    def clear(self):
        Step.clear(self)
        self.server.close()
        subprocess.run(["ip", "link", "del", "far0"], check=True)
        os.close(self.fd)
        self.fd = None

    def works(self):
        self.prepare()
        self.act()
        ok = self.seen() == (2, 1)
        self.clear()
        return ok and connection_works(self)


# --- the module -----------------------------------------------------------------------

def insmod(env, *args):
    text = " ".join(args).encode()
    ok_or_errno(libc.syscall(SYS_INIT_MODULE, env.module.raw,
                             len(env.module.raw), text))


def rmmod():
    ok_or_errno(libc.syscall(SYS_DELETE_MODULE, b"halfopen", os.O_NONBLOCK))


def is_loaded():
    return os.path.isdir("/sys/module/halfopen")


class Load:
    """It cannot be told by its addresses before it is there."""

    families = ("",)
    args = ("prealloc=2",)

    def __init__(self, env, _):
        self.env = env
        self.namespaces = []

    def setup(self):
        if is_loaded():
            rmmod()

    def text(self):
        return failpoint.kernel_text("do_one_initcall")

    def prepare(self):
        self.result = 0

    def forget_routes(self):
        pass

    def act(self):
        try:
            insmod(self.env, *self.args)
        except OSError as e:
            self.result = e.errno

    def seen(self):
        return self.result, is_loaded()

    def counters(self):
        return collections.Counter(error=self.result)

    result = 0

    def clear(self):
        if is_loaded():
            rmmod()

    def works(self):
        insmod(self.env, *self.args)
        rmmod()
        return True

    def close(self):
        for fd in self.namespaces:
            os.close(fd)


class Percpu(Load):
    """Counters of so many namespaces need chunks of per-CPU memory."""

    args = ()

    def setup(self):
        super().setup()
        self.namespaces = [new_namespace() for _ in range(NAMESPACES)]

    def text(self):
        return failpoint.kernel_text("pcpu_alloc_noprof", "pcpu_alloc")


# --- all of them ----------------------------------------------------------------------

class Environment:
    def __init__(self, srv_name, path):
        self.srv = Namespace(srv_name)
        self.module = failpoint.Module(path)
        self.log = KernelLog()
        self.points = [FailPoint(name) for name in BOTH]
        # what kmemleak and the stack depot need for themselves
        self.reject("failslab", "mem_pool_alloc", "__alloc_object")
        self.reject("fail_page_alloc", "stack_depot_save_flags")
        self.tap = Tap()
        self.failed = collections.Counter()     # by Site
        self.moved = collections.defaultdict(set)
        self.runs = 0

    def reject(self, name, *functions):
        try:
            text = failpoint.kernel_text(*functions)
        except LookupError:     # this kernel has no such thing
            return
        self.points[BOTH.index(name)].reject(text)

    @property
    def text(self):
        return failpoint.module_text(self.module)


Seen = collections.namedtuple("Seen", "what moved stacks spaces hits")


def run(env, step, point=None, space=PLENTY, times=0):
    """The step once.  Without a point, both count and nothing fails."""
    env.runs += 1
    text = step.text()
    step.prepare()
    step.forget_routes()
    before = step.counters()
    env.log.lines()
    points = [point] if point else env.points
    for p in points:
        p.arm(text, space, times)
    try:
        step.act()
    finally:
        for p in points:
            p.disarm()
    stacks = env.log.failures()
    spaces = [p.space() for p in points]
    left = [p.times() for p in points]
    what = step.seen()
    moved = step.counters() - before
    step.clear()
    return Seen(what, moved, stacks, spaces, left)


def note(env, seen, usual):
    """Who was refused, and which counters tell."""
    more = {name for name in set(seen.moved) | set(usual.moved)
            if seen.moved[name] != usual.moved[name]}
    for stack in seen.stacks:
        where = failpoint.site(stack)
        if where:
            env.failed[where] += 1
            env.moved[where] |= {name for name in more if "." not in name}
    return more


def walk(env, step, usual):
    """Fail each allocation, from the last one to the first."""
    silent, broken = [], []
    count = 0
    for point, left in zip(env.points, usual.spaces):
        space, misses = PLENTY - left, 0
        while space > 0 and count < RUNS_MAX and misses < MISSES_MAX:
            seen = run(env, step, point, space, 1)
            if seen.hits[0]:    # not that many this time
                misses += 1
                space -= 8
                continue
            count += 1
            more = note(env, seen, usual)
            where = [failpoint.site(s) for s in seen.stacks]
            if seen.what != usual.what and not more:
                silent.append((point.name, where, seen.what, usual.what))
            if not works(step):
                broken.append((point.name, where))
            space -= seen.spaces[0]
    if usual.spaces != [PLENTY] * 2:
        for point in env.points:
            seen = run(env, step, point, 0, -1)
            note(env, seen, usual)
            if not works(step):
                broken.append((point.name, "all"))
    return count, silent, broken


def works(step):
    try:
        return step.works()
    except (AssertionError, OSError) as e:
        print("#   %r" % e)
        return False


def walk_step(env, cls, family):
    name = cls.__name__.lower() + ("_ipv%s" % family if family else "")
    began = time.time()
    step = cls(env, family)
    try:
        step.setup()
        usual = run(env, step)
        again = run(env, step)
        ok = env.tap.check(
            name + "_is_the_same_twice",
            usual.what == again.what and works(step) and
            not again.moved["verify_diff"], (usual, again))
        if ok:
            count, silent, broken = walk(env, step, again)
            env.tap.check(name + "_the_next_connection_works", not broken, broken)
            env.tap.check(name + "_a_counter_tells", not silent,
                          "\n".join(map(str, silent)))
            print("# %s: %d allocations failed, %.1f s" % (
                name, count, time.time() - began), flush=True)
    except (AssertionError, OSError, LookupError,
            subprocess.CalledProcessError) as e:
        env.tap.check(name + "_ends_early", False, repr(e))
    finally:
        step.close()


def report(env):
    wanted = env.module.sites()
    for where in sorted(wanted | set(env.failed)):
        print("# %-28s %-28s %s" % (
            where.function, where.allocator,
            "failed %d times: %s" % (env.failed[where],
                                     " ".join(sorted(env.moved[where])) or "-")
            if env.failed[where] else BY_UNIT_TESTS.get(where, "never failed")))
    never = [w for w in wanted if not env.failed[w] and w not in BY_UNIT_TESTS]
    env.tap.check("every_function_that_asks_for_memory_was_refused", not never,
                  "\n".join(map(str, never)))
    needless = [w for w in BY_UNIT_TESTS if w not in wanted]
    env.tap.check("what_unit_tests_show_is_still_there", not needless, needless)
    print("# %d runs, %d failures" % (env.runs, sum(env.failed.values())))


def main(srv_name, path, *only):
    env = Environment(srv_name, path)
    steps = [c for c in STEPS + [Load, Percpu]
             if not only or c.__name__ in only]
    for cls in steps:
        for family in cls.families:
            walk_step(env, cls, family)
    if not only:
        report(env)
    print("1..%d" % env.tap.count)
    return env.tap.failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) != 0)
