#include "planner/schedule.h"

#include "runtime/plan.h"

struct builder {
	const struct greta_llama *model;
	const struct greta_weights *weights;
	const struct greta_schedule_options *options;
	struct greta_graph *graph;
	uint32_t layer, block; /* of what is added next */
	struct greta_ref x;    /* [chunk][n_embd]: the residual stream, as it is now */
	struct greta_ref rope; /* [chunk][head_dim / 2][2] */
};

static struct greta_ref tensor(uint32_t index) { return (struct greta_ref){GRETA_REF_TENSOR, index}; }

static struct greta_ref fixed(uint32_t index) { return (struct greta_ref){GRETA_REF_FIXED, index}; }

/* A new value [chunk][cols] of fp32. */
static struct greta_ref rows_of(struct builder *b, const char *name, uint32_t cols)
{
	return greta_graph_value(b->graph, name, b->layer, (uint64_t)b->options->chunk * cols * 4);
}

static struct greta_op start(const struct builder *b, enum greta_kernel kernel)
{
	return (struct greta_op){.kernel = kernel, .layer = b->layer, .logic_block = b->block};
}

static void embed(struct builder *b)
{
	const struct greta_weight *table = &b->weights->items[b->weights->token_embd];
	struct greta_op op = start(b, GRETA_KERNEL_embed);
	op.refs[GRETA_REF(embed, table)] = tensor(b->weights->token_embd);
	op.refs[GRETA_REF(embed, tokens)] = fixed(GRETA_FIXED_TOKENS);
	op.refs[GRETA_REF(embed, state)] = fixed(GRETA_FIXED_STATE);
	op.refs[GRETA_REF(embed, x)] = b->x = rows_of(b, "x", table->cols);
	op.args.embed.type = table->type;
	op.args.embed.vocab = table->rows;
	op.args.embed.cols = table->cols;
	op.args.embed.chunk = b->options->chunk;
	op.args.embed.pairs = b->model->head_dim / 2;
	op.args.embed.row_bytes = (uint32_t)(table->source_bytes / table->rows);
	greta_graph_append(b->graph, &op);
}

static void rope_angles(struct builder *b)
{
	struct greta_op op = start(b, GRETA_KERNEL_rope_angles);
	op.refs[GRETA_REF(rope_angles, frequencies)] = tensor(b->weights->frequencies);
	op.refs[GRETA_REF(rope_angles, state)] = fixed(GRETA_FIXED_STATE);
	op.refs[GRETA_REF(rope_angles, rope)] = b->rope = rows_of(b, "rope", b->model->head_dim);
	op.args.rope_angles.pairs = b->model->head_dim / 2;
	op.args.rope_angles.chunk = b->options->chunk;
	greta_graph_append(b->graph, &op);
}

static struct greta_ref rmsnorm(struct builder *b, const char *name, uint32_t weight, struct greta_ref x)
{
	uint32_t cols = b->model->n_embd;
	struct greta_ref y = rows_of(b, name, cols);
	struct greta_op op = start(b, GRETA_KERNEL_rmsnorm);
	op.refs[GRETA_REF(rmsnorm, x)] = x;
	op.refs[GRETA_REF(rmsnorm, weight)] = tensor(weight);
	op.refs[GRETA_REF(rmsnorm, state)] = fixed(GRETA_FIXED_STATE);
	op.refs[GRETA_REF(rmsnorm, y)] = y;
	op.args.rmsnorm.cols = cols;
	op.args.rmsnorm.chunk = b->options->chunk;
	op.args.rmsnorm.eps = b->model->rms_eps;
	greta_graph_append(b->graph, &op);
	return y;
}

static struct greta_ref product(struct builder *b, const char *name, uint32_t weight, struct greta_ref x)
{
	const struct greta_weight *w = &b->weights->items[weight];
	struct greta_ref y = rows_of(b, name, w->rows);
	struct greta_op op = start(b, GRETA_KERNEL_product);
	op.refs[GRETA_REF(product, weights)] = tensor(weight);
	op.refs[GRETA_REF(product, x)] = x;
	op.refs[GRETA_REF(product, state)] = fixed(GRETA_FIXED_STATE);
	op.refs[GRETA_REF(product, y)] = y;
	op.args.product.rows = w->rows;
	op.args.product.cols = w->cols;
	op.args.product.type = w->type;
	op.args.product.layout = w->layout;
	op.args.product.exponent = w->exponent;
	op.args.product.activations = b->options->activations;
	op.args.product.chunk = b->options->chunk;
	greta_graph_append(b->graph, &op);
	return y;
}

