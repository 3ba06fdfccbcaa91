import type { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { type ApplicationRecord, ApplicationRecords } from '../applications/application-records.service.ts';
import { removalOf } from '../applications/application-manifest.ts';
import type { Overrun, Removal } from '../applicationsets/deletion-budget.ts';
import { type SupposedSet, SupposedSets } from '../applicationsets/supposed-sets.service.ts';
import { DATABASE, type Db } from '../store/database.ts';
import { type Candidate, type PlanRun, plannedApplication } from './planned-changes.service.ts';
import { isConcerned } from './supposition.ts';
import { Suppositions } from './suppositions.service.ts';

/** An Application that would leave. */
export interface SupposedRemoval extends Removal {
  record: ApplicationRecord;
  set: string;
  heldReason: string | null;
  counted: boolean;
  graceSeconds: number;
}

/** Expands sets for a plan: what they would generate, what would leave, and what would be wrong. */
@Injectable()
export class PlannedSets {
  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(SupposedSets) private readonly sets: SupposedSets,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(Suppositions) private readonly suppositions: Suppositions,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  /**
   * Applications to be rendered; those that would leave join `removals`, in which those of sets before this one wait too
   * where this one exhausts a budget that they draw on.
   */
  async expand(set: SupposedSet, removals: SupposedRemoval[], run: PlanRun): Promise<Candidate[]> {
    const { supposition, report, signal } = run;
    const name = nameOf(set);
    const world = {
      ...supposition,
      projects: new Set(supposition.projects.keys()),
      mayRead: (id: string) => this.suppositions.mayRead(id, set.row.project, run.actor),
    };
    const drawn = removals.filter((one) => one.counted);
    const found = await this.sets.expand(set, world, drawn, signal);
    report.counts.sets++;
    if (found.failure) {
      this.#failed(set, found.failure, run);
      // The last good expansion stays, and its Applications follow their sources all the same.
      return this.staying(await this.records.ofOwner(this.db, { kind: 'set', id: set.row.id }), name, run);
    }
    const { plan, records } = found.decision;
    this.#problems(set, plan.problems, run);
    const own = [...records.values()];
    const byName = new Map(own.map((one) => [`${one.row.namespace}/${one.row.name}`, one]));
    const written = plan.write.map(
      ({ namespace, name: called, manifest }): Candidate => ({
        manifest,
        before: byName.get(`${namespace}/${called}`),
        set: name,
      }),
    );
    const { departures } = found;
    for (const overrun of departures.overruns.filter((one) => one.exhausted))
      for (const one of drawn) if (drawsOn(one, overrun)) one.heldReason ??= overrun.reason;
    for (const { record, ...one } of departures.removals)
      removals.push({ ...one, record, set: name, graceSeconds: departures.graceSeconds });
    const decided = new Set([...plan.leave, ...written.flatMap((one) => one.before?.row.id ?? [])]);
    const others = own.filter(({ row }) => !decided.has(row.id));
    return [...written, ...this.staying(others, name, run)];
  }

  /** Of Applications whose specifications stay: those that would be rendered again. The others are counted. */
  staying(records: readonly ApplicationRecord[], set: string | undefined, run: PlanRun): Candidate[] {
    const visible = records.filter(({ row }) => this.access.allows(run.actor, 'viewer', row.project));
    const concerned = visible.filter((one) => isConcerned(one, run.supposition));
    run.report.counts.unchanged += visible.length - concerned.length;
    return concerned.map((before) => ({ manifest: before.manifest, before, set }));
  }

  /** Reports what would leave. */
  report(removals: readonly SupposedRemoval[], clusters: ReadonlyMap<string, string>, run: PlanRun): void {
    for (const { record, set, heldReason, graceSeconds, clusterId, project } of removals) {
      if (!this.access.allows(run.actor, 'viewer', project)) continue;
      const cluster = clusterId ? clusters.get(clusterId) : undefined;
      const candidate = { manifest: record.manifest, before: record, set };
      run.report.removal({
        application: { ...plannedApplication(candidate, undefined), ...(cluster ? { cluster } : {}) },
        action: removalOf(record.manifest),
        held: heldReason ?? undefined,
        graceSeconds,
      });
    }
  }

  maySee({ row, before }: SupposedSet, actor: Actor): boolean {
    return [row.project, before?.project].every(
      (project) => project === undefined || this.access.allows(actor, 'viewer', project || '*'),
    );
  }

  #failed(set: SupposedSet, failure: MusterError, { actor, report }: PlanRun): void {
    if (!this.maySee(set, actor)) return;
    const message = `${failure.describe()}: all Applications stay as they are`;
    report.problem({
      object: `applicationset/${nameOf(set)}`,
      type: (failure as { reason?: string }).reason ?? 'ApplicationGenerationFromParamsError',
      message,
      severity: 'error',
      already: set.before?.conditions.some((one) => one.message === message) ?? false,
    });
  }

  #problems(set: SupposedSet, problems: readonly string[], { actor, report }: PlanRun): void {
    if (!this.maySee(set, actor)) return;
    for (const message of problems)
      report.problem({
        object: `applicationset/${nameOf(set)}`,
        type: 'ApplicationValidationError',
        message,
        severity: 'error',
        already: set.before?.conditions.some((one) => one.message.includes(message)) ?? false,
      });
  }
}

export function nameOf({ row }: SupposedSet): string {
  return `${row.namespace}/${row.name}`;
}

function drawsOn(one: SupposedRemoval, { kind, key }: Overrun): boolean {
  if (kind === 'cluster') return one.clusterId === key;
  return kind === 'project' && one.project === key;
}
