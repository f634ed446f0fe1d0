# SPDX-License-Identifier: GPL-2.0
"""nftables by its library: a process of nft costs 60 times as much as a command."""

import ctypes

LIB = ctypes.CDLL("libnftables.so.1")
LIB.nft_ctx_new.restype = ctypes.c_void_p
LIB.nft_ctx_get_error_buffer.restype = ctypes.c_char_p
LIB.nft_ctx_get_output_buffer.restype = ctypes.c_char_p
JSON = 1 << 4                   # NFT_CTX_OUTPUT_JSON


class Nft:
    """Of the namespace that its maker is in."""

    def __init__(self, flags=0):
        self.ctx = ctypes.c_void_p(LIB.nft_ctx_new(0))
        LIB.nft_ctx_output_set_flags(self.ctx, flags)
        LIB.nft_ctx_buffer_error(self.ctx)
        LIB.nft_ctx_buffer_output(self.ctx)

    def __call__(self, text):
        """What the commands print."""
        if LIB.nft_run_cmd_from_buffer(self.ctx, text.encode()):
            raise OSError(LIB.nft_ctx_get_error_buffer(self.ctx).decode())
        return LIB.nft_ctx_get_output_buffer(self.ctx).decode()

    def close(self):
        LIB.nft_ctx_free(self.ctx)
