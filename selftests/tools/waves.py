# SPDX-License-Identifier: GPL-2.0
"""Peers that send a SYN each at a given time after boot, and say when answers came.

    waves.py PREFIX COUNT AT [ACK_AT [PORT]]

The last line: "N of COUNT on time", for those whose SYN-ACKs came after 0, 1, 3, 7,
15 and 31 s and never again.  With ACK_AT they acknowledge the first one at that
time: N then have SYN-ACKs that were on time, and no
reset.  Behind another port than 80 are cookies, which are never sent again.
"""

import sys
import time

from crowd import Crowd

BACKOFF = (0, 1, 3, 7, 15, 31)


def wait_until(when):
    time.sleep(max(when - time.clock_gettime(time.CLOCK_BOOTTIME), 0))


def on_time(seen, want):
    return len(seen) == len(want) and all(
        abs(a - b) < 0.2 for a, b in zip(seen, want))


def main(prefix, count, at, ack_at=None, port=80):
    wait_until(float(at))
    # only now: what comes before would have to be read first
    crowd = Crowd(prefix, int(count), dport=int(port))
    crowd.syns()
    if ack_at is None:
        crowd.watch(66)
        want = BACKOFF
    else:
        begin = time.clock_gettime(time.CLOCK_BOOTTIME)
        crowd.watch(float(ack_at) - begin)
        crowd.acks()
        crowd.watch(1)
        want = BACKOFF[:1] if port != 80 else [
            b for b in BACKOFF if begin + b < float(ack_at)]
    good = [m for m, seen in crowd.seen.items()
            if on_time(seen, want) and m not in crowd.resets]
    for member, seen in list(crowd.seen.items())[:3]:
        print(member[0], ["%.3f" % s for s in seen])
    print("%d of %s on time" % (len(good), count))


main(*sys.argv[1:])
