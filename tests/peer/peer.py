"""llama.cpp through the PyPI package llama-cpp-python, with the same methods as greta.Session."""
import ctypes

import llama_cpp
import numpy


class Session:
    """A sequence of tokens and what follows it, on a CPU."""

    def __init__(self, model, context, threads, wide=False):
        """wide: KV cache and attention in fp32."""
        llama_cpp.llama_backend_init()
        self.log = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(self.log, ctypes.c_void_p())
        of_model = llama_cpp.llama_model_default_params()
        of_model.n_gpu_layers = 0
        of_model.use_extra_bufts = False  # repacked for AMX, this version crashes on some machines
        self.model = llama_cpp.llama_model_load_from_file(str(model).encode(), of_model)
        of_context = llama_cpp.llama_context_default_params()
        of_context.n_ctx = context
        of_context.n_threads = of_context.n_threads_batch = threads
        if wide:
            of_context.type_k = of_context.type_v = llama_cpp.GGML_TYPE_F32
            of_context.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self.context = llama_cpp.llama_init_from_model(self.model, of_context)
        assert self.context, "llama.cpp does not open the model"
        self.vocab_handle = llama_cpp.llama_model_get_vocab(self.model)
        self.vocab = llama_cpp.llama_vocab_n_tokens(self.vocab_handle)

    def encode(self, text):
        data = text.encode()
        tokens = (llama_cpp.llama_token * (len(data) + 8))()
        return tokens[:llama_cpp.llama_tokenize(self.vocab_handle, data, len(data), tokens, len(tokens), True, False)]

    def restart(self):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)

    def feed(self, tokens):
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        assert llama_cpp.llama_decode(self.context, llama_cpp.llama_batch_get_one(array, len(tokens))) == 0

    def logits(self):
        return numpy.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(self.context, -1), (self.vocab,)).copy()
