import type { ApplicationSetList, ApplicationSetView } from '@muster/api';
import { MusterError } from '@muster/base';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { decodeCursor, toPage } from '../api/paging.ts';
import { ApplicationRecords } from '../applications/application-records.service.ts';
import { Audit } from '../audit/audit.ts';
import { ClusterChanges } from '../clusters/cluster-changes.ts';
import { Outbox } from '../queue/outbox.ts';
import { lookingSecret, maskStrings } from '../rendering/secrets.ts';
import { Roots } from '../roots/roots.service.ts';
import { SourceChanges } from '../sources/source-changes.ts';
import { SourcesService } from '../sources/sources.service.ts';
import type { Trx } from '../store/schema.ts';
import { ApplicationSetsRepository, type SetRow } from './applicationsets.repository.ts';
import type { CheckedSet } from './set-manifest.ts';
import { SetTriggers } from './set-triggers.service.ts';
import { SetManifests } from './set-manifests.ts';

/** ApplicationSets as users apply, see and delete them. */
@Injectable()
export class ApplicationSetsService implements OnModuleInit {
  constructor(
    @Inject(ApplicationSetsRepository) private readonly repository: ApplicationSetsRepository,
    @Inject(SetManifests) private readonly manifests: SetManifests,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(ClusterChanges) private readonly clusterChanges: ClusterChanges,
    @Inject(SourceChanges) private readonly sourceChanges: SourceChanges,
    @Inject(Roots) private readonly roots: Roots,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(SetTriggers) private readonly triggers: SetTriggers,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Events) private readonly events: Events,
  ) {}

  onModuleInit(): void {
    this.events.visibility('applicationset', (keys, projects) => this.repository.visible(keys, projects));
    this.clusterChanges.on((trx) => this.clustersChanged(trx));
    this.sourceChanges.on(async (trx, { repositoryId, revisions }) =>
      this.#expand(trx, await this.repository.reading(trx, repositoryId, revisions)),
    );
  }

  /** Sets with a clusters generator are expanded again. */
  async clustersChanged(trx: Trx): Promise<void> {
    await this.#expand(trx, await this.repository.dependingOnClusters(trx));
  }

  /** Sets that may belong to a project are expanded again. */
  async projectChanged(trx: Trx, project: string): Promise<void> {
    await this.#expand(trx, await this.repository.inProject(trx, project));
  }

  async #expand(trx: Trx, ids: readonly string[]): Promise<void> {
    await this.outbox.add(
      trx,
      'expand',
      ids.map((id) => `set:${id}`),
    );
  }

  /** Writes a checked set. Needs the role operator for its project; for a templated project, for all. */
  async apply(
    trx: Trx,
    namespace: string,
    checked: CheckedSet,
    actor: Actor,
  ): Promise<'created' | 'configured' | 'unchanged'> {
    const { name } = checked.set.metadata;
    this.access.require(actor, 'operator', checked.project || '*');
    const before = await this.repository.byName(namespace, name, trx);
    if (before) this.access.require(actor, 'operator', before.project || '*');
    const { sealed, hash } = this.manifests.seal(checked.set, namespace);
    if (before && before.manifest_hash === hash && !before.deleting_at) {
      await this.roots.recordAuthority(trx, before.id, actor, true);
      return 'unchanged';
    }
    const row = {
      namespace,
      name,
      project: checked.project,
      sealed,
      hash,
      dependsOnClusters: checked.dependsOnClusters,
    };
    const id = await this.repository.write(trx, row);
    await this.roots.recordAuthority(trx, id, actor, false);
    const ids = await this.sources.ensure(
      trx,
      checked.repositories.map((one) => one.url),
    );
    const followed = checked.repositories.flatMap(({ url, revision }) => {
      const repositoryId = ids.get(url);
      return repositoryId ? [{ repositoryId, revision }] : [];
    });
    await this.repository.repositories(trx, id, followed);
    await this.triggers.follow(trx, id, checked.topics);
    await this.sources.follow(trx, followed);
    await this.sources.ask(
      trx,
      followed.map((one) => one.repositoryId),
    );
    await this.#expand(trx, [id]);
    // It may name another rollout policy now.
    await this.outbox.add(trx, 'rollout', [`set:${id}`]);
    const object = `applicationset/${namespace}/${name}`;
    await this.audit.record(trx, {
      actor,
      action: before ? 'applicationset.change' : 'applicationset.create',
      object,
      project: checked.project || '*',
    });
    await this.events.publish('applicationset', [`${namespace}/${name}`], { trx });
    return before ? 'configured' : 'created';
  }

  async list(actor: Actor, limit: number, after?: string): Promise<ApplicationSetList> {
    const cursor = after === undefined ? undefined : (decodeCursor(after, 2) as [string, string]);
    const rows = await this.repository.page(this.access.visibleProjects(actor, 'viewer'), limit + 1, cursor);
    const page = toPage(rows, limit, (row) => [row.namespace, row.name]);
    return { ...page, items: await this.#views(page.items) };
  }

  async get(actor: Actor, namespace: string, name: string): Promise<ApplicationSetView> {
    const row = await this.#visible(actor, namespace, name);
    const [view] = await this.#views([row]);
    const manifest = this.manifests.open(row) as unknown as Record<string, unknown>;
    return {
      ...view!,
      manifest: { ...manifest, spec: maskStrings(manifest.spec, lookingSecret(manifest.spec)) },
    };
  }

  /** Its Applications leave; all of them wait for an approval unless `approve` is given by an approver. */
  async remove(actor: Actor, namespace: string, name: string, approve: boolean): Promise<void> {
    const row = await this.#visible(actor, namespace, name);
    this.access.require(actor, 'operator', row.project || '*');
    if (approve) this.access.require(actor, 'approver', row.project || '*');
    await this.repository.db.transaction().execute((trx) => this.#remove(trx, actor, row, approve));
  }

  /** The same for a root that made it. False: it is gone already. */
  async removeIn(
    trx: Trx,
    actor: Actor,
    set: { namespace: string; name: string },
    approve: boolean,
  ): Promise<boolean> {
    const row = await this.repository.byName(set.namespace, set.name, trx);
    if (!row) return false;
    this.access.require(actor, approve ? 'approver' : 'operator', row.project || '*');
    await this.#remove(trx, actor, row, approve);
    return true;
  }

  async #remove(trx: Trx, actor: Actor, row: SetRow, approve: boolean): Promise<void> {
    const { id, namespace, name, project } = row;
    await this.repository.deleting(trx, id);
    await this.#expand(trx, [id]);
    await this.audit.record(trx, {
      actor,
      action: 'applicationset.delete',
      object: `applicationset/${namespace}/${name}`,
      project: project || '*',
      details: { approved: approve },
    });
    await this.events.publish('applicationset', [`${namespace}/${name}`], { trx });
    if (approve) await this.repository.approveAll(trx, id);
  }

  /** Lets the held removals of a set go on. Throws `precondition` when none is held. */
  async approveDeletions(
    actor: Actor,
    namespace: string,
    name: string,
    reason?: string,
  ): Promise<{ approved: number }> {
    const row = await this.#visible(actor, namespace, name);
    this.access.require(actor, 'approver', row.project || '*');
    return this.repository.db.transaction().execute(async (trx) => {
      const approved = await this.records.approve(trx, row.id);
      if (approved === 0)
        throw new MusterError('precondition', `no removal of ${namespace}/${name} waits for an approval`);
      await this.outbox.add(trx, 'render', [`set:${row.id}`]);
      await this.audit.record(trx, {
        actor,
        action: 'applicationset.approve-deletions',
        object: `applicationset/${namespace}/${name}`,
        project: row.project || '*',
        ...(reason ? { reason } : {}),
        details: { applications: approved },
      });
      await this.events.publish('applicationset', [`${namespace}/${name}`], { trx });
      return { approved };
    });
  }

  /** Throws `not-found`, also for what the actor may not see. */
  async #visible(actor: Actor, namespace: string, name: string): Promise<SetRow> {
    const row = await this.repository.byName(namespace, name);
    if (!row || !this.access.allows(actor, 'viewer', row.project || '*')) {
      throw new MusterError('not-found', `there is no ApplicationSet ${namespace}/${name}`);
    }
    return row;
  }

  async #views(rows: readonly SetRow[]): Promise<ApplicationSetView[]> {
    const ids = rows.map((row) => row.id);
    const [counts, releases, problems] = await Promise.all([
      this.repository.counts(ids),
      this.repository.latestReleases(ids),
      this.repository.rolloutProblems(ids),
    ]);
    return rows.map((row) => {
      const count = counts.get(row.id);
      const release = releases.get(row.id);
      return {
        namespace: row.namespace,
        name: row.name,
        project: row.project,
        applications: count?.applications ?? 0,
        leaving: count?.leaving ?? 0,
        held: count?.held ?? 0,
        deleting: row.deleting_at !== null,
        conditions: [...row.conditions, ...rolloutConditions(problems.get(row.id))],
        ...(release
          ? {
              release: {
                id: release.id,
                number: Number(release.number),
                cause: release.cause,
                at: release.created_at.toISOString(),
              },
            }
          : {}),
        createdAt: row.created_at.toISOString(),
        updatedAt: row.updated_at.toISOString(),
      };
    });
  }
}

/** A policy that is missing or broken lets no newer release go. */
function rolloutConditions(problem: { message: string; since: Date } | undefined): SetRow['conditions'] {
  if (!problem) return [];
  const { message, since } = problem;
  const lastTransitionTime = since.toISOString();
  return [{ type: 'RolloutPolicy', status: 'False', reason: 'PolicyProblem', message, lastTransitionTime }];
}
