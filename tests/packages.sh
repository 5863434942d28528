# Sourced by the scripts that set a machine up: need_packages NAME... installs the Debian packages that are missing, or says
# which to install when this is not root (or not Debian).

need_packages() {
	missing=
	for package; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "Packages are missing; as root: apt-get install$missing" >&2
		return 1
	fi
	echo "installing$missing"
	export DEBIAN_FRONTEND=noninteractive
	{ apt-get -q -y install --no-install-recommends $missing ||
		{ apt-get -q update && apt-get -q -y install --no-install-recommends $missing; }; } >/tmp/greta-apt.$$ 2>&1 || {
		tail -n 5 /tmp/greta-apt.$$ >&2
		rm -f /tmp/greta-apt.$$
		return 1
	}
	rm -f /tmp/greta-apt.$$
}

# What building takes, and what building the tests takes besides.
BUILD_PACKAGES="gcc libc6-dev meson ninja-build pkg-config libxxhash-dev libjansson-dev"
TEST_PACKAGES="libcmocka-dev"

# What compiles kernels for AMD GPUs and takes the code apart for the simulator; the last two are for its own tests alone.
GPU_PACKAGES="clang-19 lld-19 llvm-19 libamdhip64-dev rocm-device-libs"
