#include "planner/describe.h"
#include "planner/show.h"

#include <string.h>

#define POINTS 41 /* one more than rows */
#define KINDS_MAX 26

/* Buffers that differ only in their layer ("q.0", "q.1") are one kind, with one letter. */
struct kinds {
	struct {
		const char *name;
		size_t length;
		char letter;
		uint64_t bytes; /* of one of them */
	} items[KINDS_MAX];
	uint32_t count;
};

static char letter_for(const struct kinds *kinds, const char *name, size_t length)
{
	bool taken[128] = {0};
	for (uint32_t k = 0; k < kinds->count; k++)
		taken[(unsigned char)kinds->items[k].letter] = true;
	for (size_t i = 0; i < length; i++)
		if (name[i] >= 'a' && name[i] <= 'z' && !taken[(unsigned char)name[i]])
			return name[i];
	for (int c = 'A'; c <= 'Z'; c++)
		if (!taken[c])
			return (char)c;
	return '?';
}

/* The kind of a buffer, made when it is new; '?' when there are too many. */
static char kind_of(struct kinds *kinds, const struct greta_plan *plan, const struct greta_plan_buffer *buffer)
{
	const char *name = greta_plan_string(plan, buffer->name);
	size_t length = strcspn(name, ".");
	for (uint32_t k = 0; k < kinds->count; k++)
		if (kinds->items[k].length == length && !memcmp(kinds->items[k].name, name, length))
			return kinds->items[k].letter;
	if (kinds->count == KINDS_MAX)
		return '?';
	char letter = letter_for(kinds, name, length);
	kinds->items[kinds->count].name = name;
	kinds->items[kinds->count].length = length;
	kinds->items[kinds->count].letter = letter;
	kinds->items[kinds->count++].bytes = buffer->bytes;
	return letter;
}

/* What stands for addresses [low, high) during a launch: a kind, '.' for nothing, '#' for more than one. */
static char cell(struct kinds *kinds, const struct greta_plan *plan, uint32_t program, uint64_t low, uint64_t high,
		 uint32_t launch)
{
	char seen = '.';
	for (size_t b = 0; b < plan->buffer_count; b++) {
		const struct greta_plan_buffer *buffer = &plan->buffers[b];
		if (buffer->program != program || buffer->first > launch || buffer->last <= launch ||
		    buffer->offset >= high || buffer->offset + buffer->bytes <= low)
			continue;
		char letter = kind_of(kinds, plan, buffer);
		seen = seen == '.' || seen == letter ? letter : '#';
	}
	return seen;
}

/* A line per range of addresses, a column per launch of [from, to). */
static void print_panel(struct kinds *kinds, const struct greta_plan *plan, uint32_t program, uint32_t from,
			uint32_t to, FILE *out)
{
	uint64_t points[POINTS];
	uint32_t count = greta_arena_points(plan, program, POINTS, points);
	char size[GRETA_TEXT_MAX];
	fprintf(out, "\n%10s %8s  launches %u to %u\n", "address", "size", from, to - 1);
	for (uint32_t r = 0; r + 1 < count; r++) {
		fprintf(out, "%10llu %8s  ", (unsigned long long)points[r],
			greta_bytes_text(points[r + 1] - points[r], size));
		for (uint32_t launch = from; launch < to; launch++)
			fputc(cell(kinds, plan, program, points[r], points[r + 1], launch), out);
		fputc('\n', out);
	}
}

void greta_show_arena(const struct greta_plan *plan, uint32_t program, uint32_t columns, FILE *out)
{
	const struct greta_plan_program *p = &plan->programs[program];
	uint32_t width = columns > 50 ? columns - 22 : 28;
	char text[GRETA_TEXT_MAX];
	struct kinds kinds = {0};
	fprintf(out, "\narena of %s: %s\n", greta_plan_string(plan, p->name), greta_bytes_text(p->arena_bytes, text));
	for (uint32_t from = 0; from < p->launch_count; from += width)
		print_panel(&kinds, plan, program, from,
			    p->launch_count - from < width ? p->launch_count : from + width, out);
	fputc('\n', out);
	for (uint32_t k = 0; k < kinds.count; k++)
		fprintf(out, "%c %.*s (%s)%s", kinds.items[k].letter, (int)kinds.items[k].length, kinds.items[k].name,
			greta_bytes_text(kinds.items[k].bytes, text), k % 4 == 3 ? "\n" : "   ");
	fputs(". free   # several\n", out);
}
