#include "planner/fuse.h"

#include "planner/lower.h"

static bool null(struct greta_ref ref) { return ref.kind == GRETA_REF_NULL; }

/* The operation after `at` that touches ref next; op_count if there is none. */
static uint32_t next_touch(const struct greta_graph *graph, uint32_t at, struct greta_ref ref)
{
	for (at++; at < graph->op_count; at++)
		if (greta_op_reads(&graph->ops[at], ref) || greta_op_writes(&graph->ops[at], ref))
			break;
	return at;
}

/* The only operation after `at` that touches ref, if it is of `kernel`; op_count if not so. */
static uint32_t only_touch(const struct greta_graph *graph, uint32_t at, struct greta_ref ref, enum greta_kernel kernel)
{
	uint32_t next = next_touch(graph, at, ref);
	if (next == graph->op_count || graph->ops[next].kernel != kernel)
		return graph->op_count;
	return next_touch(graph, next, ref) == graph->op_count ? next : graph->op_count;
}

static bool is(const struct greta_graph *graph, uint32_t at, enum greta_kernel kernel)
{
	return at < graph->op_count && graph->ops[at].kernel == kernel;
}

/* ---- The patterns: each looks at operation `at` and returns whether it rewrote something ---- */

/* embed, rope_angles -> embed */
static bool fuse_embed(struct greta_graph *graph, uint32_t at)
{
	struct greta_op *op = &graph->ops[at];
	if (op->kernel != GRETA_KERNEL_embed || !is(graph, at + 1, GRETA_KERNEL_rope_angles))
		return false;
	const struct greta_op *angles = &graph->ops[at + 1];
	op->refs[GRETA_REF(embed, frequencies)] = angles->refs[GRETA_REF(rope_angles, frequencies)];
	op->refs[GRETA_REF(embed, rope)] = angles->refs[GRETA_REF(rope_angles, rope)];
	greta_graph_remove(graph, at + 1);
	return true;
}

/* Is operation b a product of the same plain vector as product a? */
static bool same_input(const struct greta_op *a, const struct greta_op *b)
{
	return greta_ref_equal(a->refs[GRETA_REF(product, x)], b->refs[GRETA_REF(product, x)]) &&
	       a->args.product.cols == b->args.product.cols && null(b->refs[GRETA_REF(product, residual)]) &&
	       null(b->refs[GRETA_REF(product, norm)]);
}

/* product q, product k, product v, rope q, rope k, kv_write -> qkv */
static bool fuse_qkv(struct greta_graph *graph, uint32_t at, const struct greta_target *target)
{
	static const enum greta_kernel chain[] = {GRETA_KERNEL_product, GRETA_KERNEL_product, GRETA_KERNEL_product,
						  GRETA_KERNEL_rope, GRETA_KERNEL_rope, GRETA_KERNEL_kv_write};
	for (uint32_t i = 0; i < 6; i++)
		if (!is(graph, at + i, chain[i]))
			return false;
	const struct greta_op *q = &graph->ops[at], *k = q + 1, *v = q + 2, *rope_q = q + 3, *rope_k = q + 4, *write = q + 5;
	struct greta_ref out_q = q->refs[GRETA_REF(product, y)];
	struct greta_ref out_k = k->refs[GRETA_REF(product, y)];
	struct greta_ref out_v = v->refs[GRETA_REF(product, y)];
	bool fits = same_input(q, q) && same_input(q, k) && same_input(q, v) &&
		    greta_ref_equal(rope_q->refs[GRETA_REF(rope, x)], out_q) &&
		    greta_ref_equal(rope_k->refs[GRETA_REF(rope, x)], out_k) &&
		    greta_ref_equal(write->refs[GRETA_REF(kv_write, k)], out_k) &&
		    greta_ref_equal(write->refs[GRETA_REF(kv_write, v)], out_v) &&
		    next_touch(graph, at + 5, out_k) == graph->op_count &&
		    next_touch(graph, at + 5, out_v) == graph->op_count;
	if (!fits)
		return false;

	struct greta_op op = {.kernel = GRETA_KERNEL_qkv, .layer = q->layer, .logic_block = q->logic_block};
	op.refs[GRETA_REF(qkv, q_weights)] = q->refs[GRETA_REF(product, weights)];
	op.refs[GRETA_REF(qkv, k_weights)] = k->refs[GRETA_REF(product, weights)];
	op.refs[GRETA_REF(qkv, v_weights)] = v->refs[GRETA_REF(product, weights)];
	op.refs[GRETA_REF(qkv, x)] = q->refs[GRETA_REF(product, x)];
	op.refs[GRETA_REF(qkv, rope)] = rope_q->refs[GRETA_REF(rope, rope)];
	op.refs[GRETA_REF(qkv, state)] = q->refs[GRETA_REF(product, state)];
	op.refs[GRETA_REF(qkv, q)] = out_q;
	op.refs[GRETA_REF(qkv, k_cache)] = write->refs[GRETA_REF(kv_write, k_cache)];
	op.refs[GRETA_REF(qkv, v_cache)] = write->refs[GRETA_REF(kv_write, v_cache)];
	op.args.qkv = (struct greta_qkv_args){
	    .q_type = q->args.product.type, .k_type = k->args.product.type, .v_type = v->args.product.type,
	    .q_layout = q->args.product.layout, .k_layout = k->args.product.layout, .v_layout = v->args.product.layout,
	    .q_exponent = q->args.product.exponent, .k_exponent = k->args.product.exponent,
	    .v_exponent = v->args.product.exponent,
	    .heads = rope_q->args.rope.heads, .kv_heads = rope_k->args.rope.heads,
	    .head_dim = rope_q->args.rope.head_dim, .cols = q->args.product.cols,
	    .kv_type = write->args.kv_write.kv_type, .context = write->args.kv_write.context,
	    .activations = q->args.product.activations, .chunk = graph->chunk,
	};
	if (!greta_op_form(&op, target))
		return false;
	graph->ops[at] = op;
	for (uint32_t i = 0; i < 5; i++)
		greta_graph_remove(graph, at + 1);
	return true;
}

