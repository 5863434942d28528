#include "models/utf8.h"
#include "planner/describe.h"
#include "planner/show.h"

#include <math.h>
#include <string.h>

#define WIDTH 1280
#define LEFT 96    /* of the panels */
#define PANEL 1150 /* their width */
#define STRIP_TOP 150
#define STRIP_HEIGHT 36
#define ARENA_TOP 280
#define ARENA_HEIGHT 440
#define HEIGHT 800
#define POINTS 65

struct canvas {
	const struct greta_plan *plan;
	const struct greta_plan_program *program;
	uint32_t index; /* of the program */
	FILE *out;
	uint64_t points[POINTS]; /* addresses where buffers begin or end */
	double heights[POINTS];  /* where they are drawn, from the panel's top */
	uint32_t point_count;
};

/* Text from outside need not be what XML takes: other bytes, and the characters that XML excludes, become U+FFFD. */
static bool is_xml(const char *character, size_t length)
{
	return length == 3 ? memcmp(character, "\xef\xbf\xbe", 3) != 0 && memcmp(character, "\xef\xbf\xbf", 3) != 0
			   : length > 1 || (unsigned char)*character >= 32;
}

static void print_escaped(FILE *out, const char *text)
{
	size_t step;
	for (size_t left = strlen(text); left; text += step, left -= step) {
		bool good = greta_utf8_front(text, left, &step) == GRETA_UTF8_COMPLETE && is_xml(text, step);
		switch (good ? *text : '\0') {
		case '\0': fputs("\xef\xbf\xbd", out); break;
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '&': fputs("&amp;", out); break;
		default: fwrite(text, 1, step, out);
		}
	}
}

/* Colours that are told apart on a light page and on a dark one, with dark letters on them. The rules are for this
 * picture alone where it stands in a page. */
static void print_style(FILE *out)
{
	static const char *const fills[GRETA_BLOCK_COUNT] = {"#b8c0cc", "#8ec1e0", "#f2c078", "#a8d08d",
							     "#c9b1e8", "#f0a08c", "#86d3c4"};
	fputs("<style>\n"
	      ".greta-plan .page { fill: #ffffff }\n"
	      ".greta-plan text { font-family: sans-serif; font-size: 13px; fill: #1b1f24 }\n"
	      ".greta-plan .title { font-size: 22px; font-weight: bold } .greta-plan .heading { font-size: 16px; font-weight: bold }\n"
	      ".greta-plan .quiet { fill: #5b6570 } .greta-plan .axis { stroke: #8a939c; stroke-width: 1 }\n"
	      ".greta-plan .grid { stroke: #8a939c; stroke-width: 0.5; opacity: 0.5 }\n"
	      ".greta-plan .bound { stroke: #c0392b; stroke-width: 1.5; stroke-dasharray: 6 4 }\n"
	      ".greta-plan .boundtext { fill: #c0392b } .greta-plan .b { stroke: #1b1f24; stroke-width: 0.4 }\n"
	      ".greta-plan .in { fill: #14171a; font-size: 11px }\n",
	      out);
	for (int b = 0; b < GRETA_BLOCK_COUNT; b++)
		fprintf(out, ".greta-plan .f%d { fill: %s }\n", b, fills[b]);
	fputs("@media (prefers-color-scheme: dark) {\n"
	      ".greta-plan .page { fill: #14171a } .greta-plan text { fill: #e8eaed } .greta-plan .quiet { fill: #a5adb5 }\n"
	      ".greta-plan .in { fill: #14171a } .greta-plan .bound { stroke: #ff8f7f }\n"
	      ".greta-plan .boundtext { fill: #ff8f7f } }\n"
	      "</style>\n",
	      out);
}

static void print_title(const struct canvas *c)
{
	const struct greta_plan_header *h = c->plan->header;
	const char *name = greta_plan_string(c->plan, h->model_name);
	char step[GRETA_TEXT_MAX];
	fputs("<text class='title' x='24' y='40'>", c->out);
	print_escaped(c->out, *name ? name : greta_plan_string(c->plan, h->model_path));
	fputs(": program ", c->out);
	print_escaped(c->out, greta_plan_string(c->plan, c->program->name));
	fputs("</text>\n", c->out);
	fprintf(c->out,
		"<text class='quiet' x='24' y='64'>%u launches, %u per layer · target ", c->program->launch_count,
		greta_launches_per_layer(c->plan, c->program));
	print_escaped(c->out, h->target);
	fprintf(c->out, ", fuse %s, activations %s, context %u", greta_fuse_name(h->fuse),
		greta_activations_name(h->activations), h->context);
	if (c->program->kind == GRETA_PROGRAM_DECODE)
		fprintf(c->out, " · a step reads %s of weights", greta_bytes_text(h->step_weight_bytes, step));
	fputs("</text>\n", c->out);
}

