import type {
  CommandStarted,
  GetEvents,
  GetLogs,
  GetResource,
  ResourceAction,
  ResourceEvents,
  ResourceTree,
  ResourceView,
} from '@muster/api';
import {
  LogLine,
  ResourceEvents as EventsSchema,
  ResourceNode,
  ResourceView as ViewSchema,
} from '@muster/api';
import { MusterError } from '@muster/base';
import { OBJECT_ACTIONS, actionsOf, describeKey, losesData, parseKeyString } from '@muster/kube';
import { verbOfAsk } from '@muster/link';
import { EventsQuery, LogsQuery, ObjectQuery } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { z } from 'zod';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import type { Role } from '../access/roles.ts';
import type { ListedRow } from '../applications/application-list.repository.ts';
import { ApplicationViews } from '../applications/application-views.service.ts';
import type { AnswerEnded, AskQuery, AskRequest } from '../asks/ask.ts';
import { AsksService } from '../asks/asks.service.ts';
import { Audit } from '../audit/audit.ts';
import { CommandsService } from '../commands/commands.service.ts';
import { HUB_ID } from '../roots/hub-destination.ts';
import { DATABASE, type Db } from '../store/database.ts';

/** Bytes and seconds of an answer that is one document. */
const DOCUMENT = { maxSeconds: 60, maxBytes: 16 * 1024 * 1024 };
/** A log that is followed ends by itself after so long. */
const FOLLOW_SECONDS = 1_800;
const LOGS_BYTES = 32 * 1024 * 1024;
/** An action is meant for now: a cluster that is not there gets none later. */
const ACTION_TTL_SECONDS = 60;

const TreeAnswer = z.object({
  nodes: z.array(ResourceNode),
  notes: z.array(z.string()),
  truncated: z.boolean(),
});

/** Looks into clusters and acts on single objects there, through their agents, for whoever may. */
@Injectable()
export class ResourcesService {
  constructor(
    @Inject(ApplicationViews) private readonly views: ApplicationViews,
    @Inject(AsksService) private readonly asks: AsksService,
    @Inject(CommandsService) private readonly commands: CommandsService,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(DATABASE) private readonly db: Db,
  ) {}

  /** What the Application's objects own, looked at now. */
  async tree(actor: Actor, namespace: string, name: string, signal: AbortSignal): Promise<ResourceTree> {
    const row = await this.#for(actor, 'viewer', namespace, name);
    const answer = await this.#document(actor, row, { $case: 'tree', value: {} }, TreeAnswer, signal);
    const nodes = answer.nodes.map((node) => ({ ...node, actions: actionsOf(node) }));
    return { ...answer, nodes, cluster: row.cluster_name!, at: new Date().toISOString() };
  }

  async resource(
    actor: Actor,
    namespace: string,
    name: string,
    { resource, diff }: GetResource,
    signal: AbortSignal,
  ): Promise<ResourceView> {
    const row = await this.#for(actor, 'viewer', namespace, name);
    const object = keyOf(resource);
    const value = ObjectQuery.fromPartial({ object, diff });
    const Answer = ViewSchema.omit({ actions: true });
    const answer = await this.#document(actor, row, { $case: 'object', value }, Answer, signal);
    return { ...answer, actions: actionsOf(object) };
  }

  async events(
    actor: Actor,
    namespace: string,
    name: string,
    { resource }: GetEvents,
    signal: AbortSignal,
  ): Promise<ResourceEvents> {
    const row = await this.#for(actor, 'viewer', namespace, name);
    const value = EventsQuery.fromPartial({ ...(resource && { object: keyOf(resource) }) });
    return this.#document(actor, row, { $case: 'events', value }, EventsSchema, signal);
  }

  /**
   * Lines of logs as they come; returns how they ended. Reading them is kept in the audit log before it begins: what an
   * application writes there, nobody can redact.
   */
  async *logs(
    actor: Actor,
    namespace: string,
    name: string,
    query: GetLogs,
    signal: AbortSignal,
  ): AsyncGenerator<LogLine[], AnswerEnded, undefined> {
    const row = await this.#for(actor, 'operator', namespace, name);
    const { resource, container = '', follow, tailLines, sinceSeconds = 0, previous, reason } = query;
    const asked = { container, follow, tailLines, sinceSeconds, previous };
    const value = LogsQuery.fromPartial({ ...asked, ...(resource && { object: keyOf(resource) }) });
    const limits = { maxSeconds: follow ? FOLLOW_SECONDS : 120, maxBytes: LOGS_BYTES };
    const request = await this.#request(actor, row, { $case: 'logs', value }, limits);
    await this.#audit(actor, row, 'application.logs', { resource: resource ?? '', ...asked }, reason);
    const pieces = this.asks.ask(request, signal);
    let rest = '';
    const decoder = new TextDecoder();
    try {
      for (;;) {
        const next = await pieces.next();
        if (next.done) return next.value;
        const texts = (rest + decoder.decode(next.value, { stream: true })).split('\n');
        rest = texts.pop()!;
        if (texts.length > 0) yield texts.map((text) => parsed(LogLine, text));
      }
    } finally {
      await pieces.return({ cut: '' });
    }
  }

