#include "runtime/programs.h"

#include "runtime/clock.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of dynamic shared memory: 48 KiB are free, but a kernel's own are among them. */
#define SHARED_UNASKED (32u << 10)

static void relocate(struct greta_programs *programs, void *const bases[GRETA_REGION_COUNT])
{
	const struct greta_plan *plan = programs->plan;
	for (size_t i = 0; i < plan->launch_count; i++) {
		const struct greta_plan_launch *launch = &plan->launches[i];
		for (uint32_t k = 0; k < launch->reloc_count; k++) {
			const struct greta_plan_reloc *reloc = &plan->relocs[launch->first_reloc + k];
			uint8_t *field = programs->args + launch->args + reloc->field;
			uint64_t value;
			memcpy(&value, field, sizeof(value));
			value += (uint64_t)(uintptr_t)bases[reloc->region];
			memcpy(field, &value, sizeof(value));
		}
	}
}

/* Functions are few and launches many: an earlier launch with the same symbol usually has it. */
static hipFunction_t known_function(const struct greta_programs *programs, size_t launch)
{
	const struct greta_plan_launch *launches = programs->plan->launches;
	for (size_t i = launch; i-- > 0 && launch - i <= 64;)
		if (launches[i].symbol == launches[launch].symbol)
			return programs->functions[i];
	return NULL;
}

/* Kernels that want more shared memory than every device gives unasked must ask. */
static enum greta_status allow_shared(const struct greta_programs *programs, hipFunction_t function, size_t launch,
				      struct greta_error *error)
{
	const struct greta_plan_launch *launches = programs->plan->launches;
	uint32_t most = 0;
	for (size_t i = 0; i < programs->plan->launch_count; i++)
		if (launches[i].symbol == launches[launch].symbol && launches[i].shared_bytes > most)
			most = launches[i].shared_bytes;
	if (most <= SHARED_UNASKED)
		return GRETA_OK;
	hipError_t code = programs->hip->hipFuncSetAttribute((const void *)function,
							     hipFuncAttributeMaxDynamicSharedMemorySize, (int)most);
	if (code != hipSuccess)
		return greta_hip_fail(programs->hip, code, error,
				      "hipFuncSetAttribute for %u bytes of shared memory of kernel %s", most,
				      greta_plan_string(programs->plan, launches[launch].symbol));
	return GRETA_OK;
}

static enum greta_status resolve(struct greta_programs *programs, hipModule_t module, struct greta_error *error)
{
	const struct greta_plan *plan = programs->plan;
	for (size_t i = 0; i < plan->launch_count; i++) {
		const char *name = greta_plan_string(plan, plan->launches[i].symbol);
		hipFunction_t function = known_function(programs, i);
		if (!function) {
			hipError_t code = programs->hip->hipModuleGetFunction(&function, module, name);
			if (code == hipErrorNotFound)
				return greta_fail(error, GRETA_ERROR_MISMATCH,
				                  "this build has no kernel %s for target %s that "
				                  "the plan uses: plan again with greta-plan build",
				                  name, plan->header->target);
			if (code != hipSuccess)
				return greta_hip_fail(programs->hip, code, error, "hipModuleGetFunction of kernel %s",
				                      name);
			enum greta_status status = allow_shared(programs, function, i, error);
			if (status != GRETA_OK)
				return status;
		}
		programs->functions[i] = function;
	}
	return GRETA_OK;
}

enum greta_status greta_programs_init(struct greta_programs *programs, const struct greta_hip *hip,
				      const struct greta_plan *plan, hipModule_t module,
				      void *const bases[GRETA_REGION_COUNT], struct greta_error *error)
{
	struct greta_programs made = {.hip = hip, .plan = plan};
	size_t args_bytes = plan->header->sections[GRETA_PLAN_ARGS].count;
	enum greta_status status;
	made.items = calloc(plan->program_count + 1, sizeof(*made.items));
	made.functions = calloc(plan->launch_count + 1, sizeof(hipFunction_t));
	made.args = malloc(args_bytes + 1);
	if (made.items && made.functions && made.args) {
		for (size_t i = 0; i < plan->program_count; i++)
			made.items[i].plan = &plan->programs[i];
		memcpy(made.args, plan->args, args_bytes);
		relocate(&made, bases);
		status = resolve(&made, module, error);
	} else {
		status = greta_fail(error, GRETA_ERROR_MEMORY, "no memory for %zu launches", plan->launch_count);
	}
	if (status != GRETA_OK) {
		greta_programs_finish(&made);
		return status;
	}
	*programs = made;
	return GRETA_OK;
}

