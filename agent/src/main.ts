import { createServer } from 'node:http';
import { MusterError } from '@muster/base';
import { runAgent } from './agent.ts';
import { readConfig } from './config.ts';
import { type Log, makeLog } from './log.ts';
import { metricsText } from './metrics.ts';
import type { Health } from './serve.ts';

// grpc-js names the server by its address in the handshake, which Node calls deprecated on every start.
process.noDeprecation = true;

/** Entry of the process: settings, signals, probes, exit code. */
async function main(): Promise<number> {
  let config: ReturnType<typeof readConfig>;
  try {
    config = readConfig();
    if (!config.hub) throw new MusterError('invalid', 'is not set', { where: 'MUSTER_AGENT_HUB' });
  } catch (thrown) {
    process.stderr.write(`muster-agent: ${MusterError.from(thrown).describe()}\n`);
    return 1;
  }
  const log = makeLog(config.logLevel);
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  const health: Health = { ready: false, acting: false, connected: false };
  const server = serveHealth(config.healthHost, config.healthPort, health);
  try {
    await runAgent(config, log, health, stop.signal);
    return 0;
  } catch (thrown) {
    if (stop.signal.aborted) return 0;
    report(log, MusterError.from(thrown));
    return 1;
  } finally {
    server?.close();
  }
}

function report(log: Log, error: MusterError): void {
  log.fatal({ code: error.code, error: error.describe() }, 'the agent cannot go on');
  process.stderr.write(`muster-agent: ${error.describe()}\n`);
}

/** /livez: the process answers. /readyz: it knows its cluster and its identity. /metrics: for Prometheus. */
function serveHealth(host: string, port: number, health: Health) {
  if (port === 0) return undefined;
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/metrics') {
      const text = metricsText(health, process.memoryUsage());
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
      return;
    }
    if (path !== '/livez' && path !== '/readyz') {
      response.writeHead(404).end();
      return;
    }
    const ok = path === '/livez' || health.ready;
    response
      .writeHead(ok ? 200 : 503, { 'content-type': 'application/json' })
      .end(`${JSON.stringify(health)}\n`);
  });
  server.listen(port, host);
  return server;
}

// What still holds sockets open must not keep a stopped agent alive.
main().then(
  (code) => process.exit(code),
  (thrown: unknown) => {
    process.stderr.write(`muster-agent: ${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
    process.exit(1);
  },
);
