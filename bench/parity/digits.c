#include "bench/parity/digits.h"

#include "bench/parity/launches.h"
#include "kernels/cpu/digits.h"
#include "kernels/gpu/layouts.h"
#include "kernels/numbers.h"
#include "kernels/ref/vector.h"

#include <stdlib.h>
#include <string.h>

/* ---- Layouts ---- */

/* A block of 256 values: exponent and integers. `activations`: digits a value. */
typedef void read_block(const void *block, uint32_t activations, struct greta_ref_digits_block *out);

static void read_ref(const void *block, uint32_t activations, struct greta_ref_digits_block *out)
{
	(void)activations;
	memcpy(out, block, sizeof(*out));
}

/* Digits count in bytes, the lowest first. */
static int32_t joined(const int8_t digit[4], uint32_t activations)
{
	int64_t sum = 0;
	for (uint32_t d = activations; d-- > 0;)
		sum = sum * 256 + digit[d];
	return (int32_t)sum;
}

static void read_cpu(const void *block, uint32_t activations, struct greta_ref_digits_block *out)
{
	const struct greta_cpu_digits *from = block;
	out->exponent = from->exponent;
	for (uint32_t i = 0; i < 256; i++) {
		const int8_t digit[4] = {from->digit[0][i], from->digit[1][i], from->digit[2][i], from->digit[3][i]};
		out->x[i] = joined(digit, activations);
	}
}

static void read_gpu(const void *block, uint32_t activations, struct greta_ref_digits_block *out)
{
	const struct greta_gpu_digits *from = block;
	out->exponent = from->plane[0].exponent;
	for (uint32_t i = 0; i < 256; i++) {
		int8_t digit[4];
		for (uint32_t d = 0; d < 4; d++)
			digit[d] = (int8_t)from->plane[d].digit[i / 32][i / 8 % 4][i % 8];
		out->x[i] = joined(digit, activations);
	}
}

/* How the side's kernels keep a block, and in how many bytes; NULL: it is not known. */
static read_block *layout_of(const struct greta_parity_side *side, size_t *out_bytes)
{
	const struct greta_info *info = greta_get_info(side->greta);
	const char *form = side->setup.kernels[0] && strcmp(side->setup.kernels, "auto") != 0 ? side->setup.kernels
											     : info->kernels;
	bool cpu = !strcmp(info->target, "cpu");
	*out_bytes = cpu ? GRETA_CPU_DIGITS_BLOCK_BYTES : GRETA_GPU_DIGITS_BLOCK_BYTES;
	if (!cpu)
		return read_gpu;
	if (!*form)
		return NULL;
	return !strcmp(form, "ref") ? read_ref : read_cpu;
}

/* ---- Who made them, of what ---- */

/* The last launch before `index` that makes these digits. */
static bool find_maker(const struct greta_plan *plan, const struct greta_plan_program *program, uint32_t index,
		       uint32_t digits, uint32_t *out_maker)
{
	for (uint32_t i = index; i-- > 0;) {
		const struct greta_plan_launch *launch = &plan->launches[program->first_launch + i];
		if (launch->kernel != GRETA_KERNEL_digits ||
		    greta_parity_object_at(plan, launch, offsetof(struct greta_digits_args, digits)) != digits)
			continue;
		*out_maker = i;
		return true;
	}
	return false;
}

static bool same(const struct greta_ref_digits_block *a, const struct greta_ref_digits_block *b)
{
	return a->exponent == b->exponent && !memcmp(a->x, b->x, sizeof(a->x));
}

/* One row of values, one of digits, and the blocks of both. */
static enum greta_status check_row(struct greta_parity_side *side, const struct greta_digits_args *args,
				   uint32_t source, uint32_t digits, size_t row, read_block *read, size_t block_bytes,
				   bool *out_right, struct greta_error *error)
{
	uint32_t blocks = args->cols / 256;
	size_t row_bytes = args->cols * sizeof(float), digits_bytes = blocks * block_bytes;
	bool right = true;
	float *x = malloc(row_bytes);
	uint8_t *made = aligned_alloc(64, (digits_bytes + 63) / 64 * 64);
	struct greta_ref_digits_block *one = aligned_alloc(64, sizeof(*one) * 2);
	enum greta_status status = GRETA_ERROR_MEMORY;
	if (!x || !made || !one) {
		(void)greta_fail(error, status, "no memory for the digits of %u values", args->cols);
		goto done;
	}
	status = greta_session_read(side->greta, source, row * row_bytes, x, row_bytes, error);
	if (status == GRETA_OK)
		status = greta_session_read(side->greta, digits, row * digits_bytes, made, digits_bytes, error);
	for (uint32_t b = 0; b < blocks && status == GRETA_OK; b++) {
		greta_ref_digits_of(x + (size_t)b * 256, (int)args->activations, &one[0]);
		read(made + b * block_bytes, args->activations, &one[1]);
		right = right && same(&one[0], &one[1]);
	}
	if (status == GRETA_OK)
		*out_right = right;
done:
	free(x);
	free(made);
	free(one);
	return status;
}

enum greta_status greta_parity_digits_check(struct greta_parity_side *side, const int32_t *tokens,
					    const struct greta_parity_step *step, uint32_t index, size_t position,
					    struct greta_parity_digits *out_digits, struct greta_error *error)
{
	const struct greta_plan *plan = greta_session_plan(side->greta);
	const struct greta_plan_program *program = &plan->programs[step->program];
	uint32_t digits = greta_parity_digits_read(plan, &plan->launches[program->first_launch + index]);
	struct greta_parity_digits found = {.checked = false};
	struct greta_digits_args args;
	size_t block_bytes;
	read_block *read = layout_of(side, &block_bytes);
	*out_digits = found;
	if (!read || digits == GRETA_PLAN_NONE || !find_maker(plan, program, index, digits, &found.maker))
		return GRETA_OK;
	const struct greta_plan_launch *maker = &plan->launches[program->first_launch + found.maker];
	uint32_t source = greta_parity_object_at(plan, maker, offsetof(struct greta_digits_args, x));
	bool normed = greta_parity_object_at(plan, maker, offsetof(struct greta_digits_args, norm)) != GRETA_PLAN_NONE;
	if (normed || source == GRETA_PLAN_NONE)
		return GRETA_OK;
	memcpy(&args, plan->args + maker->args, sizeof(args));
	enum greta_status status = greta_parity_side_take_part(side, tokens, step, index, error);
	if (status == GRETA_OK)
		status = check_row(side, &args, source, digits, position - step->start, read, block_bytes, &found.right,
				   error);
	found.checked = status == GRETA_OK;
	*out_digits = found;
	return status;
}
