/* What check-product and check-fused --bench print of a target: Llama-2-7B's launches, and products of every type. */
#ifndef GRETA_TESTS_SPEED_PRODUCT_H
#define GRETA_TESTS_SPEED_PRODUCT_H

int speed_product(void); /* digits, product, lm_head: the exit status */
int speed_fused(void);   /* qkv, gate_up */

#endif
