/* The mnemonics of RDNA by the names that the tables of handlers have, where an instruction does the same in both: RDNA3
 * and 4 renamed most of what they share with CDNA. What is RDNA's alone keeps its name. */
#include <stdio.h>
#include <string.h>
#include "code.h"

struct rename { const char *from, *to; };

/* The rest of a name behind global_, flat_, scratch_ or buffer_. */
static const struct rename memory_names[] = {
	{ "load_u8", "load_ubyte" }, { "load_i8", "load_sbyte" }, { "load_u16", "load_ushort" }, { "load_i16", "load_sshort" },
	{ "load_b32", "load_dword" }, { "load_b64", "load_dwordx2" }, { "load_b96", "load_dwordx3" },
	{ "load_b128", "load_dwordx4" }, { "load_d16_u8", "load_ubyte_d16" }, { "load_d16_hi_u8", "load_ubyte_d16_hi" },
	{ "load_d16_i8", "load_sbyte_d16" }, { "load_d16_hi_i8", "load_sbyte_d16_hi" }, { "load_d16_b16", "load_short_d16" },
	{ "load_d16_hi_b16", "load_short_d16_hi" },
	{ "store_b8", "store_byte" }, { "store_d16_hi_b8", "store_byte_d16_hi" }, { "store_b16", "store_short" },
	{ "store_d16_hi_b16", "store_short_d16_hi" }, { "store_b32", "store_dword" }, { "store_b64", "store_dwordx2" },
	{ "store_b96", "store_dwordx3" }, { "store_b128", "store_dwordx4" },
	{ "atomic_swap_b32", "atomic_swap" }, { "atomic_swap_b64", "atomic_swap_x2" },
	{ "atomic_cmpswap_b32", "atomic_cmpswap" }, { "atomic_cmpswap_b64", "atomic_cmpswap_x2" },
	{ "atomic_add_u32", "atomic_add" }, { "atomic_add_u64", "atomic_add_x2" },
	{ "atomic_sub_u32", "atomic_sub" }, { "atomic_sub_u64", "atomic_sub_x2" },
	{ "atomic_min_i32", "atomic_smin" }, { "atomic_min_i64", "atomic_smin_x2" },
	{ "atomic_min_u32", "atomic_umin" }, { "atomic_min_u64", "atomic_umin_x2" },
	{ "atomic_max_i32", "atomic_smax" }, { "atomic_max_i64", "atomic_smax_x2" },
	{ "atomic_max_u32", "atomic_umax" }, { "atomic_max_u64", "atomic_umax_x2" },
	{ "atomic_and_b32", "atomic_and" }, { "atomic_and_b64", "atomic_and_x2" },
	{ "atomic_or_b32", "atomic_or" }, { "atomic_or_b64", "atomic_or_x2" },
	{ "atomic_xor_b32", "atomic_xor" }, { "atomic_xor_b64", "atomic_xor_x2" },
	{ "atomic_inc_u32", "atomic_inc" }, { "atomic_inc_u64", "atomic_inc_x2" },
	{ "atomic_dec_u32", "atomic_dec" }, { "atomic_dec_u64", "atomic_dec_x2" },
	{ "atomic_min_num_f32", "atomic_min_f32" }, { "atomic_max_num_f32", "atomic_max_f32" },
};

static const struct rename scalar_memory_names[] = {
	{ "b32", "dword" }, { "b64", "dwordx2" }, { "b96", "dwordx3" }, { "b128", "dwordx4" }, { "b256", "dwordx8" },
	{ "b512", "dwordx16" },
};

/* Behind ds_; what only begins with `from` keeps its end. */
static const struct rename lds_names[] = {
	{ "load_2addr_stride64_", "read2st64_" }, { "load_2addr_", "read2_" }, { "load_", "read_" },
	{ "store_2addr_stride64_", "write2st64_" }, { "store_2addr_", "write2_" }, { "store_", "write_" },
	{ "storexchg_", "wrxchg_" }, { "min_num_", "min_" }, { "max_num_", "max_" },
};

