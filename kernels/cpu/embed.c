/* embed: one row of the table a token.
 * The reference's decoder serves every form: a row is a few thousand values a step. */
#include "kernels/cpu/forms.h"
#include "kernels/ref/dequant.h"

#include <string.h>

void GRETA_CPU_NAME(embed)(const struct greta_cpu_block *block, const void *args)
{
	const struct greta_embed_args *a = args;
	if (block->x >= greta_step_tokens(a->state, a->chunk))
		return;
	uint32_t token = a->tokens[a->state->position + block->x];
	float *x = a->x + (size_t)block->x * a->cols;
	if (token < a->vocab)
		greta_ref_dequantise(a->type, (const uint8_t *)a->table + (size_t)token * a->row_bytes, a->cols, x);
	else
		memset(x, 0, a->cols * sizeof(float));
	if (a->rope) {
		struct greta_rope_angles_args angles = {a->frequencies, a->state, a->rope, a->pairs, a->chunk};
		GRETA_CPU_NAME(rope_angles)(block, &angles);
	}
}