static void rope(struct builder *b, struct greta_ref x, uint32_t heads)
{
	struct greta_op op = start(b, GRETA_KERNEL_rope);
	op.refs[GRETA_REF(rope, rope)] = b->rope;
	op.refs[GRETA_REF(rope, state)] = fixed(GRETA_FIXED_STATE);
	op.refs[GRETA_REF(rope, x)] = x;
	op.args.rope.heads = heads;
	op.args.rope.head_dim = b->model->head_dim;
	op.args.rope.chunk = b->options->chunk;
	greta_graph_append(b->graph, &op);
}

static void kv_write(struct builder *b, struct greta_ref k, struct greta_ref v)
{
	struct greta_op op = start(b, GRETA_KERNEL_kv_write);
	op.refs[GRETA_REF(kv_write, k)] = k;
	op.refs[GRETA_REF(kv_write, v)] = v;
	op.refs[GRETA_REF(kv_write, state)] = fixed(GRETA_FIXED_STATE);
	op.refs[GRETA_REF(kv_write, k_cache)] = fixed(GRETA_FIXED_K(b->layer));
	op.refs[GRETA_REF(kv_write, v_cache)] = fixed(GRETA_FIXED_V(b->layer));
	op.args.kv_write.kv_heads = b->model->n_head_kv;
	op.args.kv_write.head_dim = b->model->head_dim;
	op.args.kv_write.kv_type = b->options->kv_type;
	op.args.kv_write.context = b->options->context;
	op.args.kv_write.chunk = b->options->chunk;
	greta_graph_append(b->graph, &op);
}

static struct greta_ref attention(struct builder *b, struct greta_ref q)
{
	struct greta_ref out = rows_of(b, "attention", b->model->n_head * b->model->head_dim);
	struct greta_op op = start(b, GRETA_KERNEL_attention);
	op.refs[GRETA_REF(attention, q)] = q;
	op.refs[GRETA_REF(attention, k_cache)] = fixed(GRETA_FIXED_K(b->layer));
	op.refs[GRETA_REF(attention, v_cache)] = fixed(GRETA_FIXED_V(b->layer));
	op.refs[GRETA_REF(attention, state)] = fixed(GRETA_FIXED_STATE);
	op.refs[GRETA_REF(attention, out)] = out;
	op.args.attention.heads = b->model->n_head;
	op.args.attention.kv_heads = b->model->n_head_kv;
	op.args.attention.head_dim = b->model->head_dim;
	op.args.attention.kv_type = b->options->kv_type;
	op.args.attention.context = b->options->context;
	op.args.attention.chunk = b->options->chunk;
	op.args.attention.scale = 1.0f / __builtin_sqrtf((float)b->model->head_dim);
	greta_graph_append(b->graph, &op);
	return out;
}

/* x += y: in place, or, where all is kept, into a value named `kept`. */
static void add_to_x(struct builder *b, const char *kept, struct greta_ref y)
{
	struct greta_op op = start(b, GRETA_KERNEL_add);
	op.refs[GRETA_REF(add, a)] = b->x;
	op.refs[GRETA_REF(add, b)] = y;
	op.refs[GRETA_REF(add, state)] = fixed(GRETA_FIXED_STATE);
	if (b->options->keep_all)
		b->x = rows_of(b, kept, b->model->n_embd);
	op.refs[GRETA_REF(add, y)] = b->x;
	op.args.add.cols = b->model->n_embd;
	op.args.add.chunk = b->options->chunk;
	greta_graph_append(b->graph, &op);
}

static struct greta_ref silu_mul(struct builder *b, struct greta_ref gate, struct greta_ref up)
{
	struct greta_ref y = rows_of(b, "h", b->model->n_ff);
	struct greta_op op = start(b, GRETA_KERNEL_silu_mul);
	op.refs[GRETA_REF(silu_mul, gate)] = gate;
	op.refs[GRETA_REF(silu_mul, up)] = up;
	op.refs[GRETA_REF(silu_mul, state)] = fixed(GRETA_FIXED_STATE);
	op.refs[GRETA_REF(silu_mul, y)] = y;
	op.args.silu_mul.cols = b->model->n_ff;
	op.args.silu_mul.chunk = b->options->chunk;
	greta_graph_append(b->graph, &op);
	return y;
}

