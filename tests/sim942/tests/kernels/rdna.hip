// What RDNA has and CDNA has not: waves of 32 lanes, pairs of instructions, ways to move lanes, matrix instructions by
// their raw registers. Every kernel runs in one wave unless it says otherwise. Needs no headers.
#define KERNEL extern "C" __attribute__((global))
#define DEVICE static inline __attribute__((device, always_inline))
typedef int i2 __attribute__((ext_vector_type(2)));
typedef int i4 __attribute__((ext_vector_type(4)));
typedef int i8v __attribute__((ext_vector_type(8)));
typedef float f8 __attribute__((ext_vector_type(8)));
typedef _Float16 h8 __attribute__((ext_vector_type(8)));
typedef _Float16 h16 __attribute__((ext_vector_type(16)));
typedef short s8 __attribute__((ext_vector_type(8)));
typedef short s16 __attribute__((ext_vector_type(16)));
#define LANE (__builtin_amdgcn_workitem_id_x())

// Registers as the host laid them out: a[register][lane].
template <typename T> DEVICE T take(const unsigned *p)
{
	union { T value; unsigned words[sizeof(T) / 4]; } u;
	for (unsigned i = 0; i < sizeof(T) / 4; i++)
		u.words[i] = p[i * 32 + LANE];
	return u.value;
}
template <typename T> DEVICE void give(unsigned *p, T value)
{
	union { T value; unsigned words[sizeof(T) / 4]; } u;
	u.value = value;
	for (unsigned i = 0; i < sizeof(T) / 4; i++)
		p[i * 32 + LANE] = u.words[i];
}
#ifdef __GFX12__
#define WMMA(name) __builtin_amdgcn_wmma_##name##_w32_gfx12
typedef i2 bytes;
typedef int nibbles;
typedef h8 halves;
typedef s8 brains;
#else
#define WMMA(name) __builtin_amdgcn_wmma_##name##_w32
typedef i4 bytes;
typedef i2 nibbles;
typedef h16 halves;
typedef s16 brains;
#endif
#define INTEGERS(name, builtin, T, a_signed, b_signed, clamp) \
	KERNEL void name(const unsigned *a, const unsigned *b, const unsigned *c, unsigned *d) \
	{ \
		give<i8v>(d, WMMA(builtin)(a_signed, take<T>(a), b_signed, take<T>(b), take<i8v>(c), clamp)); \
	}
INTEGERS(wmma_i8_ss, i32_16x16x16_iu8, bytes, true, true, false)
INTEGERS(wmma_i8_su, i32_16x16x16_iu8, bytes, true, false, false)
INTEGERS(wmma_i8_us, i32_16x16x16_iu8, bytes, false, true, false)
INTEGERS(wmma_i8_uu, i32_16x16x16_iu8, bytes, false, false, false)
INTEGERS(wmma_i8_clamp, i32_16x16x16_iu8, bytes, true, true, true)
INTEGERS(wmma_i4_ss, i32_16x16x16_iu4, nibbles, true, true, false)
INTEGERS(wmma_i4_us, i32_16x16x16_iu4, nibbles, false, true, false)
#define FLOATS(name, builtin, T) \
	KERNEL void name(const unsigned *a, const unsigned *b, const unsigned *c, unsigned *d) \
	{ \
		give<f8>(d, WMMA(builtin)(take<T>(a), take<T>(b), take<f8>(c))); \
	}
FLOATS(wmma_f16, f32_16x16x16_f16, halves)
FLOATS(wmma_bf16, f32_16x16x16_bf16, brains)
#ifdef __GFX12__
INTEGERS(wmma_i4_deep, i32_16x16x32_iu4, i2, true, true, false)
#endif
// C is the constant 3 in every element.
KERNEL void wmma_i8_constant(const unsigned *a, const unsigned *b, const unsigned *, unsigned *d)
{
	i8v r;
	asm volatile("v_wmma_i32_16x16x16_iu8 %0, %1, %2, 3 neg_lo:[1,1,0]" : "=&v"(r) : "v"(take<bytes>(a)), "v"(take<bytes>(b)));
	give<i8v>(d, r);
}
KERNEL void wmma_some_lanes(const unsigned *a, const unsigned *b, const unsigned *c, unsigned *d)
{
	bytes x = take<bytes>(a), y = take<bytes>(b);
	i8v z = take<i8v>(c);
	if (LANE != 5)
		give<i8v>(d, WMMA(i32_16x16x16_iu8)(true, x, true, y, z, false));
}

