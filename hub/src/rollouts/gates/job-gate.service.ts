import { MusterError } from '@muster/base';
import { type JobCheck, type Judgement, judged } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { CommandsService } from '../../commands/commands.service.ts';
import type { Trx } from '../../store/schema.ts';
import type { MeasuredTarget } from './gates.repository.ts';
import { type JobPlace, type JobRun, planJobs } from './job-runs.ts';

const POLL_SECONDS = 2;
const AGAIN_SECONDS = 30;
/** So much longer than the Job its command may take. */
const COMMAND_MORE_SECONDS = 300;
const MAX_COMMAND_SECONDS = 86_400;

/** Has Jobs run in clusters, by signed commands. */
@Injectable()
export class JobGate {
  constructor(@Inject(CommandsService) private readonly commands: CommandsService) {}

  /** What to do next in the transaction that writes it down; `progress`: what was begun before. */
  async look(
    check: JobCheck,
    targets: readonly MeasuredTarget[],
    progress: Record<string, unknown>,
  ): Promise<{ act(trx: Trx): Promise<JobStep> }> {
    const runs = { ...(progress.runs as Record<string, JobRun> | undefined) };
    const begun = targets.filter(({ target }) => runs[target.id]);
    const present = targets.filter(({ target }) => target.holds !== null);
    const first = [begun, present, targets].find((some) => some.length > 0) ?? [];
    const chosen = check.run === 'each' ? targets : first.slice(0, 1);
    const places = await Promise.all(chosen.map((one) => this.#place(check, one, runs[one.target.id])));
    const plan = planJobs(places);
    const byId = new Map(chosen.map((one) => [one.target.id, one]));
    return {
      act: async (trx) => {
        let judgement = plan.judgement;
        const issue = async (id: string, resume?: string): Promise<string | undefined> => {
          const target = byId.get(id)!;
          try {
            return await this.#issue(trx, check, target, resume);
          } catch (thrown) {
            const { code, message } = MusterError.from(thrown);
            if (code !== 'precondition') throw thrown;
            judgement ??= judged('unknown', `${target.cluster}: ${message}`);
            return undefined;
          }
        };
        for (const id of plan.begin) {
          const command = await issue(id);
          if (command) runs[id] = { command, job: command, tries: 0 };
          else delete runs[id];
        }
        for (const id of plan.resume) {
          const { job, tries } = runs[id]!;
          const command = await issue(id, job);
          if (command) runs[id] = { command, job, tries: tries + 1 };
        }
        const seconds = judgement?.verdict === 'unknown' ? AGAIN_SECONDS : POLL_SECONDS;
        return { judgement, seconds, progress: { runs } };
      },
    };
  }

  async #place(
    check: JobCheck,
    { target, cluster }: MeasuredTarget,
    run: JobRun | undefined,
  ): Promise<JobPlace> {
    const row = run && (await this.commands.get(run.command).catch(notFound));
    return {
      target: target.id,
      place: cluster,
      run,
      problem: target.connected ? undefined : 'its agent is silent',
      absent: target.holds === null ? (check.absent ?? 'unknown') : undefined,
      // A command that is forgotten is as one that nobody answered.
      outcome: run && !row ? 'unknown' : (row?.outcome ?? null),
      message: row?.message ?? '',
    };
  }

  #issue(
    trx: Trx,
    { manifest, timeoutMs }: JobCheck,
    { clusterId, namespace, name }: MeasuredTarget,
    resume: string | undefined,
  ): Promise<string> {
    const deadlineSeconds = Math.max(1, Math.ceil(timeoutMs / 1000));
    return this.commands.issue(trx, {
      clusterId,
      application: { namespace, name },
      verb: {
        kind: 'run-job',
        manifest: JSON.stringify(manifest),
        deadlineSeconds,
        ...(resume === undefined ? {} : { resume }),
      },
      actor: 'rollout',
      reason: 'a gate of a rollout',
      ttlSeconds: Math.min(deadlineSeconds + COMMAND_MORE_SECONDS, MAX_COMMAND_SECONDS),
    });
  }
}

function notFound(thrown: unknown): undefined {
  if (MusterError.from(thrown).code !== 'not-found') throw thrown;
}

/** As a look of any gate. */
export interface JobStep {
  judgement: Judgement | undefined;
  seconds: number;
  progress: Record<string, unknown>;
}
