#include "planner/weights.h"

#include "kernels/numbers.h"
#include "kernels/layout.h"
#include "runtime/plan.h"

#include <stdlib.h>

#define WEIGHT_ALIGNMENT 64
#define MODEL_ALIGNMENT 32 /* GGUF's default */

static uint64_t layout_bytes(uint32_t layout, const struct greta_gguf_tensor *tensor, uint32_t rows, uint32_t cols)
{
	if (layout == GRETA_LAYOUT_RAW)
		return tensor->bytes;
	return ((uint64_t)rows + 15) / 16 * greta_layout_group_bytes(layout, tensor->type->type, cols);
}

static void place(struct greta_weights *weights, struct greta_weight *weight)
{
	weight->offset = weights->region_bytes;
	weights->region_bytes += (weight->bytes + WEIGHT_ALIGNMENT - 1) / WEIGHT_ALIGNMENT * WEIGHT_ALIGNMENT;
}

static uint32_t add(struct greta_weights *weights, const struct greta_target *target,
		    const struct greta_gguf_tensor *tensor, bool product)
{
	uint32_t layout = product ? target->layouts[tensor->type->type] : GRETA_LAYOUT_RAW;
	for (size_t i = 0; i < weights->count; i++) {
		if (weights->items[i].tensor != tensor || weights->items[i].layout != layout)
			continue;
		weights->items[i].product |= product;
		return (uint32_t)i;
	}
	struct greta_weight *weight = &weights->items[weights->count];
	weight->tensor = tensor;
	weight->type = tensor->type->type;
	weight->layout = layout;
	weight->cols = (uint32_t)tensor->dims[0];
	weight->rows = (uint32_t)tensor->dims[1];
	weight->source = tensor->offset;
	weight->source_bytes = tensor->bytes;
	weight->bytes = layout_bytes(layout, tensor, weight->rows, weight->cols);
	weight->product = product;
	if (layout == GRETA_LAYOUT_RAW && target->model_in_place && tensor->offset % MODEL_ALIGNMENT == 0) {
		weight->region = GRETA_REGION_MODEL;
		weight->offset = tensor->offset;
	} else {
		weight->region = GRETA_REGION_WEIGHTS;
		place(weights, weight);
	}
	return (uint32_t)weights->count++;
}

/* frequency[i] = base^(-2i/d) (/ rope_freqs[i]), in fp64. */
static enum greta_status add_frequencies(struct greta_weights *weights, const struct greta_llama *model,
					 struct greta_error *error)
{
	uint32_t pairs = model->rope_dim / 2;
	weights->constants = malloc(pairs * sizeof(double));
	if (!weights->constants)
		return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory");
	weights->constants_bytes = pairs * sizeof(double);
	double log_base = greta_log((double)model->rope_base);
	for (uint32_t i = 0; i < pairs; i++) {
		double frequency = greta_exp(-2.0 * i / model->rope_dim * log_base);
		if (model->rope_freqs) {
			float divisor;
			memcpy(&divisor, (const uint8_t *)model->rope_freqs->data + (size_t)i * 4, sizeof(divisor));
			frequency /= (double)divisor;
		}
		if (!(frequency > 0 && frequency <= 1e4))
			return greta_fail(error, GRETA_ERROR_FORMAT, "%s: rotary frequency %u is %g",
					  greta_gguf_path(model->gguf), i, frequency);
		weights->constants[i] = frequency;
	}
	weights->frequencies = (uint32_t)weights->count;
	struct greta_weight *weight = &weights->items[weights->count++];
	weight->name = "rope frequencies";
	weight->region = GRETA_REGION_WEIGHTS;
	weight->bytes = weights->constants_bytes;
	weight->source_bytes = weights->constants_bytes;
	weight->rows = 1;
	weight->cols = pairs;
	place(weights, weight);
	return GRETA_OK;
}

enum greta_status greta_weights_init(struct greta_weights *weights, const struct greta_llama *model,
				     const struct greta_target *target, struct greta_error *error)
{
	*weights = (struct greta_weights){.room = (size_t)model->n_layer * 9 + 4};
	weights->items = calloc(weights->room, sizeof(*weights->items));
	weights->layers = calloc(model->n_layer, sizeof(*weights->layers));
	if (!weights->items || !weights->layers) {
		greta_weights_finish(weights);
		return greta_fail(error, GRETA_ERROR_MEMORY, "out of memory for %u layers", model->n_layer);
	}
	weights->token_embd = add(weights, target, model->token_embd, false);
	for (uint32_t l = 0; l < model->n_layer; l++) {
		const struct greta_llama_layer *layer = &model->layers[l];
		weights->layers[l] = (struct greta_layer_weights){
		    .attn_norm = add(weights, target, layer->attn_norm, false),
		    .attn_q = add(weights, target, layer->attn_q, true),
		    .attn_k = add(weights, target, layer->attn_k, true),
		    .attn_v = add(weights, target, layer->attn_v, true),
		    .attn_output = add(weights, target, layer->attn_output, true),
		    .ffn_norm = add(weights, target, layer->ffn_norm, false),
		    .ffn_gate = add(weights, target, layer->ffn_gate, true),
		    .ffn_up = add(weights, target, layer->ffn_up, true),
		    .ffn_down = add(weights, target, layer->ffn_down, true),
		};
	}
	weights->output_norm = add(weights, target, model->output_norm, false);
	weights->output = add(weights, target, model->output, true);
	enum greta_status status = add_frequencies(weights, model, error);
	if (status != GRETA_OK)
		greta_weights_finish(weights);
	return status;
}

void greta_weights_finish(struct greta_weights *weights)
{
	free(weights->items);
	free(weights->layers);
	free(weights->constants);
	*weights = (struct greta_weights){0};
}

uint64_t greta_weights_step_bytes(const struct greta_weights *weights)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < weights->count; i++) {
		const struct greta_weight *weight = &weights->items[i];
		if (i != weights->token_embd || weight->product)
			bytes += weight->bytes;
	}
	const struct greta_weight *table = &weights->items[weights->token_embd];
	return bytes + table->bytes / table->rows;
}
