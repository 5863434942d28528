#include "runtime/verify_launch.h"

#include "kernels/abi.h"

#include <math.h>
#include <string.h>

struct checker {
	const struct greta_plan *plan;
	const struct greta_plan_header *header;
	const struct greta_plan_launch *launch;
	const struct greta_kernel_info *info;
	const struct greta_target_facts *facts;
	const struct greta_target_function *function; /* that is launched */
	uint32_t chunk; /* tokens of the program */
	uint64_t shared; /* dynamic shared memory that the arguments ask for */
	struct greta_launch_use use;
	const char *problem; /* the first one */
	uint32_t field;      /* it concerns, or GRETA_PLAN_NONE */
};

#define AT(kernel, name) (uint32_t)offsetof(struct greta_##kernel##_args, name)

static void fail_at(struct checker *c, uint32_t field, const char *problem)
{
	if (c->problem)
		return;
	c->problem = problem;
	c->field = field;
}

static void require(struct checker *c, bool holds, const char *problem)
{
	if (!holds)
		fail_at(c, GRETA_PLAN_NONE, problem);
}

/* ---- Pointers ---- */

static const struct greta_plan_reloc *reloc_of(const struct checker *c, uint32_t field)
{
	for (uint32_t r = 0; r < c->launch->reloc_count; r++)
		if (c->plan->relocs[c->launch->first_reloc + r].field == field)
			return &c->plan->relocs[c->launch->first_reloc + r];
	return NULL;
}

static bool null(const struct checker *c, uint32_t field) { return !reloc_of(c, field); }

static uint64_t value_of(const struct checker *c, uint32_t field)
{
	uint64_t value;
	memcpy(&value, c->plan->args + c->launch->args + field, sizeof(value));
	return value;
}

/* The tensor that a field points at, from its first byte; NULL (and a failure) if it points at something else. */
static const struct greta_plan_tensor *tensor_at(struct checker *c, uint32_t field)
{
	const struct greta_plan_reloc *reloc = reloc_of(c, field);
	if (!reloc || reloc->region > GRETA_REGION_MODEL) {
		fail_at(c, field, "is no tensor");
		return NULL;
	}
	const struct greta_plan_tensor *tensor = &c->plan->tensors[reloc->object];
	if (value_of(c, field) != tensor->offset) {
		fail_at(c, field, "does not point at the tensor's start");
		return NULL;
	}
	return tensor;
}

struct matrix {
	uint32_t type, layout, rows, cols;
	int32_t exponent;
};

/* A matrix of a product: its tensor says the same as the arguments. */
static void matrix(struct checker *c, uint32_t field, struct matrix m)
{
	const struct greta_plan_tensor *t = tensor_at(c, field);
	if (t && (t->constant || t->type != m.type || t->layout != m.layout || t->rows != m.rows || t->cols != m.cols ||
		  t->exponent != m.exponent))
		fail_at(c, field, "differs from its tensor in type, layout, shape or exponent");
	bool whole = m.type == GRETA_TYPE_F32 || m.type == GRETA_TYPE_F16 || m.type == GRETA_TYPE_BF16;
	if (m.type >= 32 || !(c->function->types >> m.type & 1) ||
	    m.layout != (whole ? (uint32_t)GRETA_LAYOUT_RAW : c->facts->quantised_layout))
		fail_at(c, field, "has a type or layout that the kernel does not take");
}

/* A vector of n_embd weights. */
static void norm_weights(struct checker *c, uint32_t field)
{
	const struct greta_plan_tensor *t = tensor_at(c, field);
	if (t && (t->constant || t->type != GRETA_TYPE_F32 || t->layout != GRETA_LAYOUT_RAW || t->rows != 1 ||
		  t->cols != c->header->n_embd))
		fail_at(c, field, "is no norm of this model");
}

static void frequencies(struct checker *c, uint32_t field)
{
	const struct greta_plan_tensor *t = tensor_at(c, field);
	if (t && (!t->constant || t->cols != c->header->head_dim / 2))
		fail_at(c, field, "is no table of rotary frequencies");
}