/* The logic blocks, with their colours and how many launches each has. */
static void print_legend(const struct canvas *c)
{
	uint32_t counts[GRETA_BLOCK_COUNT] = {0};
	for (uint32_t l = 0; l < c->program->launch_count; l++)
		counts[c->plan->launches[c->program->first_launch + l].logic_block]++;
	for (int b = 0; b < GRETA_BLOCK_COUNT; b++) {
		int x = 24 + b * 172;
		fprintf(c->out, "<rect class='b f%d' x='%d' y='84' width='16' height='16'/>", b, x);
		fprintf(c->out, "<text x='%d' y='97'>%s: %u</text>\n", x + 22, greta_block_name((uint32_t)b),
			counts[b]);
	}
}

static double x_of(const struct canvas *c, uint32_t launch)
{
	return LEFT + (double)PANEL * launch / c->program->launch_count;
}

/* Layers are marked where there is room for the number. */
static void print_layers(const struct canvas *c)
{
	double last = 0;
	for (uint32_t l = 1; l < c->program->launch_count; l++) {
		const struct greta_plan_launch *launch = &c->plan->launches[c->program->first_launch + l];
		if (launch->layer == GRETA_PLAN_NONE || launch->layer == launch[-1].layer)
			continue;
		double x = x_of(c, l);
		fprintf(c->out, "<line class='axis' x1='%.2f' x2='%.2f' y1='%d' y2='%d'/>", x, x, STRIP_TOP,
			STRIP_TOP + STRIP_HEIGHT + 6);
		if (x < last + 52)
			continue;
		fprintf(c->out, "<text class='quiet' x='%.2f' y='%d'>layer %u</text>\n", x + 2,
			STRIP_TOP + STRIP_HEIGHT + 18, launch->layer);
		last = x;
	}
}

static void print_schedule(const struct canvas *c)
{
	fprintf(c->out, "<text class='heading' x='24' y='%d'>Schedule: one chain, from left to right</text>\n",
		STRIP_TOP - 16);
	double width = (double)PANEL / c->program->launch_count;
	for (uint32_t l = 0; l < c->program->launch_count; l++) {
		const struct greta_plan_launch *launch = &c->plan->launches[c->program->first_launch + l];
		const char *kernel = greta_kernel_info(launch->kernel)->name;
		fprintf(c->out,
			"<rect class='b f%u' x='%.2f' y='%d' width='%.2f' height='%d'>"
			"<title>%u: %s, %u x %u blocks</title></rect>\n",
			launch->logic_block, x_of(c, l), STRIP_TOP, width, STRIP_HEIGHT, l, kernel, launch->grid[0],
			launch->grid[1]);
		if (width >= 50)
			fprintf(c->out, "<text class='in' x='%.2f' y='%d' text-anchor='middle'>%s</text>\n",
				x_of(c, l) + width / 2, STRIP_TOP + 22, kernel);
	}
	print_layers(c);
}

/* The height of a range of addresses goes with the square root of its size,
 * so that small buffers are seen beside large ones. */
static void scale_addresses(struct canvas *c)
{
	c->point_count = greta_arena_points(c->plan, c->index, POINTS, c->points);
	double sum = 0;
	c->heights[0] = 0;
	for (uint32_t i = 0; i + 1 < c->point_count; i++) {
		sum += sqrt((double)(c->points[i + 1] - c->points[i]));
		c->heights[i + 1] = sum;
	}
	for (uint32_t i = 0; i < c->point_count && sum > 0; i++)
		c->heights[i] *= ARENA_HEIGHT / sum;
}

static double y_of(const struct canvas *c, uint64_t address)
{
	uint32_t i = 0;
	while (i + 2 < c->point_count && c->points[i + 1] <= address)
		i++;
	double size = (double)(c->points[i + 1] - c->points[i]);
	double part = size > 0 ? (double)(address - c->points[i]) / size : 0;
	return ARENA_TOP + c->heights[i] + part * (c->heights[i + 1] - c->heights[i]);
}

