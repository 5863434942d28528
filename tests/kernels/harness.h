/* What the kernel checks share: every form of a kernel is run over random input and its output compared, bit for bit,
 * with the reference's. Buffers have guard bands; blocks run in random order as if dealt to two workers.
 *
 * A check program takes [--seed N] (printed at the start, random by default) and [--bench],
 * which times the forms instead. */
#ifndef GRETA_TESTS_HARNESS_H
#define GRETA_TESTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/abi.h"
#include "kernels/cpu/module.h"

/* Reads the options above; returns 1 when --bench was given. */
int check_start(int argc, char **argv);

uint64_t check_random(void);
uint32_t check_below(uint32_t n);                  /* 0 to n - 1 */
uint32_t check_between(uint32_t low, uint32_t high); /* both included */
float check_uniform(float low, float high);

/* Fills with normal-ish values; `outliers` in a thousand of them 50 times larger. */
void check_fill(float *x, size_t n, float scale, unsigned outliers);

/* Like check_fill, but now and then (one call in four) something nasty: zeros, denormals, huge values,
 * one block of each. */
void check_fill_nasty(float *x, size_t n);

/* Memory with guard bands, filled with a NaN pattern. check_free fails the test when a band was touched. */
void *check_alloc(size_t bytes);
void check_free(void *data);

/* The buffer of check_alloc that `inside` points into; 0 when there is none. */
int check_find(const void *inside, void **out_data, size_t *out_bytes);

/* The forms besides "ref" that this machine runs; their count. */
#define CHECK_FORMS_MAX 6 /* room for one more, which a test may add */
size_t check_forms(const char *names[CHECK_FORMS_MAX]);

greta_cpu_kernel *check_kernel(const char *form, enum greta_kernel kernel);

/* Runs every block of a launch, in random order.
 * `shared_bytes` of shared memory, poisoned before each worker's first block. */
void check_run(greta_cpu_kernel *kernel, uint32_t grid_x, uint32_t grid_y, size_t shared_bytes, const void *args);

/* Fails, naming the form and the first place, unless both are the same bytes. */
void check_same(const char *form, const char *what, const void *expected, const void *actual, size_t bytes);

/* The same for floats (bytes_each 4) or halves (2) of another kind of processor: a NaN is as good as another
 * (docs/numbers.md), but never for memory that was not written. */
void check_same_numbers(const char *form, const char *what, const void *expected, const void *actual, size_t count,
                        size_t bytes_each);

/* Seconds of processor time (others may use the machine too) of the fastest of several runs of `kernel` over all its
 * blocks, in order. */
double check_time(greta_cpu_kernel *kernel, uint32_t grid_x, uint32_t grid_y, size_t shared_bytes, const void *args);

/* A state at `position` for a step of `tokens` prompt tokens; 0 tokens: a decode step. */
struct greta_state check_state(uint32_t position, uint32_t tokens, uint32_t context);

#endif
