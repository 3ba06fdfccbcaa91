import { applicationKey, type HeldLine } from '@muster/link';
import type { Held } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { AssignmentsService } from '../assignments/assignments.service.ts';
import { ClustersService } from '../clusters/clusters.service.ts';
import { SessionsRegistry } from '../clusters/sessions-registry.ts';
import { CommandsService } from '../commands/commands.service.ts';
import { RotationService } from '../keys/rotation.service.ts';
import { RecoveryService } from '../recovery/recovery.service.ts';
import { UnclaimedService } from '../recovery/unclaimed.service.ts';
import { ReportIngest } from '../status/report-ingest.ts';
import { DATABASE, type Db } from '../store/database.ts';
import type { SessionWork } from './agent-session.ts';
import { desiredAssignment, heldLine } from './held-line.ts';
import { LastSeen } from './last-seen.ts';

/** Binds the work of sessions to the capabilities that own what they touch, scoped to the peer's cluster. */
@Injectable()
export class SessionWorkFactory {
  readonly #db: Db;
  readonly #assignments: AssignmentsService;
  readonly #clusters: ClustersService;
  readonly #registry: SessionsRegistry;
  readonly #commands: CommandsService;
  readonly #rotation: RotationService;
  readonly #recovery: RecoveryService;
  readonly #unclaimed: UnclaimedService;
  readonly #ingest: ReportIngest;
  readonly #lastSeen: LastSeen;

  constructor(
    @Inject(DATABASE) db: Db,
    @Inject(AssignmentsService) assignments: AssignmentsService,
    @Inject(ClustersService) clusters: ClustersService,
    @Inject(SessionsRegistry) registry: SessionsRegistry,
    @Inject(CommandsService) commands: CommandsService,
    @Inject(RotationService) rotation: RotationService,
    @Inject(RecoveryService) recovery: RecoveryService,
    @Inject(UnclaimedService) unclaimed: UnclaimedService,
    @Inject(ReportIngest) ingest: ReportIngest,
    @Inject(LastSeen) lastSeen: LastSeen,
  ) {
    this.#db = db;
    this.#assignments = assignments;
    this.#clusters = clusters;
    this.#registry = registry;
    this.#commands = commands;
    this.#rotation = rotation;
    this.#recovery = recovery;
    this.#unclaimed = unclaimed;
    this.#ingest = ingest;
    this.#lastSeen = lastSeen;
  }

  for(cluster: { id: string; name: string }, sessionId: string): SessionWork {
    const { id, name } = cluster;
    return {
      desired: async () => (await this.#assignments.inventory(id)).map(heldLine),
      assignments: async (keys) => {
        const rows = await this.#assignments.listFor(id);
        const wanted = keys ? new Set(keys) : undefined;
        const lines = rows.filter((row) => wanted || row.acked_at === null).map(desiredAssignment);
        return wanted ? lines.filter((line) => wanted.has(applicationKey(line))) : lines;
      },
      acknowledged: (lines) => this.#acknowledged(id, lines),
      refused: (sha, reason) => this.#refused(id, name, sha, reason),
      unclaimed: (held: readonly Held[]) => this.#unclaimed.replace(id, name, held),
      storeReport: (report) => this.#ingest.add(id, sessionId, report),
      storeCommandResult: (result) => this.#commands.finish(id, result),
      heard: async (highest, facts) => {
        this.#lastSeen.heard(id, sessionId);
        await this.#recovery.heard(highest, name);
        if (facts) await this.#clusters.heardFacts(id, name, facts);
      },
      keySetAcknowledged: async (version, refused) => {
        if (refused) return;
        await this.#registry.keySetAcknowledged(id, version);
        await this.#rotation.acknowledged();
      },
    };
  }

  /** Only what was not acknowledged before is written: a reconnecting fleet writes nothing. */
  async #acknowledged(clusterId: string, lines: readonly HeldLine[]): Promise<void> {
    if (lines.length === 0) return;
    const open = new Set(
      (await this.#assignments.inventory(clusterId))
        .filter((row) => !row.acked_at || row.refused)
        .map((row) => hex(row.payload_sha256)),
    );
    const acks = lines
      .filter((line) => open.has(hex(line.payloadSha256)))
      .map((line) => ({
        namespace: line.applicationNamespace,
        name: line.applicationName,
        epoch: line.version.epoch,
        generation: line.version.generation,
        refused: '',
      }));
    if (acks.length > 0)
      await this.#db.transaction().execute((trx) => this.#assignments.acked(trx, clusterId, acks));
  }

  /** What was refused is named by its digest: its content could not be trusted on the other side. */
  async #refused(clusterId: string, clusterName: string, sha: Uint8Array, reason: string): Promise<void> {
    const row = (await this.#assignments.inventory(clusterId)).find(
      (each) => hex(each.payload_sha256) === hex(sha),
    );
    if (!row) return this.#clusters.refused(clusterName, reason);
    const { application_namespace: namespace, application_name: applicationName, epoch, generation } = row;
    const ack = {
      namespace,
      name: applicationName,
      epoch,
      generation,
      refused: reason.slice(0, 2048) || 'refused',
    };
    await this.#db.transaction().execute((trx) => this.#assignments.acked(trx, clusterId, [ack]));
    await this.#clusters.refused(clusterName, reason, `${namespace}/${applicationName}`);
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
