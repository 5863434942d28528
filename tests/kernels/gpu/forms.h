/* Where kernels are checked: the processor's own forms, or, with --target NAME (gpu_runner_open), machine code of a
 * GPU. One check serves them all. A launch is made as the planner makes it, for a machine of random size, so that small
 * shapes are dealt to blocks in every way; weights, digits and caches are brought into the form's layouts. */
#ifndef GRETA_TESTS_GPU_FORMS_H
#define GRETA_TESTS_GPU_FORMS_H

#include "planner/lower.h"
#include "tests/kernels/harness.h"

/* Reads --target NAME. 0; or the status of a skipped test, the reason printed, when that target cannot be run here. */
int forms_start(int argc, char **argv);

/* A group teardown of cmocka: closes the target. */
int forms_finish(void **context);

/* The forms that are checked against "ref"; their count. */
size_t forms_names(const char *names[CHECK_FORMS_MAX]);

/* What the planner knows of the machine that runs a form ("ref" too), or, NULL, those that are checked. */
const struct greta_target *forms_target(const char *form);

/* Whether the checked forms are those of a GPU. */
bool forms_on_gpu(void);

/* Whether they are simulated: checks choose smaller shapes then. */
bool forms_simulated(void);

struct forms_launch {
	const char *form;
	enum greta_kernel kernel;
	struct greta_lowered lowered;
	union greta_any_args args; /* with how the work is split */
};

/* Fails the test if the machine that runs `form` has no function for the launch. */
struct forms_launch forms_lower(const char *form, enum greta_kernel kernel, const void *args);

/* The same as a plan for the machine itself has it. */
struct forms_launch forms_planned(const char *form, enum greta_kernel kernel, const void *args);

/* Runs every block of a launch. */
void forms_launch(const struct forms_launch *launch);

/* Both. */
void forms_run(const char *form, enum greta_kernel kernel, const void *args);

/* check_same for a processor's own forms, check_same_numbers for a GPU's. */
void forms_same(const char *form, const char *what, const void *expected, const void *actual, size_t count,
                size_t bytes_each);

/* Fails unless every function that the checked machine has for the kernel has run. */
void forms_all_ran(enum greta_kernel kernel);

/* The target that --target names; NULL when it was not given. */
struct gpu_runner *forms_runner(void);

#endif