enum { READ = 1, WRITE = 2, IN_PLACE = 4 };

/* `bytes` of the arena from where the field points. */
static void arena(struct checker *c, uint32_t field, uint64_t bytes, int how)
{
	const struct greta_plan_reloc *reloc = reloc_of(c, field);
	if (!reloc || reloc->region != GRETA_REGION_ARENA) {
		fail_at(c, field, "is not in the arena");
		return;
	}
	const struct greta_plan_buffer *buffer = &c->plan->buffers[reloc->object];
	uint64_t begin = value_of(c, field);
	if (begin % 64)
		fail_at(c, field, "is not aligned to 64 bytes");
	if (bytes > buffer->bytes || begin - buffer->offset > buffer->bytes - bytes)
		fail_at(c, field, "reaches past the end of its buffer");
	c->use.accesses[c->use.count++] = (struct greta_access){
	    .begin = begin,
	    .end = begin + bytes,
	    .buffer = reloc->object,
	    .read = how & READ,
	    .write = how & WRITE,
	    .in_place = how & IN_PLACE,
	};
}

/* One of the places that the header names. */
static void place(struct checker *c, uint32_t field, uint32_t region, uint64_t offset, uint64_t bytes)
{
	const struct greta_plan_reloc *reloc = reloc_of(c, field);
	if (!reloc || reloc->region != region || value_of(c, field) != offset)
		fail_at(c, field, "is not where the plan's header says");
	else if (c->plan->buffers[reloc->object].offset != offset || c->plan->buffers[reloc->object].bytes < bytes)
		fail_at(c, field, "reaches past the end of its buffer");
}

static void state(struct checker *c, uint32_t field)
{
	place(c, field, GRETA_REGION_STATE, c->header->state_offset, sizeof(struct greta_state));
}

static void tokens(struct checker *c, uint32_t field)
{
	place(c, field, GRETA_REGION_STATE, c->header->tokens_offset, ((uint64_t)c->header->context + 1) * 4);
}

static void ring(struct checker *c, uint32_t field)
{
	place(c, field, GRETA_REGION_IO, c->header->ring_offset, ((uint64_t)c->header->context + 1) * 4);
}

static void logits(struct checker *c, uint32_t field)
{
	place(c, field, GRETA_REGION_IO, c->header->logits_offset, (uint64_t)c->header->n_vocab * 4);
}

/* The cache of K or V of one layer. */
static uint32_t cache(struct checker *c, uint32_t field)
{
	const struct greta_plan_header *h = c->header;
	uint64_t positions =
	    ((uint64_t)h->context + GRETA_ATTENTION_CHUNK - 1) / GRETA_ATTENTION_CHUNK * GRETA_ATTENTION_CHUNK;
	uint64_t bytes = positions * h->n_head_kv * h->head_dim * (h->kv_type == GRETA_KV_F16 ? 2 : 4);
	const struct greta_plan_reloc *reloc = reloc_of(c, field);
	if (!reloc || reloc->region != GRETA_REGION_KV) {
		fail_at(c, field, "is no cache");
		return GRETA_PLAN_NONE;
	}
	const struct greta_plan_buffer *buffer = &c->plan->buffers[reloc->object];
	if (value_of(c, field) != buffer->offset || buffer->offset % 64 || buffer->bytes < bytes)
		fail_at(c, field, "does not hold the context");
	return reloc->object;
}

/* ---- Values ---- */

static uint64_t rows_bytes(const struct checker *c, uint64_t cols) { return c->chunk * cols * 4; }

static void grid(struct checker *c, uint64_t x, uint64_t y)
{
	const uint32_t *g = c->launch->grid;
	require(c, g[0] == x && g[1] == y && g[2] == 1, "its grid does not fit its arguments");
}

static uint64_t parts(uint64_t whole, uint64_t part) { return (whole + part - 1) / part; }

