#include "planner/commands.h"
#include "models/command_line.h"
#include "planner/describe.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LISTED 20 /* differences of launches that are told one by one */

static const char USAGE[] = "usage: greta-plan diff A B\n"
			    "\n"
			    "Says what differs between two plans, from the large to the small.\n"
			    "\n"
			    "  -h, --help\n"
			    "\n"
			    "Exit status: 0 they decide the same, 1 they differ or one cannot be read (which stderr says), 2 the\n"
			    "command line is wrong.\n";

struct comparison {
	const struct greta_plan *a, *b;
	uint32_t differences;
};

static void text(struct comparison *c, const char *what, const char *a, const char *b)
{
	if (!strcmp(a, b))
		return;
	c->differences++;
	printf("%s: %s, %s\n", what, *a ? a : "none", *b ? b : "none");
}

static void number(struct comparison *c, const char *what, uint64_t a, uint64_t b)
{
	if (a == b)
		return;
	c->differences++;
	printf("%s: %llu, %llu\n", what, (unsigned long long)a, (unsigned long long)b);
}

static void bytes(struct comparison *c, const char *what, uint64_t a, uint64_t b)
{
	char text_a[GRETA_TEXT_MAX], text_b[GRETA_TEXT_MAX];
	if (a == b)
		return;
	c->differences++;
	printf("%s: %s, %s (%+lld bytes)\n", what, greta_bytes_text(a, text_a), greta_bytes_text(b, text_b),
	       (long long)(b - a));
}

static void compare_headers(struct comparison *c)
{
	const struct greta_plan_header *a = c->a->header, *b = c->b->header;
	text(c, "model path", greta_plan_string(c->a, a->model_path), greta_plan_string(c->b, b->model_path));
	text(c, "model name", greta_plan_string(c->a, a->model_name), greta_plan_string(c->b, b->model_name));
	if (memcmp(a->model_fingerprint, b->model_fingerprint, sizeof(a->model_fingerprint)) != 0) {
		c->differences++;
		puts("model: another file, their fingerprints differ");
	}
	number(c, "layers", a->n_layer, b->n_layer);
	number(c, "width", a->n_embd, b->n_embd);
	number(c, "heads", a->n_head, b->n_head);
	number(c, "heads of K and V", a->n_head_kv, b->n_head_kv);
	number(c, "head size", a->head_dim, b->head_dim);
	number(c, "feed-forward", a->n_ff, b->n_ff);
	number(c, "vocabulary", a->n_vocab, b->n_vocab);
	text(c, "target", a->target, b->target);
	text(c, "fuse", greta_fuse_name(a->fuse), greta_fuse_name(b->fuse));
	text(c, "activations", greta_activations_name(a->activations), greta_activations_name(b->activations));
	text(c, "KV cache", greta_kv_name(a->kv_type), greta_kv_name(b->kv_type));
	number(c, "context", a->context, b->context);
	for (uint32_t r = 0; r < GRETA_REGION_COUNT; r++) {
		char what[32];
		snprintf(what, sizeof(what), "memory, %s", greta_region_name(r));
		bytes(c, what, a->region_bytes[r], b->region_bytes[r]);
	}
	bytes(c, "weights read a step", a->step_weight_bytes, b->step_weight_bytes);
}

static void compare_tensors(struct comparison *c)
{
	number(c, "tensors", c->a->tensor_count, c->b->tensor_count);
	if (c->a->tensor_count != c->b->tensor_count)
		return;
	uint32_t differ = 0;
	for (size_t i = 0; i < c->a->tensor_count; i++) {
		const struct greta_plan_tensor *a = &c->a->tensors[i], *b = &c->b->tensors[i];
		differ += strcmp(greta_plan_string(c->a, a->name), greta_plan_string(c->b, b->name)) != 0 ||
			  a->type != b->type || a->layout != b->layout || a->region != b->region ||
			  a->offset != b->offset || a->rows != b->rows || a->cols != b->cols ||
			  a->exponent != b->exponent;
	}
	if (differ) {
		c->differences++;
		printf("tensors: %u of %zu differ in name, type, layout, place or exponent\n", differ,
		       c->a->tensor_count);
	}
}

