import { type HeldAssignment, applicationKey } from '@muster/link';
import { Action, ApplicationStatus, type Version } from '@muster/proto/records';
import type { Behaviour, Conduct } from './behaviour.ts';

/** What the cluster tells its agent, and needs of it. */
export interface ClusterHost {
  name: string;
  behaviour: Behaviour;
  /** The clock of this cluster, Unix milliseconds; it may be wrong. */
  now(): number;
  report(status: ApplicationStatus): void;
  /** A tombstone has been carried out. */
  finished(key: string, version: Version): void;
  /** The agent falls silent for so long. */
  silence(ms: number): void;
}

interface Running {
  assignment: HeldAssignment['assignment'];
  conduct: Conduct;
  timer?: NodeJS.Timeout;
}

/** A cluster without Kubernetes: what is assigned is applied and becomes healthy, or not, after a while. */
export class SimulatedCluster {
  readonly #host: ClusterHost;
  readonly #running = new Map<string, Running>();
  readonly #statuses = new Map<string, ApplicationStatus>();

  constructor(host: ClusterHost) {
    this.#host = host;
  }

  /** Of everything that is there, as last reported. */
  get statuses(): ApplicationStatus[] {
    return [...this.#statuses.values()];
  }

  status(key: string): ApplicationStatus | undefined {
    return this.#statuses.get(key);
  }

  /** Whether this is what it is brought to already. */
  isReconciled(key: string, { assignment }: HeldAssignment): boolean {
    return this.#running.get(key)?.assignment.version?.generation === assignment.version?.generation;
  }

  /** Another assignment takes the place of the one before, also of what is still being applied. */
  reconcile(key: string, { assignment }: HeldAssignment): void {
    this.#forget(key);
    const conduct = this.#host.behaviour({
      cluster: this.#host.name,
      application: key,
      digest: assignment.bundleDigest,
    });
    const running: Running = { assignment, conduct };
    this.#running.set(key, running);
    if (assignment.action !== Action.APPLY) {
      this.#after(running, conduct.applyMs, () => {
        this.#statuses.delete(key);
        this.#host.finished(key, assignment.version!);
      });
      return;
    }
    const before = this.#statuses.get(key);
    const automated = assignment.syncPolicy?.automated === true;
    this.#tell(key, assignment, {
      sync: 'OutOfSync',
      health: before?.health ?? 'Missing',
      appliedDigest: before?.appliedDigest ?? '',
      appliedAtMs: before?.appliedAtMs ?? 0n,
      appliedVersion: before?.appliedVersion,
    });
    if (automated) this.sync(key);
  }

  /** Applies what is held; false when nothing is. */
  sync(key: string): boolean {
    const running = this.#running.get(key);
    if (!running || running.assignment.action !== Action.APPLY) return false;
    clearTimeout(running.timer);
    const { assignment, conduct } = running;
    const { outcome, applyMs, settleMs, awayMs } = conduct;
    const becomes = (health: string) => () => this.#tell(key, assignment, { health });
    const steps: [ms: number, act: () => void][] =
      outcome === 'silent'
        ? [
            [applyMs / 2, () => this.#host.silence(awayMs)],
            [applyMs / 2, () => this.#applied(key, assignment)],
          ]
        : [[applyMs, () => this.#applied(key, assignment)]];
    if (outcome !== 'stuck') steps.push([settleMs, becomes(outcome === 'degraded' ? 'Degraded' : 'Healthy')]);
    if (outcome === 'flapping')
      steps.push([awayMs / 2, becomes('Progressing')], [awayMs / 2, becomes('Healthy')]);
    this.#inOrder(running, steps);
    return true;
  }

  /** What is there has this health from now on. */
  become(key: string, health: string): void {
    const running = this.#running.get(key);
    if (!running) return;
    clearTimeout(running.timer);
    this.#tell(key, running.assignment, { health });
  }

  /** Nothing happens any more. */
  stop(): void {
    for (const key of [...this.#running.keys()]) this.#forget(key);
  }

  #applied(key: string, assignment: Running['assignment']): void {
    this.#tell(key, assignment, {
      sync: 'Synced',
      health: 'Progressing',
      appliedDigest: assignment.bundleDigest,
      appliedAtMs: BigInt(Math.round(this.#host.now())),
      appliedVersion: assignment.version,
    });
  }

  #tell(key: string, assignment: Running['assignment'], change: Partial<ApplicationStatus>): void {
    const { applicationNamespace, applicationName, version, bundleDigest } = assignment;
    const before = this.#statuses.get(key);
    const status = ApplicationStatus.fromPartial({
      sync: before?.sync ?? 'OutOfSync',
      health: before?.health ?? 'Missing',
      appliedDigest: before?.appliedDigest ?? '',
      appliedAtMs: before?.appliedAtMs ?? 0n,
      appliedVersion: before?.appliedVersion,
      ...change,
      applicationNamespace,
      applicationName,
      version,
      bundleDigest,
      healthMessage: change.health === 'Degraded' ? 'it was decided to be degraded' : '',
      observedAtMs: BigInt(Math.round(this.#host.now())),
      resources: [
        { kind: 'ConfigMap', version: 'v1', namespace: 'default', name: applicationName, sync: 'Synced' },
      ],
      resourcesComplete: true,
    } as never);
    this.#statuses.set(applicationKey(assignment), status);
    this.#host.report(status);
  }

  /** One after the other: timers that are late together run in no order. */
  #inOrder(running: Running, [step, ...rest]: readonly [ms: number, act: () => void][]): void {
    if (!step) return;
    const [ms, act] = step;
    this.#after(running, ms, () => {
      act();
      this.#inOrder(running, rest);
    });
  }

  #after(running: Running, ms: number, act: () => void): void {
    running.timer = setTimeout(act, ms);
  }

  #forget(key: string): void {
    clearTimeout(this.#running.get(key)?.timer);
    this.#running.delete(key);
  }
}