enum greta_status greta_programs_launch_one(const struct greta_programs *programs, size_t index, hipStream_t stream,
					    struct greta_error *error)
{
	const struct greta_plan_launch *launch = &programs->plan->launches[index];
	size_t bytes = launch->args_bytes;
	void *extra[] = {
		HIP_LAUNCH_PARAM_BUFFER_POINTER, programs->args + launch->args,
		HIP_LAUNCH_PARAM_BUFFER_SIZE, &bytes,
		HIP_LAUNCH_PARAM_END,
	};
	hipError_t code = programs->hip->hipModuleLaunchKernel(
		programs->functions[index], launch->grid[0], launch->grid[1], launch->grid[2], launch->block[0],
		launch->block[1], launch->block[2], launch->shared_bytes, stream, NULL, extra);
	if (code != hipSuccess)
		return greta_hip_fail(programs->hip, code, error,
		                      "hipModuleLaunchKernel of %s (launch %zu of the plan)",
		                      greta_plan_string(programs->plan, launch->symbol), index);
	return GRETA_OK;
}

enum greta_status greta_programs_launch(const struct greta_programs *programs, size_t index, hipStream_t stream,
					struct greta_error *error)
{
	const struct greta_plan_program *plan = programs->items[index].plan;
	enum greta_status status = GRETA_OK;
	for (uint32_t i = 0; i < plan->launch_count && status == GRETA_OK; i++)
		status = greta_programs_launch_one(programs, plan->first_launch + i, stream, error);
	return status;
}

static enum greta_status capture(struct greta_programs *programs, size_t index, hipStream_t stream,
                                 hipGraph_t *out_graph, struct greta_error *error)
{
	const struct greta_hip *hip = programs->hip;
	const char *name = greta_plan_string(programs->plan, programs->items[index].plan->name);
	hipGraph_t graph = NULL;
	hipError_t code = hip->hipStreamBeginCapture(stream, hipStreamCaptureModeThreadLocal);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipStreamBeginCapture of program %s", name);
	enum greta_status status = greta_programs_launch(programs, index, stream, error);
	code = hip->hipStreamEndCapture(stream, &graph); /* also after an error: nothing else frees the stream */
	if (status == GRETA_OK && code != hipSuccess)
		status = greta_hip_fail(hip, code, error, "hipStreamEndCapture of program %s", name);
	if (status == GRETA_OK && !graph)
		status = greta_fail(error, GRETA_ERROR_DEVICE, "hipStreamEndCapture of program %s gave no graph", name);
	if (status != GRETA_OK) {
		if (graph)
			hip->hipGraphDestroy(graph);
		return status;
	}
	*out_graph = graph;
	return GRETA_OK;
}

static enum greta_status instantiate(struct greta_programs *programs, size_t index, hipGraph_t graph,
				     struct greta_error *error)
{
	const struct greta_hip *hip = programs->hip;
	struct greta_program *program = &programs->items[index];
	const char *name = greta_plan_string(programs->plan, program->plan->name);
	hipGraphExec_t exec = NULL;
	size_t nodes = 0;
	hipError_t code = hip->hipGraphGetNodes(graph, NULL, &nodes);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipGraphGetNodes of program %s", name);
	code = hip->hipGraphInstantiate(&exec, graph, NULL, NULL, 0);
	if (code != hipSuccess)
		return greta_hip_fail(hip, code, error, "hipGraphInstantiate of program %s (%zu nodes)", name, nodes);
	program->exec = exec;
	program->nodes = nodes;
	return GRETA_OK;
}

enum greta_status greta_programs_capture(struct greta_programs *programs, size_t index, hipStream_t stream,
					 struct greta_error *error)
{
	hipGraph_t graph = NULL;
	if (programs->items[index].exec)
		return GRETA_OK;
	double start = greta_clock_ms();
	enum greta_status status = capture(programs, index, stream, &graph, error);
	if (status != GRETA_OK)
		return status;
	double captured = greta_clock_ms();
	status = instantiate(programs, index, graph, error);
	programs->hip->hipGraphDestroy(graph);
	programs->capture_ms += captured - start;
	programs->instantiate_ms += greta_clock_ms() - captured;
	return status;
}

enum greta_status greta_programs_replay(const struct greta_programs *programs, size_t index, hipStream_t stream,
					struct greta_error *error)
{
	const struct greta_program *program = &programs->items[index];
	hipError_t code = programs->hip->hipGraphLaunch(program->exec, stream);
	if (code != hipSuccess)
		return greta_hip_fail(programs->hip, code, error, "hipGraphLaunch of program %s",
				      greta_plan_string(programs->plan, program->plan->name));
	return GRETA_OK;
}

void greta_programs_finish(struct greta_programs *programs)
{
	for (size_t i = 0; programs->items && i < programs->plan->program_count; i++)
		if (programs->items[i].exec)
			programs->hip->hipGraphExecDestroy(programs->items[i].exec);
	free(programs->items);
	free(programs->functions);
	free(programs->args);
	*programs = (struct greta_programs){0};
}
