#!/bin/sh
# check.sh RUN_TESTS FOLDER [ARCH-]LEVEL|isa|cdna2|rdna [OPTION...]: compiles the test kernels for ARCH (gfx942 unless it is
# said) at -O LEVEL, or gfx942's assembly file of rarer instructions, or what gfx90a has besides, or what is RDNA's own
# (gfx1100's or gfx1201's), into FOLDER and runs them in the simulator by the program RUN_TESTS, which gets the options.
# Status 77, with the reason, where there is nothing to compile them.
#   CLANG=clang++-19          a clang with the AMDGPU target, for the distribution's HIP headers and device libraries
#   HIPCC=hipcc               ROCm's compiler instead
#   HIPCC_CHROOT=DIRECTORY    a system of its own that holds hipcc (needs root) instead
set -eu
run_tests=$1 folder=$2 what=$3 arch=gfx942
shift 3
case $what in
gfx*-*) arch=${what%%-*} what=${what#*-} ;;
cdna2) arch=gfx90a ;;
rdna) arch=gfx1100 ;;
esac
here=$(cd "$(dirname "$0")" && pwd)

skip() {
	echo "skipped: $*"
	exit 77
}

if [ -n "${HIPCC_CHROOT:-}" ]; then
	compiler=chroot
elif [ -n "${HIPCC:-}" ]; then
	compiler=hipcc
else
	compiler=clang
fi
if [ -z "${CLANG:-}" ]; then
	for CLANG in clang++-22 clang++-21 clang++-20 clang++-19 none; do
		command -v "$CLANG" >/dev/null && break
	done
fi
export CLANG

mkdir -p "$folder"
if [ "$what" = isa ]; then
	[ "$CLANG" != none ] || skip "no clang that knows gfx942 (package clang-19)"
	"$CLANG" -x assembler -target amdgcn-amd-amdhsa -mcpu=gfx942 -mcode-object-version=5 "$here/isa.s" \
		-o "$folder/isa.hsaco"
	exec "$run_tests" "$@" isa "$folder/isa.hsaco"
fi

if [ "$what" = cdna2 ]; then
	[ "$CLANG" != none ] || skip "no clang that knows $arch (package clang-19)"
	"$CLANG" -x hip --offload-arch="$arch" --cuda-device-only --no-gpu-bundle-output -nogpuinc -nogpulib -O3 \
		-mcode-object-version=5 "$here/kernels/cdna2.hip" -o "$folder/cdna2.hsaco"
	exec "$run_tests" "$@" cdna2 "$folder/cdna2.hsaco"
fi

if [ "$what" = rdna ]; then
	[ "$CLANG" != none ] || skip "no clang that knows $arch (package clang-19)"
	"$CLANG" -x hip --offload-arch="$arch" --cuda-device-only --no-gpu-bundle-output -nogpuinc -nogpulib -O3 \
		-mcode-object-version=5 "$here/kernels/rdna.hip" -o "$folder/rdna.hsaco"
	exec "$run_tests" "$@" "$arch" "$folder/rdna.hsaco"
fi

if [ $compiler = clang ]; then
	[ "$CLANG" != none ] || skip "no clang that knows $arch (package clang-19)"
	echo '#include <hip/hip_runtime.h>' >"$folder/probe.hip"
	"$here/compile.sh" clang "$arch" 0 "$folder/probe.hip" "$folder/probe.hsaco" >"$folder/probe.log" 2>&1 ||
		skip "no HIP headers or device libraries that $CLANG can use (packages libamdhip64-dev, rocm-device-libs)"
fi
code=
names="basic arith memory flow llm"
[ "$arch" != gfx942 ] || names="$names mfma"
for name in $names; do
	"$here/compile.sh" $compiler "$arch" "$what" "$here/kernels/$name.hip" "$folder/$name.hsaco"
	code="$code $folder/$name.hsaco"
done
# shellcheck disable=SC2086
exec "$run_tests" "$@" "$arch-$compiler-O$what" $code