/* The first argument that differs; false if none does. */
static bool compare_launch(const struct comparison *c, const struct greta_plan_launch *a,
			   const struct greta_plan_launch *b, char out[GRETA_TEXT_MAX])
{
	const struct greta_kernel_info *info = greta_kernel_info(a->kernel);
	if (a->kernel != b->kernel) {
		snprintf(out, GRETA_TEXT_MAX, "%s, %s", info->name, greta_kernel_info(b->kernel)->name);
		return true;
	}
	char text_a[GRETA_TEXT_MAX], text_b[GRETA_TEXT_MAX];
	for (uint32_t f = 0; f < info->field_count; f++) {
		const char *value_a = greta_argument_text(c->a, a, &info->fields[f], text_a);
		const char *value_b = greta_argument_text(c->b, b, &info->fields[f], text_b);
		if (!strcmp(value_a, value_b))
			continue;
		snprintf(out, GRETA_TEXT_MAX, "%s: %s is %.60s, %.60s", info->name, info->fields[f].name, value_a,
			 value_b);
		return true;
	}
	if (memcmp(a->grid, b->grid, sizeof(a->grid)) != 0) {
		snprintf(out, GRETA_TEXT_MAX, "%s: grid %ux%u, %ux%u", info->name, a->grid[0], a->grid[1], b->grid[0],
			 b->grid[1]);
		return true;
	}
	return false;
}

static void compare_launches(struct comparison *c, const struct greta_plan_program *a,
			     const struct greta_plan_program *b, const char *name)
{
	uint32_t differ = 0;
	for (uint32_t l = 0; l < a->launch_count; l++) {
		char what[GRETA_TEXT_MAX];
		if (!compare_launch(c, &c->a->launches[a->first_launch + l], &c->b->launches[b->first_launch + l],
				    what))
			continue;
		if (differ++ < LISTED)
			printf("%s, launch %u: %s\n", name, l, what);
	}
	if (differ > LISTED)
		printf("%s: %u of %u launches differ\n", name, differ, a->launch_count);
	c->differences += differ;
}

static const struct greta_plan_program *find(const struct greta_plan *plan, const char *name)
{
	for (size_t p = 0; p < plan->program_count; p++)
		if (!strcmp(greta_plan_string(plan, plan->programs[p].name), name))
			return &plan->programs[p];
	return NULL;
}

static void compare_programs(struct comparison *c)
{
	for (size_t p = 0; p < c->a->program_count; p++) {
		const struct greta_plan_program *a = &c->a->programs[p];
		const char *name = greta_plan_string(c->a, a->name);
		const struct greta_plan_program *b = find(c->b, name);
		char what[GRETA_TEXT_MAX];
		if (!b) {
			c->differences++;
			printf("program %s: only in the first\n", name);
			continue;
		}
		snprintf(what, sizeof(what), "%s, arena", name);
		bytes(c, what, a->arena_bytes, b->arena_bytes);
		snprintf(what, sizeof(what), "%s, launches", name);
		number(c, what, a->launch_count, b->launch_count);
		if (a->launch_count == b->launch_count)
			compare_launches(c, a, b, name);
	}
	for (size_t p = 0; p < c->b->program_count; p++) {
		const char *name = greta_plan_string(c->b, c->b->programs[p].name);
		if (!find(c->a, name)) {
			c->differences++;
			printf("program %s: only in the second\n", name);
		}
	}
}

int greta_plan_command_diff(int argc, char **argv)
{
	const struct greta_command_line line = {
	    .tool = "greta-plan diff", .help = USAGE, .operands = "two plans", .least = 2, .most = 2};
	char **operands;
	struct greta_plan a, b;
	struct greta_error error = {0};
	int code = greta_command_line_read(&line, argc, argv, &operands);
	if (code >= 0)
		return code;
	if (greta_plan_open(operands[0], &a, &error) != GRETA_OK)
		return greta_command_failed(line.tool, &error);
	if (greta_plan_open(operands[1], &b, &error) != GRETA_OK) {
		greta_plan_close(&a);
		return greta_command_failed(line.tool, &error);
	}
	struct comparison c = {&a, &b, 0};
	compare_headers(&c);
	compare_tensors(&c);
	compare_programs(&c);
	if (c.differences == 0 &&
	    (a.header->file_bytes != b.header->file_bytes || memcmp(a.header, b.header, a.header->file_bytes) != 0)) {
		c.differences++;
		puts("the same decisions, but the files' bytes differ");
	}
	if (c.differences == 0)
		puts("no difference");
	greta_plan_close(&a);
	greta_plan_close(&b);
	return c.differences ? 1 : 0;
}
