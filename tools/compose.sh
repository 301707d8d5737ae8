#!/usr/bin/env bash
# Run whichever Compose there is on this project: `docker compose`, else docker-compose.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Without buildx there is only the classic builder, and it must be asked for.
docker buildx version >/dev/null 2>&1 || export DOCKER_BUILDKIT=0
if docker compose version >/dev/null 2>&1; then
  exec docker compose "$@"
elif command -v docker-compose >/dev/null; then
  exec docker-compose "$@"
fi
echo "there is no Docker Compose here: install Docker with its plugin compose, or docker-compose" >&2
exit 1
