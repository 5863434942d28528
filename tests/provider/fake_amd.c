#include "tests/provider/fake_amd.h"

#include <string.h>

extern struct fake_amd fake_amd;
struct fake_amd fake_amd;

#define FAKE_CALL(name, parameters, arguments) \
	hipError_t name parameters; \
	hipError_t name parameters \
	{ \
		return fake_amd.inner ? fake_amd.inner->name arguments : hipErrorNoDevice; \
	}
GRETA_HIP_STATUS_CALLS(FAKE_CALL)
#undef FAKE_CALL

#define FAKE_CALL(name, parameters, arguments) \
	const char *name parameters; \
	const char *name parameters \
	{ \
		return fake_amd.inner ? fake_amd.inner->name arguments : "nothing inside"; \
	}
GRETA_HIP_TEXT_CALLS(FAKE_CALL)
#undef FAKE_CALL

/* The whole struct is written, so that a caller with too little room is found. */
hipError_t FAKE_PROPERTIES(char *out_properties, int device);
hipError_t FAKE_PROPERTIES(char *out_properties, int device)
{
	if (device)
		return hipErrorInvalidDevice;
	memset(out_properties, 0x5a, FAKE_PROPERTIES_SIZE);
	memcpy(out_properties + FAKE_ARCHITECTURE_AT, fake_amd.architecture, sizeof(fake_amd.architecture));
	return hipSuccess;
}
