#include "tests/kernels/gpu/forms.h"

#include <stdio.h>
#include <string.h>

#include "tests/kernels/gpu/runner.h"

#define SKIPPED 77
#define FORMS_MAX 96

static struct gpu_runner *runner;
static bool ran[FORMS_MAX]; /* the runner's forms, in the order of its target's table */

int forms_start(int argc, char **argv)
{
	const char *name = NULL;
	char why[1024];
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "--target") == 0)
			name = argv[i + 1];
	if (!name)
		return 0;
	runner = gpu_runner_open(name, why, sizeof(why));
	if (!runner) {
		printf("skipped: %s: %s\n", name, why);
		return SKIPPED;
	}
	if (!greta_target_find(runner->target)) {
		printf("skipped: %s: there are no plans for %s\n", name, runner->target);
		forms_finish(NULL);
		return SKIPPED;
	}
	printf("target: %s\n", runner->name);
	return 0;
}

int forms_finish(void **context)
{
	(void)context;
	gpu_runner_close(runner);
	runner = NULL;
	return 0;
}

struct gpu_runner *forms_runner(void) { return runner; }

size_t forms_names(const char *names[CHECK_FORMS_MAX])
{
	if (!runner)
		return check_forms(names);
	names[0] = runner->name;
	return 1;
}

static bool is_runner(const char *form) { return runner && form == runner->name; }

const struct greta_target *forms_target(const char *form)
{
	return greta_target_find(runner && (!form || is_runner(form)) ? runner->target : "cpu");
}

bool forms_on_gpu(void) { return runner && strcmp(runner->target, "cpu") != 0; }

bool forms_simulated(void) { return runner && runner->stats; }

/* A machine like `target` of random size. */
struct machine {
	struct greta_target target;
	struct greta_form forms[FORMS_MAX];
};

/* On a processor the blocks of a launch may have any size; a GPU's have what its kernels were made for, and only their
 * number follows from the machine. */
static void vary(struct greta_form *form, bool processor)
{
	if (processor && form->rows)
		form->rows = form->kernel == GRETA_KERNEL_qkv ? 2 * check_between(1, 60) : check_between(1, 100);
	if (processor && form->tokens)
		form->tokens = check_between(1, 4);
	if (form->blocks)
		form->blocks = check_between(1, 10);
	if (form->splits)
		form->splits = check_between(1, 40);
}

static void random_machine(struct machine *machine, const struct greta_target *target, enum greta_kernel kernel)
{
	assert_true(target->form_count <= FORMS_MAX);
	machine->target = *target;
	machine->target.forms = machine->forms;
	machine->target.compute_units = check_between(1, 16);
	memcpy(machine->forms, target->forms, target->form_count * sizeof(*target->forms));
	for (size_t i = 0; i < target->form_count; i++)
		if (machine->forms[i].kernel == kernel)
			vary(&machine->forms[i], target->wave == 1);
}

/* Kernels whose blocks are tokens take any number of threads. */
static bool any_threads(enum greta_kernel kernel)
{
	switch (kernel) {
	case GRETA_KERNEL_embed:
	case GRETA_KERNEL_rope_angles:
	case GRETA_KERNEL_rmsnorm:
	case GRETA_KERNEL_digits:
	case GRETA_KERNEL_rope:
	case GRETA_KERNEL_kv_write:
	case GRETA_KERNEL_silu_mul:
	case GRETA_KERNEL_add: return true;
	default: return false;
	}
}

static enum greta_status lower(const char *form, enum greta_kernel kernel, const void *args,
                               const struct greta_target *target, struct forms_launch *out_launch,
                               struct greta_error *error)
{
	const struct greta_kernel_info *info = greta_kernel_info(kernel);
	struct greta_op op = {.kernel = kernel};
	struct forms_launch launch = {.form = form, .kernel = kernel};
	memcpy(&op.args, args, info->args_bytes);
	for (uint32_t f = 0; f < info->field_count && info->fields[f].kind <= GRETA_IO; f++) {
		void *pointer;
		memcpy(&pointer, (const uint8_t *)args + info->fields[f].offset, sizeof(pointer));
		op.refs[f].kind = pointer ? GRETA_REF_VALUE : GRETA_REF_NULL;
	}
	enum greta_status status = greta_lower(&op, target, &launch.lowered, error);
	launch.args = op.args;
	*out_launch = launch;
	return status;
}

/* A machine may be too small: its blocks have too many rows for their shared memory. Then it is not that one. */
struct forms_launch forms_lower(const char *form, enum greta_kernel kernel, const void *args)
{
	static struct machine machine;
	struct forms_launch launch = {.form = form};
	struct greta_error error;
	enum greta_status status = GRETA_ERROR_UNSUPPORTED;
	for (int tries = 0; tries < 100 && status == GRETA_ERROR_UNSUPPORTED; tries++) {
		random_machine(&machine, forms_target(form), kernel);
		status = lower(form, kernel, args, &machine.target, &launch, &error);
	}
	if (status != GRETA_OK)
		fail_msg("%s: %s", form, error.message);
	if (forms_target(form)->wave > 1 && any_threads(kernel))
		launch.lowered.threads = 64 * check_between(1, 16);
	return launch;
}

struct forms_launch forms_planned(const char *form, enum greta_kernel kernel, const void *args)
{
	struct forms_launch launch = {.form = form};
	struct greta_error error;
	if (lower(form, kernel, args, forms_target(form), &launch, &error) != GRETA_OK)
		fail_msg("%s: %s", form, error.message);
	return launch;
}

static void note(const char *symbol)
{
	const struct greta_target *target = forms_target(NULL);
	for (size_t i = 0; i < target->form_count; i++)
		ran[i] |= strcmp(target->forms[i].symbol, symbol) == 0;
}

void forms_same(const char *form, const char *what, const void *expected, const void *actual, size_t count,
                size_t bytes_each)
{
	if (forms_target(form)->wave > 1)
		check_same_numbers(form, what, expected, actual, count, bytes_each);
	else
		check_same(form, what, expected, actual, count * bytes_each);
}

void forms_all_ran(enum greta_kernel kernel)
{
	const struct greta_target *target = forms_target(NULL);
	for (size_t i = 0; runner && i < target->form_count; i++)
		if (target->forms[i].kernel == kernel && !ran[i])
			fail_msg("%s: %s was not checked", runner->name, target->forms[i].symbol);
}

void forms_launch(const struct forms_launch *launch)
{
	const struct greta_lowered *l = &launch->lowered;
	struct gpu_grid grid = {.x = l->grid[0], .y = l->grid[1], .threads = l->threads, .shared_bytes = l->shared_bytes};
	if (is_runner(launch->form)) {
		gpu_runner_launch(runner, launch->kernel, l->symbol, &grid, &launch->args);
		note(l->symbol);
		return;
	}
	check_run(check_kernel(launch->form, launch->kernel), grid.x, grid.y, grid.shared_bytes, &launch->args);
}

void forms_run(const char *form, enum greta_kernel kernel, const void *args)
{
	struct forms_launch launch = forms_lower(form, kernel, args);
	forms_launch(&launch);
}
