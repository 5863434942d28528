"""A Llama-architecture language model in PyTorch, as small and plain as training needs it.

Parameters have the names that GGUF gives them, and rotary position embedding turns adjacent pairs (2i, 2i+1), so the
weights go into a GGUF file as they are.
"""
import dataclasses

import torch
from torch import nn
from torch.nn import functional


@dataclasses.dataclass
class Shape:
    vocabulary: int = 2048
    context: int = 1024
    width: int = 256
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2
    head: int = 64
    hidden: int = 768
    rope_base: float = 10000.0
    epsilon: float = 1e-5


class Norm(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape.width))
        self.epsilon = shape.epsilon

    def forward(self, x):
        wide = x.float()
        return wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + self.epsilon) * self.weight


def rotations(shape):
    """Cosines and sines, [context, head / 2] each."""
    rate = shape.rope_base ** (-torch.arange(0, shape.head, 2, dtype=torch.float64) / shape.head)
    angle = torch.arange(shape.context, dtype=torch.float64)[:, None] * rate
    return angle.cos().float(), angle.sin().float()


def rotate(x, cosine, sine):
    """x: [batch, heads, tokens, head]; every pair (2i, 2i+1) is turned by its position's angle."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), -1).flatten(-2).to(x.dtype)


class Block(nn.Module):
    def __init__(self, shape, dropout):
        super().__init__()
        self.shape, self.dropout = shape, dropout
        self.attn_norm = Norm(shape)
        self.attn_q = nn.Linear(shape.width, shape.heads * shape.head, bias=False)
        self.attn_k = nn.Linear(shape.width, shape.kv_heads * shape.head, bias=False)
        self.attn_v = nn.Linear(shape.width, shape.kv_heads * shape.head, bias=False)
        self.attn_output = nn.Linear(shape.heads * shape.head, shape.width, bias=False)
        self.ffn_norm = Norm(shape)
        self.ffn_gate = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_up = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_down = nn.Linear(shape.hidden, shape.width, bias=False)

    def drop(self, x):
        return functional.dropout(x, self.dropout, self.training)

    def attend(self, x, cosine, sine):
        batch, tokens, _ = x.shape
        split = lambda y: y.view(batch, tokens, -1, self.shape.head).transpose(1, 2)
        q, k, v = split(self.attn_q(x)), split(self.attn_k(x)), split(self.attn_v(x))
        group = self.shape.heads // self.shape.kv_heads
        k, v = (y.repeat_interleave(group, 1) for y in (rotate(k, cosine, sine), v))
        y = functional.scaled_dot_product_attention(rotate(q, cosine, sine), k, v, is_causal=True,
                                                    dropout_p=self.dropout if self.training else 0.0)
        return self.attn_output(y.transpose(1, 2).reshape(batch, tokens, -1))

    def forward(self, x, cosine, sine):
        x = x + self.drop(self.attend(self.attn_norm(x), cosine, sine))
        y = self.ffn_norm(x)
        return x + self.drop(self.ffn_down(self.drop(functional.silu(self.ffn_gate(y)) * self.ffn_up(y))))


class Llama(nn.Module):
    def __init__(self, shape, dropout=0.0):
        super().__init__()
        self.shape, self.dropout = shape, dropout
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape, dropout) for _ in range(shape.layers))
        self.output_norm = Norm(shape)
        self.output = nn.Linear(shape.width, shape.vocabulary, bias=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                into_residual = name.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(weight, std=0.02 / (2 * shape.layers) ** 0.5 if into_residual else 0.02)
        cosine, sine = rotations(shape)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)

    def forward(self, tokens):
        """tokens: [batch, tokens]; logits: [batch, tokens, vocabulary]."""
        cosine, sine = self.cosine[:tokens.shape[1]], self.sine[:tokens.shape[1]]
        x = functional.dropout(self.token_embd(tokens), self.dropout, self.training)
        for block in self.blk:
            x = block(x, cosine, sine)
        return self.output(self.output_norm(x))
