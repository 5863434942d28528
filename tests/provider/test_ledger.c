/* The books that other tests keep of a provider: everything acquired is in them until it is given back. */
#include "tests/provider/ledger.h"
#include "tests/provider/fixture.h"

#include <string.h>

static void assert_held(const char *expected)
{
	char text[256];
	assert_int_equal(ledger_held(text, sizeof(text)) == 0, !*expected);
	assert_string_equal(text, expected);
}

static void what_is_acquired_is_held_until_it_is_given_back(void **state)
{
	(void)state;
	struct fixture fixture;
	struct greta_hip hip;
	void *a, *b, *host;
	hipStream_t stream;
	hipEvent_t event;
	hipModule_t module;
	hipGraph_t graph;
	hipGraphExec_t exec;
	fixture_init(&fixture, 1, true);
	ledger_wrap(fixture.hip, &hip);
	assert_held("");
	assert_hip(hip.hipMalloc(&a, 100));
	assert_hip(hip.hipMalloc(&b, 20));
	assert_hip(hip.hipHostMalloc(&host, 7, hipHostMallocDefault));
	assert_held("2 device allocations, 1 host allocation");
	assert_hip(hip.hipFree(a));
	assert_hip(hip.hipMalloc(&a, 50));
	assert_int_equal(ledger_device_peak(), 120);
	assert_int_equal(ledger_host_peak(), 7);
	assert_hip(hip.hipFree(a));
	assert_hip(hip.hipFree(b));
	assert_hip(hip.hipHostFree(host));
	assert_int_equal(ledger_host_bytes(), 0);
	assert_hip(hip.hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	assert_hip(hip.hipEventCreateWithFlags(&event, hipEventDefault));
	assert_hip(hip.hipModuleLoadData(&module, &test_module));
	assert_hip(hip.hipStreamBeginCapture(stream, hipStreamCaptureModeThreadLocal));
	assert_held("1 stream, 1 event, 1 open capture, 1 module");
	assert_hip(hip.hipStreamEndCapture(stream, &graph));
	assert_hip(hip.hipGraphInstantiate(&exec, graph, NULL, NULL, 0));
	assert_held("1 stream, 1 event, 1 graph, 1 executable graph, 1 module");
	assert_hip(hip.hipGraphExecDestroy(exec));
	assert_hip(hip.hipGraphDestroy(graph));
	assert_hip(hip.hipModuleUnload(module));
	assert_hip(hip.hipEventDestroy(event));
	assert_hip(hip.hipStreamDestroy(stream));
	assert_held("");
	assert_int_equal(ledger_wrong(), 0);
	fixture_finish(&fixture);
}

static void failures_are_not_held_and_wrong_returns_are_counted(void **state)
{
	(void)state;
	struct fixture fixture;
	struct greta_hip hip;
	void *address = NULL;
	fixture_init(&fixture, 1, true);
	ledger_wrap(fixture.hip, &hip);
	assert_int_not_equal(hip.hipMalloc(&address, SIZE_MAX / 2), hipSuccess);
	assert_held("");
	assert_hip(hip.hipMalloc(&address, 8));
	assert_hip(hip.hipFree(address));
	assert_int_not_equal(hip.hipFree(address), hipSuccess);
	assert_int_equal(ledger_wrong(), 1);
	assert_held("");
	fixture_finish(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_acquired_is_held_until_it_is_given_back),
		cmocka_unit_test(failures_are_not_held_and_wrong_returns_are_counted),
	};
	return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
