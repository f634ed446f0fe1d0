# SPDX-License-Identifier: GPL-2.0
"""getsockopt() for options that Python does not know."""

import ctypes
import errno

libc = ctypes.CDLL(None, use_errno=True)
MAX = 256

# As fast as ctypes can: hundreds of thousands of calls.
_bytes = bytearray(MAX)
_zero = bytes(MAX)
_buf = (ctypes.c_char * MAX).from_buffer(_bytes)
_size = ctypes.c_uint32()
_size_at = ctypes.byref(_size)


def getsockopt(s, level, number):
    """All bytes, or the errno's name; the buffer is zero, as some are read first."""
    _bytes[:] = _zero
    _size.value = MAX
    if libc.getsockopt(s.fileno(), level, number, _buf, _size_at):
        return errno.errorcode[ctypes.get_errno()]
    return bytes(_bytes[:_size.value])
