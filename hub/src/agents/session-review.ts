import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { CertificatesService } from '../clusters/certificates.service.ts';
import { type ClusterRow, ClustersService } from '../clusters/clusters.service.ts';
import { holdingReason } from '../clusters/holding.ts';
import { CommandsService } from '../commands/commands.service.ts';
import { RecoveryService } from '../recovery/recovery.service.ts';
import type { AgentSession } from './agent-session.ts';

/** Whether open sessions are still what their rows say. */
@Injectable()
export class SessionReview {
  readonly #clusters: ClustersService;
  readonly #certificates: CertificatesService;
  readonly #commands: CommandsService;
  readonly #recovery: RecoveryService;

  constructor(
    @Inject(ClustersService) clusters: ClustersService,
    @Inject(CertificatesService) certificates: CertificatesService,
    @Inject(CommandsService) commands: CommandsService,
    @Inject(RecoveryService) recovery: RecoveryService,
  ) {
    this.#clusters = clusters;
    this.#certificates = certificates;
    this.#commands = commands;
    this.#recovery = recovery;
  }

  /** Registrations go out, holding begins or ends, and whoever is gone or revoked is cut off. */
  async reconsider(sessions: AgentSession[]): Promise<void> {
    if (sessions.length === 0) return;
    const hub = await this.#recovery.state();
    const rows = new Map(
      (await this.#clusters.byIds(sessions.map((session) => session.peer.clusterId))).map((row) => [
        row.id,
        row,
      ]),
    );
    const revoked = await this.#certificates.revokedAmong(sessions.map((session) => session.peer.serial));
    for (const session of sessions) {
      const row = rows.get(session.peer.clusterId);
      const reason = revoked.get(session.peer.serial) ?? (row ? undefined : 'the cluster was removed');
      if (reason !== undefined || !row) {
        session.close(new MusterError('unauthenticated', `this certificate was revoked: ${reason}`));
        continue;
      }
      await this.#hold(session, holdingReason(row, hub));
      this.#register(session, row);
    }
  }

  /** An open stream outlives its certificate only when a newer one was given out meanwhile. */
  async endExpired(sessions: AgentSession[], nowMs = Date.now()): Promise<void> {
    const ended = sessions.filter((session) => session.expiresAt.getTime() < nowMs);
    const latest = await this.#certificates.latestExpiry(ended.map((session) => session.peer.clusterId));
    for (const session of ended) {
      const until = latest.get(session.peer.clusterId);
      if (until && until.getTime() > nowMs) session.expiresAt = until;
      else session.close(new MusterError('unauthenticated', 'the certificate of this session has expired'));
    }
  }

  async #hold(session: AgentSession, reason: string | undefined): Promise<void> {
    if (reason === session.holding) return;
    session.holding = reason;
    const commands =
      reason === undefined
        ? await this.#commands.toDeliver(session.peer.clusterId, 'opening', session.agent)
        : [];
    session.dispatch({ kind: 'holding', ...(reason === undefined ? {} : { reason }), commands });
  }

  #register(session: AgentSession, row: ClusterRow): void {
    if (row.registration_revision === session.registrationRevision) return;
    if (row.state === 'pending' || row.state === 'recovered') return;
    session.registrationRevision = row.registration_revision;
    session.dispatch({ kind: 'registration', signed: this.#clusters.registration(row) });
  }
}