/* Rows of one matrix or, in qkv, of one after the other. */
static void row_grid(struct checker *c, const uint64_t rows[3], uint32_t rows_per_block)
{
	const struct greta_target_function *f = c->function;
	if (rows_per_block == 0 || rows_per_block % 16 || rows_per_block > f->most_rows ||
	    (f->rows && rows_per_block != f->rows)) {
		require(c, false, "rows_per_block is not what its function takes");
		return;
	}
	uint64_t x =
	    f->apart ? parts(rows[0], rows_per_block) + parts(rows[1], rows_per_block) + parts(rows[2], rows_per_block)
		     : parts(rows[0] + rows[1] + rows[2], rows_per_block);
	grid(c, x, f->tokens == UINT32_MAX ? 1 : parts(c->chunk, f->tokens));
	c->shared += (uint64_t)rows_per_block * f->row_bytes;
}

/* The kernel makes the digits of `cols` values itself, in shared memory. */
static void self_digits(struct checker *c, uint64_t cols)
{
	c->shared += cols * c->function->value_bytes + cols / 256 * c->facts->digits_bytes;
}

static uint64_t digits_bytes(const struct checker *c, uint64_t cols)
{
	return c->chunk * (cols / 256) * c->facts->digits_bytes;
}

/* Which one the model has is not in the plan: greta_verify_model compares them. */
static void epsilon(struct checker *c, float eps)
{
	require(c, isfinite(eps) && eps >= 0, "eps is negative or not finite");
}

struct input {
	uint32_t x, norm, digits; /* fields */
	uint32_t cols, activations;
	float eps;
};

/* x, through a norm or not, or ready-made digits. */
static void product_input(struct checker *c, struct input in)
{
	require(c, in.activations == c->header->activations, "activations differ from the plan's");
	require(c, in.cols % 256 == 0, "cols is no multiple of 256");
	epsilon(c, in.eps);
	if (!null(c, in.digits)) {
		arena(c, in.digits, digits_bytes(c, in.cols), READ);
		require(c, null(c, in.x) && null(c, in.norm), "it has digits and another input");
		return;
	}
	require(c, !c->function->given_digits, "its function cannot make digits itself");
	require(c, c->chunk <= c->facts->self_digits_tokens, "it makes the digits of more than one token itself");
	arena(c, in.x, rows_bytes(c, in.cols), READ);
	if (!null(c, in.norm)) {
		norm_weights(c, in.norm);
		require(c, in.cols == c->header->n_embd, "a norm of other than n_embd values");
	}
	self_digits(c, in.cols);
}

static void caches(struct checker *c, uint32_t k, uint32_t v, bool write)
{
	c->use.k_cache = cache(c, k);
	c->use.v_cache = cache(c, v);
	c->use.writes_caches = write;
}

static void heads(struct checker *c, uint32_t kv_heads, uint32_t head_dim, uint32_t kv_type, uint32_t context)
{
	const struct greta_plan_header *h = c->header;
	require(c, kv_heads == h->n_head_kv && head_dim == h->head_dim && kv_type == h->kv_type && context == h->context,
		"heads, kv_type or context differ from the plan's");
}

/* ---- The kernels ---- */

static void check_embed(struct checker *c, const struct greta_embed_args *a)
{
	const struct greta_plan_tensor *t = tensor_at(c, AT(embed, table));
	if (t && (t->constant || t->layout != GRETA_LAYOUT_RAW || t->type != a->type || t->rows != a->vocab ||
		  t->cols != a->cols || (uint64_t)a->row_bytes * a->vocab != t->bytes))
		fail_at(c, AT(embed, table), "differs from its tensor in type, layout or shape");
	require(c, a->cols == c->header->n_embd && a->vocab == c->header->n_vocab, "its table is not the model's");
	tokens(c, AT(embed, tokens));
	arena(c, AT(embed, x), rows_bytes(c, a->cols), WRITE);
	require(c, a->pairs == c->header->head_dim / 2, "pairs differ from the model's");
	require(c, null(c, AT(embed, frequencies)) == null(c, AT(embed, rope)),
		"frequencies without rope, or rope without");
	if (!null(c, AT(embed, rope))) {
		frequencies(c, AT(embed, frequencies));
		arena(c, AT(embed, rope), rows_bytes(c, (uint64_t)a->pairs * 2), WRITE);
	}
	grid(c, a->chunk, 1);
}

