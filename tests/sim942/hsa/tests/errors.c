/* What must fail, and how. */
#include "harness.h"
#include <sys/wait.h>
#include <unistd.h>

TEST(missing_kernel)
{
	hipFunction_t kernel;
	HIP_IS(hipErrorNotFound, hipModuleGetFunction(&kernel, test_module(), "no_such_kernel"));
	(void)hipGetLastError();
}

TEST(missing_file)
{
	hipModule_t module;
	HIP_IS(hipErrorFileNotFound, hipModuleLoad(&module, "/no/such/file"));
	(void)hipGetLastError();
}

TEST(wrong_architecture)
{
	hipModule_t module;
	char path[4096];
	snprintf(path, sizeof path, "%s/wrong.co", test_folder);
	hipError_t error = hipModuleLoad(&module, path);
	test_note("a gfx90a bundle: %s", hipGetErrorName(error));
	CHECK(error == hipErrorNoBinaryForGpu || error == hipErrorInvalidImage || error == hipErrorSharedObjectInitFailed);
	snprintf(path, sizeof path, "%s/wrong.elf", test_folder);
	error = hipModuleLoad(&module, path);
	test_note("a gfx90a ELF: %s", hipGetErrorName(error));
	CHECK(error != hipSuccess);
	(void)hipGetLastError();
}

TEST(damaged_image)
{
	static char junk[4096] = "not a code object";
	hipModule_t module;
	hipError_t error = hipModuleLoadData(&module, junk);
	test_note("junk: %s", hipGetErrorName(error));
	CHECK(error != hipSuccess);
	(void)hipGetLastError();
}

TEST(bad_launches)
{
	unsigned first = 0, n = 0, *memory = device_alloc(4);
	void *params[] = {&memory, &first, &n};
	hipFunction_t kernel = test_kernel("iota");
	CHECK(hipModuleLaunchKernel(kernel, 1, 1, 1, 2048, 1, 1, 0, NULL, params, NULL) != hipSuccess);
	CHECK(hipModuleLaunchKernel(kernel, 0, 1, 1, 64, 1, 1, 0, NULL, params, NULL) != hipSuccess);
	CHECK(hipModuleLaunchKernel(kernel, 1, 1, 1, 0, 1, 1, 0, NULL, params, NULL) != hipSuccess);
	hipError_t error = hipModuleLaunchKernel(kernel, 1, 1, 1, 64, 1, 1, 70000, NULL, params, NULL);
	test_note("70,000 bytes of LDS: %s", hipGetErrorName(error));
	CHECK(error != hipSuccess);
	(void)hipGetLastError();
	LAUNCH("iota", 1, 64, NULL, &memory, &first, &n);
	HIP(hipDeviceSynchronize());
}

