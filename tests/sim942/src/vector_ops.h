/* Macros that write the handlers of plain lane-wise instructions. Sources are x, y, z; the expression is the result.
 * T is the type a source is read as, R the type the result is stored as. */
#ifndef SIM942_VECTOR_OPS_H
#define SIM942_VECTOR_OPS_H
#include "lanes.h"

#define VECTOR_HANDLER(name) static int name(struct wave *w, const struct insn *in)

/* 32-bit sources and result. */
#define V1(name, T, R, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanes32 t0, r; \
		const T *a = (const T *)src32(w, in, 0, t0); \
		R *d = (R *)dst32(w, in, r); \
		EACH_LANE(i) { T x = a[i]; d[i] = (R)(expr); } \
		if ((void *)d == (void *)r) put32(w, in, r); \
		return GO_ON; \
	}
#define V2(name, T, R, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanes32 t0, t1, r; \
		const T *a = (const T *)src32(w, in, 0, t0), *b = (const T *)src32(w, in, 1, t1); \
		R *d = (R *)dst32(w, in, r); \
		EACH_LANE(i) { T x = a[i], y = b[i]; d[i] = (R)(expr); } \
		if ((void *)d == (void *)r) put32(w, in, r); \
		return GO_ON; \
	}
#define V3(name, T, R, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanes32 t0, t1, t2, r; \
		const T *a = (const T *)src32(w, in, 0, t0), *b = (const T *)src32(w, in, 1, t1), \
				*c = (const T *)src32(w, in, 2, t2); \
		R *d = (R *)dst32(w, in, r); \
		EACH_LANE(i) { T x = a[i], y = b[i], z = c[i]; d[i] = (R)(expr); } \
		if ((void *)d == (void *)r) put32(w, in, r); \
		return GO_ON; \
	}
/* Two sources and the old destination as z. */
#define V2ACC(name, T, R, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanes32 t0, t1, r; \
		const T *a = (const T *)src32(w, in, 0, t0), *b = (const T *)src32(w, in, 1, t1); \
		const T *c = (const T *)vector_register(w, &in->dst); \
		R *d = (R *)dst32(w, in, r); \
		EACH_LANE(i) { T x = a[i], y = b[i], z = c[i]; d[i] = (R)(expr); } \
		if ((void *)d == (void *)r) put32(w, in, r); \
		return GO_ON; \
	}

/* 16-bit integers: sources zero-extended in x, y, z; the result is cut to 16 bits. */
#define W1(name, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanes32 t0, r; \
		const uint32_t *a = src16(w, in, 0, t0); \
		EACH_LANE(i) { uint32_t x = a[i]; r[i] = (uint16_t)(expr); } \
		put16(w, in, r); \
		return GO_ON; \
	}
#define W2(name, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanes32 t0, t1, r; \
		const uint32_t *a = src16(w, in, 0, t0), *b = src16(w, in, 1, t1); \
		EACH_LANE(i) { uint32_t x = a[i], y = b[i]; (void)x, (void)y; r[i] = (uint16_t)(expr); } \
		put16(w, in, r); \
		return GO_ON; \
	}
#define W3(name, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanes32 t0, t1, t2, r; \
		const uint32_t *a = src16(w, in, 0, t0), *b = src16(w, in, 1, t1), *c = src16(w, in, 2, t2); \
		EACH_LANE(i) { uint32_t x = a[i], y = b[i], z = c[i]; r[i] = (uint16_t)(expr); } \
		put16(w, in, r); \
		return GO_ON; \
	}

/* f16: sources widened to float; the float result is rounded to f16. */
#define H1(name, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanesf t0, f; \
		lanes32 r; \
		const float *a = src16f(w, in, 0, t0); \
		EACH_LANE(i) { float x = a[i]; f[i] = (expr); } \
		floats_to_halves(f, r); \
		put16(w, in, r); \
		return GO_ON; \
	}
#define H2(name, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanesf t0, t1, f; \
		lanes32 r; \
		const float *a = src16f(w, in, 0, t0), *b = src16f(w, in, 1, t1); \
		EACH_LANE(i) { float x = a[i], y = b[i]; f[i] = (expr); } \
		floats_to_halves(f, r); \
		put16(w, in, r); \
		return GO_ON; \
	}
#define H3(name, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanesf t0, t1, t2, f; \
		lanes32 r; \
		const float *a = src16f(w, in, 0, t0), *b = src16f(w, in, 1, t1), *c = src16f(w, in, 2, t2); \
		EACH_LANE(i) { float x = a[i], y = b[i], z = c[i]; f[i] = (expr); } \
		floats_to_halves(f, r); \
		put16(w, in, r); \
		return GO_ON; \
	}

/* 64-bit sources and result. */
#define D1(name, T, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanes64 t0, r; \
		const T *a = (const T *)src64(w, in, 0, t0); \
		T *d = (T *)r; \
		EACH_LANE(i) { T x = a[i]; d[i] = (expr); } \
		put64(w, in, r); \
		return GO_ON; \
	}
#define D2(name, T, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanes64 t0, t1, r; \
		const T *a = (const T *)src64(w, in, 0, t0), *b = (const T *)src64(w, in, 1, t1); \
		T *d = (T *)r; \
		EACH_LANE(i) { T x = a[i], y = b[i]; d[i] = (expr); } \
		put64(w, in, r); \
		return GO_ON; \
	}
#define D3(name, T, expr) \
	VECTOR_HANDLER(name) \
	{ \
		lanes64 t0, t1, t2, r; \
		const T *a = (const T *)src64(w, in, 0, t0), *b = (const T *)src64(w, in, 1, t1), \
				*c = (const T *)src64(w, in, 2, t2); \
		T *d = (T *)r; \
		EACH_LANE(i) { T x = a[i], y = b[i], z = c[i]; d[i] = (expr); } \
		put64(w, in, r); \
		return GO_ON; \
	}

/* A table line whose handler bears the mnemonic's name. */
#define OP(name, sig) { #name, name, sig, F_VALU, C_VALU, 0 },
#endif