static void print_axes(const struct canvas *c)
{
	char text[GRETA_TEXT_MAX];
	double last = 0;
	for (uint32_t i = 0; i < c->point_count; i++) {
		double y = y_of(c, c->points[i]);
		fprintf(c->out, "<line class='grid' x1='%d' x2='%d' y1='%.2f' y2='%.2f'/>\n", LEFT, LEFT + PANEL, y, y);
		if (y < last + 13)
			continue;
		fprintf(c->out, "<text class='quiet' x='%d' y='%.2f' text-anchor='end'>%s</text>\n", LEFT - 8, y + 4,
			greta_bytes_text(c->points[i], text));
		last = y;
	}
	uint32_t step = c->program->launch_count / 20 + 1;
	for (uint32_t l = 0; l < c->program->launch_count; l += step)
		fprintf(c->out, "<text class='quiet' x='%.2f' y='%d'>%u</text>\n", x_of(c, l),
			ARENA_TOP + ARENA_HEIGHT + 20, l);
	fprintf(c->out, "<text class='quiet' x='%d' y='%d' text-anchor='end'>launch</text>\n", LEFT - 8,
		ARENA_TOP + ARENA_HEIGHT + 20);
}

static void print_buffer(const struct canvas *c, const struct greta_plan_buffer *b)
{
	const struct greta_plan_launch *writer = &c->plan->launches[c->program->first_launch + b->first];
	double x = x_of(c, b->first), width = x_of(c, b->last) - x, y = y_of(c, b->offset);
	double height = y_of(c, b->offset + b->bytes) - y;
	const char *name = greta_plan_string(c->plan, b->name);
	char text[GRETA_TEXT_MAX];
	fprintf(c->out, "<rect class='b f%u' x='%.2f' y='%.2f' width='%.2f' height='%.2f'><title>", writer->logic_block,
		x, y, width, height);
	print_escaped(c->out, name);
	fprintf(c->out, ": %s at %llu, launches %u to %u</title></rect>\n", greta_bytes_text(b->bytes, text),
		(unsigned long long)b->offset, b->first, b->last - 1);
	double letters = 0;
	for (const char *n = name; *n; n++)
		letters += 6.6;
	if (height < 12 || width < letters + 4)
		return;
	fprintf(c->out, "<text class='in' x='%.2f' y='%.2f'>", x + 3, y + height / 2 + 4);
	print_escaped(c->out, name);
	fputs("</text>\n", c->out);
}

static void print_arena(const struct canvas *c)
{
	char peak[GRETA_TEXT_MAX], naive[GRETA_TEXT_MAX];
	uint64_t sum = 0;
	for (size_t b = 0; b < c->plan->buffer_count; b++)
		if (c->plan->buffers[b].program == c->index)
			sum += c->plan->buffers[b].bytes;
	fprintf(c->out,
		"<text class='heading' x='24' y='%d'>Arena: who holds which address during which launch "
		"(peak %s; without reuse %s)</text>\n",
		ARENA_TOP - 20, greta_bytes_text(c->program->arena_bytes, peak), greta_bytes_text(sum, naive));
	print_axes(c);
	for (size_t b = 0; b < c->plan->buffer_count; b++)
		if (c->plan->buffers[b].program == c->index)
			print_buffer(c, &c->plan->buffers[b]);
	double y = y_of(c, c->program->arena_bytes);
	fprintf(c->out, "<line class='bound' x1='%d' x2='%d' y1='%.2f' y2='%.2f'/>", LEFT, LEFT + PANEL, y, y);
	uint64_t bound = greta_arena_bound(c->plan, c->index);
	fprintf(c->out, "<text class='boundtext' x='%d' y='%.2f' text-anchor='end'>peak %s, %s</text>\n", LEFT + PANEL,
		y + 38, peak,
		c->program->arena_bytes == bound ? "the lower bound: no packing is smaller"
						 : "above the bytes alive at one time");
	fprintf(c->out,
		"<text class='quiet' x='%d' y='%.2f'>A buffer has the colour of the launch that writes it first. "
		"Addresses grow downwards, heights with the square root of sizes.</text>\n",
		LEFT, y + 38);
}

void greta_show_svg(const struct greta_plan *plan, uint32_t program, FILE *out)
{
	struct canvas c = {.plan = plan, .program = &plan->programs[program], .index = program, .out = out};
	scale_addresses(&c);
	fprintf(out,
		"<svg class='greta-plan' xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' viewBox='0 0 %d %d'>\n",
		WIDTH, HEIGHT, WIDTH, HEIGHT);
	print_style(out);
	fputs("<rect class='page' width='100%' height='100%'/>\n", out);
	print_title(&c);
	print_legend(&c);
	print_schedule(&c);
	print_arena(&c);
	fputs("</svg>\n", out);
}
