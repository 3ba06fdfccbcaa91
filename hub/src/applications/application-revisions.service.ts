import type { ApplicationRevision } from '@muster/api';
import { isPin } from '@muster/api/commits';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { isNotice } from '../rendering/conditions.ts';
import { CommitLogs } from '../sources/commit-logs.service.ts';
import { SourcesService } from '../sources/sources.service.ts';
import type { ListedRow } from './application-list.repository.ts';
import { originOf } from './application-origin.ts';
import { ApplicationRecords } from './application-records.service.ts';
import { type Obstacle, type RevisionFacts, revisionState } from './application-revision.ts';
import { addressOfSource, revisionOf, sourcesOf } from './application-sources.ts';
import { ApplicationViews } from './application-views.service.ts';

/** Whether Applications are at commits, or beyond them. */
@Injectable()
export class ApplicationRevisions {
  constructor(
    @Inject(ApplicationViews) private readonly views: ApplicationViews,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(CommitLogs) private readonly logs: CommitLogs,
  ) {}

  /** `commit` may be abbreviated. What cannot be read of a repository counts as not seen. */
  async of(
    actor: Actor,
    namespace: string,
    name: string,
    commit: string,
    signal: AbortSignal,
  ): Promise<ApplicationRevision> {
    const row = await this.views.visible(actor, namespace, name);
    const { manifest } = this.records.open(row);
    const { revision, sources: shown } = originOf(row, manifest);
    const sources = sourcesOf(manifest);
    const repositories = await this.sources.known(sources.map(addressOfSource));
    const facts: RevisionFacts[] = [];
    for (const [i, source] of sources.entries()) {
      const assigned = shown ? shown[i]?.commit : revision?.commit;
      const latest = row.latest_commits[i] ?? undefined;
      const repositoryId = repositories.get(addressOfSource(source));
      const within = (tip: string | undefined) => this.#within(repositoryId, tip, commit, signal);
      const [inAssigned, inLatest] = [await within(assigned), await within(latest)];
      facts.push({
        follows: revisionOf(source),
        assigned,
        latest,
        unchanged: latest !== undefined && (revision?.unchangedBy ?? []).includes(latest),
        known: inAssigned !== undefined || inLatest !== undefined,
        inAssigned: inAssigned ?? false,
        inLatest: inLatest ?? false,
      });
    }
    return revisionState(commit, facts, obstacleOf(row));
  }

  /** Undefined: the repository has no such commit, as far as the hub knows. */
  async #within(
    repositoryId: string | undefined,
    tip: string | undefined,
    commit: string,
    signal: AbortSignal,
  ): Promise<boolean | undefined> {
    if (!repositoryId || !tip) return undefined;
    if (tip.startsWith(commit)) return true;
    if (isPin(tip) || !/^[0-9a-f]{4,64}$/.test(commit)) return undefined;
    try {
      return await this.logs.contains(repositoryId, tip, commit, signal);
    } catch {
      signal.throwIfAborted();
      return undefined;
    }
  }
}

/** Why what Git has is not what is assigned. */
function obstacleOf(row: ListedRow): Obstacle | undefined {
  if (row.held) return { how: 'held', reason: row.held.reason };
  const problem = row.conditions.find(({ type }) => !isNotice(type));
  return problem && { how: 'failed', reason: `${problem.type}: ${problem.message}` };
}
