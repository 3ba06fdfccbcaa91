import {
  type Application,
  type ApplicationSet,
  type ApplicationsPlan,
  type Expansion,
  keepFields,
  keepRules,
  makesPreviews,
  planApplications,
  type WantedApplication,
} from '@muster/appset';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { removalOf } from '../applications/application-manifest.ts';
import {
  type ApplicationRecord,
  ApplicationRecords,
  asStored,
} from '../applications/application-records.service.ts';
import { Events } from '../api/events.ts';
import type { ClusterFacts } from '../clusters/clusters.service.ts';
import { CONFIG, type Config } from '../config.ts';
import { Outbox } from '../queue/outbox.ts';
import { lookingSecret, maskStrings } from '../rendering/secrets.ts';
import { DependencyCycles } from '../rollouts/dependencies/dependency-cycles.service.ts';
import type { Db } from '../store/database.ts';
import type { Trx } from '../store/schema.ts';
import { ApplicationSetsRepository, type SetRow } from './applicationsets.repository.ts';
import {
  type Overrun,
  type Removal,
  drawOn,
  heldPreviews,
  heldRemovals,
  overruns,
} from './deletion-budget.ts';
import { mergeSetConditions } from './set-conditions.ts';

/** A set as results are decided for it: its row, or what would be one. */
export type SetFacts = Pick<
  SetRow,
  'id' | 'namespace' | 'name' | 'project' | 'deleting_at' | 'deleting_approved'
>;

/** What an expansion changes among the Applications that are there. */
export interface Decision {
  plan: ApplicationsPlan<Application>;
  /** What was generated, with what the Applications that are there keep of themselves; in the order of the expansion. */
  wanted: readonly WantedApplication<Application>[];
  /** The set's own Applications, by id: all, or those among the names that were decided on. */
  records: ReadonlyMap<string, ApplicationRecord>;
}

/** Applications of a set that would wait for themselves, or for what cannot be read. */
export class DependencyProblem extends MusterError {
  readonly reason = 'DependencyError';

  constructor(error: MusterError) {
    super('invalid', error.message, { where: error.where, hint: error.hint, cause: error });
  }
}

/** What becomes of the Applications that leave. */
export interface Departures {
  removals: (Removal & { record: ApplicationRecord; counted: boolean; heldReason: string | null })[];
  /** Budgets that do not suffice; those that are exhausted hold what other sets let go before, too. */
  overruns: Overrun[];
  graceSeconds: number;
}

/** From what a set generated to its Applications: first what that changes, without a write, then the writes. */
@Injectable()
export class ExpansionResults {
  constructor(
    @Inject(ApplicationSetsRepository) private readonly repository: ApplicationSetsRepository,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(DependencyCycles) private readonly cycles: DependencyCycles,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Events) private readonly events: Events,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Writes only what is different. The caller holds the set's row. */
  async apply(
    trx: Trx,
    row: SetRow,
    set: ApplicationSet,
    expansion: Expansion,
    clusters: readonly ClusterFacts[],
  ): Promise<{ decision: Decision; isComplete: boolean }> {
    const decision = await this.decide(trx, row, set, expansion);
    return { decision, isComplete: await this.carryOut(trx, row, set, decision, clusters) };
  }

  /** Writes what was decided; false where another owner had made one of the Applications meanwhile. */
  async carryOut(
    trx: Trx,
    row: SetRow,
    set: ApplicationSet,
    decision: Decision,
    clusters: readonly Pick<ClusterFacts, 'id'>[],
  ): Promise<boolean> {
    const { plan } = decision;
    if (plan.leave.length > 0) await this.repository.lockBudget(trx);
    const written = await this.records.write(trx, row.id, plan.write);
    await this.records.stay(trx, plan.stay);
    await this.#leave(trx, await this.departures(trx, row, set, decision, clusters));
    await this.records.detach(trx, plan.detach);
    await this.outbox.add(
      trx,
      'render',
      plan.detach.map((id) => `application:${id}`),
    );
    if (plan.write.length + plan.stay.length + plan.leave.length > 0) {
      await this.outbox.add(trx, 'render', [`set:${row.id}`]);
      await this.events.publish('applicationset', [`${row.namespace}/${row.name}`], { trx });
    }
    await this.conditions(trx, row, undefined, plan.problems);
    if (row.deleting_at) await this.repository.deleteIfEmpty(trx, row.id);
    return written.length === plan.write.length;
  }

