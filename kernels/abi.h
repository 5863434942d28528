/* The kernel ABI: one argument struct per kernel, shared by the planner, which writes its bytes into the plan, and by
 * every form of the kernel (ref, cpu, gpu), which takes it by value or pointer.
 *
 * Each struct is listed once as fields: IN/OUT/IO are device pointers (read, written, both), U32/I32/F32 are plain
 * values. From the lists are made: the structs, the table of fields (which fields are pointers, hence relocations), and
 * the hash that a plan records, so that a plan made for another ABI is refused.
 *
 * Shapes are written [outer][inner], row-major, in elements. `chunk` is the number of tokens that the program was
 * planned for; how many of them are valid in a step follows from the state (greta_step_tokens). Buffers of activations
 * have `chunk` rows. A pointer marked "or NULL" selects the variant; what each kernel computes is defined in
 * kernels/ref/. Where no grid is given it is x = chunk: a block is a token. */
#ifndef GRETA_ABI_H
#define GRETA_ABI_H

#include <stddef.h>
#include <stdint.h>

#include "models/types.h"

#ifndef GRETA_ABI_FN /* a GPU kernel's target.h says __device__ here */
#define GRETA_ABI_FN static inline
#endif

/* ---- What changes from step to step, in the state region ---- */

struct greta_state {
	uint32_t position;    /* tokens already in the KV cache: the next token's position */
	uint32_t prompt_end;  /* tokens[0 .. prompt_end) are given; later ones are sampled */
	uint32_t context;     /* positions that the KV cache holds */
	uint32_t fault;       /* 0, or 1 + the position whose logits were not finite */
	uint64_t seed;        /* of the sampler's random numbers */
	float temperature;    /* 0: the largest logit wins and the other settings are unused */
	float top_p;          /* 1: off */
	float min_p;          /* 0: off */
	uint32_t top_k;       /* 0: off */
};

/* How many tokens a step of a program planned for `chunk` tokens processes: the rest of the prompt if there is any,
 * else the one token sampled last; never past the context. */
GRETA_ABI_FN uint32_t greta_step_tokens(const struct greta_state *state, uint32_t chunk)
{
	uint32_t wanted = state->position < state->prompt_end ? state->prompt_end - state->position : 1;
	uint32_t room = state->position < state->context ? state->context - state->position : 0;
	wanted = wanted < chunk ? wanted : chunk;
	return wanted < room ? wanted : room;
}

/* Whether this step's last token is one whose logits are wanted: the last of the prompt, or any later one. */
GRETA_ABI_FN int greta_step_samples(const struct greta_state *state, uint32_t tokens)
{
	return tokens > 0 && state->position + tokens >= state->prompt_end;
}

/* ---- Enumerations that appear in arguments ---- */

enum greta_layout { /* how a weight tensor lies in memory */
	GRETA_LAYOUT_RAW = 0,    /* as in the GGUF file */
	GRETA_LAYOUT_ROWS16 = 1, /* 16 rows interleaved by 32-bit words: kernels/rows16.h */
	GRETA_LAYOUT_TILE16 = 2, /* tiles of 16 rows by 256 columns for matrix instructions: kernels/tile16.h */
};

enum greta_kv_type { GRETA_KV_F16 = 0, GRETA_KV_F32 = 1 };

#define GRETA_ATTENTION_CHUNK 64 /* positions of the context that are reduced together; part of the numbers' definition */
#define GRETA_KV_TILE 16         /* the K cache on a CPU interleaves this many positions */

/* KV cache of one layer on the cpu target, elements of kv_type, C = context rounded up to GRETA_ATTENTION_CHUNK:
 *   k [kv_heads][C / 16][head_dim][16]   (a vector lane is a position)
 *   v [kv_heads][C][head_dim] */

/* Bytes that one block of 256 values takes in a `digits` buffer [chunk][cols / 256] of the cpu target. */
#define GRETA_CPU_DIGITS_BLOCK_BYTES 2624

/* The same of the gpu targets (struct greta_gpu_digits, kernels/gpu/layouts.h). */
#define GRETA_GPU_DIGITS_BLOCK_BYTES 1152

/* Dynamic shared memory that the cpu target's kernels get: this much working space; kernels that make the digits of
 * their input themselves (digits == NULL in product, qkv, gate_up; lm_head always) get cols * 4 bytes for the input's
 * row and cols / 256 digit blocks on top. The row and the digits come first. */
