#!/bin/sh
# settings.sh FOLDER BUILD: the tests of BUILD, made in the root FOLDER, under settings of AMD's runtime that change how it
# drives the device. Status 0 when all passed.
set -u
run_sh=$(cd "$(dirname "$0")/.." && pwd)/run.sh
rocm=$1
build=$(cd "$2" && pwd)
export SIMHSA_LIB="$build/tests/sim942/hsa" SIMHSA_BIND="$build"
worst=0
run() {
	echo "== $*"
	env "$@" "$run_sh" "$rocm" meson test -C "$build" --no-rebuild --suite rocm --quiet || worst=1
}
run GPU_MAX_HW_QUEUES=1
run GPU_MAX_HW_QUEUES=8
run AMD_SERIALIZE_KERNEL=3
run HIP_LAUNCH_BLOCKING=1
run HIP_FORCE_DEV_KERNARG=0
run DEBUG_HIP_GRAPH_SEGMENT_SCHEDULING=0
run DEBUG_HIP_GRAPH_SEGMENT_SCHEDULING=2
run DEBUG_HIP_GRAPH_BATCH_SIZE=16
run DEBUG_HIP_FORCE_GRAPH_QUEUES=1
run GPU_FORCE_BLIT_COPY_SIZE=0
run HIP_MEM_POOL_USE_VM=0
run SIMHSA_POISON=165
run SIMHSA_JITTER=300
exit $worst
