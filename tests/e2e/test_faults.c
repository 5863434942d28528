/* Real kernels, every HIP call of a session failing in turn: load, upload, capture, instantiate, replay, prefill, decode,
 * close; as graphs and launch by launch. Between the faults the provider is never loaded anew, and what is computed without
 * one has the processor's bits.
 *
 *     test-faults PROVIDER [STEP]    sim (gfx942 code in the simulator), cpu, amd, nvidia; every STEP-th call
 *
 * Skipped where the provider has no device or this build no kernels for it. */
#include "kernels/gpu/image.h"
#include "planner/planner.h"
#include "runtime/session.h"
#include "tests/planner/small_model.h"
#include "tests/provider/sim.h"
#include "tests/runtime/fault_walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SKIPPED 77
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

static struct greta_hip *loaded; /* the provider asked for; for sim, the cpu below it */
static struct greta_hip device;
static unsigned long step;

/* A source of its own for each session, which takes plan and model. */
static struct greta_session_source source_of(const struct setting *setting, struct greta_hip *hip)
{
	struct greta_session_source source = {.plan_path = "small.plan", .options = &setting->options, .hip = hip};
	struct greta_plan_options how = {.target = setting->target, .context = CONTEXT, .prefill = prefill,
	                                 .prefill_count = 1, .fuse = GRETA_FUSE_FULL, .threads = 1};
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
	double times[64];
	const float *logits;
	enum greta_status status = greta_feed(greta, prompt, PROMPT, error);
	for (size_t i = 0; i < GENERATED && status == GRETA_OK; i++)
		status = greta_next(greta, &out->tokens[i], error);
	if (status == GRETA_OK)
		status = greta_logits(greta, &logits, error);
	if (status == GRETA_OK) {
		memcpy(out->logits, logits, greta_get_info(greta)->vocab * sizeof(*logits));
		assert_true(greta_session_plan(greta)->programs[0].launch_count <= 64);
		status = greta_session_time_launches(greta, times, error);
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
	if (greta_hip_load("cpu", &(struct greta_hip_options){.threads = 1, .guard = true}, &cpu, &error) != GRETA_OK ||
	    run(setting, cpu, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	greta_hip_unload(cpu);
	memcpy(setting->target, target, sizeof(target));
	setting->judge = true;
}

static void walk(bool eager)
{
	struct setting setting = {.options = {.no_cache = true, .threads = 1, .eager = eager}};
	struct greta_error error;
	if (greta_hip_architecture(&device, 0, setting.target, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	small_model_open(&setting.model, shape, "Q4_K_M");
	ask_the_processor(&setting);
	walk_faults(&(struct fault_walk){.hip = &device, .run = run, .user = &setting, .step = step});
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

/* Returns 0, or the exit status. */
static int open_device(const char *provider)
{
	bool sim = strcmp(provider, "sim") == 0;
	struct greta_hip_options options = {.threads = 1, .guard = true, .overlap = true};
	struct greta_error error = {.message = "the cpu provider refused the simulator"};
	char target[GRETA_HIP_ARCHITECTURE_MAX];
	if (sim && !greta_gpu_image("gfx942")) {
		puts("skipped: this build has no kernels for gfx942 (option gpu_targets)");
		return SKIPPED;
	}
	enum greta_status status = greta_hip_load(sim ? "cpu" : provider, &options, &loaded, &error);
	if (status == GRETA_OK && sim)
		status = sim_wrap(loaded, &device) ? GRETA_OK : GRETA_ERROR_DEVICE;
	else if (status == GRETA_OK)
		device = *loaded;
	if (status == GRETA_OK)
		status = greta_hip_architecture(&device, 0, target, &error);
	if (status == GRETA_OK && strcmp(target, "cpu") != 0 && !greta_gpu_image(target))
		status = greta_fail(&error, GRETA_ERROR_DEVICE, "this build has no kernels for %s", target);
	if (status == GRETA_OK)
		return 0;
	printf("skipped: %s\n", error.message);
	greta_hip_unload(loaded);
	return status == GRETA_ERROR_DEVICE ? SKIPPED : 1;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(as_graphs), cmocka_unit_test(launch_by_launch)};
	if (argc < 2)
		return 2;
	step = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
	int status = open_device(argv[1]);
	if (status)
		return status;
	status = cmocka_run_group_tests_name("faults", tests, NULL, NULL);
	greta_hip_unload(loaded);
	return status;
}
