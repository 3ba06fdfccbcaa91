import { MusterError, type Outcome, done, waiting } from '@muster/base';
import { CommandOutcome, CommandResult } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { ApplyService } from '../applications/apply.service.ts';
import { CommandsService } from '../commands/commands.service.ts';
import type { JobContext } from '../queue/jobs.ts';
import { Outbox } from '../queue/outbox.ts';
import { ownerKey, ownerOf } from '../releases/owner.ts';
import { mergeConditions } from '../rendering/conditions.ts';
import type { Trx } from '../store/schema.ts';
import { childKey } from './child.ts';
import type { Child } from './child-documents.ts';
import { HUB_ID } from './hub-destination.ts';
import { type LoadedRoot, RootReader } from './root-facts.service.ts';
import { type RootPlan, planRoot } from './root-plan.ts';
import { RootRemovals } from './root-removals.service.ts';
import { type RootStatus, RootsRepository } from './roots.repository.ts';
import { rootActor } from './roots.service.ts';

type Problem = RootPlan['problems'][number];

/** Looked at again after so many seconds: work under way, an unhealthy fleet, a removal that goes on. */
const AGAIN = { busy: 2, waves: 15, unsettled: 60 };

/** Applies the children of a root: what Git says, wave by wave, with the rights that the root has. */
@Injectable()
export class RootSync {
  constructor(
    @Inject(RootsRepository) private readonly repository: RootsRepository,
    @Inject(RootReader) private readonly reader: RootReader,
    @Inject(RootRemovals) private readonly removals: RootRemovals,
    @Inject(ApplyService) private readonly documents: ApplyService,
    @Inject(CommandsService) private readonly commands: CommandsService,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Events) private readonly events: Events,
  ) {}

  /** One run: load, decide, act, show. Repeated, it writes nothing. */
  async run(id: string, context: JobContext): Promise<Outcome> {
    const loaded = await this.reader.load(id, context.signal);
    if (!loaded) return done;
    const plan = planRoot(loaded.facts);
    const problems = [...plan.problems];
    if (!loaded.record.row.tombstoned_at) await this.#act(loaded, plan, problems, context.signal);
    const again = nextRun(loaded, plan, problems);
    const finished = await this.repository.db.transaction().execute(async (trx) => {
      const ended = await this.#finish(trx, loaded, plan, problems);
      if (!again) await context.complete(trx);
      return ended;
    });
    if (finished) await this.commands.finish(HUB_ID, finished);
    return again ?? done;
  }

  async #act(loaded: LoadedRoot, plan: RootPlan, problems: Problem[], signal: AbortSignal): Promise<void> {
    const { record, standing } = loaded;
    const { operatorIn, admin } = standing.authority;
    const projects = operatorIn === '*' ? ['*'] : operatorIn;
    const actor = rootActor(`${record.row.namespace}/${record.row.name}`, [
      ...projects.map((project) => ({ role: 'operator' as const, project })),
      ...(admin ? [{ role: 'admin' as const, project: '*' }] : []),
    ]);
    for (const child of plan.apply) {
      signal.throwIfAborted();
      await this.#apply(child, loaded, actor).catch((thrown: unknown) =>
        problems.push(refused(child, thrown)),
      );
    }
    const { own, remove, detach, forget } = plan;
    if (own.length + remove.length + detach.length + forget.length === 0) return;
    await this.repository.db.transaction().execute(async (trx) => {
      if (!(await this.repository.lock(trx, record.row.id))) return;
      for (const child of own) await this.repository.own(trx, record.row.id, child);
      await this.repository.detach(trx, detach);
      await this.repository.gone(trx, forget);
      await this.repository.forgetGone(trx, record.row.id);
    });
    if (remove.length === 0) return;
    const removal = this.repository.db
      .transaction()
      .execute((trx) => this.removals.remove(trx, loaded, plan, actor));
    await removal.catch((thrown: unknown) => {
      const error = MusterError.from(thrown);
      if (error.code !== 'forbidden') throw thrown;
      problems.push({ type: 'ProjectDenied', message: `children that left Git stay: ${error.describe()}` });
    });
  }

  /** A child and that it is the root's, together or not at all. */
  async #apply(child: Child, { record, root }: LoadedRoot, actor: Actor): Promise<void> {
    await this.repository.db.transaction().execute(async (trx) => {
      const now = await this.repository.lock(trx, record.row.id);
      // Rendered again meanwhile: another run is asked for.
      if (now?.bundle_digest !== root.bundle_digest || now.spec_version !== root.spec_version) return;
      if (!(await this.repository.own(trx, record.row.id, child)))
        throw new MusterError('conflict', 'it became the child of another root meanwhile');
      await this.documents.one(trx, child.document, actor);
    });
  }

  /** Shows what came of it, and ends what was asked for; answers the command that is finished. */
  async #finish(trx: Trx, loaded: LoadedRoot, plan: RootPlan, problems: readonly Problem[]) {
    const { record, facts } = loaded;
    const { row } = record;
    const root = await this.repository.lock(trx, row.id);
    if (!root) return undefined;
    if (facts.removing && isEmptied(plan, facts)) await this.#removed(trx, loaded);
    else if (root.removing && row.leaving_at === null) await this.repository.removed(trx, row.id);
    const current = root.bundle_digest === loaded.root.bundle_digest;
    const status = statusOf(loaded, plan, problems, current);
    if (differs(root, status)) {
      await this.repository.status(trx, row.id, status);
      await this.events.publish('application', [`${row.namespace}/${row.name}`], { trx });
      const applied = plan.complete && !facts.removing && status.syncedDigest === root.bundle_digest;
      if (applied && root.synced_digest !== root.bundle_digest)
        await this.repository.deployed(trx, row, HUB_ID);
      else if (applied && status.health === 'Healthy') await this.repository.becameHealthy(trx, row, HUB_ID);
    }
    if (!root.sync_request || root.sync_request.command !== loaded.root.sync_request?.command)
      return undefined;
    const { command, dryRun } = root.sync_request;
    if (!dryRun && !plan.complete && problems.length === 0) return undefined;
    await this.repository.request(trx, row.id, null);
    const failed = problems.length > 0;
    return CommandResult.fromPartial({
      commandId: command,
      outcome: failed ? CommandOutcome.FAILED : CommandOutcome.SUCCEEDED,
      message: failed ? problems.map((one) => one.message).join('; ') : dryRun ? dryRunText(plan) : '',
      finishedAtMs: BigInt(Date.now()),
    });
  }

  /** Its children are gone: the root goes on with its own removal. */
  async #removed(trx: Trx, { record }: LoadedRoot): Promise<void> {
    if (await this.repository.removed(trx, record.row.id))
      await this.outbox.add(trx, 'render', [ownerKey(ownerOf(record.row))]);
  }
}

