import { Inject, Injectable } from '@nestjs/common';
import { AsksService } from '../asks/asks.service.ts';
import { AssignmentsService } from '../assignments/assignments.service.ts';
import { CommandsService } from '../commands/commands.service.ts';
import { UnclaimedService } from '../recovery/unclaimed.service.ts';
import { ReportIngest } from '../status/report-ingest.ts';
import type { SessionWork } from './agent-session.ts';
import { AssignmentAnswers } from './assignment-answers.ts';
import { Hearing } from './hearing.ts';
import { desiredAssignment } from './held-line.ts';

/** Binds the work of sessions to the capabilities that own what they touch, scoped to the peer's cluster. */
@Injectable()
export class SessionWorkFactory {
  readonly #assignments: AssignmentsService;
  readonly #answers: AssignmentAnswers;
  readonly #hearing: Hearing;
  readonly #commands: CommandsService;
  readonly #asks: AsksService;
  readonly #unclaimed: UnclaimedService;
  readonly #ingest: ReportIngest;

  constructor(
    @Inject(AssignmentsService) assignments: AssignmentsService,
    @Inject(AssignmentAnswers) answers: AssignmentAnswers,
    @Inject(Hearing) hearing: Hearing,
    @Inject(CommandsService) commands: CommandsService,
    @Inject(AsksService) asks: AsksService,
    @Inject(UnclaimedService) unclaimed: UnclaimedService,
    @Inject(ReportIngest) ingest: ReportIngest,
  ) {
    this.#assignments = assignments;
    this.#answers = answers;
    this.#hearing = hearing;
    this.#commands = commands;
    this.#asks = asks;
    this.#unclaimed = unclaimed;
    this.#ingest = ingest;
  }

  for(cluster: { id: string; name: string }, sessionId: string): SessionWork {
    const { id, name } = cluster;
    return {
      desired: () => this.#answers.desired(id),
      assignments: async (keys) => {
        const filter = keys ? { applications: keys } : { unanswered: true };
        return (await this.#assignments.listFor(id, filter)).map(desiredAssignment);
      },
      acknowledged: (lines) => this.#answers.acknowledged(id, lines),
      refused: (sha, reason) => this.#answers.refused(id, name, sha, reason),
      unclaimed: (held) => this.#unclaimed.replace(id, name, held),
      storeReport: (report) => this.#ingest.add(id, sessionId, report),
      storeCommandResult: (result) => this.#commands.finish(id, result),
      refuseAsk: (askId, why) => this.#asks.refuse(id, askId, why),
      askRefused: ({ payloadSha256, reason }) => this.#asks.refusedBytes(id, payloadSha256, reason),
      heard: (highest, told) => this.#hearing.heartbeat(cluster, sessionId, highest, told),
      keySetAcknowledged: (version, refused) => this.#hearing.keySet(id, version, refused),
    };
  }
}
