#include "planner/describe.h"
#include "planner/show.h"

static void print_bytes(FILE *out, const char *label, uint64_t bytes, const char *what)
{
	char text[GRETA_TEXT_MAX];
	fprintf(out, "%-10s%-8s %9s  %s\n", "", label, greta_bytes_text(bytes, text), what);
}

static void print_model(const struct greta_plan *plan, FILE *out)
{
	const struct greta_plan_header *h = plan->header;
	const char *name = greta_plan_string(plan, h->model_name);
	char bytes[GRETA_TEXT_MAX];
	fprintf(out, "model     %s\n", greta_plan_string(plan, h->model_path));
	fprintf(out, "          %s%s%s, fingerprint ", name, *name ? ", " : "",
		greta_bytes_text(h->model_bytes, bytes));
	for (int i = 0; i < 16; i++)
		fprintf(out, "%02x", h->model_fingerprint[i]);
	fprintf(out,
		"\n          %u layers of width %u, %u heads of %u (%u for K and V), feed-forward %u, vocabulary %u\n",
		h->n_layer, h->n_embd, h->n_head, h->head_dim, h->n_head_kv, h->n_ff, h->n_vocab);
}

static void print_programs(const struct greta_plan *plan, FILE *out)
{
	fputs("\nprogram       tokens  launches  per layer      arena\n", out);
	for (size_t p = 0; p < plan->program_count; p++) {
		const struct greta_plan_program *program = &plan->programs[p];
		char arena[GRETA_TEXT_MAX];
		fprintf(out, "%-13s %6u  %8u  %9u  %9s\n", greta_plan_string(plan, program->name),
			program->chunk_tokens, program->launch_count, greta_launches_per_layer(plan, program),
			greta_bytes_text(program->arena_bytes, arena));
	}
}

static void print_memory(const struct greta_plan *plan, FILE *out)
{
	static const char *const what[] = {"matrices in the target's layout, constants", "used as it is mapped", "K and V",
					   "activations", "position, sampling, tokens", "token ring, logits"};
	const struct greta_plan_header *h = plan->header;
	fputs("\nmemory\n", out);
	for (uint32_t r = 0; r < GRETA_REGION_COUNT; r++)
		print_bytes(out, greta_region_name(r), h->region_bytes[r], what[r]);

	fprintf(out, "device    %llu bytes: weights, kv, arena, state\n",
		(unsigned long long)greta_plan_device_bytes(h));
	fprintf(out, "host      %llu bytes, pinned: io, staged tokens\n", (unsigned long long)greta_plan_host_bytes(h));

	char peak[GRETA_TEXT_MAX], bound[GRETA_TEXT_MAX], naive[GRETA_TEXT_MAX], step[GRETA_TEXT_MAX];
	uint64_t arena = h->region_bytes[GRETA_REGION_ARENA];
	fprintf(out, "\narena     peak %s, lower bound %s%s, without reuse %s\n", greta_bytes_text(arena, peak),
		greta_bytes_text(h->arena_lower_bound, bound), arena == h->arena_lower_bound ? " (optimal)" : "",
		greta_bytes_text(h->arena_naive, naive));
	fprintf(out, "step      reads %s of weights\n", greta_bytes_text(h->step_weight_bytes, step));
}

void greta_show_summary(const struct greta_plan *plan, const char *path, FILE *out)
{
	const struct greta_plan_header *h = plan->header;
	char bytes[GRETA_TEXT_MAX];
	fprintf(out, "plan      %s (%s, version %u)\n", path, greta_bytes_text(h->file_bytes, bytes), h->version);
	print_model(plan, out);
	fprintf(out, "target    %s, fuse %s, activations %s, KV cache %s\n", h->target, greta_fuse_name(h->fuse),
		greta_activations_name(h->activations), greta_kv_name(h->kv_type));
	fprintf(out, "context   %u tokens (the model was trained on %u)\n", h->context, h->context_train);
	print_programs(plan, out);
	print_memory(plan, out);
}

static void print_launch(const struct greta_plan *plan, uint32_t number, const struct greta_plan_launch *launch,
			 FILE *out)
{
	const struct greta_kernel_info *info = greta_kernel_info(launch->kernel);
	char layer[16] = "-", grid[48], text[GRETA_TEXT_MAX];
	if (launch->layer != GRETA_PLAN_NONE)
		snprintf(layer, sizeof(layer), "%u", launch->layer);
	if (launch->grid[1] == 1 && launch->grid[2] == 1)
		snprintf(grid, sizeof(grid), "%u", launch->grid[0]);
	else
		snprintf(grid, sizeof(grid), "%ux%ux%u", launch->grid[0], launch->grid[1], launch->grid[2]);
	fprintf(out, "%5u %5s  %-14s %-11s %9s %8u ", number, layer, greta_block_name(launch->logic_block), info->name,
		grid, launch->shared_bytes);
	for (uint32_t f = 0; f < info->field_count; f++)
		fprintf(out, " %s=%s", info->fields[f].name, greta_argument_text(plan, launch, &info->fields[f], text));
	fputc('\n', out);
}

void greta_show_launches(const struct greta_plan *plan, const struct greta_plan_program *program, FILE *out)
{
	fprintf(out, "\n%s: %u launches\n", greta_plan_string(plan, program->name), program->launch_count);
	fprintf(out, "%5s %5s  %-14s %-11s %9s %8s  %s\n", "", "layer", "block", "kernel", "grid", "shared",
		"arguments");
	for (uint32_t l = 0; l < program->launch_count; l++)
		print_launch(plan, l, &plan->launches[program->first_launch + l], out);
}
