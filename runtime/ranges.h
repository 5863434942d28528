/* Named ranges of time that a profiler shows beside what the device does: ROCTX for AMD's profilers, NVTX for NVIDIA's,
 * where their library is on the machine; it is opened at run time. Without one, and without a profiler that listens,
 * nothing happens and next to nothing is spent.
 *
 * Libraries: librocprofiler-sdk-roctx.so.1 (ROCm 6.2 and newer), libroctx64.so.4 (older); libnvToolsExt.so.1 (CUDA 12
 * and older: CUDA 13 brings NVTX as headers only, which need no library and cannot be opened). */
#ifndef GRETA_RANGES_H
#define GRETA_RANGES_H

struct greta_ranges {
	void *library; /* NULL: no ranges */
	int (*push)(const char *name);
	int (*pop)(void);
};

/* For the provider named; never fails. */
void greta_ranges_init(struct greta_ranges *ranges, const char *provider);
void greta_ranges_finish(struct greta_ranges *ranges);

/* Ranges nest; begin and end are called by one thread. */
static inline void greta_range_begin(const struct greta_ranges *ranges, const char *name)
{
	if (ranges->library)
		(void)ranges->push(name);
}

static inline void greta_range_end(const struct greta_ranges *ranges)
{
	if (ranges->library)
		(void)ranges->pop();
}

#endif
