import type {
  ApplicationDiff,
  ApplicationWindows,
  CommandStarted,
  ConfirmRequest,
  SyncRequest,
} from '@muster/api';
import { MusterError } from '@muster/base';
import { parseResourceSelector } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { Audit } from '../audit/audit.ts';
import type { CommandVerb } from '../commands/command.ts';
import { CommandsService } from '../commands/commands.service.ts';
import { CONFIG, type Config } from '../config.ts';
import { ProjectsService } from '../projects/projects.service.ts';
import { Outbox } from '../queue/outbox.ts';
import { ownerKey, ownerOf } from '../releases/owner.ts';
import { commitsOf } from '../releases/release-plan.ts';
import { HUB_ID } from '../roots/hub-destination.ts';
import { Roots } from '../roots/roots.service.ts';
import { ReleasesService } from '../releases/releases.service.ts';
import { SourcesService } from '../sources/sources.service.ts';
import { DATABASE, type Db } from '../store/database.ts';
import type { Trx } from '../store/schema.ts';
import type { ListedRow } from './application-list.repository.ts';
import { removalOf } from './application-manifest.ts';
import { ApplicationRecords } from './application-records.service.ts';
import { ApplicationViews } from './application-views.service.ts';

const DIFF_WAIT_MS = 30_000;