#define GRETA_CPU_WORK_BYTES (256 * 1024)

/* Per block of an lm_head launch, the best logit as a key whose maximum is the answer: the logit's bits made ordered,
 * above the complement of its index, so that the lowest index wins a tie. NaN is above all numbers. */
GRETA_ABI_FN uint64_t greta_logit_key(uint32_t bits, uint32_t index)
{
	uint32_t ordered = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
	if ((bits & 0x7fffffffu) > 0x7f800000u)
		ordered = 0xffffffffu;
	return (uint64_t)ordered << 32 | (uint32_t)~index;
}

/* ---- The kernels ---- */

/* Embedding rows of this step's tokens: x[t] = row tokens[position + t] of table (raw layout, dequantised to fp32);
 * and, if rope is not NULL, what rope_angles does. Tokens >= vocab give zeros.
 * table [vocab][cols] of type; tokens [context + 1]; x [chunk][cols]. */
#define GRETA_ARGS_embed(IN, OUT, IO, U32, I32, F32)                                                                   \
	IN(void, table) IN(uint32_t, tokens) IN(double, frequencies) IN(struct greta_state, state)                     \
	OUT(float, x) OUT(float, rope)                                                                                 \
	U32(type) U32(vocab) U32(cols) U32(chunk) U32(pairs) U32(row_bytes)

/* rope[t][i] = {cos, sin} of (position + t) * frequencies[i]. frequencies [pairs]; rope [chunk][pairs][2]. */
#define GRETA_ARGS_rope_angles(IN, OUT, IO, U32, I32, F32)                                                             \
	IN(double, frequencies) IN(struct greta_state, state) OUT(float, rope) U32(pairs) U32(chunk)

/* y[t] = x[t] / rms(x[t]) * weight. x, y [chunk][cols]; weight [cols]. */
#define GRETA_ARGS_rmsnorm(IN, OUT, IO, U32, I32, F32)                                                                 \
	IN(float, x) IN(float, weight) IN(struct greta_state, state) OUT(float, y) U32(cols) U32(chunk) F32(eps)       \
	U32(reserved)

/* digits[t] = the fixed point of x[t], of rmsnorm(x[t]) if norm is not NULL. activations: digits per value, 1 to 4. */
#define GRETA_ARGS_digits(IN, OUT, IO, U32, I32, F32)                                                                  \
	IN(float, x) IN(float, norm) IN(struct greta_state, state) OUT(void, digits)                                   \
	U32(cols) U32(chunk) U32(activations) F32(eps)

/* y[t] = W x[t] (+ residual[t]). Input: digits if not NULL, else x, through rmsnorm if norm is not NULL. residual may
 * be NULL; it may equal y. weights [rows][cols] in (type, layout); y, residual [chunk][rows].
 * Grid: x = ceil(rows / rows_per_block). */
#define GRETA_ARGS_product(IN, OUT, IO, U32, I32, F32)                                                                 \
	IN(void, weights) IN(float, x) IN(float, norm) IN(void, digits) IN(float, residual)                            \
	IN(struct greta_state, state) OUT(float, y)                                                                    \
	U32(rows) U32(cols) U32(type) U32(layout) I32(exponent) U32(activations) U32(chunk) U32(rows_per_block)        \
	F32(eps) U32(reserved)

/* q[t] = rope(Wq x[t]); K and V cache rows of positions position + t = rope(Wk x[t]), Wv x[t]. Input as in product.
 * q [chunk][heads * head_dim]. Grid: x = ceil((heads + 2 * kv_heads) * head_dim / rows_per_block);
 * the rows of q, k, v stand one after the other. */
#define GRETA_ARGS_qkv(IN, OUT, IO, U32, I32, F32)                                                                     \
	IN(void, q_weights) IN(void, k_weights) IN(void, v_weights) IN(float, x) IN(float, norm) IN(void, digits)      \
	IN(float, rope) IN(struct greta_state, state) OUT(float, q) OUT(void, k_cache) OUT(void, v_cache)              \
	U32(q_type) U32(k_type) U32(v_type) U32(q_layout) U32(k_layout) U32(v_layout)                                  \
	I32(q_exponent) I32(k_exponent) I32(v_exponent)                                                                \
	U32(heads) U32(kv_heads) U32(head_dim) U32(cols) U32(kv_type) U32(context) U32(activations) U32(chunk)         \
	U32(rows_per_block) F32(eps) U32(reserved)

