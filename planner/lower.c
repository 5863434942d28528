#include "planner/lower.h"

#include <stdio.h>
#include <string.h>

/* What the rules below ask of an operation, whatever its kernel. */
struct work {
	uint32_t chunk;
	uint32_t types;            /* of its matrices, as a set */
	uint64_t rows[3];          /* that are dealt to blocks, of one matrix after the other */
	uint32_t *rows_per_block;  /* its argument; NULL: it has none */
	uint32_t self_cols;        /* values that it makes the digits of itself; 0: it does not */
};

static bool given(const struct greta_op *op, size_t ref) { return op->refs[ref].kind != GRETA_REF_NULL; }

static struct work work_of(struct greta_op *op)
{
	switch (op->kernel) {
	case GRETA_KERNEL_product: {
		struct greta_product_args *a = &op->args.product;
		return (struct work){a->chunk, GRETA_TYPE_SET(a->type), {a->rows}, &a->rows_per_block,
				     given(op, GRETA_REF(product, digits)) ? 0 : a->cols};
	}
	case GRETA_KERNEL_qkv: {
		struct greta_qkv_args *a = &op->args.qkv;
		return (struct work){a->chunk,
				     GRETA_TYPE_SET(a->q_type) | GRETA_TYPE_SET(a->k_type) | GRETA_TYPE_SET(a->v_type),
				     {(uint64_t)a->heads * a->head_dim, (uint64_t)a->kv_heads * a->head_dim,
				      (uint64_t)a->kv_heads * a->head_dim},
				     &a->rows_per_block, given(op, GRETA_REF(qkv, digits)) ? 0 : a->cols};
	}
	case GRETA_KERNEL_gate_up: {
		struct greta_gate_up_args *a = &op->args.gate_up;
		return (struct work){a->chunk, GRETA_TYPE_SET(a->gate_type) | GRETA_TYPE_SET(a->up_type), {a->rows},
				     &a->rows_per_block, given(op, GRETA_REF(gate_up, digits)) ? 0 : a->cols};
	}
	case GRETA_KERNEL_lm_head: {
		struct greta_lm_head_args *a = &op->args.lm_head;
		return (struct work){a->chunk, GRETA_TYPE_SET(a->type), {a->rows}, &a->rows_per_block, a->cols};
	}
#define TOKENS(name)                                                                                                   \
	case GRETA_KERNEL_##name: return (struct work){.chunk = op->args.name.chunk};
	TOKENS(embed)
	TOKENS(rope_angles)
	TOKENS(rmsnorm)
	TOKENS(digits)
	TOKENS(rope)
	TOKENS(kv_write)
	TOKENS(attention)
	TOKENS(silu_mul)
	TOKENS(add)
	TOKENS(argmax)
	TOKENS(sample)
	TOKENS(advance)
	TOKENS(stamp)
#undef TOKENS
	default: return (struct work){0};
	}
}

static uint32_t blocks_of(uint64_t rows, uint32_t rows_per_block)
{
	return (uint32_t)((rows + rows_per_block - 1) / rows_per_block);
}

/* Heads that share a K/V head are best taken together, as their cache is read once; but all compute units want work. */
static uint32_t heads_per_block(const struct greta_target *target, const struct greta_form *form,
				const struct greta_attention_args *args, uint32_t token_blocks)
{
	uint32_t group = args->heads / args->kv_heads;
	for (uint32_t together = form->heads && form->heads < group ? form->heads : group; together > 1; together--)
		if (group % together == 0 && args->heads / together * token_blocks >= target->compute_units)
			return together;
	return 1;
}

static void lower_attention(const struct greta_target *target, const struct greta_form *form,
			    struct greta_attention_args *args, uint32_t grid[3])
{
	args->tokens_per_block = form->tokens;
	grid[1] = blocks_of(args->chunk, args->tokens_per_block);
	args->heads_per_block = heads_per_block(target, form, args, grid[1]);
	grid[0] = args->heads / args->heads_per_block;
	if (form->splits)
		grid[1] = greta_form_splits(form, args->heads, args->context);
}

static const struct greta_form *form_of(const struct greta_op *op, const struct greta_target *target,
					const struct work *work)
{
	return greta_target_form(target, (enum greta_kernel)op->kernel, work->chunk, work->types);
}

