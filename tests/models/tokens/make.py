#!/usr/bin/env python3
"""Makes the vocabularies and vectors of the tokenizer's test.

    make.py LLAMA_TOKENIZE TEXT_FILE

writes, beside itself, a.gguf and b.gguf (vocabularies without a model, by the PyPI package `gguf`, from the pieces of
models/tiny/tiny.gguf and some awkward tokens), and vectors.txt: what llama.cpp's llama-tokenize makes of many texts.
The stored vectors are by the llama.cpp that PyPI's llama-cpp-python 0.3.36 contains. TEXT_FILE, models/tiny/heldout.txt
then, gives an English text of which 10,000 characters are used. A line of vectors.txt: vocabulary; 1 when special
tokens are added; 1 when they are parsed; the text's bytes in hexadecimal, or -; then the tokens.
"""
import pathlib
import random
import subprocess
import sys

import gguf

HERE = pathlib.Path(__file__).resolve().parent
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
MARK = "\u2581"


def pieces():
    """(text, score, type) of every token: specials, bytes, 600 merges and the single characters of the tiny model."""
    fields = gguf.GGUFReader(HERE / "../../../models/tiny/tiny.gguf").fields
    texts, scores, types = (fields["tokenizer.ggml." + key].contents() for key in ("tokens", "scores", "token_type"))
    tokens = list(zip(texts, scores, types))
    characters = [token for token in tokens[259:] if len(token[0]) == 1 and token not in tokens[259:859]]
    return tokens[:859] + characters


def awkward():
    """Tokens that real vocabularies have too: runs of spaces, wide characters, special tokens that touch each other."""
    tokens = [(MARK * n, -2000.0 - n, NORMAL) for n in range(2, 17)]
    tokens += [(text, -3000.0 - i, NORMAL) for i, text in enumerate(
        ["\u00e9", "\u00fc", "\u00df", MARK + "\u00fc", "\u4e2d", "\u6587", "\u4e2d\u6587", "\u65e5\u672c", "\u65e5", "\u672c",
         "\U0001f600", "\u00e9\u00e9", "aa", "aaa", "aaaa", "aaaaaa"])]
    tokens += [("<|im_start|>", 0.0, CONTROL), ("<|im_end|>", 0.0, USER_DEFINED), ("<tool>", 0.0, USER_DEFINED),
               ("<tool", 0.0, USER_DEFINED), ("<<", 0.0, USER_DEFINED), ("<", 0.0, NORMAL), ("<<tool", 0.0, USER_DEFINED),
               ("\n\n\n", 0.0, USER_DEFINED), ("hidden", 0.0, UNUSED), ("qu" + MARK + "ick", 0.0, USER_DEFINED),
               ("\u2020\u2020", 0.0, USER_DEFINED), ("[INST]", 0.0, CONTROL), ("[/INST]", 0.0, CONTROL), ("", 0.0, NORMAL),
               ("aba", 0.0, USER_DEFINED), ("bab", 0.0, USER_DEFINED)]
    return tokens