static void check_rope_angles(struct checker *c, const struct greta_rope_angles_args *a)
{
	require(c, a->pairs == c->header->head_dim / 2, "pairs differ from the model's");
	frequencies(c, AT(rope_angles, frequencies));
	arena(c, AT(rope_angles, rope), rows_bytes(c, (uint64_t)a->pairs * 2), WRITE);
	grid(c, a->chunk, 1);
}

static void check_rmsnorm(struct checker *c, const struct greta_rmsnorm_args *a)
{
	require(c, a->cols == c->header->n_embd, "cols differ from the model's");
	epsilon(c, a->eps);
	arena(c, AT(rmsnorm, x), rows_bytes(c, a->cols), READ);
	norm_weights(c, AT(rmsnorm, weight));
	arena(c, AT(rmsnorm, y), rows_bytes(c, a->cols), WRITE);
	grid(c, a->chunk, 1);
}

static void check_digits(struct checker *c, const struct greta_digits_args *a)
{
	require(c, a->activations == c->header->activations && a->cols > 0 && a->cols % 256 == 0,
		"activations or cols are not sound");
	epsilon(c, a->eps);
	arena(c, AT(digits, x), rows_bytes(c, a->cols), READ);
	if (!null(c, AT(digits, norm))) {
		norm_weights(c, AT(digits, norm));
		require(c, a->cols == c->header->n_embd, "a norm of other than n_embd values");
	}
	arena(c, AT(digits, digits), digits_bytes(c, a->cols), WRITE);
	grid(c, a->chunk, 1);
}

static void check_product(struct checker *c, const struct greta_product_args *a)
{
	matrix(c, AT(product, weights), (struct matrix){a->type, a->layout, a->rows, a->cols, a->exponent});
	product_input(c, (struct input){AT(product, x), AT(product, norm), AT(product, digits), a->cols, a->activations,
					a->eps});
	if (!null(c, AT(product, residual)))
		arena(c, AT(product, residual), rows_bytes(c, a->rows), READ | IN_PLACE);
	arena(c, AT(product, y), rows_bytes(c, a->rows), WRITE | IN_PLACE);
	row_grid(c, (uint64_t[3]){a->rows}, a->rows_per_block);
}

static void check_qkv(struct checker *c, const struct greta_qkv_args *a)
{
	const struct greta_plan_header *h = c->header;
	heads(c, a->kv_heads, a->head_dim, a->kv_type, a->context);
	require(c, a->heads == h->n_head && a->cols == h->n_embd, "heads or cols differ from the model's");
	uint32_t q_rows = h->n_head * h->head_dim, kv_rows = h->n_head_kv * h->head_dim;
	matrix(c, AT(qkv, q_weights), (struct matrix){a->q_type, a->q_layout, q_rows, a->cols, a->q_exponent});
	matrix(c, AT(qkv, k_weights), (struct matrix){a->k_type, a->k_layout, kv_rows, a->cols, a->k_exponent});
	matrix(c, AT(qkv, v_weights), (struct matrix){a->v_type, a->v_layout, kv_rows, a->cols, a->v_exponent});
	product_input(c, (struct input){AT(qkv, x), AT(qkv, norm), AT(qkv, digits), a->cols, a->activations, a->eps});
	arena(c, AT(qkv, rope), rows_bytes(c, a->head_dim), READ);
	arena(c, AT(qkv, q), rows_bytes(c, q_rows), WRITE);
	caches(c, AT(qkv, k_cache), AT(qkv, v_cache), true);
	row_grid(c, (uint64_t[3]){q_rows, kv_rows, kv_rows}, a->rows_per_block);
}

