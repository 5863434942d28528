// What gfx90a has and gfx942 has not: matrix instructions by their raw registers as in mfma.hip, and a few others. Needs no
// headers.
#define KERNEL extern "C" __attribute__((global))
#define DEVICE static inline __attribute__((device, always_inline))
typedef int i4 __attribute__((ext_vector_type(4)));
typedef int i16v __attribute__((ext_vector_type(16)));

// Registers as the host laid them out: a[register][lane] and so on.
template <typename T> DEVICE T take(const unsigned *p)
{
	union { T value; unsigned words[sizeof(T) / 4]; } u;
	for (unsigned i = 0; i < sizeof(T) / 4; i++)
		u.words[i] = p[i * 64 + __builtin_amdgcn_workitem_id_x()];
	return u.value;
}
template <typename T> DEVICE void give(unsigned *p, T value)
{
	union { T value; unsigned words[sizeof(T) / 4]; } u;
	u.value = value;
	for (unsigned i = 0; i < sizeof(T) / 4; i++)
		p[i * 64 + __builtin_amdgcn_workitem_id_x()] = u.words[i];
}
#define SHAPE(name, C, builtin) \
	KERNEL void name(const unsigned *a, const unsigned *b, const unsigned *c, unsigned *d) \
	{ \
		give<C>(d, builtin(take<int>(a), take<int>(b), take<C>(c), 0, 0, 0)); \
	}
SHAPE(mfma_i8_32x32x8, i16v, __builtin_amdgcn_mfma_i32_32x32x8i8)
SHAPE(mfma_i8_16x16x16, i4, __builtin_amdgcn_mfma_i32_16x16x16i8)

KERNEL void mad_f32(const float *x, const float *y, const float *z, float *out)
{
	unsigned i = __builtin_amdgcn_workitem_id_x();
	float r;
	asm volatile("v_mad_f32 %0, -%1, %2, %3" : "=v"(r) : "v"(x[i]), "v"(y[i]), "v"(z[i]));
	out[i] = r;
}

// Words of constants, as the compiler writes it where all bits are set.
KERNEL void pair_of_constants(unsigned long *out)
{
	unsigned long both, mixed;
	asm volatile("v_pk_mov_b32 %0, -1, -1" : "=v"(both));
	asm volatile("v_pk_mov_b32 %0, 0, -1" : "=v"(mixed));
	out[2 * __builtin_amdgcn_workitem_id_x()] = both;
	out[2 * __builtin_amdgcn_workitem_id_x() + 1] = mixed;
}
