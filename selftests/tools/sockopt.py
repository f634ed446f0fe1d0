# SPDX-License-Identifier: GPL-2.0
"""getsockopt() for options that Python does not know."""

import ctypes
import errno

libc = ctypes.CDLL(None, use_errno=True)
MAX = 256

_buf = ctypes.create_string_buffer(MAX)
_size = ctypes.c_uint32()


def getsockopt(s, level, number):
    """All bytes, or the errno's name; the buffer is zero, as some are read first."""
    ctypes.memset(_buf, 0, MAX)
    _size.value = MAX
    if libc.getsockopt(s.fileno(), level, number, _buf, ctypes.byref(_size)):
        return errno.errorcode[ctypes.get_errno()]
    return _buf[:_size.value]