static void check_rope(struct checker *c, const struct greta_rope_args *a)
{
	require(c, a->head_dim == c->header->head_dim && a->heads <= c->header->n_head && a->heads > 0,
		"heads or head_dim differ from the model's");
	arena(c, AT(rope, rope), rows_bytes(c, a->head_dim), READ);
	arena(c, AT(rope, x), rows_bytes(c, (uint64_t)a->heads * a->head_dim), READ | WRITE);
	grid(c, a->chunk, 1);
}

static void check_kv_write(struct checker *c, const struct greta_kv_write_args *a)
{
	heads(c, a->kv_heads, a->head_dim, a->kv_type, a->context);
	arena(c, AT(kv_write, k), rows_bytes(c, (uint64_t)a->kv_heads * a->head_dim), READ);
	arena(c, AT(kv_write, v), rows_bytes(c, (uint64_t)a->kv_heads * a->head_dim), READ);
	caches(c, AT(kv_write, k_cache), AT(kv_write, v_cache), true);
	grid(c, a->chunk, 1);
}

/* A buffer of the state's region that is neither the state nor the tokens, and starts where the field points.
 * Gives the buffer. */
static uint32_t counters(struct checker *c, uint32_t field, uint64_t bytes)
{
	const struct greta_plan_header *h = c->header;
	const struct greta_plan_reloc *reloc = reloc_of(c, field);
	const struct greta_plan_buffer *b =
	    reloc && reloc->region == GRETA_REGION_STATE ? &c->plan->buffers[reloc->object] : NULL;
	if (!b || value_of(c, field) != b->offset || b->offset % 64 || b->bytes < bytes ||
	    b->offset == h->state_offset || b->offset == h->tokens_offset)
		fail_at(c, field, "are no counters of the state");
	return reloc ? reloc->object : GRETA_PLAN_NONE;
}

/* Blocks along y share out the context, in the definition's chunks. */
static void split_context(struct checker *c)
{
	const struct greta_plan_header *h = c->header;
	uint64_t chunks = parts(h->context, GRETA_ATTENTION_CHUNK);
	uint32_t splits = c->launch->grid[1];
	grid(c, h->n_head, splits);
	require(c, splits <= chunks, "it splits the context into more parts than it has");
	c->use.counters = counters(c, AT(attention, counters), (uint64_t)h->n_head * sizeof(uint32_t));
	if (splits > 1)
		arena(c, AT(attention, scratch), h->n_head * chunks * (h->head_dim + 2) * 4, WRITE);
	else
		require(c, null(c, AT(attention, scratch)), "scratch of a context that is not split");
}

static void check_attention(struct checker *c, const struct greta_attention_args *a)
{
	heads(c, a->kv_heads, a->head_dim, a->kv_type, a->context);
	require(c, a->heads == c->header->n_head, "heads differ from the model's");
	require(c, a->scale == 1.0f / sqrtf((float)c->header->head_dim), "scale is not 1 / sqrt(head_dim)");
	arena(c, AT(attention, q), rows_bytes(c, (uint64_t)c->header->n_head * c->header->head_dim), READ);
	caches(c, AT(attention, k_cache), AT(attention, v_cache), false);
	arena(c, AT(attention, out), rows_bytes(c, (uint64_t)c->header->n_head * c->header->head_dim), WRITE);
	const struct greta_target_function *f = c->function;
	uint32_t group = c->header->n_head / c->header->n_head_kv;
	bool tokens = a->tokens_per_block && (f->tokens == UINT32_MAX || a->tokens_per_block == f->tokens);
	if (a->heads_per_block == 0 || group % a->heads_per_block || (f->one_head && a->heads_per_block != 1) ||
	    !tokens)
		require(c, false, "heads_per_block or tokens_per_block is not sound");
	else if (f->splits)
		split_context(c);
	else
		grid(c, a->heads / a->heads_per_block, parts(a->chunk, a->tokens_per_block));
	require(c, f->splits || (null(c, AT(attention, scratch)) && null(c, AT(attention, counters))),
		"scratch or counters of a context that is not split");
}

