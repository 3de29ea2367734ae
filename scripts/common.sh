# What the other scripts share. Sourcing it leaves us at the root of the repository.
# shellcheck shell=bash disable=SC2034
set -euo pipefail
user_dir=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\n==> %s\n' "$*"; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# install_packages PACKAGE...: installs those that are missing, where we may; otherwise says what would, and goes on.
install_packages() {
  local package missing=() as_root=()
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "This is no Debian or Ubuntu, so nothing is installed; what is missing is downloaded where that is possible."
    return 0
  fi
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) == installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  if ((EUID != 0)); then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as_root=(sudo -n)
    else
      echo "These packages are missing, and installing them needs a password. Either run"
      echo "    sudo apt-get install ${missing[*]}"
      echo "and this script again, or let it go on: it downloads the libraries among them."
      return 0
    fi
  fi
  say "Installing with apt-get: ${missing[*]}"
  local get=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q -o Dpkg::Use-Pty=0)
  if ! compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null; then
    "${get[@]}" update </dev/null || true
  fi
  "${get[@]}" install --no-install-recommends "${missing[@]}" </dev/null && return 0
  # Old lists name packages that the servers have replaced since, and one unknown name spoils the rest.
  "${get[@]}" update </dev/null || true
  for package in "${missing[@]}"; do
    "${get[@]}" install --no-install-recommends "$package" </dev/null || echo "Going on without $package."
  done
}

# What the library and its examples are built with, and gnuplot, with which the examples draw.
build_packages=(g++ cmake ninja-build libeigen3-dev libstb-dev zlib1g-dev libcli11-dev gnuplot-nox)
# What its tests need beside that.
# shellcheck disable=SC2034
test_packages=(doctest-dev nlohmann-json3-dev)

require_build_tools() {
  command -v cmake >/dev/null || die "cmake is missing: install it, 3.21 or newer, and run this again"
  command -v "${CXX:-c++}" >/dev/null || die "there is no C++ compiler: install g++, 11 or newer, and run this again"
  # Only the default for a new build folder; an existing one keeps its own.
  if [[ -z ${CMAKE_GENERATOR:-} ]] && command -v ninja >/dev/null; then export CMAKE_GENERATOR=Ninja; fi
}

# Compilations at a time: one per core, but each takes up to 1.5 GB of memory.
compile_jobs() {
  local cores room=64
  cores=$(nproc 2>/dev/null || echo 2)
  if [[ -r /proc/meminfo ]]; then room=$(awk '/^MemAvailable/ {print int($2 / 1500000)}' /proc/meminfo); fi
  echo $((room < 1 ? 1 : room < cores ? room : cores))
}