  /**
   * What the expansion changes, of all the set's Applications or of those with some names. Writes nothing. Throws
   * DependencyProblem where an Application would wait for itself: all of them stay as they are then.
   */
  async decide(
    db: Db,
    row: SetFacts,
    set: ApplicationSet,
    expansion: Expansion,
    names?: ReadonlySet<string>,
  ): Promise<Decision> {
    const generated = expansion.applications.map((application) => wantedFrom(application, row.namespace));
    const existing = await this.#existing(db, row, generated, names);
    const wanted = kept(generated, existing.records, set);
    const plan = planApplications(wanted, existing.all, {
      set: `${row.namespace}/${row.name}`,
      project: row.project,
      policy: set.spec.syncPolicy?.applicationsSync ?? 'sync',
      deleting: row.deleting_at !== null,
      refused: maskStrings(expansion.validationErrors, lookingSecret(set.spec)),
    });
    await this.#refuseCycles(db, row, plan.write);
    return { plan, wanted, records: existing.records };
  }

  async #refuseCycles(db: Db, row: SetFacts, written: ApplicationsPlan<Application>['write']): Promise<void> {
    const set = `${row.namespace}/${row.name}`;
    try {
      await this.cycles.refuse(
        db,
        written.map(({ manifest }) => ({ manifest, set })),
      );
    } catch (thrown) {
      const error = MusterError.from(thrown);
      throw error.code === 'invalid' ? new DependencyProblem(error) : thrown;
    }
  }

  /**
   * Removals are shown as leaving for the grace time; those beyond the budget wait for an approval. Writes nothing.
   * `drawn`: removals of other sets that draw on the same budgets and that no row tells of.
   */
  async departures(
    db: Db,
    row: SetFacts,
    set: ApplicationSet,
    { plan, records }: Decision,
    clusters: readonly Pick<ClusterFacts, 'id'>[],
    drawn: readonly Removal[] = [],
  ): Promise<Departures> {
    if (plan.leave.length === 0) return { removals: [], overruns: [], graceSeconds: 0 };
    const removals = plan.leave.map((id) => {
      const record = records.get(id)!;
      return { id, record, clusterId: record.row.cluster_id, project: record.row.project };
    });
    const previews = row.deleting_at === null && makesPreviews(set);
    // Applications of a cluster that is being removed go with it: that was decided already.
    const decided = previews || (row.deleting_at !== null && row.deleting_approved);
    const standing = new Set(clusters.map((cluster) => cluster.id));
    const counted = decided
      ? []
      : removals.filter((one) => one.clusterId !== null && standing.has(one.clusterId));
    const scopes = [...new Set(counted.flatMap((one) => one.clusterId ?? []))];
    const projects = [...new Set(counted.map((one) => one.project))];
    const name = `${row.namespace}/${row.name}`;
    const facts = drawOn(
      await this.repository.budgetScopes(db, { id: row.id, name }, scopes, projects),
      drawn,
    );
    const found = overruns(counted, facts, row.id);
    const held = previews ? heldPreviews(removals, records.size) : heldRemovals(found);
    return {
      removals: removals.map((one) => ({
        ...one,
        counted: counted.includes(one),
        heldReason: held.get(one.id) ?? null,
      })),
      overruns: found,
      // Nobody misses a preview whose pull request is closed.
      graceSeconds: previews ? 0 : this.config.deletionGraceSeconds,
    };
  }

  async #leave(trx: Trx, { removals, overruns, graceSeconds }: Departures): Promise<void> {
    if (removals.length === 0) return;
    for (const { kind, key, reason } of overruns.filter((one) => one.exhausted)) {
      const others = await this.repository.holdPending(trx, kind, key, reason);
      await this.events.publish(
        'applicationset',
        others.map((one) => `${one.namespace}/${one.name}`),
        { trx },
      );
    }
    await this.records.leave(
      trx,
      removals.map(({ id, record, heldReason, counted }) => ({
        id,
        action: removalOf(record.manifest),
        heldReason,
        counted,
      })),
      new Date(Date.now() + graceSeconds * 1000),
    );
  }

  /** Shows a failure, or what could not be made; nothing is written where that was shown already. */
  async conditions(
    trx: Trx,
    row: SetRow,
    failure: MusterError | undefined,
    problems: readonly string[],
  ): Promise<void> {
    const { conditions, changed } = mergeSetConditions(row.conditions, failure, problems, new Date());
    if (!changed && row.expanded_version === row.version) return;
    await this.repository.expanded(trx, row.id, row.version, conditions);
    if (changed) await this.events.publish('applicationset', [`${row.namespace}/${row.name}`], { trx });
  }

  /** Applications that are there under this set, of all or of some names, or under a generated name. */
  async #existing(
    db: Db,
    row: SetFacts,
    generated: readonly { namespace: string; name: string }[],
    among?: ReadonlySet<string>,
  ) {
    const mine = among
      ? await this.records.inSet(db, row, among)
      : await this.records.ofOwner(db, { kind: 'set', id: row.id });
    const own = new Set(mine.map((one) => `${one.row.namespace}/${one.row.name}`));
    const others = (
      await this.records.byNames(
        db,
        generated.filter((one) => !own.has(`${one.namespace}/${one.name}`)),
      )
    ).filter((other) => other.set_id !== row.id);
    const common = (one: (typeof others)[number]) => ({
      id: one.id,
      namespace: one.namespace,
      name: one.name,
      hash: one.manifest_hash,
      leaving: one.leaving_at !== null,
      tombstoned: one.tombstoned_at !== null,
    });
    const names = new Map<string, string>();
    for (const other of others) {
      const holder = other.set_id ? await this.repository.byId(other.set_id, db) : undefined;
      names.set(other.id, holder ? `ApplicationSet ${holder.namespace}/${holder.name}` : 'a user directly');
    }
    return {
      records: new Map(mine.map((one) => [one.row.id, one])),
      all: [
        ...mine.map((one) => ({ ...common(one.row), owner: { mine: true as const } })),
        ...others.map((one) => ({
          ...common(one),
          owner: {
            mine: false as const,
            what: names.get(one.id)!,
            restoredFromThis: one.restored_from === row.id,
          },
        })),
      ],
    };
  }
}

function wantedFrom(application: Application, namespace: string): WantedApplication<Application> {
  const { manifest, hash } = asStored(application, namespace);
  const { metadata, spec } = manifest;
  return { namespace, name: metadata.name, project: spec.project || 'default', hash, manifest };
}

/** What is generated, with what the Applications that are there keep of themselves. */
function kept(
  wanted: readonly WantedApplication<Application>[],
  records: ReadonlyMap<string, ApplicationRecord>,
  set: ApplicationSet,
): WantedApplication<Application>[] {
  const rules = keepRules(set.spec);
  const byName = new Map([...records.values()].map((one) => [one.row.name, one]));
  return wanted.map((one) => {
    const there = byName.get(one.name);
    // What is there as it is wanted has nothing else to keep, and need not be opened.
    if (!there || there.row.manifest_hash === one.hash) return one;
    const next = keepFields(there.manifest, one.manifest, rules);
    return next === one.manifest ? one : wantedFrom(next, one.namespace);
  });
}
