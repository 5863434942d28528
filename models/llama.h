/* A Llama-architecture model as the rest of the project sees it: its hyper-parameters and its tensors, taken from a
 * GGUF file and checked against each other. What this project does not compute is refused here, by name, so that
 * nothing behind this door needs to ask again.
 *
 * What always holds after init:
 * - every matrix has rows of a multiple of 256 values (n_embd, n_ff, n_head * head_dim); norms and rope_freqs are F32;
 * - head_dim is a multiple of 32, at most 256; n_head is a multiple of n_head_kv; RoPE turns the whole head, adjacent
 *   values (2i, 2i+1) together;
 * - every tensor of the file is one of those below, and has the shape given there ([row length, rows]).
 *
 * Refused: other architectures, mixtures of experts, layers that differ in head or feed-forward counts, RoPE
 * scaling other than by rope_freqs.weight, biases, sliding windows, non-causal attention, scale factors of
 * Granite-like models, files split in parts, adapters. */
#ifndef GRETA_LLAMA_H
#define GRETA_LLAMA_H

#include "models/error.h"
#include "models/gguf.h"

#include <stdbool.h>
#include <stdint.h>

struct greta_llama_layer {
	const struct greta_gguf_tensor *attn_norm;   /* [n_embd] F32 */
	const struct greta_gguf_tensor *attn_q;      /* [n_embd, n_head * head_dim] */
	const struct greta_gguf_tensor *attn_k;      /* [n_embd, n_head_kv * head_dim] */
	const struct greta_gguf_tensor *attn_v;      /* [n_embd, n_head_kv * head_dim] */
	const struct greta_gguf_tensor *attn_output; /* [n_head * head_dim, n_embd] */
	const struct greta_gguf_tensor *ffn_norm;    /* [n_embd] F32 */
	const struct greta_gguf_tensor *ffn_gate;    /* [n_embd, n_ff] */
	const struct greta_gguf_tensor *ffn_up;      /* [n_embd, n_ff] */
	const struct greta_gguf_tensor *ffn_down;    /* [n_ff, n_embd] */
};

struct greta_llama {
	const struct greta_gguf *gguf;
	struct greta_gguf_string name; /* general.name; empty when the file has none */

	uint32_t n_layer;
	uint32_t n_embd;
	uint32_t n_head;
	uint32_t n_head_kv;
	uint32_t head_dim;
	uint32_t n_ff;
	uint32_t n_vocab;
	uint32_t context_train; /* positions the model was trained on */
	float rms_eps;
	float rope_base;        /* pair i of a head turns by position * rope_base^(-2i/rope_dim)
				 * / rope_freqs[i], the divisor only if there is the tensor */
	uint32_t rope_dim;      /* == head_dim */
	bool tied_embeddings;   /* output is token_embd */

	const struct greta_gguf_tensor *token_embd;  /* [n_embd, n_vocab] */
	const struct greta_gguf_tensor *output_norm; /* [n_embd] F32 */
	const struct greta_gguf_tensor *output;      /* [n_embd, n_vocab]; token_embd itself when tied */
	const struct greta_gguf_tensor *rope_freqs;  /* [head_dim / 2] F32 divisors, or NULL */
	struct greta_llama_layer *layers;            /* n_layer of them */
};

/* Reads and checks; `gguf` must stay open as long as the llama is used. GRETA_ERROR_FORMAT for keys or tensors that
 * are missing or contradict each other, GRETA_ERROR_UNSUPPORTED for what is listed above, GRETA_ERROR_MEMORY.
 * Of tensor data only rope_freqs is looked at: its divisors must be finite and above zero. */
enum greta_status greta_llama_init(struct greta_llama *llama, const struct greta_gguf *gguf, struct greta_error *error);

void greta_llama_finish(struct greta_llama *llama);

#endif
