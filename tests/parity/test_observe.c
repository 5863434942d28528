/* What a step leaves behind, as a session tells it, and every HIP call of a comparison failing in turn. Argument: the
 * model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/parity/run.h"
#include "tests/runtime/fault_walk.h"

#include <string.h>

#define VOCAB 2048
#define WIDTH 256

static const char *model_path;
static const int32_t tokens[] = {1, 300, 337, 374, 411, 448};

static void must(enum greta_status status, const struct greta_error *error)
{
	if (status != GRETA_OK)
		fail_msg("%s", error->message);
}

static struct greta_parity_setup setup(const char *words)
{
	struct greta_parity_setup made = greta_parity_setup_default();
	struct greta_error error;
	must(greta_parity_setup_read(&made, words, &error), &error);
	return made;
}

static void open_side(const char *words, struct greta_parity_side *side)
{
	const struct greta_parity_setup how = setup(words);
	struct greta_error error;
	must(greta_parity_side_open(model_path, &how, 64, 8, side, &error), &error);
}

static size_t buffer_of(const struct greta *greta, const char *name)
{
	size_t buffer;
	if (!greta_session_find_buffer(greta, greta_session_last_program(greta), name, &buffer))
		fail_msg("no buffer %s", name);
	return buffer;
}

static void buffers_are_read_by_name(void **state)
{
	struct greta_parity_side side;
	struct greta_error error;
	static float logits[VOCAB], x[4 * WIDTH], row[WIDTH];
	const float *given;
	size_t buffer;
	(void)state;
	open_side("cpu,chunk=8", &side);
	must(greta_feed(side.greta, tokens, 4, &error), &error);
	assert_int_equal(greta_session_plan(side.greta)->programs[greta_session_last_program(side.greta)].chunk_tokens, 8);
	must(greta_session_read(side.greta, buffer_of(side.greta, "logits"), 0, logits, sizeof(logits), &error), &error);
	must(greta_logits(side.greta, &given, &error), &error);
	assert_memory_equal(given, logits, sizeof(logits));
	buffer = buffer_of(side.greta, "x_ffn.7");
	must(greta_session_read(side.greta, buffer, 0, x, sizeof(x), &error), &error);
	must(greta_session_read(side.greta, buffer, sizeof(row), row, sizeof(row), &error), &error);
	assert_memory_equal(x + WIDTH, row, sizeof(row));
	assert_memory_not_equal(x, row, sizeof(row));
	/* Of the program that ran: another has a buffer of that name, too. */
	assert_int_equal(greta_session_plan(side.greta)->buffers[buffer].bytes, 8 * sizeof(row));
	must(greta_feed(side.greta, tokens + 4, 1, &error), &error);
	buffer = buffer_of(side.greta, "x_ffn.7");
	assert_int_equal(greta_session_plan(side.greta)->buffers[buffer].bytes, sizeof(row));
	assert_false(greta_session_find_buffer(side.greta, 0, "x_ffn.8", &buffer));
	assert_int_equal(greta_session_read(side.greta, buffer, 1, row, sizeof(row), &error), GRETA_ERROR_ARGUMENT);
	assert_int_equal(greta_session_read(side.greta, buffer, UINT64_MAX, row, 4, &error), GRETA_ERROR_ARGUMENT);
	assert_int_equal(greta_session_read(side.greta, 100000, 0, row, 4, &error), GRETA_ERROR_ARGUMENT);
	assert_int_equal(greta_session_fill(side.greta, GRETA_REGION_STATE, 0, &error), GRETA_ERROR_ARGUMENT);
	greta_parity_side_close(&side);
}

static bool is_unwritten(struct greta *greta, const char *name)
{
	float row[WIDTH];
	struct greta_error error;
	must(greta_session_read(greta, buffer_of(greta, name), 0, row, sizeof(row), &error), &error);
	for (size_t i = 0; i < sizeof(row); i++)
		if (((const uint8_t *)row)[i] != 0xff)
			return false;
	return true;
}

static void a_step_can_be_run_in_part_and_leaves_the_sequence(void **state)
{
	struct greta_parity_side side;
	struct greta_error error;
	static float expected[VOCAB];
	const float *logits;
	(void)state;
	open_side("cpu,fuse=none,decode", &side);
	must(greta_feed(side.greta, tokens, 3, &error), &error);
	must(greta_logits(side.greta, &logits, &error), &error);
	memcpy(expected, logits, sizeof(expected));
	must(greta_truncate(side.greta, 2, &error), &error);
	for (uint32_t launches = 2; launches <= 4; launches++) { /* embed, rope_angles, rmsnorm, product q */
		must(greta_session_fill(side.greta, GRETA_REGION_ARENA, 0xff, &error), &error);
		must(greta_session_run_launches(side.greta, tokens + 2, 1, 0, launches, &error), &error);
		assert_false(is_unwritten(side.greta, "x"));
		assert_int_equal(is_unwritten(side.greta, "attn_norm.0"), launches < 3);
		assert_int_equal(is_unwritten(side.greta, "q.0"), launches < 4);
		assert_true(is_unwritten(side.greta, "output.0"));
		assert_int_equal(greta_length(side.greta), 2);
	}
	assert_int_equal(greta_session_run_launches(side.greta, tokens, 2, 0, 1, &error), GRETA_ERROR_ARGUMENT);
	assert_int_equal(greta_session_run_launches(side.greta, tokens, 0, 0, 1, &error), GRETA_ERROR_ARGUMENT);
	assert_int_equal(greta_session_run_launches(side.greta, tokens, 1, 0, 100000, &error), GRETA_ERROR_ARGUMENT);
	must(greta_feed(side.greta, tokens + 2, 1, &error), &error);
	must(greta_logits(side.greta, &logits, &error), &error);
	assert_memory_equal(expected, logits, sizeof(expected));
	greta_parity_side_close(&side);
}

static enum greta_status compare(void *user, struct greta_hip *hip, struct greta_error *error)
{
	struct greta_parity_setup setups[] = {setup("cpu,chunk=3,x32"), setup("cpu,decode,eager,fuse=none")};
	struct greta_parity_result result;
	(void)user;
	setups[0].hip = setups[1].hip = hip;
	const struct greta_parity_request request = {
		.model = model_path, .tokens = tokens, .count = 4, .context = 4, .setups = setups, .sides = 2, .runs = 2,
		.top_k = 1,
	};
	enum greta_status status = greta_parity_run(&request, &result, error);
	if (status == GRETA_OK) {
		assert_true(greta_parity_passed(&result));
		assert_int_equal(result.pair[0].verdict, GRETA_PARITY_EQUAL);
		greta_parity_result_finish(&result);
	}
	return status;
}

static void every_hip_call_may_fail(void **state)
{
	struct greta_hip *hip;
	struct greta_error error;
	(void)state;
	must(greta_hip_load("cpu", &(struct greta_hip_options){.threads = 1, .guard = true}, &hip, &error), &error);
	assert_true(walk_faults(&(struct fault_walk){.hip = hip, .run = compare, .step = 97}) > 20);
	greta_hip_unload(hip);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_are_read_by_name),
		cmocka_unit_test(a_step_can_be_run_in_part_and_leaves_the_sequence),
		cmocka_unit_test(every_hip_call_may_fail),
	};
	if (argc != 2)
		return 2;
	model_path = argv[1];
	return cmocka_run_group_tests_name("observing", tests, NULL, NULL);
}