KERNEL void dots(const int *a, const int *b, const int *c, int *out)
{
	int x = a[LANE], y = b[LANE], z = c[LANE], *o = out + LANE;
	o[0 * 32] = __builtin_amdgcn_sudot4(true, x, true, y, z, false);
	o[1 * 32] = __builtin_amdgcn_sudot4(true, x, false, y, z, false);
	o[2 * 32] = __builtin_amdgcn_sudot4(false, x, true, y, z, false);
	o[3 * 32] = __builtin_amdgcn_sudot4(false, x, false, y, z, false);
	o[4 * 32] = __builtin_amdgcn_sudot4(true, x, true, y, z, true);
	o[5 * 32] = __builtin_amdgcn_sudot8(true, x, false, y, z, false);
	o[6 * 32] = __builtin_amdgcn_sudot8(true, x, true, y, z, true);
}

// Pairs over four registers, of all lanes and of some.
#define PAIR(text) \
	asm volatile("v_mov_b32 v4, %0\n\tv_mov_b32 v5, %1\n\tv_mov_b32 v6, %2\n\tv_mov_b32 v7, %3\n\t" text "\n\t" \
		"v_mov_b32 %0, v4\n\tv_mov_b32 %1, v5\n\tv_mov_b32 %2, v6\n\tv_mov_b32 %3, v7" \
		: "+v"(r[0]), "+v"(r[1]), "+v"(r[2]), "+v"(r[3]) : : "v4", "v5", "v6", "v7", "vcc_lo")
#define ROW(text) \
	{ \
		unsigned r[4]; \
		for (int i = 0; i < 4; i++) r[i] = in[i * 32 + LANE]; \
		if (!(mask >> LANE & 1)) PAIR(text); \
		for (int i = 0; i < 4; i++) *o = r[i], o += 32; \
	}
KERNEL void pairs(const unsigned *in, unsigned *out, unsigned mask)
{
	unsigned *o = out + LANE;
	ROW("v_dual_mov_b32 v4, v5 :: v_dual_mov_b32 v7, v6")
	ROW("v_dual_mov_b32 v4, v5 :: v_dual_mov_b32 v5, v4")
	ROW("v_dual_add_f32 v4, v5, v6 :: v_dual_mul_f32 v5, v4, v7")
	ROW("v_dual_fmac_f32 v4, v5, v6 :: v_dual_sub_f32 v7, v4, v5")
	ROW("v_dual_subrev_f32 v4, v5, v6 :: v_dual_add_nc_u32 v5, v6, v7")
	ROW("v_dual_fmaak_f32 v4, v5, v6, 0x40490fdb :: v_dual_and_b32 v7, v4, v5")
	ROW("v_dual_fmamk_f32 v4, v5, 0x3f000000, v6 :: v_dual_lshlrev_b32 v5, 3, v4")
	ROW("v_cmp_gt_u32 vcc_lo, v4, v5\n\tv_dual_cndmask_b32 v4, v5, v6 :: v_dual_cndmask_b32 v7, v4, v5")
	ROW("v_dual_mul_f32 v6, v5, v6 :: v_dual_fmac_f32 v7, v6, v4")
}

#define MOVED(control, rows, banks, bound) __builtin_amdgcn_update_dpp(-1, x, control, rows, banks, bound)
KERNEL void dpp_of_rdna(const int *in, int *out)
{
	int x = in[LANE], *o = out + LANE, fetched = -1, zeroed = -1;
	o[0 * 32] = MOVED(0xb1, 15, 15, false);      // quad_perm:[1,0,3,2]
	o[1 * 32] = MOVED(0x103, 15, 15, false);     // row_shl:3
	o[2 * 32] = MOVED(0x115, 15, 15, true);      // row_shr:5
	o[3 * 32] = MOVED(0x127, 15, 15, false);     // row_ror:7
	o[4 * 32] = MOVED(0x140, 15, 15, false);     // row_mirror
	o[5 * 32] = MOVED(0x141, 15, 15, false);     // row_half_mirror
	o[6 * 32] = MOVED(0x155, 15, 15, false);     // row_share:5
	o[7 * 32] = MOVED(0x16b, 15, 15, false);     // row_xmask:11
	o[8 * 32] = MOVED(0x111, 2, 15, false);      // row_shr:1 row_mask:0x2
	o[9 * 32] = MOVED(0x111, 15, 6, false);      // row_shr:1 bank_mask:0x6
	o[10 * 32] = __builtin_amdgcn_mov_dpp8(x, 07 | 05 << 3 | 03 << 6 | 01 << 9 | 00 << 12 | 02 << 15 | 04 << 18 | 06 << 21);
	for (int i = 11; i < 16; i++)
		o[i * 32] = -2;
	if (LANE % 5 != 2) {
		o[11 * 32] = MOVED(0x111, 15, 15, false);
		o[12 * 32] = MOVED(0x111, 15, 15, true);
		asm volatile("v_mov_b32_dpp %0, %1 row_shr:1 row_mask:0xf bank_mask:0xf fi:1" : "+v"(fetched) : "v"(x));
		o[13 * 32] = fetched;
		asm volatile("v_mov_b32_dpp %0, %1 dpp8:[1,0,3,2,5,4,7,6]" : "+v"(zeroed) : "v"(x));
		o[14 * 32] = zeroed;
		asm volatile("v_mov_b32_dpp %0, %1 dpp8:[1,0,3,2,5,4,7,6] fi:1" : "+v"(zeroed) : "v"(x));
		o[15 * 32] = zeroed;
	}
	asm volatile("v_add_nc_u32_e64_dpp %0, %1, %2 row_xmask:1 row_mask:0xf bank_mask:0xf" : "=v"(fetched) : "v"(x), "v"(7 * x));
	o[16 * 32] = fetched;
}