/* product gate, product up, silu_mul -> gate_up */
static bool fuse_gate_up(struct greta_graph *graph, uint32_t at, const struct greta_target *target)
{
	if (!is(graph, at, GRETA_KERNEL_product) || !is(graph, at + 1, GRETA_KERNEL_product) ||
	    !is(graph, at + 2, GRETA_KERNEL_silu_mul))
		return false;
	const struct greta_op *gate = &graph->ops[at], *up = gate + 1, *silu = gate + 2;
	struct greta_ref out_gate = gate->refs[GRETA_REF(product, y)];
	struct greta_ref out_up = up->refs[GRETA_REF(product, y)];
	bool fits = same_input(gate, gate) && same_input(gate, up) &&
		    gate->args.product.rows == up->args.product.rows &&
		    greta_ref_equal(silu->refs[GRETA_REF(silu_mul, gate)], out_gate) &&
		    greta_ref_equal(silu->refs[GRETA_REF(silu_mul, up)], out_up) &&
		    next_touch(graph, at + 2, out_gate) == graph->op_count &&
		    next_touch(graph, at + 2, out_up) == graph->op_count;
	if (!fits)
		return false;

	struct greta_op op = {.kernel = GRETA_KERNEL_gate_up, .layer = gate->layer, .logic_block = gate->logic_block};
	op.refs[GRETA_REF(gate_up, gate_weights)] = gate->refs[GRETA_REF(product, weights)];
	op.refs[GRETA_REF(gate_up, up_weights)] = up->refs[GRETA_REF(product, weights)];
	op.refs[GRETA_REF(gate_up, x)] = gate->refs[GRETA_REF(product, x)];
	op.refs[GRETA_REF(gate_up, state)] = gate->refs[GRETA_REF(product, state)];
	op.refs[GRETA_REF(gate_up, h)] = silu->refs[GRETA_REF(silu_mul, y)];
	op.args.gate_up = (struct greta_gate_up_args){
	    .gate_type = gate->args.product.type, .up_type = up->args.product.type,
	    .gate_layout = gate->args.product.layout, .up_layout = up->args.product.layout,
	    .gate_exponent = gate->args.product.exponent, .up_exponent = up->args.product.exponent,
	    .rows = gate->args.product.rows, .cols = gate->args.product.cols,
	    .activations = gate->args.product.activations, .chunk = graph->chunk,
	};
	if (!greta_op_form(&op, target))
		return false;
	graph->ops[at] = op;
	greta_graph_remove(graph, at + 1);
	greta_graph_remove(graph, at + 1);
	return true;
}

