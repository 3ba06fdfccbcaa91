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
import type { Actor } from '../access/actor.ts';
import type { CommandVerb } from '../commands/command.ts';
import { ProjectsService } from '../projects/projects.service.ts';
import { Outbox } from '../queue/outbox.ts';
import { ownerKey, ownerOf } from '../releases/owner.ts';
import { commitsOf } from '../releases/release-plan.ts';
import { SourcesService } from '../sources/sources.service.ts';
import { DATABASE, type Db } from '../store/database.ts';
import type { ListedRow } from './application-list.repository.ts';
import { ApplicationRecords } from './application-records.service.ts';
import { ApplicationOrders } from './application-orders.service.ts';
import { ApplicationTrail } from './application-trail.ts';

const DIFF_WAIT_MS = 30_000;

/** What users do with an Application that is there. */
@Injectable()
export class ApplicationActions {
  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(ApplicationTrail) private readonly trail: ApplicationTrail,
    @Inject(ApplicationOrders) private readonly orders: ApplicationOrders,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(ProjectsService) private readonly projects: ProjectsService,
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(Outbox) private readonly outbox: Outbox,
  ) {}

  /** Applies what is assigned now, whatever `automated` says. */
  async sync(actor: Actor, namespace: string, name: string, request: SyncRequest): Promise<CommandStarted> {
    const row = await this.trail.open(actor, 'operator', namespace, name);
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
    return this.orders.give(actor, row, verb, 'application.sync', details, request.reason);
  }

  #prunes(row: ListedRow): boolean {
    return this.records.open(row).manifest.spec.syncPolicy?.automated?.prune === true;
  }

  /** Fetches the source now, and has the agent compare again. */
  async refresh(actor: Actor, namespace: string, name: string): Promise<CommandStarted | undefined> {
    const row = await this.trail.open(actor, 'operator', namespace, name);
    await this.db.transaction().execute(async (trx) => {
      await this.sources.ask(trx, await this.records.repositoriesOf(trx, row.id));
      await this.outbox.add(trx, 'render', [ownerKey(ownerOf(row))]);
    });
    if (!row.cluster_id || row.assigned_generation === null) return undefined;
    return this.orders.give(actor, row, { kind: 'refresh' }, undefined, {});
  }

  async terminate(actor: Actor, namespace: string, name: string): Promise<CommandStarted> {
    const row = await this.trail.open(actor, 'operator', namespace, name);
    return this.orders.give(actor, row, { kind: 'terminate' }, 'application.terminate', {});
  }

  /** Lets go what a guard holds back: objects to prune, or a removal that waits. */
  async confirm(
    actor: Actor,
    namespace: string,
    name: string,
    { resources = [], reason }: ConfirmRequest,
  ): Promise<CommandStarted> {
    const row = await this.trail.open(actor, 'operator', namespace, name);
    if (row.leaving_at && !row.tombstoned_at)
      throw new MusterError('precondition', `the removal of ${name} has not begun: nothing waits yet`, {
        hint: `it leaves at ${row.leaving_at.toISOString()}`,
      });
    const verb: CommandVerb = { kind: 'confirm', resources: checkedSelectors(resources) };
    return this.orders.give(actor, row, verb, 'application.confirm', { resources }, reason);
  }

  /** The sync windows that hold for it, and what they let begin now. */
  async windows(actor: Actor, namespace: string, name: string): Promise<ApplicationWindows> {
    const row = await this.trail.open(actor, 'viewer', namespace, name);
    const cluster = { name: row.cluster_name ?? '', server: row.cluster_server ?? row.destination };
    return this.projects.windowsOf(row.project, cluster, { name, namespace: row.destination_namespace });
  }

  /** Asks the agent for field-level differences and waits for them, at most half a minute. */
  async diff(actor: Actor, namespace: string, name: string): Promise<ApplicationDiff> {
    const row = await this.trail.open(actor, 'viewer', namespace, name);
    // Nobody should wait for a cluster of which it is known that it does not answer.
    if (row.silent_since)
      throw new MusterError(
        'unavailable',
        `the agent of ${row.cluster_name} has been silent since ${row.silent_since.toISOString()}`,
        { hint: '`muster app get` shows what it reported last' },
      );
    const { command } = await this.orders.give(actor, row, { kind: 'diff' }, undefined, {});
    const { outcome, message } = await this.orders.answer(command, AbortSignal.timeout(DIFF_WAIT_MS));
    if (outcome !== 'succeeded') return { command, outcome, message, resources: [] };
    const found = parse(message);
    return { command, outcome, message: '', resources: found };
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