/** What users do with an Application. */
@Injectable()
export class ApplicationActions {
  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(ApplicationViews) private readonly views: ApplicationViews,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(CommandsService) private readonly commands: CommandsService,
    @Inject(ReleasesService) private readonly releases: ReleasesService,
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(Roots) private readonly roots: Roots,
    @Inject(ProjectsService) private readonly projects: ProjectsService,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Events) private readonly events: Events,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Applies what is assigned now, whatever `automated` says. */
  async sync(actor: Actor, namespace: string, name: string, request: SyncRequest): Promise<CommandStarted> {
    const row = await this.#for(actor, 'operator', namespace, name);
    if (row.leaving_at || row.tombstoned_at)
      throw new MusterError('precondition', `the Application ${name} is leaving`, {
        hint: '`muster app restore` takes it back',
      });
    const commits = commitsOf(row);
    if (request.revision && !commits.some((commit) => commit.startsWith(request.revision!))) {
      throw new MusterError(
        'precondition',
        `what is assigned comes from commit ${commits.join(' and ') || '(none)'}, not from ${request.revision}`,
        { where: 'revision' },
      );
    }
    if (!row.bundle_digest)
      throw new MusterError('precondition', `nothing was rendered for ${name} yet`, {
        hint: 'see its conditions',
      });
    if (!request.dryRun && row.cluster_name && row.cluster_server) {
      const cluster = { name: row.cluster_name, server: row.cluster_server };
      const target = { name, namespace: row.destination_namespace };
      await this.projects.requireManualSync(row.project, cluster, target);
    }
    const verb: CommandVerb = {
      kind: 'sync',
      prune: request.prune ?? this.#prunes(row),
      dryRun: request.dryRun,
      ...(request.resources ? { resources: checkedSelectors(request.resources) } : {}),
      ...(request.replace ? { replace: true } : {}),
      ...(request.force ? { force: true } : {}),
      ...(request.revision ? { bundleDigest: row.bundle_digest } : {}),
    };
    const { kind: _kind, bundleDigest: _digest, ...details } = verb;
    return this.#command(actor, row, verb, 'application.sync', details, request.reason);
  }

  #prunes(row: ListedRow): boolean {
    return this.records.open(row).manifest.spec.syncPolicy?.automated?.prune === true;
  }

  /** Fetches the source now, and has the agent compare again. */
  async refresh(actor: Actor, namespace: string, name: string): Promise<CommandStarted | undefined> {
    const row = await this.#for(actor, 'operator', namespace, name);
    await this.db.transaction().execute(async (trx) => {
      await this.sources.ask(trx, await this.records.repositoriesOf(trx, row.id));
      await this.outbox.add(trx, 'render', [ownerKey(ownerOf(row))]);
    });
    if (!row.cluster_id || row.assigned_generation === null) return undefined;
    return this.#command(actor, row, { kind: 'refresh' }, undefined, {});
  }

  async terminate(actor: Actor, namespace: string, name: string): Promise<CommandStarted> {
    const row = await this.#for(actor, 'operator', namespace, name);
    return this.#command(actor, row, { kind: 'terminate' }, 'application.terminate', {});
  }

  /** Lets go what a guard holds back: objects to prune, or a removal that waits. */
  async confirm(
    actor: Actor,
    namespace: string,
    name: string,
    { resources = [], reason }: ConfirmRequest,
  ): Promise<CommandStarted> {
    const row = await this.#for(actor, 'operator', namespace, name);
    if (row.leaving_at && !row.tombstoned_at)
      throw new MusterError('precondition', `the removal of ${name} has not begun: nothing waits yet`, {
        hint: `it leaves at ${row.leaving_at.toISOString()}`,
      });
    const verb: CommandVerb = { kind: 'confirm', resources: checkedSelectors(resources) };
    return this.#command(actor, row, verb, 'application.confirm', { resources }, reason);
  }

  /** The sync windows that hold for it, and what they let begin now. */
  async windows(actor: Actor, namespace: string, name: string): Promise<ApplicationWindows> {
    const row = await this.#for(actor, 'viewer', namespace, name);
    const cluster = { name: row.cluster_name ?? '', server: row.cluster_server ?? row.destination };
    return this.projects.windowsOf(row.project, cluster, { name, namespace: row.destination_namespace });
  }

  /** Asks the agent for field-level differences and waits for them, at most half a minute. */
  async diff(actor: Actor, namespace: string, name: string): Promise<ApplicationDiff> {
    const row = await this.#for(actor, 'viewer', namespace, name);
    const { command } = await this.#command(actor, row, { kind: 'diff' }, undefined, {});
    const { outcome, message } = await this.commands.wait(command, AbortSignal.timeout(DIFF_WAIT_MS));
    if (outcome !== 'succeeded') return { command, outcome, message, resources: [] };
    const found = parse(message);
    return { command, outcome, message: '', resources: found };
  }

  /** Removes an Application applied directly: it leaves after the grace time, `cascade` (or its finalizer) uninstalling. */
  async remove(actor: Actor, namespace: string, name: string, cascade?: boolean): Promise<void> {
    const row = await this.#for(actor, 'operator', namespace, name);
    if (row.set_id) {
      throw new MusterError(
        'conflict',
        `the Application ${name} belongs to the ApplicationSet ${row.set_name}, which would make it again`,
        { hint: 'change the set, or delete it' },
      );
    }
    if (row.tombstoned_at) return;
    const action =
      cascade === undefined ? removalOf(this.records.open(row).manifest) : cascade ? 'uninstall' : 'orphan';
    await this.db.transaction().execute(async (trx) => {
      const at = new Date(Date.now() + this.config.deletionGraceSeconds * 1000);
      await this.records.leave(trx, [{ id: row.id, action, heldReason: null, counted: false }], at);
      await this.outbox.add(trx, 'render', [ownerKey(ownerOf(row))]);
      await this.#audit(trx, actor, row, 'application.delete', { action });
    });
  }

  /** Takes a leaving Application back. */
  async restore(actor: Actor, namespace: string, name: string): Promise<void> {
    this.access.require(actor, 'operator', (await this.#departedProject(actor, namespace, name)) ?? '*');
    await this.db.transaction().execute(async (trx) => {
      const row = await this.records.restore(trx, namespace, name);
      const owner = { kind: 'application' as const, id: row.id };
      if (row.last) {
        await this.releases.again(trx, owner, {
          applicationId: row.id,
          namespace,
          name,
          removed: null,
          ...row.last,
        });
      }
      await this.outbox.add(trx, 'render', [
        ownerKey(owner),
        ...(row.previousSet ? [`set:${row.previousSet}`] : []),
      ]);
      await this.audit.record(trx, {
        actor,
        action: 'application.restore',
        object: `application/${namespace}/${name}`,
        project: row.project,
      });
      await this.events.publish('application', [`${namespace}/${name}`], { trx, project: row.project });
    });
  }

  async #departedProject(actor: Actor, namespace: string, name: string): Promise<string | undefined> {
    const project = await this.records.projectOf(namespace, name);
    if (project === undefined || !this.access.allows(actor, 'viewer', project)) {
      throw new MusterError(
        'not-found',
        `there is no Application ${namespace}/${name}, and none left in the last days`,
      );
    }
    return project;
  }

  async #for(actor: Actor, role: 'viewer' | 'operator', namespace: string, name: string): Promise<ListedRow> {
    const row = await this.views.visible(actor, namespace, name);
    this.access.require(actor, role, row.project);
    return row;
  }

  async #command(
    actor: Actor,
    row: ListedRow,
    verb: CommandVerb,
    action: string | undefined,
    details: Record<string, unknown>,
    reason?: string,
  ): Promise<CommandStarted> {
    const { namespace, name } = row;
    // What only the hub holds, the hub syncs; its order is kept as any other, for the audit log and for whoever waits.
    const clusterId = row.is_root && !row.cluster_id ? HUB_ID : row.cluster_id;
    if (clusterId === HUB_ID && verb.kind !== 'sync') {
      throw new MusterError('unsupported', `${name} deploys to the hub, which has nothing to ${verb.kind}`, {
        hint: '`muster app resources` shows what its children differ in',
      });
    }
    if (!clusterId || (clusterId !== HUB_ID && row.assigned_generation === null)) {
      throw new MusterError('precondition', `the Application ${name} is not assigned to a cluster yet`, {
        hint: 'see its conditions',
      });
    }
    return this.db.transaction().execute(async (trx) => {
      const request = {
        clusterId,
        application: { namespace, name },
        verb,
        actor: actor.name,
        ...(reason ? { reason } : {}),
      };
      const command = await this.commands.issue(trx, request);
      if (row.is_root && verb.kind === 'sync')
        await this.roots.requestSync(trx, row.id, {
          command,
          prune: verb.prune === true,
          dryRun: verb.dryRun === true,
        });
      if (action) await this.#audit(trx, actor, row, action, { ...details, command }, reason);
      return { command };
    });
  }

  async #audit(
    trx: Trx,
    actor: Actor,
    row: ListedRow,
    action: string,
    details: Record<string, unknown>,
    reason?: string,
  ): Promise<void> {
    const object = `application/${row.namespace}/${row.name}`;
    await this.audit.record(trx, {
      actor,
      action,
      object,
      project: row.project,
      ...(reason ? { reason } : {}),
      details,
    });
    await this.events.publish('application', [`${row.namespace}/${row.name}`], { trx, project: row.project });
  }
}

/** Throws MusterError `invalid` that names the selector. */
function checkedSelectors(texts: string[]): string[] {
  for (const text of texts) {
    if (parseResourceSelector(text)) continue;
    throw new MusterError('invalid', `"${text}" is not GROUP:KIND:NAME or GROUP:KIND:NAMESPACE/NAME`, {
      where: 'resources',
      hint: 'the core group is empty, as in :ConfigMap:settings',
    });
  }
  return texts;
}

/** The agent's answer: a JSON list of resources, or an object that holds one. */
function parse(message: string): Record<string, unknown>[] {
  try {
    const value = JSON.parse(message) as unknown;
    if (Array.isArray(value)) return value as Record<string, unknown>[];
    const resources = (value as { resources?: unknown } | null)?.resources;
    return Array.isArray(resources) ? (resources as Record<string, unknown>[]) : [];
  } catch (cause) {
    throw new MusterError('internal', 'the agent answered with something that is not a diff', { cause });
  }
}
