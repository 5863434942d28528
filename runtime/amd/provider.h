/* The `amd` provider: AMD's own HIP runtime, libamdhip64, opened at run time. The table holds its functions, so what a
 * call does is what the library does; there is nothing of ours in between.
 *
 * - Opened by the first of these names that the loader finds: libamdhip64.so.7, /opt/rocm/lib/libamdhip64.so (before
 *   older ones that a distribution has), libamdhip64.so.6, .so.5, .so; or by the one that struct greta_hip_options
 *   names. Every call of the table is resolved at once: a library that lacks one is refused with the missing name.
 * - Refused as well: a runtime older than 5.0 (capture and graphs are incomplete there), and one that finds no device.
 * - `detail` has nothing to say. Calls of a table after the last greta_hip_unload are the caller's error; they still
 *   reach the library.
 *
 * The architecture's name is the one thing that HIP gives only in its properties struct, whose layout differs between
 * versions of the library. Each layout is fixed by the name of the function that fills it, so the struct is not
 * declared here: a block larger than any of them is filled, and the name read at its offset. Where the library has
 * hipGetDevicePropertiesR0600 (ROCm 6 and 7; the name is at byte 1,160) that is taken, else hipGetDeviceProperties of
 * ROCm 5 (byte 396). Text there that does not begin with "gfx" is refused. Features after the name
 * ("gfx942:sramecc+:xnack-") are cut off. Trying code objects until one loads was the alternative; it needs a code
 * object of every target. */
#ifndef GRETA_AMD_PROVIDER_H
#define GRETA_AMD_PROVIDER_H

#include "runtime/hip.h"

/* For the loader's table: fills the calls of *out_hip and counts a user of the library; takes that back. */
enum greta_status greta_amd_provider_open(const struct greta_hip_options *options, struct greta_hip *out_hip,
    struct greta_error *error);
void greta_amd_provider_close(void);

/* "gfx942"; hipErrorNotInitialized while nobody has the provider open, hipErrorNotSupported when the text is no such
 * name. */
hipError_t greta_amd_architecture(int device, char out_name[GRETA_HIP_ARCHITECTURE_MAX]);

#endif
