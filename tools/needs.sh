#!/usr/bin/env bash
# What the whole test suite needs beyond Python's packages. As root on Debian or Ubuntu it
# installs what is missing; anywhere else it says what to install, and fails.
#
#   tools/needs.sh               install or say, then fetch Kafka's jars
#   tools/needs.sh --get NEED…   install or say these needs, which may be others, and no jars
#   tools/needs.sh --say NEED…   only say what is missing of these needs, and how to get it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

find_python() {
  local name
  for name in python3 python3.13 python3.12 python3.11 python3.14; do
    if "$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
      >/dev/null 2>&1; then
      command -v "$name"
      return
    fi
  done
  return 1
}

# The major version of the Java on PATH: 8 for the old form "1.8.0_392", 17 for "17.0.15".
java_major() {
  java -version 2>&1 | sed -nE 's/.* version "(1\.)?([0-9]+).*/\2/p' | head -n 1
}

is_there() {
  case $1 in
    python) find_python >/dev/null ;;
    java) local major; major=$(java_major) && [[ -n $major ]] && ((major >= 17)) ;;
    chromium) command -v chromium || command -v chromium-browser || command -v google-chrome ;;
    compose) docker compose version || command -v docker-compose ;;
    *) command -v "$1" ;;
  esac >/dev/null 2>&1
}

describe() {
  case $1 in
    python) echo "Python 3.11 or newer, with venv" ;;
    java) echo "Java 17 or newer (a JRE is enough), as 'java' on PATH" ;;
    mvn) echo "Apache Maven, as 'mvn' on PATH" ;;
    prometheus | promtool) echo "Prometheus, as 'prometheus' and 'promtool' on PATH" ;;
    kcat) echo "kcat, as 'kcat' on PATH" ;;
    chromium) echo "Chromium, as 'chromium', 'chromium-browser' or 'google-chrome' on PATH" ;;
    compose) echo "Docker Compose, as 'docker compose' or 'docker-compose'" ;;
    *) echo "$1" ;;
  esac
}

has_package() { [[ -n $(apt-cache madison "$1" 2>/dev/null) ]]; }

# Releases differ in the Java and the Python they carry, so ask apt which one there is.
packages_of() {
  local version
  case $1 in
    python)
      version=$(apt-cache madison python3 2>/dev/null | awk 'NR == 1 {print $3}')
      if [[ -n $version ]] && dpkg --compare-versions "$version" lt 3.11 \
        && has_package python3.11-venv; then
        echo python3.11 python3.11-venv
      else
        echo python3 python3-venv
      fi
      ;;
    java)
      for version in 17 21 25; do
        if has_package "openjdk-$version-jre-headless"; then
          echo "openjdk-$version-jre-headless"
          return
        fi
      done
      echo default-jre-headless
      ;;
    mvn) echo maven ;;
    prometheus | promtool) echo prometheus ;;
    chromium) echo chromium fonts-liberation ;;
    compose) echo docker-compose ;;
    *) echo "$1" ;;
  esac
}

packages_of_all() {
  local need
  for need in "$@"; do packages_of "$need"; done | tr ' ' '\n' | awk '!seen[$0]++'
}

missing_of() {
  local need
  for need in "$@"; do is_there "$need" || echo "$need"; done
}

say() {
  local need
  {
    echo "missing here:"
    for need in "$@"; do describe "$need"; done | awk '!seen[$0]++ {print "  - " $0}'
    if command -v apt-get >/dev/null; then
      echo "install it with:"
      echo "  sudo apt-get update && sudo apt-get install --no-install-recommends" \
        $(packages_of_all "$@")
    fi
  } >&2
}

is_debian_root() {
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null \
    && grep -qE '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release
}

install() {
  local policy=/usr/sbin/policy-rc.d
  local apt=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  export DEBIAN_FRONTEND=noninteractive
  # One source that does not answer need not matter; whether it does, the install will tell.
  "${apt[@]}" update || echo "apt-get update failed; going on with the lists there are" >&2
  # Debian's prometheus is a service that starts when installed; the tests want only the
  # program. Where a policy is already there, it is not ours to replace.
  if [[ ! -e $policy ]]; then
    trap "rm -f $policy" EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  # shellcheck disable=SC2046  # one word a package
  "${apt[@]}" install --yes --no-install-recommends $(packages_of_all "$@") >/dev/null
  if [[ " $* " == *" prometheus "* && -d /run/systemd/system ]]; then
    systemctl --quiet disable prometheus || true
  fi
}

if [[ ${1:-} == --say ]]; then
  shift
  mapfile -t missing < <(missing_of "$@")
  if ((${#missing[@]})); then say "${missing[@]}"; fi
  exit
fi

needs=(make python java mvn prometheus promtool kcat chromium) jars=1
if [[ ${1:-} == --get ]]; then
  needs=("${@:2}") jars=
fi
mapfile -t missing < <(missing_of "${needs[@]}")
if ((${#missing[@]})) && is_debian_root; then
  echo "installing ${missing[*]}"
  install "${missing[@]}"
  hash -r
  mapfile -t missing < <(missing_of "${needs[@]}")
fi
if ((${#missing[@]})); then
  say "${missing[@]}"
  exit 1
fi
[[ -z $jars ]] || "$(find_python)" tools/kafka.py jars
