/* Memory of the cpu provider: alignment, bounds, guard bands, registration. */
#include "tests/provider/fixture.h"

#include <stdio.h>
#include <string.h>

static void allocations_are_aligned_and_separate(void **state)
{
	(void)state;
	for (int guard = 0; guard < 2; guard++) {
		struct fixture fixture;
		fixture_init(&fixture, 2, guard);
		const struct greta_hip *hip = fixture.hip;
		static const size_t sizes[] = { 1, 63, 64, 4097, (2 << 20) - 1, 2 << 20, (4 << 20) + 1 };
		enum { COUNT = sizeof(sizes) / sizeof(sizes[0]) };
		unsigned char *addresses[COUNT];
		for (size_t i = 0; i < COUNT; i++) {
			void *address;
			assert_hip(i % 2 ? hip->hipMalloc(&address, sizes[i]) : hip->hipHostMalloc(&address, sizes[i],
			    hipHostMallocMapped));
			assert_int_equal((uintptr_t)address % (sizes[i] >= 2 << 20 ? 2 << 20 : 64), 0);
			addresses[i] = address;
			memset(address, (int)i, sizes[i]);
		}
		assert_hip(hip->hipDeviceSynchronize());
		for (size_t i = 0; i < COUNT; i++) {
			assert_int_equal(addresses[i][0], i);
			assert_int_equal(addresses[i][sizes[i] - 1], i);
			assert_hip(i % 2 ? hip->hipFree(addresses[i]) : hip->hipHostFree(addresses[i]));
		}
		fixture_finish(&fixture);
	}
}

static void wrong_allocations_and_frees_are_refused(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 1, false);
	const struct greta_hip *hip = fixture.hip;
	void *address = fixture_malloc(&fixture, 100), *host, *none = &fixture;
	size_t available, total;
	assert_hip(hip->hipHostMalloc(&host, 100, 0));
	assert_hip(hip->hipMemGetInfo(&available, &total));
	assert_true(available > 0 && available <= total);
	assert_hip(hip->hipMalloc(&none, 0));
	assert_null(none);
	none = &fixture;
	assert_int_equal(hip->hipMalloc(&none, SIZE_MAX), hipErrorOutOfMemory);
	assert_int_equal(hip->hipMalloc(&none, total + 1), hipErrorOutOfMemory);
	assert_ptr_equal(none, &fixture);
	assert_int_equal(hip->hipMalloc(NULL, 8), hipErrorInvalidValue);
	assert_int_equal(hip->hipMemGetInfo(NULL, &total), hipErrorInvalidValue);
	assert_int_equal(hip->hipFree((char *)address + 1), hipErrorInvalidValue);
	assert_int_equal(hip->hipFree(&fixture), hipErrorInvalidValue);
	assert_int_equal(hip->hipFree(host), hipErrorInvalidValue);
	assert_int_equal(hip->hipHostFree(address), hipErrorInvalidValue);
	assert_hip(hip->hipFree(NULL));
	assert_hip(hip->hipHostFree(NULL));
	assert_hip(hip->hipFree(address));
	assert_int_equal(hip->hipFree(address), hipErrorInvalidValue);
	assert_hip(hip->hipHostFree(host));
	fixture_finish(&fixture);
}

/* Writes one byte at an offset from the start and sees who notices. */
static void overrun(size_t size, ptrdiff_t offset)
{
	struct fixture fixture;
	fixture_init(&fixture, 2, true);
	const struct greta_hip *hip = fixture.hip;
	unsigned char *before = fixture_malloc(&fixture, size), *address = fixture_malloc(&fixture, size);
	address[offset] ^= 1;
	assert_int_equal(hip->hipDeviceSynchronize(), hipErrorIllegalAddress);
	char bytes[64], number[64];
	snprintf(bytes, sizeof(bytes), "%zu bytes", size);
	snprintf(number, sizeof(number), "its byte %td", offset);
	assert_non_null(strstr(hip->detail(), "allocation 1 "));
	assert_non_null(strstr(hip->detail(), bytes));
	assert_non_null(strstr(hip->detail(), number));
	assert_int_equal(hip->hipGetLastError(), hipErrorIllegalAddress);
	assert_hip(hip->hipFree(before));
	assert_int_equal(hip->hipFree(address), hipErrorIllegalAddress);
	assert_hip(hip->hipDeviceSynchronize()); /* it has gone, and with it the complaint */
	fixture_finish(&fixture);
}

static void guard_bands_find_overruns(void **state)
{
	(void)state;
	static const size_t sizes[] = { 1, 64, 1000, 3 << 20 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ptrdiff_t size = (ptrdiff_t)sizes[i];
		overrun(sizes[i], -1);
		overrun(sizes[i], -256);
		overrun(sizes[i], size);
		overrun(sizes[i], size + 255);
	}
}

static void guarded_memory_starts_strange(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 2, true);
	void *address;
	unsigned char pattern[512];
	memset(pattern, 0xa7, sizeof(pattern));
	assert_hip(fixture.hip->hipMalloc(&address, sizeof(pattern)));
	assert_memory_equal(address, pattern, sizeof(pattern));
	fixture_finish(&fixture);
}