/* Rotates adjacent pairs of every head in place: x [chunk][heads * head_dim]; rope [chunk][head_dim / 2][2]. */
#define GRETA_ARGS_rope(IN, OUT, IO, U32, I32, F32)                                                                    \
	IN(float, rope) IN(struct greta_state, state) IO(float, x) U32(heads) U32(head_dim) U32(chunk) U32(reserved)

/* Writes k, v [chunk][kv_heads * head_dim] into the caches at positions position + t. */
#define GRETA_ARGS_kv_write(IN, OUT, IO, U32, I32, F32)                                                                \
	IN(float, k) IN(float, v) IN(struct greta_state, state) OUT(void, k_cache) OUT(void, v_cache)                  \
	U32(kv_heads) U32(head_dim) U32(kv_type) U32(context) U32(chunk) U32(reserved)

/* Causal attention of this step's tokens over positions 0 .. position + t. q, out [chunk][heads * head_dim].
 * Grid: x = heads / heads_per_block, y = ceil(chunk / tokens_per_block). heads_per_block divides heads / kv_heads.
 * scratch, counters: NULL but on gpu targets, whose programs of one token have other grids (kernels/gpu/README.md): the
 * parts of a context that is split over blocks, and a count of those that are done, zero before and after. */
#define GRETA_ARGS_attention(IN, OUT, IO, U32, I32, F32)                                                               \
	IN(float, q) IN(void, k_cache) IN(void, v_cache) IN(struct greta_state, state) OUT(float, out)                 \
	OUT(float, scratch) IO(uint32_t, counters)                                                                     \
	U32(heads) U32(kv_heads) U32(head_dim) U32(kv_type) U32(context) U32(chunk)                                    \
	U32(heads_per_block) U32(tokens_per_block) F32(scale) U32(reserved)

/* h[t] = silu(Wgate x[t]) * (Wup x[t]). Input as in product. h [chunk][rows]. Grid: x = ceil(rows / rows_per_block). */
#define GRETA_ARGS_gate_up(IN, OUT, IO, U32, I32, F32)                                                                 \
	IN(void, gate_weights) IN(void, up_weights) IN(float, x) IN(float, norm) IN(void, digits)                      \
	IN(struct greta_state, state) OUT(float, h)                                                                    \
	U32(gate_type) U32(up_type) U32(gate_layout) U32(up_layout) I32(gate_exponent) I32(up_exponent)                \
	U32(rows) U32(cols) U32(activations) U32(chunk) U32(rows_per_block) F32(eps)

/* y[t] = silu(gate[t]) * up[t]; all [chunk][cols]. */
#define GRETA_ARGS_silu_mul(IN, OUT, IO, U32, I32, F32)                                                                \
	IN(float, gate) IN(float, up) IN(struct greta_state, state) OUT(float, y) U32(cols) U32(chunk)

/* y[t] = a[t] + b[t]; all [chunk][cols]; y may be a or b. */
#define GRETA_ARGS_add(IN, OUT, IO, U32, I32, F32)                                                                     \
	IN(float, a) IN(float, b) IN(struct greta_state, state) OUT(float, y) U32(cols) U32(chunk)

/* logits = W x[last], through rmsnorm if norm is not NULL, for the step's last token when greta_step_samples says so,
 * else nothing. best, or NULL: one greta_logit_key per block. weights [rows][cols]; x [chunk][cols]; logits [rows];
 * best [grid x]. Grid: x = ceil(rows / rows_per_block). */
#define GRETA_ARGS_lm_head(IN, OUT, IO, U32, I32, F32)                                                                 \
	IN(void, weights) IN(float, x) IN(float, norm) IN(struct greta_state, state) OUT(float, logits)                \
	OUT(uint64_t, best)                                                                                            \
	U32(rows) U32(cols) U32(type) U32(layout) I32(exponent) U32(activations) U32(chunk) U32(rows_per_block)        \
	F32(eps) U32(reserved)

/* best[0] = the maximum greta_logit_key over logits [vocab], when greta_step_samples says so. Grid: 1. */
#define GRETA_ARGS_argmax(IN, OUT, IO, U32, I32, F32)                                                                  \
	IN(float, logits) IN(struct greta_state, state) OUT(uint64_t, best) U32(vocab) U32(chunk)

