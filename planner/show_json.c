#include "planner/describe.h"
#include "models/json_text.h"
#include "planner/show.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* jansson's adding functions take NULL for an item that could not be made and then fail; one flag remembers. */
struct writer {
	const struct greta_plan *plan;
	bool failed;
};

static void put(struct writer *w, json_t *object, const char *key, json_t *value)
{
	w->failed |= json_object_set_new(object, key, value) != 0;
}

static void add(struct writer *w, json_t *array, json_t *value)
{
	w->failed |= json_array_append_new(array, value) != 0;
}

static json_t *number(uint64_t value) { return json_integer((json_int_t)value); }

static json_t *string_at(const struct writer *w, uint32_t offset)
{
	return greta_json_text(greta_plan_string(w->plan, offset));
}

static json_t *model(struct writer *w)
{
	const struct greta_plan_header *h = w->plan->header;
	char fingerprint[33];
	for (int i = 0; i < 16; i++)
		snprintf(fingerprint + 2 * i, 3, "%02x", h->model_fingerprint[i]);
	json_t *o = json_object();
	put(w, o, "path", string_at(w, h->model_path));
	put(w, o, "name", string_at(w, h->model_name));
	put(w, o, "bytes", number(h->model_bytes));
	put(w, o, "fingerprint", json_string(fingerprint));
	put(w, o, "n_layer", number(h->n_layer));
	put(w, o, "n_embd", number(h->n_embd));
	put(w, o, "n_head", number(h->n_head));
	put(w, o, "n_head_kv", number(h->n_head_kv));
	put(w, o, "head_dim", number(h->head_dim));
	put(w, o, "n_ff", number(h->n_ff));
	put(w, o, "n_vocab", number(h->n_vocab));
	put(w, o, "context_train", number(h->context_train));
	return o;
}

static json_t *regions(struct writer *w)
{
	json_t *o = json_object();
	for (uint32_t r = 0; r < GRETA_REGION_COUNT; r++)
		put(w, o, greta_region_name(r), number(w->plan->header->region_bytes[r]));
	return o;
}

static json_t *tensors(struct writer *w)
{
	json_t *array = json_array();
	for (size_t i = 0; i < w->plan->tensor_count; i++) {
		const struct greta_plan_tensor *t = &w->plan->tensors[i];
		json_t *o = json_object();
		put(w, o, "name", string_at(w, t->name));
		put(w, o, "region", json_string(greta_region_name(t->region)));
		put(w, o, "offset", number(t->offset));
		put(w, o, "bytes", number(t->bytes));
		put(w, o, "type", json_string(t->constant ? "F64" : greta_type_info(t->type)->name));
		put(w, o, "layout", json_string(greta_layout_name(t->layout)));
		put(w, o, "rows", number(t->rows));
		put(w, o, "cols", number(t->cols));
		put(w, o, "exponent", json_integer(t->exponent));
		put(w, o, "constant", json_boolean(t->constant));
		add(w, array, o);
	}
	return array;
}

static json_t *buffers(struct writer *w)
{
	json_t *array = json_array();
	for (size_t i = 0; i < w->plan->buffer_count; i++) {
		const struct greta_plan_buffer *b = &w->plan->buffers[i];
		json_t *o = json_object();
		put(w, o, "name", string_at(w, b->name));
		put(w, o, "region", json_string(greta_region_name(b->region)));
		put(w, o, "offset", number(b->offset));
		put(w, o, "bytes", number(b->bytes));
		if (b->program != GRETA_PLAN_NONE) {
			put(w, o, "program", number(b->program));
			put(w, o, "first", number(b->first));
			put(w, o, "last", number(b->last));
		}
		add(w, array, o);
	}
	return array;
}