static const struct rename other_names[] = {
	{ "s_and_not1_b32", "s_andn2_b32" }, { "s_and_not1_b64", "s_andn2_b64" }, { "s_or_not1_b32", "s_orn2_b32" },
	{ "s_or_not1_b64", "s_orn2_b64" }, { "s_clz_i32_u32", "s_flbit_i32_b32" }, { "s_clz_i32_u64", "s_flbit_i32_b64" },
	{ "s_cls_i32", "s_flbit_i32" }, { "s_cls_i32_i64", "s_flbit_i32_i64" }, { "s_ctz_i32_b32", "s_ff1_i32_b32" },
	{ "s_ctz_i32_b64", "s_ff1_i32_b64" }, { "s_add_co_u32", "s_add_u32" }, { "s_sub_co_u32", "s_sub_u32" },
	{ "s_add_co_i32", "s_add_i32" }, { "s_sub_co_i32", "s_sub_i32" }, { "s_add_co_ci_u32", "s_addc_u32" },
	{ "s_sub_co_ci_u32", "s_subb_u32" }, { "s_addk_co_i32", "s_addk_i32" },
	{ "v_add_nc_u32", "v_add_u32" }, { "v_sub_nc_u32", "v_sub_u32" }, { "v_subrev_nc_u32", "v_subrev_u32" },
	{ "v_add_nc_i32", "v_add_i32" }, { "v_sub_nc_i32", "v_sub_i32" }, { "v_add_nc_u16", "v_add_u16" },
	{ "v_sub_nc_u16", "v_sub_u16" }, { "v_add_nc_i16", "v_add_i16" }, { "v_sub_nc_i16", "v_sub_i16" },
	{ "v_add_co_ci_u32", "v_addc_co_u32" }, { "v_sub_co_ci_u32", "v_subb_co_u32" },
	{ "v_subrev_co_ci_u32", "v_subbrev_co_u32" }, { "v_mad_co_u64_u32", "v_mad_u64_u32" },
	{ "v_mad_co_i64_i32", "v_mad_i64_i32" }, { "v_clz_i32_u32", "v_ffbh_u32" }, { "v_ctz_i32_b32", "v_ffbl_b32" },
	{ "v_cls_i32", "v_ffbh_i32" }, { "v_mul_dx9_zero_f32", "v_mul_legacy_f32" },
	{ "v_cvt_pk_rtz_f16_f32", "v_cvt_pkrtz_f16_f32" }, { "v_cvt_floor_i32_f32", "v_cvt_flr_i32_f32" },
	{ "v_cvt_nearest_i32_f32", "v_cvt_rpi_i32_f32" }, { "v_cvt_pk_norm_i16_f32", "v_cvt_pknorm_i16_f32" },
	{ "v_cvt_pk_norm_u16_f32", "v_cvt_pknorm_u16_f32" }, { "v_cvt_pk_norm_i16_f16", "v_cvt_pknorm_i16_f16" },
	{ "v_cvt_pk_norm_u16_f16", "v_cvt_pknorm_u16_f16" }, { "v_dot2acc_f32_f16", "v_dot2c_f32_f16" },
	{ "v_dot2acc_f32_bf16", "v_dot2c_f32_bf16" },
	{ "v_cmp_t_f16", "v_cmp_tru_f16" }, { "v_cmp_t_f32", "v_cmp_tru_f32" }, { "v_cmp_t_f64", "v_cmp_tru_f64" },
	{ "v_cmpx_t_f16", "v_cmpx_tru_f16" }, { "v_cmpx_t_f32", "v_cmpx_tru_f32" }, { "v_cmpx_t_f64", "v_cmpx_tru_f64" },
	{ "v_min_num_f16", "v_min_f16" }, { "v_max_num_f16", "v_max_f16" }, { "v_min_num_f32", "v_min_f32" },
	{ "v_max_num_f32", "v_max_f32" }, { "v_min_num_f64", "v_min_f64" }, { "v_max_num_f64", "v_max_f64" },
	{ "v_min3_num_f16", "v_min3_f16" }, { "v_max3_num_f16", "v_max3_f16" }, { "v_med3_num_f16", "v_med3_f16" },
	{ "v_min3_num_f32", "v_min3_f32" }, { "v_max3_num_f32", "v_max3_f32" }, { "v_med3_num_f32", "v_med3_f32" },
	{ "v_minmax_num_f32", "v_minmax_f32" }, { "v_maxmin_num_f32", "v_maxmin_f32" },
	{ "v_pk_min_num_f16", "v_pk_min_f16" }, { "v_pk_max_num_f16", "v_pk_max_f16" },
	{ "s_min_num_f32", "s_min_f32" }, { "s_max_num_f32", "s_max_f32" },
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *renamed(const struct rename *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i].from, name))
			return names[i].to;
	return NULL;
}

/* The name behind a prefix of n letters by a table; as it was where the table has none. */
static const char *behind(const char *mnemonic, size_t n, const struct rename *names, size_t count, char *room)
{
	const char *to = renamed(names, count, mnemonic + n);
	if (!to)
		return mnemonic;
	snprintf(room, 64, "%.*s%s", (int)n, mnemonic, to);
	return room;
}

static const char *of_lds(const char *mnemonic, char *room)
{
	for (size_t i = 0; i < COUNT(lds_names); i++) {
		size_t n = strlen(lds_names[i].from);
		if (!strncmp(mnemonic + 3, lds_names[i].from, n)) {
			snprintf(room, 64, "ds_%s%s", lds_names[i].to, mnemonic + 3 + n);
			return room;
		}
	}
	return mnemonic;
}

const char *name_of_rdna(const char *mnemonic, char *room)
{
	static const char *const places[] = { "global_", "flat_", "scratch_", "buffer_" };
	for (size_t i = 0; i < COUNT(places); i++)
		if (!strncmp(mnemonic, places[i], strlen(places[i])))
			return behind(mnemonic, strlen(places[i]), memory_names, COUNT(memory_names), room);
	if (!strncmp(mnemonic, "ds_", 3))
		return of_lds(mnemonic, room);
	if (!strncmp(mnemonic, "s_load_", 7))
		return behind(mnemonic, 7, scalar_memory_names, COUNT(scalar_memory_names), room);
	if (!strncmp(mnemonic, "s_buffer_load_", 14))
		return behind(mnemonic, 14, scalar_memory_names, COUNT(scalar_memory_names), room);
	if (!strncmp(mnemonic, "s_wait", 6))
		return "s_waitcnt";
	const char *to = renamed(other_names, COUNT(other_names), mnemonic);
	return to ? to : mnemonic;
}
