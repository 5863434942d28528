/* The forms of a kernel whose launches look alike on every target (grid x tokens, no dynamic shared memory of the
 * caller's choosing): the processor's own, or, with --target NAME (gpu_runner_open), a GPU's. One check serves them
 * all. */
#ifndef GRETA_TESTS_GPU_FORMS_H
#define GRETA_TESTS_GPU_FORMS_H

#include "tests/kernels/harness.h"

/* Reads --target NAME. 0; or the status of a skipped test, the reason printed, when that target cannot be run here. */
int forms_start(int argc, char **argv);

/* A group teardown of cmocka: closes the target. */
int forms_finish(void **context);

/* The forms that are checked of a kernel; their count, 0 (said once) when the target does not have the kernel. */
size_t forms_of(enum greta_kernel kernel, const char *names[CHECK_FORMS_MAX]);

/* Runs every block of a launch in a form named by forms_of, or "ref". The blocks of a GPU have a random number of
 * threads. */
void forms_run(const char *form, enum greta_kernel kernel, uint32_t grid_x, uint32_t grid_y, const void *args);

#endif
