#include "planner/commands.h"
#include "models/command_line.h"
#include "planner/describe.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LISTED 20          /* launches that are told one by one */
#define DIFFERENCE_MAX 400 /* of what is told of one; what is longer is cut */

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
	number(c, "context in training", a->context_train, b->context_train);
	for (uint32_t r = 0; r < GRETA_REGION_COUNT; r++) {
		char what[32];
		snprintf(what, sizeof(what), "memory, %s", greta_region_name(r));
		bytes(c, what, a->region_bytes[r], b->region_bytes[r]);
	}
	bytes(c, "weights read a step", a->step_weight_bytes, b->step_weight_bytes);
	number(c, "the state's place", a->state_offset, b->state_offset);
	number(c, "the tokens' place", a->tokens_offset, b->tokens_offset);
	number(c, "the ring's place", a->ring_offset, b->ring_offset);
	number(c, "the logits' place", a->logits_offset, b->logits_offset);
	bytes(c, "arena, lower bound", a->arena_lower_bound, b->arena_lower_bound);
	bytes(c, "arena, without reuse", a->arena_naive, b->arena_naive);
}

/* The values of a constant that both have in the same length. */
static void compare_constant(struct comparison *c, const struct greta_plan_tensor *a, const struct greta_plan_tensor *b)
{
	uint64_t values = a->source_bytes / sizeof(double), differ = 0, first = 0;
	if (!a->constant || !b->constant || a->source_bytes != b->source_bytes)
		return;
	for (uint64_t i = values; i-- > 0;) {
		if (memcmp(c->a->constants + a->source + i * sizeof(double),
			   c->b->constants + b->source + i * sizeof(double), sizeof(double)) == 0)
			continue;
		differ++;
		first = i;
	}
	if (!differ)
		return;
	double value_a, value_b;
	memcpy(&value_a, c->a->constants + a->source + first * sizeof(double), sizeof(double));
	memcpy(&value_b, c->b->constants + b->source + first * sizeof(double), sizeof(double));
	c->differences++;
	printf("constant %s: %llu of %llu values differ, first value %llu: %.17g, %.17g\n",
	       greta_plan_string(c->a, a->name), (unsigned long long)differ, (unsigned long long)values,
	       (unsigned long long)first, value_a, value_b);
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
			  a->offset != b->offset || a->bytes != b->bytes || a->source != b->source ||
			  a->source_bytes != b->source_bytes || a->rows != b->rows || a->cols != b->cols ||
			  a->exponent != b->exponent || a->constant != b->constant;
		compare_constant(c, a, b);
	}
	if (differ) {
		c->differences++;
		printf("tensors: %u of %zu differ in name, type, layout, shape, place, source or exponent\n", differ,
		       c->a->tensor_count);
	}
}

static void compare_buffers(struct comparison *c)
{
	number(c, "buffers", c->a->buffer_count, c->b->buffer_count);
	if (c->a->buffer_count != c->b->buffer_count)
		return;
	uint32_t differ = 0;
	for (size_t i = 0; i < c->a->buffer_count; i++) {
		const struct greta_plan_buffer *a = &c->a->buffers[i], *b = &c->b->buffers[i];
		differ += strcmp(greta_plan_string(c->a, a->name), greta_plan_string(c->b, b->name)) != 0 ||
			  a->region != b->region || a->offset != b->offset || a->bytes != b->bytes ||
			  a->program != b->program || a->first != b->first || a->last != b->last;
	}
	if (differ) {
		c->differences++;
		printf("buffers: %u of %zu differ in name, place, size or lifetime\n", differ, c->a->buffer_count);
	}
}

/* Adds to what is told of a launch. */
static void add(char out[DIFFERENCE_MAX], const char *what, const char *a, const char *b)
{
	size_t length = strlen(out);
	if (strcmp(a, b) != 0)
		snprintf(out + length, DIFFERENCE_MAX - length, "%s%s is %.60s, %.60s", length ? "; " : "", what, a, b);
}