KERNEL void lanes_of_rdna(const int *in, int *out, int far)
{
	int t = LANE, x = in[t], *o = out + t;
	o[0 * 32] = __builtin_amdgcn_permlane16(-1, x, 0x76543210, 0x89abcdef, false, false);
	o[1 * 32] = __builtin_amdgcn_permlanex16(-1, x, 0x13579bdf, 0x02468ace, false, false);
	o[2 * 32] = (int)__builtin_amdgcn_ballot_w32(x & 1);
	o[3 * 32] = __builtin_amdgcn_readlane(x, far);   // of the lanes that are there
	o[4 * 32] = __builtin_amdgcn_mbcnt_hi(0xf0f0f0f0u, __builtin_amdgcn_mbcnt_lo(0x12345678u, 100));
	o[5 * 32] = __builtin_amdgcn_ds_bpermute((t * 7 + 3) * 4, x);
	o[6 * 32] = __builtin_amdgcn_ds_permute((t * 5 + 33) * 4, x);
	o[7 * 32] = __builtin_amdgcn_ds_swizzle(x, 0x041f);     // xor 1
	o[8 * 32] = __builtin_amdgcn_ds_swizzle(x, 0xc000 | 3 << 5);   // rotated by 3
	for (int i = 9; i < 15; i++)
		o[i * 32] = -2;
	if (t % 3 != 0) {
		o[9 * 32] = __builtin_amdgcn_permlane16(-1, x, 0x01234567, 0xfedcba98, false, false);
		o[10 * 32] = __builtin_amdgcn_permlanex16(-1, x, 0x01234567, 0xfedcba98, false, true);
		o[11 * 32] = __builtin_amdgcn_permlanex16(-1, x, 0x01234567, 0xfedcba98, true, false);
		o[12 * 32] = __builtin_amdgcn_readfirstlane(x);
		o[13 * 32] = (int)__builtin_amdgcn_ballot_w32(true);
		o[14 * 32] = __builtin_amdgcn_ds_bpermute((t ^ 1) * 4, x);
	}
}

// Threads of a block in waves of 32, the last one smaller.
KERNEL void waves(unsigned *out)
{
	unsigned *o = out + LANE;
	o[0 * 80] = __builtin_amdgcn_mbcnt_lo(~0u, 0);
	o[1 * 80] = __builtin_amdgcn_ballot_w32(true);
	o[2 * 80] = (unsigned)__builtin_amdgcn_readfirstlane((int)LANE);
}

// 16-bit results leave the other half of the register alone.
KERNEL void halves_stay(const unsigned *a, const unsigned *b, unsigned *out)
{
	unsigned x = a[LANE], y = b[LANE], *o = out + LANE, r = 0x7a7b7c7d;
#define KEPT(row, text) r = 0x7a7b7c7d; asm volatile(text : "+v"(r) : "v"(x), "v"(y)); o[row * 32] = r;
	KEPT(0, "v_add_f16_e32 %0, %1, %2")
	KEPT(1, "v_fma_f16 %0, %1, %2, %1 op_sel:[1,0,0,1]")
	KEPT(2, "v_add_nc_u16 %0, %1, %2")
	KEPT(3, "v_sub_nc_u16 %0, %1, %2 op_sel:[0,1,1]")
	KEPT(4, "v_cvt_f16_u16_e32 %0, %1")
	KEPT(5, "v_xor_b16 %0, %1, %2")
	KEPT(6, "v_cvt_u32_u16 %0, %1")
	KEPT(7, "v_cvt_i32_i16 %0, %1")
	KEPT(8, "v_not_b16 %0, %1")
}

