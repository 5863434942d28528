#include "bench/blocks.h"

#include <stdlib.h>
#include <string.h>

#include "bench/record.h"
#include "kernels/abi.h"
#include "runtime/session.h"
#include "runtime/stamps.h"

/* Intervals that are told together. */
struct row {
	const char *block, *kernel; /* kernel: NULL where a row is not one */
	uint32_t layer;             /* GRETA_PLAN_NONE where a row is none's */
	uint32_t launches;
	uint64_t bytes;
	double *samples;            /* [runs] ns */
};

struct table {
	struct row *rows;
	size_t count;
	size_t *of; /* the row of each interval */
};

enum sum { PLAIN, STAMPED, DEVICE, BETWEEN, SUMS };

struct measuring {
	const struct bench_request *request;
	const struct bench_config *config;
	const struct greta_plan *plan; /* the twin's */
	size_t program;                /* decode */
	uint32_t slots;
	struct greta_stamp_interval *intervals; /* [slots - 1] */
	struct table blocks, details;
	double *sums[SUMS];            /* [runs] ns */
	uint64_t tick;                 /* of which all times are multiples */
	double tick_ns;
};

static enum greta_status no_memory(struct greta_error *error)
{
	(void)greta_fail(error, GRETA_ERROR_MEMORY, "no memory for the times of blocks");
	return GRETA_ERROR_MEMORY;
}

/* ---- Rows ---- */