/* product, add -> product with a residual. Its input must not be what the sum overwrites. */
static bool fuse_residual(struct greta_graph *graph, uint32_t at)
{
	struct greta_op *op = &graph->ops[at];
	if (op->kernel != GRETA_KERNEL_product || !null(op->refs[GRETA_REF(product, residual)]) ||
	    !is(graph, at + 1, GRETA_KERNEL_add))
		return false;
	const struct greta_op *add = &graph->ops[at + 1];
	struct greta_ref y = op->refs[GRETA_REF(product, y)];
	if (!greta_ref_equal(add->refs[GRETA_REF(add, b)], y) || greta_op_reads(op, add->refs[GRETA_REF(add, y)]) ||
	    only_touch(graph, at, y, GRETA_KERNEL_add) != at + 1)
		return false;
	op->refs[GRETA_REF(product, residual)] = add->refs[GRETA_REF(add, a)];
	op->refs[GRETA_REF(product, y)] = add->refs[GRETA_REF(add, y)];
	greta_graph_remove(graph, at + 1);
	return true;
}

/* Where kernels that can do a norm keep its pieces. */
static bool norm_slots(struct greta_op *op, struct greta_ref **out_x, struct greta_ref **out_norm, float **out_eps)
{
	switch (op->kernel) {
#define SLOTS(name)                                                                                                    \
	case GRETA_KERNEL_##name:                                                                                      \
		*out_x = &op->refs[GRETA_REF(name, x)];                                                                \
		*out_norm = &op->refs[GRETA_REF(name, norm)];                                                          \
		*out_eps = &op->args.name.eps;                                                                         \
		return true;
	SLOTS(product)
	SLOTS(qkv)
	SLOTS(gate_up)
	SLOTS(lm_head)
#undef SLOTS
	default:
		return false;
	}
}

/* rmsnorm, its only reader right behind it -> that reader with the norm inside */
static bool fuse_norm(struct greta_graph *graph, uint32_t at)
{
	struct greta_ref *x, *norm;
	float *eps;
	if (!is(graph, at, GRETA_KERNEL_rmsnorm) || at + 1 >= graph->op_count ||
	    !norm_slots(&graph->ops[at + 1], &x, &norm, &eps))
		return false;
	const struct greta_op *op = &graph->ops[at];
	struct greta_ref y = op->refs[GRETA_REF(rmsnorm, y)];
	if (!greta_ref_equal(*x, y) || !null(*norm) || greta_op_writes(op + 1, op->refs[GRETA_REF(rmsnorm, x)]) ||
	    next_touch(graph, at + 1, y) != graph->op_count)
		return false;
	*x = op->refs[GRETA_REF(rmsnorm, x)];
	*norm = op->refs[GRETA_REF(rmsnorm, weight)];
	*eps = op->args.rmsnorm.eps;
	greta_graph_remove(graph, at);
	return true;
}

/* lm_head, argmax -> lm_head that keeps each block's best */
static bool fuse_argmax(struct greta_graph *graph, uint32_t at, const struct greta_target *target)
{
	if (!is(graph, at, GRETA_KERNEL_lm_head) || !is(graph, at + 1, GRETA_KERNEL_argmax) ||
	    !is(graph, at + 2, GRETA_KERNEL_sample))
		return false;
	struct greta_op *head = &graph->ops[at], *argmax = head + 1, *sample = head + 2;
	struct greta_ref best = argmax->refs[GRETA_REF(argmax, best)];
	if (!greta_ref_equal(sample->refs[GRETA_REF(sample, best)], best))
		return false;
	uint32_t rows = head->args.lm_head.rows, together = greta_op_rows(head, target);
	if (!together)
		return false;
	uint32_t blocks = (rows + together - 1) / together;
	head->refs[GRETA_REF(lm_head, best)] = best;
	sample->args.sample.best_count = blocks;
	graph->values[best.index].bytes = (uint64_t)blocks * 8;
	greta_graph_remove(graph, at + 1);
	return true;
}

/* sample, advance -> sample that advances */
static bool fuse_advance(struct greta_graph *graph, uint32_t at)
{
	if (!is(graph, at, GRETA_KERNEL_sample) || !is(graph, at + 1, GRETA_KERNEL_advance))
		return false;
	graph->ops[at].args.sample.advance = 1;
	greta_graph_remove(graph, at + 1);
	return true;
}

void greta_fuse(struct greta_graph *graph, const struct greta_target *target)
{
	for (uint32_t at = 0; at < graph->op_count; at++) {
		while (fuse_qkv(graph, at, target) || fuse_gate_up(graph, at, target) || fuse_embed(graph, at) ||
		       fuse_residual(graph, at) || fuse_argmax(graph, at, target) || fuse_advance(graph, at))
			;
	}
	/* Only now is a norm before the one operation that reads it. */
	for (uint32_t at = 0; at < graph->op_count; at++)
		fuse_norm(graph, at);
}

