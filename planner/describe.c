#include "planner/describe.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define ONE_OF(index, ...)                                                                                             \
	do {                                                                                                           \
		static const char *const names[] = {__VA_ARGS__};                                                      \
		return (index) < sizeof(names) / sizeof(names[0]) ? names[index] : "?";                                \
	} while (0)

const char *greta_region_name(uint32_t region) { ONE_OF(region, "weights", "model", "kv", "arena", "state", "io"); }

const char *greta_fuse_name(uint32_t fuse) { ONE_OF(fuse, "none", "full"); }

const char *greta_kv_name(uint32_t kv_type) { ONE_OF(kv_type, "f16", "f32"); }

const char *greta_activations_name(uint32_t activations) { ONE_OF(activations, "?", "x8", "x16", "x24", "x32"); }

const char *greta_layout_name(uint32_t layout) { ONE_OF(layout, "raw", "rows16", "tile16"); }

const char *greta_bytes_text(uint64_t bytes, char out[GRETA_TEXT_MAX])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double value = (double)bytes;
	int unit = 0;
	for (; value >= 999.5 && unit < 4; unit++)
		value /= 1000;
	snprintf(out, GRETA_TEXT_MAX, unit == 0 ? "%.0f %s" : value < 9.995 ? "%.2f %s" : value < 99.95 ? "%.1f %s" : "%.0f %s",
		 value, units[unit]);
	return out;
}

uint32_t greta_launches_per_layer(const struct greta_plan *plan, const struct greta_plan_program *program)
{
	uint32_t most = 0, run = 0, layer = GRETA_PLAN_NONE;
	for (uint32_t l = 0; l < program->launch_count; l++) {
		const struct greta_plan_launch *launch = &plan->launches[program->first_launch + l];
		run = launch->layer == layer ? run + 1 : 1;
		layer = launch->layer;
		if (layer != GRETA_PLAN_NONE && run > most)
			most = run;
	}
	return most;
}

/* Puts a point into its place; false when there is no room. */
static bool add_point(uint64_t *points, uint32_t *count, uint32_t room, uint64_t point)
{
	uint32_t at = 0;
	while (at < *count && points[at] < point)
		at++;
	if (at < *count && points[at] == point)
		return true;
	if (*count == room)
		return false;
	memmove(&points[at + 1], &points[at], (*count - at) * sizeof(*points));
	points[at] = point;
	++*count;
	return true;
}

uint32_t greta_arena_points(const struct greta_plan *plan, uint32_t program, uint32_t room, uint64_t *out)
{
	uint64_t bytes = plan->programs[program].arena_bytes;
	uint32_t count = 0;
	bool fits = add_point(out, &count, room, 0) && add_point(out, &count, room, bytes);
	for (size_t b = 0; fits && b < plan->buffer_count; b++) {
		const struct greta_plan_buffer *buffer = &plan->buffers[b];
		if (buffer->program == program && buffer->offset + buffer->bytes <= bytes)
			fits = add_point(out, &count, room, buffer->offset) &&
			       add_point(out, &count, room, buffer->offset + buffer->bytes);
	}
	if (fits || room < 2)
		return count;
	for (uint32_t i = 0; i < room; i++)
		out[i] = bytes / (room - 1) * i;
	out[room - 1] = bytes;
	return room;
}

uint64_t greta_arena_bound(const struct greta_plan *plan, uint32_t program)
{
	uint64_t bound = 0;
	for (uint32_t l = 0; l < plan->programs[program].launch_count; l++) {
		uint64_t sum = 0, padding = 0; /* the last buffer needs none: the largest is left out */
		for (size_t b = 0; b < plan->buffer_count; b++) {
			const struct greta_plan_buffer *buffer = &plan->buffers[b];
			if (buffer->program != program || buffer->first > l || buffer->last <= l)
				continue;
			uint64_t padded = (buffer->bytes + 63) / 64 * 64;
			sum += padded;
			padding = padded - buffer->bytes > padding ? padded - buffer->bytes : padding;
		}
		bound = sum - padding > bound ? sum - padding : bound;
	}
	return bound;
}

static const char *pointer_text(const struct greta_plan *plan, const struct greta_plan_launch *launch, uint32_t offset,
				uint64_t value, char *out)
{
	for (uint32_t r = 0; r < launch->reloc_count; r++) {
		const struct greta_plan_reloc *reloc = &plan->relocs[launch->first_reloc + r];
		if (reloc->field != offset)
			continue;
		bool tensor = reloc->region <= GRETA_REGION_MODEL;
		uint32_t name = tensor ? plan->tensors[reloc->object].name : plan->buffers[reloc->object].name;
		uint64_t start = tensor ? plan->tensors[reloc->object].offset : plan->buffers[reloc->object].offset;
		if (value == start)
			snprintf(out, GRETA_TEXT_MAX, "%s", greta_plan_string(plan, name));
		else
			snprintf(out, GRETA_TEXT_MAX, "%s+%llu", greta_plan_string(plan, name),
				 (unsigned long long)(value - start));
		return out;
	}
	return "-";
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);
	return length >= tail && !strcmp(text + length - tail, end);
}

const char *greta_argument_text(const struct greta_plan *plan, const struct greta_plan_launch *launch,
				const struct greta_field *field, char out[GRETA_TEXT_MAX])
{
	const uint8_t *at = plan->args + launch->args + field->offset;
	uint64_t pointer;
	uint32_t number;
	float real;
	switch (field->kind) {
	case GRETA_IN:
	case GRETA_OUT:
	case GRETA_IO:
		memcpy(&pointer, at, sizeof(pointer));
		return pointer_text(plan, launch, field->offset, pointer, out);
	case GRETA_F32:
		memcpy(&real, at, sizeof(real));
		snprintf(out, GRETA_TEXT_MAX, "%.9g", (double)real);
		return out;
	case GRETA_I32:
		memcpy(&number, at, sizeof(number));
		snprintf(out, GRETA_TEXT_MAX, "%d", (int)number);
		return out;
	default: break;
	}
	memcpy(&number, at, sizeof(number));
	if (!strcmp(field->name, "kv_type"))
		return greta_kv_name(number);
	if (ends_with(field->name, "layout"))
		return greta_layout_name(number);
	if (ends_with(field->name, "type") && greta_type_info(number))
		return greta_type_info(number)->name;
	snprintf(out, GRETA_TEXT_MAX, "%u", number);
	return out;
}
