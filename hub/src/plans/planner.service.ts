import type { PlanRequest, PlanResult } from '@muster/api';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { ApplicationRecords, asStored } from '../applications/application-records.service.ts';
import { SupposedSets } from '../applicationsets/supposed-sets.service.ts';
import { type Owner, ownerKey } from '../releases/owner.ts';
import { DependencyCycles } from '../rollouts/dependencies/dependency-cycles.service.ts';
import { DATABASE, type Db } from '../store/database.ts';
import { PlanReport } from './plan-report.ts';
import { type Candidate, type PlanRun, PlannedChanges } from './planned-changes.service.ts';
import { PlannedSets, type SupposedRemoval, nameOf } from './planned-sets.service.ts';
import { type Borrowed, Suppositions } from './suppositions.service.ts';

type Say = (progress: string) => void;

/** Says what a change would do to the whole fleet. Writes nothing but renders and bundles. */
@Injectable()
export class Planner {
  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(Suppositions) private readonly suppositions: Suppositions,
    @Inject(SupposedSets) private readonly sets: SupposedSets,
    @Inject(PlannedSets) private readonly planned: PlannedSets,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(PlannedChanges) private readonly changes: PlannedChanges,
    @Inject(DependencyCycles) private readonly cycles: DependencyCycles,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  /** `say` is told how far it is. Ends soon after the signal does. */
  async plan(request: PlanRequest, actor: Actor, say: Say, signal: AbortSignal): Promise<PlanResult> {
    const borrowed: Borrowed = [];
    try {
      say('reading what is supposed');
      const supposition = await this.suppositions.of(request, actor, borrowed, signal);
      const report = new PlanReport();
      report.notices.push(...supposition.notices);
      const run: PlanRun = { actor, supposition, report, borrowed, signal, written: [] };
      const done = await this.#expand(run, say);
      await this.#applied(run, done, say);
      await this.#following(run, done, say);
      await this.#cycles(run);
      if (this.access.visibleProjects(actor, 'viewer') !== '*')
        report.notices.push('only what you may see is shown: the change may touch other projects too');
      return report.result(request);
    } finally {
      for (const giveBack of borrowed) await giveBack();
    }
  }

  /** What would wait for itself, as applying it would say. */
  async #cycles({ written, report }: PlanRun): Promise<void> {
    await this.cycles.refuse(this.db, written).catch((thrown: unknown) => {
      const { code, message } = MusterError.from(thrown);
      if (code !== 'invalid') throw thrown;
      report.problem({
        object: 'dependencies',
        type: 'DependencyError',
        message,
        severity: 'error',
        already: false,
      });
    });
  }

  /** The sets that are given, and those whose repositories, clusters or projects change. Answers the owners done. */
  async #expand(run: PlanRun, say: Say): Promise<Set<string>> {
    const { moved, relabelled, changedProjects, sets, clusters } = run.supposition;
    const given = new Set(sets.map((one) => one.row.id));
    const ids = await this.sets.affected({ moved, clusters: relabelled, projects: changedProjects });
    const removals: SupposedRemoval[] = [];
    const all = [...sets, ...ids.filter((id) => !given.has(id))];
    for (const [i, one] of all.entries()) {
      run.signal.throwIfAborted();
      const set = typeof one === 'string' ? await this.sets.byId(one) : one;
      if (!set) continue;
      const place = `(${i + 1} of ${all.length})`;
      const name = this.planned.maySee(set, run.actor) ? nameOf(set) : 'a set';
      say(`expanding ${name} ${place}`);
      const candidates = await this.planned.expand(set, removals, run);
      if (candidates.length > 0) say(`rendering ${candidates.length} Applications of ${name} ${place}`);
      await this.changes.compare(candidates, run);
    }
    this.planned.report(removals, new Map(clusters.map((one) => [one.id, one.name])), run);
    return new Set([...given, ...ids].map((id) => ownerKey({ kind: 'set', id })));
  }

  /** Applications that are given. Those that belong to a set, or are being removed, would be refused. */
  async #applied(run: PlanRun, done: Set<string>, say: Say): Promise<void> {
    const { applications } = run.supposition;
    if (applications.length === 0) return;
    say(`rendering ${applications.length} Applications`);
    const there = await this.records.byNames(
      this.db,
      applications.map(({ namespace, application }) => ({ namespace, name: application.metadata.name })),
    );
    const rows = new Map(there.map((row) => [`${row.namespace}/${row.name}`, row]));
    const candidates: Candidate[] = [];
    for (const { namespace, application } of applications) {
      const { manifest } = asStored(application, namespace);
      const key = `${namespace}/${application.metadata.name}`;
      const row = rows.get(key);
      // Another project's: as applying it, without a word on whose it is.
      if (row) this.access.require(run.actor, 'operator', row.project);
      const refusal = row?.set_id
        ? 'it belongs to an ApplicationSet: change the set instead'
        : row?.tombstoned_at
          ? 'it is being removed: apply it again once it is gone'
          : undefined;
      if (refusal)
        run.report.problem({
          object: `application/${key}`,
          type: 'Refused',
          message: `${key}: ${refusal}`,
          severity: 'error',
          already: false,
        });
      else candidates.push({ manifest, before: row && this.records.open(row), set: undefined });
      if (row && !row.set_id) done.add(ownerKey({ kind: 'application', id: row.id }));
    }
    await this.changes.compare(candidates, run);
  }

  /** Applications whose own sources or projects change, though what generates them does not. */
  async #following(run: PlanRun, done: Set<string>, say: Say): Promise<void> {
    const { moved, changedProjects } = run.supposition;
    const owners = new Map<string, Owner>();
    const add = (found: readonly Owner[]) => {
      for (const one of found) if (!done.has(ownerKey(one))) owners.set(ownerKey(one), one);
    };
    for (const [id, revisions] of moved) add(await this.records.ownersFollowing(this.db, id, revisions));
    for (const project of changedProjects) add(await this.records.ownersInProject(this.db, project));
    const direct: Candidate[] = [];
    for (const owner of owners.values()) {
      run.signal.throwIfAborted();
      const records = await this.records.ofOwner(this.db, owner);
      if (owner.kind === 'application') {
        direct.push(...this.planned.staying(records, undefined, run));
        continue;
      }
      const set = await this.sets.byId(owner.id);
      if (!set) continue;
      const candidates = this.planned.staying(records, nameOf(set), run);
      if (candidates.length > 0) say(`rendering ${candidates.length} Applications of ${nameOf(set)}`);
      await this.changes.compare(candidates, run);
    }
    if (direct.length > 0) say(`rendering ${direct.length} Applications that are applied directly`);
    await this.changes.compare(direct, run);
  }
}