/* A synchronous call on a capturing stream breaks the capture. */
static void broken_capture(hipError_t (*call)(hipStream_t), const char *name)
{
	hipStream_t stream;
	hipGraph_t graph = NULL;
	hipStreamCaptureStatus status;
	unsigned first = 0, n = 64, *memory = device_alloc(256);
	HIP(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	HIP(hipStreamBeginCapture(stream, hipStreamCaptureModeThreadLocal));
	LAUNCH("iota", 1, 64, stream, &memory, &first, &n);
	hipError_t inside = call(stream);
	HIP(hipStreamIsCapturing(stream, &status));
	hipError_t end = hipStreamEndCapture(stream, &graph);
	test_note("%s in capture: %s, status %d, hipStreamEndCapture %s", name, hipGetErrorName(inside), (int)status,
			hipGetErrorName(end));
	if (graph)
		HIP(hipGraphDestroy(graph));
	CHECK(inside != hipSuccess && end != hipSuccess);
	(void)hipGetLastError();
	hipError_t after = hipModuleLaunchKernel(test_kernel("iota"), 1, 1, 1, 64, 1, 1, 0, stream,
			(void *[]){&memory, &first, &n}, NULL);
	hipError_t wait = hipStreamSynchronize(stream);
	test_note("the stream afterwards: launch %s, synchronize %s", hipGetErrorName(after), hipGetErrorName(wait));
	(void)hipGetLastError();
	HIP(hipStreamDestroy(stream));
	/* the rest of the process goes on */
	HIP(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	LAUNCH("iota", 1, 64, stream, &memory, &first, &n);
	HIP(hipStreamSynchronize(stream));
	HIP(hipStreamDestroy(stream));
	HIP(hipDeviceSynchronize());
}

static hipError_t call_synchronize(hipStream_t stream) { return hipStreamSynchronize(stream); }
static hipError_t call_query(hipStream_t stream) { return hipStreamQuery(stream); }
static hipError_t call_device(hipStream_t stream) { (void)stream; return hipDeviceSynchronize(); }
static hipError_t call_malloc(hipStream_t stream) { void *p; (void)stream; return hipMalloc(&p, 64); }
static hipError_t call_memcpy(hipStream_t stream)
{
	char a[16] = "", *b;
	(void)stream;
	b = test_module() ? a : NULL;
	return hipMemcpy(b, a, 0, hipMemcpyHostToHost);
}

TEST(capture_broken_by_stream_synchronize) { broken_capture(call_synchronize, "hipStreamSynchronize"); }
TEST(capture_broken_by_stream_query) { broken_capture(call_query, "hipStreamQuery"); }
TEST(capture_broken_by_device_synchronize) { broken_capture(call_device, "hipDeviceSynchronize"); }
TEST(capture_and_malloc) { broken_capture(call_malloc, "hipMalloc"); }
TEST(capture_and_empty_memcpy) { broken_capture(call_memcpy, "hipMemcpy"); }

TEST(capture_unjoined)
{
	hipStream_t stream, other;
	hipEvent_t event;
	hipGraph_t graph = NULL;
	unsigned first = 0, n = 64, *memory = device_alloc(256);
	HIP(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
	HIP(hipStreamCreateWithFlags(&other, hipStreamNonBlocking));
	HIP(hipEventCreateWithFlags(&event, hipEventDisableTiming));
	HIP(hipStreamBeginCapture(stream, hipStreamCaptureModeThreadLocal));
	HIP(hipEventRecord(event, stream));
	HIP(hipStreamWaitEvent(other, event, 0));
	LAUNCH("iota", 1, 64, other, &memory, &first, &n);
	HIP_IS(hipErrorStreamCaptureUnjoined, hipStreamEndCapture(stream, &graph));
	(void)hipGetLastError();
	HIP(hipEventDestroy(event));
	HIP(hipStreamDestroy(stream));
	HIP(hipStreamDestroy(other));
}

static void wild(void)
{
	unsigned *nowhere = (unsigned *)0x123456789000;
	hipError_t launched = hipModuleLaunchKernel(test_kernel("wild_store"), 1, 1, 1, 64, 1, 1, 0, NULL,
			(void *[]){&nowhere}, NULL);
	hipError_t error = hipDeviceSynchronize();
	printf("     note: a wild store: launch %s, hipDeviceSynchronize %s\n", hipGetErrorName(launched),
			hipGetErrorName(error));
	fflush(stdout);
	_Exit(error == hipSuccess ? 0 : 7);
}

/* In a fresh process: this program is run again with the name of the body. */
static int again(const char *body)
{
	char command[8192], self[4096];
	ssize_t got = readlink("/proc/self/exe", self, sizeof self - 1);
	CHECK(got > 0);
	self[got] = 0;
	fflush(stdout);
	snprintf(command, sizeof command, "timeout -k 1 60 '%s' --child %s", self, body);
	return system(command);
}

TEST(wild_store)
{
	int status = again("wild");
	test_note("the process ended %s %d", WIFSIGNALED(status) ? "by signal" : "with status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	CHECK(status != 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 124));
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--child")) {
		find_folder();
		if (!setjmp(test_end) && !strcmp(argv[2], "wild"))
			wild();
		return 9;
	}
	return run_tests(argc, argv, "errors");
}
