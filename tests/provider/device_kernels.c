#include "tests/provider/device_kernels.h"

#define KERNELS(dependencies) \
	".address_size 64\n" \
	".visible .entry mix(.param .align 8 .b8 args[24])\n" \
	"{\n" \
	"	.reg .pred %at_end;\n" \
	"	.reg .b32 %i, %block, %threads, %thread, %key, %count, %other, %word, %high;\n" \
	"	.reg .b64 %from, %to, %offset;\n" \
	dependencies \
	"	ld.param.u64 %from, [args];\n" \
	"	ld.param.u64 %to, [args+8];\n" \
	"	ld.param.u32 %key, [args+16];\n" \
	"	ld.param.u32 %count, [args+20];\n" \
	"	mov.u32 %block, %ctaid.x;\n" \
	"	mov.u32 %threads, %ntid.x;\n" \
	"	mov.u32 %thread, %tid.x;\n" \
	"	mad.lo.u32 %i, %block, %threads, %thread;\n" \
	"	setp.ge.u32 %at_end, %i, %count;\n" \
	"	@%at_end ret;\n" \
	"	mad.lo.u32 %other, %i, 7, 1;\n" \
	"	sub.u32 %count, %count, 1;\n" \
	"	and.b32 %other, %other, %count;\n" \
	"	mul.wide.u32 %offset, %other, 4;\n" \
	"	add.u64 %from, %from, %offset;\n" \
	"	ld.global.u32 %word, [%from];\n" \
	"	xor.b32 %word, %word, %key;\n" \
	"	mad.lo.u32 %word, %word, 0x9e3779b1, %i;\n" \
	"	shr.u32 %high, %word, 15;\n" \
	"	xor.b32 %word, %word, %high;\n" \
	"	mul.wide.u32 %offset, %i, 4;\n" \
	"	add.u64 %to, %to, %offset;\n" \
	"	st.global.u32 [%to], %word;\n" \
	"	ret;\n" \
	"}\n" \
	".visible .entry wait(.param .align 8 .b8 args[16])\n" \
	"{\n" \
	"	.reg .pred %closed;\n" \
	"	.reg .b32 %word;\n" \
	"	.reg .b64 %gate, %out;\n" \
	dependencies \
	"	ld.param.u64 %gate, [args];\n" \
	"	ld.param.u64 %out, [args+8];\n" \
	"again:\n" \
	"	ld.volatile.global.u32 %word, [%gate];\n" \
	"	setp.eq.u32 %closed, %word, 0;\n" \
	"	@%closed bra again;\n" \
	"	st.global.u32 [%out], %word;\n" \
	"	ret;\n" \
	"}\n"

const char device_ptx[] = ".version 7.0\n.target sm_75\n" KERNELS("");
const char device_ptx_overlap[] = ".version 7.8\n.target sm_90\n" KERNELS("	griddepcontrol.launch_dependents;\n"
	"	griddepcontrol.wait;\n");