static void check_gate_up(struct checker *c, const struct greta_gate_up_args *a)
{
	require(c, a->rows == c->header->n_ff && a->cols == c->header->n_embd, "rows or cols differ from the model's");
	matrix(c, AT(gate_up, gate_weights),
	       (struct matrix){a->gate_type, a->gate_layout, a->rows, a->cols, a->gate_exponent});
	matrix(c, AT(gate_up, up_weights), (struct matrix){a->up_type, a->up_layout, a->rows, a->cols, a->up_exponent});
	product_input(c, (struct input){AT(gate_up, x), AT(gate_up, norm), AT(gate_up, digits), a->cols, a->activations,
					a->eps});
	arena(c, AT(gate_up, h), rows_bytes(c, a->rows), WRITE);
	row_grid(c, (uint64_t[3]){a->rows}, a->rows_per_block);
}

static void check_silu_mul(struct checker *c, const struct greta_silu_mul_args *a)
{
	require(c, a->cols == c->header->n_ff, "cols differ from the model's");
	arena(c, AT(silu_mul, gate), rows_bytes(c, a->cols), READ | IN_PLACE);
	arena(c, AT(silu_mul, up), rows_bytes(c, a->cols), READ | IN_PLACE);
	arena(c, AT(silu_mul, y), rows_bytes(c, a->cols), WRITE | IN_PLACE);
	grid(c, a->chunk, 1);
}

static void check_add(struct checker *c, const struct greta_add_args *a)
{
	require(c, a->cols > 0, "it adds nothing");
	arena(c, AT(add, a), rows_bytes(c, a->cols), READ | IN_PLACE);
	arena(c, AT(add, b), rows_bytes(c, a->cols), READ | IN_PLACE);
	arena(c, AT(add, y), rows_bytes(c, a->cols), WRITE | IN_PLACE);
	grid(c, a->chunk, 1);
}

static void check_lm_head(struct checker *c, const struct greta_lm_head_args *a)
{
	const struct greta_plan_header *h = c->header;
	require(c, a->rows == h->n_vocab && a->cols == h->n_embd, "rows or cols differ from the model's");
	require(c, a->activations == h->activations, "activations differ from the plan's");
	epsilon(c, a->eps);
	matrix(c, AT(lm_head, weights), (struct matrix){a->type, a->layout, a->rows, a->cols, a->exponent});
	arena(c, AT(lm_head, x), rows_bytes(c, a->cols), READ);
	if (!null(c, AT(lm_head, norm)))
		norm_weights(c, AT(lm_head, norm));
	logits(c, AT(lm_head, logits));
	if (!null(c, AT(lm_head, best))) {
		arena(c, AT(lm_head, best), (uint64_t)c->launch->grid[0] * 8, WRITE);
		c->use.best_written = c->launch->grid[0];
	}
	row_grid(c, (uint64_t[3]){a->rows}, a->rows_per_block);
	self_digits(c, a->cols);
	c->use.writes_logits = true;
}

static void check_argmax(struct checker *c, const struct greta_argmax_args *a)
{
	require(c, a->vocab == c->header->n_vocab, "vocab differs from the model's");
	logits(c, AT(argmax, logits));
	arena(c, AT(argmax, best), 8, WRITE);
	c->use.best_written = 1;
	grid(c, 1, 1);
	c->use.reads_logits = true;
}