static bool same_text(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

/* The row that an interval belongs to by `by`, as it would be new. */
static struct row row_of(const struct measuring *m, const struct greta_stamp_interval *interval, enum bench_blocks by)
{
	struct row row = {.block = "stamp", .layer = GRETA_PLAN_NONE};
	if (!interval->count)
		return row;
	const struct greta_plan_launch *launch = &m->plan->launches[interval->first];
	row.block = greta_block_name(launch->logic_block);
	if (by == BENCH_BLOCKS_LAYERS)
		row.layer = launch->layer;
	if (by == BENCH_BLOCKS_LAUNCHES)
		row.kernel = greta_plan_string(m->plan, launch->symbol);
	return row;
}

static bool table_init(struct table *table, const struct measuring *m, enum bench_blocks by)
{
	uint32_t intervals = m->slots - 1;
	table->rows = calloc(intervals, sizeof(*table->rows));
	table->of = calloc(intervals, sizeof(*table->of));
	if (!table->rows || !table->of)
		return false;
	for (uint32_t i = 0; i < intervals; i++) {
		struct row made = row_of(m, &m->intervals[i], by);
		size_t r = 0;
		while (r < table->count &&
		       (!same_text(table->rows[r].block, made.block) ||
		        !same_text(table->rows[r].kernel, made.kernel) || table->rows[r].layer != made.layer))
			r++;
		if (r == table->count) {
			made.samples = calloc(m->request->runs, sizeof(double));
			if (!made.samples)
				return false;
			table->rows[table->count++] = made;
		}
		table->of[i] = r;
		for (uint32_t l = 0; l < m->intervals[i].count; l++)
			table->rows[r].bytes += greta_launch_weight_bytes(m->plan, m->intervals[i].first + l);
		table->rows[r].launches += m->intervals[i].count;
	}
	return true;
}

static void table_finish(struct table *table)
{
	for (size_t r = 0; r < table->count; r++)
		free(table->rows[r].samples);
	free(table->rows);
	free(table->of);
}

/* ---- Measuring ---- */

static uint64_t common(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* The last `steps` of the rows kept become a sample of each table row and sum. */
static void take(struct measuring *m, const struct greta_stamps *stamps, size_t steps, unsigned run)
{
	const struct greta_program_stamps *program = &stamps->programs[m->program];
	size_t kept = program->kept < steps ? program->kept : steps, first = program->kept - kept;
	double scale = stamps->tick_ns / (double)kept;
	m->tick_ns = stamps->tick_ns;
	for (struct table *table = &m->blocks; table; table = table == &m->blocks ? &m->details : NULL)
		for (size_t r = 0; r < table->count; r++)
			table->rows[r].samples[run] = 0;
	m->sums[DEVICE][run] = m->sums[BETWEEN][run] = 0;
	for (size_t s = 0; s < kept; s++) {
		const uint64_t *clock = greta_stamps_row(program, first + s) + 1;
		for (uint32_t i = 0; i + 1 < m->slots; i++) {
			uint64_t ticks = clock[i + 1] - clock[i];
			m->tick = common(m->tick, ticks);
			m->blocks.rows[m->blocks.of[i]].samples[run] += (double)ticks * scale;
			if (m->details.count)
				m->details.rows[m->details.of[i]].samples[run] += (double)ticks * scale;
		}
		m->sums[DEVICE][run] += (double)(clock[m->slots - 1] - clock[0]) * scale;
		if (s)
			m->sums[BETWEEN][run] +=
			    (double)(clock[0] - greta_stamps_row(program, first + s - 1)[m->slots]) * stamps->tick_ns /
			    (double)(kept - 1);
	}
}

/* Run 0 warms up and is overwritten by run 1. */
static enum greta_status measure(struct measuring *m, struct bench_config *plain, struct bench_config *twin,
                                 const struct bench_tokens *tokens, size_t depth, struct greta_error *error)
{
	unsigned steps = m->request->generate;
	enum greta_status status = GRETA_OK;
	for (unsigned run = 0; run <= m->request->runs && status == GRETA_OK; run++) {
		unsigned slot = run ? run - 1 : 0;
		struct greta_stamps stamps;
		size_t start;
		status = bench_time_decode(plain, tokens, depth, steps, &m->sums[PLAIN][slot], &start, error);
		if (status == GRETA_OK)
			status = bench_time_decode(twin, tokens, depth, steps, &m->sums[STAMPED][slot], &start, error);
		if (status == GRETA_OK)
			status = greta_stamps_read(twin->greta, &stamps, error);
		if (status != GRETA_OK)
			return status;
		m->sums[PLAIN][slot] /= steps;
		m->sums[STAMPED][slot] /= steps;
		take(m, &stamps, steps, slot);
		greta_stamps_finish(&stamps);
	}
	return status;
}

/* ---- The document ---- */

static bool add(json_t *document, const char *array, json_t *row)
{
	json_t *rows = json_object_get(document, array);
	if (!rows) {
		rows = json_array();
		if (json_object_set_new(document, array, rows)) {
			json_decref(row);
			return false;
		}
	}
	return json_array_append_new(rows, row) == 0;
}

static json_t *describe(const struct measuring *m, size_t depth, const char *block, const double *samples)
{
	return json_pack("{s:s, s:s, s:i, s:s, s:i, s:o}", "mode", m->config->eager ? "eager" : "graph", "fuse",
	                 m->config->fuse_full ? "full" : "none", "n_depth", (int)depth, "block", block, "processes", 1,
	                 "samples_ns", bench_samples(samples, m->request->runs));
}

static bool add_table(const struct measuring *m, size_t depth, const struct table *table, const char *array,
                      json_t *document)
{
	for (size_t r = 0; r < table->count; r++) {
		const struct row *row = &table->rows[r];
		json_t *made = describe(m, depth, row->block, row->samples);
		bool good = made && json_object_set_new(made, "launches", json_integer(row->launches)) == 0 &&
		            json_object_set_new(made, "weight_bytes", json_integer((json_int_t)row->bytes)) == 0 &&
		            (row->layer == GRETA_PLAN_NONE ||
		             json_object_set_new(made, "layer", json_integer(row->layer)) == 0) &&
		            (!row->kernel || json_object_set_new(made, "kernel", json_string(row->kernel)) == 0);
		if (!good) {
			json_decref(made);
			return false;
		}
		if (!add(document, array, made))
			return false;
	}
	return true;
}

static bool add_sums(const struct measuring *m, size_t depth, json_t *document)
{
	static const char *const names[SUMS] = {"plain step", "stamped step", "device step", "between steps"};
	for (int s = 0; s < SUMS; s++) {
		json_t *row = describe(m, depth, names[s], m->sums[s]);
		if (!row || json_object_set_new(row, "clock_step_ns", json_real((double)m->tick * m->tick_ns))) {
			json_decref(row);
			return false;
		}
		if (!add(document, "block_sums", row))
			return false;
	}
	return true;
}

static enum greta_status prepare(struct measuring *m, const struct bench_config *twin, struct greta_error *error)
{
	m->plan = greta_session_plan(twin->greta);
	while (m->program + 1 < m->plan->program_count && m->plan->programs[m->program].kind != GRETA_PROGRAM_DECODE)
		m->program++;
	m->slots = greta_stamp_slots(m->plan, m->program);
	if (m->slots < 2) {
		(void)greta_fail(error, GRETA_ERROR_ARGUMENT, "the plan writes no time stamps");
		return GRETA_ERROR_ARGUMENT;
	}
	m->intervals = calloc(m->slots, sizeof(*m->intervals));
	for (int s = 0; s < SUMS; s++)
		m->sums[s] = calloc(m->request->runs, sizeof(double));
	if (!m->intervals || !m->sums[PLAIN] || !m->sums[STAMPED] || !m->sums[DEVICE] || !m->sums[BETWEEN])
		return no_memory(error);
	greta_stamp_intervals(m->plan, m->program, m->intervals);
	bool good = table_init(&m->blocks, m, BENCH_BLOCKS_SUMMED) &&
	            (m->request->blocks == BENCH_BLOCKS_SUMMED || table_init(&m->details, m, m->request->blocks));
	return good ? GRETA_OK : no_memory(error);
}

static enum greta_status open_twin(const struct bench_request *request, const struct bench_config *config,
                                   struct bench_config *out_twin, struct greta_error *error)
{
	struct greta_options options = request->options;
	*out_twin = *config;
	out_twin->filled = 0;
	options.eager = config->eager;
	options.fuse = config->fuse_full ? GRETA_OPEN_FUSE_FULL : GRETA_OPEN_FUSE_NONE;
	options.context = greta_get_info(config->greta)->context;
	options.stamps =
	    request->blocks == BENCH_BLOCKS_LAUNCHES ? GRETA_OPEN_STAMPS_LAUNCHES : GRETA_OPEN_STAMPS_BLOCKS;
	return greta_open(request->model, &options, &out_twin->greta, error);
}

enum greta_status bench_blocks_measure(const struct bench_request *request, struct bench_config *config,
                                       const struct bench_tokens *tokens, size_t depth, json_t *document,
                                       struct greta_error *error)
{
	struct measuring m = {.request = request, .config = config};
	struct bench_config twin;
	enum greta_status status = open_twin(request, config, &twin, error);
	if (status != GRETA_OK)
		return status;
	status = prepare(&m, &twin, error);
	if (status == GRETA_OK)
		status = measure(&m, config, &twin, tokens, depth, error);
	if (status == GRETA_OK && (!add_table(&m, depth, &m.blocks, "blocks", document) ||
	                           !add_table(&m, depth, &m.details, "block_details", document) ||
	                           !add_sums(&m, depth, document)))
		status = no_memory(error);
	table_finish(&m.blocks);
	table_finish(&m.details);
	for (int s = 0; s < SUMS; s++)
		free(m.sums[s]);
	free(m.intervals);
	greta_close(twin.greta);
	return status;
}
