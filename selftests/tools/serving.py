# SPDX-License-Identifier: GPL-2.0
"""What the scenarios about listeners share."""

import socket

import differential
from seg import LINUX

SOL = socket.SOL_SOCKET
SO_BINDTOIFINDEX = 62
REUSE = (SOL, socket.SO_REUSEPORT, 1)

# Which SYNs go the native way.  One place each, because the module may learn to take
# them.
DEVICE_IS_NATIVE = False         # the listener is bound to an interface,
VRF_PORT_IS_NATIVE = True        # ... to a port of a VRF
VRF_LINK_LOCAL_IS_NATIVE = False # link-local peers in a VRF
PLAIN_MPTCP_IS_NATIVE = False    # a SYN without the option, to such a listener
PLAIN_SMC_IS_NATIVE = False
UNKEYED_IS_NATIVE = False        # the listener has MD5 keys, none for this peer
PKTINFO_IS_NATIVE = False        # IPV6_RECVPKTINFO and its like
NO_COOKIE_IS_NATIVE = True       # Fast Open without a cookie, by sysctl
TPROXY_IS_NATIVE = False         # a rule chose the socket,
ASSIGNED_IS_NATIVE = True        # ... a program did
SOCKOPS_IS_NATIVE = True         # sockops programs concern the listener
OTHER_SOCKOPS_IS_NATIVE = False  # ... or only some other control group


def serve(w, p, listener=None, what="accepted", syn=LINUX):
    """A whole connection, as far as it goes."""
    p.syn(opts=syn)
    w.watch(p, 0.5, first=True)
    if p.synack is None:
        return None
    p.ack()
    s = w.accept(listener, what)
    if s:
        w.note("local %s device %d" % (
            s.getsockname()[:2], s.getsockopt(SOL, SO_BINDTOIFINDEX)))
        s.send(b"hello")
    w.watch(p, 0.1)
    return s


def who_accepts(w, listeners, p):
    """The index of the listener that has a connection, and the connection."""
    for i, s in enumerate(listeners):
        s.setblocking(False)
        try:
            child = s.accept()[0]
        except BlockingIOError:
            continue
        w.sockets.append(child)
        return i
    return None


def documented(w, what, got, native, ours):
    """One side of a difference that README.md names: both must be as it says."""
    want = ours if w.mode else native
    w.note("%s%s: %r" % ("" if got == want else "failed: in mode %d " % w.mode,
                         what, got))


def not_counted(w, *names):
    """Counters that a difference of README.md moves, beside which nothing may."""
    names = {name for name in names if name not in differential.UNSTABLE}
    differential.UNSTABLE.update(names)
    w.undo.append(lambda: differential.UNSTABLE.difference_update(names))