static void copies_stay_inside_allocations(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 2, true);
	const struct greta_hip *hip = fixture.hip;
	unsigned char *address = fixture_malloc(&fixture, 100), host[200];
	for (size_t i = 0; i < sizeof(host); i++)
		host[i] = (unsigned char)i;
	assert_hip(hip->hipMemcpy(address, host, 100, hipMemcpyHostToDevice));
	assert_memory_equal(address, host, 100);
	assert_hip(hip->hipMemset(address + 10, 0x80, 90));
	assert_hip(hip->hipMemcpy(host + 100, address, 100, hipMemcpyDeviceToHost));
	assert_int_equal(host[109], 9);
	assert_int_equal(host[110], 0x80);
	assert_int_equal(hip->hipMemcpy(address, host, 101, hipMemcpyDefault), hipErrorInvalidValue);
	assert_non_null(strstr(hip->detail(), "101 bytes"));
	assert_int_equal(hip->hipMemcpy(host, address + 50, 51, hipMemcpyDefault), hipErrorInvalidValue);
	assert_int_equal(hip->hipMemset(address + 99, 0, 2), hipErrorInvalidValue);
	assert_int_equal(hip->hipMemsetAsync(address + 99, 0, 2, fixture.stream), hipErrorInvalidValue);
	assert_int_equal(hip->hipMemcpyAsync(address + 99, host, 2, hipMemcpyDefault, fixture.stream),
	    hipErrorInvalidValue);
	assert_int_equal(hip->hipMemcpy(NULL, host, 1, hipMemcpyDefault), hipErrorInvalidValue);
	assert_int_equal(hip->hipMemcpy(address, NULL, 1, hipMemcpyDefault), hipErrorInvalidValue);
	assert_int_equal(hip->hipMemset(NULL, 0, 1), hipErrorInvalidValue);
	/* overlaps */
	assert_int_equal(hip->hipMemcpy(address, address + 49, 50, hipMemcpyDefault), hipErrorInvalidValue);
	assert_int_equal(hip->hipMemcpy(address + 49, address, 50, hipMemcpyDefault), hipErrorInvalidValue);
	assert_hip(hip->hipMemcpy(address + 50, address, 50, hipMemcpyDefault));
	assert_int_equal(hip->hipMemcpy(address, host, 1, (hipMemcpyKind)5), hipErrorInvalidMemcpyDirection);
	assert_hip(hip->hipMemcpy(NULL, NULL, 0, hipMemcpyDefault));
	assert_hip(hip->hipMemset(NULL, 0, 0));
	fixture_finish(&fixture);
}

static void freeing_waits_for_the_work_enqueued(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 2, true);
	enum { WORDS = 5000 };
	/* freed too early, memory is written to after the bands were looked at, and the address checker sees it */
	for (uint32_t round = 0; round < 20; round++) {
		void *address = fixture_malloc(&fixture, 4 * WORDS);
		uint32_t *overrun = fixture_malloc(&fixture, 4);
		struct test_mix args = { address, round };
		for (uint32_t i = 0; i < 20; i++)
			assert_hip(fixture_launch(&fixture, "mix", WORDS, &args, sizeof(args), fixture.stream));
		struct test_mix beyond = { overrun + 1, round };
		assert_hip(fixture_launch(&fixture, "mix", 1, &beyond, sizeof(beyond), fixture.stream));
		assert_int_equal(fixture.hip->hipFree(overrun), hipErrorIllegalAddress);
		assert_hip(fixture.hip->hipFree(address));
	}
	fixture_finish(&fixture);
}

static void host_memory_is_device_memory(void **state)
{
	(void)state;
	struct fixture fixture;
	fixture_init(&fixture, 2, true);
	const struct greta_hip *hip = fixture.hip;
	static uint32_t pageable[256];
	void *pinned, *seen = NULL, *device_only = fixture_malloc(&fixture, 64);
	assert_hip(hip->hipHostMalloc(&pinned, 256, hipHostMallocMapped));
	assert_hip(hip->hipHostGetDevicePointer(&seen, (char *)pinned + 8, 0));
	assert_ptr_equal(seen, (char *)pinned + 8);
	seen = NULL;
	assert_int_equal(hip->hipHostGetDevicePointer(&seen, pageable, 0), hipErrorInvalidValue);
	assert_int_equal(hip->hipHostGetDevicePointer(&seen, device_only, 0), hipErrorInvalidValue);
	assert_int_equal(hip->hipHostGetDevicePointer(&seen, pinned, 1), hipErrorInvalidValue);
	assert_int_equal(hip->hipHostGetDevicePointer(NULL, pinned, 0), hipErrorInvalidValue);
	assert_null(seen);
	assert_hip(hip->hipHostRegister(pageable, sizeof(pageable), hipHostRegisterMapped));
	assert_int_equal(hip->hipHostRegister(pageable + 255, 8, 0), hipErrorHostMemoryAlreadyRegistered);
	assert_int_equal(hip->hipHostRegister(NULL, 8, 0), hipErrorInvalidValue);
	assert_int_equal(hip->hipHostRegister(device_only, 0, 0), hipErrorInvalidValue);
	assert_hip(hip->hipHostGetDevicePointer(&seen, pageable, 0));
	struct test_mix args = { seen, 3 };
	assert_hip(fixture_launch(&fixture, "mix", 256, &args, sizeof(args), fixture.stream));
	assert_hip(hip->hipStreamSynchronize(fixture.stream));
	assert_int_equal(pageable[255], test_mixed(0, 3, 255));
	assert_hip(hip->hipHostUnregister(pageable));
	assert_int_equal(hip->hipHostUnregister(pageable), hipErrorHostMemoryNotRegistered);
	assert_hip(hip->hipHostRegister(pageable, 4, 0)); /* left for the unload */
	fixture_finish(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocations_are_aligned_and_separate),
		cmocka_unit_test(wrong_allocations_and_frees_are_refused),
		cmocka_unit_test(guard_bands_find_overruns),
		cmocka_unit_test(guarded_memory_starts_strange),
		cmocka_unit_test(copies_stay_inside_allocations),
		cmocka_unit_test(freeing_waits_for_the_work_enqueued),
		cmocka_unit_test(host_memory_is_device_memory),
	};
	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
