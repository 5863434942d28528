#!/usr/bin/env python3
"""Writes the trained weights as GGUF and quantises them as Q4_K_M.

    models/tiny/quantize.py WORK LLAMA_QUANTIZE [NAME]

reads WORK/NAME.npz (train.py; NAME is tiny unless given) and WORK/vocab.model (vocab.py), writes WORK/NAME-f16.gguf
with the PyPI library `gguf`, and calls llama.cpp's llama-quantize, the program LLAMA_QUANTIZE, for WORK/NAME.gguf.
"""
import pathlib
import subprocess
import sys

import gguf
import numpy

import model
import vocab


def add_vocabulary(writer, pieces):
    kind = {"normal": gguf.TokenType.NORMAL, "unknown": gguf.TokenType.UNKNOWN, "control": gguf.TokenType.CONTROL,
            "byte": gguf.TokenType.BYTE}
    ids = range(pieces.get_piece_size())
    name_of = lambda i: ("unknown" if pieces.is_unknown(i) else "control" if pieces.is_control(i) else
                         "byte" if pieces.is_byte(i) else "normal")
    writer.add_tokenizer_model("llama")
    writer.add_token_list([pieces.id_to_piece(i) for i in ids])
    writer.add_token_scores([pieces.get_score(i) for i in ids])
    writer.add_token_types([kind[name_of(i)] for i in ids])
    writer.add_bos_token_id(vocab.BOS)
    writer.add_eos_token_id(vocab.EOS)
    writer.add_unk_token_id(vocab.UNKNOWN)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(True)


def add_shape(writer, shape):
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.head)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.epsilon)


def write(path, weights, pieces):
    layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blk."))
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("GRETA tiny: King James English")
    writer.add_description("A small Llama-architecture model trained on the King James Bible")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    add_shape(writer, model.Shape(layers=layers))
    add_vocabulary(writer, pieces)
    for name, weight in weights.items():
        writer.add_tensor(name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    work, quantizer, name = pathlib.Path(sys.argv[1]), sys.argv[2], (sys.argv[3:] or ["tiny"])[0]
    wide, narrow = work / f"{name}-f16.gguf", work / f"{name}.gguf"
    write(wide, dict(numpy.load(work / f"{name}.npz")), vocab.load(work / "vocab.model"))
    subprocess.run([quantizer, wide, narrow, "Q4_K_M", "1"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    for tensor in gguf.GGUFReader(narrow).tensors:
        print(f"{tensor.name:28} {tensor.tensor_type.name:5} {'x'.join(map(str, tensor.shape))}")
    print(f"{narrow}: {narrow.stat().st_size} bytes")


if __name__ == "__main__":
    main()
