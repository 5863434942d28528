/* Modules and launches. */
#include "harness.h"

hipError_t hipExtModuleLaunchKernel(hipFunction_t kernel, uint32_t grid_x, uint32_t grid_y, uint32_t grid_z,
		uint32_t block_x,
		uint32_t block_y, uint32_t block_z, size_t lds, hipStream_t stream, void **params, void **extra, hipEvent_t start,
		hipEvent_t stop, uint32_t flags);

static void check_iota(unsigned *memory, unsigned first, unsigned n)
{
	unsigned *out = malloc(n * 4);
	download(out, memory, n * 4);
	for (unsigned i = 0; i < n; i++)
		if (out[i] != first + i)
			test_failed(__FILE__, __LINE__, "item %u is %u, not %u", i, out[i], first + i);
	free(out);
}

static void *read_file(const char *name, size_t *size)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", test_folder, name);
	FILE *file = fopen(path, "rb");
	CHECK(file);
	fseek(file, 0, SEEK_END);
	*size = (size_t)ftell(file);
	rewind(file);
	void *data = malloc(*size);
	CHECK(fread(data, 1, *size, file) == *size);
	fclose(file);
	return data;
}

static void use_module(hipModule_t module)
{
	hipFunction_t kernel;
	unsigned first = 42, n = 700, *memory = device_alloc(n * 4);
	HIP(hipModuleGetFunction(&kernel, module, "iota"));
	launch(kernel, 3, 256, 0, NULL, (void *[]){&memory, &first, &n});
	check_iota(memory, first, n);
	HIP(hipModuleUnload(module));
}

TEST(load_bundle_from_memory)
{
	size_t size;
	void *data = read_file("kernels.co", &size);
	hipModule_t module;
	HIP(hipModuleLoadData(&module, data));
	use_module(module);
	free(data);
}

TEST(load_plain_elf)
{
	size_t size;
	void *data = read_file("kernels.elf", &size);
	hipModule_t module;
	CHECK(!memcmp(data, "\177ELF", 4));
	HIP(hipModuleLoadData(&module, data));
	use_module(module);
	free(data);
}

TEST(launch_params)
{
	unsigned first = 1, n = 1000, *memory = device_alloc(n * 4);
	LAUNCH("iota", 4, 256, NULL, &memory, &first, &n);
	check_iota(memory, first, n);
}

TEST(launch_extra)
{
	struct { unsigned *memory; unsigned first, n; } arguments = {device_alloc(4000), 77, 1000};
	size_t bytes = sizeof arguments;
	void *extra[] = {HIP_LAUNCH_PARAM_BUFFER_POINTER, &arguments, HIP_LAUNCH_PARAM_BUFFER_SIZE, &bytes,
			HIP_LAUNCH_PARAM_END};
	HIP(hipModuleLaunchKernel(test_kernel("iota"), 4, 1, 1, 256, 1, 1, 0, NULL, NULL, extra));
	check_iota(arguments.memory, 77, 1000);
}

TEST(axpy)
{
	enum { n = 10000 };
	static float x[n], y[n], out[n];
	float a = 1.7f, *dx = device_alloc(sizeof x), *dy = device_alloc(sizeof y);
	int count = n;
	for (int i = 0; i < n; i++)
		x[i] = (float)i * 0.37f - 900, y[i] = 1000.0f / (float)(i + 1);
	upload(dx, x, sizeof x);
	upload(dy, y, sizeof y);
	LAUNCH("axpy", (n + 255) / 256, 256, NULL, &dx, &dy, &a, &count);
	download(out, dy, sizeof out);
	for (int i = 0; i < n; i++)
		CHECK(out[i] == fmaf(a, x[i], y[i]) || out[i] == a * x[i] + y[i]);
}

TEST(three_dimensions)
{
	enum { width = 24, height = 10, depth = 6 };
	static unsigned out[width * height * depth];
	unsigned *memory = device_alloc(sizeof out);
	HIP(hipModuleLaunchKernel(test_kernel("coordinates"), 3, 5, 2, 8, 2, 3, 0, NULL, (void *[]){&memory}, NULL));
	download(out, memory, sizeof out);
	for (unsigned z = 0; z < depth; z++)
		for (unsigned y = 0; y < height; y++)
			for (unsigned x = 0; x < width; x++)
				CHECK(out[(z * height + y) * width + x] == (x | y << 10 | z << 20));
}