/* When greta_step_samples says so: draws the next token from logits [vocab], whose best [best_count] is known, and
 * writes it to tokens[position + n] and, plus one, to ring[position + n] (n: the step's tokens). If `advance` is not 0,
 * then does what advance does. scratch [vocab] is the sampler's own. Grid: 1.
 * When the best logit is not a finite number: sets state.fault (unless it is set) and writes neither tokens nor ring;
 * the host clears a ring entry before it enqueues the step that writes it, so an empty entry after the step tells of
 * the fault. */
#define GRETA_ARGS_sample(IN, OUT, IO, U32, I32, F32)                                                                  \
	IN(float, logits) IN(uint64_t, best) IO(struct greta_state, state) IO(uint32_t, tokens) OUT(uint32_t, ring)    \
	OUT(uint64_t, scratch) U32(vocab) U32(best_count) U32(chunk) U32(advance)

/* position += the step's tokens. Grid: 1. */
#define GRETA_ARGS_advance(IN, OUT, IO, U32, I32, F32) IO(struct greta_state, state) U32(chunk) U32(reserved)

/* Writes the device's clock, in ticks of hipDeviceAttributeWallClockRate, when everything before it has ended. stamps:
 * steps, the number of steps that have ended; [1 + rows][1 + slots], a row being one step: its tokens << 32 | its
 * position, then the clock at each slot. Slots write to row 0, the first one its head; the last one then copies row 0
 * to row 1 + steps % rows and adds one to steps. rows is a power of two. Grid: 1. */
#define GRETA_ARGS_stamp(IN, OUT, IO, U32, I32, F32)                                                                   \
	IN(struct greta_state, state) IO(uint64_t, stamps) U32(slot) U32(slots) U32(rows) U32(chunk)

/* Where in `stamps` row r begins, and which row the last slot copies to. */
GRETA_ABI_FN size_t greta_stamp_row(uint32_t row, uint32_t slots) { return 1 + row * ((size_t)slots + 1); }
GRETA_ABI_FN uint32_t greta_stamp_target(uint64_t steps, uint32_t rows) { return 1 + ((uint32_t)steps & (rows - 1)); }

/* X(name): every kernel, in the order of their ids. */
#define GRETA_KERNELS(X)                                                                                               \
	X(embed) X(rope_angles) X(rmsnorm) X(digits) X(product) X(qkv) X(rope) X(kv_write) X(attention) X(gate_up)     \
	X(silu_mul) X(add) X(lm_head) X(argmax) X(sample) X(advance) X(stamp)

enum greta_kernel {
#define X(name) GRETA_KERNEL_##name,
	GRETA_KERNELS(X)
#undef X
	GRETA_KERNEL_COUNT
};

#define GRETA_FIELD_IN(type, name) const type *name;
#define GRETA_FIELD_OUT(type, name) type *name;
#define GRETA_FIELD_IO(type, name) type *name;
#define GRETA_FIELD_U32(name) uint32_t name;
#define GRETA_FIELD_I32(name) int32_t name;
#define GRETA_FIELD_F32(name) float name;
#define X(name)                                                                                                        \
	struct greta_##name##_args {                                                                                   \
		GRETA_ARGS_##name(GRETA_FIELD_IN, GRETA_FIELD_OUT, GRETA_FIELD_IO, GRETA_FIELD_U32, GRETA_FIELD_I32,   \
		                  GRETA_FIELD_F32)                                                                     \
	};
GRETA_KERNELS(X)
#undef X

/* ---- The same, as tables (abi.c) ---- */

enum greta_field_kind { GRETA_IN, GRETA_OUT, GRETA_IO, GRETA_U32, GRETA_I32, GRETA_F32 };

struct greta_field {
	const char *name;
	enum greta_field_kind kind;
	uint32_t offset; /* bytes from the struct's start; pointers take 8 bytes, values 4 */
};

struct greta_kernel_info {
	const char *name;
	uint32_t args_bytes;
	uint32_t field_count;
	const struct greta_field *fields;
};

/* Row of a kernel; NULL for an id out of range. */
const struct greta_kernel_info *greta_kernel_info(uint32_t kernel);

/* A hash over every struct's name, field names, kinds and offsets, the state's layout and the constants above. */
uint64_t greta_abi_hash(void);

/* The bits b for which 256 values of one row of `type`, each scale below 1 in magnitude, times activations below 1, sum
 * to less than 2^b: the type's part in greta_product_unit. */
int greta_type_bits(uint32_t type);

#endif