def write_vocabulary(path, tokens, space_prefix, bos, eos):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(128)
    writer.add_embedding_length(256)
    writer.add_block_count(1)
    writer.add_feed_forward_length(256)
    writer.add_head_count(4)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([text.encode() for text, _, _ in tokens])
    writer.add_token_scores([score for _, score, _ in tokens])
    writer.add_token_types([kind for _, _, kind in tokens])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(bos)
    writer.add_add_eos_token(eos)
    writer.add_add_space_prefix(space_prefix)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def texts(english):
    """Texts as bytes, from plain to hostile."""
    plain = [
        "", " ", "  ", "   ", " " * 15, " " * 16, " " * 17, " " * 100, " " * 1000, "\n", "\n\n", "\n\n\n", "\n\n\n\n\n\n\n", "\t",
        "\r\n", "a", " a", "a ", "  a  ", "In the beginning", " In the beginning", "In  the   beginning    God",
        "And God said, Let there be light: and there was light.", "Hello, world!", "hello", "HELLO", "1234567890", "3.14159",
        "the the the the", "aaaaaaaaaaaaaaaa", "a" * 1000, "ab" * 50, "abababab", "\u2581", "\u2581\u2581", " \u2581 \u2581a",
        "caf\u00e9", "\u00fcber", "Stra\u00dfe", "\u00e9\u00e9\u00e9", "e\u0301", "\u4e2d\u6587", "\u4e2d \u6587",
        "\u65e5\u672c\u8a9e\u306e\u6587\u7ae0", "\ud55c\uad6d\uc5b4", "\u041f\u0440\u0438\u0432\u0435\u0442", "\u05e9\u05dc\u05d5\u05dd",
        "\u0645\u0631\u062d\u0628\u0627", "\U0001f600", "\U0001f600\U0001f600 \U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\U0001f1e9\U0001f1ea", "\u2020\u2020", "\u2020\u2020\u2020", "\x00", "a\x00b", "\x01\x02\x03\x1f\x7f", "\ufeffBOM", "\ufffd",
        "<s>", "</s>", "<unk>", "<s>a</s>", "<s> a </s> b", "</s></s>", "<|im_start|>user\nHi<|im_end|>", "<|im_start|>", "x<|im_end|>y",
        "[INST] Who? [/INST] I.", "[INST][/INST]", "<tool>", "<tool", "<<tool>", "<<<tool>>", "a<tool>b", "a <tool> b", "<<<<<",
        "<0x41>", "<0x0A>", "[EMPTY_0]", "hidden", "a hidden thing", "quick", "qu\u2581ick", "qu ick", "ababa", "babab", "abab aba",
        "aba bab\n\n\nbab", "<s", "s>", "<|im_", "  <s>  <s>  ", "\n<s>\n", "the<s>the",
    ]
    result = [text.encode() for text in plain]
    result += [b"\xff", b"\xfe\xff", b"\x80", b"\xbf\xbf", b"\xc3", b"\xc3 ", b"\xc3 " * 20, b"\xe2\x96", b"\xe2\x96 ",
               b"\xe2 \x96\x81", b"\xe4\xb8", b"\xe4\xb8 the", b"\xf0\x9f\x98", b"\xf0\x9f\x98 a", b"\xf0 the", b"\xed\xa0\x80",
               b"\xc0\xaf", b"\xf8\x88\x80\x80\x80", b"the\xe2", b"the\xf0\x9f", b"\xc3\x28", bytes(range(256))]
    result.append(english[:10000].encode())
    result.append(" ".join(english.split())[:10000].replace(" ", "  ").encode())
    chance = random.Random(1)
    parts = [b" ", b"  ", b"\n", b"<s>", b"</s>", b"<tool>", b"<<", b"<|im_end|>", b"the", b" and", b"aba", b"\xe2\x96\x81", b"\xc3",
             b"\xf0\x9f\x98\x80", b"\xe4\xb8\xad", b"[INST]", b"q", b"\x00", b"\xff"]
    for _ in range(60):
        result.append(b"".join(chance.choice(parts) for _ in range(chance.randrange(1, 30))))
    for _ in range(20):
        result.append(bytes(chance.randrange(256) for _ in range(chance.randrange(1, 60))))
    return result


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tokenize, english = sys.argv[1], pathlib.Path(sys.argv[2]).read_text()
    tokens = pieces() + awkward()
    write_vocabulary(HERE / "a.gguf", tokens, True, True, False)
    # the same pieces with many equal scores, no space in front, EOS behind
    ties = [(text, float(-(i // 40)) if i >= 259 else score, kind) for i, (text, score, kind) in enumerate(tokens)]
    write_vocabulary(HERE / "b.gguf", ties, False, True, True)

    lines = []
    for text in texts(english):
        for vocabulary in "ab":
            for add, parse in (("1", "1"), ("0", "0")):
                if len(text) > 2000 and vocabulary + add not in ("a1", "b0"):
                    continue
                command = [tokenize, "-m", str(HERE / (vocabulary + ".gguf")), "--stdin", "--no-escape", "--ids", "--log-disable"]
                command += [] if add == "1" else ["--no-bos"]
                command += [] if parse == "1" else ["--no-parse-special"]
                out = subprocess.run(command, input=text, capture_output=True, check=True).stdout.decode()
                ids = out.strip().splitlines()[-1].strip("[]").replace(",", "")
                lines.append(" ".join([vocabulary, add, parse, text.hex() or "-", ids]).strip())
    (HERE / "vectors.txt").write_text("".join(line + "\n" for line in lines))


if __name__ == "__main__":
    main()