static json_t *argument(const struct writer *w, const struct greta_plan_launch *launch, const struct greta_field *field)
{
	char text[GRETA_TEXT_MAX];
	const char *value = greta_argument_text(w->plan, launch, field, text);
	if (field->kind <= GRETA_IO && !strcmp(value, "-"))
		return json_null();
	if (field->kind == GRETA_F32) {
		float real;
		memcpy(&real, w->plan->args + launch->args + field->offset, sizeof(real));
		return isfinite(real) ? json_real((double)real) : json_null();
	}
	char *end;
	json_int_t integer = strtoll(value, &end, 10);
	return field->kind > GRETA_IO && !*end ? json_integer(integer) : greta_json_text(value);
}

static json_t *launch(struct writer *w, const struct greta_plan_launch *l)
{
	const struct greta_kernel_info *info = greta_kernel_info(l->kernel);
	json_t *o = json_object(), *grid = json_array(), *block = json_array(), *args = json_object();
	for (int d = 0; d < 3; d++) {
		add(w, grid, number(l->grid[d]));
		add(w, block, number(l->block[d]));
	}
	for (uint32_t f = 0; f < info->field_count; f++)
		put(w, args, info->fields[f].name, argument(w, l, &info->fields[f]));
	put(w, o, "kernel", json_string(info->name));
	put(w, o, "symbol", string_at(w, l->symbol));
	put(w, o, "layer", l->layer == GRETA_PLAN_NONE ? json_null() : number(l->layer));
	put(w, o, "logic_block", json_string(greta_block_name(l->logic_block)));
	put(w, o, "grid", grid);
	put(w, o, "block", block);
	put(w, o, "shared_bytes", number(l->shared_bytes));
	put(w, o, "args", args);
	return o;
}

static json_t *programs(struct writer *w)
{
	json_t *array = json_array();
	for (size_t p = 0; p < w->plan->program_count; p++) {
		const struct greta_plan_program *program = &w->plan->programs[p];
		json_t *o = json_object(), *launches = json_array();
		for (uint32_t l = 0; l < program->launch_count; l++)
			add(w, launches, launch(w, &w->plan->launches[program->first_launch + l]));
		put(w, o, "name", string_at(w, program->name));
		put(w, o, "chunk_tokens", number(program->chunk_tokens));
		put(w, o, "launch_count", number(program->launch_count));
		put(w, o, "launches_per_layer", number(greta_launches_per_layer(w->plan, program)));
		put(w, o, "arena_bytes", number(program->arena_bytes));
		put(w, o, "launches", launches);
		add(w, array, o);
	}
	return array;
}

bool greta_show_json(const struct greta_plan *plan, const char *path, FILE *out)
{
	const struct greta_plan_header *h = plan->header;
	struct writer w = {.plan = plan};
	json_t *o = json_object();
	put(&w, o, "plan", greta_json_text(path));
	put(&w, o, "version", number(h->version));
	put(&w, o, "target", json_string(h->target));
	put(&w, o, "context", number(h->context));
	put(&w, o, "fuse", json_string(greta_fuse_name(h->fuse)));
	put(&w, o, "activations", json_string(greta_activations_name(h->activations)));
	put(&w, o, "kv", json_string(greta_kv_name(h->kv_type)));
	put(&w, o, "arena_lower_bound", number(h->arena_lower_bound));
	put(&w, o, "arena_without_reuse", number(h->arena_naive));
	put(&w, o, "step_weight_bytes", number(h->step_weight_bytes));
	put(&w, o, "model", model(&w));
	put(&w, o, "region_bytes", regions(&w));
	put(&w, o, "device_bytes", number(greta_plan_device_bytes(h)));
	put(&w, o, "host_bytes", number(greta_plan_host_bytes(h)));
	put(&w, o, "programs", programs(&w));
	put(&w, o, "tensors", tensors(&w));
	put(&w, o, "buffers", buffers(&w));
	bool done = !w.failed && json_dumpf(o, out, JSON_INDENT(1)) == 0 && fputc('\n', out) != EOF;
	json_decref(o);
	return done;
}
