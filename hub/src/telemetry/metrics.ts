import type { Meter, ObservableResult } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';

const QUEUES = ['sources', 'expand', 'render', 'assign', 'rollout', 'gates', 'maintenance'];
const OUTCOMES = ['done', 'waiting', 'transient', 'terminal'];
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The hub's metrics, served at /metrics in the Prometheus text format. All exist at zero from the start. */
export class Metrics {
  readonly #provider: MeterProvider;
  readonly #exporter = new PrometheusExporter({ preventServerStart: true });
  readonly #jobs;
  readonly #jobSeconds;
  readonly #httpSeconds;
  /** For metrics of other parts: `muster_…`, base units, no ids in attributes. */
  readonly meter: Meter;

  constructor() {
    this.#provider = new MeterProvider({ readers: [this.#exporter] });
    this.meter = this.#provider.getMeter('muster-hub');
    this.#jobs = this.meter.createCounter('muster_jobs', {
      description: 'Runs of jobs by queue and outcome',
    });
    this.#jobSeconds = this.meter.createHistogram('muster_job_duration_seconds', {
      description: 'Time that handlers took',
      advice: { explicitBucketBoundaries: SECONDS },
    });
    this.#httpSeconds = this.meter.createHistogram('muster_http_request_duration_seconds', {
      description: 'Time to answer API requests',
      advice: { explicitBucketBoundaries: SECONDS },
    });
    for (const queue of QUEUES) for (const outcome of OUTCOMES) this.#jobs.add(0, { queue, outcome });
  }

  job(queue: string, outcome: string, milliseconds: number): void {
    this.#jobs.add(1, { queue, outcome });
    this.#jobSeconds.record(milliseconds / 1000, { queue });
  }

  http(method: string, route: string, status: number, milliseconds: number): void {
    this.#httpSeconds.record(milliseconds / 1000, { method, route, status: `${Math.trunc(status / 100)}xx` });
  }

  /** Reads the depth of each queue when metrics are collected. */
  queueDepths(read: () => Promise<{ queue: string; depth: number; oldestSeconds: number }[]>): void {
    const depth = this.meter.createObservableGauge('muster_outbox_rows', {
      description: 'Work that is not done yet',
    });
    const oldest = this.meter.createObservableGauge('muster_outbox_oldest_seconds', {
      description: 'Age of the oldest work that is not done yet',
    });
    this.meter.addBatchObservableCallback(
      async (result) => {
        const rows = new Map((await read()).map((row) => [row.queue, row]));
        for (const queue of QUEUES) {
          result.observe(depth, rows.get(queue)?.depth ?? 0, { queue });
          result.observe(oldest, rows.get(queue)?.oldestSeconds ?? 0, { queue });
        }
      },
      [depth, oldest],
    );
  }

  /** A gauge that is read when metrics are collected, for example connected agents. */
  gauge(name: string, description: string, read: () => number | Promise<number>): void {
    this.meter.createObservableGauge(name, { description }).addCallback(async (result: ObservableResult) => {
      result.observe(await read());
    });
  }

  /** The Prometheus text. */
  async text(): Promise<string> {
    const { resourceMetrics } = await this.#exporter.collect();
    return new PrometheusSerializer().serialize(resourceMetrics);
  }

  async close(): Promise<void> {
    await this.#provider.shutdown();
  }
}
