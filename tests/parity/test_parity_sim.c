/* gfx942 against the definition, value by value, without an AMD GPU: the build's own machine code in the simulator
 * (tests/provider/sim.h). Argument: the model. Skipped where the build has no kernels for gfx942 or nothing here
 * disassembles them. */
#include "bench/parity/digits.h"
#include "bench/parity/run.h"
#include "bench/parity/text.h"
#include "kernels/gpu/image.h"
#include "sim942.h"
#include "tests/provider/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SKIPPED 77
#define CONTEXT 96

static const char *model_path;
static struct greta_hip *cpu, simulated;

static void must(enum greta_status status, const struct greta_error *error)
{
	if (status != GRETA_OK)
		fail_msg("%s", error->message);
}

static int open_device(void **state)
{
	struct greta_hip_options how = {.threads = 1};
	struct greta_error error;
	(void)state;
	must(greta_hip_load("cpu", &how, &cpu, &error), &error);
	return sim_wrap(cpu, &simulated) ? 0 : -1;
}

static int close_device(void **state)
{
	(void)state;
	greta_hip_unload(cpu);
	return 0;
}

static struct greta_parity_setup setup(const char *words, struct greta_hip *hip)
{
	struct greta_parity_setup made = greta_parity_setup_default();
	struct greta_error error;
	must(greta_parity_setup_read(&made, words, &error), &error);
	made.threads = 1;
	made.hip = hip;
	return made;
}

static void is_equal(const char *words, size_t wanted, bool textbook)
{
	const struct greta_parity_setup setups[] = {setup("ref,fuse=none,eager,decode", NULL), setup(words, &simulated)};
	struct greta_parity_request request = {
		.model = model_path, .context = CONTEXT, .setups = setups, .sides = 2, .runs = 1, .top_k = 10,
	};
	struct greta_parity_result result;
	struct greta_error error;
	const char *from;
	int32_t *tokens;
	must(greta_parity_tokens(model_path, NULL, NULL, wanted, &tokens, &request.count, &from, &error), &error);
	request.tokens = tokens;
	must(greta_parity_run(&request, &result, &error), &error);
	free(tokens);
	char name[GRETA_PARITY_NAME_MAX];
	const struct greta_parity_pair *pair = &result.pair[0];
	if (pair->verdict != GRETA_PARITY_EQUAL)
		fail_msg("%s: %s, position %zu, value %u is %a, not %a; launch %s", result.side[1].text,
			 greta_parity_place_name(result.layers, pair->difference.place, name),
			 pair->difference.position, pair->difference.column, pair->difference.b, pair->difference.a,
			 pair->cause.culprit.symbol);
	for (size_t l = 0; l < result.places; l++)
		if (textbook)
			assert_true(pair->errors[l].rows > 0);
	assert_int_equal(result.positions, wanted);
	assert_true(sim_launches() > 0);
	greta_parity_result_finish(&result);
}

static void textbook_kernels(void **state)
{
	(void)state;
	is_equal("gfx942,fuse=none,eager,decode", 2, true);
}

static void fused_kernels_in_a_graph(void **state)
{
	(void)state;
	is_equal("gfx942,decode", 3, false);
}

static void a_prompt_taken_at_once(void **state)
{
	(void)state;
	is_equal("gfx942,chunk=6", 6, false);
}

/* The digits of the first layer's first product, as its launch on the device left them. */
static void digits_are_read_as_right(void **state)
{
	struct greta_parity_setup how = setup("gfx942,fuse=none,chunk=3", &simulated);
	struct greta_parity_side side;
	struct greta_parity_digits digits = {.checked = false};
	struct greta_error error;
	const char *from;
	int32_t *tokens;
	size_t count;
	(void)state;
	must(greta_parity_tokens(model_path, NULL, NULL, 3, &tokens, &count, &from, &error), &error);
	must(greta_parity_side_open(model_path, &how, CONTEXT, 3, &side, &error), &error);
	const struct greta_parity_step step = {.number = 1, .program = 1, .count = 3};
	for (uint32_t l = 0; l < 8 && !digits.checked; l++)
		must(greta_parity_digits_check(&side, tokens, &step, l, 2, &digits, &error), &error);
	assert_true(digits.checked);
	assert_true(digits.right);
	greta_parity_side_close(&side);
	free(tokens);
}

static bool can_run(void)
{
	char reason[1024];
	struct sim942_code *code;
	const struct greta_gpu_image *image = greta_gpu_image("gfx942");
	if (!image) {
		puts("skipped: this build has no kernels for gfx942 (option gpu_targets)");
		return false;
	}
	if (sim942_load(image->data, image->size, &code, reason, sizeof(reason))) {
		printf("skipped: %s\n", reason);
		return false;
	}
	sim942_unload(code);
	return true;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(textbook_kernels, open_device, close_device),
		cmocka_unit_test_setup_teardown(fused_kernels_in_a_graph, open_device, close_device),
		cmocka_unit_test_setup_teardown(a_prompt_taken_at_once, open_device, close_device),
		cmocka_unit_test_setup_teardown(digits_are_read_as_right, open_device, close_device),
	};
	if (argc != 2)
		return 2;
	model_path = argv[1];
	return can_run() ? cmocka_run_group_tests_name("parity in the simulator", tests, NULL, NULL) : SKIPPED;
}
