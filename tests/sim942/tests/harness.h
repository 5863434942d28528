/* What the tests share: loaded code objects, guarded buffers, launches, comparisons, the count of passes and failures.
 * */
#ifndef SIM942_TESTS_HARNESS_H
#define SIM942_TESTS_HARNESS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sim942.h"

extern const char *run_label;          /* compiler and optimisation level, put before each test's name */
extern struct sim942_stats last_stats; /* of the last launch */
extern char last_error[1024];

/* True if some loaded code object has the kernel; a test without its kernel is skipped. */
bool have_kernel(const char *name);
unsigned wave_lanes(void);             /* of the first code object's processor */
void load_code(const char *path);      /* exits with a message on failure */
void *symbol_address(const char *name, size_t *size);

/* Memory the kernels may touch, with guard bytes around it. Filled with 0xa5. */
void *gpu_alloc(size_t bytes);
/* Checks and frees every buffer; a test that overran one fails. */
void gpu_free_all(const char *test);

struct dims { uint32_t x, y, z; };
#define D1(x) (struct dims){ x, 1, 1 }
#define D2(x, y) (struct dims){ x, y, 1 }
#define D3(x, y, z) (struct dims){ x, y, z }
struct argument { const void *value; size_t size; };
#define ARG(x) { &(x), sizeof(x) }
#define ARGS(...) (const struct argument[]){ __VA_ARGS__, { 0, 0 } }
/* 0, or -1 with last_error set. */
int try_launch(const char *kernel, struct dims blocks, struct dims threads, uint32_t dynamic_lds,
		const struct argument *args);
/* A failing launch fails the test. */
bool launch(const char *test, const char *kernel, struct dims blocks, struct dims threads, uint32_t dynamic_lds,
		const struct argument *args);

/* Reports: one line each. */
void report(const char *test, bool passed, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* |got - want| <= absolute + relative * |want|; two NaNs agree. */
void check_floats(const char *test, const float *got, const float *want, size_t n, double absolute, double relative);
void check_doubles(const char *test, const double *got, const double *want, size_t n, double absolute, double relative);
void check_words(const char *test, const void *got, const void *want, size_t n);       /* 32-bit, equal to the bit */
/* equal to the bit, NaNs alike */
void check_bits_f32(const char *test, const float *got, const float *want, size_t n);
void check_bits_f64(const char *test, const double *got, const double *want, size_t n);
int finish_tests(void);   /* prints the totals; the process's exit status */

/* Random numbers from one printed seed. */
extern uint64_t seed;
uint32_t random_bits(void);
float random_float(float low, float high);

#define TEST(name) void test_##name(void)
#endif
