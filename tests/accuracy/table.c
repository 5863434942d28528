/* Prints the tables of docs/accuracy.md on single operations, as Markdown.
 *
 *	greta-accuracy [--seed N] */
#include "tests/kernels/harness.h"

#include <stdio.h>

#include "tests/accuracy/operation_error.h"
#include "tests/accuracy/row_error.h"

#define ROWS 512

static void print_rows(void)
{
	static const uint32_t cols[] = {2048, 4096, 8192};
	printf("\nLargest error over sum of |w| |x|, %d random rows each\n\n", ROWS);
	printf("| type | columns | outliers | x32 | x24 | x16 | x8 | fp32, 16 lanes |\n|---|---|---|---|---|---|---|---|\n");
	for (unsigned outliers = 0; outliers <= 3; outliers += 3)
		for (uint32_t id = 0; id < 64; id++)
			for (size_t c = 0; greta_type_info(id) && c < sizeof(cols) / sizeof(cols[0]); c++) {
				struct row_errors worst = row_errors(id, cols[c], ROWS, outliers, 0);
				printf("| %s | %u | %s |", greta_type_info(id)->name, cols[c],
				       outliers ? "0.3 % × 50" : "none");
				for (int digits = 4; digits >= 1; digits--)
					printf(" %.1e |", worst.digits[digits]);
				printf(" %.1e |\n", worst.fp32);
			}
}

static void print_below(void)
{
	printf("\nThe same at x32 for 4,096 columns, 0.3 %% × 50, of rows whose scales lie below their tensor's largest\n\n");
	printf("| by | Q4_K | Q6_K | Q8_0 | F16 |\n|---|---|---|---|---|\n");
	for (int below = 0; below <= 24; below += 4) {
		static const uint32_t types[] = {GRETA_TYPE_Q4_K, GRETA_TYPE_Q6_K, GRETA_TYPE_Q8_0, GRETA_TYPE_F16};
		printf("| 2^%d |", below);
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
			printf(" %.1e |", row_errors(types[i], 4096, ROWS, 3, below).digits[4]);
		printf("\n");
	}
}

static void print_operations(void)
{
	printf("\nLargest error, in units of 2^-24\n\n| operation | error | over |\n|---|---|---|\n");
	printf("| rmsnorm, 2,048 values | %.1f | the value |\n", rmsnorm_error(2048, 500));
	printf("| silu | %.1f | the value |\n", silu_error(5000));
	printf("| rope, head of 128, position below 131,072 | %.1f | the pair's length |\n",
	       rope_error(128, 131072, 5000));
	printf("| attention, head of 64, 64 positions | %.1f | sum of weights times \\|v\\| |\n",
	       attention_error(64, 64, 1, 200));
	printf("| attention, head of 128, 2,000 positions | %.1f | the same |\n", attention_error(128, 2000, 1, 20));
	printf("| attention, head of 128, 2,000 positions, scores up to 30 | %.1f | the same |\n",
	       attention_error(128, 2000, 8, 20));
}

int main(int argc, char **argv)
{
	check_start(argc, argv);
	print_rows();
	print_below();
	print_operations();
	return 0;
}