function isEmptied(plan: RootPlan, { owned, self }: LoadedRoot['facts']): boolean {
  const ended = new Set([...plan.forget, ...plan.detach].map(childKey));
  return owned.every(
    (one) => one.gone || one.detached || ended.has(childKey(one)) || childKey(one) === childKey(self),
  );
}

function refused(child: Child, thrown: unknown): Problem {
  const error = MusterError.from(thrown);
  // What is no fault of the document is tried again by the queue.
  if (error.code === 'internal' || error.code === 'unavailable') throw thrown;
  return {
    type: error.code === 'forbidden' ? 'ProjectDenied' : 'ChildRefused',
    message: `${childKey(child)}: ${error.describe()}`,
  };
}

function statusOf(
  { root, homeless, facts }: LoadedRoot,
  plan: RootPlan,
  problems: readonly Problem[],
  current: boolean,
): RootStatus {
  const now = new Date();
  const stranded: Problem[] =
    homeless.length === 0
      ? []
      : [
          {
            type: 'NoLocalCluster',
            message: `${homeless.slice(0, 5).join(', ')}${homeless.length > 5 ? ` and ${homeless.length - 5} more` : ''}: only Applications, ApplicationSets and AppProjects go to the hub, and no cluster is registered as the local one`,
          },
        ];
  const { conditions } = mergeConditions(root.conditions, [...problems, ...stranded], now);
  const sync = problems.length + stranded.length > 0 ? 'OutOfSync' : plan.sync;
  const synced = sync === 'Synced' && current && !facts.removing;
  return {
    sync,
    health: plan.health,
    healthMessage: plan.waits || plan.healthMessage,
    conditions,
    resources: Object.fromEntries(
      plan.resources.map((one) => [`${one.group}/${one.kind}/${one.namespace}/${one.name}`, one]),
    ),
    operation: operationOf(root.operation, plan, problems, now),
    syncedDigest: synced ? root.bundle_digest : root.synced_digest,
  };
}

/**
 * A sync is under way while children are applied or wait for their wave. What failed is over once everything is as Git
 * says again, also where nothing had to be applied for that.
 */
function operationOf(
  before: Record<string, unknown> | null,
  plan: RootPlan,
  problems: readonly Problem[],
  now: Date,
): Record<string, unknown> | null {
  const isRunning = before?.['phase'] === 'Running';
  const isMended = before?.['phase'] === 'Failed' && problems.length === 0 && plan.sync === 'Synced';
  if (plan.complete && !isRunning && !isMended) return before;
  const startedAt = isRunning ? before['startedAt'] : now.toISOString();
  const names = plan.apply.slice(0, 5).map(childKey).join(', ');
  if (!plan.complete) {
    return { phase: 'Running', message: plan.waits || `applied ${names}`, startedAt, retries: 0 };
  }
  const failed = problems.length > 0;
  return {
    phase: failed ? 'Failed' : 'Succeeded',
    message: failed ? problems[0]!.message : 'all children are applied',
    startedAt,
    finishedAt: now.toISOString(),
    retries: 0,
  };
}

function differs(root: LoadedRoot['root'], next: RootStatus): boolean {
  const text = (one: unknown) => JSON.stringify(sorted(one));
  return (
    root.sync !== next.sync ||
    root.health !== next.health ||
    root.health_message !== next.healthMessage ||
    root.synced_digest !== next.syncedDigest ||
    root.observed_at === null ||
    text(root.conditions) !== text(next.conditions) ||
    text(root.resources) !== text(next.resources) ||
    text(root.operation) !== text(next.operation)
  );
}

/** jsonb keeps no order of keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  );
}

function nextRun(loaded: LoadedRoot, plan: RootPlan, problems: readonly Problem[]): Outcome | undefined {
  const after = (seconds: number) => new Date(Date.now() + seconds * 1000);
  if (plan.busy || (plan.apply.length + plan.remove.length > 0 && problems.length === 0))
    return waiting('children are being worked on', after(AGAIN.busy));
  if (plan.waits) return waiting(plan.waits, after(AGAIN.waves));
  const settled = plan.sync === 'Synced' && plan.health === 'Healthy' && problems.length === 0;
  if (!settled || loaded.facts.removing)
    return waiting('not in sync and healthy yet', after(AGAIN.unsettled));
  return undefined;
}

function dryRunText({ resources }: RootPlan): string {
  const out = resources.filter((one) => one.sync === 'OutOfSync');
  if (out.length === 0) return 'nothing would change';
  return `would change ${out.map((one) => `${one.kind} ${one.name}`).join(', ')}`;
}
