import type { Health } from './serve.ts';
import { AGENT_VERSION } from './version.ts';

/** What /metrics answers, in the Prometheus text format. Gauges are 0 or 1 from the start. */
export function metricsText(health: Health, memory: { rss: number; heapUsed: number }): string {
  const gauges: [name: string, help: string, value: number, labels?: string][] = [
    ['muster_agent_info', 'Always 1', 1, `{version="${AGENT_VERSION}"}`],
    ['muster_agent_ready', 'It knows its cluster and its identity', Number(health.ready)],
    ['muster_agent_acting', 'It holds the Lease that lets one agent act', Number(health.acting)],
    ['muster_agent_connected', 'A session with the hub is open', Number(health.connected)],
    [
      'muster_agent_hub_clock_offset_seconds',
      "What this agent adds to its clock to get the hub's; 0: as yet unknown",
      (health.clockOffsetMs?.() ?? 0) / 1000,
    ],
    ['process_resident_memory_bytes', 'Resident memory', memory.rss],
    ['nodejs_heap_used_bytes', 'Heap in use', memory.heapUsed],
  ];
  return gauges
    .map(
      ([name, help, value, labels = '']) =>
        `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name}${labels} ${value}\n`,
    )
    .join('');
}