/* ---- Digits ---- */

struct digits_slots {
	struct greta_ref *x, *norm, *digits;
	float *eps;
	uint32_t cols, activations;
};

static bool digits_slots(struct greta_op *op, struct digits_slots *out)
{
	switch (op->kernel) {
#define SLOTS(name)                                                                                                    \
	case GRETA_KERNEL_##name:                                                                                      \
		*out = (struct digits_slots){&op->refs[GRETA_REF(name, x)],     &op->refs[GRETA_REF(name, norm)],      \
					     &op->refs[GRETA_REF(name, digits)], &op->args.name.eps,                   \
					     op->args.name.cols,                 op->args.name.activations};           \
		return true;
	SLOTS(product)
	SLOTS(qkv)
	SLOTS(gate_up)
#undef SLOTS
	default:
		return false;
	}
}

enum greta_status greta_fuse_digits(struct greta_graph *graph, const struct greta_target *target,
				    struct greta_error *error)
{
	for (uint32_t at = 0; at < graph->op_count; at++) {
		struct digits_slots first;
		if (!digits_slots(&graph->ops[at], &first) || !null(*first.digits) ||
		    !greta_target_wants_digits_node(target, graph->chunk, first.cols,
						    greta_op_digits_room(&graph->ops[at], target)))
			continue;
		struct greta_ref x = *first.x, norm = *first.norm;
		struct greta_op op = {
		    .kernel = GRETA_KERNEL_digits,
		    .layer = graph->ops[at].layer,
		    .logic_block = graph->ops[at].logic_block,
		    .args.digits = {.cols = first.cols, .chunk = graph->chunk, .activations = first.activations,
				    .eps = *first.eps},
		};
		struct greta_ref digits =
		    greta_graph_value(graph, "digits", op.layer,
				      (uint64_t)graph->chunk * (first.cols / 256) * target->digits_block_bytes);
		op.refs[GRETA_REF(digits, x)] = x;
		op.refs[GRETA_REF(digits, norm)] = norm;
		op.refs[GRETA_REF(digits, state)] = (struct greta_ref){GRETA_REF_FIXED, GRETA_FIXED_STATE};
		op.refs[GRETA_REF(digits, digits)] = digits;
		greta_graph_insert(graph, at, &op);
		if (graph->failed)
			return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory");
		/* Everybody who takes the same vector, until it is written again. */
		for (uint32_t i = at + 1; i < graph->op_count; i++) {
			struct digits_slots other;
			if (digits_slots(&graph->ops[i], &other) && null(*other.digits) &&
			    greta_ref_equal(*other.x, x) && greta_ref_equal(*other.norm, norm)) {
				*other.digits = digits;
				*other.x = *other.norm = (struct greta_ref){GRETA_REF_NULL, 0};
				*other.eps = 0;
			}
			if (greta_op_writes(&graph->ops[i], x))
				break;
		}
	}
	return GRETA_OK;
}

/* ---- Attention over a split context ---- */

/* Of each head and chunk of the context: its values, their weight and the largest score, in fp32. */
static uint64_t parts_bytes(const struct greta_attention_args *args)
{
	uint64_t chunks = ((uint64_t)args->context + GRETA_ATTENTION_CHUNK - 1) / GRETA_ATTENTION_CHUNK;
	return args->heads * chunks * ((uint64_t)args->head_dim + 2) * 4;
}

enum greta_status greta_fuse_splits(struct greta_graph *graph, const struct greta_target *target, uint32_t counters,
				    struct greta_error *error)
{
	for (uint32_t at = 0; at < graph->op_count; at++) {
		const struct greta_form *form = greta_op_form(&graph->ops[at], target);
		if (graph->ops[at].kernel != GRETA_KERNEL_attention || !form || !form->splits)
			continue;
		const struct greta_attention_args *args = &graph->ops[at].args.attention;
		graph->ops[at].refs[GRETA_REF(attention, counters)] = (struct greta_ref){GRETA_REF_FIXED, counters};
		if (greta_form_splits(form, args->heads, args->context) == 1)
			continue;
		struct greta_ref parts = greta_graph_value(graph, "parts", graph->ops[at].layer, parts_bytes(args));
		if (graph->failed)
			return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory");
		graph->ops[at].refs[GRETA_REF(attention, scratch)] = parts;
	}
	return GRETA_OK;
}
