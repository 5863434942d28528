"""The part of libgreta (runtime/greta.h) that the comparison with a peer needs, through ctypes."""
import ctypes
from ctypes import POINTER, Structure, byref, c_bool, c_char, c_char_p, c_float, c_int, c_int32, c_size_t, c_uint, c_uint8
from ctypes import c_uint32, c_void_p

import numpy


class Error(Structure):
    _fields_ = [("status", c_int), ("message", c_char * 512)]


class Options(Structure):
    _fields_ = [("provider", c_char_p), ("kernels", c_char_p), ("model", c_char_p), ("cache", c_char_p),
                ("no_cache", c_bool), ("threads", c_uint), ("eager", c_bool), ("guard", c_bool), ("force_upload", c_bool),
                ("lookahead", c_uint), ("chunk_tokens", c_uint), ("progress", c_void_p), ("progress_user", c_void_p),
                ("context", c_uint), ("prefill", c_uint * 8), ("kv", c_int), ("fuse", c_int), ("activations", c_uint)]


class Info(Structure):
    _fields_ = [(name, c_char_p) for name in ("plan_path", "model_path", "model_name", "target", "provider", "device",
                                              "kernels")]
    _fields_ += [("fingerprint", c_uint8 * 16)]
    _fields_ += [(name, c_uint32) for name in ("context", "context_train", "vocab")]


class Session:
    """A sequence of tokens and what follows it."""

    def __init__(self, library, model, context, threads, activations=4, kv=1):
        self.lib = ctypes.CDLL(library)
        self.lib.greta_get_info.restype = POINTER(Info)
        self.lib.greta_close.restype = None
        options = Options(no_cache=True, threads=threads, context=context, activations=activations, kv=kv)
        self.handle = c_void_p()
        self._call("greta_open", str(model).encode(), byref(options), byref(self.handle))
        self.vocab = self.lib.greta_get_info(self.handle).contents.vocab

    def _call(self, name, *arguments):
        error = Error()
        if getattr(self.lib, name)(*arguments, byref(error)):
            raise RuntimeError(f"{name}: {error.message.decode(errors='replace')}")

    def close(self):
        self.lib.greta_close(self.handle)

    def encode(self, text):
        data, tokens, count = text.encode(), POINTER(c_int32)(), c_size_t()
        self._call("greta_encode", self.handle, data, c_size_t(len(data)), c_bool(True), c_bool(False), byref(tokens),
                   byref(count))
        return tokens[:count.value]

    def text(self, tokens):
        text, length = c_void_p(), c_size_t()
        array = (c_int32 * len(tokens))(*tokens)
        self._call("greta_decode", self.handle, array, c_size_t(len(tokens)), byref(text), byref(length))
        return ctypes.string_at(text, length.value).decode(errors="replace")

    def restart(self):
        self._call("greta_truncate", self.handle, c_size_t(0))

    def feed(self, tokens):
        self._call("greta_feed", self.handle, (c_int32 * len(tokens))(*tokens), c_size_t(len(tokens)))

    def logits(self):
        logits = POINTER(c_float)()
        self._call("greta_logits", self.handle, byref(logits))
        return numpy.ctypeslib.as_array(logits, (self.vocab,)).copy()
