/* Real kernels, every HIP call of a session failing in turn: load, upload, capture, instantiate, replay, prefill,
 * decode, close; as graphs and launch by launch. Between the faults the provider is never loaded anew, and what is
 * computed without one has the processor's bits.
 *
 *     test-faults PROVIDER [STEP]    sim (gfx942 code in the simulator), cpu, amd, nvidia; every STEP-th call
 *
 * Skipped where the provider has no device or this build no kernels for it. */
#include "planner/planner.h"
#include "runtime/session.h"
#include "runtime/stamps.h"
#include "tests/e2e/any_device.h"
#include "tests/planner/small_model.h"
#include "tests/runtime/fault_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CONTEXT 64
#define PROMPT 3
#define GENERATED 2
#define VOCAB_MAX 512

static const char shape[] = "embd=256,layers=1,heads=4,kv=2,ffn=256,vocab=384,ctx=64";
static const uint32_t prefill[] = {4};

struct spoken {
	int32_t tokens[GENERATED];
	float logits[VOCAB_MAX];
};

struct setting {
	struct small_model model;
	char target[GRETA_HIP_ARCHITECTURE_MAX];
	struct greta_options options;
	struct spoken expected;
	bool judge; /* by what is expected */
};

static const struct greta_hip *device;
static char device_target[GRETA_HIP_ARCHITECTURE_MAX];
static unsigned long step;

/* A source of its own for each session, which takes plan and model. */
static struct greta_session_source source_of(const struct setting *setting, struct greta_hip *hip)
{
	struct greta_session_source source = {.plan_path = "small.plan", .options = &setting->options, .hip = hip};
	struct greta_plan_options how = {.target = setting->target, .context = CONTEXT, .prefill = prefill,
	                                 .prefill_count = 1, .fuse = GRETA_FUSE_FULL, .threads = 1,
	                                 .stamps = GRETA_PLAN_STAMPS_LAUNCHES};
	struct greta_plan_image image;
	struct greta_error error;
	if (greta_plan_build(&setting->model.llama, &how, &image, &error) != GRETA_OK ||
	    greta_plan_open_memory(image.data, image.size, &source.plan, &error) != GRETA_OK ||
	    greta_gguf_open(setting->model.path, &source.gguf, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	source.plan_memory = image.data;
	return source;
}

static enum greta_status speak(struct greta *greta, struct spoken *out, struct greta_error *error)
{
	static const int32_t prompt[PROMPT] = {1, 17, 250};
	struct greta_stamps stamps;
	const float *logits;
	enum greta_status status = greta_feed(greta, prompt, PROMPT, error);
	for (size_t i = 0; i < GENERATED && status == GRETA_OK; i++)
		status = greta_next(greta, &out->tokens[i], error);
	if (status == GRETA_OK)
		status = greta_logits(greta, &logits, error);
	if (status == GRETA_OK) {
		memcpy(out->logits, logits, greta_get_info(greta)->vocab * sizeof(*logits));
		status = greta_stamps_read(greta, &stamps, error);
	}
	if (status == GRETA_OK) {
		assert_int_equal(stamps.programs[0].steps, GENERATED);
		greta_stamps_finish(&stamps);
	}
	return status;
}

static enum greta_status run(void *user, struct greta_hip *hip, struct greta_error *error)
{
	struct setting *setting = user;
	struct greta_session_source source = source_of(setting, hip);
	struct greta *greta;
	struct spoken spoken = {.tokens = {-1}};
	enum greta_status status = greta_session_open(&source, &greta, error);
	if (status != GRETA_OK) {
		greta_plan_close(&source.plan);
		greta_gguf_close(source.gguf);
		free(source.plan_memory);
		return status;
	}
	assert_true(greta_get_info(greta)->vocab <= VOCAB_MAX);
	status = speak(greta, &spoken, error);
	greta_close(greta);
	if (status == GRETA_OK && setting->judge)
		assert_memory_equal(&spoken, &setting->expected, sizeof(spoken));
	else if (status == GRETA_OK)
		setting->expected = spoken;
	return status;
}

static void ask_the_processor(struct setting *setting)
{
	struct greta_hip *cpu;
	struct greta_error error;
	char target[GRETA_HIP_ARCHITECTURE_MAX];
	memcpy(target, setting->target, sizeof(target));
	strcpy(setting->target, "cpu");
	/* By the options that a cpu provider may be loaded with already. */
	if (greta_hip_load("cpu", &(struct greta_hip_options){.threads = 2, .guard = true, .overlap = true}, &cpu, &error) !=
		GRETA_OK ||
	    run(setting, cpu, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	greta_hip_unload(cpu);
	memcpy(setting->target, target, sizeof(target));
	setting->judge = true;
}

static void walk(bool eager)
{
	struct setting setting = {.options = {.no_cache = true, .threads = 1, .eager = eager}};
	memcpy(setting.target, device_target, sizeof(device_target));
	small_model_open(&setting.model, shape, "Q4_K_M");
	ask_the_processor(&setting);
	walk_faults(&(struct fault_walk){.hip = device, .run = run, .user = &setting, .step = step});
	small_model_close(&setting.model);
}

static void as_graphs(void **state)
{
	(void)state;
	walk(false);
}

static void launch_by_launch(void **state)
{
	(void)state;
	walk(true);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(as_graphs), cmocka_unit_test(launch_by_launch)};
	if (argc < 2)
		return 2;
	step = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	int status = any_device_open(argv[1], &device, device_target);
	if (status)
		return status;
	status = cmocka_run_group_tests_name("faults", tests, NULL, NULL);
	any_device_close();
	return status;
}
