#include "planner/lower.h"

static uint32_t blocks_of(uint64_t rows, uint32_t rows_per_block)
{
	return (uint32_t)((rows + rows_per_block - 1) / rows_per_block);
}

/* Heads that share a K/V head are best taken together, as their cache is read once; but all compute units want work. */
static uint32_t heads_per_block(const struct greta_target *target, const struct greta_attention_args *args, uint32_t token_blocks)
{
	uint32_t group = args->heads / args->kv_heads;
	for (uint32_t together = group; together > 1; together--)
		if (group % together == 0 && args->heads / together * token_blocks >= target->compute_units)
			return together;
	return 1;
}

static uint32_t lower_attention(const struct greta_target *target, struct greta_attention_args *args, struct greta_grid *grid)
{
	args->tokens_per_block = args->chunk < target->attention_tokens ? args->chunk : target->attention_tokens;
	grid->y = blocks_of(args->chunk, args->tokens_per_block);
	args->heads_per_block = heads_per_block(target, args, grid->y);
	grid->x = args->heads / args->heads_per_block;
	return target->work_bytes;
}

/* Shared bytes of a product, which makes the digits of its `cols` values itself unless they are given. */
static uint64_t product_bytes(const struct greta_target *target, struct greta_ref digits, uint32_t cols)
{
	return digits.kind == GRETA_REF_NULL ? greta_target_self_digits_bytes(target, cols) : target->work_bytes;
}

enum greta_status greta_lower(struct greta_op *op, const struct greta_target *target, struct greta_grid *out_grid,
			      uint32_t *out_shared_bytes, struct greta_error *error)
{
	const char *name = greta_kernel_info(op->kernel)->name;
	struct greta_grid grid = {1, 1, 1};
	uint64_t shared = target->work_bytes;
	switch (op->kernel) {
	case GRETA_KERNEL_embed: grid.x = op->args.embed.chunk; break;
	case GRETA_KERNEL_rope_angles: grid.x = op->args.rope_angles.chunk; break;
	case GRETA_KERNEL_rmsnorm: grid.x = op->args.rmsnorm.chunk; break;
	case GRETA_KERNEL_digits: grid.x = op->args.digits.chunk; break;
	case GRETA_KERNEL_rope: grid.x = op->args.rope.chunk; break;
	case GRETA_KERNEL_kv_write: grid.x = op->args.kv_write.chunk; break;
	case GRETA_KERNEL_silu_mul: grid.x = op->args.silu_mul.chunk; break;
	case GRETA_KERNEL_add: grid.x = op->args.add.chunk; break;
	case GRETA_KERNEL_attention: shared = lower_attention(target, &op->args.attention, &grid); break;
	case GRETA_KERNEL_product:
		op->args.product.rows_per_block = target->product_rows;
		grid.x = blocks_of(op->args.product.rows, target->product_rows);
		shared = product_bytes(target, op->refs[GRETA_REF(product, digits)], op->args.product.cols);
		break;
	case GRETA_KERNEL_qkv:
		op->args.qkv.rows_per_block = target->product_rows;
		grid.x = blocks_of((op->args.qkv.heads + 2 * (uint64_t)op->args.qkv.kv_heads) * op->args.qkv.head_dim,
				   target->product_rows);
		shared = product_bytes(target, op->refs[GRETA_REF(qkv, digits)], op->args.qkv.cols);
		break;
	case GRETA_KERNEL_gate_up:
		op->args.gate_up.rows_per_block = target->product_rows;
		grid.x = blocks_of(op->args.gate_up.rows, target->product_rows);
		shared = product_bytes(target, op->refs[GRETA_REF(gate_up, digits)], op->args.gate_up.cols);
		break;
	case GRETA_KERNEL_lm_head:
		op->args.lm_head.rows_per_block = target->lm_head_rows;
		grid.x = blocks_of(op->args.lm_head.rows, target->lm_head_rows);
		shared = greta_target_self_digits_bytes(target, op->args.lm_head.cols);
		break;
	default: break; /* one block: argmax, sample, advance */
	}
	if (!target->symbols[op->kernel])
		return greta_fail(error, GRETA_ERROR_UNSUPPORTED, "target %s has no kernel %s", target->name, name);
	if (shared > target->max_shared_bytes)
		return greta_fail(error, GRETA_ERROR_UNSUPPORTED,
				  "kernel %s needs %llu bytes of shared memory; a block of target %s has %llu", name,
				  (unsigned long long)shared, target->name, (unsigned long long)target->max_shared_bytes);
	*out_grid = grid;
	*out_shared_bytes = (uint32_t)shared;
	return GRETA_OK;
}
