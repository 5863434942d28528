/* What check-product --bench prints: the speed of every form of the products, or, with a target,
 * that of its kernels. */
#ifndef GRETA_TESTS_BENCH_PRODUCT_H
#define GRETA_TESTS_BENCH_PRODUCT_H

int bench_product(void); /* the exit status */

#endif
