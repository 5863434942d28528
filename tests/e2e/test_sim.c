/* A plan for gfx942 (or gfx90a, gfx1100, gfx1201) from end to end without an AMD GPU: the session uploads the bundled
 * model, captures its programs and replays them, and the build's own machine code runs in the simulator
 * (tests/provider/sim.h). The logits are the processor's, to the bit. Arguments: the model, and the target if it is
 * another. Skipped where the build has no kernels for it or nothing here disassembles them; a case is skipped whose
 * plan uses kernels that the code object lacks. */
#include "kernels/gpu/image.h"
#include "planner/planner.h"
#include "runtime/session.h"
#include "sim942.h"
#include "tests/provider/sim.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SKIPPED 77
#define CONTEXT 96
#define PROMPT_SHORT 3
#define PROMPT_LONG (GRETA_ATTENTION_CHUNK + 2) /* attention is split */
#define GENERATED 2
#define LOGITS (1 + GENERATED)

static const char *model_path, *target = "gfx942";
static const uint32_t prefill[] = {8};

/* What the processor says behind a prompt. */
static struct {
	size_t prompt;
	float *logits; /* [LOGITS][vocab] */
	int32_t tokens[GENERATED];
} expected[] = {{.prompt = PROMPT_SHORT}, {.prompt = PROMPT_LONG}};
static struct sim942_code *code; /* to look functions up in */

static void must(enum greta_status status, const struct greta_error *error)
{
	if (status != GRETA_OK)
		fail_msg("%s", error->message);
}

/* Feeds a prompt and says what follows, with the logits of each position. */
static void speak(struct greta *greta, size_t prompt_tokens, float *out_logits, int32_t *out_tokens)
{
	int32_t prompt[PROMPT_LONG] = {1};
	struct greta_error error;
	const float *logits;
	size_t vocab = greta_get_info(greta)->vocab;
	for (size_t i = 1; i < prompt_tokens; i++)
		prompt[i] = (int32_t)(300 + 37 * i % 1500);
	must(greta_feed(greta, prompt, prompt_tokens, &error), &error);
	for (size_t i = 0; i < LOGITS; i++) {
		must(greta_logits(greta, &logits, &error), &error);
		memcpy(out_logits + i * vocab, logits, vocab * sizeof(*logits));
		if (i < GENERATED)
			must(greta_next(greta, &out_tokens[i], &error), &error);
	}
}

static int ask_the_processor(void **state)
{
	struct greta_options options = {.provider = "cpu", .context = CONTEXT, .no_cache = true};
	struct greta *greta;
	struct greta_error error;
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		must(greta_open(model_path, &options, &greta, &error), &error);
		expected[i].logits = calloc(LOGITS * (size_t)greta_get_info(greta)->vocab, sizeof(float));
		assert_non_null(expected[i].logits);
		speak(greta, expected[i].prompt, expected[i].logits, expected[i].tokens);
		greta_close(greta);
	}
	return 0;
}

static int forget(void **state)
{
	(void)state;
	free(expected[0].logits);
	free(expected[1].logits);
	return 0;
}

/* ---- A session on the simulated device ---- */

struct device {
	struct greta_hip *cpu;
	struct greta_hip hip;
	struct greta_options options;
};

static void open_device(struct device *device)
{
	struct greta_error error;
	*device = (struct device){.options = {.no_cache = true, .threads = 1}};
	struct greta_hip_options how = {.threads = 1, .guard = true};
	must(greta_hip_load("cpu", &how, &device->cpu, &error), &error);
	assert_true(sim_wrap(device->cpu, &device->hip));
	sim_set_architecture(target);
}

static struct greta_session_source source_of(struct device *device, enum greta_fuse fuse, size_t prefills)
{
	struct greta_session_source source = {.plan_path = "", .options = &device->options, .hip = &device->hip};
	struct greta_plan_options how = {.target = target, .context = CONTEXT, .prefill = prefill,
	                                 .prefill_count = prefills, .fuse = fuse};
	struct greta_llama llama;
	struct greta_plan_image image;
	struct greta_error error;
	must(greta_gguf_open(model_path, &source.gguf, &error), &error);
	must(greta_llama_init(&llama, source.gguf, &error), &error);
	must(greta_plan_build(&llama, &how, &image, &error), &error);
	greta_llama_finish(&llama);
	source.plan_memory = image.data;
	must(greta_plan_open_memory(image.data, image.size, &source.plan, &error), &error);
	return source;
}

static void forget_source(struct greta_session_source *source)
{
	greta_plan_close(&source->plan);
	greta_gguf_close(source->gguf);
	free(source->plan_memory);
}

