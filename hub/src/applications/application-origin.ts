import type { ApplicationView } from '@muster/api';
import type { Application, ApplicationSource } from '@muster/appset';
import { redactText } from '@muster/kube';
import { commitsOf } from '../releases/release-plan.ts';
import type { ListedRow } from './application-list.repository.ts';
import { isNotice } from '../rendering/conditions.ts';
import { lookingSecret } from '../rendering/secrets.ts';
import { sourcesOf } from './application-sources.ts';

type Origin = Pick<ApplicationView, 'source' | 'sources' | 'revision' | 'latestCommit'>;
type Shown = Pick<
  ListedRow,
  | 'rendering'
  | 'conditions'
  | 'commit'
  | 'commits'
  | 'latest_commits'
  | 'release_message'
  | 'release_author'
  | 'release_at'
  | 'held'
>;

/** Where an Application comes from: its sources, what is assigned of each, and what there is by now. */
export function originOf(newest: Shown, manifest: Application): Origin {
  const row = effective(newest);
  const sources = sourcesOf(manifest);
  const commits = commitsOf(row);
  const newer = sources.map((_, i) => {
    const latest = row.latest_commits[i];
    return latest && commits[i] !== undefined && latest !== commits[i] ? latest : undefined;
  });
  // Of one that nothing was assigned of yet, everything is newer.
  const latest = commits.length === 0 ? row.latest_commits[0] : newer.find((commit) => commit !== undefined);
  const unchanged = unchangedBy(newest, newer);
  return {
    source: sources[0] ? sourceView(sources[0]) : { repoURL: '', targetRevision: 'HEAD' },
    ...(sources.length > 1
      ? {
          sources: sources.map((source, i) => ({
            ...sourceView(source),
            ...(source.ref ? { ref: source.ref } : {}),
            ...(source.name ? { name: source.name } : {}),
            ...(commits[i] === undefined ? {} : { commit: commits[i] }),
            ...(newer[i] === undefined ? {} : { latestCommit: newer[i] }),
            ...(newer[i] !== undefined && unchanged.unchangedBy ? { unchanged: true } : {}),
          })),
        }
      : {}),
    ...(row.commit
      ? {
          revision: {
            commit: row.commit,
            ...unchanged,
            ...(row.release_message === null ? {} : { message: row.release_message }),
            ...(row.release_author === null ? {} : { author: row.release_author }),
            ...(row.release_at ? { at: row.release_at.toISOString() } : {}),
          },
        }
      : {}),
    ...(latest ? { latestCommit: latest } : {}),
  };
}

/** Rendered with the newest commits, it came to the same: they are not assigned, and will not be. */
function unchangedBy(row: Shown, newer: readonly (string | undefined)[]): { unchangedBy?: string[] } {
  const found = newer.flatMap((commit) => commit ?? []);
  // A source that cannot be asked for newer commits is rendered as it was read last.
  const read = row.latest_commits.every((commit) => commit !== null);
  const rendered =
    !row.rendering && row.conditions.every(({ type }) => isNotice(type) || (read && type === 'SourceError'));
  return rendered && !row.held && found.length > 0 ? { unchangedBy: found } : {};
}

/** What is kept from its newest release was assigned what it is kept at. */
function effective(row: Shown): Shown {
  if (!row.held) return row;
  const { commit, commits, message, author, released_at: at } = row.held;
  const release = { release_message: message, release_author: author, release_at: at ? new Date(at) : null };
  return { ...row, commit, commits, ...release };
}

function sourceView(source: ApplicationSource): ApplicationView['source'] {
  return {
    repoURL: withoutPassword(source.repoURL),
    ...(source.path === undefined ? {} : { path: source.path }),
    ...(source.chart ? { chart: source.chart } : {}),
    targetRevision: source.targetRevision || (source.chart ? '*' : 'HEAD'),
  };
}

function withoutPassword(url: string): string {
  return url.includes('@') ? redactText(url, lookingSecret(url)) : url;
}