// The register that drops what is written, EXEC by comparison and by scalar instructions, masks in one register.
KERNEL void masks(const unsigned *a, const unsigned *b, unsigned *out)
{
	unsigned x = a[LANE], y = b[LANE], *o = out + LANE, r, s, t;
	asm volatile("s_mov_b32 m0, 0x1234\n\ts_mov_b32 null, 0x5678\n\ts_mov_b32 %0, m0\n\ts_mov_b32 %1, null"
		: "=s"(s), "=s"(t));
	o[0 * 32] = s;
	o[1 * 32] = t;
	asm volatile("v_add_co_u32 %0, null, %1, %2" : "=v"(r) : "v"(x), "v"(y));
	o[2 * 32] = r;
	asm volatile("v_add_co_u32 %0, s13, %2, %3\n\ts_mov_b32 %1, s13" : "=&v"(r), "=s"(s) : "v"(x), "v"(y) : "s13");
	o[3 * 32] = s;
	asm volatile("v_add_co_u32 %0, s13, %1, %2\n\tv_add_co_ci_u32 %0, null, 0, 5, s13" : "=&v"(r) : "v"(x), "v"(y) : "s13");
	o[4 * 32] = r;
	r = 9;
	asm volatile("s_mov_b32 s13, exec_lo\n\tv_cmpx_gt_u32 %1, %2\n\tv_mov_b32 %0, 4\n\ts_mov_b32 exec_lo, s13"
		: "+v"(r) : "v"(x), "v"(y) : "s13");
	o[5 * 32] = r;
	r = 9;
	asm volatile("v_cmp_gt_u32 s14, %2, %3\n\ts_and_saveexec_b32 s13, s14\n\tv_mov_b32 %0, 4\n\t"
		"s_and_not1_saveexec_b32 s15, s13\n\tv_mov_b32 %0, 5\n\ts_mov_b32 %1, exec_lo\n\ts_mov_b32 exec_lo, s13"
		: "+v"(r), "=&s"(s) : "v"(x), "v"(y) : "s13", "s14", "s15", "scc");
	o[6 * 32] = r;
	o[7 * 32] = s;
	s = 7;
	asm volatile("s_mov_b32 vcc_hi, -1\n\tv_cmp_gt_u32 vcc_lo, 0, %1\n\ts_cbranch_vccnz 1\n\ts_mov_b32 %0, 6"
		: "+s"(s) : "v"(x) : "vcc");
	o[8 * 32] = s;   // 6: what is in VCC's other half is not looked at
	asm volatile("v_xor3_b32 %0, %1, %2, 0x55" : "=v"(r) : "v"(x), "v"(y));
	o[9 * 32] = r;
	asm volatile("v_maxmin_u32 %0, %1, %2, 0x1000" : "=v"(r) : "v"(x), "v"(y));
	o[10 * 32] = r;
	asm volatile("v_minmax_i32 %0, %1, %2, 0x1000" : "=v"(r) : "v"(x), "v"(y));
	o[11 * 32] = r;
	asm volatile("v_cmp_gt_u32 s14, %1, %2\n\tv_cndmask_b16 %0, %1, %2, s14" : "=&v"(r) : "v"(x), "v"(y) : "s14");
	o[12 * 32] = r & 0xffff;
}

// A register file of sixteen, indexed by what the compiler does not know: the same in all lanes, and one a lane.
typedef int i16v __attribute__((ext_vector_type(16)));
KERNEL void indexed(const int *in, int *out, int from, int to)
{
	i16v v = 0;
	for (int i = 0; i < 16; i++)
		v[i] = in[LANE] * (i + 1);
	out[LANE] = v[from];
	v[to] = 77;
	out[32 + LANE] = v[LANE % 16];
	int r = 1;
	asm volatile("v_mov_b32 v40, 5\n\tv_mov_b32 v43, %1\n\ts_mov_b32 m0, 3\n\tv_movrelsd_b32 v41, v40\n\tv_mov_b32 %0, v44"
		: "+v"(r) : "v"(in[LANE]) : "v40", "v41", "v42", "v43", "v44");
	out[64 + LANE] = r;
}

KERNEL void clock_of_rdna(unsigned long *out)
{
	unsigned long first = __builtin_readsteadycounter();
	__builtin_amdgcn_s_sleep(1);
	out[2 * LANE] = first;
	out[2 * LANE + 1] = __builtin_readsteadycounter();
}
