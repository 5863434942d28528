#include "runtime/verify.h"

#include "kernels/abi.h"

#include <stdbool.h>
#include <string.h>

#define DIFFERS(...) greta_fail(error, GRETA_ERROR_MISMATCH, __VA_ARGS__)

/* The plan's tensor is the file's of that name, in type, shape and place. */
static bool same(const struct greta_plan_tensor *planned, const struct greta_gguf_tensor *tensor)
{
	return (uint32_t)tensor->type->type == planned->type && tensor->dims[0] == planned->cols &&
	       tensor->dims[1] == planned->rows && tensor->dims[2] == 1 && tensor->dims[3] == 1 &&
	       tensor->offset == planned->source && tensor->bytes == planned->source_bytes;
}

static bool points(const struct greta_plan *plan, const struct greta_plan_launch *launch, uint32_t field)
{
	for (uint32_t r = 0; r < launch->reloc_count; r++)
		if (plan->relocs[launch->first_reloc + r].field == field)
			return true;
	return false;
}

/* Where a launch has a norm, its eps is the model's; one that takes a norm and has none does not read its eps. */
static bool normed_alike(const struct greta_plan *plan, const struct greta_plan_launch *launch, float eps)
{
	const struct greta_kernel_info *info = greta_kernel_info(launch->kernel);
	bool normed = true;
	float given = eps;
	for (uint32_t f = 0; f < info->field_count; f++) {
		const struct greta_field *field = &info->fields[f];
		if (!strcmp(field->name, "eps"))
			memcpy(&given, plan->args + launch->args + field->offset, sizeof(given));
		else if (!strcmp(field->name, "norm"))
			normed = points(plan, launch, field->offset);
	}
	return !normed || given == eps;
}

static enum greta_status compare_eps(const struct greta_plan *plan, const struct greta_gguf *gguf,
				     struct greta_error *error)
{
	float eps = 0;
	enum greta_status status = greta_gguf_get_f32(gguf, "llama.attention.layer_norm_rms_epsilon", &eps, error);
	for (size_t i = 0; status == GRETA_OK && i < plan->launch_count; i++)
		if (!normed_alike(plan, &plan->launches[i], eps))
			status = DIFFERS("%s has an eps of %.9g, launch %zu (%s) has another: plan it again with greta-plan build",
					 greta_gguf_path(gguf), (double)eps, i,
					 greta_kernel_info(plan->launches[i].kernel)->name);
	return status;
}

enum greta_status greta_verify_model(const struct greta_plan *plan, const struct greta_gguf *gguf,
				     struct greta_error *error)
{
	const struct greta_plan_header *header = plan->header;
	const char *path = greta_gguf_path(gguf), *planned = greta_plan_string(plan, header->model_path);
	if (greta_gguf_size(gguf) != header->model_bytes)
		return DIFFERS("%s has %zu bytes, the model that was planned (%s) had %llu: plan it with greta-plan build", path,
			       greta_gguf_size(gguf), planned, (unsigned long long)header->model_bytes);
	uint8_t fingerprint[GRETA_FINGERPRINT_BYTES];
	greta_gguf_fingerprint(gguf, fingerprint);
	if (memcmp(fingerprint, header->model_fingerprint, sizeof(fingerprint)) != 0)
		return DIFFERS("%s is not the model that was planned (%s), their fingerprints differ: plan it with greta-plan build",
			       path, planned);
	for (size_t i = 0; i < plan->tensor_count; i++) {
		if (plan->tensors[i].constant)
			continue;
		const char *name = greta_plan_string(plan, plan->tensors[i].name);
		const struct greta_gguf_tensor *tensor = greta_gguf_find(gguf, name);
		if (!tensor || !same(&plan->tensors[i], tensor))
			return DIFFERS("%s: tensor %s is not as the plan says: plan it again with greta-plan build",
				       path, name);
	}
	return compare_eps(plan, gguf, error);
}