static void layer(struct builder *b, uint32_t index)
{
	const struct greta_layer_weights *w = &b->weights->layers[index];
	b->layer = index;

	b->block = GRETA_BLOCK_qkv;
	struct greta_ref norm = rmsnorm(b, "attn_norm", w->attn_norm, b->x);
	struct greta_ref q = product(b, "q", w->attn_q, norm);
	struct greta_ref k = product(b, "k", w->attn_k, norm);
	struct greta_ref v = product(b, "v", w->attn_v, norm);
	rope(b, q, b->model->n_head);
	rope(b, k, b->model->n_head_kv);

	b->block = GRETA_BLOCK_attention;
	kv_write(b, k, v);
	struct greta_ref mixed = attention(b, q);

	b->block = GRETA_BLOCK_output;
	add_to_x(b, "x_output", product(b, "output", w->attn_output, mixed));

	b->block = GRETA_BLOCK_ffn;
	norm = rmsnorm(b, "ffn_norm", w->ffn_norm, b->x);
	struct greta_ref gate = product(b, "gate", w->ffn_gate, norm);
	struct greta_ref up = product(b, "up", w->ffn_up, norm);
	add_to_x(b, "x_ffn", product(b, "down", w->ffn_down, silu_mul(b, gate, up)));
}

static void lm_head(struct builder *b)
{
	const struct greta_weight *w = &b->weights->items[b->weights->output];
	b->block = GRETA_BLOCK_lm_head;
	struct greta_ref norm = rmsnorm(b, "output_norm", b->weights->output_norm, b->x);
	struct greta_op op = start(b, GRETA_KERNEL_lm_head);
	op.refs[GRETA_REF(lm_head, weights)] = tensor(b->weights->output);
	op.refs[GRETA_REF(lm_head, x)] = norm;
	op.refs[GRETA_REF(lm_head, state)] = fixed(GRETA_FIXED_STATE);
	op.refs[GRETA_REF(lm_head, logits)] = fixed(GRETA_FIXED_LOGITS);
	op.args.lm_head.rows = w->rows;
	op.args.lm_head.cols = w->cols;
	op.args.lm_head.type = w->type;
	op.args.lm_head.layout = w->layout;
	op.args.lm_head.exponent = w->exponent;
	op.args.lm_head.activations = b->options->activations;
	op.args.lm_head.chunk = b->options->chunk;
	greta_graph_append(b->graph, &op);
}

static void sample(struct builder *b)
{
	uint32_t vocab = b->model->n_vocab;
	b->block = GRETA_BLOCK_sample;
	struct greta_ref best = greta_graph_value(b->graph, "best", b->layer, sizeof(uint64_t));
	struct greta_op argmax = start(b, GRETA_KERNEL_argmax);
	argmax.refs[GRETA_REF(argmax, logits)] = fixed(GRETA_FIXED_LOGITS);
	argmax.refs[GRETA_REF(argmax, state)] = fixed(GRETA_FIXED_STATE);
	argmax.refs[GRETA_REF(argmax, best)] = best;
	argmax.args.argmax.vocab = vocab;
	argmax.args.argmax.chunk = b->options->chunk;
	greta_graph_append(b->graph, &argmax);

	struct greta_op op = start(b, GRETA_KERNEL_sample);
	op.refs[GRETA_REF(sample, logits)] = fixed(GRETA_FIXED_LOGITS);
	op.refs[GRETA_REF(sample, best)] = best;
	op.refs[GRETA_REF(sample, state)] = fixed(GRETA_FIXED_STATE);
	op.refs[GRETA_REF(sample, tokens)] = fixed(GRETA_FIXED_TOKENS);
	op.refs[GRETA_REF(sample, ring)] = fixed(GRETA_FIXED_RING);
	op.refs[GRETA_REF(sample, scratch)] = greta_graph_value(b->graph, "sampler", b->layer, (uint64_t)vocab * 8);
	op.args.sample.vocab = vocab;
	op.args.sample.best_count = 1;
	op.args.sample.chunk = b->options->chunk;
	greta_graph_append(b->graph, &op);

	struct greta_op advance = start(b, GRETA_KERNEL_advance);
	advance.refs[GRETA_REF(advance, state)] = fixed(GRETA_FIXED_STATE);
	advance.args.advance.chunk = b->options->chunk;
	greta_graph_append(b->graph, &advance);
}

enum greta_status greta_schedule(const struct greta_llama *model, const struct greta_weights *weights,
				 const struct greta_schedule_options *options, struct greta_graph *out_graph,
				 struct greta_error *error)
{
	struct greta_graph graph = {.chunk = options->chunk};
	struct builder builder = {
	    .model = model,
	    .weights = weights,
	    .options = options,
	    .graph = &graph,
	    .layer = GRETA_PLAN_NONE,
	    .block = GRETA_BLOCK_embed,
	};
	embed(&builder);
	rope_angles(&builder);
	for (uint32_t l = 0; l < model->n_layer; l++)
		layer(&builder, l);
	builder.layer = GRETA_PLAN_NONE;
	lm_head(&builder);
	sample(&builder);
	if (graph.failed) {
		greta_graph_finish(&graph);
		return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory for %u layers", model->n_layer);
	}
	*out_graph = graph;
	return GRETA_OK;
}