const struct greta_form *greta_op_form(const struct greta_op *op, const struct greta_target *target)
{
	struct greta_op copy = *op;
	struct work work = work_of(&copy);
	return form_of(op, target, &work);
}

static uint64_t self_digits_bytes(const struct greta_target *target, const struct work *work)
{
	return work->self_cols ? greta_target_self_digits_bytes(target, work->self_cols) : 0;
}

/* Of a block that has `digits` bytes of digits. */
static uint32_t rows_of_block(const struct greta_target *target, const struct greta_form *form, const struct work *work,
			      uint64_t digits)
{
	uint64_t taken = form->shared_bytes + digits;
	return greta_form_rows(form, work->rows[0] + work->rows[1] + work->rows[2],
			       taken < target->max_shared_bytes ? target->max_shared_bytes - taken : 0);
}

uint32_t greta_op_rows(const struct greta_op *op, const struct greta_target *target)
{
	struct greta_op copy = *op;
	struct work work = work_of(&copy);
	const struct greta_form *form = form_of(op, target, &work);
	return form && work.rows_per_block ? rows_of_block(target, form, &work, self_digits_bytes(target, &work)) : 0;
}

static uint32_t row_blocks(const struct greta_form *form, const struct work *work, uint32_t together)
{
	if (!form->apart)
		return blocks_of(work->rows[0] + work->rows[1] + work->rows[2], together);
	return blocks_of(work->rows[0], together) + blocks_of(work->rows[1], together) +
	       blocks_of(work->rows[2], together);
}

uint64_t greta_op_digits_room(const struct greta_op *op, const struct greta_target *target)
{
	struct greta_op copy = *op;
	struct work work = work_of(&copy);
	const struct greta_form *form = form_of(op, target, &work);
	uint64_t fixed = form ? form->shared_bytes : target->max_shared_bytes;
	if (form && work.rows_per_block)
		fixed += (uint64_t)rows_of_block(target, form, &work, 0) * form->row_bytes;
	return target->max_shared_bytes > fixed ? target->max_shared_bytes - fixed : 0;
}

static enum greta_status no_form(const struct greta_op *op, const struct greta_target *target, uint32_t types,
				 struct greta_error *error)
{
	char names[96] = "";
	for (uint32_t type = 0; type < GRETA_TARGET_TYPES; type++)
		if (types & GRETA_TYPE_SET(type) && greta_type_info(type))
			snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
				 *names ? ", " : " for weights in ", greta_type_info(type)->name);
	return greta_fail(error, GRETA_ERROR_UNSUPPORTED, "target %s has no kernel %s%s", target->name,
			  greta_kernel_info(op->kernel)->name, names);
}

enum greta_status greta_lower(struct greta_op *op, const struct greta_target *target, struct greta_lowered *out_lowered,
			      struct greta_error *error)
{
	struct work work = work_of(op);
	const struct greta_form *form = form_of(op, target, &work);
	if (!form)
		return no_form(op, target, work.types, error);
	struct greta_lowered lowered = {.symbol = form->symbol, .grid = {1, 1, 1}, .threads = form->threads};
	uint64_t digits = self_digits_bytes(target, &work), shared = form->shared_bytes + digits;
	if (work.rows_per_block) {
		*work.rows_per_block = rows_of_block(target, form, &work, digits);
		shared += (uint64_t)*work.rows_per_block * form->row_bytes;
		lowered.grid[0] = row_blocks(form, &work, *work.rows_per_block);
		if (form->tokens)
			lowered.grid[1] = blocks_of(work.chunk, form->tokens);
	} else if (op->kernel == GRETA_KERNEL_attention) {
		lower_attention(target, form, &op->args.attention, lowered.grid);
	} else if (op->kernel != GRETA_KERNEL_argmax && op->kernel != GRETA_KERNEL_sample &&
		   op->kernel != GRETA_KERNEL_advance && op->kernel != GRETA_KERNEL_stamp) {
		lowered.grid[0] = work.chunk; /* a block is a token */
	}
	if (shared > target->max_shared_bytes)
		return greta_fail(error, GRETA_ERROR_UNSUPPORTED,
				  "kernel %s needs %llu bytes of shared memory; a block of target %s has %llu",
				  greta_kernel_info(op->kernel)->name, (unsigned long long)shared, target->name,
				  (unsigned long long)target->max_shared_bytes);
	lowered.shared_bytes = (uint32_t)shared;
	*out_lowered = lowered;
	return GRETA_OK;
}
