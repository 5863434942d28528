#include "runtime/ranges.h"

#include "runtime/vendor_library.h"

#include <stddef.h>
#include <string.h>

static const char *const rocm[] = {"librocprofiler-sdk-roctx.so.1", "libroctx64.so.4", NULL};
static const char *const cuda[] = {"libnvToolsExt.so.1", NULL};

static const struct {
	const char *provider;
	const char *const *libraries;
	const char *push, *pop;
} kinds[] = {
	{"amd", rocm, "roctxRangePushA", "roctxRangePop"},
	{"nvidia", cuda, "nvtxRangePushA", "nvtxRangePop"},
};

void greta_ranges_init(struct greta_ranges *ranges, const char *provider)
{
	*ranges = (struct greta_ranges){0};
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct greta_ranges made = {0};
		char name[GRETA_VENDOR_LIBRARY_NAME_MAX];
		struct greta_error unimportant;
		if (strcmp(provider, kinds[k].provider) != 0 ||
		    greta_vendor_library_open("ranges", kinds[k].libraries, NULL, &made.library, name, &unimportant) != GRETA_OK)
			continue;
		if (greta_vendor_library_symbol(made.library, kinds[k].push, &made.push) &&
		    greta_vendor_library_symbol(made.library, kinds[k].pop, &made.pop))
			*ranges = made;
		else
			greta_vendor_library_close(made.library);
	}
}

void greta_ranges_finish(struct greta_ranges *ranges)
{
	greta_vendor_library_close(ranges->library);
	*ranges = (struct greta_ranges){0};
}