static bool has_all_functions(const struct greta_plan *plan)
{
	for (size_t l = 0; l < plan->launch_count; l++) {
		const char *name = greta_plan_string(plan, plan->launches[l].symbol);
		if (!sim942_kernel_by_name(code, name)) {
			print_message("the code object has no %s\n", name);
			return false;
		}
	}
	return true;
}

static void compare(struct greta *greta, size_t which)
{
	const float *wanted = expected[which].logits;
	size_t vocab = greta_get_info(greta)->vocab;
	float *logits = calloc(LOGITS * vocab, sizeof(*logits));
	int32_t tokens[GENERATED];
	assert_non_null(logits);
	speak(greta, expected[which].prompt, logits, tokens);
	for (size_t i = 0; i < LOGITS * vocab; i++)
		if (logits[i] != wanted[i] || signbit(logits[i]) != signbit(wanted[i]))
			fail_msg("logit %zu of position %zu is %a, on the processor %a", i % vocab,
			         expected[which].prompt - 1 + i / vocab,
			         (double)logits[i], (double)wanted[i]);
	assert_memory_equal(tokens, expected[which].tokens, sizeof(tokens));
	free(logits);
}

static void says_what_the_processor_says(enum greta_fuse fuse, bool eager, size_t prefills, size_t which)
{
	struct device device;
	struct greta *greta;
	struct greta_error error;
	open_device(&device);
	device.options.eager = eager;
	struct greta_session_source source = source_of(&device, fuse, prefills);
	if (!has_all_functions(&source.plan)) {
		forget_source(&source);
		greta_hip_unload(device.cpu);
		skip();
	}
	must(greta_session_open(&source, &greta, &error), &error);
	const uint64_t *regions = greta_session_plan(greta)->header->region_bytes;
	uint64_t planned = 0;
	for (int r = 0; r < GRETA_REGION_COUNT; r++)
		planned += r == GRETA_REGION_IO ? 0 : regions[r]; /* which is the host's */
	assert_int_equal(sim_peak_bytes(), planned);
	compare(greta, which);
	assert_int_equal(sim_peak_bytes(), planned);
	must(greta_check(greta, &error), &error);
	print_message("%u launches a step, %lu launches and %lu wave instructions in all\n",
	              greta_session_plan(greta)->programs[0].launch_count, sim_launches(), sim_instructions());
	greta_close(greta);
	assert_int_equal(sim_used_bytes(), 0);
	greta_hip_unload(device.cpu);
}

static void a_graph_of_fused_kernels(void **state)
{
	(void)state;
	says_what_the_processor_says(GRETA_FUSE_FULL, false, 0, 0);
}

static void launches_of_textbook_kernels(void **state)
{
	(void)state;
	says_what_the_processor_says(GRETA_FUSE_NONE, true, 0, 0);
}

static void a_prompt_taken_at_once(void **state)
{
	(void)state;
	says_what_the_processor_says(GRETA_FUSE_FULL, false, 1, 1);
}

static void a_context_split_over_blocks(void **state)
{
	(void)state;
	says_what_the_processor_says(GRETA_FUSE_FULL, false, 0, 1);
}

static void a_device_too_small_is_refused_before_the_upload(void **state)
{
	struct device device;
	struct greta *greta = NULL;
	struct greta_error error = {.message = ""};
	(void)state;
	open_device(&device);
	struct greta_session_source source = source_of(&device, GRETA_FUSE_FULL, 0);
	sim_set_memory((size_t)1 << 20);
	assert_int_equal(greta_session_open(&source, &greta, &error), GRETA_ERROR_MEMORY);
	assert_non_null(strstr(error.message, "too small"));
	assert_non_null(strstr(error.message, "1.0 MiB are free"));
	assert_int_equal(sim_peak_bytes(), 0);
	assert_null(greta);
	forget_source(&source);
	greta_hip_unload(device.cpu);
}

/* ---- Whether it can be run at all ---- */

static bool open_code(void)
{
	char reason[1024];
	const struct greta_gpu_image *image = greta_gpu_image(target);
	if (!image) {
		printf("skipped: this build has no kernels for %s (option gpu_targets)\n", target);
		return false;
	}
	if (sim942_load(image->data, image->size, &code, reason, sizeof(reason))) {
		printf("skipped: %s\n", reason);
		return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_device_too_small_is_refused_before_the_upload),
	    cmocka_unit_test(a_graph_of_fused_kernels),
	    cmocka_unit_test(launches_of_textbook_kernels),
	    cmocka_unit_test(a_context_split_over_blocks),
	    cmocka_unit_test(a_prompt_taken_at_once),
	};
	if (argc < 2)
		return 2;
	model_path = argv[1];
	target = argc > 2 ? argv[2] : target;
	if (!open_code())
		return SKIPPED;
	int failed = cmocka_run_group_tests_name("sim", tests, ask_the_processor, forget);
	sim942_unload(code);
	return failed;
}