static void add_number(char out[DIFFERENCE_MAX], const char *what, uint32_t a, uint32_t b)
{
	char text_a[16], text_b[16];
	snprintf(text_a, sizeof(text_a), "%u", a);
	snprintf(text_b, sizeof(text_b), "%u", b);
	add(out, what, text_a, text_b);
}

static void add_sizes(char out[DIFFERENCE_MAX], const char *what, const uint32_t a[3], const uint32_t b[3])
{
	char text_a[48], text_b[48];
	snprintf(text_a, sizeof(text_a), "%ux%ux%u", a[0], a[1], a[2]);
	snprintf(text_b, sizeof(text_b), "%ux%ux%u", b[0], b[1], b[2]);
	add(out, what, text_a, text_b);
}

/* An argument by its name; as bits where words do not tell two numbers apart. */
static void add_argument(const struct comparison *c, const struct greta_plan_launch *a,
			 const struct greta_plan_launch *b, const struct greta_field *field, char out[DIFFERENCE_MAX])
{
	char text_a[GRETA_TEXT_MAX], text_b[GRETA_TEXT_MAX];
	const char *value_a = greta_argument_text(c->a, a, field, text_a);
	const char *value_b = greta_argument_text(c->b, b, field, text_b);
	uint32_t bits_a, bits_b;
	memcpy(&bits_a, c->a->args + a->args + field->offset, sizeof(bits_a));
	memcpy(&bits_b, c->b->args + b->args + field->offset, sizeof(bits_b));
	if (field->kind > GRETA_IO && bits_a != bits_b && !strcmp(value_a, value_b)) {
		snprintf(text_a, sizeof(text_a), "0x%08x", bits_a);
		snprintf(text_b, sizeof(text_b), "0x%08x", bits_b);
		value_a = text_a;
		value_b = text_b;
	}
	add(out, field->name, value_a, value_b);
}

/* What differs, in one line; false if nothing does. */
static bool compare_launch(const struct comparison *c, const struct greta_plan_launch *a,
			   const struct greta_plan_launch *b, char out[DIFFERENCE_MAX])
{
	const struct greta_kernel_info *info = greta_kernel_info(a->kernel);
	*out = '\0';
	add(out, "kernel", info->name, greta_kernel_info(b->kernel)->name);
	if (*out)
		return true;
	for (uint32_t f = 0; f < info->field_count; f++)
		add_argument(c, a, b, &info->fields[f], out);
	add(out, "function", greta_plan_string(c->a, a->symbol), greta_plan_string(c->b, b->symbol));
	add_sizes(out, "grid", a->grid, b->grid);
	add_sizes(out, "block", a->block, b->block);
	add_number(out, "shared memory", a->shared_bytes, b->shared_bytes);
	add_number(out, "layer", a->layer, b->layer);
	add(out, "logic block", greta_block_name(a->logic_block), greta_block_name(b->logic_block));
	return *out;
}

static void compare_launches(struct comparison *c, const struct greta_plan_program *a,
			     const struct greta_plan_program *b, const char *name)
{
	uint32_t differ = 0;
	for (uint32_t l = 0; l < a->launch_count; l++) {
		const struct greta_plan_launch *launch = &c->a->launches[a->first_launch + l];
		char what[DIFFERENCE_MAX];
		if (!compare_launch(c, launch, &c->b->launches[b->first_launch + l], what))
			continue;
		if (differ++ < LISTED)
			printf("%s, launch %u (%s): %s\n", name, l, greta_kernel_info(launch->kernel)->name, what);
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
		snprintf(what, sizeof(what), "%s, tokens", name);
		number(c, what, a->chunk_tokens, b->chunk_tokens);
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
	compare_buffers(&c);
	compare_programs(&c);
	if (c.differences == 0 &&
	    (a.header->file_bytes != b.header->file_bytes || memcmp(a.header, b.header, a.header->file_bytes) != 0)) {
		c.differences++;
		puts("nothing that is decided differs, but the files' bytes do");
	}
	if (c.differences == 0)
		puts("no difference");
	greta_plan_close(&a);
	greta_plan_close(&b);
	return c.differences ? 1 : 0;
}
