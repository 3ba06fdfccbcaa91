import { MusterError } from '@muster/base';
import type { Report } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { Events } from '../api/events.ts';
import { AssignmentsService } from '../assignments/assignments.service.ts';
import { RolloutTriggers } from '../rollouts/rollout-triggers.service.ts';
import type { Trx } from '../store/schema.ts';
import { boundStatus } from './bounds.ts';
import { type Answer, planReports, type ReportPlan } from './report-plan.ts';
import { type ClusterStatus, StatusRepository } from './status.repository.ts';

/** Batches follow one another at this distance at least, so that a busy fleet has large ones; the first goes at once. */
const APART_MS = 25;
const BATCH_REPORTS = 500;

interface Waiting {
  clusterId: string;
  sessionId: string;
  report: Report;
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** Stores reports in batches: what came while the last one was stored, or within 25 ms of it, is one transaction. */
@Injectable()
export class ReportIngest {
  readonly #repository: StatusRepository;
  readonly #assignments: AssignmentsService;
  readonly #rollouts: RolloutTriggers;
  readonly #events: Events;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** One batch at a time, so that a cluster's reports stay in order. */
  #running: Promise<void> = Promise.resolve();
  #storing = 0;
  #startedAt = 0;

  constructor(
    @Inject(StatusRepository) repository: StatusRepository,
    @Inject(AssignmentsService) assignments: AssignmentsService,
    @Inject(RolloutTriggers) rollouts: RolloutTriggers,
    @Inject(Events) events: Events,
  ) {
    this.#repository = repository;
    this.#assignments = assignments;
    this.#rollouts = rollouts;
    this.#events = events;
  }

  /** Resolves once the report is stored, was stored before, or cannot follow on. Rejects when its session is no longer the cluster's. */
  add(clusterId: string, sessionId: string, report: Report): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ clusterId, sessionId, report, resolve, reject });
      if (this.#waiting.length >= BATCH_REPORTS) this.#flush();
      else this.#schedule();
    });
  }

  /** While one is stored, the end of that is the time for the next. */
  #schedule(): void {
    if (this.#storing > 0 || this.#waiting.length === 0) return;
    const wait = Math.max(0, this.#startedAt + APART_MS - performance.now());
    this.#timer ??= setTimeout(() => this.#flush(), wait);
  }

  /** Everything that was added before has been answered. */
  async drained(): Promise<void> {
    this.#flush();
    await this.#running;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#waiting;
    if (batch.length === 0) return;
    this.#waiting = [];
    this.#storing++;
    this.#running = this.#running.then(async () => {
      this.#startedAt = performance.now();
      await this.#ingest(batch);
      this.#storing--;
      this.#schedule();
    });
  }

  /** A batch that fails is tried again cluster by cluster, so that one cluster cannot hold up the others. */
  async #ingest(batch: Waiting[]): Promise<void> {
    const clusters = Map.groupBy(batch, (each) => each.clusterId);
    try {
      settle(await this.#store(clusters));
    } catch (error) {
      if (clusters.size === 1) {
        for (const each of batch) each.reject(error as Error);
        return;
      }
      for (const [, own] of clusters) await this.#ingest(own);
    }
  }

  async #store(clusters: Map<string, Waiting[]>): Promise<Settled[]> {
    const now = new Date();
    let stored = () => {};
    const answers = await this.#repository.transaction(async (trx) => {
      const states = await this.#repository.lockCursors(trx, [...clusters.keys()]);
      const settled: Settled[] = [];
      const plans: { clusterId: string; plan: ReportPlan }[] = [];
      for (const [clusterId, waiting] of clusters) {
        const state = states.get(clusterId);
        const current = waiting.filter((each) => state?.sessionId === each.sessionId);
        settled.push(
          ...waiting
            .filter((each) => !current.includes(each))
            .map((each) => ({ each, fenced: true as const })),
        );
        const plan = planReports(
          state?.cursor,
          current.map((each) => each.report),
        );
        settled.push(...current.map((each, i) => ({ each, answer: plan.answers[i]! })));
        if (!plan.empty) plans.push({ clusterId, plan });
      }
      stored = await this.#write(trx, plans, now);
      return settled;
    });
    stored();
    return answers;
  }

  /** Answers what is to be done once it is committed. */
  async #write(trx: Trx, plans: { clusterId: string; plan: ReportPlan }[], now: Date): Promise<() => void> {
    if (plans.length === 0) return () => {};
    await this.#repository.storeCursors(
      trx,
      plans.map(({ clusterId, plan }) => ({ clusterId, ...plan.cursor! })),
    );
    const statuses: ClusterStatus[] = plans.flatMap(({ clusterId, plan }) =>
      plan.statuses.map((status) => ({ clusterId, ...boundStatus(status, now) })),
    );
    for (const { clusterId, plan } of plans) {
      if (plan.snapshot) {
        const named = statuses.filter((each) => each.clusterId === clusterId);
        await this.#repository.keepOnly(trx, clusterId, named);
        await this.#finishTombstones(trx, clusterId, named);
      }
      if (plan.gone.length > 0) await this.#forget(trx, clusterId, plan);
    }
    if (statuses.length === 0) return () => {};
    const written = await this.#repository.store(trx, statuses);
    const healthy = await this.#repository.recordDeployments(trx, statuses);
    const changed = written.filter((each) => each.changed).map((each) => each.key);
    if (changed.length > 0) await this.#events.publish('application', changed, { trx });
    return this.#rollouts.reported(trx, statuses, healthy);
  }

  /** What a snapshot no longer names although its tombstone was taken has been removed: *gone* was lost with its instance. */
  async #finishTombstones(
    trx: Trx,
    clusterId: string,
    named: readonly { namespace: string; name: string }[],
  ): Promise<void> {
    const held = new Set(named.map((each) => `${each.namespace}/${each.name}`));
    const gone = (await this.#assignments.inventory(clusterId))
      .filter((row) => row.action !== 'apply' && row.acked_at && !row.refused)
      .filter((row) => !held.has(`${row.application_namespace}/${row.application_name}`))
      .map((row) => ({
        namespace: row.application_namespace,
        name: row.application_name,
        epoch: row.epoch,
        generation: row.generation,
      }));
    await this.#assignments.gone(trx, clusterId, gone);
  }

  async #forget(trx: Trx, clusterId: string, plan: ReportPlan): Promise<void> {
    const gone = plan.gone.map((each) => ({
      namespace: each.applicationNamespace,
      name: each.applicationName,
      epoch: each.version?.epoch ?? 0n,
      generation: each.version?.generation ?? 0n,
    }));
    await this.#repository.forget(trx, clusterId, gone);
    await this.#assignments.gone(trx, clusterId, gone);
  }
}

type Settled = { each: Waiting; answer: Answer; fenced?: never } | { each: Waiting; fenced: true };

function settle(settled: Settled[]): void {
  for (const one of settled) {
    if (one.fenced)
      one.each.reject(new MusterError('conflict', 'a newer session of this cluster has taken over'));
    else one.each.resolve(one.answer);
  }
}
