import {
  type Application,
  type ApplicationSet,
  type ApplicationsPlan,
  type Expansion,
  ExpansionError,
  expand,
  keepFields,
  keepRules,
  makesPreviews,
  planApplications,
  requeueAfterSeconds,
  type TemplateEngines,
  type WantedApplication,
} from '@muster/appset';
import { MusterError, type Outcome, done, waiting } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { asStored, ApplicationRecords } from '../applications/application-records.service.ts';
import { removalOf } from '../applications/application-manifest.ts';
import { Events } from '../api/events.ts';
import { type ClusterFacts, ClustersService } from '../clusters/clusters.service.ts';
import { CONFIG, type Config } from '../config.ts';
import { ProjectsService } from '../projects/projects.service.ts';
import type { JobContext } from '../queue/jobs.ts';
import { Outbox } from '../queue/outbox.ts';
import { Renderer } from '../rendering/renderer.ts';
import { lookingSecret, maskStrings, withoutSecrets } from '../rendering/secrets.ts';
import { ScmService } from '../sources/scm/scm.service.ts';
import type { Trx } from '../store/schema.ts';
import { ApplicationSetsRepository, type SetRow } from './applicationsets.repository.ts';
import { type Removal, heldPreviews, heldRemovals, overruns } from './deletion-budget.ts';
import { SetManifests } from './set-manifests.ts';
import { SetRepositories } from './set-repositories.ts';
import { mergeSetConditions } from './set-conditions.ts';

type Manifest = ReturnType<typeof asStored>['manifest'];
type Existing = Awaited<ReturnType<ExpansionService['existing']>>;

const RETRY_SECONDS = 30;

/** Expands ApplicationSets into Applications; writes only what is different. */
@Injectable()
export class ExpansionService {
  constructor(
    @Inject(ApplicationSetsRepository) private readonly repository: ApplicationSetsRepository,
    @Inject(SetManifests) private readonly manifests: SetManifests,
    @Inject(SetRepositories) private readonly repositories: SetRepositories,
    @Inject(ScmService) private readonly scm: ScmService,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(ClustersService) private readonly clusters: ClustersService,
    @Inject(ProjectsService) private readonly projects: ProjectsService,
    @Inject(Renderer) private readonly renderer: Renderer,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Events) private readonly events: Events,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** From a set to its Applications. A failure keeps what there is and is shown as a condition. */
  async expand(setId: string, context: JobContext): Promise<Outcome> {
    const row = await this.repository.byId(setId);
    if (!row) return done;
    const set = this.manifests.open(row);
    const clusters = await this.clusters.forExpansion();
    let expansion: Expansion | undefined;
    let failure: MusterError | undefined;
    try {
      expansion = row.deleting_at
        ? { applications: [], validationErrors: {} }
        : await this.#generate(row.project, set, clusters, context.signal);
    } catch (thrown) {
      context.signal.throwIfAborted();
      failure = withReason(withoutSecrets(thrown, lookingSecret(set.spec)), thrown);
    }
    const again = row.deleting_at ? undefined : nextExpansion(set, failure);
    await this.repository.db.transaction().execute(async (trx) => {
      const held = await this.repository.lock(trx, setId);
      // Changed meanwhile: it has been asked for again.
      if (held && held.version === row.version) {
        if (expansion) await this.#apply(trx, held, set, expansion, clusters);
        else await this.#conditions(trx, held, failure, []);
      }
      // Last: everyone takes sets first and outbox rows after them. One that is asked for later keeps its row.
      if (!again) await context.complete(trx);
    });
    return again ?? done;
  }

