/* What check-product --bench prints: the speed of every form of the products. */
#ifndef GRETA_TESTS_BENCH_PRODUCT_H
#define GRETA_TESTS_BENCH_PRODUCT_H

int bench_product(void); /* 0 */

#endif
