import type { Application } from '@muster/appset';
import { MusterError } from '@muster/base';
import { destinationDecision, sourceDecision } from '@muster/kube';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { Audit } from '../audit/audit.ts';
import { ClusterChanges } from '../clusters/cluster-changes.ts';
import { ProjectsService } from '../projects/projects.service.ts';
import { Outbox } from '../queue/outbox.ts';
import { type Owner, ownerKey } from '../releases/owner.ts';
import { isHub, isInCluster } from '../roots/hub-destination.ts';
import { Roots } from '../roots/roots.service.ts';
import { SourceChanges } from '../sources/source-changes.ts';
import type { Trx } from '../store/schema.ts';
import { approvesDeletion } from './application-manifest.ts';
import { ApplicationRecords, asStored } from './application-records.service.ts';
import { placedSources } from './application-sources.ts';
import { type ApplicationRow, ApplicationsRepository } from './applications.repository.ts';

/** Applications: what makes them, and what has to be done again when the world around them changes. */
@Injectable()
export class ApplicationsService implements OnModuleInit {
  constructor(
    @Inject(ApplicationsRepository) private readonly repository: ApplicationsRepository,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(ProjectsService) private readonly projects: ProjectsService,
    @Inject(SourceChanges) private readonly sourceChanges: SourceChanges,
    @Inject(ClusterChanges) private readonly clusterChanges: ClusterChanges,
    @Inject(Roots) private readonly roots: Roots,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Events) private readonly events: Events,
  ) {}

  onModuleInit(): void {
    this.sourceChanges.on(async (trx, { repositoryId, revisions }) => {
      await this.#render(trx, await this.repository.ownersFollowing(trx, repositoryId, revisions));
    });
    this.clusterChanges.on(async (trx, { ids, kind }) => {
      // Labels reach Applications by way of their sets only.
      if (kind !== 'labelled') await this.#render(trx, await this.repository.ownersOn(trx, ids));
    });
    this.events.visibility('application', (keys, projects) => this.repository.visible(keys, projects));
  }

  async projectChanged(trx: Trx, project: string): Promise<void> {
    const owners = await this.repository.ownersInProject(trx, project);
    await this.#render(trx, owners);
    // Its sync windows are no part of a release, and are signed at once.
    await this.outbox.add(trx, 'assign', owners.map(ownerKey));
  }

  /** Removals whose grace is over are carried out by their owners' next release. */
  async leaving(): Promise<void> {
    await this.repository.db
      .transaction()
      .execute(async (trx) => this.#render(trx, await this.repository.ownersDue(trx)));
  }

  async #render(trx: Trx, owners: readonly Owner[]): Promise<void> {
    await this.outbox.add(trx, 'render', owners.map(ownerKey));
  }

  /** Writes a checked Application applied directly. Throws what its project does not allow, and what belongs to a set. */
  async apply(
    trx: Trx,
    namespace: string,
    application: Application,
    actor: Actor,
  ): Promise<'created' | 'configured' | 'unchanged'> {
    const { name } = application.metadata;
    const project = application.spec.project || 'default';
    this.access.require(actor, 'operator', project);
    const before = await this.repository.byName(trx, namespace, name);
    if (before) this.access.require(actor, 'operator', before.project);
    if (before?.set_id) {
      throw new MusterError('conflict', `the Application ${namespace}/${name} belongs to an ApplicationSet`, {
        hint: 'change the set instead',
      });
    }
    const stored = asStored(application, namespace);
    if (before && (await this.#approves(trx, before, stored, actor))) return 'configured';
    if (before?.tombstoned_at) {
      throw new MusterError('precondition', `the Application ${namespace}/${name} is being removed`, {
        hint: 'apply it again once it is gone; a newer `argocd.argoproj.io/deletion-approved` alone approves the deletion',
      });
    }
    await this.#allowed(trx, project, application);
    const { destination } = application.spec;
    const mayBeRoot = isHub(destination) || isInCluster(destination);
    if (before?.manifest_hash === stored.hash && before.leaving_at === null) {
      if (mayBeRoot) await this.roots.recordAuthority(trx, before.id, actor, true);
      return 'unchanged';
    }
    const [id] = await this.records.write(trx, null, [stored]);
    if (!id)
      throw new MusterError(
        'conflict',
        `the Application ${namespace}/${name} was made by an ApplicationSet meanwhile`,
      );
    if (mayBeRoot) await this.roots.recordAuthority(trx, id, actor, false);
    await this.#render(trx, [{ kind: 'application', id }]);
    const object = `application/${namespace}/${name}`;
    await this.audit.record(trx, {
      actor,
      action: before ? 'application.change' : 'application.create',
      object,
      project,
    });
    await this.events.publish('application', [`${namespace}/${name}`], { trx, project });
    return before ? 'configured' : 'created';
  }

  /** Whether a document only adds its approval to the deletion that is under way; what it approves goes on then. */
  async #approves(
    trx: Trx,
    before: ApplicationRow,
    stored: ReturnType<typeof asStored>,
    actor: Actor,
  ): Promise<boolean> {
    if (!before.leaving_at && !before.tombstoned_at) return false;
    if (!approvesDeletion(this.records.open(before).manifest, stored.manifest)) return false;
    const { id, namespace, name, project } = before;
    await this.records.approveDeletion(trx, before, stored);
    await this.outbox.add(trx, 'assign', [ownerKey({ kind: 'application', id })]);
    const object = `application/${namespace}/${name}`;
    await this.audit.record(trx, { actor, action: 'application.approve-deletion', object, project });
    await this.events.publish('application', [`${namespace}/${name}`], { trx, project });
    return true;
  }

  /** What can be said before the destination is looked up; rendering decides all of it again. */
  async #allowed(trx: Trx, name: string, application: Application): Promise<void> {
    const project = (await this.projects.byName(trx)).get(name);
    // Rendering says so with a condition: the project may come later.
    if (!project) return;
    for (const { source, where } of placedSources(application)) {
      const decision = sourceDecision(project, source.repoURL);
      if (!decision.allowed) throw new MusterError('forbidden', decision.reason, { where });
    }
    const { server, name: cluster, namespace } = application.spec.destination;
    if (!server) return;
    const decision = destinationDecision(project, { server, name: cluster, namespace });
    if (!decision.allowed) throw new MusterError('forbidden', decision.reason);
  }
}