  async #generate(
    project: string,
    set: ApplicationSet,
    clusters: readonly ClusterFacts[],
    signal: AbortSignal,
  ): Promise<Expansion> {
    const projects = await this.projects.names();
    // The renderer is loaded by the first text that needs it: a fast template needs none.
    const engines: TemplateEngines = {
      goTemplate: {
        render: async (request, end) => (await this.renderer.engines()).goTemplate.render(request, end),
      },
      yaml: { toJson: async (texts, end) => (await this.renderer.engines()).yaml.toJson(texts, end) },
    };
    const input = {
      applicationSet: set,
      clusters,
      projects,
      repos: this.repositories.contents(signal),
      external: this.scm.external(project, engines.goTemplate, signal),
      options: { implicitLocalCluster: false },
    };
    return expand(input, engines, signal);
  }

  async #apply(
    trx: Trx,
    row: SetRow,
    set: ApplicationSet,
    expansion: Expansion,
    clusters: readonly ClusterFacts[],
  ): Promise<void> {
    const wanted = expansion.applications.map((application) => wantedFrom(application, row.namespace));
    const existing = await this.existing(trx, row, wanted);
    const plan = planApplications(kept(wanted, existing, set), existing.all, {
      set: `${row.namespace}/${row.name}`,
      project: row.project,
      policy: set.spec.syncPolicy?.applicationsSync ?? 'sync',
      deleting: row.deleting_at !== null,
      refused: maskStrings(expansion.validationErrors, lookingSecret(set.spec)),
    });
    if (plan.leave.length > 0) await this.repository.lockBudget(trx);
    await this.records.write(trx, row.id, plan.write);
    await this.records.stay(trx, plan.stay);
    await this.#leave(trx, row, set, plan, existing, new Set(clusters.map((cluster) => cluster.id)));
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
    await this.#conditions(trx, row, undefined, plan.problems);
    if (row.deleting_at) await this.repository.deleteIfEmpty(trx, row.id);
  }

  /** Applications that are there under this set or under a generated name. */
  async existing(trx: Trx, row: SetRow, generated: readonly { namespace: string; name: string }[]) {
    const mine = await this.records.ofOwner(trx, { kind: 'set', id: row.id });
    const own = new Set(mine.map((one) => `${one.row.namespace}/${one.row.name}`));
    const others = (
      await this.records.byNames(
        trx,
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
      const holder = other.set_id ? await this.repository.byId(other.set_id, trx) : undefined;
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

  /** Removals are shown as leaving for the grace time; those beyond the budget wait for an approval. */
  async #leave(
    trx: Trx,
    row: SetRow,
    set: ApplicationSet,
    plan: ApplicationsPlan<Manifest>,
    existing: Existing,
    standing: ReadonlySet<string>,
  ): Promise<void> {
    if (plan.leave.length === 0) return;
    const removals: Removal[] = plan.leave.map((id) => {
      const one = existing.records.get(id)!.row;
      return { id, clusterId: one.cluster_id, project: one.project };
    });
    const previews = row.deleting_at === null && makesPreviews(set);
    // Applications of a cluster that is being removed go with it: that was decided already.
    const decided = previews || (row.deleting_at !== null && row.deleting_approved);
    const counted = decided
      ? []
      : removals.filter((one) => one.clusterId !== null && standing.has(one.clusterId));
    const clusters = [...new Set(counted.flatMap((one) => one.clusterId ?? []))];
    const projects = [...new Set(counted.map((one) => one.project))];
    const name = `${row.namespace}/${row.name}`;
    const facts = await this.repository.budgetScopes(trx, { id: row.id, name }, clusters, projects);
    const found = overruns(counted, facts, row.id);
    const held = previews ? heldPreviews(removals, existing.records.size) : heldRemovals(found);
    for (const { kind, key, reason } of found.filter((one) => one.exhausted)) {
      const others = await this.repository.holdPending(trx, kind, key, reason);
      await this.events.publish(
        'applicationset',
        others.map((one) => `${one.namespace}/${one.name}`),
        { trx },
      );
    }
    await this.records.leave(
      trx,
      removals.map((one) => ({
        id: one.id,
        action: removalOf(existing.records.get(one.id)!.manifest),
        heldReason: held.get(one.id) ?? null,
        counted: counted.includes(one),
      })),
      // Nobody misses a preview whose pull request is closed.
      new Date(Date.now() + (previews ? 0 : this.config.deletionGraceSeconds) * 1000),
    );
  }

  async #conditions(
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
}

/** A masked error is another one: the reason for the condition goes with it. */
function withReason(failure: MusterError, thrown: unknown): MusterError {
  if (failure === thrown || !(thrown instanceof ExpansionError)) return failure;
  return new ExpansionError(thrown.reason, failure.message, failure.where ?? 'spec', failure.code);
}

/** When a set is expanded again though nothing told of a change. */
function nextExpansion(set: ApplicationSet, failure: MusterError | undefined): Outcome | undefined {
  const after = (seconds: number) => new Date(Date.now() + seconds * 1000);
  if (failure?.code === 'unavailable') return waiting(failure.message, after(RETRY_SECONDS));
  const seconds = requeueAfterSeconds(set);
  return seconds === undefined ? undefined : waiting('asks its generators again', after(seconds));
}

function wantedFrom(application: Application, namespace: string): WantedApplication<Manifest> {
  const { manifest, hash } = asStored(application, namespace);
  const { metadata, spec } = manifest;
  return { namespace, name: metadata.name, project: spec.project || 'default', hash, manifest };
}

/** What is generated, with what the Applications that are there keep of themselves. */
function kept(
  wanted: readonly WantedApplication<Manifest>[],
  { records }: Existing,
  set: ApplicationSet,
): WantedApplication<Manifest>[] {
  const rules = keepRules(set.spec);
  const byName = new Map([...records.values()].map((one) => [one.row.name, one.manifest]));
  return wanted.map((one) => {
    const there = byName.get(one.name);
    const next = there ? keepFields(there, one.manifest, rules) : one.manifest;
    return next === one.manifest ? one : wantedFrom(next, one.namespace);
  });
}
