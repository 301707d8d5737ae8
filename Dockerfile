# One image for all services; what runs in it is said by the command. The classic builder
# makes it as well: no mounts in RUN, no modes in COPY.

# The Python that the tests run on. Dependabot and Renovate know how to raise it.
ARG PYTHON=3.11.15-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src

# All that the lock names, each checked against its hash. From here on pip knows no other place
# to take anything from: what is installed is what the lock has.
COPY requirements.lock ./
RUN pip download --quiet --require-hashes --only-binary :all: --dest /wheels --requirement requirements.lock
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels

# What driftline runs on, with its extras and without their tests, in a layer that a change of
# our own code leaves alone.
COPY pyproject.toml LICENSE ./
RUN python -m venv --without-pip /opt/driftline \
 && python -c "import tomllib; it = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
print(*it['dependencies'], *sum(it['optional-dependencies'].values(), []), sep='\n')" >/runtime.txt \
 && pip --python /opt/driftline/bin/python install --quiet --no-compile --requirement /runtime.txt \
 && find /opt/driftline/lib -type d -name tests -prune -exec rm -rf {} +

COPY . .
# A file system that cannot be written to keeps no bytecode, so it is made here, for Python's own
# library too, and never compared with its source again.
RUN pip --python /opt/driftline/bin/python install --quiet --no-compile --no-deps . \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/driftline/lib

FROM python:${PYTHON}
# Python's own library is compiled as well; pip, and all that could bring it back, is gone.
RUN rm -rf /usr/local/bin/pip* /usr/local/lib/python3.*/site-packages/* \
      /usr/local/lib/python3.*/ensurepip /usr/local/lib/python3.*/idlelib \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash \
      -x '/(tests?|lib2to3)/' "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
 && find / -xdev -perm /6000 -type f -exec chmod a-s {} + \
 && install -d -o 10001 -g 10001 -m 0700 /var/lib/driftline
COPY --from=build /opt/driftline /opt/driftline

# Whoever has many processors would have as many idle threads: a learner computes in one.
ENV PATH=/opt/driftline/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp \
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
# A number, so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/driftline
STOPSIGNAL SIGTERM
ENTRYPOINT ["driftline"]
CMD ["--help"]

ARG REVISION=unknown
LABEL org.opencontainers.image.title="driftline" \
      org.opencontainers.image.description="Learn from a stream, score every guess before learning from it, and start over when the world changes" \
      org.opencontainers.image.licenses="BSD-3-Clause" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}"
