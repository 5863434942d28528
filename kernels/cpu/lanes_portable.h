/* kernels/cpu/lanes.h in plain C. */
#ifndef GRETA_CPU_LANES_PORTABLE_H
#define GRETA_CPU_LANES_PORTABLE_H

typedef struct {
	float at[16];
} greta_lanes;

#define GRETA_LANES_EACH(expression)                                                                                   \
	greta_lanes y;                                                                                                 \
	for (int l = 0; l < 16; l++)                                                                                   \
		y.at[l] = (expression);                                                                                \
	return y

GRETA_FN greta_lanes greta_lanes_set(float x) { GRETA_LANES_EACH(x); }
GRETA_FN greta_lanes greta_lanes_load(const float *at) { GRETA_LANES_EACH(at[l]); }
GRETA_FN void greta_lanes_store(float *at, greta_lanes x) { memcpy(at, x.at, sizeof(x.at)); }
GRETA_FN greta_lanes greta_lanes_load_half(const uint16_t *at) { GRETA_LANES_EACH(greta_f16_to_f32(at[l])); }
GRETA_FN void greta_lanes_store_half(uint16_t *at, greta_lanes x)
{
	for (int l = 0; l < 16; l++)
		at[l] = greta_f32_to_f16(x.at[l]);
}
GRETA_FN greta_lanes greta_lanes_mul(greta_lanes a, greta_lanes b) { GRETA_LANES_EACH(a.at[l] * b.at[l]); }
GRETA_FN greta_lanes greta_lanes_div(greta_lanes a, greta_lanes b) { GRETA_LANES_EACH(a.at[l] / b.at[l]); }
GRETA_FN greta_lanes greta_lanes_fma(greta_lanes a, greta_lanes b, greta_lanes c)
{
	GRETA_LANES_EACH(fmaf(a.at[l], b.at[l], c.at[l]));
}

#endif
