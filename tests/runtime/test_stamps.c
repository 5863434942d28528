/* Time stamps of a real plan on the cpu: what they cover, what they say, and that they change no token. Argument: a
 * model. */
#include "runtime/clock.h"
#include "runtime/session.h"
#include "runtime/stamps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PROMPT 21
#define GENERATED 300 /* more steps than are kept */

static const char *model;

static void good(enum greta_status status, const struct greta_error *error)
{
	if (status != GRETA_OK)
		fail_msg("%s", error->message);
}

static struct greta *open_with(enum greta_choice_stamps stamps, enum greta_choice_fuse fuse, bool eager)
{
	struct greta_options options = {.provider = "cpu", .no_cache = true, .threads = 2, .context = 400, .prefill = {8},
					.stamps = stamps, .fuse = fuse, .eager = eager};
	struct greta *greta = NULL;
	struct greta_error error;
	good(greta_open(model, &options, &greta, &error), &error);
	return greta;
}

static bool keep(void *user, int32_t token, const char *text, size_t length)
{
	(void)text, (void)length;
	int32_t **next = user;
	if (token >= 0)
		*(*next)++ = token;
	return true;
}

static void run(struct greta *greta, int32_t out[GENERATED])
{
	int32_t prompt[PROMPT] = {1};
	struct greta_error error;
	for (int i = 1; i < PROMPT; i++)
		prompt[i] = 300 + 37 * i % 1500;
	good(greta_feed(greta, prompt, PROMPT, &error), &error);
	good(greta_generate(greta, GENERATED, GRETA_IGNORE_END, keep, &out, NULL, NULL, &error), &error);
}

/* Every launch that is no stamp lies in one interval, in order. */
static void check_cover(const struct greta_plan *plan, size_t program, bool each)
{
	const struct greta_plan_program *p = &plan->programs[program];
	uint32_t slots = greta_stamp_slots(plan, program), next = p->first_launch + 2;
	struct greta_stamp_interval *intervals = calloc(slots, sizeof(*intervals));
	assert_non_null(intervals);
	greta_stamp_intervals(plan, program, intervals);
	assert_int_equal(intervals[0].count, 0);
	for (uint32_t i = 1; i + 1 < slots; i++) {
		assert_int_equal(intervals[i].first, next);
		assert_true(each ? intervals[i].count == 1 : intervals[i].count > 0);
		for (uint32_t l = 0; l < intervals[i].count; l++) {
			const struct greta_plan_launch *launch = &plan->launches[intervals[i].first + l];
			assert_int_not_equal(launch->kernel, GRETA_KERNEL_stamp);
			assert_int_equal(launch->logic_block, plan->launches[intervals[i].first].logic_block);
			assert_int_equal(launch->layer, plan->launches[intervals[i].first].layer);
		}
		next += intervals[i].count + 1;
	}
	assert_int_equal(next, p->first_launch + p->launch_count);
	free(intervals);
}

/* Clocks go forward through the rows kept, which are steps one after the other that end at `end`. */
static void check_rows(const struct greta_program_stamps *stamps, uint32_t tokens, uint32_t end, uint64_t from,
		       uint64_t to)
{
	uint64_t last = from;
	for (uint32_t r = 0; r < stamps->kept; r++) {
		const uint64_t *row = greta_stamps_row(stamps, r);
		uint32_t position = end - tokens * (stamps->kept - r);
		assert_int_equal((uint32_t)row[0], position);
		assert_int_equal(row[0] >> 32, tokens);
		for (uint32_t s = 0; s < stamps->slots; s++) {
			assert_true(row[1 + s] >= last);
			last = row[1 + s];
		}
	}
	assert_true(last <= to);
}

static void steps_are_stamped_and_not_changed(void **state)
{
	(void)state;
	static int32_t plain[GENERATED], tokens[GENERATED];
	for (int i = 0; i < 4; i++) {
		enum greta_choice_fuse fuse = i & 1 ? GRETA_OPEN_FUSE_FULL : GRETA_OPEN_FUSE_NONE;
		enum greta_choice_stamps where =
		    i == 1 || i == 2 ? GRETA_OPEN_STAMPS_LAUNCHES : GRETA_OPEN_STAMPS_BLOCKS;
		struct greta *greta = open_with(GRETA_OPEN_STAMPS_NONE, fuse, false);
		struct greta_stamps stamps;
		struct greta_error error;
		run(greta, plain);
		assert_int_equal(greta_stamps_read(greta, &stamps, &error), GRETA_ERROR_ARGUMENT);
		greta_close(greta);
		greta = open_with(where, fuse, i & 2);
		const struct greta_plan *plan = greta_session_plan(greta);
		for (size_t p = 0; p < plan->program_count; p++)
			check_cover(plan, p, where == GRETA_OPEN_STAMPS_LAUNCHES);
		struct greta_stamp_moment moment;
		good(greta_stamps_now(greta, &moment, &error), &error);
		assert_true(llabs((int64_t)(moment.device - moment.host_ns)) <= (int64_t)moment.unsure_ns);
		uint64_t from = greta_clock_ns();
		run(greta, tokens);
		assert_memory_equal(tokens, plain, sizeof(plain));
		good(greta_stamps_read(greta, &stamps, &error), &error);
		uint64_t to = greta_clock_ns();
		assert_int_equal(stamps.count, 2);
		assert_true(stamps.tick_ns == 1);
		/* 21 tokens: 8, 8 and the rest of 5; the first token of 300 came with them. */
		assert_int_equal(stamps.programs[1].steps, 3);
		assert_int_equal(stamps.programs[1].kept, 3);
		assert_int_equal(greta_stamps_row(&stamps.programs[1], 2)[0] >> 32, 5);
		stamps.programs[1].kept = 2;
		check_rows(&stamps.programs[1], 8, 16, from, to);
		assert_int_equal(stamps.programs[0].steps, GENERATED - 1);
		assert_int_equal(stamps.programs[0].kept, 256);
		check_rows(&stamps.programs[0], 1, PROMPT + GENERATED - 1, from, to);
		greta_stamps_finish(&stamps);
		greta_close(greta);
	}
}

static void launches_read_the_weights_of_a_step(void **state)
{
	(void)state;
	struct greta *greta = open_with(GRETA_OPEN_STAMPS_LAUNCHES, GRETA_OPEN_FUSE_FULL, true);
	const struct greta_plan *plan = greta_session_plan(greta);
	uint64_t bytes = 0;
	for (uint32_t l = 0; l < plan->programs[0].launch_count; l++)
		bytes += greta_launch_weight_bytes(plan, l);
	assert_true(bytes == plan->header->step_weight_bytes);
	greta_close(greta);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(steps_are_stamped_and_not_changed),
	    cmocka_unit_test(launches_read_the_weights_of_a_step),
	};
	if (argc != 2)
		return 2;
	model = argv[1];
	return cmocka_run_group_tests_name("stamps", tests, NULL, NULL);
}
