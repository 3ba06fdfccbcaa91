import type { CommitRange } from '@muster/api';
import type { CommitsApart, LoggedCommit } from '../sources/commit-logs.service.ts';
import type { GitSource } from './comparisons.repository.ts';
import type { Comparison } from './sides.ts';

/** Two commits of one repository. */
export interface Range {
  repositoryId: string;
  url: string;
  from: string | undefined;
  to: string | undefined;
}

/** The ranges of commits between the two sides, each once. Pins of charts are no commits. */
export function rangesOf(comparisons: readonly Comparison[], sources: readonly GitSource[]): Range[] {
  const bySource = new Map(sources.map((one) => [`${one.applicationId} ${one.position}`, one]));
  const found = new Map<string, Range>();
  for (const { before, after } of comparisons.flatMap(({ pairs }) => pairs)) {
    const owner = (after ?? before)!;
    const length = Math.max(before?.commits.length ?? 0, after?.commits.length ?? 0);
    for (let position = 0; position < length; position++) {
      const source = bySource.get(`${owner.applicationId} ${position}`);
      const other = before && bySource.get(`${before.applicationId} ${position}`);
      const [from, to] = [before?.commits[position], after?.commits[position]];
      if (!source || from === to || (other && other.repositoryId !== source.repositoryId)) continue;
      const { repositoryId, url } = source;
      found.set(`${repositoryId} ${from ?? ''} ${to ?? ''}`, { repositoryId, url, from, to });
    }
  }
  return [...found.values()];
}

/** What is between two commits, as it is answered; more than `limit` are cut. */
export function rangeView({ url, from, to }: Range, apart: CommitsApart, limit: number): CommitRange {
  const { ahead, behind } = apart;
  const listed = [...ahead.map((one) => commitView(one, 'b')), ...behind.map((one) => commitView(one, 'a'))];
  return {
    ...ends(url, from, to),
    direction: behind.length === 0 ? 'forward' : ahead.length === 0 ? 'back' : 'apart',
    commits: listed.slice(0, limit),
    more: listed.length > limit,
  };
}

/** Where nothing can be said of what is between them. */
export function unknownRange({ url, from, to }: Range, error?: string): CommitRange {
  return {
    ...ends(url, from, to),
    direction: 'unknown',
    commits: [],
    more: false,
    ...(error === undefined ? {} : { error }),
  };
}

function ends(repository: string, from: string | undefined, to: string | undefined) {
  return { repository, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

function commitView({ commit, subject, author, committedAt }: LoggedCommit, on: 'a' | 'b') {
  return { commit, subject, author, at: committedAt.toISOString(), on };
}
