# The agent's image. Build from the root of the repository: docker build -f docker/agent.Dockerfile -t muster-agent .
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm install --no-save --ignore-scripts --no-audit --no-fund && node agent/build.mjs

FROM node:24-bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates tini && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /src/agent/dist/agent.mjs /src/agent/dist/jq-worker.mjs /src/agent/dist/health-worker.mjs ./
USER 65532:65532
ENV NODE_ENV=production
EXPOSE 8081
# The flags keep the agent small; its aim is 150 MB with some hundred objects under watch.
ENTRYPOINT ["tini", "--", "node", "--max-semi-space-size=2", "--max-old-space-size=256", "agent.mjs"]
