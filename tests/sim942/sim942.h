/* sim942: run AMD gfx942 (MI300X), gfx90a (MI200), gfx1100 (RX 7900) and gfx1201 (RX 9070) code objects on a CPU.
 *
 * A functional simulator for testing GPU kernels where no AMD GPU is at hand. It loads the ELF code object that hipcc
 * or clang emits, decodes it through llvm-objdump, and interprets its instructions, 64 lanes a wave (32 on gfx1100 and
 * gfx1201). Addresses in the simulated program are host addresses. It models results, not time.
 *
 * All functions return 0 on success and -1 on failure with a message in err (never NULL, errlen bytes).
 * Loading is not thread-safe; launches of loaded code may run from one thread at a time.
 */
#ifndef SIM942_H
#define SIM942_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct sim942_code sim942_code;

struct sim942_kernel {
	const char *name;          /* without ".kd"; owned by the code object */
	const void *descriptor;    /* host address of the loaded 64-byte kernel descriptor (HSA's kernel object) */
	uint32_t kernarg_bytes;
	uint32_t lds_bytes;        /* static group segment */
	uint32_t scratch_bytes;    /* private segment per lane */
	uint32_t vgprs, agprs, sgprs, vgpr_spills, sgpr_spills;   /* from the metadata note */
	uint32_t lanes;            /* of a wave */
};

/* Loads a code object (an ELF of one of these, or a clang offload bundle that holds one). Copies it; elf may be freed after. */
int sim942_load(const void *elf, size_t size, sim942_code **out_code, char *err, size_t errlen);
void sim942_unload(sim942_code *code);   /* NULL is fine */

size_t sim942_kernel_count(const sim942_code *code);
const struct sim942_kernel *sim942_kernel_at(const sim942_code *code, size_t index);
const struct sim942_kernel *sim942_kernel_by_name(const sim942_code *code, const char *name);   /* NULL if absent */
/* Address of a global variable of the code object; NULL if absent. */
void *sim942_symbol(const sim942_code *code, const char *name, size_t *out_size);

struct sim942_dispatch {
	const void *descriptor;    /* of a loaded kernel */
	uint32_t grid[3];          /* in work-items, as in an AQL packet; a last partial work-group is allowed */
	uint32_t workgroup[3];     /* in work-items */
	const void *kernarg;
	uint32_t lds_bytes;        /* static + dynamic */
};

struct sim942_stats {
	uint64_t instructions, valu, salu, vmem, smem, lds, mfma, branches, barriers;
	uint64_t bytes_read, bytes_written;          /* global memory, counted per active lane */
	uint64_t bytes_read_x4;                      /* of bytes_read: by loads of 16 bytes a lane */
	uint64_t waves, workgroups;
	uint32_t vmem_width_bytes_max;               /* widest per-lane global access seen */
};

/* Runs a dispatch to completion. Work-groups make progress together (time slices), so kernels whose work-groups wait
 * for each other (persistent kernels with a grid barrier) end. An unknown instruction, an access outside the tracked
 * ranges (where any are tracked), or no progress for a long time is an error that names kernel, instruction, pc,
 * work-group and lane. stats may be NULL; counts are added to it. */
int sim942_run(const struct sim942_dispatch *dispatch, struct sim942_stats *stats, char *err, size_t errlen);

/* Memory checking: once a range is tracked, every global access must fall inside a tracked range, a kernarg buffer or
 * the code object. Reads of never-written bytes are not detected. */
void sim942_track(const void *address, size_t size);
void sim942_untrack(const void *address);

/* Number of host threads that run work-groups (default: the processors online). */
void sim942_set_threads(unsigned count);

/* How long a dispatch may go without progress (a store, a barrier, a wave's end) before it is an error: in seconds,
 * default 60. A dispatch whose every wave polls memory or sleeps is given up after a twentieth of that. */
void sim942_set_patience(unsigned seconds);

/* A kernel's arguments from the metadata note, explicit ones first, then the hidden ones of the code object's version.
 * Returns their number; *out_args is owned by the code object. */
struct sim942_arg {
	const char *kind;          /* "by_value", "global_buffer", "dynamic_shared_pointer", "hidden_block_count_x", ... */
	const char *name;          /* NULL where the note has none */
	uint32_t offset, size;     /* in the kernarg buffer, bytes */
};
size_t sim942_kernel_args(const struct sim942_kernel *kernel, const struct sim942_arg **out_args);

/* Writes the hidden arguments that follow from the sizes of a dispatch (block counts, group sizes, remainders,
 * dimensions, dynamic LDS) into a kernarg buffer of kernel->kernarg_bytes, and 0 into the other hidden ones. */
void sim942_fill_hidden(const struct sim942_kernel *kernel, void *kernarg, const uint32_t grid[3],
		const uint32_t workgroup[3],
	uint32_t dynamic_lds_bytes);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
