import { type ApplicationSet, type Expansion, ExpansionError, requeueAfterSeconds } from '@muster/appset';
import { type MusterError, type Outcome, done, waiting } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { ApplicationRecords } from '../applications/application-records.service.ts';
import type { JobContext } from '../queue/jobs.ts';
import { lookingSecret, withoutSecrets } from '../rendering/secrets.ts';
import { ApplicationSetsRepository } from './applicationsets.repository.ts';
import { DependencyProblem, ExpansionResults } from './expansion-results.service.ts';
import { IncrementalExpansion } from './incremental-expansion.service.ts';
import { SetGeneration } from './set-generation.service.ts';
import { SetManifests } from './set-manifests.ts';
import { type RepositoriesRead, SetRepositories } from './set-repositories.ts';

const RETRY_SECONDS = 30;

/** Expands ApplicationSets into Applications; writes only what is different. */
@Injectable()
export class ExpansionService {
  constructor(
    @Inject(ApplicationSetsRepository) private readonly repository: ApplicationSetsRepository,
    @Inject(SetManifests) private readonly manifests: SetManifests,
    @Inject(SetGeneration) private readonly generation: SetGeneration,
    @Inject(ExpansionResults) private readonly results: ExpansionResults,
    @Inject(SetRepositories) private readonly repositories: SetRepositories,
    @Inject(IncrementalExpansion) private readonly incremental: IncrementalExpansion,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
  ) {}

  /** From a set to its Applications. A failure keeps what there is and is shown as a condition. */
  async expand(setId: string, context: JobContext): Promise<Outcome> {
    const row = await this.repository.byId(setId);
    if (!row) return done;
    const set = this.manifests.open(row);
    if (await this.incremental.expand(row, set, context)) return done;
    const beginning = await this.incremental.begin(row, set);
    const clusters = await this.generation.registered();
    const read: RepositoriesRead = new Map();
    let expansion: Expansion | undefined;
    let failure: MusterError | undefined;
    try {
      expansion = row.deleting_at
        ? { applications: [], validationErrors: {} }
        : await this.generation.generate(
            {
              set,
              project: row.project,
              clusters,
              repositories: this.repositories.contents(row.project, context.signal, read),
            },
            context.signal,
          );
    } catch (thrown) {
      context.signal.throwIfAborted();
      failure = expansionFailure(thrown, set);
    }
    const again = row.deleting_at ? undefined : nextExpansion(set, failure);
    const isSteady = expansion && beginning && (await this.incremental.isSteady(row, beginning));
    const applied = await this.repository.db.transaction().execute(async (trx) => {
      const held = await this.repository.lock(trx, setId);
      const position = await this.records.position(trx);
      let result: Awaited<ReturnType<ExpansionResults['apply']>> | undefined;
      // Changed meanwhile: it has been asked for again.
      if (held && held.version === row.version) {
        try {
          if (expansion) result = await this.results.apply(trx, held, set, expansion, clusters);
        } catch (thrown) {
          if (!(thrown instanceof DependencyProblem)) throw thrown;
          failure = thrown;
        }
        if (failure) await this.results.conditions(trx, held, failure, []);
        if (!row.deleting_at) await this.repositories.follow(trx, setId, set, read, failure !== undefined);
      }
      // Last: everyone takes sets first and outbox rows after them. One that is asked for later keeps its row.
      if (!again) await context.complete(trx);
      return result?.isComplete
        ? { decision: result.decision, applicationsAt: position.at, own: position.own }
        : undefined;
    });
    if (expansion && isSteady && applied) {
      const { decision, ...at } = applied;
      this.incremental.learn(row, expansion, decision, clusters, { ...beginning, ...at });
    }
    return again ?? done;
  }
}

/** What kept a set from being expanded, without the set's secrets; the reason for the condition goes with it. */
export function expansionFailure(thrown: unknown, set: ApplicationSet): MusterError {
  const failure = withoutSecrets(thrown, lookingSecret(set.spec));
  if (failure === thrown || !(thrown instanceof ExpansionError)) return failure;
  return new ExpansionError(thrown.reason, failure.message, failure.where ?? 'spec', failure.code);
}

/** When a set is expanded again though nothing told of a change. */
function nextExpansion(set: ApplicationSet, failure: MusterError | undefined): Outcome | undefined {
  const after = (seconds: number) => new Date(Date.now() + seconds * 1000);
  if (failure?.code === 'unavailable') return waiting(failure.message, after(RETRY_SECONDS));
  const seconds = requeueAfterSeconds(set);
  return seconds === undefined ? undefined : waiting('asks its generators again', after(seconds));
}
