import type { SessionOpening } from '@muster/link';
import type { Hello } from '@muster/proto';
import { Inject, Injectable } from '@nestjs/common';
import { type ClusterRow, ClustersService } from '../clusters/clusters.service.ts';
import { holdingReason } from '../clusters/holding.ts';
import { CommandsService } from '../commands/commands.service.ts';
import { Keys } from '../keys/keys.ts';
import { RecoveryService } from '../recovery/recovery.service.ts';
import { StatusService } from '../status/status.service.ts';
import { AssignmentAnswers } from './assignment-answers.ts';
import type { Peer } from './peer.ts';
import { SessionAdmission } from './session-admission.ts';

export interface Opened {
  cluster: ClusterRow;
  opening: SessionOpening;
}

/** What happens between a hello and its welcome. */
@Injectable()
export class SessionOpenings {
  readonly #admission: SessionAdmission;
  readonly #clusters: ClustersService;
  readonly #recovery: RecoveryService;
  readonly #answers: AssignmentAnswers;
  readonly #commands: CommandsService;
  readonly #status: StatusService;
  readonly #keys: Keys;

  constructor(
    @Inject(SessionAdmission) admission: SessionAdmission,
    @Inject(ClustersService) clusters: ClustersService,
    @Inject(RecoveryService) recovery: RecoveryService,
    @Inject(AssignmentAnswers) answers: AssignmentAnswers,
    @Inject(CommandsService) commands: CommandsService,
    @Inject(StatusService) status: StatusService,
    @Inject(Keys) keys: Keys,
  ) {
    this.#admission = admission;
    this.#clusters = clusters;
    this.#recovery = recovery;
    this.#answers = answers;
    this.#commands = commands;
    this.#status = status;
    this.#keys = keys;
  }

  /** Admits the peer and gathers what the link machine needs to answer. @throws MusterError as `admit` does. */
  async open(peer: Peer, hello: Hello, sessionId: string): Promise<Opened> {
    const cluster = await this.#admission.admit(peer, hello, sessionId);
    const holding = holdingReason(cluster, await this.#recovery.state());
    const accepted = cluster.state === 'active' || cluster.state === 'removing';
    const [desired, lastReport, commands] = await Promise.all([
      this.#answers.desired(cluster.id),
      this.#status.lastReport(cluster.id, hello.instanceId),
      holding === undefined ? this.#commands.toDeliver(cluster.id, 'opening', agentOf(hello)) : [],
    ]);
    const opening: SessionOpening = {
      sessionId,
      hubId: this.#keys.hubId,
      nowMs: Date.now(),
      leaseSeconds: cluster.lease_seconds,
      ...(holding === undefined ? {} : { holding }),
      lastReport,
      desired,
      keySet: this.#keys.keySet(),
      keySetVersion: this.#keys.keySetVersion,
      ...(accepted ? { registration: this.#clusters.registration(cluster) } : {}),
      commands,
    };
    return { cluster, opening };
  }
}

/** What an agent says of itself. */
export function agentOf({ features, agentVersion }: Hello): { features: readonly string[]; version: string } {
  return { features, version: agentVersion };
}