TEST(static_lds)
{
	enum { blocks = 9, n = blocks * 256 };
	static unsigned in[n], out[blocks];
	unsigned *din = device_alloc(sizeof in), *dout = device_alloc(sizeof out);
	for (unsigned i = 0; i < n; i++)
		in[i] = i * i;
	upload(din, in, sizeof in);
	LAUNCH("block_sum", blocks, 256, NULL, &din, &dout);
	download(out, dout, sizeof out);
	for (unsigned b = 0; b < blocks; b++) {
		unsigned sum = 0;
		for (unsigned i = 0; i < 256; i++)
			sum += in[b * 256 + i];
		CHECK(out[b] == sum);
	}
}

TEST(dynamic_lds)
{
	enum { block = 192, blocks = 5, n = block * blocks };
	static unsigned in[n], out[n];
	unsigned *memory = device_alloc(sizeof in);
	for (unsigned i = 0; i < n; i++)
		in[i] = i * 3 + 1;
	upload(memory, in, sizeof in);
	launch(test_kernel("block_reverse"), blocks, block, block * 4, NULL, (void *[]){&memory});
	download(out, memory, sizeof out);
	for (unsigned i = 0; i < n; i++)
		CHECK(out[i] == in[i / block * block + block - 1 - i % block]);
}

TEST(global_variable)
{
	hipDeviceptr_t address;
	size_t bytes = 0;
	unsigned table[64], out[64], *memory = device_alloc(sizeof out), n = 64;
	HIP(hipModuleGetGlobal(&address, &bytes, test_module(), "table"));
	CHECK(bytes == sizeof table);
	download(table, address, sizeof table);
	CHECK(table[0] == 1 && table[3] == 4 && table[4] == 0);
	for (unsigned i = 0; i < 64; i++)
		table[i] = i * 10;
	upload(address, table, sizeof table);
	HIP(hipMemset(memory, 0, sizeof out));
	LAUNCH("add_table", 1, 64, NULL, &memory, &n);
	download(out, memory, sizeof out);
	for (unsigned i = 0; i < 64; i++)
		CHECK(out[i] == i * 10);
}

TEST(function_attributes)
{
	int value = 0;
	HIP(hipFuncGetAttribute(&value, HIP_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, test_kernel("block_sum")));
	CHECK(value == 1024);
	HIP(hipFuncGetAttribute(&value, HIP_FUNC_ATTRIBUTE_NUM_REGS, test_kernel("block_sum")));
	CHECK(value > 0 && value <= 512);
	HIP(hipFuncGetAttribute(&value, HIP_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, test_kernel("block_sum")));
	CHECK(value == 1024);
}

TEST(extended_launch)
{
	unsigned first = 8, n = 1000, *memory = device_alloc(n * 4);
	hipEvent_t start, stop;
	float milliseconds = -1;
	HIP(hipEventCreate(&start));
	HIP(hipEventCreate(&stop));
	/* its grid is in work-items */
	HIP(hipExtModuleLaunchKernel(test_kernel("iota"), 1000, 1, 1, 250, 1, 1, 0, NULL, (void *[]){&memory, &first, &n},
	NULL,
			start, stop, 0));
	HIP(hipEventSynchronize(stop));
	HIP(hipEventElapsedTime(&milliseconds, start, stop));
	CHECK(milliseconds > 0 && milliseconds < 60000);
	check_iota(memory, first, n);
	HIP(hipEventDestroy(start));
	HIP(hipEventDestroy(stop));
}

TEST(many_launches)
{
	unsigned n = 256, *state = device_alloc(n * 4), *position = device_alloc(4), out[256], want[256];
	HIP(hipMemset(state, 0, n * 4));
	HIP(hipMemset(position, 0, 4));
	memset(want, 0, sizeof want);
	for (unsigned node = 0; node < 3000; node++) {
		LAUNCH("step", 1, 256, NULL, &state, &position, &node, &n);
		for (unsigned i = 0; i < n; i++) {
			unsigned v = want[i] ^ node * 2654435761u;
			v = v * 1664525u + 1013904223u + i;
			want[i] = v ^ v >> 13;
		}
	}
	download(out, state, sizeof out);
	CHECK(!memcmp(out, want, sizeof out));
}

int main(int argc, char **argv)
{
	return run_tests(argc, argv, "modules");
}