static void check_sample(struct checker *c, const struct greta_sample_args *a)
{
	require(c, a->vocab == c->header->n_vocab && a->best_count > 0 && a->advance <= 1,
		"vocab, best_count or advance are not sound");
	logits(c, AT(sample, logits));
	arena(c, AT(sample, best), (uint64_t)a->best_count * 8, READ);
	c->use.best_read = a->best_count;
	tokens(c, AT(sample, tokens));
	ring(c, AT(sample, ring));
	arena(c, AT(sample, scratch), (uint64_t)a->vocab * 8, WRITE);
	grid(c, 1, 1);
	c->use.reads_logits = true;
	c->use.samples = true;
	c->use.advances = a->advance;
}

static void check_stamp(struct checker *c, const struct greta_stamp_args *a)
{
	bool rows = a->rows > 0 && a->rows <= 1u << 16 && (a->rows & (a->rows - 1)) == 0;
	require(c, rows && a->slot < a->slots && a->slots <= 1u << 28, "rows or slots are not sound");
	c->use.stamps = counters(c, AT(stamp, stamps), greta_stamp_row(1 + a->rows, a->slots) * sizeof(uint64_t));
	c->use.stamp = a->slot;
	c->use.stamp_slots = a->slots;
	c->use.stamp_rows = a->rows;
	grid(c, 1, 1);
}

static void check_advance(struct checker *c, const struct greta_advance_args *a)
{
	(void)a;
	grid(c, 1, 1);
	c->use.advances = true;
}

/* What the function is launched with, apart from the arguments that its kernel's check looks at. */
static void check_shape(struct checker *c)
{
	const struct greta_plan_launch *launch = c->launch;
	require(c, launch->block[0] == c->function->threads && launch->block[1] == 1 && launch->block[2] == 1,
		"its block has another number of threads than its function takes");
	require(c, c->chunk <= c->function->most_tokens, "its function does not take so many tokens");
	require(c, launch->shared_bytes == c->shared && c->shared <= c->facts->shared_most,
		"its shared memory does not fit its arguments");
}

static void check_arguments(struct checker *c)
{
	const void *args = c->plan->args + c->launch->args;
	switch (c->launch->kernel) {
#define X(name)                                                                                                        \
	case GRETA_KERNEL_##name:                                                                                      \
		state(c, AT(name, state));                                                                             \
		require(c, ((const struct greta_##name##_args *)args)->chunk == c->chunk,                              \
			"chunk differs from the program's");                                                           \
		check_##name(c, args);                                                                                 \
		break;
		GRETA_KERNELS(X)
#undef X
	default: break;
	}
}

enum greta_status greta_verify_launch(const struct greta_plan *plan, const struct greta_target_facts *facts,
				      const struct greta_plan_program *program, size_t index,
				      struct greta_launch_use *out_use, struct greta_error *error)
{
	const struct greta_plan_launch *launch = &plan->launches[index];
	const struct greta_target_function *function =
	    greta_target_function(facts, greta_plan_string(plan, launch->symbol));
	struct checker c = {
	    .plan = plan,
	    .header = plan->header,
	    .launch = launch,
	    .info = greta_kernel_info(launch->kernel),
	    .facts = facts,
	    .function = function,
	    .chunk = program->chunk_tokens,
	    .shared = function ? function->bytes : 0,
	    .use = {.k_cache = GRETA_PLAN_NONE, .v_cache = GRETA_PLAN_NONE, .counters = GRETA_PLAN_NONE,
		    .stamps = GRETA_PLAN_NONE},
	};
	if (function && function->kernel == launch->kernel) {
		check_arguments(&c);
		check_shape(&c);
	} else {
		require(&c, false, function ? "its symbol is another kernel's" : "its symbol is none of the target's");
	}
	if (!c.problem) {
		*out_use = c.use;
		return GRETA_OK;
	}
	const char *field = "";
	for (uint32_t f = 0; f < c.info->field_count; f++)
		if (c.field == c.info->fields[f].offset)
			field = c.info->fields[f].name;
	return greta_fail(error, GRETA_ERROR_FORMAT, "unsound plan: launch %zu (%s): %s%s%s", index, c.info->name, field,
			  *field ? " " : "", c.problem);
}
