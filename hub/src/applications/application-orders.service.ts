import type { CommandStarted } from '@muster/api';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { type CommandVerb, DEFAULT_TTL_SECONDS, type Outcome } from '../commands/command.ts';
import { CommandsService } from '../commands/commands.service.ts';
import { HUB_ID } from '../roots/hub-destination.ts';
import { Roots } from '../roots/roots.service.ts';
import { DATABASE, type Db } from '../store/database.ts';
import type { ListedRow } from './application-list.repository.ts';
import { ApplicationTrail } from './application-trail.ts';

/** Orders about an Application: to the agent of its cluster, or to the hub where it deploys there. */
@Injectable()
export class ApplicationOrders {
  constructor(
    @Inject(DATABASE) private readonly db: Db,
    @Inject(ApplicationTrail) private readonly trail: ApplicationTrail,
    @Inject(CommandsService) private readonly commands: CommandsService,
    @Inject(Roots) private readonly roots: Roots,
  ) {}

  /** Signs and stores a command. `action`: what the audit log calls it; undefined: nothing worth a note. */
  async give(
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
      if (action) await this.trail.note(trx, actor, row, action, { ...details, command }, reason);
      return { command, ...silenceOf(row) };
    });
  }

  /** What came of a command. Throws `unavailable` when the signal comes first. */
  answer(command: string, signal: AbortSignal): Promise<{ outcome: Outcome; message: string }> {
    return this.commands.wait(command, signal);
  }
}

/** Nobody hears it now: whoever gave it should know. */
function silenceOf({
  cluster_name: cluster,
  silent_since: since,
}: ListedRow): Pick<CommandStarted, 'silent'> {
  if (!cluster || !since) return {};
  const expiresAt = new Date(Date.now() + DEFAULT_TTL_SECONDS * 1000).toISOString();
  return { silent: { cluster, since: since.toISOString(), expiresAt } };
}