  /** Has the agent act on one object. A command as any other: signed, with one outcome, never repeated. */
  async act(actor: Actor, namespace: string, name: string, request: ResourceAction): Promise<CommandStarted> {
    const { action, parameters, uid, reason } = request;
    const object = keyOf(request.resource);
    if (!(OBJECT_ACTIONS as readonly string[]).includes(action)) {
      throw new MusterError('invalid', `there is no action "${action}"`, {
        where: 'action',
        hint: `there are ${OBJECT_ACTIONS.join(', ')}`,
      });
    }
    const row = await this.#for(actor, 'operator', namespace, name);
    // An operator may take away what comes back; what holds data does not.
    if (action === 'delete' && losesData(object) && !this.access.allows(actor, 'admin', row.project)) {
      throw new MusterError(
        'forbidden',
        `data may be lost with ${describeKey(object)}: this needs the role admin`,
      );
    }
    this.#requireReachable(row);
    return this.db.transaction().execute(async (trx) => {
      const command = await this.commands.issue(trx, {
        clusterId: row.cluster_id!,
        application: { namespace, name },
        verb: { kind: 'act', object: { ...object, ...(uid && { uid }) }, action, parameters },
        actor: actor.name,
        ttlSeconds: ACTION_TTL_SECONDS,
        ...(reason && { reason }),
      });
      const details = { resource: request.resource, action, parameters, command };
      await this.#audit(actor, row, `application.resource.${action}`, details, reason, trx);
      return { command };
    });
  }

  async #for(actor: Actor, role: Role, namespace: string, name: string): Promise<ListedRow> {
    const row = await this.views.visible(actor, namespace, name);
    this.access.require(actor, role, row.project);
    return row;
  }

  async #request(
    actor: Actor,
    row: ListedRow,
    query: AskQuery,
    limits: typeof DOCUMENT,
  ): Promise<AskRequest> {
    this.#requireReachable(row);
    const refusal = await this.commands.refusal(row.cluster_id!, verbOfAsk({ query }));
    if (refusal) {
      throw new MusterError('precondition', refusal, {
        hint: '`muster cluster get` shows what the agent accepts; only who installed it can change that',
      });
    }
    return {
      cluster: { id: row.cluster_id!, name: row.cluster_name! },
      application: { namespace: row.namespace, name: row.name },
      query,
      actor: actor.name,
      ...limits,
    };
  }

  async #document<T>(
    actor: Actor,
    row: ListedRow,
    query: AskQuery,
    schema: z.ZodType<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const request = await this.#request(actor, row, query, DOCUMENT);
    const answer = await this.asks.whole(request, signal);
    return parsed(schema, answer.toString('utf8'));
  }

  /** Nobody should wait for a cluster of which it is known that it cannot answer. */
  #requireReachable(row: ListedRow): void {
    if (row.cluster_id === HUB_ID || (row.is_root && !row.cluster_id)) {
      throw new MusterError(
        'unsupported',
        `${row.name} deploys to the hub, which runs nothing to look into`,
        {
          hint: 'look into its children',
        },
      );
    }
    if (!row.cluster_id || !row.cluster_name || row.assigned_generation === null) {
      throw new MusterError('precondition', `the Application ${row.name} is not assigned to a cluster yet`, {
        hint: 'see its conditions',
      });
    }
    const agent = `the agent of ${row.cluster_name}`;
    if (row.silent_since)
      throw new MusterError(
        'unavailable',
        `${agent} has been silent since ${row.silent_since.toISOString()}`,
      );
    if (!row.last_seen_at) throw new MusterError('unavailable', `${agent} has never been heard`);
  }

  #audit(
    actor: Actor,
    row: ListedRow,
    action: string,
    details: Record<string, unknown>,
    reason: string | undefined,
    db: Db = this.db,
  ): Promise<void> {
    const object = `application/${row.namespace}/${row.name}`;
    const about = { actor, action, object, project: row.project, details };
    return this.audit.record(db, { ...about, ...(reason && { reason }) });
  }
}

function keyOf(resource: string) {
  const key = parseKeyString(resource);
  if (key) return key;
  throw new MusterError('invalid', `"${resource}" is not group/Kind/namespace/name`, { where: 'resource' });
}

/** What agents say is as untrusted as what users say. */
function parsed<T>(schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new MusterError('unavailable', 'the agent answered with something that cannot be read', { cause });
  }
}
